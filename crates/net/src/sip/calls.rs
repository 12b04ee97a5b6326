//! The calls: answered, listened to, and their codes tried.

use super::call::{Call, Talk, Wanted, unknown_audio};
use super::{Done, Driver};
use crate::rtp::Media;
use bytes::Bytes;
use provost_app::{App, AppError, EmergencyCall};
use provost_core::code::ActivationCode;
use provost_core::mac::MacAddr;
use provost_core::sentence::LineEvent;
use provost_core::voice::{Opening, Prompt, Refusal, Verdict};
use provost_proto::media::sdp::{self, Local};
use provost_proto::sip::{Body, CallId, EndReason, IncomingCall, Millis, Rejection};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

/// All calls, and what each of them needs.
pub(super) struct Calls {
    pub(super) clips: HashMap<Prompt, Bytes>,
    pub(super) emergency_numbers: Arc<[String]>,
    pub(super) media: Media,
    pub(super) bound: IpAddr,
    pub(super) external: Option<IpAddr>,
    pub(super) open: HashMap<CallId, Call>,
}

impl Calls {
    /// The calls of this identity.
    pub(super) fn of(&self, user: &str) -> Vec<CallId> {
        let own = |call: &Call| call.user.as_deref() == Some(user);
        self.open.iter().filter(|(_, call)| own(call)).map(|(id, _)| *id).collect()
    }

    /// The calls that wait for nothing but the time.
    pub(super) fn due(&self, now: Millis) -> Vec<CallId> {
        let due = |call: &Call| call.wake.is_some_and(|wake| wake.0 <= now.0);
        self.open.iter().filter(|(_, call)| due(call)).map(|(id, _)| *id).collect()
    }

    /// The address a phone sends its voice to.
    fn address_for(&self, phone: IpAddr) -> IpAddr {
        if let Some(external) = self.external {
            return external;
        }
        if !self.bound.is_unspecified() {
            return self.bound;
        }
        // Of several the one on the way to this phone: the system knows, and nothing is sent to ask it.
        let phone = phone.to_canonical();
        let any: IpAddr = if phone.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
        let way = UdpSocket::bind((any, 0)).and_then(|socket| {
            socket.connect((phone, 9))?;
            socket.local_addr()
        });
        way.map_or(self.bound, |address| address.ip())
    }

    /// Opens a call's audio; the session description is our answer, or our offer where the phone made none.
    fn open(&mut self, incoming: &IncomingCall, opening: Opening, mac: Option<MacAddr>) -> Result<(Call, String), u16> {
        let offer = incoming.offer.as_ref().map(|offer| sdp::parse(offer.as_bytes())).transpose();
        let offer = offer.map_err(sdp::SdpError::status)?;
        let mut audio = offer.as_ref().map_or(unknown_audio(incoming.from), |offer| offer.audio);
        let from = incoming.from.ip();
        let later = incoming.user.is_none().then(|| {
            // Who proves nothing may name somebody else's address: nothing is sent before its ACK, nor anywhere else.
            audio.address.set_ip(from);
            let confirmed = audio;
            audio.held = true;
            confirmed
        });
        let voice = self.media.open(incoming.call, audio, from).map_err(|error| {
            // Anybody can bring this about who fills the ports.
            tracing::debug!(%error, "a call found no room");
            // Busy here: the one thing this word is said for.
            486u16
        })?;
        let mut local = Local::new(SocketAddr::new(self.address_for(from), voice.port), rand::random());
        let text = match &offer {
            Some(offer) => local.answer(offer),
            None => local.offer(),
        };
        let untold = match &opening {
            Opening::Emergency(number) if mac.is_none() => Some(number.clone()),
            _ => None,
        };
        let talk = Talk::Waiting(opening, Arc::clone(&self.emergency_numbers));
        let user = incoming.user.clone();
        let (wake, saying, keyed_by, tried) = (None, None, None, false);
        Ok((Call { user, mac, from, voice, local, talk, later, untold, wake, saying, keyed_by, tried }, text))
    }
}

