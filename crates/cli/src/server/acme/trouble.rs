//! Why no certificate came, and what an administrator can do about it.

use super::https::NoAnswer;
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
            Self::Late(_) => "nothing, unless it happens again: then look at the authority's state".to_owned(),
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
