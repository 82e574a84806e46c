//! What must hold in every night, found out by other ways than the core's own: windows by walking the clock, calendars
//! by counting days, room by adding up, deadlines by trying offsets. Only the state's fold and the site are shared.
//!
//! - [`Witness::take`]: each fact, before it is folded in.
//! - [`Witness::look`]: after each step. Incremental: deadlines as they pass, and of the waiting jobs a few each time,
//!   in turn, so that a step costs the same in a night of any size.
//! - [`Witness::look_at_all`]: everything; at crashes and at the end of a night.
//! - [`plan::plan_holds`]: the plan of a night against a calm night played by itself.

mod alarms;
mod cleared;
mod closed;
mod closes;
mod days;
mod deadlines;
mod history;
mod listed;
mod openings;
mod placed;
pub(super) mod plan;
pub(super) mod precedence;
mod shifts;
mod start;
mod waiting;
mod weekly;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::core::fact::{Action, Fact};
use crate::core::gate::Resource;
use crate::core::night::Core;
use crate::core::state::{State, Unfit};
use crate::definition::site::Site;
use crate::types::{AttemptId, HostName, Label, Now, RunId};

/// A rule that a night broke.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Violation {
    #[error("{0} was started though {1}")]
    Started(AttemptId, String),
    #[error("{0} was started out of turn: {1}")]
    OutOfTurn(AttemptId, String),
    #[error("{0} was intended twice")]
    Twice(AttemptId),
    #[error("the event with the key {0} was taken twice")]
    EventTwice(String),
    #[error("{0}: {1}")]
    OldNews(AttemptId, String),
    #[error("{0} was settled though {1}")]
    Settled(String, String),
    #[error("{resource:?}: {used} of {size} are in use")]
    TooMuch { resource: Resource, used: u32, size: u32 },
    #[error("{0} waits, and nothing says for what")]
    NoObstacle(String),
    #[error("{0} waits for ever: {1}")]
    ForEver(String, String),
    #[error("{0} was started, and yet the core names obstacles: {1}")]
    Obstacle(AttemptId, String),
    #[error("{0} passed at {1}, and nobody says that it was missed")]
    DeadlineNotSeen(String, Timestamp),
    #[error("{0} is forgotten: {1}")]
    Forgotten(String, String),
    #[error("the hand-over {0} is left lying: {1}")]
    LeftLying(String, String),
    #[error("{0} is closed, and {1}")]
    Closed(String, String),
    #[error("{0}: {1} was to be confirmed by now, and nobody is told")]
    Unsaid(String, String),
    #[error("the list of {0}: {1}")]
    Listed(String, String),
    #[error("{0} of {1} is told twice or never")]
    Weekly(String, Timestamp),
    #[error("the plan is not what happens: {0}")]
    Plan(String),
    #[error("the state that facts give again is not the live one")]
    Replay,
    #[error("the night does not come to its end: {0}")]
    Endless(String),
    #[error("{0} is told of, and {1}")]
    NotSo(String, String),
    #[error("nobody is told of {0}: {1}")]
    Untold(String, String),
    #[error("a made-up part does not hold together: {0}")]
    Made(String),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// The facts of a night, taken in one by one beside the core.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) state: State,
    /// What changes go by, whatever runs go by.
    site: Option<Arc<Site>>,
    history: history::History,
    clock: openings::Clock,
    /// Whether a job takes part on the date of its run; found out once.
    days: BTreeMap<(RunId, usize), bool>,
    deadlines: deadlines::Watched,
    waiting: waiting::Turn,
    precedence: precedence::Watched,
    /// The host that was chosen last for each label.
    chosen: BTreeMap<Label, HostName>,
    weekly: weekly::Weekly,
    /// Runs that the supervisor of the moment has opened or taken up, and that are not over.
    going: BTreeSet<RunId>,
    /// The time of the last step.
    looked: Option<Now>,
    /// Reads half the waits that policies give: a control.
    impatient: bool,
    /// The same of hand-overs.
    impatient_of_shifts: bool,
}

impl Witness {
    /// Of a site, whose definitions have this digest.
    pub(super) fn of(digest: &str, site: Arc<Site>) -> Self {
        let mut witness = Self { site: Some(Arc::clone(&site)), ..Self::default() };
        witness.state.define(digest, site);
        witness
    }

