//! Where batches, jobs and calendars stand, for checks that come after loading.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::defect::Place;
use crate::types::{BatchId, CalendarName, JobName, JobRef, PersonId};

/// A place in a file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    pub file: PathBuf,
    pub at: Place,
}

#[derive(Debug, Clone, Default)]
pub struct Places {
    pub batches: BTreeMap<BatchId, BatchPlaces>,
    /// A calendar's `covers:`, or its first line where it is derived from others.
    pub calendars: BTreeMap<CalendarName, FilePlace>,
    pub roster: RosterPlaces,
    /// The id of each.
    pub people: BTreeMap<PersonId, FilePlace>,
}

/// Where the entries of the roster stand: each list in the order of the site's.
#[derive(Debug, Clone, Default)]
pub struct RosterPlaces {
    pub assignments: Vec<FilePlace>,
    pub rotations: Vec<FilePlace>,
    pub leave: Vec<FilePlace>,
    pub swaps: Vec<FilePlace>,
    pub overrides: Vec<FilePlace>,
    /// Of the rules.
    pub cover: Vec<FilePlace>,
    pub around_the_clock: Option<FilePlace>,
}

#[derive(Debug, Clone)]
pub struct BatchPlaces {
    pub file: PathBuf,
    /// Its id.
    pub at: Place,
    pub schedule: Option<Place>,
    pub jobs: BTreeMap<JobName, JobPlaces>,
}

#[derive(Debug, Clone)]
pub struct JobPlaces {
    /// Its name.
    pub at: Place,
    pub days: Option<Place>,
    /// In the order of the job's needs.
    pub needs: Vec<Place>,
}

impl Places {
    pub fn batch(&self, batch: &BatchId) -> Option<FilePlace> {
        self.batches.get(batch).map(|b| FilePlace { file: b.file.clone(), at: b.at })
    }

    pub fn job(&self, batch: &BatchId, job: &JobName) -> Option<FilePlace> {
        let places = self.batches.get(batch)?;
        Some(FilePlace { file: places.file.clone(), at: places.jobs.get(job)?.at })
    }

    /// The `index`th need of a job.
    pub fn need(&self, job: &JobRef, index: usize) -> Option<FilePlace> {
        let places = self.batches.get(&job.batch)?;
        let at = *places.jobs.get(&job.job)?.needs.get(index)?;
        Some(FilePlace { file: places.file.clone(), at })
    }
}
