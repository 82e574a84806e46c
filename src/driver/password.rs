//! Passwords: argon2id with 19 MiB, two passes, one lane, a salt of its own for each.

use std::io;

use argon2::password_hash::phc;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;

use super::random;
use crate::types::PasswordHash;

/// How each begins that is made here.
const OURS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// Characters of the shortest password.
pub const SHORTEST: usize = 12;
/// Bytes of the longest: more would only take time.
pub const LONGEST: usize = 1_024;

/// Of a password that nobody has: whoever tries a name of nobody waits as long as for a wrong password.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// So many at a time: each takes 19 MiB and a core.
static AT_A_TIME: Semaphore = Semaphore::const_new(2);

/// Why a password cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum NotHashed {
    #[error("a password has at least {SHORTEST} characters")]
    TooShort,
    #[error("a password has at most {LONGEST} bytes")]
    TooLong,
    #[error("the password could not be hashed: {0}")]
    Trouble(String),
}

/// What is kept of a password. Takes some tens of milliseconds of one core.
pub async fn hash(password: String) -> Result<PasswordHash, NotHashed> {
    if password.chars().count() < SHORTEST {
        return Err(NotHashed::TooShort);
    }
    if password.len() > LONGEST {
        return Err(NotHashed::TooLong);
    }
    aside(move || hash_now(&password)).await.map_err(|why| NotHashed::Trouble(why.to_string()))?
}

/// Whether it is the password that this was made of. Without one (`None`) it takes as long, and is not.
pub async fn verify(password: String, kept: Option<PasswordHash>) -> bool {
    if password.len() > LONGEST {
        return false;
    }
    let verified = aside(move || {
        let hash = kept.as_ref().map_or(NOBODYS, |kept| kept.0.as_str());
        let fits = Argon2::default().verify_password(password.as_bytes(), hash).is_ok();
        fits && kept.is_some()
    });
    verified.await.unwrap_or(false)
}

/// Whether a hash that somebody else made is as strong as one that is made here.
pub fn is_sound(hash: &PasswordHash) -> bool {
    hash.0.starts_with(OURS)
        && phc::PasswordHash::new(&hash.0).is_ok_and(|hash| hash.hash.is_some())
}

fn hash_now(password: &str) -> Result<PasswordHash, NotHashed> {
    let trouble = |why: String| NotHashed::Trouble(why);
    let salt = random::bytes::<16>().map_err(|why| trouble(why.to_string()))?;
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    let hashed: phc::PasswordHash = hashed.map_err(|why| trouble(why.to_string()))?;
    Ok(PasswordHash(hashed.to_string()))
}

/// Off the thread that everything else waits for.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let place = AT_A_TIME.acquire().await.map_err(io::Error::other)?;
    // Whoever asked may go away meanwhile; the place is taken until the work is done.
    let done = tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    });
    done.await.map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let password = "correct horse 电池 staple";
        let kept = hash(password.to_owned()).await.unwrap();
        assert!(is_sound(&kept), "{}", kept.0);
        assert_ne!(hash(password.to_owned()).await.unwrap(), kept, "each has its own salt");
        assert!(verify(password.to_owned(), Some(kept.clone())).await);
        assert!(!verify("correct horse 电池 stapl".to_owned(), Some(kept.clone())).await);
        assert!(!verify(password.to_owned(), None).await);
        assert!(!verify("x".repeat(LONGEST + 1), Some(kept)).await);
        assert!(!verify(password.to_owned(), Some(PasswordHash("plain".into()))).await);
    }

    #[tokio::test]
    async fn what_nobody_has_is_a_whole_hash_so_that_trying_it_takes_as_long() {
        assert!(is_sound(&PasswordHash(NOBODYS.into())));
        assert!(!verify(String::new(), None).await);
    }

    #[tokio::test]
    async fn a_password_that_is_too_short_or_too_long_and_a_weak_hash_are_refused() {
        assert!(matches!(hash("elf letters".to_owned()).await, Err(NotHashed::TooShort)));
        assert!(hash("zwölf Zeichen".to_owned()).await.is_ok());
        assert!(matches!(hash("x".repeat(LONGEST + 1)).await, Err(NotHashed::TooLong)));
        for weak in [
            "",
            "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ",
        ] {
            assert!(!is_sound(&PasswordHash(weak.into())), "{weak}");
        }
    }
}
