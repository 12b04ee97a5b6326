//! The names Provost gives to what administrators create.
//!
//! An id is a word for its kind and a ULID in lower case (`device_01jd…`): unique without asking
//! the database, ordered by the time it was minted, and readable in a log line.

use crate::time::UnixMillis;
use rand::Rng;
use std::fmt;
use std::str::FromStr;

/// Text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not the id of {expected}; ids look like `{expected}_01jd0ck3v8…`, `provost {expected} list` shows them"
)]
pub struct IdError {
    /// The text as it came, at most its first 40 characters.
    pub found: String,
    /// The word of the kind.
    pub expected: &'static str,
}

fn mint(word: &str, now: UnixMillis, rng: &mut impl Rng) -> String {
    let millis = u64::try_from(now.0).unwrap_or(0);
    let ulid = ulid::Ulid::from_parts(millis, rand::RngExt::random::<u128>(rng));
    format!("{word}_{}", ulid.to_string().to_ascii_lowercase())
}

fn read(word: &'static str, text: &str) -> Result<String, IdError> {
    let error = || IdError { found: text.chars().take(40).collect(), expected: word };
    let ulid = text.strip_prefix(word).and_then(|rest| rest.strip_prefix('_')).ok_or_else(error)?;
    if ulid.len() != 26 || ulid.bytes().any(|b| b.is_ascii_uppercase()) || ulid::Ulid::from_string(ulid).is_err() {
        return Err(error());
    }
    Ok(text.to_owned())
}

macro_rules! id {
    ($name:ident, $word:literal) => {
        #[doc = concat!("The id of ", $word, " entries.")]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);
        #[rustfmt::skip]
        impl $name {
            /// Mints a new id.
            pub fn mint(now: UnixMillis, rng: &mut impl Rng) -> Self { Self(mint($word, now, rng)) }
            /// The id as text.
            pub fn as_str(&self) -> &str { &self.0 }
        }
        #[rustfmt::skip]
        impl fmt::Display for $name { fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result { out.write_str(&self.0) } }
        #[rustfmt::skip]
        impl FromStr for $name { type Err = IdError; fn from_str(text: &str) -> Result<Self, IdError> { read($word, text).map(Self) } }
    };
}

id!(AccountId, "account");
id!(SiteId, "site");
id!(UserId, "user");
id!(DeviceId, "device");
id!(TokenId, "token");
id!(ConnectorId, "connector");
id!(AdministratorId, "administrator");
id!(MailId, "mail");

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn ids_are_ordered_by_time_and_read_back() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(5);
        let early = DeviceId::mint(UnixMillis(1_000), &mut rng);
        let late = DeviceId::mint(UnixMillis(2_000), &mut rng);

        assert!(early < late, "{early} {late}");
        assert_eq!(early.to_string().parse::<DeviceId>().unwrap(), early);
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let mut rng = rand::rngs::StdRng::seed_from_u64(5);
        let site = SiteId::mint(UnixMillis(1_000), &mut rng).to_string();

        assert_eq!(site.parse::<UserId>().unwrap_err().expected, "user");
        assert!("device_".parse::<DeviceId>().is_err());
    }
}
