//! When work of a run may be done: bands of its drawing.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::job::JobLine;
use super::run::RunHead;
use crate::core::bands;
use crate::core::night::Core;
use crate::core::state::{Run, Unfit};
use crate::types::{Text, WindowClass};

/// A window that binds jobs of the run (时间窗口), or a freeze that stops some (封版).
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Band {
    /// The window's title, or why it is frozen.
    pub title: Text,
    /// `null`: a freeze.
    pub window: Option<WindowClass>,
    /// Of a window its openings, of a freeze its own time; in order, from the first instant to before the second, within
    /// the time that the page is about.
    pub spans: Vec<(Timestamp, Timestamp)>,
}

/// How far before its opening they are shown: a run that is made up for counts from an instant that may be months back.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// Those of the time from a run's start until the last thing that is known or expected of it.
pub(super) fn of(
    core: &Core,
    run: &Run,
    head: &RunHead,
    jobs: &[JobLine],
) -> Result<Vec<Band>, Unfit> {
    let ends = jobs.iter().flat_map(|job| [job.planned_end, job.expected_end]).flatten();
    let known = [head.must_complete_by, head.expected_end].into_iter().flatten();
    let earliest = head.opened.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN);
    let from = head.anchor.clamp(earliest, head.opened);
    let to = ends.chain(known).fold(head.ended.unwrap_or(head.now), Timestamp::max);
    let windows = bands::openings(core, run, (from, to))?.into_iter().map(|(class, spans)| {
        let declared = run.site.windows.get(class);
        let title = declared.map_or_else(|| Text::en(class.as_str()), |known| known.title.clone());
        Band { title, window: Some(class.clone()), spans }
    });
    let freezes = bands::freezes(core, run, (from, to)).into_iter().map(|freeze| Band {
        title: freeze.reason.clone(),
        window: None,
        spans: vec![(freeze.from.max(from), freeze.to.min(to))],
    });
    Ok(windows.chain(freezes).collect())
}
