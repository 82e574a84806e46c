//! Who may do what: people with their roles and rights, their tokens and their last login.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::core::access::rights_of;
use crate::core::credentials::TokenRow;
use crate::definition::site::Site;
use crate::types::{PersonId, Rights, Role, TeamName, Text};

/// A person and what the person may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AccessLine {
    pub id: PersonId,
    pub name: Text,
    pub team: Option<TeamName>,
    pub roles: Vec<Role>,
    pub rights: Rights,
    pub unix_user: Option<String>,
    /// Whether the person has one.
    pub password: bool,
    /// Tokens that are good.
    pub tokens: Vec<TokenLine>,
    pub last_login: Option<Timestamp>,
}

/// What the store knows of people, until a time.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub tokens: Vec<TokenRow>,
    /// Who has one.
    pub passwords: BTreeSet<PersonId>,
    /// When each logged in last.
    pub logins: BTreeMap<PersonId, Timestamp>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct TokenLine {
    pub id: String,
    pub person: PersonId,
    pub name: String,
    pub rights: Rights,
    pub made: Timestamp,
    pub by: PersonId,
    pub expires: Timestamp,
    pub revoked: Option<Timestamp>,
    /// Neither over nor revoked.
    pub good: bool,
}

impl TokenLine {
    pub fn of(row: &TokenRow, now: Timestamp) -> Self {
        Self {
            id: row.token.to_string(),
            person: row.person.clone(),
            name: row.name.clone(),
            rights: row.rights,
            made: row.made,
            by: row.by.clone(),
            expires: row.expires,
            revoked: row.revoked.filter(|at| *at <= now),
            good: row.made <= now && now < row.expires && row.revoked.is_none_or(|at| now < at),
        }
    }
}

/// People of a site as of a time, in the order of their ids.
pub fn of(site: &Site, known: &Known, now: Timestamp) -> Vec<AccessLine> {
    let line = |(id, person): (&PersonId, &crate::definition::site::Person)| {
        let own = known.tokens.iter().filter(|row| row.person == *id);
        let good = own.map(|row| TokenLine::of(row, now)).filter(|token| token.good);
        AccessLine {
            id: id.clone(),
            name: person.name.clone(),
            team: person.team.clone(),
            roles: person.roles.clone(),
            rights: rights_of(site, id),
            unix_user: person.unix_user.clone(),
            password: known.passwords.contains(id),
            tokens: good.collect(),
            last_login: known.logins.get(id).copied(),
        }
    };
    site.people.iter().map(line).collect()
}
