//! From a run's state to the line of one job.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Who;
use super::job::{AttemptLine, JobLine, JobState, Late, LeftOut, NoEvent, RanLong, StateWord};
use super::of_why::{self, not_its_day};
use crate::core::fact::Why;
use crate::core::forecast::{self, JobForecast, RunForecast};
use crate::core::needs::{self, Verdict};
use crate::core::night::Core;
use crate::core::phase::Phase;
use crate::core::state::{self, Attempt, Run, Unfit};
use crate::types::{JobName, Now, Outcome, Span};
use crate::wire::Checked;

/// What the pages of a run know besides its state.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// As forecast when the run was opened ([`forecast::as_opened`]).
    pub planned: Option<&'a RunForecast>,
    /// As forecast now ([`forecast::of_night`]).
    pub ahead: Option<&'a RunForecast>,
    /// From history: 95 of 100 good attempts took no longer.
    pub usual_p95: &'a BTreeMap<JobName, Span>,
    /// Mails of the run that no server has accepted yet.
    pub unsent_mail: u32,
}

/// What a job takes beyond the usual and nobody minds: short jobs differ by more than their length from night to night.
const NOTICEABLE: Duration = Duration::from_secs(1);

/// Where nothing is known of former nights.
static NO_HISTORY: BTreeMap<JobName, Span> = BTreeMap::new();

impl Around<'_> {
    /// Nothing besides the state.
    pub fn nothing() -> Self {
        Self { planned: None, ahead: None, usual_p95: &NO_HISTORY, unsent_mail: 0 }
    }
}

/// The lines of all jobs, in the order of the file.
pub fn lines(core: &Core, run: &Run, now: Now, around: Around<'_>) -> Result<Vec<JobLine>, Unfit> {
    let critical = critical_path(run);
    (0..run.jobs.len()).map(|index| line(core, run, index, now, around, &critical)).collect()
}

/// The line of one job. `critical_path`: see [`critical_path`].
pub fn line(
    core: &Core,
    run: &Run,
    index: usize,
    now: Now,
    around: Around<'_>,
    critical_path: &BTreeSet<JobName>,
) -> Result<JobLine, Unfit> {
    let (job, state) = (run.job(index), &run.jobs[index]);
    let of = |forecast: Option<&'_ RunForecast>| forecast.and_then(|f| f.jobs.get(index).cloned());
    let planned: Option<JobForecast> = of(around.planned);
    let over = state.phase.outcome().is_some();
    let ahead = of(around.ahead).filter(|_| !over);
    let last = state.attempts.last();
    let ended = last.and_then(|last| last.ended.as_ref()).map(|ended| ended.ended);
    let no_event = match &run.jobs[index].phase {
        Phase::Settled { why: Why::NoEvent { event, limit }, .. } => {
            Some(NoEvent { awaited: event.clone(), limit: *limit })
        }
        _ => None,
    };
    Ok(JobLine {
        no_event,
        name: job.name.clone(),
        title: job.title.clone(),
        state: job_state(core, run, index, now, around)?,
        critical: job.critical,
        on_critical_path: critical_path.contains(&job.name),
        planned_start: planned.as_ref().and_then(|planned| planned.start),
        planned_end: planned.as_ref().and_then(|planned| planned.end),
        expected: run.opened.expected.get(&job.name).copied().or(job.expected),
        started: state.attempts.iter().find_map(began),
        ended: state.over_at().or(ended.filter(|_| matches!(state.phase, Phase::InDoubt { .. }))),
        expected_start: ahead.as_ref().filter(|_| last.is_none()).and_then(|ahead| ahead.start),
        expected_end: ahead.as_ref().and_then(|ahead| ahead.end),
        attempts: state.attempts.iter().map(attempt_line).collect(),
        ran_long: last.and_then(took).and_then(|actual| {
            let usual_p95 = *around.usual_p95.get(&job.name)?;
            let longer = actual.get().saturating_sub(usual_p95.get());
            (longer > NOTICEABLE).then_some(RanLong { actual, usual_p95 })
        }),
        late: run
            .missed
            .iter()
            .filter(|missed| missed.job.as_ref() == Some(&job.name))
            .map(|missed| Late { deadline: missed.deadline, due: missed.due })
            .collect(),
        checks: checks(state).to_vec(),
        tail: Vec::new(),
        blocks: blocks(run, index),
        runbook: job.runbook.clone(),
    })
}

