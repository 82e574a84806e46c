//! A night with the changes of a house.

use std::sync::Arc;

use super::house::{House, confirm, person, review, submit};
use crate::core::change::list::{self, Drawn};
use crate::core::fact::{Action, Fact};
use crate::core::night::{Command, Core, Event, StepError, Turn};
use crate::core::obstacle::Obstacle;
use crate::core::refused::Rule;
use crate::core::test_night::{boot, local, name, opened};
use crate::definition::site::Host;
use crate::definition::starter;
use crate::types::{BatchId, Ending, Now, Outcome, RunId, ShiftName};
use crate::wire::{ChangeState, ChangeWork, Check, Ended, Work};

/// A house with a run of one batch under way.
pub(super) struct Night {
    pub(super) house: House,
    pub(super) core: Core,
    pub(super) now: Now,
    pub(super) facts: Vec<Fact>,
    pub(super) commands: Vec<Command>,
}

impl Night {
    /// The changes, each submitted and reviewed on the day before, as jobs `needs` of which are given.
    pub(super) fn of(changes: &[(&str, &str, &str)]) -> Self {
        let jobs = changes.iter().map(|(id, _, needs)| {
            format!("  {id}: {{title: {id}, change: {id}, needs: [{needs}]}}\n")
        });
        let batch =
            format!("version: 1\nbatch: list\ntitle: List\njobs:\n{}", jobs.collect::<String>());
        let folders: Vec<(&str, &str)> =
            changes.iter().map(|(id, lines, _)| (*id, *lines)).collect();
        let more = vec![("list/list.yaml".to_owned(), batch)];
        let mut house = House::with(starter::House::H, &folders, more);
        house.at("2026-10-26T09:00");
        for (id, ..) in changes {
            house.done(id, "author", submit()).done(id, "dba", review());
        }
        Self::on(house)
    }

    /// Nothing runs yet.
    pub(super) fn on(mut house: House) -> Self {
        house.site.hosts.insert(local(), Host { trial: true, max_running: 4, ..Host::default() });
        let now = Now { wall: house.at, since_boot: std::time::Duration::from_secs(1000) };
        Self { house, core: Core::new(1), now, facts: Vec::new(), commands: Vec::new() }
    }

    pub(super) fn approved(mut self, id: &str, by: &[&str]) -> Self {
        self.house.approved(id, "production", by);
        for (by, item) in [("dba", "dba-signature"), ("shift", "people-present")] {
            self.house.done(id, by, confirm("production", item));
        }
        self
    }

    /// The run is opened at that time of 2026-10-27, or on another day. Of a list with what is on it then.
    pub(super) fn open(mut self, time: &str) -> Self {
        self.core.state.standing.changes = self.house.lives.clone();
        self.clock(time);
        self.must(Event::HostUp { host: local(), boot: boot() });
        self.open_another(1);
        self
    }

    pub(super) fn draw(&self) -> Option<Drawn> {
        let state = self.core.state();
        let under_way = state.changes_under_way();
        let known = list::Known { lives: &state.standing.changes, under_way: &under_way };
        let (site, wall) = (&self.house.site, self.now.wall);
        list::draw(site, &site.batches[&BatchId::new("list").unwrap()], known, (wall, wall))
    }

    /// The run of that number.
    pub(super) fn open_another(&mut self, number: u32) {
        let drawn = self.draw();
        let mut site = self.house.site.clone();
        let mut opened = opened("list", self.now.wall);
        opened.run.number = number;
        opened.definition = format!("d{number}");
        if let Some(drawn) = drawn {
            site.batches.insert(drawn.batch.id.clone(), drawn.batch);
            opened.list = Some(Box::new(drawn.list));
        }
        let part = site.part(&opened.batch);
        self.core.define(&opened.definition, Arc::new(part));
        self.must(Event::Open { opened: Box::new(opened), across: Vec::new() });
    }

    pub(super) fn clock(&mut self, time: &str) {
        let day = if time.contains('T') { "" } else { "2026-10-27T" };
        self.house.at(&format!("{day}{time}"));
        let passed = self.house.at.duration_since(self.now.wall).unsigned_abs();
        self.now = Now { wall: self.house.at, since_boot: self.now.since_boot + passed };
    }

    pub(super) fn at(&mut self, time: &str) -> &mut Self {
        self.clock(time);
        self.must(Event::Tick);
        self
    }

    pub(super) fn step(&mut self, event: Event) -> Result<Turn, StepError> {
        let turn = self.core.step(self.now, event)?;
        self.facts.extend(turn.facts.clone());
        self.commands.extend(turn.commands.clone());
        Ok(turn)
    }

    #[track_caller]
    pub(super) fn must(&mut self, event: Event) {
        self.step(event).unwrap();
    }

    pub(super) fn run(&self) -> RunId {
        self.core.state().runs.keys().next().unwrap().clone()
    }

    /// The rule that says no.
    pub(super) fn act(&mut self, by: &str, action: Action) -> Option<Rule> {
        let event =
            Event::Act { run: self.run(), by: person(by), reason: "because".into(), action };
        match self.step(event) {
            Ok(_) => None,
            Err(StepError::Refused(refused)) => Some(refused.rule.expect("a rule with a name")),
            Err(defect) => panic!("{by}: {defect}"),
        }
    }

    pub(super) fn release(&mut self, by: &str) -> Option<Rule> {
        let shifts = vec![ShiftName::new("day").unwrap()];
        self.act(by, Action::ReleaseChanges { shifts })
    }

    #[track_caller]
    pub(super) fn manned(&mut self) -> &mut Self {
        assert_eq!(self.release("shift"), None);
        assert_eq!(self.act("shift-too", Action::WatchChanges), None);
        self
    }

    /// What was started since the last call.
    pub(super) fn started(&mut self) -> Vec<String> {
        let commands = std::mem::take(&mut self.commands).into_iter();
        let started = commands.filter_map(|command| match command {
            Command::Start { attempt } => Some(attempt.job.to_string()),
            _ => None,
        });
        started.collect()
    }

    pub(super) fn end(&mut self, job: &str, code: i32) {
        self.end_with(job, code, None);
    }

    /// It was applied and verified.
    pub(super) fn done(&mut self, job: &str) {
        let check = Check { name: "x".into(), ok: true, detail: String::new() };
        let done = ChangeWork::none(ChangeState::Done);
        let work = ChangeWork { rows: 1, backup_rows: 1, after: vec![check], ..done };
        self.end_with(job, 0, Some(Work::Change(work)));
    }

    /// Whether it was applied is not known.
    pub(super) fn doubted(&mut self, job: &str) {
        self.end_with(job, 9, Some(Work::Change(ChangeWork::none(ChangeState::InDoubt))));
    }

    fn end_with(&mut self, job: &str, code: i32, work: Option<Work>) {
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
            work,
        })));
    }

    pub(super) fn outcome(&self, job: &str) -> Option<Outcome> {
        let run = self.core.state().run(&self.run()).unwrap();
        run.jobs[run.index(&name(job)).unwrap()].phase.outcome()
    }

    /// What `why` says, by the rules; a window by the time at which it opens.
    pub(super) fn lacks(&self, job: &str) -> Vec<String> {
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

    pub(super) fn told(&self) -> (usize, usize) {
        let count = |what: fn(&Fact) -> bool| self.facts.iter().filter(|fact| what(fact)).count();
        (
            count(|fact| matches!(fact, Fact::IncidentOpened { .. })),
            count(|fact| matches!(fact, Fact::IncidentClosed { .. })),
        )
    }
}