impl Driver {
    pub(super) fn incoming(&mut self, incoming: IncomingCall) {
        let mac = incoming.user.as_deref().and_then(|user| self.phones.mac(user));
        let opening = Opening::of_dialed(incoming.dialed.as_str(), &self.calls.emergency_numbers);
        match (opening, mac) {
            // Help first: whoever calls, and whether or not this is proved.
            (Opening::Emergency(number), _) => self.emergency(&incoming, number),
            (opening, Some(mac)) => {
                self.app.line_event(mac, LineEvent::Called { from: incoming.from.ip() });
                self.answer(&incoming, opening, Some(mac));
            }
            // Its identity ended while it proved it.
            (_, None) => self.reject(incoming.call, &Rejection::new(403)),
        }
    }

    /// Sends an emergency call where its site wants it, else says that this phone cannot make one.
    fn emergency(&mut self, incoming: &IncomingCall, number: String) {
        let from = incoming.from.ip();
        let mac = self.at_its_registration(incoming);
        if let Some(mac) = mac {
            self.tell_emergency(Some(mac), (from, number.clone()));
        }
        if let Some(route) = self.app.emergency_route(from, &number) {
            let headers = vec![("Contact".to_owned(), format!("<{route}>"))];
            return self.reject(incoming.call, &Rejection { headers, ..Rejection::new(302) });
        }
        self.answer(incoming, Opening::Emergency(number), mac);
    }

    /// The phone that an unproven call is from: its line is registered at the very address the call came from.
    fn at_its_registration(&self, incoming: &IncomingCall) -> Option<MacAddr> {
        let user = incoming.user.as_deref().or(incoming.claimed_user.as_deref())?;
        let registered = self.endpoint.registration(user)?;
        if registered.from == incoming.from { self.phones.mac(user) } else { None }
    }

    fn answer(&mut self, incoming: &IncomingCall, opening: Opening, mac: Option<MacAddr>) {
        let now = self.now();
        let (mut call, text) = match self.calls.open(incoming, opening, mac) {
            Ok(opened) => opened,
            Err(status) => return self.reject(incoming.call, &Rejection::new(status)),
        };
        // A proven phone that made the offer hears us from its 200 on, whatever becomes of its ACK.
        let wanted = if incoming.offer.is_some() && incoming.user.is_some() { call.begin(now) } else { Vec::new() };
        let id = incoming.call;
        self.calls.open.insert(id, call);
        let mut taken = Ok(());
        self.feed(|endpoint| taken = endpoint.accept(now, id, text.as_bytes()));
        if taken.is_err() {
            // The phone hung up meanwhile; its `Ended` has come or is about to.
            self.calls.open.remove(&id);
            return;
        }
        tracing::debug!(address = %incoming.from, "answered a call");
        self.carry_out(id, wanted);
    }

    fn reject(&mut self, call: CallId, rejection: &Rejection) {
        let now = self.now();
        // An error means that the phone hung up meanwhile.
        self.feed(|endpoint| {
            let _ = endpoint.reject(now, call, rejection);
        });
    }

    pub(super) fn offered(&mut self, id: CallId, offer: Option<&Body>) {
        let now = self.now();
        let Some(call) = self.calls.open.get_mut(&id) else { return };
        let text = match offer.map(|offer| sdp::parse(offer.as_bytes())) {
            None => Some(call.local.offer()),
            Some(Ok(offer)) => {
                call.voice.renegotiated(call.own(offer.audio));
                Some(call.local.answer(&offer))
            }
            Some(Err(error)) => {
                tracing::debug!(%error, "a phone's new offer cannot be spoken");
                None
            }
        };
        // An error means that the phone has moved on.
        self.feed(|endpoint| {
            let _ = match text {
                Some(text) => endpoint.answer_offer(now, id, text.as_bytes()),
                None => endpoint.refuse_offer(now, id),
            };
        });
    }

