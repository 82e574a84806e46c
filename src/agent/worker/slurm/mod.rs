//! The `slurm` task: a job is submitted with the attempt's id as its name, and followed to its end.
//!
//! However many workers of however many attempts of a job have been lost, no two of its jobs run: each attempt's job claims the
//! attempt's folder before it does anything ([`folder`]), and an attempt submits only when every attempt before it is over or can
//! begin no more. What Slurm's commands say is read in [`said`], and judged in [`decide`].

mod ask;
mod decide;
mod folder;
mod follow;
mod said;

use std::path::{Path, PathBuf};

use super::Exit;
use super::halt::Halt;
use super::log::complain;
use super::steps::{Step, Steps};
use crate::definition::site::Slurm;
use crate::types::{AttemptId, Ending};
use crate::wire::{Earlier, SlurmEnd, SlurmTask, SlurmWork};
use ask::Cluster;
use decide::{Job, Told};
use folder::Folder;
use follow::{Followed, Unseen};

/// What a worker leaves of a job.
pub(super) struct Left {
    pub(super) exit: Exit,
    pub(super) work: SlurmWork,
    folder: Folder,
}

impl Left {
    /// Once the result is kept the folder is needed no more.
    pub(super) fn clear(&self) {
        if self.work.is_over() {
            self.folder.clear();
        }
    }
}

pub(super) async fn run(task: &SlurmTask, attempt: &AttemptId, halt: Halt, steps: Steps) -> Left {
    let mut worker = Worker { task, halt, steps, cluster: Cluster::default() };
    let (found, folder) = worker.go(attempt).await;
    let work = SlurmWork { job: found.job, end: found.end };
    let step = Step::Over { job: work.job, end: work.end.clone() };
    if let Err(error) = worker.steps.record(step) {
        complain!("slurm: {error}");
    }
    match (&work.end, work.words()) {
        (_, Some(words)) => complain!("slurm: {words}"),
        (SlurmEnd::Refused { why }, _) => complain!("slurm: {why}"),
        (SlurmEnd::NeverRan { why }, _) => complain!("slurm: {why}"),
        (SlurmEnd::Forgotten { why } | SlurmEnd::Open { why }, _) => complain!("slurm: {why}"),
        (SlurmEnd::NotSubmitted | SlurmEnd::Over { .. }, None) => {}
    }
    let ended = work.ending(Ending::Exited { code: Exit::Failed as i32 });
    let good = ended == Ending::Exited { code: 0 };
    Left { exit: if good { Exit::Good } else { Exit::Failed }, work, folder }
}

struct Worker<'a> {
    task: &'a SlurmTask,
    halt: Halt,
    steps: Steps,
    cluster: Cluster,
}

