//! What other systems tell (事件): an event of a business date lets jobs go on that wait for it, once for each key.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::ahead::Later;
use super::fact::{Fact, Why};
use super::incident::Fault;
use super::night::{Mover, StepError};
use super::opening::later;
use super::phase::Phase;
use super::refused::{Refused, Rule};
use super::state::{Run, State, Unfit};
use crate::definition::site::Kind;
use crate::types::{BusinessDate, EventKey, EventName, JobName, Outcome, PersonId, RunId, Span};

/// An event counts for runs of its date that are opened so long after it at the latest.
pub const COUNTS_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So long the same key is known again. Longer than [`COUNTS_FOR`].
pub const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(35 * 24);

/// An event as it was taken in, with what it did: the same key again is answered from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Received {
    pub key: EventKey,
    pub event: EventName,
    pub business_date: BusinessDate,
    /// Of the batches that it orders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    pub by: PersonId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Runs that it has opened.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// Jobs that waited for it; those whose needs are not fulfilled yet do not wait any more when they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobOfRun>,
}

/// A job of one run.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct JobOfRun {
    pub run: RunId,
    pub job: JobName,
}

/// An event that stands, and since when.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    pub what: Received,
    pub at: Timestamp,
}

impl Heard {
    /// The last instant at which a run may be opened that it counts for.
    pub fn counts_until(&self) -> Timestamp {
        later(self.at, COUNTS_FOR)
    }

    fn forgotten_at(&self) -> Timestamp {
        later(self.at, KNOWN_FOR)
    }
}

/// The key of the event that a job of a run waits for, where it has come. A trial hears none.
pub fn came<'a>(state: &'a State, run: &Run, event: &EventName) -> Option<&'a EventKey> {
    let date = run.opened.business_date;
    let counts = |heard: &&Heard| {
        heard.what.event == *event
            && heard.what.business_date == date
            && run.opened_at <= heard.counts_until()
    };
    let heard = state.standing.events.values().filter(|_| !run.opened.trial).find(counts)?;
    Some(&heard.what.key)
}

/// Jobs that are not over and wait for an event, sooner or later.
pub fn waiting<'a>(
    state: &'a State,
    event: &'a EventName,
) -> impl Iterator<Item = (&'a Run, usize)> + 'a {
    let runs = state.runs.values().filter(|run| run.result.is_none() && !run.opened.trial);
    runs.flat_map(move |run| {
        let waits = move |index: &usize| {
            matches!(&run.job(*index).kind, Kind::WaitEvent { event: of, .. } if of == event)
                && run.jobs[*index].asked
                && run.jobs[*index].phase == Phase::Waiting
        };
        (0..run.jobs.len()).filter(waits).map(move |index| (run, index))
    })
}

/// Why the same key cannot be taken once more: it was given to something else.
pub fn another(heard: &Heard, received: &Received) -> Option<Refused> {
    let (was, is) = (&heard.what, received);
    let same = was.event == is.event
        && was.business_date == is.business_date
        && was.parameters == is.parameters;
    (!same).then(|| {
        let what = format!(
            "the key `{}` was given to the event {} of {}{}",
            was.key,
            was.event,
            was.business_date,
            if was.parameters == is.parameters { "" } else { ", with other parameters" },
        );
        Refused::by(Rule::KeyUsed, what).hint("another event needs another key")
    })
}

impl Mover<'_> {
    /// Takes an event in. The same key once more does nothing.
    pub(super) fn receive(&mut self, received: Received) -> Result<(), StepError> {
        if let Some(heard) = self.core.state.standing.events.get(&received.key) {
            return another(heard, &received).map_or(Ok(()), |refused| Err(refused.into()));
        }
        let date = received.business_date;
        let waiting: Vec<(RunId, usize)> = waiting(&self.core.state, &received.event)
            .filter(|(run, _)| run.opened.business_date == date)
            .map(|(run, index)| (run.id().clone(), index))
            .collect();
        let mut jobs = Vec::with_capacity(waiting.len());
        for (run, index) in &waiting {
            let job = self.core.state.run(run)?.job(*index).name.clone();
            jobs.push(JobOfRun { run: run.clone(), job });
        }
        self.emit(Fact::EventReceived(Box::new(Received { jobs, ..received })))?;
        for (run, index) in waiting {
            self.core.agenda.touch(&run, index);
        }
        Ok(())
    }

    /// What is too old to count for anything is let go, so that what stands does not grow for ever.
    pub(super) fn forget_events(&mut self) -> Result<(), Unfit> {
        let events = self.core.state.standing.events.values();
        let now = self.now.wall;
        let old: Vec<EventKey> = events
            .filter(|heard| heard.forgotten_at() <= now)
            .map(|heard| heard.what.key.clone())
            .collect();
        old.into_iter().try_for_each(|key| self.emit(Fact::EventForgotten { key }))
    }

    /// All that a job needs is there but its event.
    pub(super) fn wait_for_event(
        &mut self,
        run: &RunId,
        index: usize,
        (event, limit): (EventName, Option<Span>),
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let key = came(&self.core.state, state, &event).cloned();
        if key.is_some() || state.opened.trial {
            return self.settle(run, index, Outcome::Succeeded, Why::EventCame { event, key });
        }
        if state.jobs[index].asked_at.is_none() {
            let job = state.job(index).name.clone();
            self.emit(Fact::Asked { run: run.clone(), job })?;
        }
        let Some((limit, due)) = limit.zip(limit_of(self.core.state.run(run)?, index)) else {
            return Ok(());
        };
        if due > self.now.wall {
            self.core.agenda.wake_at(due, run, index);
            return Ok(());
        }
        self.settle(run, index, Outcome::Failed, Why::NoEvent { event, limit })?;
        self.fault(run, index, Fault::Failed)
    }
}

/// When a job that waits for an event has waited long enough.
pub fn limit_of(run: &Run, index: usize) -> Option<Timestamp> {
    let Kind::WaitEvent { limit: Some(limit), .. } = &run.job(index).kind else { return None };
    let since = run.jobs[index].asked_at?;
    Some(since.saturating_add_duration(limit.get()))
}

/// Whether a reason holds that names an event: it has come, or its time is over.
pub(super) fn holds(
    state: &State,
    (run, index): (&Run, usize),
    (event, why): (&EventName, &Why),
    now: Timestamp,
) -> Result<(), String> {
    if !matches!(&run.job(index).kind, Kind::WaitEvent { event: of, .. } if of == event) {
        return Err("it does not wait for that event".to_owned());
    }
    let known = |key: &EventKey| {
        state.standing.events.get(key).is_some_and(|heard| {
            heard.what.event == *event && heard.what.business_date == run.opened.business_date
        })
    };
    let holds = match why {
        Why::EventCame { key: Some(key), .. } => known(key) && !run.opened.trial,
        Why::EventCame { key: None, .. } => run.opened.trial,
        _ => limit_of(run, index).is_some_and(|due| due <= now),
    };
    if holds { Ok(()) } else { Err(format!("{why:?} does not hold")) }
}
