//! What the jobs of a made-up night do: how long each attempt takes and how it ends, by the seed and its id alone; and
//! which jobs of the site are left.

use super::*;
use crate::core::fact::Why;
use crate::core::state::Attempt;
use crate::definition::site::{EndingKind, Kind, NeedOf};
use crate::simulate::agent::Lot;
use crate::simulate::made_site::Made;
use crate::simulate::target::Touch;
use crate::types::{ChangeId, Ending};
use crate::wire::{ChangeState, ChangeWork, CutDecision, Work};

/// Takes all but some jobs from a site, counted over its batches; none when `only` is empty. Needs of them go, and orders.
pub(super) fn leave(night: &mut Made, only: &[usize]) {
    if only.is_empty() {
        return;
    }
    let site = Arc::make_mut(&mut night.site);
    let mut number = 0;
    for batch in site.batches.values_mut() {
        Arc::make_mut(batch).jobs.retain(|_| {
            number += 1;
            only.contains(&(number - 1))
        });
    }
    site.batches.retain(|_, batch| !batch.jobs.is_empty());
    let here = site.batches.clone();
    for batch in site.batches.values_mut() {
        let own = Arc::clone(batch);
        for job in &mut Arc::make_mut(batch).jobs {
            job.needs.retain(|need| match &need.of {
                NeedOf::Job(name) => own.job(name).is_some(),
                NeedOf::Across { job, .. } => {
                    here.get(&job.batch).is_some_and(|batch| batch.job(&job.job).is_some())
                }
            });
        }
    }
    night.asked.retain(|asked| {
        let batch = here.get(&asked.order.batch);
        let named = asked.order.only.iter().chain(&asked.order.from);
        batch.is_some_and(|batch| named.into_iter().all(|job| batch.job(job).is_some()))
    });
}

impl World {
    /// How an attempt goes.
    pub(super) fn lot(&mut self, id: &AttemptId) -> Option<Lot> {
        let run = self.core.state().runs.get(&id.run)?;
        let job = run.job(run.index(&id.job)?);
        let mut dice = Dice::new(self.scenario.seed ^ number_of(id));
        let usual = match &job.kind {
            Kind::WaitFile { limit, .. } | Kind::WaitSql { limit, .. } => limit.get() / 60,
            _ => job.expected.unwrap_or_default().get(),
        };
        let takes = usual.mul_f64(dice.of(0..200) as f64 / 100.0);
        let bad = dice.of(0..1_000) < self.faults.rate(Fault::Endings);
        let ending = if bad { bad_ending(&mut dice) } else { Ending::Exited { code: 0 } };
        let line_found = !(bad && job.success.line.is_some() && dice.percent(50));
        let change = matches!(job.kind, Kind::Change { .. });
        let tells = matches!(ending, Ending::Exited { .. });
        let work = match job.kind {
            Kind::Change { .. } => change_work(&mut dice, &ending),
            Kind::Inspect { .. } => tells.then(|| Work::Inspect { checks: Vec::new() }),
            _ => None,
        };
        // A worker tells by its exit code that its change is not done.
        let failed = matches!(&work, Some(Work::Change(work)) if work.state != ChangeState::Done);
        let ending = match ending {
            Ending::Exited { code: 0 } if failed => Ending::Exited { code: 1 },
            ending => ending,
        };
        let examines = run.jobs[run.index(&id.job)?]
            .attempts
            .iter()
            .any(|attempt| attempt.number == id.number && attempt.examine);
        let cut = match &job.kind {
            Kind::Change { change, .. } => self.said_of_the_former(change, id),
            _ => None,
        };
        let applies = change && applies(&mut dice, &ending, &work);
        let touch = change.then_some(Touch { examines, applies, cut });
        let host = run.attempt(id)?.host.clone();
        if bad {
            self.faults.came(Fault::Endings);
        }
        Some(Lot { host, takes, ending, line_found, work, touch })
    }
}

impl World {
    fn said_of_the_former(&self, change: &ChangeId, id: &AttemptId) -> Option<CutDecision> {
        let run = self.core.state().runs.get(&id.run)?;
        let attempts = &run.jobs[run.index(&id.job)?].attempts;
        let began = |attempt: &&Attempt| {
            attempt.number < id.number
                && attempt.ended.as_ref().is_some_and(|ended| ended.started.is_some())
        };
        let former = attempts.iter().rev().find(began)?.number;
        let former = AttemptId { number: former, ..id.clone() };
        self.core.state().standing.changes.get(change)?.goes_on_after(&former)
    }

