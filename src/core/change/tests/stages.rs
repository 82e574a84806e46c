//! The table of `src/docs/states.md`, and a life from its request to its archive.

use super::house::{ALL, House, approve, change, confirm, person, review, schedule, submit};
use crate::core::change::{ChangeRequest, ChangeStep, Executed, Stage, Wish};
use crate::core::refused::Rule;
use crate::definition::site::{ChangeClass, ChangeKind};
use crate::definition::starter;
use crate::types::{CheckName, JobName};
use crate::wire::{ChangeState, Did};

const STATES: &str = include_str!("../../../docs/states.md");

fn request() -> Box<ChangeRequest> {
    Box::new(ChangeRequest {
        title: "Correct it".into(),
        class: ChangeClass::Structure,
        kind: ChangeKind::Normal,
        requester: Some(person("asker")),
        team: None,
        ticket: Some("CHG-1".into()),
        governance: None,
        branch: None,
    })
}

/// The step that a column of the table names, and whether it hands in other scripts than before.
fn step(name: &str) -> (ChangeStep, bool) {
    let text = String::new;
    let role = || "dba".parse().unwrap();
    let step = match name {
        "create" => ChangeStep::Created { request: request(), key: None },
        "assign" => ChangeStep::Assigned { to: person("author") },
        "submit" | "submit again" => ChangeStep::Submitted {
            content: text(),
            scripts: Vec::new(),
            environment: None,
            authors: Vec::new(),
            accepted: None,
            confirmed: Vec::new(),
            in_git: Vec::new(),
        },
        "review" => ChangeStep::Reviewed {
            content: text(),
            role: role(),
            stands_in: false,
            ticked: Vec::new(),
            complete: true,
        },
        "approve" => ChangeStep::Approved {
            environment: text(),
            digest: text(),
            role: role(),
            stands_in: false,
            ticked: Vec::new(),
            complete: true,
        },
        "confirm" => ChangeStep::Confirmed {
            environment: Some(text()),
            item: CheckName::new("x").unwrap(),
            content: text(),
            role: Some(role()),
        },
        "schedule" => {
            ChangeStep::Scheduled { environment: text(), digest: text(), opens: None, closes: None }
        }
        "decide" => ChangeStep::Decided { environment: text(), applied: true, accepted: false },
        "lost" => ChangeStep::Lost {
            environment: text(),
            attempt: "eod@2026-10-30#1/x/1".parse().unwrap(),
            complete: true,
        },
        "feed-back" => ChangeStep::FedBack,
        "close" => ChangeStep::Closed,
        "archive" => ChangeStep::Archived,
        "return" => ChangeStep::Returned,
        "withdraw" => ChangeStep::Withdrawn,
        other => panic!("no step {other}"),
    };
    (step, name != "submit again")
}

#[test]
fn the_table_of_states_md_is_what_people_may_do() {
    let section = STATES.split_once("\n## The life of a change\n").unwrap().1;
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|') && !line.starts_with("| ---"));
    let rows: Vec<Vec<&str>> =
        lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
    let (head, rows) = rows.split_first().unwrap();
    assert_eq!(head.len(), 1 + 15);
    let named: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(named, Stage::ALL.map(Stage::name));
    for (row, stage) in rows.iter().zip(Stage::ALL) {
        for (name, cell) in head[1..].iter().zip(&row[1..]) {
            let (step, afresh) = step(name);
            let after = stage.after(&step, afresh).map_or("", Stage::name);
            assert_eq!(after, *cell, "{}, {name}", stage.name());
        }
    }
}

#[test]
fn what_is_confirmed_of_a_request_leaves_its_stage_as_it_is_and_needs_no_scripts() {
    use Stage::{Archived, Closed, Executing, InDoubt, Withdrawn};
    let step = ChangeStep::Confirmed {
        environment: None,
        item: CheckName::new("first-approval").unwrap(),
        content: String::new(),
        role: None,
    };
    for stage in Stage::ALL {
        let over = matches!(stage, Executing | InDoubt | Closed | Archived | Withdrawn);
        assert_eq!(stage.after(&step, true), (!over).then_some(stage), "{stage:?}");
    }
}