    /// One fact, as it was decided at `at` while these hosts could be reached.
    pub(super) fn take(
        &mut self,
        at: Timestamp,
        fact: &Fact,
        hosts: &BTreeSet<HostName>,
    ) -> Result<(), Violation> {
        self.history.take(fact)?;
        match fact {
            Fact::AttemptIntended { attempt, host, examine: true, .. } => {
                self.placed(attempt, host)?;
                self.examinable(attempt, hosts.contains(host))?;
            }
            Fact::AttemptIntended { attempt, host, .. } => {
                self.placed(attempt, host)?;
                self.startable(at, attempt, host, hosts.contains(host))?;
                self.rightly_chosen(at, (attempt, host), hosts)?;
                let used = self.in_use();
                self.its_turn(at, attempt, hosts, &used)?;
                self.room(attempt, host, &used)?;
            }
            Fact::Settled { run, job, why, outcome } => {
                self.settled(at, (run, job), (*outcome, why))?;
            }
            _ => {}
        }
        self.note_choice(fact)?;
        closes::is_so(&self.state, &mut self.clock, at, fact)?;
        self.of_changes(at, fact)?;
        match fact {
            Fact::Acted { run, action: Action::Deadline { job, deadline, to, .. }, .. } => {
                let run = self.state.run(run)?;
                self.deadlines.moved(run, (job.as_ref(), *deadline), *to);
            }
            Fact::RunOpened(opened) => {
                self.deadlines.add(self.state.run(&opened.run)?);
                self.going.insert(opened.run.clone());
            }
            Fact::RunResumed { run, .. } | Fact::RunReopened { run } => {
                self.going.insert(run.clone());
            }
            Fact::RunEnded { run, .. } => {
                self.going.remove(run);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn look_at_weeks(&mut self, now: Timestamp) -> Result<(), Violation> {
        self.site.as_ref().map_or(Ok(()), |site| self.weekly.look(site, now))
    }

    /// Folds a fact in, held against what is asked of changes besides their starts.
    pub(super) fn of_changes(&mut self, at: Timestamp, fact: &Fact) -> Result<(), Violation> {
        if let Some(site) = &self.site {
            closed::closable(&self.state, site, &mut self.clock, fact)?;
        }
        self.state.apply(at, fact)?;
        match fact {
            Fact::RunOpened(opened) => listed::look(&self.state, at, &opened.run),
            Fact::WeeklyTold(told) => self.weekly.take(told),
            _ => Ok(()),
        }
    }

    #[cfg(test)]
    pub(super) fn is_impatient(&mut self) {
        self.impatient = true;
    }

    #[cfg(test)]
    pub(super) fn is_impatient_of_shifts(&mut self) {
        self.impatient_of_shifts = true;
    }

    #[cfg(test)]
    pub(super) fn reads(&mut self, reading: precedence::Reading) {
        self.precedence.reading = reading;
    }

    /// After a step that was carried out at `now`.
    pub(super) fn look(&mut self, core: &Core, now: Now) -> Result<(), Violation> {
        self.looked = Some(now);
        self.deadlines.look(core, &self.going, now)?;
        alarms::look(core, now, self.impatient)?;
        shifts::look(core, now, self.impatient_of_shifts)?;
        if let Some(site) = &self.site {
            closed::look(core.state(), site, now.wall)?;
        }
        self.look_at_weeks(now.wall)?;
        self.waiting.look(core, &self.going, now)
    }

    /// After a look at the windows that close.
    pub(super) fn look_at_closes(&mut self, core: &Core, now: Now) -> Result<(), Violation> {
        let runs = self.going.iter().cloned();
        closes::is_told(core.state(), &mut self.clock, runs, now)
    }

    /// The supervisor is gone. What its runs wait for is looked at again once they are resumed.
    pub(super) fn crashed(&mut self) {
        self.going.clear();
        self.deadlines.crashed();
    }

    /// Everything, as of the last step: the live state is that of the facts, every waiting job says why, and none waits
    /// for ever. Since that step time may have passed, which the core was not told.
    pub(super) fn look_at_all(&mut self, core: &Core) -> Result<(), Violation> {
        if *core.state() != self.state {
            return Err(Violation::Replay);
        }
        let Some(now) = self.looked else { return Ok(()) };
        self.deadlines.look(core, &self.going, now)?;
        waiting::all(core, &self.going, now)
    }
}

#[cfg(test)]
mod tests;
