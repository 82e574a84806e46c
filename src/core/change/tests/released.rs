//! Changes as jobs of a run: nothing starts before it is cleared, released and watched.

use std::sync::Arc;

use jiff::SignedDuration;

use super::house::{change, person, submit};
use super::night::Night;
use crate::core::change::{ChangeOrder, ChangeStep, Missing, WindowDecision, Wish};
use crate::core::fact::{Action, Fact, Proposed, RunResult, StopHow};
use crate::core::invariant::{Around, Watch};
use crate::core::night::{Command, Event, StepError};
use crate::core::refused::Rule;
use crate::core::test_night::{boot, local, opened};
use crate::definition::site::{Freeze, FreezeScope};
use crate::types::{BatchId, Now, Outcome, RequestId, Span, Text};

const PROD: &str = "class: data\ntarget: prod";
const URGENT: &str = "class: data\ntarget: prod\nkind: emergency";

#[test]
fn a_list_waits_for_release_and_watch_is_told_of_once_and_a_failure_stops_its_dependents_only() {
    let ready = ["dev", "ops"];
    let mut night = Night::of(&[("a", PROD, ""), ("b", PROD, "a"), ("c", PROD, "")])
        .approved("a", &ready)
        .approved("b", &ready)
        .approved("c", &ready)
        .open("10:30");
    night.at("10:59:59");
    assert_eq!(night.lacks("a"), ["not-released", "not-released", "2026-10-27T11:00:00"]);
    assert_eq!(night.told(), (0, 0));
    night.at("11:00").at("11:01").at("11:10");
    assert_eq!(night.lacks("a"), ["not-released", "not-released"]);
    assert_eq!(night.told(), (1, 0), "one incident for the list");
    let mails = night.commands.iter().filter(|c| matches!(c, Command::Notify { .. })).count();
    assert_eq!(mails, 1);
    // Wrong people, by rule.
    let none = Action::ReleaseChanges { shifts: Vec::new() };
    assert_eq!(night.act("shift", none), Some(Rule::NotOnShift));
    for (by, rule) in [
        ("stranger", Rule::UnknownPerson),
        ("author", Rule::OwnWork),
        ("dba", Rule::OwnWork),
        ("dev", Rule::OwnWork),
    ] {
        assert_eq!(night.release(by), Some(rule), "{by}");
    }
    assert_eq!(night.release("shift"), None);
    assert_eq!(night.lacks("a"), ["not-released"]);
    for (by, rule) in [("shift", Rule::OwnWork), ("author", Rule::OwnWork), ("dba", Rule::OwnWork)]
    {
        assert_eq!(night.act(by, Action::WatchChanges), Some(rule), "{by}");
    }
    assert_eq!(night.release("shift-too"), Some(Rule::NoChange));
    assert_eq!(night.started(), [""; 0]);
    assert_eq!(night.act("shift-too", Action::WatchChanges), None);
    // One at a time on the target; the incident is closed.
    assert_eq!(night.started(), ["a"]);
    assert_eq!(night.told(), (1, 1));
    let began = night.facts.iter().rev().find_map(|fact| match fact {
        Fact::ChangeMoved { step, .. } => match &**step {
            ChangeStep::Began { began } => Some(began.clone()),
            _ => None,
        },
        _ => None,
    });
    let began = began.unwrap();
    assert_eq!(began.executor, Some(person("shift")));
    assert_eq!(began.watcher, Some(person("shift-too")));
    assert!(matches!(began.window, Some(WindowDecision::Open { .. })), "{began:?}");
    night.end("a", 1);
    assert_eq!(night.outcome("b"), Some(Outcome::Blocked));
    assert_eq!(night.started(), ["c"]);
    night.end("c", 0);
    assert_eq!(night.outcome("c"), Some(Outcome::Succeeded));
}

#[test]
fn a_late_release_starts_what_still_fits() {
    for (released, started) in [("11:55", true), ("11:55:01", false)] {
        let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("11:00");
        night.at(released).manned();
        assert_eq!(night.started() == ["a"], started, "{released}");
        if !started {
            assert_eq!(night.lacks("a"), ["2026-10-27T16:00:00"]);
            night.at("16:00");
            assert_eq!(night.started(), ["a"]);
        }
    }
}

#[test]
fn its_window_has_room_for_what_its_job_is_expected_to_take() {
    for (released, started) in [("11:13", true), ("11:13:01", false)] {
        let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]);
        let list = night.house.site.batches.get_mut(&BatchId::new("list").unwrap()).unwrap();
        Arc::make_mut(list).jobs[0].expected = Some(Span::seconds(1_800));
        let mut night = night.open("11:00");
        night.at(released).manned();
        assert_eq!(night.started() == ["a"], started, "{released}");
    }
}

