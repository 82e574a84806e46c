//! From a decided attempt to the order that an agent gets. The same attempt gives the same order, so that a start whose
//! answer was lost can be said again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::calendar::Calendars;
use super::change::{marks, rehearses, subject};
use super::gate;
use super::night::Core;
use super::slurm;
use super::state::{Run, State};
use super::window::{Gate, WindowReason};
use crate::definition::braced_words::{self, BadWord};
use crate::definition::copy::RunCopy;
use crate::definition::site::{Engine, Job, Kind, NeedOf};
use crate::types::{AttemptId, Now, Span, TargetName};
use crate::wire::{
    ChangeState, ChangeTask, CutDecision, InspectTask, Mark, Program, Start, Task, Work,
};

/// Folders of the host, absolute, and what is left of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The site's work folder (`{work}`), where relative SQLite targets lie.
    pub work: PathBuf,
    /// The run's copy of the site's files.
    pub copy: PathBuf,
    /// The host is another one: its agent has been told the copy.
    pub told: bool,
    /// What programs are found by.
    pub path: String,
    pub home: String,
    /// Until the attempt's window closes; `None`: it has none, or not within 400 days.
    pub window_left: Option<Span>,
}

/// An attempt that cannot be put into words for an agent; it ends as "could not start".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLaunch {
    #[error("{0}")]
    Word(#[from] BadWord),
    #[error("target {0} is not declared")]
    NoTarget(TargetName),
    #[error("the change is not whole: a script is missing")]
    NoChange,
    #[error("it starts no program")]
    NotAProgram,
    #[error("{0} is not known")]
    NoAttempt(AttemptId),
}

impl Core {
    /// How long the window of an attempt's job is still open, or no freeze closes it.
    pub fn window_left(&self, attempt: &AttemptId, now: Now) -> Option<Span> {
        let run = self.state().runs.get(&attempt.run)?;
        let rules = self.rules(&attempt.run).ok()?;
        let index = run.index(&attempt.job)?;
        if run.jobs[index].is_examined() {
            return None;
        }
        match gate::window_gate(self.state(), &rules, run, index, now) {
            Gate::Open { closes } => {
                closes.map(|end| Span::of(end.duration_since(now.wall).unsigned_abs()))
            }
            // It fitted in when it was decided, a moment ago.
            Gate::Closed { reason: WindowReason::DoesNotFit { left, .. }, .. } => {
                Some(Span::of(left))
            }
            Gate::Closed { .. } => Some(Span::default()),
        }
    }
}

/// The order for one attempt.
pub fn launch(
    state: &State,
    calendars: &Calendars,
    copy: &RunCopy,
    attempt: &AttemptId,
    places: &Places,
) -> Result<Start, NoLaunch> {
    let unknown = || NoLaunch::NoAttempt(attempt.clone());
    let run = state.runs.get(&attempt.run).ok_or_else(unknown)?;
    let index = run.index(&attempt.job).ok_or_else(unknown)?;
    let job = run.job(index);
    let words = Words { run, calendars, attempt, places };
    let fill = |text: &str| braced_words::replace(text, |word| words.value(word));
    let here = words.here();
    let dir = match &job.dir {
        Some(dir) => here.join(fill(&dir.to_string_lossy())?),
        None => here.clone(),
    };
    let known = Known::of(state, run, job);
    let program = program(run, copy, job, &here, places, &fill, known)?;
    let program = match &job.slurm {
        Some(slurm) => {
            let attempts = (attempt, &*run.jobs[index].attempts);
            slurm::worker(program, slurm, job, attempts, &places.work)
        }
        None => program,
    };
    Ok(Start {
        attempt: attempt.clone(),
        program,
        env: environment(run, index, attempt, places, &fill)?,
        dir,
        user: job.user.clone(),
        time_limit: job.time_limit,
        grace: job.grace,
        output_limit: job.output_limit,
        success_line: job.success.line.clone(),
        survivors: job.survivors,
        copy: places.told,
    })
}

