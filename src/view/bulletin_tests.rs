//! A bulletin of a former day says what one of that day said.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::core::fact::Fact;
use crate::core::hand_over::{self, HandOverStep};
use crate::core::incident::{IncidentOrder, Wanted};
use crate::core::night::Event;
use crate::core::test_night::{Night, site};
use crate::core::test_site::job;
use crate::definition::site::{Clocks, Drill, Escalation, Job, Limit, Policy, Rung, Tell};
use crate::types::{DrillName, HandOverId, IncidentKind, PersonId, Role};
use crate::view::hand_over::HandOverState;

fn lost_host() -> DrillName {
    DrillName::new("lost-host").unwrap()
}

/// A drill that is due on 2026-10-31, with a minute to answer and ten until it is over, as for real incidents.
fn night() -> Night {
    let (runbook, runbook_reviewed) = (Some(Text::en("Call.")), "2026-08-01".parse().ok());
    let mut site = site(vec![Job { runbook, runbook_reviewed, ..job("a", &[]) }]);
    let duty = Tell { roles: vec![Role::new("duty").unwrap()], ..Tell::default() };
    let rungs = vec![Rung { after: Span::seconds(0), tell: duty, by: Vec::new() }];
    let policy = Policy { title: Text::en("Duty"), rungs, remind: Span::seconds(86_400) };
    let limits = [(ClockKind::Response, 60), (ClockKind::Solution, 600)];
    let limits = limits.map(|(kind, most)| (kind, Limit::After(Span::seconds(most))));
    let drill = Drill {
        title: Text::en("A host is lost"),
        every: 30,
        from: "2026-10-01".parse().unwrap(),
        policy: None,
        severity: Severity::P1,
        runbook: None,
        people: Vec::new(),
        teams: Vec::new(),
    };
    site.escalation = Some(Arc::new(Escalation {
        policies: BTreeMap::from([("duty".parse().unwrap(), policy)]),
        policy: "duty".parse().unwrap(),
        severities: BTreeMap::new(),
        clocks: vec![Clocks {
            kinds: vec![IncidentKind::Fault, IncidentKind::Drill],
            severities: Vec::new(),
            limits: limits.into_iter().collect(),
        }],
        drills: BTreeMap::from([(lost_host(), drill)]),
        review_runbooks: Some(90),
        warn_before: Span::seconds(5),
        overlap: Span::seconds(0),
    }));
    let mut night = Night::new(site);
    let site = Arc::clone(&night.site);
    night.must(Event::Serve { site, observes: false, revision: None });
    night
}

fn ask(night: &mut Night, by: &str, order: IncidentOrder) {
    let (by, reason) = (PersonId::new(by).unwrap(), "twice a year".to_owned());
    night.must(Event::Incident { by, reason, order: Box::new(order) });
}

fn step(night: &mut Night, by: &str, number: u64, wanted: Wanted) {
    ask(night, by, IncidentOrder::Step { incident: IncidentId(number), wanted });
}

/// What happens hour by hour: two drills and two real incidents, answered in time, late and by others in turn.
fn happens(night: &mut Night, hour: u32) {
    let resolved = || Wanted::Resolve { cause: "known".to_owned(), measure: "moved".to_owned() };
    let open = |severity| {
        let (title, kind) = ("portal down".to_owned(), IncidentKind::Fault);
        IncidentOrder::Open { title, kind, severity }
    };
    match hour {
        1 => ask(night, "zhao", IncidentOrder::Drill { drill: lost_host() }),
        2 => ask(night, "zhao", open(Severity::P2)),
        3 => step(night, "li", 1, Wanted::Acknowledge),
        4 => step(night, "li", 2, Wanted::Acknowledge),
        5 => step(night, "wang", 2, Wanted::TakeOver),
        6 => step(night, "li", 1, resolved()),
        7 => step(night, "wang", 2, Wanted::Grade { severity: Severity::P1 }),
        8 => step(night, "wang", 2, resolved()),
        9 => ask(night, "zhao", IncidentOrder::Drill { drill: lost_host() }),
        10 => ask(night, "zhao", open(Severity::P3)),
        11 => step(night, "li", 3, Wanted::Acknowledge),
        12 => step(night, "li", 3, resolved()),
        _ => {}
    }
}