/// It goes on when it is resumed, and not before: nothing of it is settled meanwhile.
#[test]
fn what_became_of_a_change_of_a_stopped_run_is_decided_when_it_goes_on() {
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("11:00");
    night.manned();
    assert_eq!(night.started(), ["a"]);
    night.must(Event::Stop { by: person("shift"), how: StopHow::Wait });
    night.doubted("a");
    assert_eq!(night.core.state().run(&night.run()).unwrap().result, Some(RunResult::Stopped));
    let refused = |no: StepError| match no {
        StepError::Refused(no) => (no.rule, no.what),
        other => panic!("{other}"),
    };
    let because = "nothing there".to_owned();
    // The first person hears it, in the words that the second one would hear.
    let site = Arc::new(night.house.site.clone());
    let wish = Wish::Decide { applied: Some(false), how: None };
    let order = ChangeOrder { change: change("a"), wish, key: None, site, named: Vec::new() };
    let ask = |by| Event::Change {
        by: person(by),
        reason: because.clone(),
        order: Box::new(order.clone()),
    };
    let first = refused(night.step(ask("ops")).unwrap_err());
    assert_eq!(first.0, Some(Rule::RunStopped), "{}", first.1);
    // Stopped between the two: the second one hears it.
    let what =
        Proposed::Change { change: order.change.clone(), wish: Box::new(order.wish.clone()) };
    let (request, at) = (RequestId(1), night.now.wall);
    let until = at + SignedDuration::from_mins(9);
    let (by, reason) = (person("ops"), because.clone());
    night.core.replay(at, &Fact::SecondAsked { request, by, reason, what, until }).unwrap();
    let yes =
        Event::Second { request, by: person("dba-too"), known: true, reason: because.clone() };
    assert_eq!(refused(night.step(yes).unwrap_err()), first);
}

#[test]
fn whoever_carries_it_out_has_no_hand_in_it_afterwards() {
    // What whoever turns out to be an author has confirmed does not count either.
    for (by, lacks) in
        [("shift", vec!["not-confirmed", "own-work"]), ("shift-too", vec!["own-work"])]
    {
        let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("10:30");
        night.manned();
        let site = Arc::new(night.house.site.clone());
        let order =
            ChangeOrder { change: change("a"), wish: submit(), key: None, site, named: Vec::new() };
        let (by, reason) = (person(by), "once more".to_owned());
        night.must(Event::Change { by, reason, order: Box::new(order) });
        night.at("11:00");
        assert_eq!(night.started(), [""; 0]);
        assert_eq!(night.lacks("a"), lacks);
    }
}

#[test]
fn what_is_not_approved_for_what_the_run_holds_does_not_start_and_an_approval_lets_it() {
    // One role is missing; it is given during the window.
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev"]).open("10:30");
    night.manned().at("11:00");
    assert_eq!(night.lacks("a"), ["not-approved"]);
    assert_eq!(night.told(), (1, 0));
    let order = |wish| ChangeOrder {
        change: change("a"),
        wish,
        key: None,
        site: Arc::new(night.house.site.clone()),
        named: Vec::new(),
    };
    let approve = order(super::house::approve("production"));
    night.must(Event::Change {
        by: person("ops"),
        reason: "complete".into(),
        order: Box::new(approve),
    });
    assert_eq!(night.started(), ["a"]);
    assert_eq!(night.told(), (1, 1));
    // The run holds other bytes than were approved.
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]);
    night.house.site.changes.get_mut(&change("a")).unwrap().content = "other".into();
    let mut night = night.open("11:00");
    night.manned();
    assert!(night.lacks("a").contains(&"lapsed".to_owned()), "{:?}", night.lacks("a"));
    assert_eq!(night.started(), [""; 0]);
    // Nobody has its role any more.
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]);
    night.house.site.people.get_mut(&person("ops")).unwrap().roles.clear();
    let mut night = night.open("11:00");
    night.manned();
    assert_eq!(night.lacks("a"), ["lapsed"]);
}

