//! `archive`: what is over leaves the store and the spool; and what lies in an archive.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use crate::app::{Archivist, NotArchived};
use crate::definition::retention::Retention;
use crate::driver::archive;
use crate::http::archive_lines;
use crate::port::{Store, StoreReader};
use crate::render;
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
    /// Archived runs, the last archived first
    List {
        /// At most so many
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    /// The entries and the report of an archived run
    Show {
        /// Such as eod@2026-10-30#1
        run: RunId,
    },
}

/// `archive`, `archive list`, `archive show`.
pub(super) async fn archive(context: &Context, arguments: ArchiveArguments) -> Result<u8, Failure> {
    match arguments.then {
        Some(ArchiveCommand::List { limit }) => list(context, limit).await,
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
    let done = carry_out(&archivist, &mut led.supervisor, (due, now)).await;
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
    (due, now): (crate::app::Due, jiff::Timestamp),
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
    if runs > 0 {
        let unneeded = archivist.unneeded(now).await.map_err(failed)?;
        supervisor.remove_unneeded(unneeded).await.map_err(Failure::failed)?;
    }
    Ok((runs, logs))
}

async fn list(context: &Context, limit: u32) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::archives(context, limit).await;
    }
    let reader = context.reader().await?;
    let archived = reader.last_archived(None, limit).await.map_err(Failure::failed)?;
    let lines = archive_lines(archived);
    let text = render::archives::text(context.lang, &context.zone(), &lines);
    super::show::page(context, &text, &lines)
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
    let read = archive::unpack(&folder, &archived.clone().into(), |mut line| {
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
