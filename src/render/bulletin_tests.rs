//! A bulletin of a day on which much went wrong, and one of a day on which nothing happened.

use jiff::Timestamp;

use super::*;
use crate::core::fact::MissedWhy;
use crate::core::hand_over::AheadStart;
use crate::core::incident::Fault;
use crate::core::manuals::Unreviewed;
use crate::render::sample::in_both;
use crate::types::{
    BatchId, ChangeId, ClockKind, IncidentId, JobName, PersonId, Severity, Span, Text, Zone,
};
use crate::view::Who;
use crate::view::bulletin::ChangeExecuted;
use crate::view::drill::DrillLine;
use crate::view::hand_over::HandOverState;
use crate::view::starts::Missed;
use crate::wire::ChangeState;

fn at(text: &str) -> Timestamp {
    format!("2026-10-{text}:00+01:00").parse().unwrap()
}

fn li() -> Who {
    let name = Text { en: "Li Wei".into(), zh: Some("李伟".into()) };
    Who { id: PersonId::new("li-wei").unwrap(), name }
}

fn calm() -> BulletinView {
    BulletinView {
        site: Text { en: "Sample bank".into(), zh: Some("示例银行".into()) },
        zone: Zone::named("Europe/Berlin").unwrap(),
        from: at("30T17:00"),
        to: at("31T17:00"),
        runs: Vec::new(),
        missed: Vec::new(),
        incidents: Vec::new(),
        drills: Vec::new(),
        manuals: Vec::new(),
        rounds: Vec::new(),
        changes: Vec::new(),
        recurring: Vec::new(),
        shifts: Vec::new(),
        unknown_shifts: 0,
        hand_overs: Vec::new(),
        ahead: Vec::new(),
    }
}

pub(crate) fn busy() -> BulletinView {
    let run = |run: &str, opened, ended: Option<&str>, result| RunTold {
        run: run.parse().unwrap(),
        business_date: "2026-10-30".parse().unwrap(),
        opened: at(opened),
        ended: ended.map(at),
        result,
    };
    let incident = IncidentTold {
        incident: IncidentId(3),
        severity: Severity::P1,
        fault: Fault::Failed,
        run: Some("eod@2026-10-30#1".parse().unwrap()),
        job: Some(JobName::new("load-rates").unwrap()),
        opened: at("31T02:12"),
        closed: Some(at("31T03:30")),
        owner: Some(li()),
        response: Some(Span::seconds(7 * 60)),
        solution: Some(Span::seconds(78 * 60)),
        missed: vec![ClockKind::Solution],
    };
    let open = IncidentTold {
        incident: IncidentId(4),
        owner: None,
        closed: None,
        response: None,
        solution: None,
        missed: Vec::new(),
        ..incident.clone()
    };
    BulletinView {
        runs: vec![
            run("eod@2026-10-30#1", "30T21:30", Some("31T05:10"), Some(RunResult::Failed)),
            run("morning-check@2026-10-30#1", "31T07:00", Some("31T07:02"), Some(RunResult::Well)),
            run("reports@2026-10-30#1", "31T16:50", None, None),
        ],
        missed: vec![Missed {
            batch: BatchId::new("rates").unwrap(),
            title: Text::en("Rates"),
            first: at("31T09:00"),
            last: at("31T09:00"),
            count: 1,
            why: MissedWhy::NotMadeUp,
            zone: Zone::named("Europe/Berlin").unwrap(),
            alarming: true,
        }],
        incidents: vec![incident, open],
        drills: vec![DrillLine {
            drill: "lost-host".parse().unwrap(),
            title: Text { en: "A host is lost".into(), zh: Some("主机故障".into()) },
            every: Some(90),
            due: Some("2026-11-05".parse().unwrap()),
            overdue: false,
            under_way: None,
            held: Vec::new(),
        }],
        manuals: ["2026-06-01", ""]
            .map(|reviewed| Unreviewed {
                batch: "eod".parse().unwrap(),
                job: "close".parse().unwrap(),
                reviewed: reviewed.parse().ok(),
                every: 90,
            })
            .to_vec(),
        rounds: vec![RoundsTold {
            date: "2026-10-30".parse().unwrap(),
            batch: BatchId::new("look").unwrap(),
            wanted: 4,
            done: 3,
        }],
        changes: vec![ChangeExecuted {
            change: ChangeId::new("fee-correction").unwrap(),
            environment: "production".into(),
            state: ChangeState::Done,
            ended: at("31T11:04"),
        }],
        shifts: vec![ShiftTold {
            shift: Text { en: "Night".into(), zh: Some("夜班".into()) },
            from: at("30T21:30"),
            to: at("31T08:30"),
            people: vec![li()],
        }],
        unknown_shifts: 2,
        hand_overs: vec![HandOverLine {
            id: "night@2026-10-30".parse().unwrap(),
            shift: Text::en("Night"),
            ends: at("31T08:30"),
            outgoing: vec![li()],
            incoming: Vec::new(),
            state: HandOverState::Late,
            given: None,
            closed: None,
            accepted_by: None,
        }],
        ahead: vec![AheadStart { at: at("31T21:30"), batch: BatchId::new("eod").unwrap() }],
        ..calm()
    }
}

#[test]
fn a_bulletin_says_first_what_went_wrong() {
    let mail_in = |view: &BulletinView, lang| {
        let mail = mail(lang, view).unwrap();
        assert!(!mail.html.contains("href=") && !mail.html.contains("src="));
        format!("Subject: {}\n\n{}", mail.subject, mail.text)
    };
    let both = |lang| format!("{}\n--\n{}", mail_in(&busy(), lang), mail_in(&calm(), lang));
    insta::assert_snapshot!(in_both(both));
}

#[test]
fn a_long_list_is_cut_and_says_so() {
    let mut view = calm();
    view.ahead = vec![AheadStart { at: at("31T21:30"), batch: BatchId::new("eod").unwrap() }; 150];
    let text = text(Lang::En, &view);
    assert!(text.contains("and 50 more"), "{text}");
}