#[test]
fn what_is_observed_is_true_at_any_stage() {
    let states = [
        (ChangeState::Done, Stage::Executed),
        (ChangeState::FailedClean, Stage::Failed),
        (ChangeState::FailedGuard, Stage::Failed),
        (ChangeState::RolledBack, Stage::RolledBack),
        (ChangeState::RollbackFailed, Stage::InDoubt),
        (ChangeState::InDoubt, Stage::InDoubt),
    ];
    for (state, wanted) in states {
        let ended = Executed {
            environment: "uat".into(),
            attempt: crate::types::AttemptId {
                run: "eod@2026-10-30#1".parse().unwrap(),
                job: JobName::new("x").unwrap(),
                number: 1,
            },
            content: String::new(),
            state,
            rows: 0,
            backup_rows: 0,
            started: None,
            ended: jiff::Timestamp::UNIX_EPOCH,
            checks: 0,
            good: 0,
            why: None,
            progress: None,
            rehearsal: Vec::new(),
        };
        let step = ChangeStep::Ended { ended: Box::new(ended) };
        for stage in Stage::ALL {
            assert_eq!(stage.after(&step, true), Some(wanted), "{stage:?}, {state:?}");
        }
    }
}

/// A structure change of house H, from another system's request through UAT and pre-production into production.
#[test]
fn a_release_goes_from_its_request_through_all_environments_to_its_archive() {
    let mut house = House::new(starter::House::H, &[]);
    // 2026-10-26 is a Monday.
    house.at("2026-10-26T09:00").done("add-column", "helper", Wish::Create { request: request() });
    house.done("add-column", "dev", Wish::Assign { to: person("author") });
    assert_eq!(house.take("add-column", "author", submit()), Some(Rule::NoSuchThing));
    // Its folder is committed.
    let lives = std::mem::take(&mut house.lives);
    let lines = format!("class: structure\n{ALL}");
    house = House { lives, ..House::new(starter::House::H, &[("add-column", &lines)]) };
    let at = |house: &mut House, local: &str| {
        house.at(local);
    };
    at(&mut house, "2026-10-26T10:00");
    house.done("add-column", "author", submit()).done("add-column", "dba", review());
    assert_eq!(house.life("add-column").stage(), Stage::Reviewed);
    house.approved("add-column", "uat", &["dev", "tester", "ops"]);
    assert_eq!(house.life("add-column").stage(), Stage::Approved);
    assert_eq!(house.take("add-column", "shift", schedule("uat")), Some(Rule::IntakeClosed));
    at(&mut house, "2026-10-26T11:05");
    house.done("add-column", "shift", schedule("uat"));
    assert_eq!(house.life("add-column").stage(), Stage::Scheduled);
    assert!(house.clearance("add-column", "uat").is_ok());
    // The rehearsal: change, rollback, change again.
    house.ended("add-column", "uat", (ChangeState::Done, &Did::ALL));

    at(&mut house, "2026-10-28T15:10"); // Wednesday
    assert_eq!(
        house.take("add-column", "shift", schedule("pre-production")),
        Some(Rule::NotApproved)
    );
    house.approved("add-column", "pre-production", &["dev", "tester", "ops"]);
    house.done("add-column", "shift", schedule("pre-production"));
    at(&mut house, "2026-10-28T18:30");
    assert!(house.clearance("add-column", "pre-production").is_ok());
    house.executed("add-column", "pre-production", ChangeState::Done);

    at(&mut house, "2026-10-29T15:20"); // Thursday
    house.approved("add-column", "production", &["dev", "tester", "ops"]);
    house.done("add-column", "shift", schedule("production"));
    at(&mut house, "2026-10-29T18:30");
    let lacks = [Rule::NotConfirmed; 4];
    assert_eq!(house.lacks("add-column", "production"), lacks);
    for (by, item) in [
        ("ops", "sign-offs"),
        ("dba", "dba-signature"),
        ("tester", "former-environments"),
        ("shift", "people-present"),
    ] {
        house.done("add-column", by, confirm("production", item));
    }
    assert_eq!(house.lacks("add-column", "production"), []);
    house.executed("add-column", "production", ChangeState::Done);
    assert_eq!(house.life("add-column").stage(), Stage::Executed);
    assert_eq!(house.take("add-column", "ops", Wish::Close), Some(Rule::WrongStage));
    house.done("add-column", "helper", Wish::FeedBack).done("add-column", "ops", Wish::Close);
    house.done("add-column", "ops", Wish::Archive);
    assert_eq!(house.life("add-column").stage(), Stage::Archived);
    assert_eq!(house.take("add-column", "dev", approve("production")), Some(Rule::WrongStage));
    assert_eq!(house.life("add-column").request().unwrap().ticket.as_deref(), Some("CHG-1"));
    assert!(house.desk(&change("add-column")).approval_digest("production").is_some());
}
