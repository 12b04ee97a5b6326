//! TCP connections: pieces in, messages out, and an end for those that say nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use super::endpoint::Endpoint;
use super::event::{Flow, Millis, StreamId};
use super::framing::{Frame, FrameError, Framer, PONG};
use super::inbound::Shape;
use super::reply::Source;
use super::timers::Due;

/// One connection.
pub(crate) struct Stream {
    peer: SocketAddr,
    framer: Framer,
    /// Whether a message is begun, or none came yet: then its end is awaited for a short time only.
    owes: bool,
    /// Whether somebody proved on it who it is.
    proven: bool,
    wake: Option<Millis>,
}

impl Stream {
    pub(crate) fn held(&self) -> usize {
        self.framer.held()
    }
}

impl Endpoint {
    pub(crate) fn open_stream(&mut self, now: Millis, id: StreamId, peer: SocketAddr) {
        let limits = self.settings.limits;
        if self.streams.len() >= limits.streams {
            return self.close(id);
        }
        let framer = Framer::new(limits.message_bytes);
        let mut stream = Stream { peer, framer, owes: true, proven: false, wake: None };
        self.timers.set(&mut stream.wake, &Due::Stream(id), Some(now.plus(limits.stream_message_ms)));
        self.streams.insert(id, stream);
    }

    pub(crate) fn read_stream(&mut self, now: Millis, id: StreamId, bytes: &[u8]) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let source = Source { flow: Flow::Stream(id), peer: stream.peer };
        stream.framer.push(bytes);
        let mut complete = false;
        while let Some(stream) = self.streams.get_mut(&id) {
            match stream.framer.next_frame() {
                Ok(Some(Frame::Ping)) => {
                    complete = true;
                    self.send(source.flow, Arc::from(PONG));
                }
                Ok(Some(Frame::Message(message))) => {
                    complete = true;
                    if self.receive(now, source, &message) == Shape::Broken {
                        return self.end_stream(id);
                    }
                }
                Ok(None) => return self.set_stream_alarm(now, id, complete),
                Err(error) => {
                    let (bytes, status) = match error {
                        FrameError::TooLong(bytes) => (bytes, 513),
                        FrameError::NoLength(bytes) => (bytes, 400),
                    };
                    self.refuse_unread(source, &bytes, status);
                    return self.end_stream(id);
                }
            }
        }
    }

    /// A message must be complete soon after its first byte, however slowly bytes trickle.
    fn set_stream_alarm(&mut self, now: Millis, id: StreamId, complete: bool) {
        let limits = self.settings.limits;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        let begun = stream.framer.has_begun();
        if stream.owes && !complete {
            return;
        }
        stream.owes = begun;
        let wait_ms = match (begun, stream.proven) {
            (true, _) => limits.stream_message_ms,
            (false, true) => limits.stream_idle_ms,
            (false, false) => limits.stream_unproven_idle_ms,
        };
        self.timers.set(&mut stream.wake, &Due::Stream(id), Some(now.plus(wait_ms)));
    }

    /// Somebody proved who it is on this connection, which may be quiet from now on.
    pub(crate) fn prove_stream(&mut self, now: Millis, flow: Flow) {
        let Flow::Stream(id) = flow else { return };
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.proven = true;
        if !stream.owes {
            self.set_stream_alarm(now, id, true);
        }
    }

    pub(crate) fn stream_due(&mut self, now: Millis, id: StreamId) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.wake = None;
        // An emergency call needs no proof, and has nothing to say on its connection until it ends.
        if !stream.owes && !stream.proven && self.calls.any_on(Flow::Stream(id)) {
            return self.set_stream_alarm(now, id, true);
        }
        self.end_stream(id);
    }

    fn end_stream(&mut self, id: StreamId) {
        if self.streams.contains_key(&id) {
            self.drop_stream(id);
            self.close(id);
        }
    }

    pub(crate) fn drop_stream(&mut self, id: StreamId) {
        let Some(mut stream) = self.streams.remove(&id) else { return };
        self.timers.set(&mut stream.wake, &Due::Stream(id), None);
        for purpose in self.requests.lost(&mut self.timers, Flow::Stream(id)) {
            self.unanswered(purpose);
        }
    }
}
