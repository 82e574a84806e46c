//! Every step of a change.

use super::at;
use crate::core::change::{
    Began, ChangeRequest, ChangeStep, Executed, InGit, JournalHead, LeftOffList, ListedChange,
    Missing, SealedList, WindowDecision,
};
use crate::core::fact::Fact;
use crate::definition::site::{ChangeClass, ChangeKind, Part};
use crate::types::{
    ChangeId, CheckName, EventKey, PersonId, Role, TargetName, TeamName, WindowClass,
};
use crate::wire::ChangeState;

pub(super) fn facts() -> Vec<Fact> {
    let (by, second) = (PersonId::new("li-wei").unwrap(), PersonId::new("zhang-min").unwrap());
    let numbered = (1..).zip(steps());
    numbered
        .map(|(number, step)| Fact::ChangeMoved {
            change: ChangeId::new("fee-correction").unwrap(),
            number,
            by: by.clone(),
            reason: "十月费率有误".into(),
            second: matches!(step, ChangeStep::Decided { .. }).then(|| second.clone()),
            step: Box::new(step),
        })
        .collect()
}

pub(super) fn list() -> SealedList {
    SealedList {
        environment: "production".into(),
        classes: vec![ChangeClass::Data],
        journal: Some(JournalHead { number: 7, hash: "ab".repeat(32) }),
        changes: vec![ListedChange {
            change: ChangeId::new("fee-correction").unwrap(),
            target: TargetName::new("bank").unwrap(),
            content: "c1".into(),
            digest: "d1".into(),
            window: Some((at(), at())),
        }],
        left_out: vec![LeftOffList {
            change: ChangeId::new("later").unwrap(),
            why: vec![
                Missing::Lapsed,
                Missing::OwnWork {
                    person: PersonId::new("sun-yan").unwrap(),
                    part: Part::Author,
                    other: Part::Approver,
                },
                Missing::UnderWay { run: "list@2026-10-30#1".parse().unwrap() },
            ],
        }],
    }
}

fn steps() -> Vec<ChangeStep> {
    let (role, item) = (Role::new("dba").unwrap(), CheckName::new("people-present").unwrap());
    let environment = || "production".to_owned();
    let digest = || "d1".to_owned();
    let person = PersonId::new("sun-yan").unwrap();
    let request = ChangeRequest {
        title: "更正十月托管费".into(),
        class: ChangeClass::Data,
        kind: ChangeKind::Emergency,
        requester: Some(person.clone()),
        team: Some(TeamName::new("custody").unwrap()),
        ticket: Some("CHG-4711".into()),
        governance: Some("GOV-1".into()),
        branch: None,
    };
    vec![
        ChangeStep::Created {
            request: Box::new(request),
            key: Some(EventKey::new("redmine/4711").unwrap()),
        },
        ChangeStep::Assigned { to: person.clone() },
        ChangeStep::Submitted {
            content: digest(),
            scripts: vec!["s1".into(), "s2".into(), "s3".into(), "s4".into()],
            environment: Some(environment()),
            authors: vec![person.clone()],
            accepted: Some(jiff::civil::date(2026, 10, 29)),
            confirmed: vec![item.clone()],
            in_git: vec![
                InGit {
                    commit: "c0ffee".into(),
                    mail: "li@bank.example".into(),
                    person: Some(person.clone()),
                },
                InGit { commit: "c0ffee".into(), mail: "@".into(), person: None },
            ],
        },
        ChangeStep::Reviewed {
            content: digest(),
            role: role.clone(),
            stands_in: true,
            ticked: vec!["lock-heavy".into()],
            complete: true,
        },
        ChangeStep::Approved {
            environment: environment(),
            digest: digest(),
            role: role.clone(),
            stands_in: false,
            ticked: Vec::new(),
            complete: true,
        },
        ChangeStep::Confirmed {
            environment: Some(environment()),
            item,
            content: digest(),
            role: Some(role),
        },
        ChangeStep::Scheduled {
            environment: environment(),
            digest: digest(),
            opens: Some(at()),
            closes: Some(at()),
        },
        ChangeStep::Began { began: Box::new(began(person)) },
        ChangeStep::Ended { ended: Box::new(ended()) },
        ChangeStep::Decided { environment: environment(), applied: true, accepted: false },
        ChangeStep::FedBack,
        ChangeStep::Closed,
        ChangeStep::Archived,
        ChangeStep::Returned,
        ChangeStep::Withdrawn,
    ]
}

fn began(person: PersonId) -> Began {
    Began {
        environment: "production".into(),
        target: TargetName::new("bank").unwrap(),
        attempt: "eod@2026-10-30#1/load/1".parse().unwrap(),
        content: "d1".into(),
        digest: "d2".into(),
        window: Some(WindowDecision::Open {
            classes: vec![WindowClass::new("data-change").unwrap()],
            closes: Some(at()),
        }),
        executor: Some(person.clone()),
        watcher: Some(person),
        declared: None,
    }
}

fn ended() -> Executed {
    Executed {
        environment: "production".into(),
        attempt: "eod@2026-10-30#1/load/1".parse().unwrap(),
        content: "d1".into(),
        state: ChangeState::InDoubt,
        rows: 3,
        backup_rows: 3,
        started: Some(at()),
        ended: at(),
        checks: 2,
        good: 1,
        why: Some("lost with its host".into()),
        progress: None,
        rehearsal: Vec::new(),
    }
}
