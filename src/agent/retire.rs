//! Runs whose attempts are in an archive: what the spool kept of them goes, and that none of them is started again is kept in
//! one line a run.
#![expect(clippy::disallowed_methods, reason = "the agent keeps its own files")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::serve::Agent;
use super::verdict;
use crate::fault;
use crate::types::{AttemptId, Ending, RunId};
use crate::wire::{FromAgent, spool};

/// Runs of which nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Retired(BTreeSet<RunId>);

impl Retired {
    pub(super) fn read(dir: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(dir.join(spool::RETIRED)) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(e),
        };
        // A line without its end was not written: nothing has gone by it.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        Ok(Self(whole.lines().filter_map(|line| line.parse().ok()).collect()))
    }

    /// Durably, before anything goes.
    fn add(&mut self, dir: &Path, runs: &[RunId]) -> io::Result<()> {
        let mut lines: String = runs
            .iter()
            .filter(|run| !self.0.contains(*run))
            .map(|run| format!("{run}\n"))
            .collect();
        if lines.is_empty() {
            return Ok(());
        }
        let path = dir.join(spool::RETIRED);
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
        // After a line that was torn.
        lines.insert(0, '\n');
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        self.0.extend(runs.iter().cloned());
        Ok(())
    }
}

impl Agent<'_> {
    /// Answers for an attempt of a run that nothing is kept of: what became of it is in the archive. False: it is of another.
    pub(super) fn answer_retired(&mut self, index: usize, attempt: &AttemptId) -> bool {
        let retired = self.retired.0.contains(&attempt.run);
        if retired {
            let why = format!("{} was archived: this host keeps nothing of it", attempt.run);
            let ended = verdict::bare(attempt, Ending::Unknown { why });
            self.peers[index].tell(&FromAgent::Ended(Box::new(ended)));
        }
        retired
    }

    pub(super) fn retire(&mut self, index: usize, runs: Vec<RunId>, logs_only: bool) {
        let wanted: BTreeSet<&RunId> = self
            .watched
            .keys()
            .chain(&self.unrecorded)
            .chain(self.unkept.keys())
            .map(|attempt| &attempt.run)
            .collect();
        let (stay, go): (Vec<RunId>, Vec<RunId>) =
            runs.into_iter().partition(|run| wanted.contains(run));
        for run in stay {
            self.log(&format!("{run}: an ending is not known to be recorded, so it is kept"));
        }
        match self.clear(&go, logs_only) {
            Ok(()) => self.peers[index].tell(&FromAgent::Retired { runs: go }),
            Err(e) => {
                self.peers[index].give_up(&format!("what was archived cannot be removed: {e}"))
            }
        }
    }

    fn clear(&mut self, runs: &[RunId], logs_only: bool) -> io::Result<()> {
        if !logs_only {
            self.retired.add(&self.folder.dir, runs)?;
            fault::point("agent.retired");
        }
        let runs: BTreeSet<&RunId> = runs.iter().collect();
        let spool = self.folder.dir.join(spool::SPOOL);
        for entry in fs::read_dir(&spool)? {
            let name = entry?.file_name();
            let attempt = name.to_str().and_then(spool::attempt_of);
            if attempt.is_none_or(|attempt| !runs.contains(&attempt.run)) {
                continue;
            }
            let folder = spool.join(&name);
            if logs_only {
                remove(&folder.join(spool::OUT))?;
                remove(&folder.join(spool::ERR))?;
            } else {
                fs::remove_dir_all(&folder)?;
                fault::point("agent.cleared");
            }
        }
        if !logs_only {
            runs.into_iter().try_for_each(|run| self.copies.remove(run))?;
        }
        Ok(())
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