/// Last lines of output of the job's last failed attempt, for a page that only those see who may read output.
pub fn last_output(run: &Run, index: usize) -> Vec<String> {
    let failed = run.jobs[index].attempts.iter().rev().find(|attempt| attempt.good == Some(false));
    let ended = failed.and_then(|failed| failed.ended.as_ref());
    ended.map(|ended| ended.tail.clone()).unwrap_or_default()
}

/// What the last attempt that has told of its checks found.
fn checks(job: &state::JobState) -> &[Checked] {
    let mut ended = job.attempts.iter().rev().filter_map(|attempt| attempt.ended.as_ref());
    ended.find_map(|ended| ended.checks()).unwrap_or_default()
}

/// The chain of jobs that the end of the run waits for: by what they took, else by what they are expected to take.
pub fn critical_path(run: &Run) -> BTreeSet<JobName> {
    let takes = |index: usize| {
        let state = &run.jobs[index];
        match state.phase.outcome() {
            None => forecast::takes(run, index),
            Some(Outcome::Succeeded) if state.attempts.is_empty() => waited(run, index),
            Some(_) => state.attempts.iter().filter_map(took).map(Span::get).sum::<Duration>(),
        }
    };
    run.graph.critical_path(takes).into_iter().map(|step| step.job).collect()
}

/// How long a job without attempts waited for its time, from when its needs were over.
fn waited(run: &Run, index: usize) -> Duration {
    let needs = run.graph.predecessors(index);
    let over = needs.filter_map(|(before, _)| run.jobs.get(before)?.over_at()).max();
    let until = run.jobs.get(index).and_then(|job| job.over_at());
    let waited = until.map(|until| until.duration_since(over.unwrap_or(run.opened_at)));
    waited.and_then(|waited| Duration::try_from(waited).ok()).unwrap_or_default()
}

/// What an attempt took, once it has ended; `None` where no program was started.
pub fn took(attempt: &Attempt) -> Option<Span> {
    let ended = attempt.ended.as_ref()?;
    let took = ended.ended.duration_since(began(attempt)?);
    Some(Span::of(Duration::try_from(took).unwrap_or_default()))
}

/// The word of its ending first: that knows of a clock that was set meanwhile.
fn began(attempt: &Attempt) -> Option<jiff::Timestamp> {
    attempt.ended.as_ref().and_then(|ended| ended.started).or(attempt.started)
}

fn attempt_line(attempt: &Attempt) -> AttemptLine {
    let ended = attempt.ended.as_ref();
    AttemptLine {
        host: attempt.host.clone(),
        number: attempt.number,
        started: began(attempt),
        ended: ended.map(|ended| ended.ended),
        ending: ended.map(|ended| ended.ending.clone()),
        good: attempt.good.unwrap_or(false),
        notes: ended.map(|ended| ended.notes.clone()).unwrap_or_default(),
    }
}

/// What cannot go on because of a job that failed or is in doubt.
fn blocks(run: &Run, index: usize) -> Vec<JobName> {
    let stands = match &run.jobs[index].phase {
        Phase::InDoubt { .. } => true,
        Phase::Settled { outcome: Outcome::Failed, .. } => run.job(index).critical,
        _ => false,
    };
    if !stands {
        return Vec::new();
    }
    let waits = |job: &JobName| {
        run.index(job).is_some_and(|index| {
            matches!(run.jobs[index].phase.outcome(), None | Some(Outcome::Blocked))
        })
    };
    run.graph.blocks(&run.job(index).name).into_iter().filter(waits).collect()
}