impl Worker<'_> {
    async fn go(&mut self, attempt: &AttemptId) -> (Followed, Folder) {
        for earlier in &self.task.before {
            let folder = Folder::of(&self.task.folder, &earlier.attempt);
            if let Some(found) = self.take_up(earlier, &folder).await {
                return (found, folder);
            }
        }
        let folder = Folder::of(&self.task.folder, attempt);
        (self.submit(attempt, &folder).await, folder)
    }

    /// Follows the job of an attempt before this one. `None`: nothing of it runs or ever will, and it has not done the work.
    async fn take_up(&mut self, earlier: &Earlier, folder: &Folder) -> Option<Followed> {
        complain!("slurm: looking for the job of {}", earlier.attempt);
        let unseen = Unseen::GivenUp { by_people: earlier.given_up };
        let found = self.follow(self.job(), &earlier.attempt, folder, unseen).await;
        match &found.end {
            SlurmEnd::NeverRan { .. } | SlurmEnd::Refused { .. } => None,
            SlurmEnd::Forgotten { .. } if earlier.given_up => None,
            SlurmEnd::Over { state, .. } if self.task.anew && state != "COMPLETED" => {
                complain!("slurm: the job of {} is over: {state}", earlier.attempt);
                None
            }
            _ => Some(found),
        }
    }

    /// A job of which nothing is known yet.
    fn job(&self) -> Job {
        let array = self.task.slurm.array.as_deref();
        Job::new(array.and_then(Slurm::array_tasks).unwrap_or_default())
    }

    async fn submit(&mut self, attempt: &AttemptId, folder: &Folder) -> Followed {
        if !self.controller_answers(attempt).await {
            return SlurmEnd::NotSubmitted.into();
        }
        let script = match self.prepare(attempt, folder) {
            Ok(script) => script,
            Err(why) => return SlurmEnd::Refused { why }.into(),
        };
        let ran = ask::submit(&self.options(attempt, folder.path()), &script).await;
        let number = ran.good.then(|| said::submitted(&ran.out)).flatten();
        let mut job = self.job();
        job.number = number;
        self.steps.point("sbatch");
        if let Some(number) = number {
            complain!("slurm: submitted as job {number}");
            if let Err(error) = self.steps.record(Step::Submitted { job: number }) {
                complain!("slurm: {error}");
            }
            return self.follow(job, attempt, folder, Unseen::Awaited).await;
        }
        if !ran.good && !said::is_unheard(&ran.complaint) && ran.complaint.contains("sbatch: ") {
            folder.clear();
            return SlurmEnd::Refused { why: ran.complaint }.into();
        }
        complain!("slurm: it is not certain whether the job was taken: {}", ran.complaint);
        self.follow(job, attempt, folder, Unseen::GivenUp { by_people: false }).await
    }

    /// Waits for a controller that can say whether it knows the name; false where it was told to end before.
    async fn controller_answers(&mut self, attempt: &AttemptId) -> bool {
        let mut said = false;
        loop {
            let why = match self.cluster.controller(None, attempt).await {
                Told::Rows(_) if self.halt.asked().is_none() => return true,
                Told::Rows(_) => return false,
                Told::Away(why) => why,
            };
            if !std::mem::replace(&mut said, true) {
                complain!("slurm: waiting for its controller: {why}");
            }
            if self.pause(self.task.slurm.every.get()).await {
                return false;
            }
        }
    }

    /// Makes the folder and writes down what comes next.
    fn prepare(&mut self, attempt: &AttemptId, folder: &Folder) -> Result<PathBuf, String> {
        let dir = std::env::current_dir().map_err(|error| format!("no folder: {error}"))?;
        let text = folder::script(folder.path(), &dir, &environment(), &self.task.argv);
        let script = folder.make(&text).map_err(|error| {
            format!("{} could not be made, nothing was submitted: {error}", folder.path().display())
        })?;
        let step = Step::Submitting { name: attempt.clone() };
        self.steps.record(step).map_err(|error| format!("{error}; nothing was submitted"))?;
        Ok(script)
    }

    fn options(&self, attempt: &AttemptId, folder: &Path) -> Vec<String> {
        let slurm = &self.task.slurm;
        let task = if slurm.array.is_some() { ".%a" } else { "" };
        // A `%` of the path is no replacement of Slurm's.
        let folder = folder.display().to_string();
        let path = folder.replace('%', "%%");
        let minutes = self.task.time_limit.map(|limit| limit.get().as_secs_f64() / 60.0);
        let given = [
            ("partition", slurm.partition.clone()),
            ("account", slurm.account.clone()),
            ("ntasks", slurm.tasks.map(|tasks| tasks.to_string())),
            ("mem", slurm.memory.map(|bytes| format!("{}K", bytes.div_ceil(1 << 10)))),
            ("array", slurm.array.clone()),
            ("time", minutes.map(|minutes| (minutes.ceil() as u64).max(1).to_string())),
        ];
        let mut options = vec![
            "--parsable".to_owned(),
            "--no-requeue".to_owned(),
            // All of what sbatch is given here, which is next to nothing: any other word has Slurm load a user's profile.
            "--export=ALL".to_owned(),
            format!("--job-name={attempt}"),
            format!("--comment={attempt}"),
            format!("--chdir={folder}"),
            format!("--output={path}/out{task}"),
            format!("--error={path}/err{task}"),
        ];
        options.extend(slurm.options.iter().cloned());
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        options.extend(given.map(|(name, value)| format!("--{name}={value}")));
        options
    }
}

/// What the job is to have of this process's environment, which is the attempt's: all but what is the worker's own.
fn environment() -> Vec<(Vec<u8>, Vec<u8>)> {
    use std::os::unix::ffi::OsStringExt;
    const OWN: [&[u8]; 5] = [
        b"NIGHTRUN_OUT",
        b"NIGHTRUN_STEPS",
        b"NIGHTRUN_WORK_RESULT",
        b"NIGHTRUN_FAULT",
        b"NIGHTRUN_FAULT_ONCE",
    ];
    let name = |name: &[u8]| {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        name.iter().all(word) && name.first().is_some_and(|first| !first.is_ascii_digit())
    };
    let all = std::env::vars_os().map(|(name, value)| (name.into_vec(), value.into_vec()));
    let mut kept: Vec<_> =
        all.filter(|(key, _)| name(key) && !OWN.contains(&key.as_slice())).collect();
    kept.sort();
    kept
}
