//! The `inspect` task: looks at things one after the other, each within its limit, and leaves what it has found. A check
//! that fails keeps none of the others from being made.

mod command;
mod host;
mod log_lines;
mod memory;
mod network;

use std::time::Duration;

use super::db::{Cell, Target};
use super::halt::Halt;
use super::log::{complain, say};
use super::{Env, Exit, leave_result, script, wait};
use crate::definition::site::{Engine, InspectCheck, Look};
use crate::sql::lint;
use crate::types::{AttemptId, CheckVerdict, Reading, Thresholds, Unit};
use crate::wire::{Checked, InspectTask, Work};
use memory::Memory;

/// What a look has seen. Where there is no verdict, thresholds judge the value.
struct Seen {
    value: Option<Reading>,
    verdict: Option<CheckVerdict>,
    words: String,
}

impl Seen {
    fn measured(value: Option<Reading>, words: impl Into<String>) -> Self {
        Self { value, verdict: None, words: words.into() }
    }

    /// Nothing could be measured.
    fn nothing(words: impl Into<String>) -> Self {
        Self { value: None, verdict: Some(CheckVerdict::Fail), words: words.into() }
    }

    fn verdict(&self, thresholds: Thresholds) -> CheckVerdict {
        let measured = || self.value.map_or(CheckVerdict::Fail, |value| thresholds.verdict(value));
        self.verdict.unwrap_or_else(measured)
    }
}

/// All checks that were made, and what is to be remembered of them.
pub(super) struct Inspected {
    checks: Vec<Checked>,
    memory: Result<Memory, String>,
}

/// Makes all checks.
pub(super) async fn all(task: &InspectTask, attempt: Option<&AttemptId>) -> Inspected {
    let mut memory = Memory::open(task.memory.as_deref(), attempt);
    let mut checks = Vec::new();
    for check in &task.checks {
        let looked = look(check, task.engine.as_ref(), attempt, &mut memory);
        let seen = match tokio::time::timeout(check.limit.get(), looked).await {
            Ok(seen) => seen,
            Err(_) => Seen::nothing(format!("no answer within {}", check.limit)),
        };
        let checked = Checked {
            name: check.name.clone(),
            value: seen.value,
            unit: unit(check),
            thresholds: check.thresholds,
            verdict: seen.verdict(check.thresholds),
            words: seen.words,
        };
        tell(&checked);
        checks.push(checked);
    }
    Inspected { checks, memory }
}

/// Leaves the results, and then what is remembered: a worker that dies in between counts lines twice rather than never.
pub(super) fn leave(env: &Env, inspected: Inspected) -> Exit {
    let Inspected { checks, memory } = inspected;
    let failed = checks.iter().any(|check| check.verdict == CheckVerdict::Fail);
    if let Some(path) = &env.result
        && let Err(error) = leave_result(path, &Work::Inspect { checks })
    {
        // An inspection is worth what it has recorded.
        complain!("the results could not be written to {}: {error}", path.display());
        return Exit::Failed;
    }
    if let Err(why) = memory.and_then(Memory::keep) {
        complain!("how far the logs were read cannot be kept: {why}");
        return Exit::Failed;
    }
    if failed { Exit::Failed } else { Exit::Good }
}

/// What fails is told where the alert takes its lines from.
fn tell(checked: &Checked) {
    let words = match checked.words.as_str() {
        "" => String::new(),
        words => format!(" ({words})"),
    };
    let line =
        format!("{}: {}, {}{words}", checked.name, checked.verdict.name(), checked.measured());
    match checked.verdict {
        CheckVerdict::Fail => complain!("{line}"),
        CheckVerdict::Ok | CheckVerdict::Warn => say!("{line}"),
    }
}

fn unit(check: &InspectCheck) -> Unit {
    match &check.look {
        Look::Http { .. } | Look::Tcp { .. } => Unit::Milliseconds,
        Look::Disk { .. } | Look::Cpu { .. } | Look::Memory { .. } => Unit::Percent,
        Look::Log { .. } => Unit::Lines,
        Look::Command { .. } if check.thresholds.is_empty() => Unit::ExitCode,
        Look::Command { .. } | Look::Sql { .. } => Unit::Number,
    }
}

async fn look(
    check: &InspectCheck,
    engine: Option<&Engine>,
    attempt: Option<&AttemptId>,
    memory: &mut Result<Memory, String>,
) -> Seen {
    let judged = !check.thresholds.is_empty();
    match &check.look {
        Look::Command { argv } => command::look(argv, judged).await,
        Look::Http { url, status, ca } => network::http((url, ca.as_deref()), *status).await,
        Look::Tcp { address } => network::tcp(address).await,
        Look::Sql { query } => match engine {
            Some(engine) => sql(&Target::new(engine, attempt, Halt::never()), query, judged).await,
            None => Seen::nothing("the order names no database"),
        },
        Look::Disk { path } => aside(path, |path| host::disk(&path)).await,
        Look::Cpu { during } => host::cpu(during.get()).await,
        Look::Memory { of } => host::memory(*of),
        Look::Log { path, lines } => match memory {
            Err(why) => Seen::nothing(why.clone()),
            Ok(memory) => {
                let (since, lines) = (memory.since(&check.name), lines.clone());
                let read = aside(path, move |path| log_lines::look(&path, &lines, since)).await;
                match read {
                    Ok((seen, mark)) => {
                        memory.remember(check.name.clone(), mark);
                        seen
                    }
                    Err(why) => Seen::nothing(why),
                }
            }
        },
    }
}

/// Does what may hang (a file system over the network) where it holds up nothing but itself.
async fn aside<T: From<Lost> + Send + 'static>(
    path: &str,
    work: impl FnOnce(std::path::PathBuf) -> T + Send + 'static,
) -> T {
    let path = path.into();
    match tokio::task::spawn_blocking(move || work(path)).await {
        Ok(done) => done,
        Err(error) => Lost(error.to_string()).into(),
    }
}

/// The thread that looked has died.
struct Lost(String);

impl From<Lost> for Seen {
    fn from(Lost(why): Lost) -> Self {
        Self::nothing(why)
    }
}

impl<T> From<Lost> for Result<T, String> {
    fn from(Lost(why): Lost) -> Self {
        Err(why)
    }
}

async fn sql(target: &Target<'_>, query: &str, judged: bool) -> Seen {
    if script::refused(&lint::condition(target.dialect(), query), "query") {
        return Seen::nothing("the query is refused");
    }
    let cell = match wait::first_value(target, query).await {
        Ok(Some(cell)) => cell,
        Ok(None) => return Seen::nothing("the query gives no row"),
        Err(error) => return Seen::nothing(error.to_string()),
    };
    let value = match &cell {
        Cell::Integer(number) => Reading::new(*number as f64),
        Cell::Real(number) => Reading::new(*number),
        Cell::Text(text) => number(text),
        Cell::Null | Cell::Blob(_) => None,
    };
    if !judged {
        let verdict = if cell.is_true() { CheckVerdict::Ok } else { CheckVerdict::Fail };
        return Seen { value, verdict: Some(verdict), words: String::new() };
    }
    match value {
        Some(_) => Seen::measured(value, ""),
        None => Seen::nothing("the answer is not a number"),
    }
}

fn number(text: &str) -> Option<Reading> {
    text.trim().parse().ok().and_then(Reading::new)
}

/// Milliseconds, to a tenth.
fn milliseconds(took: Duration) -> Option<Reading> {
    Reading::new(took.as_secs_f64() * 1_000.0).map(Reading::rounded)
}
