//! The list of drills, and the mails of one.

use super::*;
use crate::core::incident::{DrillTerms, Fault};
use crate::core::night::Notice;
use crate::render::incident_mail;
use crate::render::mail::Reader;
use crate::render::sample::{in_both, worked_on};
use crate::types::{
    ClockKind, DrillName, IncidentId, IncidentKind, PersonId, Severity, Span, Text,
};
use crate::view::Who;
use crate::view::incident::{IncidentMail, IncidentView};

fn text(en: &str, zh: &str) -> Text {
    Text { en: en.to_owned(), zh: Some(zh.to_owned()) }
}

fn li() -> Who {
    Who { id: PersonId::new("li-wei").unwrap(), name: text("Li Wei", "李伟") }
}

fn held(number: u64) -> DrillHeld {
    DrillHeld {
        incident: IncidentId(number),
        severity: Severity::P1,
        started: "2026-08-03T14:00:00+02:00".parse().unwrap(),
        started_by: Some(li()),
        why: "twice a year".to_owned(),
        ended: Some("2026-08-03T14:30:00+02:00".parse().unwrap()),
        answered_by: Some(li()),
        response: Some(Span::seconds(250)),
        solution: Some(Span::seconds(1800)),
        missed: Vec::new(),
        absent: Vec::new(),
        well: true,
    }
}

fn lines() -> Vec<DrillLine> {
    let line = |drill: &str, title: Text, due: Option<&str>, held| DrillLine {
        drill: DrillName::new(drill).unwrap(),
        title,
        every: due.map(|_| 90),
        due: due.map(|due| due.parse().unwrap()),
        overdue: false,
        under_way: None,
        held,
    };
    let late = DrillHeld {
        missed: vec![ClockKind::Response],
        absent: vec![text("Operations", "运维组")],
        well: false,
        ..held(2)
    };
    let open = DrillHeld {
        ended: None,
        answered_by: None,
        response: None,
        solution: None,
        well: false,
        ..held(3)
    };
    vec![
        line("lost-host", text("A host is lost", "主机故障"), Some("2026-11-01"), vec![held(1)]),
        DrillLine {
            overdue: true,
            ..line(
                "lost-site",
                text("The site is lost", "机房失效"),
                Some("2026-10-01"),
                vec![late],
            )
        },
        DrillLine {
            under_way: Some(IncidentId(3)),
            ..line("flood", text("Water", "漏水"), Some("2026-12-01"), vec![open])
        },
        line("fire", text("Fire", "火灾"), Some("2026-12-01"), Vec::new()),
        line("old", text("Tape library", "磁带库"), None, vec![held(4)]),
    ]
}

#[test]
fn drills_with_their_next_date_and_their_last_result() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let now = "2026-10-30T21:30:00+01:00".parse().unwrap();
    insta::assert_snapshot!(in_both(|lang| format!(
        "{}\n--\n{}",
        list_text(lang, (&zone, now), &lines()),
        list_text(lang, (&zone, now), &[])
    )));
}

/// A mail program shows the first words of a subject, and a chat the first line.
#[test]
fn every_message_of_a_drill_says_first_that_it_is_one() {
    let terms = DrillTerms {
        title: text("A host is lost", "主机故障"),
        why: "twice a year".to_owned(),
        runbook: Some(text("Move to the other host.", "切换至备机。")),
        ..DrillTerms::default()
    };
    let drill = DrillName::new("lost-host").unwrap();
    let mut view = IncidentView { by: Some(li()), ..worked_on() };
    view.line.fault = Fault::Drill { drill, terms: Box::new(terms) };
    view.line.kind = IncidentKind::Drill;
    (view.line.run, view.line.job) = (None, None);
    let view = IncidentMail { incident: view, head: None, job: None, blocks: Vec::new() };
    let to = PersonId::new("li-wei").unwrap();
    let write = |lang, notice: &Notice| {
        incident_mail::mail(lang, &view, notice, Reader::Person(&to)).unwrap()
    };
    let first = |lang| {
        for notice in [Notice::Opened, Notice::Acknowledged, Notice::Closed] {
            let mail = write(lang, &notice);
            let mark = if lang == Lang::En { "[DRILL " } else { "[演练 " };
            assert!(mail.subject.starts_with(mark), "{}", mail.subject);
            assert!(mail.brief.title.starts_with(mark), "{}", mail.brief.title);
            assert!(mail.html.contains(Drills::Means.say(lang).as_str()), "{}", mail.html);
        }
        let mail = write(lang, &Notice::Opened);
        format!("Subject: {}\n\n{}", mail.subject, mail.text)
    };
    insta::assert_snapshot!(in_both(first));
}
