//! Every deadline is watched, though its job never started.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Violation;
use crate::core::fact::Deadline;
use crate::core::night::Core;
use crate::core::state::{Missed, Run};
use crate::types::{JobName, Now, Outcome, RunId, Zone};

type Entry = (Timestamp, RunId, Option<JobName>, Deadline);

/// Deadlines of the runs that were opened.
#[derive(Debug, Default)]
pub(super) struct Watched {
    ahead: BTreeSet<Entry>,
    /// Passed, and not judged yet: their run is over for now, or hosts are heard first; with the time since boot at which
    /// each was first put off for that.
    passed: Vec<(Entry, Option<Duration>)>,
}

/// As long as a deadline may wait for the answer of a host.
const ANSWER: Duration = Duration::from_secs(60);

impl Watched {
    pub(super) fn add(&mut self, run: &Run) {
        let mut add = |time: Option<Time>, job: Option<&JobName>, deadline| {
            let Some(time) = time else { return };
            let due = due(run.opened.anchor, time, &run.batch.zone);
            self.ahead.insert((due, run.id().clone(), job.cloned(), deadline));
        };
        add(run.batch.must_start_by, None, Deadline::MustStartBy);
        add(run.batch.must_complete_by, None, Deadline::MustCompleteBy);
        for job in &run.batch.jobs {
            add(job.must_start_by, Some(&job.name), Deadline::MustStartBy);
            add(job.must_complete_by, Some(&job.name), Deadline::MustCompleteBy);
        }
    }

    /// An operator has moved a deadline; only its new time counts.
    pub(super) fn moved(
        &mut self,
        run: &Run,
        (job, deadline): (Option<&JobName>, Deadline),
        to: Time,
    ) {
        let other =
            |(_, of, at, kind): &Entry| of != run.id() || at.as_ref() != job || *kind != deadline;
        self.ahead.retain(&other);
        self.passed.retain(|(entry, _)| other(entry));
        let due = due(run.opened.anchor, to, &run.batch.zone);
        self.ahead.insert((due, run.id().clone(), job.cloned(), deadline));
    }

    /// The next supervisor hears the hosts first as well, and its time for that begins anew.
    pub(super) fn crashed(&mut self) {
        self.passed.iter_mut().for_each(|(_, put_off)| *put_off = None);
    }

    /// After each step: what has passed was kept, or is said to be missed.
    pub(super) fn look(
        &mut self,
        core: &Core,
        going: &BTreeSet<RunId>,
        now: Now,
    ) -> Result<(), Violation> {
        while self.ahead.first().is_some_and(|(due, ..)| *due <= now.wall) {
            self.passed.extend(self.ahead.pop_first().map(|entry| (entry, None)));
        }
        let mut left = Vec::new();
        for (entry, put_off) in std::mem::take(&mut self.passed) {
            let (due, id, job, deadline) = &entry;
            let run = core.state().run(id)?;
            // The wall clock may have been set back before the core saw it pass.
            if !going.contains(id) || *due > now.wall {
                left.push((entry, None));
                continue;
            }
            // Another boot counts from its own beginning.
            let since = put_off.filter(|since| *since <= now.since_boot).unwrap_or(now.since_boot);
            if core.hears_hosts_first() && now.since_boot.saturating_sub(since) <= ANSWER {
                left.push((entry, Some(since)));
            } else if !judged(run, job.as_ref(), *deadline, *due) {
                let what = match job {
                    Some(job) => format!("{deadline:?} of {id} {job}"),
                    None => format!("{deadline:?} of {id}"),
                };
                return Err(Violation::DeadlineNotSeen(what, *due));
            }
        }
        self.passed = left;
        Ok(())
    }
}

fn judged(run: &Run, job: Option<&JobName>, deadline: Deadline, due: Timestamp) -> bool {
    let same = |m: &Missed| m.job.as_ref() == job && m.deadline == deadline && m.due == due;
    run.missed.iter().any(same)
        || match job.and_then(|job| run.index(job)) {
            Some(index) => kept(run, index, deadline, due),
            None => match deadline {
                Deadline::MustStartBy => run.opened_at <= due,
                Deadline::MustCompleteBy => run.first_well.is_some_and(|at| at <= due),
            },
        }
}

fn kept(run: &Run, index: usize, deadline: Deadline, due: Timestamp) -> bool {
    let job = &run.jobs[index];
    let over = job.over_at().is_some_and(|at| at <= due);
    let outcome = job.phase.outcome();
    if matches!(outcome, Some(Outcome::NotScheduled | Outcome::Skipped)) {
        return true;
    }
    match deadline {
        Deadline::MustStartBy => {
            let first = job.attempts.first();
            let begun = first.map(|first| first.started.unwrap_or(first.intended));
            begun.map_or(over, |at| at <= due)
        }
        Deadline::MustCompleteBy => {
            let good = matches!(outcome, Some(Outcome::Succeeded | Outcome::Forced));
            let earlier = job.attempts.iter().any(|attempt| {
                let ended = attempt.ended.as_ref().map(|ended| ended.ended);
                attempt.good == Some(true) && ended.is_some_and(|at| at <= due)
            });
            good && over || earlier
        }
    }
}

/// The first instant not before the anchor at which the zone's clock shows the time; where it never shows it on a day,
/// as much later as the clock jumps. Found by trying each offset that the zone has around it.
pub(super) fn due(anchor: Timestamp, time: Time, zone: &Zone) -> Timestamp {
    let tz = zone.tz();
    let today = tz.to_datetime(anchor).date();
    let hours = |hours| tz.to_offset(anchor + SignedDuration::from_hours(hours));
    let offsets = BTreeSet::from([-48, -24, 0, 24, 48, 72].map(|at| hours(at).seconds()));
    let mut found: Option<Timestamp> = None;
    let days = (-1_i64..=2).filter_map(|day| today.checked_add(day.days()).ok());
    for civil in days.map(|day| day.to_datetime(time)) {
        let at = |offset: i32| {
            let offset = jiff::tz::Offset::from_seconds(offset).unwrap_or(jiff::tz::Offset::UTC);
            offset.to_timestamp(civil).unwrap_or(Timestamp::MAX)
        };
        let mut instants: Vec<Timestamp> = offsets.iter().map(|offset| at(*offset)).collect();
        if instants.iter().any(|instant| tz.to_datetime(*instant) == civil) {
            instants.retain(|instant| tz.to_datetime(*instant) == civil);
        } else {
            // The clock jumps forward over it: the smaller offset was in force before.
            instants.retain(|instant| tz.to_datetime(*instant) > civil);
        }
        let first = instants.into_iter().filter(|instant| *instant >= anchor).min();
        found = found.into_iter().chain(first).min();
    }
    found.unwrap_or(Timestamp::MAX)
}