    pub(super) fn ended(&mut self, id: CallId, why: EndReason) {
        let Some(call) = self.calls.open.remove(&id) else { return };
        if let Some(mac) = call.mac
            // An emergency call asks for no code.
            && call.user.is_some()
            && !call.tried
            // Nor did anybody hang up whose phone calls anew.
            && !matches!(why, EndReason::HungUp | EndReason::Replaced)
        {
            self.app.line_event(mac, LineEvent::HungUp);
        }
        if let Some(user) = call.user {
            self.call_of_user_ended(&user);
        }
    }

    /// Lets a call take a turn and does what comes of it.
    pub(super) fn advance(&mut self, id: CallId, turn: impl FnOnce(&mut Call) -> Vec<Wanted>) {
        let Some(call) = self.calls.open.get_mut(&id) else { return };
        let wanted = turn(call);
        self.carry_out(id, wanted);
    }

    fn carry_out(&mut self, id: CallId, wanted: Vec<Wanted>) {
        for wanted in wanted {
            let Some(call) = self.calls.open.get_mut(&id) else { return };
            match wanted {
                Wanted::Say(prompts, say) => {
                    let clips = prompts.iter().filter_map(|prompt| self.calls.clips.get(prompt).cloned()).collect();
                    call.saying = Some((call.voice.play(clips), say));
                }
                Wanted::Hush => {
                    call.saying = None;
                    call.voice.hush();
                }
                Wanted::Try(code) => {
                    call.tried = true;
                    let (mac, from) = (call.mac, call.from);
                    self.try_code(id, (mac, from), code);
                }
                Wanted::Emergency(number) => {
                    let (mac, from) = (call.mac, call.from);
                    self.tell_emergency(mac, (from, number));
                }
                Wanted::HangUp => {
                    let now = self.now();
                    // An error means that the phone was faster.
                    self.feed(|endpoint| {
                        let _ = endpoint.hang_up(now, id);
                    });
                }
            }
        }
    }

    fn tell_emergency(&mut self, mac: Option<MacAddr>, (from, number): (IpAddr, String)) {
        let app = Arc::clone(&self.app);
        self.work.spawn(async move {
            app.emergency_call(EmergencyCall { mac, from, number: &number }).await;
            Done::Nothing
        });
    }

    fn try_code(&mut self, call: CallId, (mac, from): (Option<MacAddr>, IpAddr), code: ActivationCode) {
        let app = Arc::clone(&self.app);
        self.work.spawn(async move {
            let verdict = match mac {
                Some(mac) => verdict(&app, mac, from, &code).await,
                // Only an emergency call has no phone, and nobody is asked for a code there.
                None => Verdict::Refused { why: Refusal::PhoneUnknown, reference: None },
            };
            Done::Verdict { call, verdict }
        });
    }
}

async fn verdict(app: &App, mac: MacAddr, from: IpAddr, code: &ActivationCode) -> Verdict {
    match app.activate_by_call(mac, from, code).await {
        Ok(activated) => Verdict::Activated { extension: activated.extension().map(ToOwned::to_owned) },
        Err(AppError::TooManyTries { again, reference, .. }) => {
            let wait_s = again.0.saturating_sub(app.now().0).max(0) / 1_000;
            let why = Refusal::TooManyTries { wait_s: u32::try_from(wait_s).unwrap_or(u32::MAX) };
            Verdict::Refused { why, reference: Some(reference) }
        }
        Err(AppError::Refused { code: word, reference, .. }) => {
            Verdict::Refused { why: Refusal::from_word(word, None), reference: Some(reference) }
        }
        Err(error) => {
            let reference = app.call_failed(mac, &error);
            Verdict::Refused { why: Refusal::ServerFailing, reference: Some(reference) }
        }
    }
}
