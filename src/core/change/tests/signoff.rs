//! Sign-off lists: what drops out of one, and who signs.

use super::house::{ALL, House, change, confirm, review, submit};
use crate::core::change::{Dropped, Signs};
use crate::definition::starter;
use crate::wire::ChangeState;

const PROD: &str = "class: data\ntarget: prod";

#[test]
fn what_has_not_passed_the_former_environment_drops_out_of_a_sign_off_list() {
    let lines = format!("class: structure\n{ALL}");
    let mut house = House::new(starter::House::H, &[("fix", &lines), ("rate", PROD)]);
    let dropped = |house: &House, environment: &str| -> Vec<Dropped> {
        house.desk(&change("fix")).dropped(environment, house.at)
    };
    let (uat, pre) = (|| "uat".to_owned(), || "pre-production".to_owned());
    house.at("2026-10-20T11:30");
    assert!(!house.desk(&change("fix")).is_planned());
    house.done("fix", "author", submit()).done("fix", "dba", review());
    assert!(house.desk(&change("fix")).is_planned());
    // The release plan is the list of the first environment: nothing drops out of it.
    assert_eq!(dropped(&house, "uat"), []);
    assert_eq!(dropped(&house, "pre-production"), [Dropped::NotApproved { environment: uat() }]);
    house.approved("fix", "uat", &["dev", "tester", "ops"]);
    assert_eq!(dropped(&house, "pre-production"), [Dropped::NotExecuted { environment: uat() }]);
    let failed = ChangeState::RolledBack;
    house.executed("fix", "uat", failed);
    let lacks = [
        Dropped::NotVerified { environment: uat(), state: failed },
        Dropped::NotApproved { environment: pre() },
    ];
    assert_eq!(dropped(&house, "production"), lacks);
    // Taken back and done again: that is a rehearsal too.
    house.executed("fix", "uat", ChangeState::Done);
    assert_eq!(dropped(&house, "pre-production"), []);
    house.executed("fix", "pre-production", ChangeState::Done);
    assert_eq!(dropped(&house, "production"), []);
    house.at("2026-11-20T11:30");
    assert_eq!(dropped(&house, "production"), [Dropped::NotRehearsed { environment: uat() }]);
    house.executed("fix", "production", ChangeState::Done);
    assert_eq!(dropped(&house, "production"), []);
    // A data change has no twin in a former environment.
    house.done("rate", "author", submit());
    assert_eq!(house.desk(&change("rate")).dropped("production", house.at), []);
}

#[test]
fn a_sign_off_list_says_who_must_sign_and_who_has() {
    let lines = format!("class: structure\n{ALL}");
    let mut house = House::new(starter::House::H, &[("fix", &lines)]);
    house.at("2026-10-20T11:30").done("fix", "author", submit()).done("fix", "dba", review());
    house.approved("fix", "production", &["dev"]);
    house.done("fix", "dba", confirm("production", "dba-signature"));
    let told = |house: &House, environment: &str| -> Vec<String> {
        let signatures = house.desk(&change("fix")).signatures(environment, house.at).into_iter();
        signatures
            .map(|of| {
                let what = match of.signs {
                    Signs::Review => "review".to_owned(),
                    Signs::Approval => "approval".to_owned(),
                    Signs::Item { item } => item.to_string(),
                };
                let by: Vec<&str> = of.given.iter().map(|(person, _)| person.as_str()).collect();
                format!("{what} {} {}: {}", of.people, of.role, by.join(" "))
            })
            .collect()
    };
    let expected = [
        "review 1 dba: dba",
        "approval 1 dev-lead: dev",
        "approval 1 test-lead: ",
        "approval 1 operations-lead: ",
        "dba-signature 1 dba: dba",
        "former-environments 1 test-lead: ",
        "people-present 1 operations: ",
        "sign-offs 1 operations-lead: ",
    ];
    assert_eq!(told(&house, "production"), expected);
    // Of UAT there is no checklist, and nobody has approved for it.
    assert_eq!(
        told(&house, "uat")[1..],
        ["dev-lead", "test-lead", "operations-lead"].map(|role| format!("approval 1 {role}: "))
    );
    // Other scripts: nothing of it holds.
    house.site.changes.get_mut(&change("fix")).unwrap().content = "other".into();
    assert!(told(&house, "production").iter().all(|line| line.ends_with(": ")));
}