fn program(
    run: &Run,
    copy: &RunCopy,
    job: &Job,
    here: &Path,
    places: &Places,
    fill: &impl Fn(&str) -> Result<String, BadWord>,
    known: Known,
) -> Result<Program, NoLaunch> {
    let engine = |target: &TargetName| {
        let declared = run.site.targets.get(target);
        declared
            .map(|t| absolute(&t.engine, &places.work))
            .ok_or_else(|| NoLaunch::NoTarget(target.clone()))
    };
    let task = match &job.kind {
        Kind::Run { argv } => {
            let argv: Result<Vec<String>, BadWord> = argv.iter().map(|arg| fill(arg)).collect();
            return Ok(Program::Argv(argv?));
        }
        Kind::Shell { script } => return Ok(Program::Shell(fill(script)?)),
        Kind::Sql { target, script, transaction } => Task::Sql {
            engine: engine(target)?,
            script: here.join(fill(&script.to_string_lossy())?),
            transaction: *transaction,
            time_limit: job.time_limit,
        },
        Kind::Change { change, environment } => {
            let declared = run.site.changes.get(change).ok_or(NoLaunch::NoChange)?;
            let target = declared.target_in(environment.as_deref()).ok_or(NoLaunch::NoChange)?;
            let examine = run.index(&job.name).is_some_and(|index| run.jobs[index].is_examined());
            Task::Change(Box::new(ChangeTask {
                change: change.clone(),
                engine: engine(target)?,
                folder: places.copy.join(&declared.folder),
                rows: declared.rows,
                backup: declared.backup.clone(),
                content_digest: copy.content_digest(declared).ok_or(NoLaunch::NoChange)?,
                time_limit: job.time_limit,
                window_left: places.window_left,
                reserve: Span::of(
                    declared.verify_takes.get().saturating_add(declared.rollback_takes.get()),
                ),
                mode: declared.mode,
                // A look goes on with nothing.
                cut: known.cut.filter(|_| !examine),
                rehearse: !run.opened.trial && rehearses(&run.site, job),
                examine,
                marks: known.marks,
            }))
        }
        Kind::WaitFile { path, stable, every, limit } => Task::WaitFile {
            path: here.join(fill(path)?),
            stable: *stable,
            every: *every,
            limit: *limit,
        },
        Kind::WaitSql { target, query, every, limit } => Task::WaitSql {
            engine: engine(target)?,
            query: fill(query)?,
            every: *every,
            limit: *limit,
        },
        Kind::Inspect { target, checks } => Task::Inspect(Box::new(InspectTask {
            engine: target.as_ref().map(engine).transpose()?,
            checks: checks.iter().map(|check| check.filled(fill)).collect::<Result<_, _>>()?,
            // What a trial looks at is looked at again.
            memory: (!run.opened.trial).then(|| {
                let name = format!("{}.{}.json", run.batch.id, job.name);
                places.work.join("inspections").join(name)
            }),
        })),
        Kind::WaitUntil { .. } | Kind::WaitEvent { .. } | Kind::Confirm { .. } => {
            return Err(NoLaunch::NotAProgram);
        }
    };
    Ok(Program::Worker(Box::new(task)))
}

/// What is known of a change besides its files.
struct Known {
    cut: Option<CutDecision>,
    /// What its target must still hold. Nothing where its rules say that the database is made anew from time to time.
    marks: Vec<Mark>,
}

impl Known {
    fn of(state: &State, run: &Run, job: &Job) -> Self {
        let subject = run.index(&job.name).and_then(|index| subject(run, index));
        let refreshed = |environment: &String| {
            let rules = run.site.change_rules.as_ref();
            rules.is_some_and(|rules| rules.refreshed.contains(environment))
        };
        let marks = subject.filter(|of| !refreshed(&of.environment)).map(|of| {
            let lives = &state.standing.changes;
            marks(lives, &of.environment, of.target)
        });
        Self { cut: cut(state, run, job), marks: marks.unwrap_or_default() }
    }
}

