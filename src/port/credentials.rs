//! What a supervisor is asked to do with passwords and tokens. Whoever asks has hashed the secret: the supervisor never
//! sees it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::credentials::Credential;
use crate::core::fact::{LoginHow, LoginTrouble};
use crate::journal::Secret;
use crate::types::{PasswordHash, PersonId, Rights, TokenHash, TokenId};

/// Passwords and tokens of oneself take no right, those of others `admin`. Logins are told by whoever lets people in,
/// which takes `admin` too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "credential")]
pub enum CredentialOrder {
    SetPassword {
        person: PersonId,
        hash: PasswordHash,
    },
    MakeToken {
        person: PersonId,
        name: String,
        rights: Rights,
        expires: Timestamp,
        hash: TokenHash,
    },
    RevokeToken {
        token: TokenId,
    },
    LoggedIn {
        person: PersonId,
        how: LoginHow,
        from: String,
    },
    LoginRefused {
        person: Option<PersonId>,
        from: String,
        why: LoginTrouble,
    },
}

impl CredentialOrder {
    /// What is to be decided about.
    pub fn credential(&self) -> Credential {
        match self.clone() {
            Self::SetPassword { person, .. } => Credential::SetPassword { person },
            Self::MakeToken { person, name, rights, expires, .. } => {
                Credential::MakeToken { person, name, rights, expires }
            }
            Self::RevokeToken { token } => Credential::RevokeToken { token },
            Self::LoggedIn { person, how, from } => Credential::LoggedIn { person, how, from },
            Self::LoginRefused { person, from, why } => {
                Credential::LoginRefused { person, from, why }
            }
        }
    }

    /// What is kept of the secret that it is about.
    pub fn secret(&self) -> Option<Secret> {
        match self {
            Self::SetPassword { hash, .. } => Some(Secret::Password(hash.clone())),
            Self::MakeToken { hash, .. } => Some(Secret::Token(hash.clone())),
            _ => None,
        }
    }
}
