//! The core: an event and a time in, facts and commands out. Everything the supervisor does follows from here.
//!
//! A step first turns the event into facts, then lets the night move: jobs whose needs came out are settled or queued,
//! queued jobs start as far as their gates allow, deadlines that have passed are noted, runs that cannot move end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::act::By;
use super::agenda::Agenda;
use super::change::overdue::Confirmations;
pub use super::command::{Command, HandOverNotice, Notice};
pub use super::event::Event;
use super::fact::{Action, Fact, RunOpened};
use super::hand_over::Shifts;
use super::incident::OnCall;
use super::invariant::{Around, Watch};
use super::refused::{Refused, Rule};
use super::rules::Rules;
use super::service::Service;
use super::state::{Run, State, Unfit};
use crate::definition::site::Host;
use crate::types::{
    AttemptId, BootId, BusinessDate, Due, HostName, IncidentId, JobRef, Now, Outcome, PersonId,
    RunId,
};

/// The answer of a step. Facts are to be made durable before any command is carried out.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Turn {
    pub facts: Vec<Fact>,
    pub commands: Vec<Command>,
    /// Of a selection, what was not allowed.
    pub left: Vec<(Action, Refused)>,
}

/// Why a step came to nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// A rule of the product says no: told to whoever asked. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The core contradicts itself, or was about to break one of its [invariants](super::invariant). What it holds is
    /// not to be gone on with: the supervisor stops, and another begins again from the journal.
    #[error("defect in the core: {0}")]
    Unfit(#[from] Unfit),
}

/// The live night.
#[derive(Debug, Default)]
pub struct Core {
    pub(super) state: State,
    pub(super) agenda: Agenda,
    /// Hosts whose agent can be reached, with the boot that they are in.
    pub(super) hosts: BTreeMap<HostName, BootId>,
    /// Attempts that were asked after and not answered for: deadlines wait for the answer.
    pub(super) asked: BTreeSet<AttemptId>,
    pub(super) rules: BTreeMap<String, Arc<Rules>>,
    pub(super) watch: Watch,
    /// The schedules whose starts are made here; `None`: runs are only ordered.
    pub(super) service: Option<Service>,
    next_incident: u64,
    /// Who is told of incidents; `None`: nobody, in a look ahead.
    pub(super) on_call: Option<Arc<OnCall>>,
    /// When the link to a host last came up or was lost.
    links: BTreeMap<HostName, jiff::Timestamp>,
    /// Hosts that are away, since when; of those that were told of it is an incident.
    pub(super) away: BTreeMap<HostName, Duration>,
    /// When something is due about an incident, as long as none has moved.
    pub(super) incidents_due: Option<jiff::Timestamp>,
    pub(super) incidents_moved: bool,
    /// The time of the last look at incidents.
    pub(super) incidents_seen: Option<jiff::Timestamp>,
    /// When a drill is overdue, as long as no incident has moved.
    pub(super) drill_due: Option<jiff::Timestamp>,
    /// What people confirm of changes in time.
    pub(super) confirmations: Confirmations,
    /// Shifts are handed over here; `None`: nobody sees to that.
    pub(super) shifts: Option<Shifts>,
    /// For a look ahead: people do their part for changes, so that only time is in their way.
    pub(super) people_assumed: bool,
    /// Facts were taken in again, and the agenda and the watch do not know yet who holds what.
    replayed: bool,
}

/// How long deadlines wait for a host to say what ended meanwhile.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(60);

impl Core {
    /// From now on people do their part in every change: a look ahead.
    pub fn assume_people(&mut self) {
        self.people_assumed = true;
    }

