//! Sign-off lists: what drops out of one, and who signs.

use super::house::{ALL, House, change, confirm, person, review, submit};
use crate::core::change::weekly::due;
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

/// D15: the release plan is due on Thursday 24:00 for the meeting on Friday 14:00.
#[test]
fn what_is_handed_in_after_its_list_was_due_waits_for_another_meeting() {
    let lines = format!("class: structure\n{ALL}");
    // When it is handed in, when the list is looked at, and whether it was too late for the meeting that comes next.
    let cases = [
        ("2026-10-22T23:59", "2026-10-23T09:00", false),
        ("2026-10-23T00:00", "2026-10-23T00:01", true),
        ("2026-10-23T13:00", "2026-10-23T13:59", true),
        ("2026-10-23T13:00", "2026-10-23T14:00", false),
        ("2026-10-23T15:00", "2026-10-23T15:00", false),
    ];
    for (handed_in, now, late) in cases {
        let mut house = House::new(starter::House::H, &[("fix", &lines)]);
        house.at(handed_in).done("fix", "author", submit()).at(now);
        let desk = house.desk(&change("fix"));
        assert_eq!(desk.is_after_due("uat", house.at), late, "{handed_in}, seen {now}");
        assert!(
            !desk.is_after_due("production", house.at),
            "that list has no time at which it is due"
        );
    }
}

#[test]
fn each_meeting_comes_with_what_is_due_before_and_posted_after_it() {
    let mut house = House::new(starter::House::H, &[]);
    let rules = house.site.change_rules.clone().unwrap();
    let mut told = |now: &str| -> Vec<String> {
        house.at(now);
        let text = |at: Option<jiff::Timestamp>| {
            at.map_or("-".to_owned(), |at| {
                rules.zone.tz().to_datetime(at).strftime("%a %d %H:%M").to_string()
            })
        };
        let line = |rule| {
            let next = rules.next_time(rule, house.at);
            let [due, meets, posted] = [next.due, next.meets, next.posted].map(text);
            format!("due {due}, meets {meets}, posted {posted}")
        };
        rules.weekly.iter().map(line).collect()
    };
    let on_wednesday = [
        "due Fri 23 00:00, meets Fri 23 14:00, posted Fri 23 18:00",
        "due -, meets Wed 21 16:00, posted -",
        "due -, meets Wed 21 16:00, posted -",
        "due Mon 26 00:00, meets -, posted Mon 26 10:00",
        "due -, meets Wed 21 17:00, posted -",
    ];
    assert_eq!(told("2026-10-21T15:30"), on_wednesday);
    let on_friday = [
        "due Fri 23 00:00, meets Fri 23 14:00, posted Fri 23 18:00",
        "due -, meets Wed 28 15:00, posted -",
        "due -, meets Wed 28 16:00, posted -",
        "due Mon 26 00:00, meets -, posted Mon 26 10:00",
        "due -, meets Fri 23 17:00, posted -",
    ];
    assert_eq!(told("2026-10-23T13:00"), on_friday);
    assert_eq!(told("2026-10-23T14:00")[0], on_friday[0].replace("23", "30"));
}

#[test]
fn lists_and_plans_of_the_week_are_told_of_once_whenever_somebody_looks() {
    // Of house H: the release plan is due on Thursday 24:00 and posted on Friday 18:00, with a reminder a day before it is
    // due; the development plan is due on Sunday 24:00, with one two days before, and posted on Monday 10:00.
    type Words = &'static [&'static str];
    let table: [(Words, Words); 6] = [
        (
            &["21T23:00", "22T00:00", "22T00:01", "23T17:59", "23T18:00", "23T18:01"],
            &[
                "22T00:00 Reminded First sign-off, the release plan, 10-23T00:00",
                "23T18:00 Posted First sign-off, the release plan, 10-23T18:00",
            ],
        ),
        (
            &["23T18:00", "24T00:00", "26T10:00"],
            &[
                "24T00:00 Reminded Development plan, 10-26T00:00",
                "26T10:00 Posted Development plan, 10-26T10:00",
            ],
        ),
        // Whoever begins after a time has nothing to tell.
        (&["23T18:00:01", "23T23:59"], &[]),
        // Nobody was there for three weeks: the last one of each is told.
        (
            &["01T12:00", "23T19:00"],
            &[
                "23T19:00 Reminded First sign-off, the release plan, 10-23T00:00",
                "23T19:00 Posted First sign-off, the release plan, 10-23T18:00",
                "23T19:00 Reminded Development plan, 10-19T00:00",
                "23T19:00 Posted Development plan, 10-19T10:00",
            ],
        ),
        // A clock that is set back tells nothing twice, and one that ran ahead for days is put right.
        (
            &["22T00:00", "23T18:00", "23T17:00", "23T18:30"],
            &["23T18:00 Posted First sign-off, the release plan, 10-23T18:00"],
        ),
        (
            &["30T19:00", "22T12:00", "23T18:00"],
            &["23T18:00 Posted First sign-off, the release plan, 10-23T18:00"],
        ),
    ];
    let mut house = House::new(starter::House::H, &[]);
    let zone = house.site.change_rules.as_ref().unwrap().zone.clone();
    let local = |at: jiff::Timestamp| zone.tz().to_datetime(at).strftime("%m-%dT%H:%M").to_string();
    for (looks, expected) in table {
        let (mut last, mut told) = (None, Vec::new());
        for look in looks {
            house.at(&format!("2026-10-{look}"));
            let Some(found) = due(&house.site, last, house.at) else { continue };
            last = Some(found.until);
            told.extend(found.notices.iter().map(|of| {
                let what = format!("{:?} {}, {}", of.what, of.title.en, local(of.at));
                assert!(of.people.contains(&person("dev")), "{of:?}");
                format!("{look} {what}")
            }));
            assert_eq!(due(&house.site, last, house.at), None, "{look}");
        }
        assert_eq!(told, expected, "{looks:?}");
    }
}
