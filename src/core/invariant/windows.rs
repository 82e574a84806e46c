//! Whether a start is allowed by its windows.

use super::{Around, rules};
use crate::core::gate;
use crate::core::state::Run;
use crate::core::window::{Gate, Subject, WindowReason};
use crate::types::HostName;

/// Its window is open, nothing is frozen, and what it needs fits in.
pub(super) fn window_open(
    around: Around<'_>,
    run: &Run,
    index: usize,
    host: &HostName,
) -> Result<(), String> {
    let job = run.job(index);
    let mut classes: Vec<_> = run.batch.window.iter().chain(&job.window).collect();
    classes.dedup();
    let ordered = &around.state.standing.freezes;
    if classes.is_empty() && run.site.freezes.is_empty() && ordered.is_empty() {
        return Ok(());
    }
    let expected = run.opened.expected.get(&job.name).copied().or(job.expected);
    let fits = gate::must_fit_of(&run.site, job, expected, run.opened.trial);
    let target = job.kind.target(&run.site);
    let what = Subject { batch: &run.batch.id, target, host, ordered };
    let windows = &rules(around, run)?.windows;
    let gate = match run.opened.window_override {
        None => windows.gate(&classes, what, around.now.wall, fits),
        Some(_) => windows.gate_overridden(&classes, what, around.now.wall, fits),
    };
    let reason = match gate {
        Gate::Open { .. } => return Ok(()),
        Gate::Closed { reason, .. } => reason,
    };
    Err(match reason {
        WindowReason::NotOpen { class } => format!("its window `{class}` is closed"),
        WindowReason::DoesNotFit { needs, left } => {
            format!("it needs {needs:?} and its window closes, or freezes, in {left:?}")
        }
        WindowReason::Frozen { reason, until, .. } => {
            format!("it is frozen until {until}: {}", reason.en)
        }
        WindowReason::CalendarUnknown { class, why } => format!("its window `{class}`: {why}"),
        WindowReason::NoSuchWindow { class } => format!("there is no window `{class}`"),
    })
}