    /// An attempt that was meant to look has not applied its change.
    pub(super) fn looked_only(&self, id: &AttemptId) -> Result<(), Breach> {
        let applied = self.agents.targets.applied_by(&id.run, &id.job) == Some(id);
        let run = self.core.state().run(&id.run)?;
        let job = run.index(&id.job).map(|index| &run.jobs[index]);
        let mut attempts = job.into_iter().flat_map(|job| &job.attempts);
        match applied && attempts.any(|attempt| attempt.number == id.number && attempt.examine) {
            true => Err(Breach::Applied(id.clone())),
            false => Ok(()),
        }
    }

    /// What attempts decide about a change is what its target says: never clean where it is applied, never done where it
    /// is not.
    pub(super) fn true_to_target(&self, fact: &Fact) -> Result<(), Breach> {
        let Fact::Settled { run, job, outcome, why: Why::Attempt { attempt } } = fact else {
            return Ok(());
        };
        let of = self.core.state().run(run)?;
        let kind = of.index(job).map(|index| &of.job(index).kind);
        if !matches!(kind, Some(Kind::Change { .. })) {
            return Ok(());
        }
        let applied = self.agents.targets.applied_by(run, job).is_some();
        if applied == (*outcome == Outcome::Succeeded) {
            return Ok(());
        }
        Err(Breach::Untrue { attempt: attempt.clone(), outcome: *outcome })
    }
}

/// The same for the same attempt of the same seed, whatever else happens in the night.
fn number_of(id: &AttemptId) -> u64 {
    let bytes = id.run.batch.as_str().bytes().chain(id.job.as_str().bytes());
    let own = [id.run.number, id.number].into_iter().flat_map(u32::to_le_bytes);
    bytes.chain(own).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn bad_ending(dice: &mut Dice) -> Ending {
    let kinds = [
        EndingKind::Exit,
        EndingKind::Exit,
        EndingKind::Exit,
        EndingKind::Timeout,
        EndingKind::Signal,
        EndingKind::OutputLimit,
        EndingKind::CouldNotStart,
        EndingKind::Lost,
        EndingKind::Unknown,
    ];
    match dice.pick(&kinds) {
        Some(EndingKind::Timeout) => Ending::TimedOut,
        Some(EndingKind::Signal) => Ending::Signalled { signal: 11 },
        Some(EndingKind::OutputLimit) => Ending::OutputLimit,
        Some(EndingKind::CouldNotStart) => {
            Ending::CouldNotStart { why: "no such program".to_owned() }
        }
        Some(EndingKind::Lost) => Ending::Lost { why: "its shim died".to_owned() },
        Some(EndingKind::Unknown) => Ending::Unknown { why: "nobody knows".to_owned() },
        Some(EndingKind::Exit) | None => Ending::Exited { code: 1 + dice.of(0..3) as i32 },
    }
}

/// How far a change came; nothing is told of one whose worker did not come to its end.
fn change_work(dice: &mut Dice, ending: &Ending) -> Option<Work> {
    let states = [
        ChangeState::FailedClean,
        ChangeState::FailedGuard,
        ChangeState::RolledBack,
        ChangeState::RollbackFailed,
        ChangeState::InDoubt,
        ChangeState::Partial,
    ];
    let state = match ending {
        Ending::Exited { code: 0 } => ChangeState::Done,
        Ending::Exited { .. } => dice.pick(&states).copied()?,
        _ => return None,
    };
    Some(Work::Change(ChangeWork { rows: 1, backup_rows: 1, ..ChangeWork::none(state) }))
}

/// Whether a change came as far as its COMMIT; of one that nobody knows the end of it may have.
fn applies(dice: &mut Dice, ending: &Ending, work: &Option<Work>) -> bool {
    let state = match work {
        Some(Work::Change(work)) => Some(work.state),
        _ => None,
    };
    match state {
        Some(
            ChangeState::Done
            | ChangeState::RolledBack
            | ChangeState::RollbackFailed
            | ChangeState::Partial,
        ) => true,
        Some(ChangeState::FailedClean | ChangeState::FailedGuard) => false,
        Some(ChangeState::InDoubt) | None => {
            !matches!(ending, Ending::CouldNotStart { .. }) && dice.percent(50)
        }
    }
}
