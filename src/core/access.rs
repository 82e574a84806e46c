//! Who may do what: rights of people by their roles.

use super::refused::{Refused, Rule};
use super::select::Deed;
use crate::definition::site::{ADMIN_ROLE, Site};
use crate::types::{PersonId, Right, Rights};

/// What a person of the site may do. Nobody else may do anything.
///
/// Who has the role `admin` may do everything. A site that declares `rights:` gives the others what their roles name
/// together; where it declares none they may do everything but `admin`.
pub fn rights_of(site: &Site, person: &PersonId) -> Rights {
    let Some(known) = site.people.get(person) else { return Rights::NONE };
    if known.roles.iter().any(|role| role.as_str() == ADMIN_ROLE) {
        return Rights::ALL;
    }
    if site.rights.is_empty() {
        return Rights::ALL.without(Right::Admin);
    }
    let named = known.roles.iter().filter_map(|role| site.rights.get(role));
    named.fold(Rights::NONE, |all, of_role| all.with(*of_role))
}

/// Refuses by [`Rule::RightMissing`] where the right is not among them.
pub fn may(rights: Rights, right: Right) -> Result<(), Refused> {
    if rights.has(right) {
        return Ok(());
    }
    let what = format!("this takes the right `{right}`");
    let hint = match rights.is_empty() {
        true => "whoever asks has none; `rights:` in site.yaml gives them to roles".to_owned(),
        false => format!("whoever asks has: {rights}; `rights:` in site.yaml gives them to roles"),
    };
    Err(Refused::by(Rule::RightMissing, what).hint(hint))
}

/// The right that something done to jobs takes.
pub fn right_for(deed: &Deed) -> Right {
    match deed {
        Deed::Confirm => Right::Second,
        Deed::ReleaseChanges { .. } | Deed::WatchChanges => Right::Changes,
        _ => Right::Operate,
    }
}

/// Whether an entry of the journal of this kind tells who came in, and with what: who may only read is not told of it.
pub fn is_of_audit(kind: &str) -> bool {
    ["password-set", "token-made", "token-revoked", "logged-in", "login-refused"].contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::super::test_site;
    use super::*;
    use crate::definition::site::Person;
    use crate::types::{Role, Text};

    fn site(people: &[(&str, &[&str])], rights: &[(&str, &[Right])]) -> Site {
        let mut site = test_site::site(Vec::new());
        let role = |name: &&str| Role::new(name).unwrap();
        for (id, roles) in people {
            let person = Person {
                name: Text::en(*id),
                language: None,
                mail: None,
                phone: None,
                webhook: None,
                team: None,
                roles: roles.iter().map(role).collect(),
                unix_user: None,
            };
            site.people.insert(PersonId::new(id).unwrap(), person);
        }
        let given =
            |(name, of_it): &(&str, &[Right])| (role(name), of_it.iter().copied().collect());
        site.rights = rights.iter().map(given).collect();
        site
    }

    fn of(site: &Site, person: &str) -> Rights {
        rights_of(site, &PersonId::new(person).unwrap())
    }

    #[test]
    fn without_declared_rights_people_may_do_everything_but_administer() {
        let site = site(&[("ann", &["duty"]), ("bo", &[]), ("root-of-it", &["admin"])], &[]);
        for person in ["ann", "bo"] {
            assert_eq!(of(&site, person), Rights::ALL.without(Right::Admin));
        }
        assert_eq!(of(&site, "root-of-it"), Rights::ALL);
        assert_eq!(of(&site, "stranger"), Rights::NONE);
    }

    #[test]
    fn declared_rights_add_up_over_the_roles_of_a_person() {
        let people: [(&str, &[&str]); 5] = [
            ("vera", &["viewer"]),
            ("olga", &["viewer", "operator"]),
            ("kim", &["approver"]),
            ("ada", &["admin"]),
            ("none", &["duty"]),
        ];
        let rights: [(&str, &[Right]); 3] = [
            ("viewer", &[Right::Read]),
            ("operator", &[Right::Logs, Right::Operate]),
            ("approver", &[Right::Read, Right::Second]),
        ];
        let site = site(&people, &rights);
        assert_eq!(of(&site, "vera").to_string(), "read");
        assert_eq!(of(&site, "olga").to_string(), "read, logs, operate");
        assert_eq!(of(&site, "kim").to_string(), "read, second");
        assert_eq!(of(&site, "ada"), Rights::ALL);
        assert_eq!(of(&site, "none"), Rights::NONE);
    }

    #[test]
    fn a_missing_right_is_named_with_its_rule() {
        let rights: Rights = [Right::Read].into_iter().collect();
        assert_eq!(may(rights, Right::Read), Ok(()));
        let refused = may(rights, right_for(&Deed::Hold)).unwrap_err();
        assert_eq!(refused.rule, Some(Rule::RightMissing));
        assert_eq!(
            refused.to_string(),
            "this takes the right `operate`; whoever asks has: read; `rights:` in site.yaml gives them to roles (rule: right-missing)"
        );
        assert!(
            may(Rights::NONE, right_for(&Deed::Confirm))
                .unwrap_err()
                .to_string()
                .contains("`second`")
        );
    }
}
