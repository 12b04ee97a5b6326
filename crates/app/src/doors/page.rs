//! The web page: a person enters the code and the last characters of the phone's MAC.
//!
//! Nobody proves anything here, so nothing about phones is said to whoever has no right code, wrong tries
//! count by address, and what is refused is noted in memory only (docs/THREATS.md, rules 2, 7 and 8).

use super::references::Noted;
use crate::claim::Right;
use crate::{Activated, App, AppError, error_reference};
use provost_core::code::ActivationCode;
use provost_core::entry::{FieldError, FieldErrors};
use provost_core::mac::MacAddr;
use provost_core::sentence::{self, Claim};
use provost_core::time::UnixMillis;
use provost_core::tries::Tried;
use provost_store::{ClaimBy, ClaimOutcome, ClaimRefusal, CodeAtPage, PhoneAtPage};
use std::net::IpAddr;

/// A phone that somebody stands before was here within this time: it polls every hour.
const SEEN_WITHIN_MS: i64 = 24 * 3_600_000;

/// The characters of the MAC that are asked for.
const TAIL: usize = 4;

/// What the page's refusals are about.
enum Refusal {
    /// The code, judged as in every claim.
    Code(ClaimRefusal),
    /// No such phone is here.
    NotHere,
    /// More than one is.
    Several,
}

/// The phone somebody means, with its model.
struct Meant {
    mac: MacAddr,
    model: String,
}

impl App {
    /// Tries a code that somebody at `from` entered on the web page for the phone whose MAC ends with `mac`.
    ///
    /// # Errors
    /// [`AppError::Fields`] (`code`, `mac`) for what cannot be right, which is not counted; [`AppError::Refused`]
    /// with the reason and its reference, [`AppError::TooManyTries`]; any other error is no verdict on the code.
    pub async fn activate_by_page(&self, from: IpAddr, code: &str, mac: &str) -> Result<Activated, AppError> {
        let (code, tail) = entered(code, mac)?;
        self.recorder.flush().await;
        let digest = self.vault.code_digest(&code.digits());
        let meant = match self.store.code_at_page(&digest).await? {
            None => Err(Refusal::Code(ClaimRefusal::UnknownCode)),
            Some(known) => self.meant(&known, &tail, from).await?,
        };
        match meant {
            Ok(meant) => self.claim_meant(meant, &digest, from).await,
            Err(refusal) => Err(self.refuse(refusal, from).await?),
        }
    }

    /// The phone that is meant, whatever the code is worth: if there is one, the claim judges it.
    async fn meant(&self, code: &CodeAtPage, tail: &str, from: IpAddr) -> Result<Result<Meant, Refusal>, AppError> {
        let now = self.now();
        if let Some(mac) = code.used_by.filter(|mac| mac.to_string().ends_with(tail)) {
            // The same code for the same phone once more: the first answer may have been lost.
            return Ok(Ok(Meant { mac, model: code.model.clone() }));
        }
        if let Some(refusal) = judged(code, now) {
            return Ok(Err(Refusal::Code(refusal)));
        }
        let phones = self.store.phones_ending(tail, now.plus_millis(SEEN_WITHIN_MS.saturating_neg())).await?;
        Ok(chosen(&phones, &code.model, from))
    }

    async fn claim_meant(&self, meant: Meant, digest: &[u8], from: IpAddr) -> Result<Activated, AppError> {
        let Meant { mac, model } = meant;
        let right =
            Right { by: ClaimBy::Code(digest), how: Claim::Page, tried: Some(Tried::Page { from }), audit: None };
        let _shared = self.changes.read().await;
        match self.claim(mac, &model, right).await? {
            ClaimOutcome::Claimed(device) | ClaimOutcome::ClaimedBefore(device) => self.activated(&device, mac).await,
            ClaimOutcome::Refused(refusal) => {
                let (word, message) = self.refusal_words(&refusal, Some(&model));
                Err(self.page_refused(from, Some(mac), (word, message)).until(refusal.again()))
            }
        }
    }

    /// Counts the try, then says why; over the limit it says only that.
    async fn refuse(&self, refusal: Refusal, from: IpAddr) -> Result<AppError, AppError> {
        if let Some(again) = self.store.count_wrong_try(Tried::Page { from }, self.now()).await? {
            let words = self.refusal_words(&ClaimRefusal::TooManyTries { again }, None);
            return Ok(self.page_refused(from, None, words).until(Some(again)));
        }
        let words = match &refusal {
            Refusal::Code(refusal) => self.refusal_words(refusal, None),
            Refusal::NotHere => (
                "phone-not-here",
                "no unclaimed phone whose MAC ends so has asked here within a day; compare the characters with the label on \
                 its back, and see that it is connected"
                    .to_owned(),
            ),
            Refusal::Several => (
                "several-phones",
                "more than one phone's MAC ends so; enter all twelve characters of it".to_owned(),
            ),
        };
        Ok(self.page_refused(from, None, words))
    }

