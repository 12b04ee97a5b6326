//! Passwords of administrators: argon2id, two at a time in the process (docs/THREATS.md, rules 14 and 18).
//!
//! Decides the cost of a guess. Whoever comes while two are worked on waits, and after a while is turned away; memory
//! and processors are never used up by strangers.

use crate::AppError;
use crate::tokens::refused;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use provost_core::secret::Secret;
use std::time::Duration;
use tokio::sync::Semaphore;

/// 19 MiB, two passes, one lane: the first choice of OWASP's Password Storage Cheat Sheet (2023).
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Of the whole process, however many use it.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Longer than two hundred others take.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A hash of the same cost that no password has, for names that nobody has: both take the same time.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IDE2$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a password as a PHC string.
///
/// # Errors
/// [`AppError::Refused`] when too many others wait.
pub(crate) async fn hash(password: &str) -> Result<String, AppError> {
    let password = Secret::from(password);
    in_turn(move || {
        let salt: [u8; 16] = rand::random();
        argon2()?.hash_password_with_salt(password.reveal().as_bytes(), &salt).ok().map(|hash| hash.to_string())
    })
    .await?
    .ok_or_else(|| refused("not-hashed", "the password could not be hashed; look at the server's memory".to_owned()))
}

/// Whether it is the password of this hash; without one it takes as long and is not.
///
/// # Errors
/// [`AppError::Refused`] when too many others wait.
pub(crate) async fn is_password(password: &str, hash: Option<&str>) -> Result<bool, AppError> {
    let password = Secret::from(password);
    let is_some = hash.is_some();
    let hash = hash.unwrap_or(NOBODYS).to_owned();
    let fits = in_turn(move || verified(password.reveal(), &hash)).await?;
    Ok(fits && is_some)
}

fn verified(password: &str, hash: &str) -> bool {
    argon2().is_some_and(|argon2| PasswordVerifier::<str>::verify_password(&argon2, password.as_bytes(), hash).is_ok())
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AppError> {
    let busy = || {
        let words = "too many people are signing in just now; nothing was looked at, try again in a moment";
        refused("busy", words.to_owned())
    };
    let turn = tokio::time::timeout(LONGEST_WAIT, TURNS.acquire()).await;
    let Ok(Ok(turn)) = turn else { return Err(busy()) };
    let done = tokio::task::spawn_blocking(move || {
        // Held until the work is done, also where nobody waits for it any more.
        let _turn = turn;
        work()
    });
    done.await.map_err(|_| busy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_and_no_other_and_the_hash_says_its_cost() {
        let hashed = hash("correct horse battery").await.unwrap();

        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        assert!(!hashed.contains("horse"));
        assert_ne!(hash("correct horse battery").await.unwrap(), hashed, "each has its own salt");
        assert!(is_password("correct horse battery", Some(&hashed)).await.unwrap());
        assert!(!is_password("correct horse batterz", Some(&hashed)).await.unwrap());
        assert!(!is_password("correct horse battery", None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_can_be_read_so_that_it_takes_its_time() {
        assert!(argon2::password_hash::phc::PasswordHash::new(NOBODYS).is_ok());
        assert!(!verified("", NOBODYS));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_more_than_two_are_worked_on_at_a_time() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let all: Vec<_> = (0..12)
            .map(|_| {
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                tokio::spawn(in_turn(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(1, Ordering::SeqCst);
                }))
            })
            .collect();
        for one in all {
            one.await.unwrap().unwrap();
        }

        assert!(most.load(Ordering::SeqCst) <= 2);
    }
}
