//! The job files of a folder, as they are now.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;

use super::commits::Commits;
use crate::core::calendar::Calendars;
use crate::core::check::{self as core_check, Severity as Found};
use crate::core::roster::Entry;
use crate::core::roster_check::{self, About, RosterFinding};
use crate::core::roster_gaps::GapRule;
use crate::definition::defect::{Defect, Finding, Place, Severity};
use crate::definition::places::{FilePlace, Places};
use crate::definition::settings::{Definitions, Follow, Settings};
use crate::definition::site::Site;
use crate::definition::source::SourceTree;
use crate::definition::{self, Styles};
use crate::driver::files::{self, ReadSiteError};
use crate::driver::git::{self, GitError, Repository};
use crate::port::{Defects, LoadedSite, SiteSource};
use crate::types::{BatchId, Named, Revision};

/// A site as read and checked.
#[derive(Debug)]
pub struct Checked {
    /// `None` when a defect is an error.
    pub site: Option<Arc<Site>>,
    pub defects: Vec<Defect>,
}

/// Reads a folder and checks everything that can be known without running, as of a day.
pub fn check(folder: &Path, today: Date) -> Result<Checked, ReadSiteError> {
    let tree = files::read_site(folder)?;
    let loaded = definition::load(&tree);
    let mut defects = loaded.defects;
    let site = loaded.site.map(Arc::new);
    if let Some(site) = &site {
        let found = core_check::check(site, today);
        defects.extend(found.into_iter().map(|found| placed(&tree, &loaded.places, found)));
        let calendars = Calendars::new(&site.calendars);
        let found = roster_check::check(site, &calendars, today);
        defects.extend(found.into_iter().map(|found| in_roster(&tree, &loaded.places, found)));
        defects.sort_by(|a, b| a.order().cmp(&b.order()));
    }
    let failed = defects.iter().any(|defect| defect.severity == Severity::Error);
    Ok(Checked { site: site.filter(|_| !failed), defects })
}

/// A finding of the core at its place in the files.
fn placed(tree: &SourceTree, places: &Places, found: core_check::Finding) -> Defect {
    let at = match (&found.batch, &found.job) {
        (Some(batch), Some(job)) => places.job(batch, job),
        (Some(batch), None) => places.batch(batch),
        (None, _) => None,
    };
    let at =
        at.unwrap_or_else(|| FilePlace { file: PathBuf::from("site.yaml"), at: Place::WHOLE_FILE });
    at_place(tree, &at, found.severity, (found.what, found.hint))
}

fn at_place(
    tree: &SourceTree,
    at: &FilePlace,
    severity: Found,
    (what, hint): (String, String),
) -> Defect {
    let finding = match severity {
        Found::Error => Finding::error(at.at, what),
        Found::Warning => Finding::warning(at.at, what),
    };
    Defect::of(&at.file, &tree.lines(&at.file), finding.hint(hint))
}

/// A finding of the roster at its place in the files.
fn in_roster(tree: &SourceTree, places: &Places, found: RosterFinding) -> Defect {
    let roster = &places.roster;
    let at = match &found.about {
        About::Entry(Entry::Assignment(number)) => roster.assignments.get(*number),
        About::Entry(Entry::Rotation(number)) => roster.rotations.get(*number),
        About::Entry(Entry::Leave(number)) => roster.leave.get(*number),
        About::Entry(Entry::Swap(number)) => roster.swaps.get(*number),
        About::Entry(Entry::Override(number)) => roster.overrides.get(*number),
        About::Person(person) => places.people.get(person),
        About::Gap(GapRule::Cover(number)) => roster.cover.get(*number),
        About::Gap(GapRule::AroundTheClock) => roster.around_the_clock.as_ref(),
    };
    let whole = || FilePlace { file: PathBuf::from("roster.yaml"), at: Place::WHOLE_FILE };
    let at = at.cloned().unwrap_or_else(whole);
    at_place(tree, &at, found.severity, (found.what, found.hint))
}

/// Reads the site of a folder, whatever day it is: what hangs on the day (a calendar that has ended) is said where it
/// matters.
fn read(folder: &Path) -> Result<LoadedSite, Defects> {
    // Asked before the files are read: what is altered meanwhile passes for no commit.
    let revision = git::revision_of(folder);
    let tree = files::read_site(folder).map_err(|why| Defects(why.to_string()))?;
    of_tree(folder, tree, revision)
}

pub(super) fn of_tree(
    folder: &Path,
    tree: SourceTree,
    revision: Option<Revision>,
) -> Result<LoadedSite, Defects> {
    let loaded = definition::load(&tree);
    let site = loaded.site.ok_or_else(|| Defects(errors(folder, &loaded.defects)))?;
    Ok(LoadedSite {
        site: Arc::new(site),
        tree: Arc::new(tree),
        places: Arc::new(loaded.places),
        revision,
    })
}

