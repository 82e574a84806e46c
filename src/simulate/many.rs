//! What many simulated nights say together: when a run ends, which deadlines it misses, what its end waits for.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Time;

use crate::core::ahead::Played;
use crate::core::deadline::first_at_or_after;
use crate::core::fact::{Deadline, RunResult};
use crate::core::state::{Run, Unfit};
use crate::types::{JobName, Now, Outcome, RunId};
use crate::view::of_job::Around;
use crate::view::of_path::Paths;
use crate::view::of_rehearsal::{Compared, takes_from};
use crate::view::of_run;
use crate::view::rehearsal::{Chance, Ends, NightsJob, NightsRun, Often, Standing};

/// A deadline of the run, or of one of its jobs.
type Limit = (Option<JobName>, Deadline, Timestamp);

/// The nights of one run so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    with: Counted,
    without: Option<Counted>,
    critical: BTreeMap<JobName, u32>,
}

#[derive(Debug, Default)]
struct Counted {
    ends: Ends,
    /// Of the nights that were done.
    at: Vec<Timestamp>,
    missed: BTreeMap<Limit, u32>,
}

impl Tally {
    pub(super) fn add(
        &mut self,
        played: &Played,
        id: &RunId,
        compared: Compared<'_>,
    ) -> Result<(), Unfit> {
        let run = played.core.state().run(id)?;
        self.with.add(played, run);
        if let Some(without) = compared.without {
            let run = without.core.state().run(id)?;
            self.without.get_or_insert_default().add(without, run);
        }
        let Compared { supposed, windows, .. } = compared;
        for job in (Paths { core: &played.core, supposed, windows }).names(run) {
            *self.critical.entry(job).or_default() += 1;
        }
        Ok(())
    }

    /// `run`: as any of the nights left it.
    pub(super) fn told(self, run: &Run, compared: Compared<'_>) -> NightsRun {
        let mut deadlines: Vec<Chance> = Vec::new();
        let before = self.without.as_ref().map(|without| &without.missed);
        let both = self.with.missed.keys().chain(before.into_iter().flat_map(|b| b.keys()));
        let both: std::collections::BTreeSet<&Limit> = both.collect();
        for limit in both {
            let (job, deadline, due) = limit.clone();
            let missed = self.with.missed.get(limit).copied().unwrap_or(0);
            let without = before.map(|before| before.get(limit).copied().unwrap_or(0));
            deadlines.push(Chance { job, deadline, due, missed, without });
        }
        deadlines.sort_by_key(|chance| (Reverse(chance.missed), chance.due));
        let often = self.critical.into_iter().map(|(job, nights)| Often { job, nights });
        let mut critical: Vec<Often> = often.collect();
        let place = |often: &Often| run.index(&often.job);
        critical.sort_by_key(|often| (Reverse(often.nights), place(often)));
        let jobs = run.batch.jobs.iter().map(|job| NightsJob {
            name: job.name.clone(),
            takes_from: takes_from(run, job, compared),
        });
        NightsRun {
            batch: run.batch.id.clone(),
            title: run.batch.title.clone(),
            run: run.id().clone(),
            business_date: run.opened.business_date,
            at: run.opened_at,
            zone: run.batch.zone.clone(),
            must_complete_by: run.batch.must_complete_by.map(|time| due(run, time)),
            ends: self.with.told(),
            without: self.without.map(Counted::told),
            deadlines,
            critical,
            jobs: jobs.collect(),
        }
    }
}

impl Counted {
    fn add(&mut self, played: &Played, run: &Run) {
        let now = Now { wall: run.ended_at.unwrap_or(played.now.wall), ..played.now };
        let head = of_run::head(run, now, Around::nothing());
        let counted = match Standing::of(&head) {
            Standing::InTime => &mut self.ends.in_time,
            Standing::Late => &mut self.ends.late,
            Standing::StandsStill => &mut self.ends.stands_still,
            Standing::NeverEnds => &mut self.ends.never_ends,
        };
        *counted += 1;
        self.at.extend(run.ended_at.filter(|_| run.result == Some(RunResult::Well)));
        for limit in missed(run) {
            *self.missed.entry(limit).or_default() += 1;
        }
    }

    fn told(mut self) -> Ends {
        self.at.sort_unstable();
        let ends = &self.ends;
        let nights = ends.in_time + ends.late + ends.stands_still + ends.never_ends;
        // Nearest rank among all nights: one that is not done by itself is later than any that is.
        let rank = |percent: u64| {
            let nth = (u64::from(nights) * percent).div_ceil(100).max(1);
            usize::try_from(nth - 1).ok().and_then(|nth| self.at.get(nth)).copied()
        };
        Ends {
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            worst: self.at.last().copied(),
            ..self.ends
        }
    }
}

fn due(run: &Run, time: Time) -> Timestamp {
    first_at_or_after(run.opened.anchor, time, &run.batch.zone)
}

/// Deadlines that were not kept. In a run that is not done by itself those of what is left to do are not kept either.
fn missed(run: &Run) -> Vec<Limit> {
    let mut missed: Vec<Limit> =
        run.missed.iter().map(|missed| (missed.job.clone(), missed.deadline, missed.due)).collect();
    let mut add = |limit: Limit| {
        if !missed.contains(&limit) {
            missed.push(limit);
        }
    };
    if let (Some(time), false) = (run.batch.must_complete_by, run.result == Some(RunResult::Well)) {
        add((None, Deadline::MustCompleteBy, due(run, time)));
    }
    for (job, state) in run.batch.jobs.iter().zip(&run.jobs) {
        let never =
            matches!(state.phase.outcome(), None | Some(Outcome::Failed | Outcome::Blocked));
        let Some(time) = job.must_complete_by.filter(|_| never) else { continue };
        add((Some(job.name.clone()), Deadline::MustCompleteBy, due(run, time)));
    }
    missed
}
