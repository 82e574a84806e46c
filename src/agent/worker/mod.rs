//! The worker: nightrun itself as the program of an `sql`, `change`, `wait` or `inspect` job, and of one that Slurm runs
//! (`nightrun __worker TASKFILE`).
//!
//! A process of its own, so that a restart of the supervisor touches nothing that runs in a database. It prints what
//! it does on stdout and what went wrong on stderr, appends its steps to the file named by `NIGHTRUN_STEPS`, leaves
//! what it did as [`Work`] in the file named by `NIGHTRUN_WORK_RESULT`, and ends with one of [`Exit`]'s codes.

pub mod change;
mod client;
pub mod db;
mod halt;
mod inspect;
pub mod ledger;
mod log;
pub mod look;
mod script;
mod slurm;
mod source;
mod statement;
pub mod steps;
mod table;
mod tls;
mod wait;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::definition::site::{ChangeMode, Engine};
use crate::types::{AttemptId, Span};
use crate::wire::{Task, Work};
use db::Target;
use halt::{Halt, Limit};
use log::complain;

/// How a worker ends, by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The work is done; for a change: applied and verified.
    Good = 0,
    /// The work failed, and nothing of it stays. A change: proven that nothing was applied.
    Failed = 1,
    /// The task could not be read, or the environment lacks what it needs. Nothing was touched.
    BadTask = 2,
    /// `transaction: none`, or a journalled change: a statement failed, and those before it stay.
    Partial = 3,
    /// What was waited for did not come within its limit.
    LimitPassed = 4,
    /// A script breaks a rule of [`crate::sql::lint`] or cannot be read. Nothing was touched.
    Refused = 5,
    /// A change: a guard (rows, backup, verification) refused before COMMIT; nothing was applied.
    FailedGuard = 6,
    /// A change was applied, did not verify, and was rolled back; the former state is proven.
    RolledBack = 7,
    /// A change was applied, did not verify, and the former state could not be restored or proven.
    RollbackFailed = 8,
    /// Whether the work was committed cannot be known. People decide.
    InDoubt = 9,
}

/// Does the task of the file and returns the exit code.
pub fn run(task_file: &Path) -> i32 {
    finish(task_file) as i32
}

