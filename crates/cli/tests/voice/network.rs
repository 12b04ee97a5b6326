//! A bad network between a caller and the server: what it loses follows from its seed.

use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many messages of each kind were lost: by method, or by status.
pub(crate) type Lost = Arc<Mutex<BTreeMap<String, usize>>>;

/// Carries datagrams between one caller and the server until dropped.
pub(crate) struct Network {
    /// Where the caller sends to, as if the server were there.
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// One direction: reads here, and sends on with that.
struct Way {
    from: UdpSocket,
    stop: Arc<AtomicBool>,
    rng: rand::rngs::StdRng,
    loss: f64,
    lost: Lost,
}

impl Network {
    pub(crate) fn to(server: SocketAddr, (seed, loss): (u64, f64), lost: &Lost) -> Self {
        let bind = || {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
            socket
        };
        let (near, far) = (bind(), bind());
        let (address, stop) = (near.local_addr().unwrap(), Arc::<AtomicBool>::default());
        let way = |from: &UdpSocket, seed| Way {
            from: from.try_clone().unwrap(),
            stop: Arc::clone(&stop),
            rng: rand::rngs::StdRng::seed_from_u64(seed),
            loss,
            lost: Arc::clone(lost),
        };
        let (there, back) = (way(&near, seed * 2), way(&far, seed * 2 + 1));
        let caller = Arc::<Mutex<Option<SocketAddr>>>::default();
        let known = Arc::clone(&caller);
        let threads = vec![
            std::thread::spawn(move || {
                there.carry(|bytes, from| {
                    *caller.lock().unwrap() = Some(from);
                    let _ = far.send_to(bytes, server);
                });
            }),
            std::thread::spawn(move || {
                back.carry(|bytes, _| {
                    let caller = known.lock().unwrap().unwrap();
                    let _ = near.send_to(bytes, caller);
                });
            }),
        ];
        Self { address, stop, threads }
    }
}

impl Way {
    fn carry(mut self, send: impl Fn(&[u8], SocketAddr)) {
        let mut bytes = [0; 65_536];
        while !self.stop.load(Ordering::Relaxed) {
            let Ok((length, from)) = self.from.recv_from(&mut bytes) else { continue };
            if !self.rng.random_bool(self.loss) {
                send(&bytes[..length], from);
                continue;
            }
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            let kind = text.trim_start_matches("SIP/2.0 ").split(' ').next().unwrap().to_owned();
            *self.lost.lock().unwrap().entry(kind).or_default() += 1;
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