/// Where a job stands, without the reasons.
pub fn word(run: &Run, index: usize) -> StateWord {
    let job = &run.jobs[index];
    match &job.phase {
        Phase::Waiting | Phase::RetryWait { .. } if job.held.is_some() => StateWord::Held,
        Phase::Waiting => StateWord::Waiting,
        Phase::RetryWait { .. } => StateWord::RetryWait,
        Phase::Starting => StateWord::Starting,
        Phase::Running => StateWord::Running,
        Phase::InDoubt { .. } => StateWord::Unknown,
        Phase::Settled { outcome, .. } => match outcome {
            Outcome::Succeeded => StateWord::Succeeded,
            Outcome::Failed => StateWord::Failed,
            Outcome::Skipped => StateWord::Skipped,
            Outcome::NotScheduled => StateWord::NotScheduled,
            Outcome::Forced => StateWord::Forced,
            Outcome::Blocked => StateWord::Blocked,
            Outcome::Cancelled => StateWord::Cancelled,
        },
    }
}

fn job_state(
    core: &Core,
    run: &Run,
    index: usize,
    now: Now,
    around: Around<'_>,
) -> Result<JobState, Unfit> {
    let job = &run.jobs[index];
    if let (StateWord::Held, Some(held)) = (word(run, index), &job.held) {
        let by = Who::of(&run.site, &held.by);
        return Ok(JobState::Held { by, reason: held.reason.clone() });
    }
    Ok(match &job.phase {
        Phase::Waiting => {
            JobState::Waiting { reasons: of_why::reasons(core, run, index, now, around)? }
        }
        Phase::RetryWait { due, .. } => JobState::RetryWait { at: of_why::wall(now, *due) },
        Phase::Starting => JobState::Starting,
        Phase::Running => JobState::Running,
        Phase::InDoubt { why } => JobState::Unknown { why: why.clone() },
        Phase::Settled { outcome, why, .. } => settled(run, index, *outcome, why),
    })
}

fn settled(run: &Run, index: usize, outcome: Outcome, why: &Why) -> JobState {
    let person = || match why {
        Why::Person { by, reason } => (Who::of(&run.site, by), reason.clone()),
        // Only people skip, force and cancel; the opener stands in for a record that says otherwise.
        _ => (Who::of(&run.site, &run.opened.by), String::new()),
    };
    match outcome {
        Outcome::Succeeded => JobState::Succeeded,
        Outcome::Failed => JobState::Failed,
        Outcome::Skipped => {
            let (by, reason) = person();
            JobState::Skipped { by, reason }
        }
        Outcome::Forced => {
            let (by, reason) = person();
            JobState::Forced { by, reason }
        }
        Outcome::Blocked => JobState::Blocked { by: blocked_by(run, index) },
        Outcome::Cancelled => {
            let (by, reason) = person();
            JobState::Cancelled { by, reason }
        }
        Outcome::NotScheduled => {
            let left_out = left_out(run, index, why).unwrap_or(LeftOut::NotAsked);
            JobState::NotScheduled { why: left_out }
        }
    }
}

/// Why a settled job took no part; `None` where it did.
pub fn left_out(run: &Run, index: usize, why: &Why) -> Option<LeftOut> {
    match why {
        Why::NotItsDay { reason } => Some(LeftOut::NotItsDay(not_its_day(run, index, reason))),
        Why::NotAsked => Some(LeftOut::NotAsked),
        Why::Need { job, when, outcome } => {
            Some(LeftOut::Need { job: job.clone(), when: *when, outcome: *outcome })
        }
        Why::Attempt { .. }
        | Why::TimeCame
        | Why::EventCame { .. }
        | Why::NoEvent { .. }
        | Why::Person { .. } => None,
    }
}

/// The failed jobs at the root of what blocks a job, in the order of the file.
pub fn blocked_by(run: &Run, index: usize) -> Vec<JobName> {
    let (mut seen, mut todo, mut roots) = (BTreeSet::new(), vec![index], BTreeSet::new());
    while let Some(index) = todo.pop() {
        for (before, when) in run.graph.predecessors(index) {
            let outcome = run.jobs[before].phase.outcome();
            let verdict = needs::verdict(outcome, run.job(before).critical, when);
            if verdict != Verdict::Blocked || !seen.insert(before) {
                continue;
            }
            if outcome == Some(Outcome::Failed) {
                roots.insert(before);
            } else {
                todo.push(before);
            }
        }
    }
    roots.into_iter().map(|index| run.job(index).name.clone()).collect()
}
