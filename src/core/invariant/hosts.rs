//! Whether an attempt is the next one of its job, on a host that it may run on by the words of the definition.

use super::Around;
use crate::core::phase::Phase;
use crate::core::state::Run;
use crate::definition::site::{Job, Placement};
use crate::types::{AttemptId, BootId, HostName};

/// Whether an attempt is the next one, on its host.
pub(super) fn next_attempt(
    around: Around<'_>,
    run: &Run,
    index: usize,
    (attempt, host, boot): (&AttemptId, &HostName, &BootId),
) -> Result<(), String> {
    let definition = run.job(index);
    let last = run.jobs[index].attempts.last();
    if last.map_or(0, |last| last.number).checked_add(1) != Some(attempt.number) {
        return Err("its number is not the next one".to_owned());
    }
    if last.is_some_and(|last| last.ended.is_none()) {
        return Err("the attempt before it has not ended".to_owned());
    }
    if !definition.kind.starts() {
        return Err("it starts nothing".to_owned());
    }
    if around.hosts.get(host) != Some(boot) {
        return Err(format!("{host} is not reached in this boot"));
    }
    if around.state.standing.drains.contains_key(host) {
        return Err(format!("{host} takes no new attempts"));
    }
    // What may still run of it, or is in doubt, is looked for where it was begun.
    let bound =
        definition.slurm.is_some() || matches!(run.jobs[index].phase, Phase::InDoubt { .. });
    let permitted = match last.filter(|_| bound) {
        Some(last) => last.host == *host,
        None => permits(run, definition, host),
    };
    match permitted {
        true => Ok(()),
        false => Err(format!("{host} is none of the hosts that it may run on")),
    }
}

fn permits(run: &Run, job: &Job, host: &HostName) -> bool {
    match &job.host {
        Placement::On(named) => named == host,
        Placement::Among { label, .. } => run.site.hosts.get(host).is_some_and(|declared| {
            declared.labels.contains(label) && (declared.trial || !run.opened.trial)
        }),
        Placement::SameAs { job: other } => {
            let Some(index) = run.index(other) else { return false };
            match run.jobs[index].attempts.last() {
                Some(last) => last.host == *host,
                // What it needs comes before it, so that this goes on for no longer than the batch has jobs.
                None => permits(run, run.job(index), host),
            }
        }
    }
}