/// How a change that stopped half way goes on: as two people have said, where rules of changes are about it; `None` there:
/// they have not. Elsewhere nothing tries such a one again by itself, so whoever does has been told how far it came.
pub(super) fn cut(state: &State, run: &Run, job: &Job) -> Option<CutDecision> {
    let Kind::Change { change, .. } = &job.kind else { return None };
    let attempts = &run.jobs[run.index(&job.name)?].attempts;
    let mut ended = attempts.iter().rev().skip(1).filter_map(|attempt| attempt.ended.as_ref());
    // One that its host took back without having begun it has changed nothing, not even what people have said.
    let before = ended.find(|ended| ended.started.is_some())?;
    match &before.work {
        Some(Work::Change(work)) if work.state.stays_between() => {
            if run.opened.trial || run.site.change_rules.is_none() {
                return match work.state {
                    ChangeState::Partial => Some(CutDecision::Continue),
                    // Statement by statement: what is left of it.
                    ChangeState::RollbackFailed => work.progress.map(|_| CutDecision::RollBack),
                    _ => None,
                };
            }
            state.standing.changes.get(change)?.goes_on_after(&before.attempt)
        }
        _ => None,
    }
}

/// A target as it is opened on this host: relative files lie in the work folder.
pub fn absolute(engine: &Engine, work: &Path) -> Engine {
    match engine {
        Engine::Sqlite { path } => Engine::Sqlite { path: work.join(path) },
        server => server.clone(),
    }
}

fn environment(
    run: &Run,
    index: usize,
    attempt: &AttemptId,
    places: &Places,
    fill: &impl Fn(&str) -> Result<String, BadWord>,
) -> Result<BTreeMap<String, String>, NoLaunch> {
    let mut env: BTreeMap<String, String> = handed_on(run, index);
    for (name, value) in [
        ("PATH", places.path.clone()),
        ("HOME", places.home.clone()),
        ("LANG", "C.UTF-8".to_owned()),
        ("NIGHTRUN_RUN", run.id().to_string()),
        ("NIGHTRUN_JOB", attempt.job.to_string()),
        ("NIGHTRUN_ATTEMPT", attempt.number.to_string()),
        ("NIGHTRUN_ATTEMPT_ID", attempt.to_string()),
        ("NIGHTRUN_BUSINESS_DATE", run.opened.business_date.to_string()),
        ("NIGHTRUN_WORK", places.work.to_string_lossy().into_owned()),
    ] {
        env.insert(name.to_owned(), value);
    }
    if run.opened.trial {
        env.insert("NIGHTRUN_TRIAL".to_owned(), "1".to_owned());
    }
    for (name, value) in &run.job(index).env {
        env.insert(name.clone(), fill(value)?);
    }
    Ok(env)
}

/// Values of the jobs that this one needs, in the order of its `needs`: a later one wins.
fn handed_on(run: &Run, index: usize) -> BTreeMap<String, String> {
    run.job(index)
        .needs
        .iter()
        .filter_map(|need| match &need.of {
            NeedOf::Job(name) => run.index(name),
            NeedOf::Across { .. } => None,
        })
        .filter_map(|before| run.jobs[before].attempts.iter().rev().find(|a| a.good == Some(true)))
        .filter_map(|attempt| attempt.ended.as_ref())
        .flat_map(|ended| ended.values.clone())
        .collect()
}

/// The values of words for one attempt.
struct Words<'a> {
    run: &'a Run,
    calendars: &'a Calendars,
    attempt: &'a AttemptId,
    places: &'a Places,
}

impl Words<'_> {
    fn here(&self) -> PathBuf {
        self.places.copy.join(self.run.batch.folder())
    }

    fn value(&self, word: &str) -> Option<String> {
        let date = self.run.opened.business_date.0;
        let business_day = |n: i32| {
            let calendar = self.run.batch.calendar.as_ref()?;
            self.calendars.add(calendar, date, n).ok().map(|date| date.to_string())
        };
        match word {
            "business_date" => Some(date.to_string()),
            "business_date_compact" => Some(date.strftime("%Y%m%d").to_string()),
            "prev_business_date" => business_day(-1),
            "next_business_date" => business_day(1),
            "run" => Some(self.run.id().to_string()),
            "attempt" => Some(self.attempt.number.to_string()),
            "work" => Some(self.places.work.to_string_lossy().into_owned()),
            "here" => Some(self.here().to_string_lossy().into_owned()),
            parameter => self.run.opened.parameters.get(parameter).cloned(),
        }
    }
}
