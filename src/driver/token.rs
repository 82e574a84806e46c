//! Tokens of the API: 256 random bits behind `nr_`, shown once.

use std::io;

use super::random;
use crate::journal::{address, hex};
use crate::types::TokenHash;

/// How a secret begins, so that whoever finds one knows what it is.
pub const PREFIX: &str = "nr_";

/// A new secret, and what is kept of it.
pub fn new() -> io::Result<(String, TokenHash)> {
    let secret = format!("{PREFIX}{}", hex(&random::bytes::<32>()?));
    let hash = hash_of(&secret);
    Ok((secret, hash))
}

/// What a secret is known by.
pub fn hash_of(secret: &str) -> TokenHash {
    TokenHash(address(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_its_own_and_is_known_by_its_hash() {
        let (first, hash) = new().unwrap();
        let (second, _) = new().unwrap();
        assert_ne!(first, second);
        assert_eq!(first.len(), PREFIX.len() + 64);
        assert_eq!(hash_of(&first), hash);
        assert!(!hash.0.contains(&first[3..]));
    }
}
