//! What is over leaves the store and the spool for archives: found, written, and only then let go.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Zoned};
use tokio::sync::mpsc;

use super::unneeded::unneeded;
use crate::core::fact::{Fact, RunArchived, RunResult};
use crate::core::retention::{Past, logs_to_archive, runs_to_archive};
use crate::definition::copy::RunCopy;
use crate::definition::retention::Retention;
use crate::driver::agent_retire;
use crate::driver::archive::{self, Packed, Parcel};
use crate::driver::clock::HostClock;
use crate::driver::folders::StateFolder;
use crate::driver::store::StateReader;
use crate::port::{Clock, RunFilter, StoreError, StoreReader};
use crate::supervisor::{Input, Unneeded};
use crate::types::{AttemptId, RunId, Zone};

/// How often the clock is looked at while nothing is due: it may be set.
const LOOK: Duration = Duration::from_secs(60);

/// Runs that the agent is told of in one word.
const AT_A_TIME: usize = 20;

/// Something could not be archived; it stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum NotArchived {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the archive: {0}")]
    Io(#[from] io::Error),
    #[error("{0}: its definition or an entry cannot be read")]
    Unreadable(RunId),
    #[error("the agent keeps what was archived: {0}; it is tried again with the next archive")]
    Agent(String),
}

/// What is due.
#[derive(Debug, Default)]
pub struct Due {
    /// Runs, with their attempts.
    pub runs: Vec<(RunId, Vec<AttemptId>)>,
    /// Runs whose output goes before them.
    pub logs: Vec<(RunId, Vec<AttemptId>)>,
}

/// What is old enough, or too much.
pub(super) async fn due(
    reader: &StateReader,
    retention: &Retention,
    now: Timestamp,
) -> Result<Due, NotArchived> {
    let rows = reader.runs(&RunFilter::default()).await?;
    let mut output = reader.output().await?;
    let mut wanted: BTreeSet<RunId> = reader.runs_at_fault().await?.into_iter().collect();
    let in_doubt = reader.runs_left_in_doubt().await?;
    wanted.extend(in_doubt.into_iter().map(|row| row.run));
    // What they have written there is not at hand.
    let elsewhere: BTreeSet<RunId> = reader.runs_elsewhere().await?.into_iter().collect();
    let with_logs = archive::with_logs(&retention.archive)?;
    let past: Vec<Past> = rows
        .into_iter()
        .map(|row| {
            let over = row.result.is_some_and(|result| result != RunResult::Stopped);
            let bytes = output.get(&row.run).map_or(0, |(_, bytes)| *bytes);
            Past {
                ended: row
                    .ended
                    .filter(|_| over && row.not_at_hand().is_none())
                    .filter(|_| !elsewhere.contains(&row.run)),
                trial: row.trial,
                wanted: wanted.contains(&row.run),
                log_bytes: match with_logs.contains(&row.run) || elsewhere.contains(&row.run) {
                    true => 0,
                    false => bytes,
                },
                run: row.run,
            }
        })
        .collect();
    let Retention { runs, logs, logs_at_most, .. } = retention;
    let runs = runs_to_archive(&past, *runs, now);
    let rest: Vec<Past> = past.into_iter().filter(|past| !runs.contains(&past.run)).collect();
    let logs = logs_to_archive(&rest, (*logs, *logs_at_most), now);
    let mut with_attempts = |runs: Vec<RunId>| {
        let of = |run: RunId| {
            let attempts = output.remove(&run).map(|(attempts, _)| attempts);
            (run, attempts.unwrap_or_default())
        };
        runs.into_iter().map(of).collect()
    };
    Ok(Due { runs: with_attempts(runs), logs: with_attempts(logs) })
}

/// Writes archives of one host.
#[derive(Debug, Clone)]
pub struct Archivist {
    pub reader: StateReader,
    pub state: StateFolder,
    pub retention: Retention,
}

impl Archivist {
    /// What is old enough, or too much.
    pub async fn due(&self, now: Timestamp) -> Result<Due, NotArchived> {
        due(&self.reader, &self.retention, now).await
    }

    /// Writes a run's archive. It is still in the store as before.
    pub async fn pack(
        &self,
        run: &RunId,
        attempts: Vec<AttemptId>,
    ) -> Result<RunArchived, NotArchived> {
        let unreadable = || NotArchived::Unreadable(run.clone());
        let entries = self.reader.own_entries(run).await?;
        let mut opened = None;
        for sealed in &entries {
            if let Fact::RunOpened(fact) = sealed.open().map_err(|_| unreadable())?.fact {
                opened = Some(fact);
            }
        }
        let digest = opened.ok_or_else(unreadable)?.definition;
        let definition = self.reader.blob_get(&digest).await?.ok_or_else(unreadable)?;
        let copy: RunCopy = serde_json::from_slice(&definition).map_err(|_| unreadable())?;
        let mut kept = BTreeMap::from([(digest, definition)]);
        for address in copy.files.into_values() {
            if let Some(bytes) = self.reader.blob_get(&address).await? {
                kept.insert(address, bytes);
            }
        }
        let count = entries.len() as u64;
        let parcel = Parcel { entries, kept: kept.into_iter().collect(), attempts };
        let Packed { file, digest, bytes } = self.write(run, archive::of_run(run), parcel).await?;
        Ok(RunArchived { run: run.clone(), file, digest, bytes, entries: count })
    }

