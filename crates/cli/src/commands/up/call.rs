//! The walk's call: the phone's user presses Activate, listens, and keys the code.
//!
//! Decides how long each part may take and what it says of it. What the voice says is not understood
//! here; that it was heard is measured.

use super::{expect, tell};
use crate::failure::Failure;
use crate::out::say;
use provost_core::code::ActivationCode;
use provost_phone::{EndedBy, Line, Phone};
use std::time::Duration;

/// Longer than any prompt, or all that follows the code.
const VOICE_LIMIT: Duration = Duration::from_secs(60);
/// How long after the call the phone waits to be told what to do.
const NOTIFY_LIMIT: Duration = Duration::from_secs(30);

/// Registers the phone's Activate line.
pub(super) async fn go_online(phone: &mut Phone) -> Result<Line, Failure> {
    let line = phone.register(&mut |event| tell(&event)).await.map_err(Failure::runtime)?;
    let server = format!("{}:{}", line.account().server, line.account().port);
    say(format!("     its line {} {} at {server}", line.account().label, line.state()));
    Ok(line)
}

/// Calls, listens, keys the code and listens until the other end hangs up.
pub(super) async fn activate(line: &mut Line, code: &ActivationCode) -> Result<(), Failure> {
    let mut call = line.dial_activation().await.map_err(Failure::runtime)?;
    say("     the key is pressed, and the call is answered");
    let asked = call.wait_for_prompt_end(VOICE_LIMIT).await.map_err(Failure::runtime)?;
    say(format!("     hears {:.1} s of voice, then silence", asked.as_secs_f64()));
    let digits = code.digits();
    call.key(&digits).await.map_err(Failure::runtime)?;
    say(format!("     keys {} digits, each as a telephone event", digits.len()));
    let report = call.until_ended(VOICE_LIMIT).await.map_err(Failure::runtime)?;
    let answered = report.heard.voice.saturating_sub(asked);
    say(format!(
        "     hears {:.1} s more; {} after {:.1} s. {} packets came, {} lost, the longest gap {} ms",
        answered.as_secs_f64(),
        report.ended_by,
        report.duration.as_secs_f64(),
        report.heard.packets,
        report.heard.lost,
        report.heard.largest_gap.as_millis()
    ));
    expect(report.ended_by == EndedBy::Server, || format!("the call ended otherwise: {}", report.ended_by))?;
    expect(!answered.is_zero(), || "no voice answered the code".to_owned())
}

/// Waits for the server's NOTIFY.
pub(super) async fn wait_to_be_told(line: &mut Line) -> Result<(), Failure> {
    line.wait_for_check_sync(NOTIFY_LIMIT).await.map_err(Failure::runtime)?;
    expect(line.check_syncs() == 1, || format!("the phone was told {} times", line.check_syncs()))
}
