//! Folders that the supervisor fills: a run's copy of its scripts, and its report.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::definition::places::Places;
use crate::definition::site::Site;
use crate::definition::source::SourceTree;
use crate::types::{BatchId, Named, Revision, RunId};

pub trait Folders {
    /// Where a run's copy of the site lies. Absolute.
    fn copy_of(&self, run: &RunId) -> PathBuf;

    /// The site's work folder, made if it is not there. Absolute.
    fn work(&self) -> PathBuf;

    /// Lays the copy of a run out; files that are there with the same content stay, others are put right.
    fn lay_copy(&self, run: &RunId, files: &BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()>;

    /// A file of the copy of a run.
    fn read_copy(&self, run: &RunId, path: &Path) -> io::Result<Vec<u8>>;

    /// Writes one file of a run's report and says where it is.
    fn write_report(&self, run: &RunId, name: &str, content: &[u8]) -> io::Result<PathBuf>;
}

/// The job files as they are now.
pub trait SiteSource {
    /// The resolved site with the bytes of its files, or its defects in words.
    fn read(&self) -> Result<LoadedSite, Defects>;

    /// Runs begin with the files of this commit from now on: a later one must come after it.
    fn took(&self, revision: &Revision);

    /// Whether a site came from a commit that lies before another one.
    fn is_older(&self, loaded: &LoadedSite, than: &Revision) -> bool;

    /// The site as it was in a commit that was taken before.
    fn read_former(&self, revision: &Revision) -> Result<LoadedSite, Defects>;

    /// Something that is another one when a file of the site may have changed. To be asked before
    /// [`read`](Self::read), so that what changes meanwhile is found the next time.
    fn stamp(&self) -> u64;

    /// What hangs on the day (a calendar that has ended) is a defect only where a batch is to run.
    fn usable(
        &self,
        loaded: &LoadedSite,
        batch: &BatchId,
        today: jiff::civil::Date,
    ) -> Result<(), Defects>;

    /// The bytes of those files of a loaded site that are wanted, by their path from the site's folder.
    fn files(
        &self,
        loaded: &LoadedSite,
        wanted: &dyn Fn(&Path) -> bool,
    ) -> io::Result<BTreeMap<PathBuf, Vec<u8>>>;

    /// Whom the commits name that touched a folder of a loaded site, the newest first; nobody where it lies in no
    /// repository.
    fn named(&self, loaded: &LoadedSite, folder: &Path) -> io::Result<Vec<Named>>;
}

/// A site without defects.
#[derive(Debug, Clone)]
pub struct LoadedSite {
    pub site: Arc<Site>,
    /// The files that the site was made from.
    pub tree: Arc<SourceTree>,
    /// Where in them batches and jobs stand.
    pub places: Arc<Places>,
    /// The commit that they came from, where they lie in a git repository.
    pub revision: Option<Revision>,
}

/// The site cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Defects(pub String);