    /// Writes an archive of a run's output alone.
    pub async fn pack_logs(
        &self,
        run: &RunId,
        attempts: Vec<AttemptId>,
    ) -> Result<(), NotArchived> {
        let parcel = Parcel { attempts, ..Parcel::default() };
        self.write(run, archive::of_logs(run), parcel).await.map(|_| ())
    }

    /// On a thread of its own: a turn is not held up by it.
    async fn write(
        &self,
        run: &RunId,
        file: String,
        parcel: Parcel,
    ) -> Result<Packed, NotArchived> {
        let (folder, state, run) =
            (self.retention.archive.clone(), self.state.clone(), run.clone());
        let writing = move || archive::pack(&folder, (&run, file), &parcel, &state);
        let written = tokio::task::spawn_blocking(writing).await;
        Ok(written.map_err(io::Error::other)??)
    }

    /// What nothing in the store goes by any more.
    pub async fn unneeded(&self, now: Timestamp) -> Result<Unneeded, NotArchived> {
        unneeded(&self.reader, self.retention.runs, now).await
    }

    /// Removes what is left of runs that are in archives, and output that is; also what an archiving left that was
    /// interrupted.
    pub async fn clear(&self) -> Result<(), NotArchived> {
        let archived: BTreeSet<RunId> =
            self.reader.archived().await?.into_iter().map(|archived| archived.run).collect();
        let (state, folder) = (self.state.clone(), self.retention.archive.clone());
        // On a thread of its own, as the writing.
        let clearing = move || {
            archived.iter().try_for_each(|run| state.clear_away(run))?;
            let whole = archive::in_spool(&state.agent(), &archived)?;
            let with_logs = archive::with_logs(&folder)?;
            let output = archive::in_spool(&state.agent(), &with_logs)?;
            let output = output.into_iter().filter(|(run, has)| *has && !archived.contains(run));
            let output: Vec<RunId> = output.map(|(run, _)| run).collect();
            Ok::<_, io::Error>((whole.into_keys().collect::<Vec<_>>(), output))
        };
        let left = tokio::task::spawn_blocking(clearing).await.map_err(io::Error::other)?;
        let (whole, output) = left?;
        self.retire(&whole, false).await?;
        self.retire(&output, true).await
    }

    /// Some at a time: between two the agent starts what is to be started.
    async fn retire(&self, runs: &[RunId], logs_only: bool) -> Result<(), NotArchived> {
        for some in runs.chunks(AT_A_TIME) {
            let retired = agent_retire::retire(&self.state.agent(), some.to_vec(), logs_only).await;
            retired.map_err(NotArchived::Agent)?;
        }
        Ok(())
    }

    /// Once a day, beside a supervisor that serves. What goes wrong is told, and tried again the next day.
    pub async fn keep(self, zone: Zone, inbox: mpsc::UnboundedSender<Input>) {
        let Ok(clock) = HostClock::new() else { return };
        let mut next = self.next(&zone, clock.now().wall);
        loop {
            let now = clock.now().wall;
            if next.is_none_or(|next| now < next) {
                let never = std::future::pending::<()>();
                tokio::select! {
                    _ = tokio::time::timeout(LOOK, never) => {}
                    () = clock.stepped() => {}
                }
                continue;
            }
            next = self.next(&zone, now);
            let said = match self.pass(now, &inbox).await {
                Ok((0, 0)) => continue,
                Ok((runs, logs)) => format!(
                    "{runs} runs, and the output of {logs} more, were archived in {}",
                    self.retention.archive.display()
                ),
                Err(why) => format!("not everything that is due was archived: {why}"),
            };
            if inbox.send(Input::Notice(said)).is_err() {
                return;
            }
        }
    }

    /// The next time of the day after an instant.
    fn next(&self, zone: &Zone, now: Timestamp) -> Option<Timestamp> {
        let today: Zoned = now.to_zoned(zone.tz().clone());
        let at = |day: Zoned| day.with().time(self.retention.at).build().ok();
        let next = at(today.clone()).filter(|at| at.timestamp() > now);
        let tomorrow = || at(today.checked_add(SignedDuration::from_hours(24)).ok()?);
        next.or_else(tomorrow).map(|at| at.timestamp())
    }

    /// One run at a time: the supervisor takes each out of the store in a turn of its own.
    async fn pass(
        &self,
        now: Timestamp,
        inbox: &mpsc::UnboundedSender<Input>,
    ) -> Result<(usize, usize), NotArchived> {
        let due = self.due(now).await?;
        let (mut runs, logs) = (0, due.logs.len());
        for (run, attempts) in due.logs {
            self.pack_logs(&run, attempts).await?;
        }
        for (run, attempts) in due.runs {
            let archived = Box::new(self.pack(&run, attempts).await?);
            let (done, mut told) = mpsc::unbounded_channel();
            if inbox.send(Input::Archived { archived, done }).is_err() {
                break;
            }
            runs += usize::from(told.recv().await.unwrap_or_default());
        }
        self.clear().await?;
        if runs > 0 {
            let unneeded = self.unneeded(now).await?;
            let (done, mut told) = mpsc::unbounded_channel();
            if inbox.send(Input::Unneeded { unneeded, done }).is_ok() {
                told.recv().await;
            }
        }
        Ok((runs, logs))
    }
}
