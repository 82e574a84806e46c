//! The state folder: where runs, reports, the agent and the work of jobs have their places.

#![expect(clippy::disallowed_methods, reason = "driver: it lays files out")]

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::port::Folders;
use crate::types::RunId;

/// The state folder of a site, absolute.
#[derive(Debug, Clone)]
pub struct StateFolder {
    root: PathBuf,
    /// What the supervisors of this host share: the agent and the work of jobs.
    shared: PathBuf,
}

impl StateFolder {
    /// Makes the folder if it is not there: other accounts can look up names in it (jobs may run as others), and read
    /// nothing of the store.
    pub fn create(root: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(root)?;
        let root = root.canonicalize()?;
        Ok(Self { shared: root.clone(), root })
    }

    /// The agent and the work of jobs are in another folder, which is made if it is not there.
    pub fn sharing(self, shared: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(shared)?;
        Ok(Self { shared: shared.canonicalize()?, ..self })
    }

    /// The folder as it is; nothing is made.
    pub fn at(root: &Path) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "is a file, not a folder"));
        }
        Ok(Self { shared: root.clone(), root })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn agent(&self) -> PathBuf {
        self.shared.join("agent")
    }

    fn of_run(&self, run: &RunId) -> PathBuf {
        self.root.join("runs").join(run.to_string())
    }
}

impl Folders for StateFolder {
    fn copy_of(&self, run: &RunId) -> PathBuf {
        self.of_run(run).join("site")
    }

    fn work(&self) -> PathBuf {
        self.shared.join("work")
    }

    fn lay_copy(&self, run: &RunId, files: &BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
        std::fs::create_dir_all(self.work())?;
        let root = self.copy_of(run);
        std::fs::create_dir_all(&root).map_err(|why| at(&root, &why))?;
        for (path, bytes) in files {
            let path = root.join(path);
            lay(&path, bytes).map_err(|why| at(&path, &why))?;
        }
        Ok(())
    }

    fn read_copy(&self, run: &RunId, path: &Path) -> io::Result<Vec<u8>> {
        let path = self.copy_of(run).join(path);
        std::fs::read(&path).map_err(|why| at(&path, &why))
    }

    fn write_report(&self, run: &RunId, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let folder = self.root.join("reports").join(run.to_string());
        std::fs::create_dir_all(&folder).map_err(|why| at(&folder, &why))?;
        let path = folder.join(name);
        let aside = folder.join(format!(".{name}"));
        std::fs::write(&aside, content)?;
        std::fs::rename(&aside, &path)?;
        Ok(path)
    }
}

/// One file of a copy, if it does not lie there already.
fn lay(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let aside = path.with_extension("nightrun-new");
    // A crash may have left one that nobody may write any more.
    match std::fs::remove_file(&aside) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
        _ => {}
    }
    std::fs::write(&aside, bytes)?;
    // Read and execute for all, write for none: the copy is what the run goes by.
    std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o555))?;
    std::fs::rename(&aside, path)
}

fn at(path: &Path, why: &io::Error) -> io::Error {
    io::Error::new(why.kind(), format!("{}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_was_altered_or_half_laid_is_put_right() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateFolder::create(&dir.path().join("state")).unwrap();
        let run: RunId = "eod@2026-10-30#1".parse().unwrap();
        let files = BTreeMap::from([(PathBuf::from("eod/a.sh"), b"echo 1\n".to_vec())]);
        state.lay_copy(&run, &files).unwrap();
        let path = state.copy_of(&run).join("eod/a.sh");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "echo 2\n").unwrap();
        let left = path.with_extension("nightrun-new");
        std::fs::write(&left, "ec").unwrap();
        std::fs::set_permissions(&left, std::fs::Permissions::from_mode(0o555)).unwrap();
        state.lay_copy(&run, &files).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "echo 1\n");
    }
}
