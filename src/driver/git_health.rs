//! What is found of the repository of the job files. Nothing in it is changed.

use std::path::Path;

use super::git::{self, GitError, Repository};
use crate::definition::settings::{Definitions, Follow};
use crate::view::health::Finding;

/// Looks at the repository that a site's folder lies in, and asks the remote that is followed, if one is.
pub async fn examine(site: &Path, definitions: &Definitions) -> Vec<Finding> {
    let needed = matches!(definitions, Definitions::Commits { .. });
    if !needed && !git::lies_in_repository(site) {
        return vec![Finding::NotInGit { path: site.to_owned() }];
    }
    let repository = match Repository::of(site) {
        Ok(repository) => repository,
        Err(why) => return vec![Finding::GitUnusable { why: why.to_string(), needed }],
    };
    let mut found = match of_checkout(&repository, needed) {
        Ok(found) => found,
        Err(why) => vec![Finding::GitUnusable { why: why.to_string(), needed }],
    };
    if let Definitions::Commits { follow: Some(follow) } = definitions {
        found.push(of_remote(&repository, follow).await);
    }
    found
}

fn of_checkout(repository: &Repository, needed: bool) -> Result<Vec<Finding>, GitError> {
    let version = git::version()?;
    let dirty = repository.is_dirty()?;
    let revision = repository.revision(&repository.commit("HEAD")?, false)?;
    let (commit, branch) = (revision.short(), repository.branch()?);
    let mut found = Vec::new();
    if dirty {
        found.push(Finding::GitDirty { commit: commit.clone(), counts: !needed });
    }
    found.push(Finding::GitCommit { version, commit, author: revision.author, branch });
    Ok(found)
}

async fn of_remote(repository: &Repository, follow: &Follow) -> Finding {
    let (remote, branch) = (follow.remote.clone(), follow.branch.clone());
    match repository.remote_has(&remote, &branch).await {
        Ok(commit) => {
            let commit = commit.get(..12).unwrap_or(&commit).to_owned();
            Finding::GitFollows { remote, branch, commit }
        }
        Err(why) => Finding::GitRemoteSilent { remote, branch, why: why.to_string() },
    }
}
