//! Rows of passwords and tokens: what no entry of the journal holds.

use jiff::Timestamp;

use super::rows::Row;
use crate::core::fact::Fact;
use crate::types::{PasswordHash, PersonId, TokenHash};

pub use crate::core::credentials::TokenRow;

/// The password of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordRow {
    pub person: PersonId,
    pub hash: PasswordHash,
    pub at: Timestamp,
    pub by: PersonId,
}

/// A token as it comes into the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenMade {
    pub row: TokenRow,
    pub hash: TokenHash,
}

/// What is kept of a secret that a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    Password(PasswordHash),
    Token(TokenHash),
}

/// The row that a fact about credentials changes. It goes into the store with the fact's entry; the secret's own part is
/// in the row alone.
pub fn kept(at: Timestamp, fact: &Fact, secret: Option<&Secret>) -> Option<Row> {
    Some(match (fact, secret) {
        (Fact::PasswordSet { person, by, .. }, Some(Secret::Password(hash))) => {
            let (person, hash, by) = (person.clone(), hash.clone(), by.clone());
            Row::Password(PasswordRow { person, hash, at, by })
        }
        (
            Fact::TokenMade { token, person, name, rights, expires, by, .. },
            Some(Secret::Token(hash)),
        ) => Row::TokenMade(Box::new(TokenMade {
            row: TokenRow {
                token: *token,
                person: person.clone(),
                name: name.clone(),
                rights: *rights,
                made: at,
                by: by.clone(),
                expires: *expires,
                revoked: None,
            },
            hash: hash.clone(),
        })),
        (Fact::TokenRevoked { token, .. }, _) => Row::TokenRevoked { token: *token, at },
        _ => return None,
    })
}