    fn page_refused(&self, from: IpAddr, mac: Option<MacAddr>, (code, message): (&'static str, String)) -> AppError {
        let reference = error_reference();
        let entry = sentence::page_refused(from, code, &message, &reference);
        self.note_refused(Noted { address: from, mac, entry, at: self.now() });
        AppError::Refused { code, message, reference }
    }
}

/// Why a code binds no phone at all, if that is so.
fn judged(code: &CodeAtPage, now: UnixMillis) -> Option<ClaimRefusal> {
    match code {
        CodeAtPage { used_by: Some(_), .. } => Some(ClaimRefusal::Used),
        CodeAtPage { is_voided: true, .. } => Some(ClaimRefusal::Voided),
        CodeAtPage { expires, .. } if now >= *expires => Some(ClaimRefusal::Expired(*expires)),
        _ => None,
    }
}

/// Of several phones the one of the code's model, then the one where the browser is.
fn chosen(phones: &[PhoneAtPage], model: &str, from: IpAddr) -> Result<Meant, Refusal> {
    let fits = |phone: &&PhoneAtPage| phone.model.as_deref() == Some(model);
    let here = from.to_string();
    let fitting: Vec<&PhoneAtPage> = phones.iter().filter(fits).collect();
    let near: Vec<&PhoneAtPage> = fitting.iter().copied().filter(|phone| phone.address == here).collect();
    let meant = |phone: &PhoneAtPage, model: &str| Ok(Meant { mac: phone.mac, model: model.to_owned() });
    match (fitting.as_slice(), near.as_slice(), phones) {
        ([one], ..) | (_, [one], _) => meant(one, model),
        ([_, ..], ..) => Err(Refusal::Several),
        // One phone that does not fit: the claim says for which model the code is.
        ([], _, [only @ PhoneAtPage { model: Some(other), .. }]) => meant(only, other),
        ([], ..) => Err(Refusal::NotHere),
    }
}

/// Both fields, or what is wrong with each.
fn entered(code: &str, mac: &str) -> Result<(ActivationCode, String), AppError> {
    let mut errors = Vec::new();
    let code = ActivationCode::parse(code)
        .map_err(|error| errors.push(FieldError { field: "code".to_owned(), message: error.to_string() }))
        .ok();
    let tail: String = mac.chars().filter(|c| !matches!(c, ' ' | ':' | '-' | '.')).collect();
    let is_good = (TAIL..=12).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_good {
        let message =
            "Write the last four characters of the MAC on the label of the phone: digits and the letters A to F.";
        errors.push(FieldError { field: "mac".to_owned(), message: message.to_owned() });
    }
    match code {
        Some(code) if errors.is_empty() => Ok((code, tail.to_ascii_lowercase())),
        _ => Err(FieldErrors(errors).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phone(n: u8, model: Option<&str>, address: &str) -> PhoneAtPage {
        PhoneAtPage {
            mac: MacAddr::new([0, 4, 0xf2, n, 0, 1]),
            model: model.map(str::to_owned),
            address: address.to_owned(),
        }
    }

    /// The third byte of the phone that is chosen, or what is refused.
    fn choice(phones: Vec<PhoneAtPage>) -> Result<String, &'static str> {
        match chosen(&phones, "vvx450", "192.0.2.1".parse().unwrap()) {
            Ok(meant) => Ok(meant.mac.to_string()[6..8].to_owned()),
            Err(Refusal::NotHere) => Err("not here"),
            Err(Refusal::Several) => Err("several"),
            Err(Refusal::Code(_)) => Err("code"),
        }
    }

    #[test]
    fn of_several_phones_the_model_and_then_the_place_decide() {
        let (far, near) = ("198.51.100.1", "192.0.2.1");
        assert_eq!(choice(vec![]), Err("not here"));
        assert_eq!(choice(vec![phone(1, Some("vvx450"), far)]), Ok("01".to_owned()));
        assert_eq!(choice(vec![phone(1, Some("vvx500"), near), phone(2, Some("vvx450"), far)]), Ok("02".to_owned()));
        assert_eq!(choice(vec![phone(1, Some("vvx450"), far), phone(2, Some("vvx450"), near)]), Ok("02".to_owned()));
        assert_eq!(choice(vec![phone(1, Some("vvx450"), far), phone(2, Some("vvx450"), far)]), Err("several"));
        assert_eq!(choice(vec![phone(1, Some("vvx450"), near), phone(2, Some("vvx450"), near)]), Err("several"));
        assert_eq!(choice(vec![phone(1, Some("vvx500"), far)]), Ok("01".to_owned()), "the claim says what is wrong");
        assert_eq!(choice(vec![phone(1, None, far)]), Err("not here"));
        assert_eq!(choice(vec![phone(1, None, far), phone(2, Some("vvx500"), far)]), Err("not here"));
    }

    #[test]
    fn the_end_of_a_mac_is_read_however_it_is_written() {
        let code = "1111 1111 11111";
        let tail = |mac: &str| match entered(code, mac) {
            Err(AppError::Fields(FieldErrors(errors))) => errors.iter().map(|e| e.field.clone()).collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        for good in ["b2c3", "B2:C3", "00:04:F2:A1:B2:C3", " a1b2c3 "] {
            assert!(!tail(good).contains(&"mac".to_owned()), "{good}");
        }
        for bad in ["", "2c3", "b2cg", "0004f2a1b2c3f", "b2c%"] {
            assert!(tail(bad).contains(&"mac".to_owned()), "{bad}");
        }
    }
}
