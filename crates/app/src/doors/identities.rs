//! Under which name an unclaimed phone registers: random, one per phone, kept before it is served
//! (docs/THREATS.md, rule 6).
//!
//! A name carries a keyed tail, so that made-up names are refused without a query.

use crate::phones::Generation;
use crate::vault::Vault;
use crate::{App, AppError, locked};
use provost_catalog::SipDigest;
use provost_core::mac::MacAddr;
use provost_core::secret::Secret;
use provost_core::time::UnixMillis;
use provost_store::{SipIdentityRow, StoreError};
use rand::RngExt;
use std::collections::HashMap;
use std::sync::Mutex;
use tokio::sync::broadcast;

/// The proof of an unclaimed phone's calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipCredential {
    /// Whose calls it proves.
    pub mac: MacAddr,
    /// The password of its digest authentication.
    pub password: Secret,
    /// Whether its model is known to understand SHA-256; else it is to be offered MD5 alone.
    pub sha256: bool,
}

/// Characters of a name; nobody ever types one.
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const PASSWORD_LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const DRAWN: usize = 8;
const TAIL: usize = 4;
const PASSWORD: usize = 24;

/// A name drawn twice is a one in a million millions; three in a row is a broken random source.
const DRAWS: usize = 3;

/// Credentials kept in memory: some more than register at once after a power cut.
const KEPT: usize = 16_384;

/// Short enough that a change made elsewhere is noticed before a registration is renewed.
const GOOD_FOR_MS: i64 = 60_000;

#[derive(Debug)]
struct Known {
    credential: SipCredential,
    generation: Generation,
    at: UnixMillis,
}

/// The credentials asked for lately.
#[derive(Debug, Default)]
pub(super) struct Identities {
    known: Mutex<HashMap<String, Known>>,
}

impl Identities {
    fn find(&self, user: &str, generation: Generation, now: UnixMillis) -> Option<SipCredential> {
        let known = locked(&self.known);
        let found = known.get(user)?;
        let is_young = (0..GOOD_FOR_MS).contains(&now.0.saturating_sub(found.at.0));
        (is_young && found.generation == generation).then(|| found.credential.clone())
    }

    fn keep(&self, user: &str, known: Known) {
        let mut all = locked(&self.known);
        if all.len() >= KEPT {
            all.clear();
        }
        all.insert(user.to_owned(), known);
    }
}

impl App {
    /// What the phone that registers under this name must prove; `None` when no phone may: nobody has the name, the
    /// identity ended, or an administrator barred its phone.
    ///
    /// # Errors
    /// [`AppError::Store`], [`AppError::Vault`].
    pub async fn sip_credential(&self, user: &str) -> Result<Option<SipCredential>, AppError> {
        if !is_ours(&self.vault, user) {
            return Ok(None);
        }
        let (now, generation) = (self.now(), self.answers.generation());
        if let Some(credential) = self.doors.identities.find(user, generation, now) {
            return Ok(Some(credential));
        }
        let Some(row) = self.store.sip_identity(user, now).await? else { return Ok(None) };
        let password = self.vault.open(&owner(row.mac), &row.password)?;
        let credential = SipCredential { mac: row.mac, password, sha256: self.knows_sha256(row.mac).await? };
        self.doors.identities.keep(user, Known { credential: credential.clone(), generation, at: now });
        Ok(Some(credential))
    }

    /// Whether the catalog clears the phone's model for it.
    async fn knows_sha256(&self, mac: MacAddr) -> Result<bool, AppError> {
        let model = self.store.phone(mac).await?.and_then(|phone| phone.model);
        let family = model.and_then(|id| self.catalog.model(&id)).and_then(|model| self.catalog.family(&model.family));
        Ok(family.is_some_and(|family| family.sip_digests.value.contains(&SipDigest::Sha256)))
    }