fn finish(task_file: &Path) -> Exit {
    let env = Env::read();
    let task: Task = match source::read(task_file)
        .map_err(|error| error.to_string())
        .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
    {
        Ok(task) => task,
        Err(why) => {
            complain!("the task {} cannot be read: {why}", task_file.display());
            return Exit::BadTask;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain!("no runtime: {error}");
            return Exit::Failed;
        }
    };
    let steps = match steps::Steps::open(env.steps.as_deref()) {
        Ok(steps) => steps,
        Err(error) => {
            complain!("{error}");
            return Exit::BadTask;
        }
    };
    let attempt = env.attempt.as_ref();
    let (exit, work) = match task {
        Task::Sql { engine: Engine::Client(client), script, .. } => {
            let (exit, work) = client::script(&client, &script, steps);
            (exit, Some(work))
        }
        Task::Sql { engine, script, transaction, time_limit } => {
            let ran = runtime.block_on(async {
                let halt = Halt::watch(&limits(time_limit, None))?;
                let target = Target::new(&engine, attempt, halt);
                Ok(script::run(&target, &script, transaction, steps).await)
            });
            match ran {
                Ok((exit, work)) => (exit, Some(work)),
                Err(error) => return deaf(error),
            }
        }
        Task::Change(task) => {
            let (Some(attempt), true) = (env.attempt.clone(), env.steps.is_some()) else {
                complain!(
                    "a change needs NIGHTRUN_ATTEMPT_ID (an attempt's id) and NIGHTRUN_STEPS"
                );
                return Exit::BadTask;
            };
            if let Engine::Client(client) = &task.engine {
                let (exit, work) = change::by_client(&task, client, &attempt, steps);
                return leave(&env, exit, Work::Change(work));
            }
            let ran = runtime.block_on(async {
                // A statement that commits by itself is not cut off by the window: what comes after it is not begun.
                let window = match task.mode {
                    ChangeMode::Transactional => task.window_left,
                    ChangeMode::Journalled => None,
                };
                let halt = Halt::watch(&limits(task.time_limit, window))?;
                Ok(change::run(&task, attempt, halt, steps).await)
            });
            match ran {
                Ok((exit, work)) => (exit, Some(Work::Change(work))),
                Err(error) => return deaf(error),
            }
        }
        Task::WaitFile { path, stable, every, limit } => {
            (wait::for_file(&path, stable, every, limit), None)
        }
        Task::WaitSql { engine, query, every, limit } => {
            // It does nothing that would have to be undone: TERM ends it as it ends any program.
            let target = Target::new(&engine, attempt, Halt::never());
            (runtime.block_on(wait::for_sql(&target, &query, every, limit)), None)
        }
        Task::Slurm(task) => {
            let (Some(attempt), true) = (env.attempt.clone(), env.steps.is_some()) else {
                complain!(
                    "a job of Slurm needs NIGHTRUN_ATTEMPT_ID (an attempt's id) and NIGHTRUN_STEPS"
                );
                return Exit::BadTask;
            };
            let ran = runtime.block_on(async {
                let halt = Halt::watch(&[])?;
                Ok(slurm::run(&task, &attempt, halt, steps).await)
            });
            match ran {
                Ok(left) => {
                    let exit = leave(&env, left.exit, Work::Slurm(left.work.clone()));
                    left.clear();
                    return exit;
                }
                Err(error) => return deaf(error),
            }
        }
        Task::Inspect(task) => {
            let work = runtime.block_on(inspect::all(&task, attempt));
            // What hangs in a system call (a file system over the network) is not waited for.
            runtime.shutdown_background();
            return inspect::leave(&env, work);
        }
    };
    match work {
        Some(work) => leave(&env, exit, work),
        None => exit,
    }
}

fn leave(env: &Env, exit: Exit, work: Work) -> Exit {
    if let Some(path) = &env.result
        && let Err(error) = leave_result(path, &work)
    {
        // The work is done or undone whatever becomes of its description: the exit code still tells.
        complain!("the result could not be written to {}: {error}", path.display());
    }
    exit
}

fn limits(time_limit: Option<Span>, window_left: Option<Span>) -> Vec<Limit> {
    let limit = |span: Option<Span>, words| span.map(|span| (span.get(), words));
    let both =
        [limit(time_limit, "its time limit is reached"), limit(window_left, "its window closes")];
    both.into_iter().flatten().collect()
}

/// Without a way to be told to end, nothing is begun.
fn deaf(error: std::io::Error) -> Exit {
    complain!("TERM cannot be waited for: {error}");
    Exit::Failed
}

/// What the shim tells its worker.
struct Env {
    attempt: Option<AttemptId>,
    result: Option<PathBuf>,
    steps: Option<PathBuf>,
}

impl Env {
    fn read() -> Self {
        let text = |value: OsString| value.into_string().ok();
        let path = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(Into::into);
        Self {
            attempt: std::env::var_os("NIGHTRUN_ATTEMPT_ID")
                .and_then(text)
                .and_then(|id| id.parse().ok()),
            result: path("NIGHTRUN_WORK_RESULT"),
            steps: path("NIGHTRUN_STEPS"),
        }
    }
}

/// Whole or not at all: a reader never sees half a result.
#[expect(clippy::disallowed_methods, reason = "the worker leaves its result for the shim")]
fn leave_result(path: &Path, work: &Work) -> std::io::Result<()> {
    use std::io::Write;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    let mut file = std::fs::File::create(&draft)?;
    file.write_all(&serde_json::to_vec(work)?)?;
    file.sync_all()?;
    std::fs::rename(&draft, path)
}
