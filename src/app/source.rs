//! The job files of a folder, as they are now.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;

use crate::core::check::{self as core_check, Severity as Finding};
use crate::definition::site::Site;
use crate::definition::{self, Defect, Severity};
use crate::driver::files;
use crate::port::{Defects, LoadedSite, SiteSource};

/// A site as read and checked.
#[derive(Debug)]
pub struct Checked {
    /// `None` when a defect is an error.
    pub site: Option<Arc<Site>>,
    pub defects: Vec<Defect>,
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

/// Reads a folder and checks everything that can be known without running, as of a day.
pub fn check(folder: &Path, today: Date) -> Checked {
    let tree = files::read_site(folder);
    let loaded = definition::load(&tree);
    let mut defects = loaded.defects;
    let site = loaded.site.map(Arc::new);
    if let Some(site) = &site {
        let found = core_check::check(site, today);
        defects.extend(found.into_iter().map(|finding| {
            let severity = match finding.severity {
                Finding::Error => Severity::Error,
                Finding::Warning => Severity::Warning,
            };
            loaded.places.defect(
                severity,
                finding.batch.as_ref(),
                finding.job.as_ref(),
                finding.what,
                finding.hint,
            )
        }));
        defects.sort();
    }
    let failed = defects.iter().any(|defect| defect.severity == Severity::Error);
    Checked { site: site.filter(|_| !failed), defects, files: tree.into_files() }
}

/// The folder that a supervisor reads at each order.
#[derive(Debug, Clone)]
pub struct SiteFolder {
    folder: PathBuf,
}

impl SiteFolder {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }
}

impl SiteSource for SiteFolder {
    fn load(&self, today: Date) -> Result<LoadedSite, Defects> {
        let checked = check(&self.folder, today);
        match checked.site {
            Some(site) => Ok(LoadedSite { site, files: Arc::new(checked.files) }),
            None => Err(Defects(
                checked
                    .defects
                    .iter()
                    .filter(|defect| defect.severity == Severity::Error)
                    .map(|defect| defect.text())
                    .collect::<Vec<_>>()
                    .join("\n"),
            )),
        }
    }
}