/// The settings of a file, or its defects in words.
pub fn settings(file: &Path) -> Result<Settings, Defects> {
    let bytes = files::whole(file).map_err(|why| Defects(format!("{}: {why}", file.display())))?;
    definition::settings::settings(file, bytes).map_err(|defects| {
        let text: Vec<String> =
            defects.iter().map(|defect| defect.text(Path::new(""), Styles::plain())).collect();
        Defects(format!("the settings have defects\n{}", text.concat().trim_end()))
    })
}

/// Where runs take their job files from.
pub fn source(folder: &Path, definitions: &Definitions) -> Result<SiteFolder, GitError> {
    let commits = match definitions {
        Definitions::Files => None,
        Definitions::Commits { follow } => {
            let newest = match follow {
                Some(Follow { remote, branch, .. }) => Repository::followed(remote, branch),
                None => "HEAD".to_owned(),
            };
            Some(Commits::new(Repository::of(folder)?, newest))
        }
    };
    Ok(SiteFolder { folder: folder.to_owned(), first: Mutex::new(None), commits })
}

/// What a supervisor reads at each order.
#[derive(Debug)]
pub struct SiteFolder {
    folder: PathBuf,
    /// What its command has read for the order that it comes with.
    first: Mutex<Option<LoadedSite>>,
    /// Only what is committed counts, and not the folder as it is.
    commits: Option<Commits>,
}

impl SiteFolder {
    /// The first order goes by what was read; each later one by the files as they are then.
    pub fn remember(&self, first: LoadedSite) {
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
    }

    /// The repository whose commits count, where they do.
    pub fn repository(&self) -> Option<&Repository> {
        self.commits.as_ref().map(Commits::repository)
    }
}

impl SiteSource for SiteFolder {
    fn read(&self) -> Result<LoadedSite, Defects> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (first, &self.commits) {
            (Some(first), _) => Ok(first),
            (None, Some(commits)) => commits.read(&self.folder),
            (None, None) => read(&self.folder),
        }
    }

    fn took(&self, revision: &Revision) {
        if let Some(commits) = &self.commits {
            commits.took(revision);
        }
    }

    fn is_older(&self, loaded: &LoadedSite, than: &Revision) -> bool {
        match (&self.commits, &loaded.revision) {
            (Some(commits), Some(revision)) => commits.is_older(revision, than),
            _ => false,
        }
    }

    fn read_former(&self, revision: &Revision) -> Result<LoadedSite, Defects> {
        match &self.commits {
            Some(commits) => commits.read_commit(&self.folder, &revision.commit),
            None => read(&self.folder),
        }
    }

    fn stamp(&self) -> u64 {
        match &self.commits {
            Some(commits) => commits.stamp(),
            None => {
                // A commit alone changes no file, and is recorded with the next run.
                let mut hasher = std::hash::DefaultHasher::new();
                files::stamp(&self.folder).hash(&mut hasher);
                let revision = git::revision_of(&self.folder);
                revision.map(|revision| (revision.commit, revision.dirty)).hash(&mut hasher);
                hasher.finish()
            }
        }
    }

    fn usable(&self, loaded: &LoadedSite, batch: &BatchId, today: Date) -> Result<(), Defects> {
        let of_batch: Vec<Defect> = core_check::check(&loaded.site, today)
            .into_iter()
            .filter(|found| found.batch.as_ref() == Some(batch))
            .map(|found| placed(&loaded.tree, &loaded.places, found))
            .collect();
        if of_batch.iter().any(|defect| defect.severity == Severity::Error) {
            return Err(Defects(errors(&self.folder, &of_batch)));
        }
        Ok(())
    }

    fn files(
        &self,
        loaded: &LoadedSite,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
        match (&self.commits, &loaded.revision) {
            (Some(commits), Some(revision)) => commits.files(revision, wanted),
            _ => files::contents(&self.folder, &loaded.tree, wanted),
        }
    }

    fn named(&self, loaded: &LoadedSite, folder: &Path) -> io::Result<Vec<Named>> {
        let named = match (&self.commits, &loaded.revision) {
            (Some(commits), Some(revision)) => commits.repository().named(&revision.commit, folder),
            // Where git cannot say who it was, nobody knows whom to keep out: that is no reason to keep nobody out.
            _ if git::lies_in_repository(&self.folder) => {
                let folder_of_site = std::fs::canonicalize(&self.folder)?;
                Repository::of(&folder_of_site).and_then(|of| of.named("HEAD", folder))
            }
            _ => Ok(Vec::new()),
        };
        named.map_err(io::Error::other)
    }
}

/// The errors among defects, as text.
fn errors(folder: &Path, defects: &[Defect]) -> String {
    let errors = defects.iter().filter(|defect| defect.severity == Severity::Error);
    let text: Vec<String> = errors.map(|defect| defect.text(folder, Styles::plain())).collect();
    format!("the job files have defects\n{}", text.concat().trim_end())
}
