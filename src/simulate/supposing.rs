//! The script of a night in which something is supposed: what each attempt comes to.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::dice::Dice;
use super::what_if::OfJobs;
use crate::core::deadline;
use crate::core::forecast::takes;
use crate::core::script::{Bad, Made, Outage, Script};
use crate::core::state::Run;
use crate::definition::site::{Job, Kind};
use crate::types::{Ending, JobRef, Span};
use crate::view::rehearsal::{Length, Supposed};
use crate::wire::{ChangeState, ChangeWork, Work};

/// Times that jobs have taken, shortest first.
pub type Samples = BTreeMap<JobRef, Vec<Span>>;

/// What is supposed, and where times come from.
#[derive(Debug, Clone)]
pub(super) struct Supposing<'a> {
    of: OfJobs,
    outages: Vec<Outage>,
    answers_after: Option<Duration>,
    draws: Option<Draws<'a>>,
}

/// Times drawn from history. A draw hangs on nothing but the seed, the night, the job's run and the attempt, so that the
/// same night without what is supposed is drawn alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws<'a> {
    pub(super) samples: &'a Samples,
    pub(super) seed: u64,
    pub(super) night: u32,
}

impl<'a> Supposing<'a> {
    pub(super) fn new(supposed: &[Supposed], draws: Option<Draws<'a>>) -> Self {
        let mut answers_after = Some(Duration::ZERO);
        let mut outages = Vec::new();
        for supposed in supposed {
            match supposed {
                Supposed::HostDown { host, from, to } => {
                    outages.push(Outage { host: host.clone(), from: *from, to: *to });
                }
                Supposed::ConfirmAfter { after } => answers_after = Some(after.get()),
                Supposed::NobodyConfirms => answers_after = None,
                _ => {}
            }
        }
        Self { of: OfJobs::of(supposed), outages, answers_after, draws }
    }

    fn length(&self, run: &Run, index: usize, job: &JobRef, number: u32) -> Duration {
        let drawn = self.draws.and_then(|draws| draws.draw(run, job, number));
        let usual = drawn.unwrap_or_else(|| takes(run, index));
        match self.of.takes.get(job) {
            None => usual,
            Some(Length::Span(span)) => span.get(),
            // Whole milliseconds, as every length of time here.
            Some(Length::Times(times)) => {
                let millis = (usual.as_millis() as f64 * times).round();
                Duration::from_millis(millis as u64)
            }
        }
    }
}

impl Script for Supposing<'_> {
    fn attempt(&mut self, run: &Run, index: usize, number: u32, at: Timestamp) -> Made {
        let job = run.job(index);
        let of = JobRef { batch: run.batch.id.clone(), job: job.name.clone() };
        let mut after = self.length(run, index, &of, number);
        let mut bad = None;
        if let Some(time) = self.of.arrives.get(&of) {
            let there = deadline::first_at_or_after(run.opened.anchor, *time, &run.batch.zone);
            after = Duration::try_from(there.duration_since(at)).unwrap_or_default();
            if let Kind::WaitFile { stable, .. } = &job.kind {
                after = after.saturating_add(stable.get());
            }
        }
        if let Kind::WaitFile { limit, .. } | Kind::WaitSql { limit, .. } = &job.kind
            && after > limit.get()
        {
            (after, bad) = (limit.get(), Some(failure(job)));
        }
        if let Some(limit) = job.time_limit.filter(|limit| after > limit.get()) {
            (after, bad) = (limit.get(), Some(Bad { ending: Ending::TimedOut, work: None }));
        }
        if self.of.fails.get(&of).is_some_and(|times| times.is_none_or(|times| number <= times)) {
            bad = Some(failure(job));
        }
        Made { after, bad }
    }

    fn answers_after(&self) -> Option<Duration> {
        self.answers_after
    }

    fn outages(&self) -> &[Outage] {
        &self.outages
    }
}

/// An exit code that the job does not take; a change has applied nothing.
fn failure(job: &Job) -> Bad {
    let code = (1..=255).find(|code| !job.success.exit_codes.contains(code)).unwrap_or(-1);
    let work = matches!(job.kind, Kind::Change { .. })
        .then(|| Work::Change(ChangeWork::none(ChangeState::FailedClean)));
    Bad { ending: Ending::Exited { code }, work }
}

impl Draws<'_> {
    fn draw(&self, run: &Run, job: &JobRef, number: u32) -> Option<Duration> {
        let samples = self.samples.get(job).filter(|samples| !samples.is_empty())?;
        let what = format!("{} {} {} {number}", self.seed, self.night, run.id());
        let mut dice = Dice::new(hash(&[what.as_bytes(), job.job.as_str().as_bytes()]));
        dice.pick(samples).map(|span| span.get())
    }
}

/// FNV-1a: the same on every machine and in every version, which the hashes of the standard library do not promise.
fn hash(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter().chain(&[0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
