//! Who an account of the host speaks for, and what it may ask.

use super::{Supervisor, World};
use crate::core::access::{may, rights_of};
use crate::core::refused::{Refused, Rule};
use crate::definition::site::{Person, Site};
use crate::port::control::{Account, Caller};
use crate::types::{PersonId, Right};

impl<W: World> Supervisor<W> {
    /// Whether an account may ask for this: by the site that is served, else by that of a run that knows the account.
    pub(super) fn may(&self, caller: &Caller, right: Right) -> Result<(), Refused> {
        let runs = self.core.state().runs.values().map(|run| run.site.as_ref());
        let of_runs = || runs.rev().find(|site| declared(site, caller).is_some());
        allow(self.served_site().or_else(of_runs), &self.parts.own, caller, right)
    }
}

/// Whether an account may ask for this: the supervisor's own and root's may ask for everything, that of a person of the
/// site for what the person's roles allow, any other for nothing.
pub fn allow(
    site: Option<&Site>,
    own: &Account,
    caller: &Caller,
    right: Right,
) -> Result<(), Refused> {
    if let Caller::Account(account) = caller
        && (account.uid == own.uid || account.uid == 0)
    {
        return Ok(());
    }
    let person = site.and_then(|site| Some((site, declared(site, caller)?)));
    let (site, person) = person.ok_or_else(|| stranger(caller))?;
    let rights = rights_of(site, person);
    match caller {
        Caller::Account(_) => may(rights, right),
        Caller::Person { within, .. } => may(rights.within(*within), right),
    }
}

/// Whether somebody is known at all.
pub fn is_known(site: Option<&Site>, own: &Account, caller: &Caller) -> Result<(), Refused> {
    let of_host = matches!(caller, Caller::Account(a) if a.uid == own.uid || a.uid == 0);
    let of_site = site.is_some_and(|site| declared(site, caller).is_some());
    if of_host || of_site { Ok(()) } else { Err(stranger(caller)) }
}

fn declared<'s>(site: &'s Site, caller: &Caller) -> Option<&'s PersonId> {
    let name = match caller {
        Caller::Account(account) => account.name.as_str(),
        Caller::Person { person, .. } => {
            return site.people.get_key_value(person).map(|(id, _)| id);
        }
    };
    let has_it = |person: &Person| person.unix_user.as_deref() == Some(name);
    site.people.iter().find(|(_, person)| has_it(person)).map(|(id, _)| id)
}

fn stranger(caller: &Caller) -> Refused {
    let what = match caller {
        Caller::Account(account) => {
            format!("nobody in people.yaml has the account `{}`", account.name)
        }
        Caller::Person { person, .. } => format!("there is no `{person}` in people.yaml any more"),
    };
    Refused::by(Rule::UnknownPerson, what).hint("only people of the site may ask this supervisor")
}

/// The person that an account speaks for: the one whose `unix_user` it is, else `unix-NAME`.
pub fn person_of(site: Option<&Site>, caller: &Caller) -> PersonId {
    let declared = site.and_then(|site| declared(site, caller)).cloned();
    let account = match caller {
        Caller::Account(account) => account,
        Caller::Person { person, .. } => return person.clone(),
    };
    let plain: String = account
        .name
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' { c } else { '_' })
        .take(50)
        .collect();
    declared
        .or_else(|| PersonId::new(&format!("unix-{plain}")).ok())
        .unwrap_or_else(|| unnamed(account.uid))
}

#[expect(clippy::expect_used, reason = "`uid-` and digits are a name")]
fn unnamed(uid: u32) -> PersonId {
    PersonId::new(&format!("uid-{uid}")).expect("a name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_site;
    use crate::types::{Role, Text};

    fn account(uid: u32, name: &str) -> Account {
        Account { uid, name: name.to_owned() }
    }

    #[test]
    fn an_account_may_what_its_person_may_and_root_and_the_supervisors_own_everything() {
        let mut site = test_site::site(Vec::new());
        let person = Person {
            name: Text::en("Vera"),
            language: None,
            mail: None,
            phone: None,
            webhook: None,
            team: None,
            roles: vec![Role::new("viewer").unwrap()],
            unix_user: Some("vera".to_owned()),
        };
        site.people.insert(PersonId::new("vera").unwrap(), person);
        site.rights.insert(Role::new("viewer").unwrap(), [Right::Read].into_iter().collect());
        let own = account(990, "nightrun");
        let asks = |uid, name, right| {
            allow(Some(&site), &own, &account(uid, name).into(), right)
                .map_err(|refused| refused.rule)
        };
        assert_eq!(asks(990, "nightrun", Right::Admin), Ok(()));
        assert_eq!(asks(0, "root", Right::Operate), Ok(()));
        assert_eq!(asks(1001, "vera", Right::Read), Ok(()));
        assert_eq!(asks(1001, "vera", Right::Operate), Err(Some(Rule::RightMissing)));
        assert_eq!(asks(1002, "mallory", Right::Read), Err(Some(Rule::UnknownPerson)));
        assert_eq!(
            allow(None, &own, &account(1001, "vera").into(), Right::Read).unwrap_err().rule,
            Some(Rule::UnknownPerson)
        );
    }
}
