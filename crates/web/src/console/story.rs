//! An entry of a timeline as a page shows it.

use super::words::Moment;
use provost_app::TimelineItem;
use provost_core::time::UnixMillis;

/// An entry of a timeline.
pub(super) struct Event {
    pub(super) at: Moment,
    /// How it looks.
    pub(super) tone: &'static str,
    pub(super) kind: &'static str,
    pub(super) sentence: String,
    pub(super) advice: Option<String>,
    pub(super) reference: Option<String>,
}

impl Event {
    pub(super) fn new(item: TimelineItem, now: UnixMillis) -> Self {
        let (tone, kind) = match item.kind.as_str() {
            "request" => ("quiet", "Request"),
            "refused" => ("bad", "Refused"),
            "claim" => ("claim", "Claim"),
            "action" => ("quiet", "Administrator"),
            "alarm" => ("bad", "Alarm"),
            "firmware" => ("claim", "Firmware"),
            _ => ("quiet", "Event"),
        };
        let at = Moment::read(&item.at, now);
        Self { at, tone, kind, sentence: item.sentence, advice: item.advice, reference: item.reference }
    }
}
