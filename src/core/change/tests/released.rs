//! Changes as jobs of a run: nothing starts before it is cleared, released and watched.

use std::sync::Arc;

use jiff::SignedDuration;

use super::house::{House, change, confirm, person, review, submit};
use crate::core::change::{ChangeOrder, ChangeStep, Missing, WindowDecision};
use crate::core::fact::{Action, Fact};
use crate::core::invariant::{Around, Watch};
use crate::core::night::{Command, Core, Event, StepError, Turn};
use crate::core::obstacle::Obstacle;
use crate::core::refused::Rule;
use crate::core::test_night::{boot, local, name, opened};
use crate::definition::site::{Freeze, FreezeScope, Host};
use crate::definition::starter;
use crate::types::{BatchId, Ending, Now, Outcome, RunId, ShiftName, Span, Text};
use crate::wire::Ended;

const PROD: &str = "class: data\ntarget: prod";
const URGENT: &str = "class: data\ntarget: prod\nkind: emergency";

/// A house with a run of one batch under way.
struct Night {
    house: House,
    core: Core,
    now: Now,
    facts: Vec<Fact>,
    commands: Vec<Command>,
}

impl Night {
    /// The changes, each submitted and reviewed on the day before, as jobs `needs` of which are given.
    fn of(changes: &[(&str, &str, &str)]) -> Self {
        let jobs = changes.iter().map(|(id, _, needs)| {
            format!("  {id}: {{title: {id}, change: {id}, needs: [{needs}]}}\n")
        });
        let batch =
            format!("version: 1\nbatch: list\ntitle: List\njobs:\n{}", jobs.collect::<String>());
        let folders: Vec<(&str, &str)> =
            changes.iter().map(|(id, lines, _)| (*id, *lines)).collect();
        let more = vec![("list/list.yaml".to_owned(), batch)];
        let mut house = House::with(starter::House::H, &folders, more);
        house.site.hosts.insert(local(), Host { trial: true, max_running: 4 });
        house.at("2026-10-26T09:00");
        for (id, ..) in changes {
            house.done(id, "author", submit()).done(id, "dba", review());
        }
        let now = Now { wall: house.at, since_boot: std::time::Duration::from_secs(1000) };
        Self { house, core: Core::new(1), now, facts: Vec::new(), commands: Vec::new() }
    }

    fn approved(mut self, id: &str, by: &[&str]) -> Self {
        self.house.approved(id, "production", by);
        for (by, item) in [("dba", "dba-signature"), ("shift", "people-present")] {
            self.house.done(id, by, confirm("production", item));
        }
        self
    }

    /// The run is opened at that time of 2026-10-27.
    fn open(mut self, time: &str) -> Self {
        self.core.define("d", Arc::new(self.house.site.clone()));
        self.core.state.standing.changes = self.house.lives.clone();
        self.clock(time);
        self.must(Event::HostUp { host: local(), boot: boot() });
        let opened = opened("list", self.now.wall);
        self.must(Event::Open { opened: Box::new(opened), across: Vec::new() });
        self
    }

    fn clock(&mut self, time: &str) {
        self.house.at(&format!("2026-10-27T{time}"));
        let passed = self.house.at.duration_since(self.now.wall).unsigned_abs();
        self.now = Now { wall: self.house.at, since_boot: self.now.since_boot + passed };
    }

    fn at(&mut self, time: &str) -> &mut Self {
        self.clock(time);
        self.must(Event::Tick);
        self
    }

    fn step(&mut self, event: Event) -> Result<Turn, StepError> {
        let turn = self.core.step(self.now, event)?;
        self.facts.extend(turn.facts.clone());
        self.commands.extend(turn.commands.clone());
        Ok(turn)
    }

    #[track_caller]
    fn must(&mut self, event: Event) {
        self.step(event).unwrap();
    }

    fn run(&self) -> RunId {
        self.core.state().runs.keys().next().unwrap().clone()
    }

    /// The rule that says no.
    fn act(&mut self, by: &str, action: Action) -> Option<Rule> {
        let event =
            Event::Act { run: self.run(), by: person(by), reason: "because".into(), action };
        match self.step(event) {
            Ok(_) => None,
            Err(StepError::Refused(refused)) => Some(refused.rule.expect("a rule with a name")),
            Err(defect) => panic!("{by}: {defect}"),
        }
    }

    fn release(&mut self, by: &str) -> Option<Rule> {
        let shifts = vec![ShiftName::new("day").unwrap()];
        self.act(by, Action::ReleaseChanges { shifts })
    }

    #[track_caller]
    fn manned(&mut self) -> &mut Self {
        assert_eq!(self.release("shift"), None);
        assert_eq!(self.act("shift-too", Action::WatchChanges), None);
        self
    }

    /// What was started since the last call.
    fn started(&mut self) -> Vec<String> {
        let commands = std::mem::take(&mut self.commands).into_iter();
        let started = commands.filter_map(|command| match command {
            Command::Start { attempt } => Some(attempt.job.to_string()),
            _ => None,
        });
        started.collect()
    }

    fn end(&mut self, job: &str, code: i32) {
        let run = self.core.state().run(&self.run()).unwrap().clone();
        let attempt = run.attempt_id(run.index(&name(job)).unwrap(), 1);
        self.must(Event::Ended(Box::new(Ended {
            attempt,
            ending: Ending::Exited { code },
            started: None,
            ended: self.now.wall,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: Default::default(),
            notes: Vec::new(),
            work: None,
        })));
    }

    fn outcome(&self, job: &str) -> Option<Outcome> {
        let run = self.core.state().run(&self.run()).unwrap();
        run.jobs[run.index(&name(job)).unwrap()].phase.outcome()
    }

    /// What `why` says, by the rules; a window by the time at which it opens.
    fn lacks(&self, job: &str) -> Vec<String> {
        let run = self.core.state().run(&self.run()).unwrap();
        let obstacles =
            self.core.obstacles(run.id(), run.index(&name(job)).unwrap(), self.now).unwrap();
        let zone = self.house.site.zone.tz();
        let said = obstacles.into_iter().map(|obstacle| match obstacle {
            Obstacle::NotCleared(missing) => missing.rule().to_string(),
            Obstacle::Window { next: Some(next), .. } => zone.to_datetime(next).to_string(),
            other => format!("{other:?}"),
        });
        said.collect()
    }

    fn told(&self) -> (usize, usize) {
        let count = |what: fn(&Fact) -> bool| self.facts.iter().filter(|fact| what(fact)).count();
        (
            count(|fact| matches!(fact, Fact::IncidentOpened { .. })),
            count(|fact| matches!(fact, Fact::IncidentClosed { .. })),
        )
    }
}

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

#[test]
fn whoever_carries_it_out_has_no_hand_in_it_afterwards() {
    for by in ["shift", "shift-too"] {
        let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("10:30");
        night.manned();
        let site = Arc::new(night.house.site.clone());
        let order = ChangeOrder { change: change("a"), wish: submit(), key: None, site };
        let (by, reason) = (person(by), "once more".to_owned());
        night.must(Event::Change { by, reason, order: Box::new(order) });
        night.at("11:00");
        assert_eq!(night.started(), [""; 0]);
        assert_eq!(night.lacks("a"), ["own-work"]);
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
