//! The job files as commits have them: what runs where `definitions: {require: clean}` is set.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::source::of_tree;
use crate::definition::settings::Follow;
use crate::driver::git::{GitError, Repository};
use crate::port::{Defects, LoadedSite};
use crate::supervisor::Input;
use crate::types::Revision;

/// The commits of a repository, one after the other.
#[derive(Debug)]
pub(super) struct Commits {
    repository: Repository,
    /// What stands for the newest commit: `HEAD`, or what was fetched of a remote's branch.
    newest: String,
    /// The last commit that was taken.
    taken: Mutex<Option<String>>,
}

impl Commits {
    pub(super) fn new(repository: Repository, newest: String) -> Self {
        Self { repository, newest, taken: Mutex::default() }
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The site of the newest commit, which must come after the one that was taken last.
    pub(super) fn read(&self, folder: &Path) -> Result<LoadedSite, Defects> {
        let newest = self.repository.commit(&self.newest).map_err(|why| {
            Defects(format!("{} names no commit (was it ever fetched?): {why}", self.newest))
        })?;
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(taken) = taken
            && !self.repository.is_ancestor(&taken, &newest).map_err(defects)?
        {
            return Err(Defects(format!(
                "{} is {newest} now, which does not come after {taken}: the branch was rewritten; \
                 put it right, or start the service again to take it as it is",
                self.newest
            )));
        }
        self.read_commit(folder, &newest)
    }

    pub(super) fn read_commit(&self, folder: &Path, commit: &str) -> Result<LoadedSite, Defects> {
        let revision = self.repository.revision(commit, false).map_err(defects)?;
        let tree = self.repository.tree(commit).map_err(defects)?;
        let short = revision.short();
        if let Some(path) = self.repository.odd_one(commit).map_err(defects)? {
            return Err(Defects(format!(
                "commit {short}: {} is a link or a submodule, and neither is taken from a commit: put a file there",
                path.display()
            )));
        }
        of_tree(folder, tree, Some(revision))
            .map_err(|Defects(what)| Defects(format!("commit {short}: {what}")))
    }

    pub(super) fn is_older(&self, revision: &Revision, than: &Revision) -> bool {
        let ancestor = self.repository.is_ancestor(&revision.commit, &than.commit);
        revision.commit != than.commit && ancestor.is_ok_and(|ancestor| ancestor)
    }

    pub(super) fn took(&self, revision: &Revision) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = Some(revision.commit.clone());
    }

    pub(super) fn stamp(&self) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        self.repository.commit(&self.newest).ok().hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn files(
        &self,
        revision: &Revision,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
        self.repository.contents(&revision.commit, wanted).map_err(io::Error::other)
    }
}

/// Asks a remote for its branch, again and again, and tells the supervisor when it has moved. A remote that does not
/// answer is told of once, and that it answers again.
pub async fn follow(repository: Repository, wanted: Follow, inbox: mpsc::UnboundedSender<Input>) {
    let Follow { remote, branch, every } = wanted;
    let known = Repository::followed(&remote, &branch);
    let mut last = repository.commit(&known).ok();
    let mut silent = false;
    loop {
        let input = match repository.fetch(&remote, &branch).await {
            Ok(_) if silent => {
                silent = false;
                last = None;
                Some(Input::Notice(format!("{remote} answers again")))
            }
            Ok(commit) if last.as_ref() != Some(&commit) => {
                last = Some(commit);
                Some(Input::Reload)
            }
            Err(why) if !silent => {
                silent = true;
                let text = format!(
                    "the job files of {remote}/{branch} are not to be had: {why}; trying again"
                );
                Some(Input::Notice(text))
            }
            Ok(_) | Err(_) => None,
        };
        if input.is_some_and(|input| inbox.send(input).is_err()) {
            return;
        }
        // Nothing tells when a remote has moved.
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(every, never).await;
    }
}

fn defects(why: GitError) -> Defects {
    Defects(why.to_string())
}
