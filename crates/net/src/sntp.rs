//! The time socket: one plain thread that answers phones' questions for the time.
//!
//! Decides nothing about the answer (the proto crate does); reads the host's clock and its state.
//! Never grows: one buffer, one datagram at a time, what does not fit in the socket's queue is lost and asked again.

use provost_proto::sntp::{ClockState, HostClock, SntpAnswer, UnixTime, answer};
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a stop may take; also the only time the thread wakes for nothing.
const STOP_LATENCY: Duration = Duration::from_millis(200);
/// RFC 5905 allows extension and authentication fields after the 48 bytes; they are read and ignored.
const DATAGRAM_LEN: usize = 1_024;
/// 2^-20 s: the kernel's clock is read to about a microsecond.
const PRECISION: i8 = -20;

/// Where the thread takes the time from.
pub type ClockSource = Arc<dyn Fn() -> HostClock + Send + Sync>;

/// The running thread; stops and joins when dropped.
#[derive(Debug)]
pub struct SntpServer {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Answers on `socket` until stopped; silent while the clock is before `floor`, a time that has certainly passed.
///
/// # Errors
/// When the socket takes no time-out or the system starts no thread.
pub fn serve(socket: UdpSocket, clock: ClockSource, floor: UnixTime) -> io::Result<SntpServer> {
    socket.set_read_timeout(Some(STOP_LATENCY))?;
    let stopping = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stopping);
    let thread = std::thread::Builder::new().name("sntp".to_owned()).spawn(move || {
        let mut datagram = [0u8; DATAGRAM_LEN];
        while !seen.load(Ordering::Acquire) {
            // Every error here passes: a time-out, or an ICMP message about an earlier answer.
            let Ok((length, from)) = socket.recv_from(&mut datagram) else { continue };
            let received = datagram.get(..length).unwrap_or_default();
            if let SntpAnswer::Reply(reply) = answer(received, &clock(), floor) {
                // A full queue loses the answer; the phone asks again.
                let _ = socket.send_to(&reply, from);
            }
        }
    })?;
    Ok(SntpServer { stopping, thread: Some(thread) })
}

impl SntpServer {
    /// Ends the thread and waits for it, at most a fifth of a second.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // An error is a panic of the thread, which has been printed already.
            let _ = thread.join();
        }
    }
}

impl Drop for SntpServer {
    fn drop(&mut self) {
        self.end();
    }
}

/// This host's clock and whether a time daemon keeps it.
pub fn host_clock() -> HostClock {
    HostClock { now: system_time(), state: kernel_clock_state(), precision: PRECISION }
}

#[expect(clippy::disallowed_methods, reason = "the time socket hands out this very clock, finer than milliseconds")]
fn system_time() -> UnixTime {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => {
            UnixTime { seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
        }
        // Before 1970: no floor lets it pass.
        Err(_) => UnixTime { seconds: i64::MIN, nanos: 0 },
    }
}

/// What the kernel says about the discipline of its clock.
fn kernel_clock_state() -> ClockState {
    #[expect(unsafe_code, reason = "the standard library has no call for the state of the kernel's clock")]
    // SAFETY: an all-zero timex is a valid value (integers only), `modes` 0 makes the call read-only, and the pointer
    // is to a live local for the length of the call.
    let (result, state) = unsafe {
        let mut state: libc::timex = std::mem::zeroed();
        (libc::adjtimex(&raw mut state), state)
    };
    // -1 where a container forbids the call, TIME_ERROR where nobody disciplines the clock.
    if result < 0 || result == libc::TIME_ERROR || state.status & libc::STA_UNSYNC != 0 {
        return ClockState::Unsynchronized;
    }
    ClockState::Synchronized { max_error: Duration::from_micros(u64::try_from(state.maxerror).unwrap_or_default()) }
}

#[cfg(test)]
mod tests;
