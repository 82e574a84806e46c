//! Copies of runs that are decided on another host: laid file by file as they are told, whole before anything of their run
//! is begun.
#![expect(clippy::disallowed_methods, reason = "the agent keeps its own files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::types::RunId;
use crate::wire::{CopyPiece, spool};

/// The folder of the copies, and what could not be laid there.
#[derive(Debug)]
pub(super) struct Copies {
    dir: PathBuf,
    failed: BTreeMap<RunId, io::Error>,
    /// Files that were told to their end and laid.
    told: BTreeMap<RunId, BTreeSet<PathBuf>>,
}

/// Whether something of a run can be begun.
#[derive(Debug)]
pub(super) enum Laid {
    Whole,
    /// Not, or not all of it, was told.
    NotYet,
    /// The error is given away: the copy may be told again.
    Failed(io::Error),
}

impl Copies {
    /// Beneath the agent's folder.
    pub(super) fn beneath(agent_dir: &Path) -> Self {
        Self { dir: agent_dir.join(spool::COPIES), failed: BTreeMap::new(), told: BTreeMap::new() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A piece that cannot be kept spoils its copy until that is told anew.
    pub(super) fn lay(&mut self, piece: &CopyPiece) {
        let whole = self.whole_mark(&piece.run);
        let laid = remove_if_there(&whole).and_then(|()| self.lay_piece(piece));
        if laid.is_ok() && !piece.more {
            self.told.entry(piece.run.clone()).or_default().insert(piece.path.clone());
        }
        if let Err(e) = laid {
            let path = self.of(&piece.run).join(&piece.path);
            let e = io::Error::new(e.kind(), format!("{}: {e}", path.display()));
            self.failed.entry(piece.run.clone()).or_insert(e);
        }
    }

    fn lay_piece(&self, piece: &CopyPiece) -> io::Result<()> {
        if !piece.stays_beneath() {
            return Err(io::Error::other("leads out of the copy"));
        }
        let path = self.of(&piece.run).join(&piece.path);
        for folder in piece.path.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            // Accounts that jobs become read it, whatever the agent's umask.
            pass_to_all(&self.of(&piece.run).join(folder))?;
        }
        let mut aside = path.clone().into_os_string();
        aside.push(".nightrun-new");
        if piece.at == 0 {
            // A crash may have left one that nobody may write any more.
            remove_if_there(Path::new(&aside))?;
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(&aside)?;
        if file.seek(SeekFrom::End(0))? != piece.at {
            return Err(io::Error::other("a part of the file before this one is missing"));
        }
        file.write_all(&piece.bytes)?;
        if piece.more {
            return Ok(());
        }
        // Read and execute for all, write for none: the copy is what the run goes by.
        file.set_permissions(Permissions::from_mode(0o555))?;
        // A program that is open for writing cannot be executed.
        drop(file);
        fs::rename(&aside, path)
    }

    /// So many files were told. Where a connection has broken in between some may be missing: then it is not whole, and is told
    /// again.
    pub(super) fn whole(&mut self, run: &RunId, files: usize) {
        let told = self.told.remove(run).map_or(0, |told| told.len());
        if self.failed.contains_key(run) || told != files {
            return;
        }
        // Where jobs work is there before the first of them.
        let marked = self.work().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            pass_to_all(&self.of(run))?;
            fs::write(self.whole_mark(run), b"")
        });
        if let Err(e) = marked {
            self.failed.insert(run.clone(), e);
        }
    }

    /// The work folder lies beside the agent's.
    pub(super) fn work(&self) -> Option<PathBuf> {
        Some(self.dir.parent()?.parent()?.join("work"))
    }

    pub(super) fn state(&mut self, run: &RunId) -> Laid {
        match self.failed.remove(run) {
            Some(error) => Laid::Failed(error),
            None if self.whole_mark(run).exists() => Laid::Whole,
            None => Laid::NotYet,
        }
    }

    /// Nothing of the run is started any more.
    pub(super) fn remove(&self, run: &RunId) -> io::Result<()> {
        remove_if_there(&self.whole_mark(run))?;
        match fs::remove_dir_all(self.of(run)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    fn of(&self, run: &RunId) -> PathBuf {
        self.dir.join(run.to_string())
    }

    fn whole_mark(&self, run: &RunId) -> PathBuf {
        self.dir.join(format!("{run}.whole"))
    }
}

/// Makes a folder of the copies where there is none.
fn pass_to_all(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copies(dir: &Path) -> Copies {
        Copies::beneath(&dir.join("agent"))
    }

    fn piece(path: &str, at: u64, bytes: &[u8], more: bool) -> CopyPiece {
        let run = "eod@2026-10-30#1".parse().unwrap();
        CopyPiece { run, path: path.into(), at, bytes: bytes.to_vec(), more }
    }

    #[test]
    fn a_copy_is_whole_once_all_of_it_was_told_and_not_while_it_is_told_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut copies = copies(dir.path());
        let run = piece("a", 0, b"", false).run;
        assert!(matches!(copies.state(&run), Laid::NotYet));
        copies.lay(&piece("eod/a.sh", 0, b"echo ", true));
        copies.lay(&piece("eod/a.sh", 5, b"1\n", false));
        assert!(matches!(copies.state(&run), Laid::NotYet));
        copies.whole(&run, 1);
        assert!(matches!(copies.state(&run), Laid::Whole));
        let path = copies.of(&run).join("eod/a.sh");
        assert_eq!(fs::read(&path).unwrap(), b"echo 1\n");
        assert!(dir.path().join("work").is_dir());

        copies.lay(&piece("eod/a.sh", 0, b"echo 2\n", false));
        copies.whole(&run, 2);
        assert!(matches!(copies.state(&run), Laid::NotYet), "another file was lost on the way");
        copies.lay(&piece("eod/a.sh", 0, b"echo 2\n", false));
        assert!(matches!(copies.state(&run), Laid::NotYet));
        copies.whole(&run, 1);
        assert_eq!(fs::read(&path).unwrap(), b"echo 2\n");
        copies.remove(&run).unwrap();
        assert!(matches!(copies.state(&run), Laid::NotYet) && !path.exists());
    }

    #[test]
    fn a_piece_that_cannot_be_laid_spoils_the_copy_until_it_is_told_anew() {
        let dir = tempfile::tempdir().unwrap();
        let mut copies = copies(dir.path());
        let run = piece("a", 0, b"", false).run;
        for bad in [piece("a.sh", 7, b"x", false), piece("../a.sh", 0, b"x", false)] {
            copies.lay(&bad);
            copies.whole(&run, 1);
            assert!(matches!(copies.state(&run), Laid::Failed(_)));
            assert!(matches!(copies.state(&run), Laid::NotYet));
        }
        assert!(!dir.path().join("agent/copies/a.sh").exists());
    }
}
