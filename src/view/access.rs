//! Who may do what: people with their roles and rights, their tokens and their last login.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::core::access::rights_of;
use crate::core::credentials::TokenRow;
use crate::definition::site::Site;
use crate::types::{PersonId, Rights, Role, TeamName, Text};

/// A person and what the person may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccessLine {
    pub id: PersonId,
    pub name: Text,
    pub team: Option<TeamName>,
    pub roles: Vec<Role>,
    pub rights: Rights,
    pub unix_user: Option<String>,
    /// Tokens that are good.
    pub tokens: Vec<TokenLine>,
    pub last_login: Option<Timestamp>,
}

/// A token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
pub fn of(
    site: &Site,
    tokens: &[TokenRow],
    logins: &BTreeMap<PersonId, Timestamp>,
    now: Timestamp,
) -> Vec<AccessLine> {
    let line = |(id, person): (&PersonId, &crate::definition::site::Person)| {
        let own = tokens.iter().filter(|row| row.person == *id);
        let good = own.map(|row| TokenLine::of(row, now)).filter(|token| token.good);
        AccessLine {
            id: id.clone(),
            name: person.name.clone(),
            team: person.team.clone(),
            roles: person.roles.clone(),
            rights: rights_of(site, id),
            unix_user: person.unix_user.clone(),
            tokens: good.collect(),
            last_login: logins.get(id).copied(),
        }
    };
    site.people.iter().map(line).collect()
}