/// One that was opened before the time is told of where it ended in it, or later, or not at all.
#[test]
fn a_run_that_was_under_way_throughout_is_told_of() {
    let night = night();
    let (from, to) = (night.now.wall, night.now.wall + SignedDuration::from_hours(1));
    let run = |number: u32, opened: i64, ended: Option<i64>| {
        let after = |seconds| from + SignedDuration::from_secs(seconds);
        let (opened, ended) = (after(opened), ended.map(after));
        RunTold {
            run: format!("eod@2026-10-29#{number}").parse().unwrap(),
            business_date: BusinessDate(jiff::civil::date(2026, 10, 29)),
            opened,
            ended,
            result: ended.map(|_| RunResult::Well),
        }
    };
    let runs = vec![
        run(1, -60, None),
        run(2, -60, Some(7_200)),
        run(3, -60, Some(60)),
        run(4, -60, Some(-1)),
        run(5, 60, None),
        run(6, 7_200, None),
    ];
    let told = of(&night.core, (from, to), runs, Default::default()).unwrap().runs;
    let told: Vec<(String, bool)> =
        told.iter().map(|run| (run.run.to_string(), run.result.is_none())).collect();
    let expected = [(1, true), (2, true), (3, false), (5, true)];
    assert_eq!(told, expected.map(|(run, open)| (format!("eod@2026-10-29#{run}"), open)));
}

#[test]
fn a_bulletin_of_a_former_time_says_what_it_said_then() {
    let mut night = night();
    let begun = night.now.wall;
    let told = |night: &Night, to| of(&night.core, (begun, to), Vec::new(), Default::default());
    let mut then = Vec::new();
    for hour in 0..14 {
        night.pass(1_800);
        happens(&mut night, hour);
        night.pass(1_800);
        let view = told(&night, night.now.wall).unwrap();
        then.push((night.now.wall, view));
    }
    for (to, then) in &then {
        assert_eq!(told(&night, *to).as_ref(), Some(then), "{to}");
    }
    // 90 days after its review a runbook is due, and overdue from the next day on.
    assert_eq!([0, 13].map(|hour| then[hour].1.manuals.len()), [0, 1]);
    // Neither the drill that was answered afterwards nor its next date is known at first.
    let drill = |hour: usize| &then[hour].1.drills[0];
    let said = [0, 1, 3, 6, 13].map(|hour| {
        let line = drill(hour);
        let answered = line.held.iter().filter(|held| held.answered_by.is_some()).count();
        let due = line.due.map(|due| due.to_string()).unwrap_or_default();
        let open = line.under_way.map(|open| open.to_string()).unwrap_or_default();
        format!("{answered} of {} [{due}] [{open}]", line.held.len())
    });
    let expected = [
        "0 of 0 [2026-10-31] []",
        "0 of 1 [2026-10-31] [INC-1]",
        "1 of 1 [] [INC-1]",
        "1 of 1 [] []",
        "2 of 2 [] []",
    ];
    assert_eq!(said, expected);
}

#[test]
fn hand_overs_are_told_of_as_they_stood_at_the_end_of_the_time() {
    let mut night = night();
    let begun = night.now.wall;
    let hour = |hours: i64| begun + SignedDuration::from_hours(hours);
    let id: HandOverId = "night@2026-10-30".parse().unwrap();
    let opened = hand_over::Opened {
        hand_over: id.clone(),
        to: Vec::new(),
        began: begun,
        ends: hour(2),
        outgoing: vec![PersonId::new("li").unwrap()],
        incoming: Vec::new(),
        notify: Vec::new(),
    };
    night.core.replay(hour(1), &Fact::HandOverOpened(Box::new(opened))).unwrap();
    for (number, step) in [(1, HandOverStep::Given), (2, HandOverStep::Same)] {
        let (hand_over, words) = (id.clone(), String::new());
        let moved = hand_over::Moved { hand_over, number, by: None, words, step };
        let fact = Fact::HandOverMoved(Box::new(moved));
        night.core.replay(hour(i64::from(number) + 1), &fact).unwrap();
    }
    let told = |hours| {
        let view = of(&night.core, (begun, hour(hours)), Vec::new(), Default::default()).unwrap();
        view.hand_overs.iter().map(|line| line.state).collect::<Vec<_>>()
    };
    assert!(told(0).is_empty() && told(3).is_empty());
    assert_eq!([told(1), told(2)], [[HandOverState::Open], [HandOverState::Given]]);
}
