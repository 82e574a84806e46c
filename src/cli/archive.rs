//! `archive`: what is over leaves the store and the spool; and what lies in an archive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use crate::app::{Archivist, NotArchived};
use crate::definition::retention::Retention;
use crate::driver::archive::{self, Packed};
use crate::driver::store::StateReader;
use crate::journal::Sealed;
use crate::port::{Archived, Store, StoreReader};
use crate::types::RunId;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ArchiveArguments {
    /// Archive nothing, and say what is due
    #[arg(long)]
    dry_run: bool,
    #[command(subcommand)]
    then: Option<ArchiveCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum ArchiveCommand {
    /// The entries and the report of an archived run
    Show {
        /// Such as eod@2026-10-30#1
        run: RunId,
    },
}

/// `archive`, `archive show`.
pub(super) async fn archive(context: &Context, arguments: ArchiveArguments) -> Result<u8, Failure> {
    match arguments.then {
        Some(ArchiveCommand::Show { run }) => show(context, &run).await,
        None => go(context, arguments.dry_run).await,
    }
}

fn retention(context: &Context) -> Result<&Retention, Failure> {
    context.retention.as_ref().ok_or_else(|| {
        Failure::defects(
            "everything is kept: say what goes when with `retention:` in the settings file (--settings FILE)",
        )
    })
}

async fn go(context: &Context, dry_run: bool) -> Result<u8, Failure> {
    let retention = retention(context)?.clone();
    let state = context.existing_state()?;
    let reader = context.reader().await?;
    let now = super::show::host_now()?.wall;
    let archivist = Archivist { reader, state, retention };
    let due = archivist.due(now).await.map_err(Failure::failed)?;
    if dry_run {
        for (run, _) in &due.runs {
            print_line!("{run}")?;
        }
        for (run, _) in &due.logs {
            print_line!("{run}: output")?;
        }
        return Ok(WELL);
    }
    if context.is_supervised().await? {
        return Err(Failure::refused(format!(
            "a supervisor is at work on this state folder: one that serves archives by itself at {}",
            archivist.retention.at.strftime("%H:%M")
        )));
    }
    let (mut led, _) = super::run::led_for_site(context).await?;
    let done = carry_out(&archivist, &mut led.supervisor, due).await;
    led.supervisor.leave().await;
    let (runs, logs) = done?;
    if runs > 0 {
        let mut store = context.open_store(&archivist.state).await?;
        let compacted = store.compact().await;
        store.close().await;
        compacted.map_err(Failure::failed)?;
    }
    print_line!(
        "{runs} runs, and the output of {logs} more, are in {}",
        archivist.retention.archive.display()
    )?;
    Ok(WELL)
}

async fn carry_out(
    archivist: &Archivist,
    supervisor: &mut crate::supervisor::Supervisor<crate::app::Local>,
    due: crate::app::Due,
) -> Result<(usize, usize), Failure> {
    let failed = |why: NotArchived| Failure::failed(why);
    if !supervisor.hear_agent().await {
        return Err(Failure::failed("the agent cannot be reached, and the spool is its own"));
    }
    let (mut runs, logs) = (0, due.logs.len());
    for (run, attempts) in due.logs {
        archivist.pack_logs(&run, attempts).await.map_err(failed)?;
    }
    for (run, attempts) in due.runs {
        let archived = archivist.pack(&run, attempts).await.map_err(failed)?;
        runs += usize::from(supervisor.archived(archived).await.map_err(Failure::failed)?);
    }
    archivist.clear().await.map_err(failed)?;
    Ok((runs, logs))
}

/// Where archives lie: as the command line says, or the settings.
fn folder(context: &Context, given: Option<&Path>) -> Result<PathBuf, Failure> {
    match given {
        Some(folder) => Ok(folder.to_owned()),
        None => Ok(retention(context)?.archive.clone()),
    }
}

async fn show(context: &Context, run: &RunId) -> Result<u8, Failure> {
    let folder = folder(context, None)?;
    let archived = context.reader().await?.archived().await.map_err(Failure::failed)?;
    let archived = archived.iter().find(|archived| archived.run == *run);
    let archived = archived.ok_or_else(|| Failure::refused(format!("{run} was not archived")))?;
    let mut report = None;
    let name = format!("report.{}.txt", context.lang.tag());
    let mut entries = Vec::new();
    let read = archive::unpack(&folder, &packed(archived), |mut line| {
        if let Some(entry) = line.get_mut("entry") {
            entries.push(entry.take());
        }
        if line["report"]["name"].as_str() == Some(&name) {
            report = line["report"]["content"].as_str().map(str::to_owned);
        }
        Ok(())
    });
    read.map_err(Failure::failed)?;
    for entry in &entries {
        match context.format {
            Format::Json => print_line!("{}", entry["body"].as_str().unwrap_or_default())?,
            Format::Text => print_line!(
                "{:>6} {}",
                entry["seq"],
                in_short(entry["body"].as_str().unwrap_or_default())
            )?,
        }
    }
    if let (Format::Text, Some(report)) = (context.format, report) {
        print_line!("\n{}", report.trim_end())?;
    }
    Ok(WELL)
}

/// `at fact …` of an entry's body.
fn in_short(body: &str) -> String {
    let entry: Value = serde_json::from_str(body).unwrap_or_default();
    let fact = &entry["fact"];
    let at = entry["at"].as_str().unwrap_or_default();
    format!(
        "{at} {:<16} {}",
        fact["fact"].as_str().unwrap_or_default(),
        super::journal::facts_in_short(fact)
    )
}

fn packed(archived: &Archived) -> Packed {
    let Archived { file, digest, bytes, .. } = archived.clone();
    Packed { file, digest, bytes }
}

/// Contents of entries that are not in the store any more, from their files.
pub(super) struct Contents {
    folder: PathBuf,
    archived: BTreeMap<String, Packed>,
    read: BTreeMap<String, BTreeMap<u64, String>>,
}

impl Contents {
    pub(super) async fn of(folder: PathBuf, reader: &StateReader) -> Result<Self, Failure> {
        let archived = reader.archived().await.map_err(Failure::failed)?;
        let archived = archived.iter().map(|archived| (archived.run.to_string(), packed(archived)));
        Ok(Self { folder, archived: archived.collect(), read: BTreeMap::new() })
    }

    /// What an entry held. A file that is not what it was is a failure.
    pub(super) fn body(&mut self, entry: &Sealed) -> Result<Option<String>, Failure> {
        let Some(run) = entry.run.as_ref().filter(|_| entry.is_archived()) else { return Ok(None) };
        if !self.read.contains_key(run) {
            let Some(packed) = self.archived.get(run) else { return Ok(None) };
            let bodies = archive::bodies(&self.folder, packed).map_err(Failure::failed)?;
            self.read.insert(run.clone(), bodies);
        }
        let body = self.read.get_mut(run).and_then(|bodies| bodies.remove(&entry.seq));
        body.map(Some).ok_or_else(|| {
            Failure::failed(format!(
                "journal entry {}: the archive of {run} does not hold it",
                entry.seq
            ))
        })
    }
}