    /// The name of the phone's activation line, if it has one that did not end.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn sip_user(&self, mac: MacAddr) -> Result<Option<String>, AppError> {
        Ok(self.store.sip_identity_of(mac).await?.map(|row| row.user))
    }

    /// Names under which nobody is to be reached any more, because the phone's device was barred.
    ///
    /// Nobody has to listen: [`App::sip_credential`] refuses them too.
    pub fn barred(&self) -> broadcast::Receiver<String> {
        self.doors.barred.subscribe()
    }

    /// The phone was barred. What an administrator did is done: if this fails, its registration runs out by itself.
    pub(crate) async fn tell_barred(&self, mac: MacAddr) {
        match self.sip_user(mac).await {
            // Fails when nobody listens, which is so where no calls are answered.
            Ok(Some(user)) => drop(self.doors.barred.send(user)),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(phone.mac = %mac, %error, "the registration of barred phone {mac} stands until it runs out")
            }
        }
    }

    /// The identity for the phone's bootstrap: the one it has, or a new one, which is stored before it is served.
    pub(crate) async fn activation_identity(&self, mac: MacAddr) -> Result<(String, Secret), AppError> {
        let row = match self.store.sip_identity_of(mac).await? {
            Some(row) => row,
            None => self.new_identity(mac).await?,
        };
        let password = self.vault.open(&owner(mac), &row.password)?;
        Ok((row.user, password))
    }

    async fn new_identity(&self, mac: MacAddr) -> Result<SipIdentityRow, AppError> {
        let mut draws = 0usize;
        loop {
            draws = draws.saturating_add(1);
            let password = Secret::new(drawn(PASSWORD_LETTERS, PASSWORD));
            let sealed = self.vault.seal(&owner(mac), password.reveal())?;
            let new = SipIdentityRow { mac, user: new_user(&self.vault), password: sealed };
            match self.store.keep_sip_identity(&new, self.now()).await {
                Err(StoreError::Exists { .. }) if draws < DRAWS => {}
                kept => return Ok(kept?),
            }
        }
    }
}

/// The name for another key: its mark at the end is made anew, what was drawn stays.
pub(crate) fn name_for(vault: &Vault, user: &str) -> String {
    let drawn: String = user.chars().take(DRAWN).collect();
    let tail = tail(vault, &drawn);
    format!("{drawn}{tail}")
}

/// What the password's ciphertext belongs to.
pub(crate) fn owner(mac: MacAddr) -> String {
    format!("phone/{mac}/sip")
}

fn drawn(letters: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    let draw = |_| letters.get(rng.random_range(0..letters.len())).copied().map(char::from);
    (0..length).filter_map(draw).collect()
}

fn new_user(vault: &Vault) -> String {
    let drawn = drawn(LETTERS, DRAWN);
    let tail = tail(vault, &drawn);
    format!("{drawn}{tail}")
}

fn tail(vault: &Vault, drawn: &str) -> String {
    let digest = vault.tag("sip-user", drawn);
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map(char::from);
    digest.iter().take(TAIL).filter_map(letter).collect()
}

fn is_ours(vault: &Vault, user: &str) -> bool {
    user.len() == DRAWN.saturating_add(TAIL)
        && user.split_at_checked(DRAWN).is_some_and(|(drawn, end)| tail(vault, drawn) == end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_its_tail_and_no_other_key_makes_it() {
        let (vault, other) = (Vault::new(&[7; 32]).unwrap(), Vault::new(&[8; 32]).unwrap());
        let user = new_user(&vault);

        assert!(is_ours(&vault, &user), "{user}");
        assert!(user.len() == 12 && user.bytes().all(|b| LETTERS.contains(&b)), "{user}");
        assert!(!is_ours(&other, &user));
        for wrong in ["", "activate", "0004f2a1b2c3", &user[1..], &format!("{user}a"), "ääääää", &user.to_uppercase()]
        {
            assert!(!is_ours(&vault, wrong), "{wrong}");
        }
    }

    #[test]
    fn passwords_are_long_and_none_comes_twice() {
        let all: std::collections::BTreeSet<_> = (0..1000).map(|_| drawn(PASSWORD_LETTERS, PASSWORD)).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|password| password.len() == 24 && password.bytes().all(|b| b.is_ascii_alphanumeric())));
    }

    #[test]
    fn what_is_kept_is_bounded_and_forgotten_in_time_and_at_a_change() {
        let identities = Identities::default();
        let (before, after) = (Generation::of_test(1), Generation::of_test(2));
        let known = |n: u32| Known {
            credential: SipCredential { mac: MacAddr::new([0; 6]), password: Secret::from("x"), sha256: false },
            generation: before,
            at: UnixMillis(i64::from(n)),
        };
        identities.keep("a", known(0));
        assert!(identities.find("a", before, UnixMillis(59_999)).is_some());
        assert!(identities.find("a", before, UnixMillis(60_000)).is_none());
        assert!(identities.find("a", after, UnixMillis(1)).is_none());

        (0..20_000).for_each(|n| identities.keep(&n.to_string(), known(n)));
        assert!(locked(&identities.known).len() <= KEPT);
    }
}