    /// `next_incident`: one more than the highest incident number ever given in this site.
    pub fn new(next_incident: u64) -> Self {
        Self { next_incident, ..Self::default() }
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Takes a recorded fact in again. After the last one, [`Event::Resume`] sets the run going.
    pub fn replay(&mut self, at: jiff::Timestamp, fact: &Fact) -> Result<(), Unfit> {
        if let Fact::IncidentOpened(opened) = fact {
            self.next_incident = self.next_incident.max(opened.incident.0 + 1);
        }
        self.incidents_moved = true;
        self.replayed = true;
        self.confirmations.moved = true;
        self.state.apply(at, fact)
    }

    /// For a look at what was recalled: nobody asks the hosts, so none of them is told to be away. Who holds what is
    /// known from the state.
    pub fn assume_hosts_reached(&mut self, boot: &BootId) {
        for run in self.state.runs.values() {
            self.agenda.know(run);
        }
        let hosts = self.state.runs.values().flat_map(|run| {
            run.batch.jobs.iter().flat_map(|job| run.site.hosts_of(&run.batch, job))
        });
        self.hosts = hosts.map(|host| (host.clone(), boot.clone())).collect();
    }

    /// For a night that is only tried: nobody has sought the host yet, and who comes would.
    pub fn assume_host_reached(&mut self, host: &HostName, boot: &BootId) {
        self.hosts.entry(host.clone()).or_insert_with(|| boot.clone());
    }

    /// A second night that begins where this one stands, to look ahead in. Every run goes on; attempts in flight stay so.
    /// Nobody is told of anything in it.
    pub(super) fn fork(&self) -> Self {
        Self { on_call: None, ..self.over(self.state.clone()) }
    }

    /// The same rules, definitions and hosts over another state.
    pub fn over(&self, state: State) -> Self {
        let mut fork = Self {
            state,
            hosts: self.hosts.clone(),
            rules: self.rules.clone(),
            next_incident: self.next_incident,
            on_call: self.on_call.clone(),
            incidents_moved: true,
            ..Self::default()
        };
        fork.watch = Watch::of(&fork.state);
        for run in fork.state.runs.values() {
            fork.agenda.know(run);
            if run.result.is_none() {
                fork.agenda.enlist(run);
            }
        }
        fork
    }

    /// What would come of an event now. Nothing is changed here; the core that it would lead to is for looking ahead.
    pub fn would(&self, now: Now, event: Event) -> Result<(Self, Turn), StepError> {
        let mut as_if = self.fork();
        as_if.on_call.clone_from(&self.on_call);
        let turn = as_if.step(now, event)?;
        as_if.on_call = None;
        Ok((as_if, turn))
    }

    /// Takes one event in.
    pub fn step(&mut self, now: Now, event: Event) -> Result<Turn, StepError> {
        if std::mem::take(&mut self.replayed) {
            self.watch = Watch::of(&self.state);
            for run in self.state.runs.values() {
                self.agenda.know(run);
            }
        }
        let mut mover = Mover { core: self, now, turn: Turn::default() };
        mover.take(event)?;
        mover.go_on()?;
        mover.core.watch.end_of_step().map_err(Unfit::from)?;
        Ok(mover.turn)
    }

    /// When work moves on though nothing happens.
    pub fn next_move(&self) -> Due {
        let due = self.agenda.next_wake();
        let pool = self.state.standing.next_pool_back();
        Due { wall: due.wall.into_iter().chain(pool).min(), ..due }
    }

    /// When to call again though nothing happens: work moves on, or somebody is to be told.
    pub fn next_wake(&self) -> Due {
        let due = self.next_move();
        let incident = match self.incidents_moved {
            true => self.next_incident_due(),
            false => self.incidents_due,
        };
        let away = self.away.iter().map(|(host, since)| *since + self.away_after(host)).min();
        Due {
            wall: due
                .wall
                .into_iter()
                .chain(incident)
                .chain(self.hand_over_due())
                .chain(self.bulletin_due())
                .chain(self.next_report())
                .chain(self.weekly_due())
                .chain(self.confirmations.next())
                .chain(self.inspections_due())
                .chain(self.drill_due)
                .min(),
            since_boot: due.since_boot.into_iter().chain(away).min(),
        }
    }

    /// Whether deadlines wait for a host to say what ended meanwhile; see [`ANSWER_WITHIN`].
    pub fn hears_hosts_first(&self) -> bool {
        self.agenda.deadlines_from.is_some()
    }

    /// The boot of a host whose agent can be reached.
    pub fn boot_of(&self, host: &HostName) -> Option<&BootId> {
        self.hosts.get(host)
    }

    /// When the link to a host last came up or was lost; `None`: nobody has sought it.
    pub fn link_since(&self, host: &HostName) -> Option<jiff::Timestamp> {
        self.links.get(host).copied()
    }

    /// How a host is declared: as it is served now, else as the latest run has it.
    pub(super) fn declared(&self, host: &HostName) -> Option<&Host> {
        let served = self.served().and_then(|site| site.hosts.get(host));
        let mut runs = self.state.runs.values().rev();
        served.or_else(|| runs.find_map(|run| run.site.hosts.get(host)))
    }

    /// How long a host may be away before somebody is told.
    pub(super) fn away_after(&self, host: &HostName) -> Duration {
        self.declared(host).map_or(Host::AWAY_AFTER, |host| host.away_after).get()
    }

    /// Whether some attempt may be running.
    pub fn busy(&self) -> bool {
        self.state.runs.values().any(|run| run.in_flight > 0)
    }

    pub(super) fn rules_of(&self, run: &Run) -> Result<&Arc<Rules>, Unfit> {
        let digest = &run.opened.definition;
        let missing = || Unfit::NoDefinition(run.id().clone(), digest.clone());
        self.rules.get(digest).ok_or_else(missing)
    }

    pub(super) fn take_incident_number(&mut self) -> IncidentId {
        let number = self.next_incident.max(1);
        self.next_incident = number + 1;
        IncidentId(number)
    }
}

/// One step under way: emits facts, which change the state at once.
pub(super) struct Mover<'a> {
    pub(super) core: &'a mut Core,
    pub(super) now: Now,
    pub(super) turn: Turn,
}

