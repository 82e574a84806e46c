//! What became of an attempt whose shim is gone without an ending: only what can be vouched for.
#![expect(clippy::disallowed_methods, reason = "a verdict bears the time at which it was given")]

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::folder::AgentFolder;
use super::processes::{self, Process};
use super::spool::{self, Holder, Places, Record, RecordFile};
use crate::fault;
use crate::types::{AttemptId, Ending, Usage};
use crate::wire::{Ended, FromAgent};

/// What the spool knows of an attempt.
pub(super) enum Known {
    Never,
    /// A shim watches it.
    Watched(Holder),
    /// The line that says how.
    Ended(Vec<u8>),
}

/// Looks an attempt up. Where its shim is gone without a word, gives the verdict and keeps it, so that it never changes.
/// `failed`: why the shim failed, where that is known.
pub(super) fn look_up(
    folder: &AgentFolder,
    attempt: &AttemptId,
    failed: Option<&str>,
) -> io::Result<Known> {
    let places = Places::of(&folder.dir, attempt);
    if let Some(ended) = places.ended() {
        return Ok(Known::Ended(ended));
    }
    if !places.folder.exists() {
        return Ok(Known::Never);
    }
    // Either a shim has the lock, or nobody has it and this process takes it. Who holds it can change while one looks.
    for _ in 0..100 {
        if let Some(holder) = places.shim()? {
            return Ok(Known::Watched(holder));
        }
        if let Some(mut file) = places.lock()? {
            // It may have ended, and said so, between the first look and the lock.
            if let Some(ended) = file.ended() {
                return Ok(Known::Ended(ended));
            }
            let ended = verdict(folder, attempt, &places.values(), &file, failed);
            let line = ended_line(&ended)?;
            if let Err(e) = file.append(&line) {
                // Found again when it is asked for again.
                folder.log().line(&format!("{attempt}: its ending cannot be kept: {e}"));
            }
            return Ok(Known::Ended(line));
        }
    }
    Err(io::Error::other(format!("{}: its lock changes hands without end", places.live.display())))
}

/// An ending as it is kept and told.
pub(super) fn ended_line(ended: &Ended) -> io::Result<Vec<u8>> {
    spool::line(&FromAgent::Ended(Box::new(ended.clone())))
}

/// Given under the lock: no shim is there, and none can begin any more.
fn verdict(
    folder: &AgentFolder,
    attempt: &AttemptId,
    values: &Path,
    file: &RecordFile,
    failed: Option<&str>,
) -> Ended {
    let record = file.record();
    let here = folder.kernel_boot();
    let restarted = match &record.boot {
        Some(boot) => boot != here,
        None => folder.other_boot,
    };
    let ending = if restarted {
        Ending::Lost { why: "the host restarted".to_owned() }
    } else if record.boot.is_none() {
        // The record is begun before the program is started.
        Ending::CouldNotStart { why: not_begun(failed) }
    } else {
        orphaned(values, &record)
    };
    Ended { started: record.running.map(|r| r.at), ..bare(attempt, ending) }
}

/// Words for an attempt of which nothing was started.
pub(super) fn not_begun(failed: Option<&str>) -> String {
    match failed {
        Some(why) => format!("the agent could not begin it: {why}"),
        None => "its watcher ended before it started the program".to_owned(),
    }
}

/// The shim was killed: whether the work goes on is seen from the processes that bear the attempt's mark.
fn orphaned(values: &Path, record: &Record) -> Ending {
    let alive = survivors(values, record);
    if alive.is_empty() {
        return Ending::Lost {
            why: "its watcher was killed, and no process of it is left".to_owned(),
        };
    }
    Ending::Unknown {
        why: format!(
            "its watcher was killed while it ran; still there, and left alone: {}",
            processes::names(&alive)
        ),
    }
}

fn survivors(values: &Path, record: &Record) -> Vec<Process> {
    let mark = format!("NIGHTRUN_OUT={}", values.display());
    processes::all()
        .into_iter()
        .filter(|process| {
            record.running.is_some_and(|r| process.session == r.pid)
                || processes::has_in_environment(process.pid, mark.as_bytes())
        })
        .collect()
}

/// In whole microseconds, as everything that is stored.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    let now = now.saturating_add(fault::clock_step()).unwrap_or(now);
    Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
}

/// An ending of which nothing else is known.
pub(super) fn bare(attempt: &AttemptId, ending: Ending) -> Ended {
    Ended {
        attempt: attempt.clone(),
        ending,
        started: None,
        ended: now(),
        usage: Usage::default(),
        line_found: false,
        output_bytes: 0,
        tail: Vec::new(),
        values: std::collections::BTreeMap::new(),
        notes: Vec::new(),
        work: None,
    }
}