#[test]
fn an_emergency_starts_outside_of_its_window_with_its_quorum_and_not_without() {
    for (ccb, started) in [(vec!["ccb-a"], false), (vec!["ccb-a", "ccb-b"], true)] {
        let by: Vec<&str> = ["dev", "tester", "ops"].into_iter().chain(ccb).collect();
        let mut night = Night::of(&[("a", URGENT, "")]).approved("a", &by).open("03:00");
        night.manned();
        assert_eq!(night.started() == ["a"], started, "{by:?}: {:?}", night.lacks("a"));
        let urgent = night.facts.iter().any(|fact| {
            matches!(fact, Fact::ChangeMoved { step, .. }
            if matches!(&**step, ChangeStep::Began { began }
                if began.window == Some(WindowDecision::Emergency)))
        });
        assert_eq!(urgent, started);
    }
}

#[test]
fn an_emergency_starts_when_the_freeze_ends_whatever_its_window() {
    let by = ["dev", "tester", "ops", "ccb-a", "ccb-b"];
    let mut night = Night::of(&[("a", URGENT, "")]).approved("a", &by);
    let [from, to] = ["2026-10-26T18:00:00Z", "2026-10-26T20:00:00Z"].map(|at| at.parse().unwrap());
    let (reason, scope) = (Text::en("Upgrade"), FreezeScope::default());
    night.house.site.freezes.push(Freeze { reason, from, to, scope });
    let mut night = night.open("03:00");
    night.manned();
    assert_eq!(night.lacks("a"), ["2026-10-27T04:00:00"]);
    night.at("04:00");
    assert_eq!(night.started(), ["a"]);
}

#[test]
fn a_trial_and_a_site_without_rules_ask_nobody() {
    for trial in [true, false] {
        let mut night = Night::of(&[("a", PROD, "")]);
        night.clock("03:00");
        if !trial {
            night.house.site.change_rules = None;
        }
        night.core.define("d", Arc::new(night.house.site.clone()));
        night.must(Event::HostUp { host: local(), boot: boot() });
        let mut opened = opened("list", night.now.wall);
        opened.trial = trial;
        night.must(Event::Open { opened: Box::new(opened), across: Vec::new() });
        assert_eq!(night.started(), ["a"]);
        assert_eq!(night.release("shift"), Some(Rule::NoSuchThing));
    }
}

#[test]
fn the_invariants_say_no_to_a_start_that_nobody_released() {
    let night = |by: &[&str]| Night::of(&[("a", PROD, "")]).approved("a", by).open("10:30");
    let check = |night: &Night| {
        let core = &night.core;
        let around = Around {
            state: &core.state,
            rules: &core.rules,
            hosts: &core.hosts,
            now: Now { wall: night.now.wall + SignedDuration::from_mins(45), ..night.now },
            people_assumed: false,
        };
        let run = core.state().run(&night.run()).unwrap();
        let attempt = run.attempt_id(0, 1);
        let fact = Fact::AttemptIntended { attempt, host: local(), boot: boot(), examine: false };
        Watch::of(&core.state).check(around, &fact).err().map(|broken| broken.though)
    };
    let mut ready = night(&["dev", "ops"]);
    assert!(check(&ready).unwrap().contains("not released"));
    ready.manned();
    assert_eq!(check(&ready), None);
    let mut short = night(&["dev"]);
    short.manned();
    assert!(check(&short).unwrap().contains("0 of 1 have approved"));
}

#[test]
fn a_look_ahead_takes_for_granted_what_people_do_and_says_so() {
    let night = Night::of(&[("a", PROD, "")]).open("10:30");
    let ahead = crate::core::forecast::of_night(&night.core, night.now).unwrap();
    let job = &ahead.runs[&night.run()].jobs[0];
    assert_eq!(job.outcome, Some(Outcome::Succeeded));
    assert!(job.assumed);
    let zone = night.house.site.zone.tz();
    assert_eq!(zone.to_datetime(job.start.unwrap()).to_string(), "2026-10-27T11:00:00");
    assert!(night.lacks("a").contains(&Missing::Release.rule().to_string()));
    assert_eq!(BatchId::new("list").unwrap(), night.run().batch);
}

#[test]
fn whoever_releases_and_watches_has_the_roles_that_the_rules_name() {
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("10:30");
    let mut on_shift = |by: &str| night.release(by);
    // House H: a DBA or operations.
    assert_eq!(on_shift("tester"), Some(Rule::RoleMissing));
    assert_eq!(on_shift("shift"), None);
    assert_eq!(night.act("helper", Action::WatchChanges), Some(Rule::RoleMissing));
    assert_eq!(night.act("dba-too", Action::WatchChanges), None);
    night.at("11:00");
    assert_eq!(night.started(), ["a"]);
}
