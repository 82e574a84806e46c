//! Stays with a job in Slurm to its end: copies its output, cancels it where the worker is told to end, and says how it stands.
#![expect(clippy::disallowed_methods, reason = "a job is followed in this process's own time")]

use std::time::{Duration, Instant};

use super::Worker;
use super::decide::{Job, Standing};
use super::folder::{Copier, Folder};
use super::said::Row;
use crate::agent::worker::log::complain;
use crate::agent::worker::steps::Step;
use crate::types::AttemptId;
use crate::wire::SlurmEnd;

/// Between two questions: at first, and then a tenth of the time that has passed.
const SOON: Duration = Duration::from_millis(500);
/// Between two questions while it is cancelled.
const CANCELLING: Duration = Duration::from_millis(300);

/// What follows where nobody knows of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unseen {
    /// It was submitted: it is waited for before it is given up.
    Awaited,
    /// It may never have been: it is given up at once. Where it has begun, it is waited for all the same, unless people
    /// have given it up.
    GivenUp { by_people: bool },
}

/// A job that was followed.
pub(super) struct Followed {
    pub(super) job: Option<u64>,
    pub(super) end: SlurmEnd,
}

impl From<SlurmEnd> for Followed {
    fn from(end: SlurmEnd) -> Self {
        Self { job: None, end }
    }
}

/// What is known while it is followed.
struct Course<'a> {
    job: Job,
    name: &'a AttemptId,
    folder: &'a Folder,
    unseen: Unseen,
    began: Instant,
    /// What was said last.
    said: String,
    /// Since when nobody knows of it.
    missing: Option<Instant>,
    /// Since when it waits for what never comes.
    hopeless: Option<Instant>,
    /// Since when it is cancelled, and why it was.
    cancelling: Option<Instant>,
    refused: Option<String>,
}

