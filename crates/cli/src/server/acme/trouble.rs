//! Why no certificate came, and what an administrator can do about it.

use super::https::NoAnswer;
use super::order::POLL_DEADLINE;
use instant_acme::{Error, Problem};
use std::path::PathBuf;
use std::time::Duration;

/// Why no certificate came.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{}", problem_words(.0))]
    Refused(Problem),
    #[error("the authority could not see that {host} leads here: {}", problem_words(.problem))]
    Challenge { host: String, problem: Problem },
    #[error("the authority does not offer to ask over plain HTTP (HTTP-01)")]
    NoHttpChallenge,
    #[error("the order ended as {0}")]
    Ended(&'static str),
    #[error("{0}")]
    NoAnswer(Error),
    #[error("the authority's answer makes no sense: {0}")]
    Protocol(Error),
    #[error("no certificate within {} s", .0.as_secs())]
    Late(Duration),
    #[error("{file}: {error}", file = file.display())]
    File { file: PathBuf, error: std::io::Error },
    #[error("the certificate came, but cannot be written to {file}: {error}", file = file.display())]
    Unkept { file: PathBuf, error: std::io::Error },
    /// Whether it was issued is not known here.
    #[error("{0}, after all was proven and sent in")]
    Unfetched(Box<Self>),
    #[error("{file}: is no ACME account: {error}", file = file.display())]
    Account { file: PathBuf, error: serde_json::Error },
    #[error("no key: {0}")]
    Key(#[from] provost_pki::authority::AuthorityError),
    #[error("the certificate that came cannot be used: {0}")]
    Unusable(String),
    #[error("a task of this program ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(problem) => Self::Refused(problem),
            Error::Timeout(_) => Self::Late(POLL_DEADLINE),
            Error::Other(ref inner) if inner.is::<NoAnswer>() => Self::NoAnswer(error),
            other => Self::Protocol(other),
        }
    }
}

impl Trouble {
    /// What to do about it.
    pub(super) fn advice(&self, names: &str) -> String {
        match self {
            Self::Challenge { host, .. } => format!(
                "make http://{host}/.well-known/acme-challenge/ at port 80 lead to listen.phones-http, for everybody: \
                 look at DNS, firewall and port"
            ),
            Self::Refused(problem) if is(problem, "rateLimited") => {
                "wait: this authority has a limit, and each try counts".to_owned()
            }
            Self::Refused(problem) if is(problem, "accountDoesNotExist") => {
                "nothing: the next try makes a new account".to_owned()
            }
            Self::Refused(problem) if is(problem, "externalAccountRequired") => {
                "choose another authority: this one wants customers only, which Provost cannot prove to be".to_owned()
            }
            Self::Refused(_) | Self::Ended(_) => format!(
                "look whether the authority may issue for {names} (public-url, CAA records), and mend tls.acme-contact \
                 if it is what it dislikes"
            ),
            Self::NoHttpChallenge => "choose an authority that does".to_owned(),
            Self::NoAnswer(_) => "let this machine reach the authority and look at tls.acme-directory; if the \
                                  authority is your own, name its root in tls.acme-authority"
                .to_owned(),
            Self::Protocol(_) => "look whether tls.acme-directory is the address of an ACME directory".to_owned(),
            Self::Late(_) => {
                "nothing, unless it happens again: the authority is busy or out of order, so look at its state"
                    .to_owned()
            }
            Self::Unfetched(why) => why.advice(names),
            Self::Unkept { .. } => "let Provost write there, and do not restart it before".to_owned(),
            Self::File { .. } => "let Provost write there".to_owned(),
            Self::Account { .. } => "move the file away: a new account is made".to_owned(),
            Self::Key(_) | Self::Task(_) => "report it".to_owned(),
            Self::Unusable(_) => "look at this machine's clock and at the authority's settings".to_owned(),
        }
    }

    /// Whether the authority asks for patience.
    pub(super) fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Refused(problem) if is(problem, "rateLimited"))
    }

    /// Whether the authority issued a certificate, or may have: then another order of the same is a duplicate, of which
    /// public authorities allow five a week.
    pub(super) fn may_be_issued(&self) -> bool {
        matches!(self, Self::Unusable(_) | Self::Unfetched(_))
    }

    /// Whether an order for the other kind of key would end the same way, and count as a failure as well.
    pub(super) fn is_common(&self) -> bool {
        match self {
            Self::Refused(problem) => {
                let words = ["rateLimited", "accountDoesNotExist", "externalAccountRequired", "userActionRequired"];
                words.into_iter().any(|word| is(problem, word))
            }
            Self::Challenge { .. } | Self::NoHttpChallenge | Self::NoAnswer(_) | Self::Late(_) => true,
            Self::File { .. } | Self::Account { .. } => true,
            Self::Ended(_) | Self::Protocol(_) | Self::Key(_) | Self::Task(_) => false,
            Self::Unusable(_) | Self::Unkept { .. } | Self::Unfetched(_) => false,
        }
    }

    /// Whether the authority no longer knows the account.
    pub(super) fn is_unknown_account(&self) -> bool {
        matches!(self, Self::Refused(problem) if is(problem, "accountDoesNotExist"))
    }
}

/// The types are URNs whose last part is the word (RFC 8555, 6.7).
fn is(problem: &Problem, word: &str) -> bool {
    problem.r#type.as_deref().is_some_and(|kind| kind.rsplit(':').next() == Some(word))
}

/// What the authority said, on one line.
fn problem_words(problem: &Problem) -> String {
    let kind = problem.r#type.as_deref().and_then(|kind| kind.rsplit(':').next()).unwrap_or("no reason given");
    let detail = problem.detail.as_deref().unwrap_or_default();
    let subs = problem.subproblems.iter().filter_map(|sub| sub.detail.as_deref());
    let details: Vec<&str> = std::iter::once(detail).chain(subs).filter(|text| !text.is_empty()).collect();
    let words = if details.is_empty() { kind.to_owned() } else { format!("{} ({kind})", details.join("; ")) };
    words.chars().map(|each| if each.is_control() { ' ' } else { each }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_takes_its_time_is_late_and_not_out_of_its_mind() {
        let why = Trouble::from(Error::Timeout(None));

        assert_eq!(why.to_string(), "no certificate within 90 s");
        assert!(why.advice("phones.example").starts_with("nothing, unless it happens again: the authority is busy"));
        assert!(why.is_common() && !why.may_be_issued());
        let unfetched = Trouble::Unfetched(Box::new(why));
        assert_eq!(unfetched.to_string(), "no certificate within 90 s, after all was proven and sent in");
        assert!(!unfetched.is_common() && unfetched.may_be_issued());
    }
}