impl Mover<'_> {
    pub(super) fn emit(&mut self, fact: Fact) -> Result<(), Unfit> {
        let Core { state, rules, hosts, watch, people_assumed, .. } = &mut *self.core;
        let people_assumed = *people_assumed;
        watch.check(Around { state, rules, hosts, now: self.now, people_assumed }, &fact)?;
        self.core.state.apply(self.now.wall, &fact)?;
        let of_incident = matches!(
            fact,
            Fact::IncidentOpened(_) | Fact::IncidentMoved(_) | Fact::IncidentClosed { .. }
        );
        self.core.incidents_moved |= of_incident;
        self.core.confirmations.moved |= matches!(fact, Fact::ChangeMoved { .. });
        let of_hand_over = matches!(fact, Fact::HandOverOpened(_) | Fact::HandOverMoved(_));
        if let Some(shifts) = &mut self.core.shifts {
            shifts.moved |= of_incident || of_hand_over;
        }
        self.turn.facts.push(fact);
        Ok(())
    }

    pub(super) fn command(&mut self, command: Command) {
        self.turn.commands.push(command);
    }

    fn take(&mut self, event: Event) -> Result<(), StepError> {
        match event {
            Event::Tick => {}
            Event::Open { opened, across } => self.open(*opened, across)?,
            Event::Across { known } => {
                for (job, date, outcome) in known {
                    self.hear_of(job, date, outcome)?;
                }
            }
            Event::Resume { run, by, boot } => self.resume(&run, by, &boot)?,
            Event::HostUp { host, boot } => {
                self.core.links.insert(host.clone(), self.now.wall);
                self.host_up(host, boot)?;
            }
            Event::HostAway { host } => {
                self.core.links.insert(host.clone(), self.now.wall);
                self.core.hosts.remove(&host);
                self.core.away.entry(host).or_insert(self.now.since_boot);
            }
            Event::Started { attempt, pid, at } => self.started(attempt, pid, at)?,
            Event::Ended(ended) => self.ended(*ended)?,
            Event::NotKnown { attempt } => self.not_known(attempt)?,
            Event::Act { run, by, reason, action } => {
                self.acts(&run, &By::alone(by, reason), vec![action])?;
            }
            Event::ActOn { run, by, reason, which, deed } => {
                self.act_on(&run, By::alone(by, reason), &which, &deed)?;
            }
            Event::Rerun { run, jobs, by, reason } => {
                self.rerun(&run, &jobs, By::alone(by, reason))?;
            }
            Event::Freeze { by, what, two_lift } => self.freeze(by, *what, two_lift)?,
            Event::Unfreeze { freeze, by, reason } => {
                self.unfreeze(freeze, &By::alone(by, reason))?;
            }
            Event::SizePool { pool, size, until, by, reason } => {
                self.size_pool(pool, (size, until), By::alone(by, reason))?;
            }
            Event::Drain { host, drain, by, reason } => self.drain(host, drain, by, reason)?,
            Event::Propose { by, reason, what } => {
                self.ask_second(&By::alone(by, reason), what)?;
            }
            Event::Second { request, by, known, reason } => {
                self.second(request, by, known, reason)?;
            }
            Event::Credential { by, reason, what } => self.credential(by, reason, what)?,
            Event::Change { by, reason, order } => self.change(&By::alone(by, reason), *order)?,
            Event::Incident { by, reason, order } => {
                self.incident(By::alone(by, reason), *order)?;
            }
            Event::HandOver { by, reason, order } => {
                self.hand_over(By::alone(by, reason), *order)?;
            }
            Event::Figure { by, reason, order } => {
                self.enter_figure(By::alone(by, reason), *order)?
            }
            Event::Foresee { late, closing } => self.foresee(late, closing)?,
            Event::MessageRefused { about, to, why } => self.message_refused(about, to, why)?,
            Event::StoreBack { since, why } => self.store_is_back(since, why)?,
            Event::Receive(received) => self.receive(*received)?,
            Event::Serve { site, observes, revision } => {
                if let Some(revision) =
                    revision.filter(|r| self.core.state.taken.as_ref() != Some(r))
                {
                    self.emit(Fact::DefinitionsTaken { revision })?;
                }
                self.serve(site, observes)?;
            }
            Event::RefuseDefinitions { why } => self.emit(Fact::DefinitionsRefused { why })?,
            Event::MissStart { batch, scheduled, why } => self.miss_start(batch, scheduled, why)?,
            Event::TakeIn(what) => self.take_in(*what)?,
            Event::ForgetHandOvers { before } => self.forget_hand_overs(before)?,
            Event::Archived(archived) => self.emit(Fact::RunArchived(archived))?,
            Event::Stop { by, how } => self.stop(&by, how)?,
        }
        Ok(())
    }

    fn open(
        &mut self,
        opened: RunOpened,
        across: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
    ) -> Result<(), StepError> {
        let run = opened.run.clone();
        let two = self.core.rules.get(&opened.definition).map(|rules| rules.two_override);
        let alone = opened.window_override.is_some() && opened.second.is_none();
        if alone && !opened.trial && two == Some(true) {
            return Err(Refused::by(
                Rule::SecondPerson,
                "a window override takes a second person here",
            )
            .into());
        }
        for (job, date, outcome) in across {
            // Others may have waited for the same.
            self.hear_of(job, date, outcome)?;
        }
        let used = self.core.state.standing.used_by(&opened);
        self.emit(Fact::RunOpened(Box::new(opened)))?;
        for request in used {
            self.emit(Fact::SecondUsed { request })?;
        }
        self.enlist(&run)?;
        self.look_at_calendars(&run)?;
        self.look_ahead(&run.batch);
        Ok(())
    }

    fn resume(&mut self, run: &RunId, by: PersonId, boot: &BootId) -> Result<(), StepError> {
        self.core.state.run(run)?;
        let since_boot = self.now.since_boot;
        self.emit(Fact::RunResumed { run: run.clone(), by, boot: boot.clone(), since_boot })?;
        self.enlist(run)?;
        let state = self.core.state.run(run)?;
        let flying: Vec<AttemptId> =
            state.flying().map(|(index, a)| state.attempt_id(index, a.number)).collect();
        if !flying.is_empty() {
            // What ended in time while nobody watched is not late: its host is heard first.
            self.core.agenda.wait_for_answers(since_boot + ANSWER_WITHIN);
        }
        self.core.asked.extend(flying);
        let host_known: Vec<HostName> = self.core.hosts.keys().cloned().collect();
        for host in host_known {
            self.ask(&host);
        }
        Ok(())
    }

    /// Everything of a run that the agenda must know, from its state alone.
    fn enlist(&mut self, run: &RunId) -> Result<(), Unfit> {
        self.core.agenda.enlist(self.core.state.run(run)?);
        Ok(())
    }

    /// Lets everything move that can.
    fn go_on(&mut self) -> Result<(), Unfit> {
        self.miss_starts()?;
        self.pools_back()?;
        self.forget_events()?;
        self.core.agenda.due(self.now);
        if self.core.agenda.stepped_back(self.now.wall) {
            for run in self.core.state.runs.values() {
                self.core.agenda.reconsider(run);
            }
        }
        while let Some((run, index)) = self.core.agenda.pop_dirty() {
            self.consider(&run, index)?;
        }
        self.start_ready()?;
        self.check_deadlines()?;
        self.end_runs()?;
        self.tell_reports()?;
        self.miss_hosts()?;
        self.count_inspections()?;
        self.tell_bulletin()?;
        self.tell_weekly()?;
        self.watch_confirmations()?;
        self.watch_hand_overs()?;
        self.watch_drills()?;
        self.watch_incidents()
    }
}
