//! No attempt twice, and nothing moved by old news: each attempt is intended, started and ended at most once, in that
//! order, while it is the latest of its job.

use std::collections::{BTreeMap, BTreeSet};

use super::Violation;
use crate::core::fact::{Fact, Why};
use crate::types::{AttemptId, EventKey, JobName, RunId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Intended,
    Started,
    Ended,
}

#[derive(Debug, Default)]
pub(super) struct History {
    attempts: BTreeMap<AttemptId, Stage>,
    latest: BTreeMap<(RunId, JobName), u32>,
    settled: BTreeMap<(RunId, JobName), bool>,
    /// Keys of events that are known.
    events: BTreeSet<EventKey>,
}

impl History {
    pub(super) fn take(&mut self, fact: &Fact) -> Result<(), Violation> {
        match fact {
            Fact::AttemptIntended { attempt, .. } => self.intended(attempt),
            Fact::AttemptStarted { attempt, .. } => self.on(attempt, Stage::Started),
            Fact::AttemptEnded { ended, .. } => self.on(&ended.attempt, Stage::Ended),
            Fact::Settled { run, job, why, .. } => {
                let settled = self.settled.entry((run.clone(), job.clone())).or_default();
                if *settled && !matches!(why, Why::Person { .. }) {
                    let what = format!("{run} {job}");
                    return Err(Violation::Settled(what, "it is settled already".to_owned()));
                }
                *settled = true;
                Ok(())
            }
            Fact::EventReceived(received) if !self.events.insert(received.key.clone()) => {
                Err(Violation::EventTwice(received.key.to_string()))
            }
            Fact::EventForgotten { key } => {
                self.events.remove(key);
                Ok(())
            }
            Fact::Reopened { run, job } => {
                self.settled.insert((run.clone(), job.clone()), false);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn intended(&mut self, attempt: &AttemptId) -> Result<(), Violation> {
        let latest = self.latest.entry((attempt.run.clone(), attempt.job.clone())).or_default();
        let before = AttemptId { number: *latest, ..attempt.clone() };
        if self.attempts.get(&before).is_some_and(|stage| *stage != Stage::Ended) {
            let why = "the attempt before it has not ended".to_owned();
            return Err(Violation::Started(attempt.clone(), why));
        }
        if attempt.number != *latest + 1 {
            let why = format!("the latest attempt is number {latest}");
            return Err(Violation::Started(attempt.clone(), why));
        }
        *latest = attempt.number;
        match self.attempts.insert(attempt.clone(), Stage::Intended) {
            None => Ok(()),
            Some(_) => Err(Violation::Twice(attempt.clone())),
        }
    }

    fn on(&mut self, attempt: &AttemptId, to: Stage) -> Result<(), Violation> {
        let old = |why: String| Err(Violation::OldNews(attempt.clone(), why));
        let latest = self.latest.get(&(attempt.run.clone(), attempt.job.clone()));
        if latest != Some(&attempt.number) {
            return old(format!("{to:?}, when the latest attempt is number {latest:?}"));
        }
        match self.attempts.get_mut(attempt) {
            Some(stage) if *stage < to => *stage = to,
            Some(stage) => return old(format!("{to:?} after {stage:?}")),
            None => return old(format!("{to:?}, and never intended")),
        }
        Ok(())
    }
}