impl Worker<'_> {
    pub(super) async fn follow(
        &mut self,
        job: Job,
        name: &AttemptId,
        folder: &Folder,
        unseen: Unseen,
    ) -> Followed {
        let mut copier = Copier::new(folder);
        let mut course = Course {
            job,
            name,
            folder,
            unseen,
            began: Instant::now(),
            said: String::new(),
            missing: None,
            hopeless: None,
            cancelling: None,
            refused: None,
        };
        let end = loop {
            // What is made to end gets no more room in the log.
            while self.halt.asked().is_none() && copier.copy() {}
            let standing = self.standing(&mut course).await;
            if let Some(end) = self.consider(&mut course, standing) {
                break end;
            }
            if let Some(end) = self.cancel(&mut course).await {
                break end;
            }
            let tenth = course.began.elapsed() / 10;
            let pause = tenth.max(SOON).min(self.task.slurm.every.get());
            match course.cancelling {
                None => drop(self.pause(pause).await),
                // It was told to end already: that would not wait.
                Some(_) => tokio::time::sleep(CANCELLING).await,
            }
        };
        if self.halt.asked().is_none() {
            copier.finish(|| self.halt.asked().is_some());
        }
        self.hand_on(folder, &end);
        Followed { job: course.job.number, end }
    }

    /// Pauses; true where the worker is told to end meanwhile.
    pub(super) async fn pause(&self, pause: Duration) -> bool {
        tokio::time::timeout(pause, self.halt.comes()).await.is_ok()
    }

    async fn standing(&mut self, course: &mut Course<'_>) -> Standing {
        let controller = self.cluster.controller(course.job.number, course.name).await;
        let standing = course.job.take(&controller, None);
        if matches!(standing, Standing::Lives(_) | Standing::Over) {
            return standing;
        }
        let accounting = self.cluster.accounting(course.name).await;
        course.job.take(&controller, accounting.as_ref())
    }

    /// What is to be said of how it stands; its end, where that is known.
    fn consider(&mut self, course: &mut Course<'_>, standing: Standing) -> Option<SlurmEnd> {
        match standing {
            Standing::Over => {
                let end = course.job.end()?;
                Some(match course.refused.take() {
                    Some(why) if matches!(&end, SlurmEnd::Over { well: 0, .. }) => {
                        SlurmEnd::Refused { why }
                    }
                    _ => end,
                })
            }
            Standing::Lives(row) => {
                course.missing = None;
                let words = format!("job {} is {}", row.job, row.words());
                if course.say(&words) {
                    let (job, state) = (row.job, row.words());
                    let seen = Step::Seen { name: course.name.clone(), job, state };
                    if let Err(error) = self.steps.note(seen) {
                        complain!("slurm: {error}");
                    }
                }
                course.hope(&row, self.task.slurm.patience.get());
                None
            }
            Standing::Away(why) => {
                course.missing = None;
                course.say(&format!("waiting for an answer: {why}"));
                None
            }
            Standing::NotKnown => self.missing(course),
        }
    }

    /// Nobody knows of it. It is given up, so that it can begin no more, or has begun.
    fn missing(&self, course: &mut Course<'_>) -> Option<SlurmEnd> {
        let since = *course.missing.get_or_insert_with(Instant::now);
        let waited = since.elapsed() >= self.task.slurm.patience.get();
        if course.unseen == Unseen::Awaited && !waited {
            course.say("nobody in Slurm knows of it");
            return None;
        }
        let what = match course.job.number {
            Some(number) => format!("job {number} of {}", course.name),
            None => format!("the job of {}", course.name),
        };
        match course.folder.close() {
            Ok(false) => Some(SlurmEnd::NeverRan {
                why: format!("Slurm does not know {what}, which has not begun and can no more"),
            }),
            Ok(true) if waited || course.unseen == (Unseen::GivenUp { by_people: true }) => {
                Some(SlurmEnd::Forgotten {
                    why: format!(
                        "{what} has begun, and nobody in Slurm knows of it any more: it may still run"
                    ),
                })
            }
            Ok(true) => {
                course.say("it has begun, and nobody in Slurm knows of it");
                None
            }
            Err(error) => {
                course.say(&format!("{} cannot be read: {error}", course.folder.path().display()));
                None
            }
        }
    }

    /// Ends it, where the worker is told to end or it would never start.
    async fn cancel(&mut self, course: &mut Course<'_>) -> Option<SlurmEnd> {
        let halted = self.halt.asked();
        if halted.is_none() && course.refused.is_none() {
            return None;
        }
        let first = course.cancelling.is_none();
        let since = *course.cancelling.get_or_insert_with(Instant::now);
        // What nobody makes hurry is given all of Slurm's own time.
        let part = match halted {
            Some(_) => since.elapsed().as_secs_f64() / self.task.grace.get().as_secs_f64().max(0.1),
            None => 0.0,
        };
        if part > 0.9 {
            let why =
                format!("told to end, and Slurm has not said that it is over: {}", course.said);
            return Some(SlurmEnd::Open { why });
        }
        let number = course.job.number?;
        if first {
            let why = halted.or(course.refused.as_deref()).unwrap_or_default();
            complain!("slurm: cancelling job {number}: {why}");
            if let Err(error) = self.steps.record(Step::Cancelling { job: number }) {
                complain!("slurm: {error}");
            }
        }
        let ran = self.cluster.cancel(number, part > 0.6).await;
        if !ran.good {
            course.say(&format!("it cannot be cancelled: {}", ran.complaint));
        }
        None
    }

    fn hand_on(&self, folder: &Folder, end: &SlurmEnd) {
        let Some(to) = std::env::var_os("NIGHTRUN_OUT") else { return };
        if matches!(end, SlurmEnd::Over { .. })
            && let Err(error) = folder.hand_on(to.as_ref())
        {
            complain!("slurm: its values are not handed on: {error}");
        }
    }
}

impl Course<'_> {
    /// Says it once. True where it is news.
    fn say(&mut self, words: &str) -> bool {
        let news = self.said != words;
        if news {
            complain!("slurm: {words}");
            self.said = words.to_owned();
        }
        news
    }

    /// A job that only an edit would let start is not left waiting for ever.
    fn hope(&mut self, row: &Row, patience: Duration) {
        if !row.waits_for_ever() {
            self.hopeless = None;
            return;
        }
        let since = *self.hopeless.get_or_insert_with(Instant::now);
        if since.elapsed() >= patience && self.refused.is_none() {
            self.refused = Some(format!("it would never have started: {}", row.words()));
        }
    }
}
