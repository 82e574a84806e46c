//! Passwords and tokens of people: who may have what. What is kept of the secrets is never seen here.

use jiff::{SignedDuration, Timestamp};

use super::access::rights_of;
use super::fact::{Fact, LoginHow, LoginTrouble};
use super::night::{Mover, StepError};
use super::refused::{Refused, Rule};
use crate::definition::site::Site;
use crate::types::{PersonId, Rights, TokenId};

/// How long a token may be good for at the most.
pub const LONGEST_TOKEN: SignedDuration = SignedDuration::from_hours(366 * 24);

/// What is wanted with credentials, or has come of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Credential {
    SetPassword { person: PersonId },
    MakeToken { person: PersonId, name: String, rights: Rights, expires: Timestamp },
    RevokeToken { token: TokenId },
    LoggedIn { person: PersonId, how: LoginHow, from: String },
    LoginRefused { person: Option<PersonId>, from: String, why: LoginTrouble },
}

/// A token, without what its secret is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    pub token: TokenId,
    pub person: PersonId,
    pub name: String,
    /// What it may be used for, of what its person may do when it is used.
    pub rights: Rights,
    pub made: Timestamp,
    pub by: PersonId,
    pub expires: Timestamp,
    pub revoked: Option<Timestamp>,
}

impl TokenRow {
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && now < self.expires
    }
}

impl Credential {
    /// What the site says to it: nobody but its people has credentials, and no token is made for more than its person may.
    pub fn fits(&self, site: Option<&Site>) -> Result<(), Refused> {
        let known = |person: &PersonId| {
            let site = site.filter(|site| site.people.contains_key(person));
            site.ok_or_else(|| {
                let what = format!("{person} is no person of the site");
                Refused::by(Rule::UnknownPerson, what)
                    .hint("only somebody in people.yaml has a password or tokens")
            })
        };
        match self {
            Self::SetPassword { person } => known(person).map(|_| ()),
            Self::MakeToken { person, rights, .. } => {
                let may = rights_of(known(person)?, person);
                let more: Rights = rights.iter().filter(|right| !may.has(*right)).collect();
                if more.is_empty() {
                    return Ok(());
                }
                let what =
                    format!("{person} has not the right {more}, so no token of {person} has");
                Err(Refused::by(Rule::RightMissing, what)
                    .hint("`rights:` in site.yaml gives them to roles"))
            }
            Self::RevokeToken { .. } | Self::LoggedIn { .. } | Self::LoginRefused { .. } => Ok(()),
        }
    }
}

impl Mover<'_> {
    pub(super) fn credential(
        &mut self,
        by: PersonId,
        reason: String,
        what: Credential,
    ) -> Result<(), StepError> {
        let fact = match what {
            Credential::SetPassword { person } => Fact::PasswordSet { person, by, reason },
            Credential::MakeToken { person, name, rights, expires } => {
                self.token_fits(&name, rights, expires)?;
                let token = TokenId(self.core.state.standing.last_token + 1);
                Fact::TokenMade { token, person, name, rights, expires, by, reason }
            }
            Credential::RevokeToken { token } => {
                let known = self.core.state.standing.tokens.get(&token);
                let known = known.ok_or_else(|| {
                    Refused::by(Rule::NoSuchThing, format!("there is no token {token}"))
                        .hint("`nightrun people tokens` lists them")
                })?;
                if known.revoked {
                    let what = format!("{token} is revoked already");
                    return Err(Refused::by(Rule::NoChange, what).into());
                }
                Fact::TokenRevoked { token, by, reason }
            }
            Credential::LoggedIn { person, how, from } => Fact::LoggedIn { person, how, from },
            Credential::LoginRefused { person, from, why } => {
                Fact::LoginRefused { person, from, why }
            }
        };
        Ok(self.emit(fact)?)
    }

    fn token_fits(&self, name: &str, rights: Rights, expires: Timestamp) -> Result<(), Refused> {
        let now = self.now.wall;
        if name.trim().is_empty() || rights.is_empty() {
            return Err(Refused::new("a token has a name and at least one right"));
        }
        if expires <= now {
            return Err(Refused::by(Rule::Past, "the token would be over already"));
        }
        if expires.duration_since(now) > LONGEST_TOKEN {
            return Err(Refused::new("a token is good for 366 days at the most"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::core::night::{Core, Event};
    use crate::core::test_site;
    use crate::definition::site::Person;
    use crate::types::{Now, Right, Role, Text};

    fn ann() -> PersonId {
        PersonId::new("ann").unwrap()
    }

    fn now() -> Now {
        Now { wall: "2026-10-30T20:00:00Z".parse().unwrap(), since_boot: Duration::from_secs(60) }
    }

    fn step(core: &mut Core, what: Credential) -> Result<Vec<Fact>, Option<Rule>> {
        let event = Event::Credential { by: ann(), reason: String::new(), what };
        match core.step(now(), event) {
            Ok(turn) => Ok(turn.facts),
            Err(StepError::Refused(refused)) => Err(refused.rule),
            Err(other) => panic!("{other}"),
        }
    }

    fn token(hours: i64) -> Credential {
        let rights = [Right::Read].into_iter().collect();
        let expires = now().wall + SignedDuration::from_hours(hours);
        Credential::MakeToken { person: ann(), name: "ci".into(), rights, expires }
    }

    #[test]
    fn a_token_is_numbered_and_revoked_once() {
        let mut core = Core::new(1);
        for number in [1, 2] {
            let made = step(&mut core, token(24)).unwrap();
            assert!(matches!(made[..], [Fact::TokenMade { token: TokenId(n), .. }] if n == number));
        }
        let revoke = || Credential::RevokeToken { token: TokenId(2) };
        assert_eq!(step(&mut core, revoke()).unwrap().len(), 1);
        assert_eq!(step(&mut core, revoke()), Err(Some(Rule::NoChange)));
        let unknown = Credential::RevokeToken { token: TokenId(9) };
        assert_eq!(step(&mut core, unknown), Err(Some(Rule::NoSuchThing)));
        assert_eq!(step(&mut core, token(0)), Err(Some(Rule::Past)));
        assert_eq!(step(&mut core, token(367 * 24)), Err(None));
        // No number is given twice, whatever was revoked.
        let made = step(&mut core, token(24)).unwrap();
        assert!(matches!(made[..], [Fact::TokenMade { token: TokenId(3), .. }]));
    }

    #[test]
    fn only_people_of_the_site_have_credentials_and_no_token_more_than_its_person() {
        let mut site = test_site::site(Vec::new());
        assert_eq!(token(1).fits(Some(&site)).unwrap_err().rule, Some(Rule::UnknownPerson));
        assert_eq!(token(1).fits(None).unwrap_err().rule, Some(Rule::UnknownPerson));
        let person = Person {
            name: Text::en("Ann"),
            language: None,
            mail: None,
            phone: None,
            webhook: None,
            team: None,
            roles: vec![Role::new("viewer").unwrap()],
            unix_user: None,
        };
        site.people.insert(ann(), person);
        assert_eq!(token(1).fits(Some(&site)), Ok(()));
        assert_eq!(Credential::SetPassword { person: ann() }.fits(Some(&site)), Ok(()));
        let admin = Credential::MakeToken {
            person: ann(),
            name: "x".into(),
            rights: Rights::ALL,
            expires: now().wall,
        };
        let refused = admin.fits(Some(&site)).unwrap_err();
        assert_eq!(refused.rule, Some(Rule::RightMissing));
        assert!(refused.what.contains("admin"), "{refused}");
    }
}
