//! How long a host keeps what is over, from its settings.

use std::path::{Path, PathBuf};

use jiff::civil::{Time, time};

use super::defect::Finding;
use super::raw::settings::RetentionRecord;
use crate::types::Span;

/// What goes to the archive when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The folder of archives.
    pub archive: PathBuf,
    /// Finished runs are kept in the store for so long; `None`: for ever.
    pub runs: Option<Span>,
    /// Output of jobs is kept in the spool for so long.
    pub logs: Option<Span>,
    /// And at most so many bytes of it, without the oldest.
    pub logs_at_most: Option<u64>,
    /// When a supervisor that serves archives, once a day, by the clock of the site's zone.
    pub at: Time,
}

/// When nothing else runs in most houses.
const NOON: Time = time(12, 0, 0, 0);
/// A finished run is asked about for some time: shorter is a slip.
const AT_LEAST: Span = Span::seconds(24 * 60 * 60);

pub(super) fn retention(
    raw: &RetentionRecord,
    folder: &Path,
    found: &mut Vec<Finding>,
) -> Option<Retention> {
    let logs = raw.logs.get();
    let runs = raw.runs.get().map(|runs| &runs.keep);
    let ages = [runs, logs.map(|logs| &logs.keep)].into_iter().flatten();
    for given in ages.filter_map(|keep| keep.given()) {
        if given.value < AT_LEAST {
            let finding = Finding::error(given.at, "nothing is archived before it is a day old");
            found.push(finding.hint("write a longer time, such as `90d`"));
        }
    }
    Some(Retention {
        archive: folder.join(&raw.archive.get()?.0),
        runs: runs.and_then(|keep| keep.get().copied()),
        logs: logs.and_then(|logs| logs.keep.get().copied()),
        logs_at_most: logs.and_then(|logs| logs.at_most.get().map(|size| size.0)),
        at: raw.at.get().copied().unwrap_or(NOON),
    })
}
