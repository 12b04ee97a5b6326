//! One call: what it is asked, what it hears, and what comes of the keys.

use crate::rtp::{PlayId, Voice};
use provost_core::code::ActivationCode;
use provost_core::mac::MacAddr;
use provost_core::voice::{self, Dialogue, Key, Opening, Prompt, SayId, Step, Verdict};
use provost_proto::media::Digit;
use provost_proto::media::g711::Law;
use provost_proto::media::sdp::{self, Audio, Direction, Local};
use provost_proto::sip::{Body, Millis};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// One answered call.
pub(super) struct Call {
    pub(super) user: Option<String>,
    pub(super) mac: Option<MacAddr>,
    pub(super) from: IpAddr,
    pub(super) voice: Voice,
    pub(super) local: Local,
    pub(super) talk: Talk,
    /// How an unproven caller is spoken to once it has confirmed that it called.
    pub(super) later: Option<Audio>,
    /// An emergency of somebody unproven, told once the call is confirmed: one packet with a made-up sender is none.
    pub(super) untold: Option<String>,
    pub(super) wake: Option<voice::Millis>,
    pub(super) saying: Option<(PlayId, SayId)>,
    /// Some phones send each press both ways; the one that brought the first key counts.
    pub(super) keyed_by: Option<KeyedBy>,
    /// A code was tried, so hanging up now is no change of mind.
    pub(super) tried: bool,
}

/// The way a key came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyedBy {
    /// RFC 4733, in the audio.
    Event,
    /// SIP INFO.
    Info,
}

/// How far the conversation has come.
pub(super) enum Talk {
    /// The phone's answer to our offer is still to come.
    Waiting(Opening, Arc<[String]>),
    Begun(Dialogue),
}

/// What the driver does for a call.
pub(super) enum Wanted {
    Say(Vec<Prompt>, SayId),
    Hush,
    Try(ActivationCode),
    Emergency(String),
    HangUp,
}

/// Until the phone has said where it listens, nothing is sent.
pub(super) fn unknown_audio(from: SocketAddr) -> Audio {
    Audio {
        address: from,
        law: Law::Mu,
        payload_type: Law::Mu.payload_type(),
        events: Some(101),
        packet_ms: 20,
        direction: Direction::Inactive,
        held: true,
    }
}

impl Call {
    /// Where this caller may have its voice sent: who proves nothing, to itself only.
    pub(super) fn own(&self, mut audio: Audio) -> Audio {
        if self.user.is_none() {
            audio.address.set_ip(self.from);
        }
        audio
    }

    /// Begins to speak.
    pub(super) fn begin(&mut self, now: Millis) -> Vec<Wanted> {
        let Talk::Waiting(opening, numbers) = &self.talk else { return Vec::new() };
        let (dialogue, steps) = Dialogue::start(voice::Millis(now.0), opening, Arc::clone(numbers));
        self.talk = Talk::Begun(dialogue);
        let mut wanted = self.wanted(steps);
        // A dialed emergency number was told before the call was answered.
        wanted.retain(|wanted| !matches!(wanted, Wanted::Emergency(_)));
        wanted
    }

    pub(super) fn established(&mut self, now: Millis, answer: Option<&Body>) -> Vec<Wanted> {
        let audio = match answer.map(|answer| sdp::parse(answer.as_bytes())) {
            None => self.later.take(),
            Some(Ok(answer)) => Some(self.own(answer.audio)),
            Some(Err(error)) => {
                tracing::debug!(%error, "a phone's answer to our offer cannot be spoken");
                return vec![Wanted::HangUp];
            }
        };
        if let Some(audio) = audio {
            self.voice.renegotiated(audio);
        }
        let mut wanted = self.begin(now);
        wanted.extend(self.untold.take().map(Wanted::Emergency));
        wanted
    }

    pub(super) fn key(&mut self, now: Millis, way: KeyedBy, key: Digit) -> Vec<Wanted> {
        if *self.keyed_by.get_or_insert(way) != way {
            return Vec::new();
        }
        match Key::from_char(key.reveal()) {
            Some(key) => self.talk(|dialogue| dialogue.key(voice::Millis(now.0), key)),
            None => Vec::new(),
        }
    }

    pub(super) fn played(&mut self, now: Millis, play: PlayId) -> Vec<Wanted> {
        match self.saying.take_if(|(playing, _)| *playing == play) {
            Some((_, say)) => self.talk(|dialogue| dialogue.played(voice::Millis(now.0), say)),
            None => Vec::new(),
        }
    }

    pub(super) fn woke(&mut self, now: Millis) -> Vec<Wanted> {
        self.wake = None;
        self.talk(|dialogue| dialogue.woke(voice::Millis(now.0)))
    }

    pub(super) fn verdict(&mut self, now: Millis, verdict: &Verdict) -> Vec<Wanted> {
        self.talk(|dialogue| dialogue.verdict(voice::Millis(now.0), verdict))
    }

    fn talk(&mut self, turn: impl FnOnce(&mut Dialogue) -> Vec<Step>) -> Vec<Wanted> {
        match &mut self.talk {
            Talk::Begun(dialogue) => {
                let steps = turn(dialogue);
                self.wanted(steps)
            }
            Talk::Waiting(..) => Vec::new(),
        }
    }

    fn wanted(&mut self, steps: Vec<Step>) -> Vec<Wanted> {
        let mut wanted = Vec::with_capacity(steps.len());
        for step in steps {
            match step {
                Step::WakeAt(at) => self.wake = Some(at),
                Step::Say { id, prompts } => wanted.push(Wanted::Say(prompts, id)),
                Step::Hush => wanted.push(Wanted::Hush),
                Step::Try(code) => wanted.push(Wanted::Try(code)),
                Step::Emergency { number } => wanted.push(Wanted::Emergency(number)),
                Step::HangUp => wanted.push(Wanted::HangUp),
            }
        }
        wanted
    }
}
