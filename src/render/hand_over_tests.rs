//! A night that hands over much, and one that hands over nothing, as they are read.

use std::collections::BTreeMap;

use super::*;
use crate::core::fact::Deadline;
use crate::core::hand_over::{AheadStart, Doubt, Draft, FreezeKept, HoldKept};
use crate::core::incident::Clock as Limit;
use crate::render::sample::in_both;
use crate::types::{BatchId, ClockKind, FreezeId, IncidentId, PersonId, RequestId, Severity, Text};

fn at(time: &str) -> Timestamp {
    format!("2026-10-31T{time}:00+01:00").parse().unwrap()
}

fn who(id: &str, en: &str, zh: &str) -> Who {
    Who { id: PersonId::new(id).unwrap(), name: Text { en: en.into(), zh: Some(zh.into()) } }
}

fn li() -> Who {
    who("li-wei", "Li Wei", "李伟")
}

fn anna() -> Who {
    who("anna", "Anna Berg", "安娜")
}

/// Nothing is open.
fn calm() -> HandOverView {
    HandOverView {
        line: HandOverLine {
            id: "night@2026-10-30".parse().unwrap(),
            shift: Text { en: "Night".into(), zh: Some("夜班".into()) },
            ends: at("08:30"),
            outgoing: vec![li()],
            incoming: vec![anna()],
            state: HandOverState::Open,
            given: None,
            closed: None,
            accepted_by: None,
        },
        site: Text { en: "Sample bank".into(), zh: Some("示例银行".into()) },
        zone: Zone::named("Europe/Berlin").unwrap(),
        began: "2026-10-30T21:30:00+01:00".parse().unwrap(),
        to: vec![Text { en: "Early".into(), zh: Some("早班".into()) }],
        next: Some(at("08:30")),
        steps: Vec::new(),
        draft: Draft::default(),
        names: BTreeMap::new(),
    }
}

pub(crate) fn busy() -> HandOverView {
    let run: crate::types::RunId = "eod@2026-10-30#1".parse().unwrap();
    let (job, by) = (crate::types::JobName::new("load-rates").unwrap(), li().id);
    let (deadline, due, expected) = (Deadline::MustCompleteBy, at("06:30"), at("07:10"));
    let draft = Draft {
        drills: vec![DrillAhead {
            drill: "lost-host".parse().unwrap(),
            title: Text { en: "A host is lost".into(), zh: Some("主机故障".into()) },
            due: "2026-11-05".parse().unwrap(),
            overdue: false,
        }],
        incidents: vec![OpenIncident {
            incident: IncidentId(3),
            severity: Severity::P1,
            fault: Fault::Failed,
            run: Some(run.clone()),
            job: Some(job.clone()),
            opened: at("02:12"),
            owner: Some(by.clone()),
            muted: Some(at("09:00")),
            clocks: vec![Limit { kind: ClockKind::Solution, due: at("09:12") }],
        }],
        doubts: vec![Doubt { run: run.clone(), job: job.clone(), why: "its host was lost".into() }],
        holds: vec![HoldKept {
            run: run.clone(),
            job: job.clone(),
            by: by.clone(),
            reason: "waits for the vendor".into(),
        }],
        freezes: vec![FreezeKept {
            freeze: Some(FreezeId(1)),
            from: at("06:00"),
            to: at("12:00"),
            reason: Text::en("month end"),
        }],
        requests: vec![RequestId(4)],
        running: vec![Running {
            run: run.clone(),
            opened: at("00:30"),
            expected_end: Some(expected),
            due: Some(due),
            open_jobs: 3,
            window_override: Some("agreed with the business".into()),
            released_by: Some(by.clone()),
        }],
        ahead: vec![AheadStart { at: at("09:30"), batch: BatchId::new("morning-check").unwrap() }],
        at_risk: vec![AtRisk { run: run.clone(), job: None, deadline, due, expected }],
        calendars: vec![CalendarEnd {
            calendar: crate::types::CalendarName::new("target").unwrap(),
            last: Some(jiff::civil::date(2026, 11, 15)),
        }],
        notes: vec![Note {
            at: at("03:05"),
            by: by.clone(),
            on: format!("{run} {job}"),
            text: "called the vendor".into(),
        }],
    };
    let step = |time, by, words: &str, step, told| HandOverStepLine {
        at: at(time),
        by,
        words: words.to_owned(),
        step,
        told,
    };
    HandOverView {
        names: BTreeMap::from([(by, li().name)]),
        draft,
        steps: vec![
            step("08:10", Some(li()), "rates come by hand at ten", HandOverDeed::Noted, vec![]),
            step("08:15", Some(li()), "", HandOverDeed::Given, vec![]),
            step("08:30", None, "", HandOverDeed::Told, vec![li(), anna()]),
        ],
        line: HandOverLine { given: Some(at("08:15")), ..calm().line },
        ..calm()
    }
}

pub(crate) fn accepted() -> HandOverView {
    let mut view = busy();
    let (at, by) = (at("08:41"), Some(anna()));
    let (step, words, told) = (HandOverDeed::Accepted, "thanks".to_owned(), Vec::new());
    view.steps.push(HandOverStepLine { at, by, words, step, told });
    view.line.state = HandOverState::Accepted;
    view.line.accepted_by = Some(anna());
    (view.line.closed, view.next) = (Some(at), None);
    view
}

fn mail_in(view: &HandOverView, lang: Lang, notice: HandOverNotice) -> String {
    let mail = mail(lang, view, notice).unwrap();
    assert!(!mail.html.contains("href=") && !mail.html.contains("src="));
    format!("Subject: {}\n\n{}", mail.subject, mail.text)
}

#[test]
fn the_mail_of_a_night_that_hands_over_much() {
    insta::assert_snapshot!(in_both(|lang| mail_in(&busy(), lang, HandOverNotice::Reminder)));
}

#[test]
fn what_the_other_mails_begin_with() {
    let nobody = |mut view: HandOverView| {
        view.line.incoming.clear();
        view
    };
    let mails = |lang| {
        [
            mail_in(&calm(), lang, HandOverNotice::Begins),
            mail_in(&nobody(calm()), lang, HandOverNotice::Ends),
            mail_in(&busy(), lang, HandOverNotice::Given),
            mail_in(&accepted(), lang, HandOverNotice::Accepted),
        ]
        .map(|mail| mail.lines().take(8).collect::<Vec<_>>().join("\n"))
        .join("\n--\n")
    };
    insta::assert_snapshot!(in_both(mails));
}

#[test]
fn a_list_and_one_of_it() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let line = |state| HandOverLine { state, ..calm().line };
    let lines = [
        accepted().line,
        line(HandOverState::Given),
        line(HandOverState::Late),
        line(HandOverState::Same),
        line(HandOverState::Open),
    ];
    insta::assert_snapshot!(in_both(|lang| format!(
        "{}\n\n{}",
        list_text(lang, (&zone, at("09:00")), true, &lines),
        text(lang, &accepted())
    )));
}
