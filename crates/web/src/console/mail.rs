//! Mail: what became of each.

use super::device::Standing;


/// How a mail stands: its state in a word or three.
pub(super) fn mark(state: &str) -> Standing {
    let (tone, word) = match state {
        "sent" => ("good", "Sent"),
        "waiting" => ("wait", "Waiting"),
        "handing-over" => ("wait", "Being sent"),
        "refused" => ("bad", "Refused"),
        "given-up" => ("bad", "Given up"),
        "doubtful" => ("bad", "Doubtful"),
        _ => ("quiet", "Replaced"),
    };
    Standing { tone, word, meaning: "" }
}
