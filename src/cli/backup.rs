//! `backup` and `restore`: a copy of the store, and an older one in its place.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, REFUSED, WELL};
use super::lines::Lines;
use crate::app::{self, Lacks, RunClock, Wiring, own_account};
use crate::core::night::Core;
use crate::core::restored::{self, Seen, TakeIn};
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::folders::StateFolder;
use crate::driver::store::{self, StateReader, StateStore, StoreAddress};
use crate::driver::witness;
use crate::fault;
use crate::port::{Clock, Store, StoreError, StoreReader};
use crate::render;
use crate::render::words::{Restored, list};
use crate::supervisor::{person_of, schedules};
use crate::view::behind::{Behind, Starts, Unknown, UnknownRun, Unread};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RestoreArguments {
    /// A file that `nightrun backup` made, with its manifest beside it
    #[arg(required = true)]
    file: Option<PathBuf>,
    #[command(subcommand)]
    then: Option<RestoreCommand>,
}

#[derive(Debug, Subcommand)]
pub(super) enum RestoreCommand {
    /// What the store lacks that hosts and targets know
    Status,
    /// Take in what the store lacks, by your word: nothing of it runs again
    Accept {
        /// Why; recorded with your name
        #[arg(long)]
        reason: String,
    },
}

/// `backup FILE|DIR`.
pub(super) async fn backup(context: &Context, to: &Path) -> Result<u8, Failure> {
    let made = now()?;
    let to = match to.is_dir() {
        true => to.join(format!("nightrun-{}.db", made.strftime("%Y%m%dT%H%M%SZ"))),
        false => to.to_owned(),
    };
    let state = match &context.store {
        StoreAddress::Folder => context.existing_state()?.root().to_owned(),
        StoreAddress::Postgres(_) => context.state.clone(),
    };
    let title = context.site().map(|site| site.title.get(context.lang).to_owned());
    let title = title.unwrap_or_default();
    let copied = store::backup(&context.store, &state, &to, (&title, made)).await;
    let manifest = copied.map_err(failure)?;
    if let Err(why) = store::remember(&state, &to, &manifest) {
        notice_line!(
            "nightrun: the backup is whole, and `nightrun doctor` will not know of it: {why}"
        );
    }
    match context.format {
        Format::Text => print_line!(
            "{}: {} entries, chain whole, head {}",
            to.display(),
            manifest.seq,
            manifest.head
        )?,
        Format::Json => print_line!("{}", serde_json::json!({ "file": to, "manifest": manifest }))?,
    }
    Ok(WELL)
}

/// `restore FILE`, `restore status`, `restore accept`.
pub(super) async fn restore(context: &Context, arguments: RestoreArguments) -> Result<u8, Failure> {
    match (arguments.then, arguments.file) {
        (Some(RestoreCommand::Status), _) => status(context).await,
        (Some(RestoreCommand::Accept { reason }), _) => accept(context, reason).await,
        (None, Some(file)) => put_back(context, &file).await,
        (None, None) => Err(Failure::defects("say which file, or `accept`, or `status`")),
    }
}

async fn put_back(context: &Context, file: &Path) -> Result<u8, Failure> {
    if let StoreAddress::Postgres(_) = context.store {
        return Err(Failure::defects(
            "a backup is restored into a state folder: leave out --store and NIGHTRUN_STORE; `nightrun store copy` \
             takes it on into an empty database",
        ));
    }
    let manifest = store::restore(file, &context.state, now()?).await.map_err(failure)?;
    print_line!(
        "{} holds the store of {}: {} entries, chain whole, head {}",
        context.state.display(),
        manifest.made,
        manifest.seq,
        manifest.head
    )?;
    // It is restored, whatever the job files say.
    if let Err(failure) = status(context).await {
        notice_line!("nightrun: what it lacks cannot be listed: {}", failure.what);
    }
    Ok(WELL)
}

async fn status(context: &Context) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let state = context.existing_state()?;
    let site = context.site()?;
    let (view, lacks) = behind(&reader, &state, &site).await?;
    let restored = reader.restoration().await.map_err(Failure::failed)?.is_some();
    if !restored && lacks.obeyed <= lacks.given && lacks.attempts.is_empty() {
        return super::show::page(context, &Restored::NotBehind.say(context.lang), &view);
    }
    super::show::page(context, &render::behind::text(context.lang, &site.zone, &view), &view)
}

/// The refusal of a store that is behind, with all that it lacks.
pub(super) async fn refusal(context: &Context, why: StoreError) -> Failure {
    let listed = async {
        let (state, site) = (context.existing_state()?, context.site()?);
        let (view, _) = behind(&context.reader().await?, &state, &site).await?;
        Ok::<_, Failure>(render::behind::text(context.lang, &site.zone, &view))
    };
    let list = match listed.await {
        Ok(text) => text,
        Err(failure) => format!("what it lacks cannot be listed: {}", failure.what),
    };
    Failure::refused(format!("{why}\n{list}"))
}

async fn behind(
    reader: &StateReader,
    state: &StateFolder,
    site: &Site,
) -> Result<(Behind, Lacks), Failure> {
    let lacks = app::lacks(reader, state, site).await.map_err(Failure::failed)?;
    let mut core = Core::new(1);
    schedules(reader, &mut core).await.map_err(Failure::failed)?;
    let starts = restored::lost_starts(core.state(), site, now()?);
    let (known, lost): (Vec<&Seen>, Vec<&Seen>) =
        lacks.attempts.iter().partition(|seen| lacks.runs.contains(&seen.of.attempt.run));
    let mut runs: Vec<UnknownRun> = lost
        .chunk_by(|one, other| one.of.attempt.run == other.of.attempt.run)
        .filter_map(|of_run| {
            let run = of_run.first()?.of.attempt.run.clone();
            Some(UnknownRun { run, attempts: of_run.iter().map(|seen| unknown(seen)).collect() })
        })
        .collect();
    let with_attempts: Vec<_> = runs.iter().map(|lost| lost.run.clone()).collect();
    let retired = lacks.retired.iter().filter(|run| !with_attempts.contains(run));
    runs.extend(retired.map(|run| UnknownRun { run: run.clone(), attempts: Vec::new() }));
    let view = Behind {
        made: lacks.made,
        given: lacks.given.0,
        obeyed: lacks.obeyed.0,
        attempts: known.into_iter().map(unknown).collect(),
        runs,
        starts: starts
            .into_iter()
            .filter_map(|(batch, starts)| {
                let (first, last) = (starts.first()?.at, starts.last()?.at);
                let count = u32::try_from(starts.len()).unwrap_or(u32::MAX);
                Some(Starts { batch, first, last, count })
            })
            .collect(),
        other_spool: lacks.other_spool,
        unread: lacks
            .unread
            .iter()
            .map(|(target, why)| Unread { target: target.to_string(), why: why.clone() })
            .collect(),
    };
    Ok((view, lacks))
}

fn unknown(seen: &Seen) -> Unknown {
    let ended = seen.of.ended.as_deref();
    Unknown {
        attempt: seen.of.attempt.clone(),
        started: ended.and_then(|ended| ended.started),
        ended: ended.map(|ended| ended.ended),
        ending: ended.map(|ended| ended.ending.clone()),
        marked: seen.of.marked.clone(),
    }
}

async fn accept(context: &Context, reason: String) -> Result<u8, Failure> {
    let state = context.existing_state()?;
    if context.is_supervised().await? {
        return Err(Failure::refused(
            "a supervisor is at work on this state folder, so its store is not behind",
        ));
    }
    let source = context.source()?;
    let site = crate::port::SiteSource::read(&source).map_err(Failure::defects)?.site;
    let obeyed = witness::epoch(&state.agent()).map_err(Failure::failed)?;
    match StateStore::open(&context.store, state.root(), &state.agent()).await {
        Err(StoreError::Behind(_)) => {}
        Ok(store) => {
            store.close().await;
            return Err(Failure::refused(Restored::NotBehind.say(context.lang)));
        }
        Err(other) => return Err(failure(other)),
    }
    let opened = StateStore::open_behind(&context.store, state.root()).await;
    let mut store = opened.map_err(failure)?;
    let made = app::made(store.reader()).await.map_err(failure)?;
    store.mark_behind(made, now()?).await.map_err(failure)?;
    store.raise_epoch(obeyed).await.map_err(failure)?;
    fault::point("restore.raised");
    let reader = store.reader().clone();
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let folders = context.existing_state()?;
    let mail = site.mail.clone();
    let lines = Box::new(Lines::new(context.lang, context.format));
    let (door, starts_agent) = (context.door(&state), context.starts_agent);
    let wiring = Wiring { source, state, clock, mail, door, starts_agent };
    let led = app::lead(wiring, store, vec![lines]).await.map_err(Failure::failed)?;
    let (mut supervisor, _serving) = (led.supervisor, led.serving);
    // It has then said what became of those that nobody watches any more.
    if !supervisor.hear_agent().await {
        let log = folders.agent().join(crate::wire::spool::LOG);
        let what = format!("the agent cannot be reached; its log: {}", log.display());
        return Err(Failure::failed(what));
    }
    let (view, lacks) = behind(&reader, &folders, &site).await?;
    let running: Vec<String> = view
        .runs
        .iter()
        .flat_map(|lost| &lost.attempts)
        .filter(|unknown| unknown.ending.is_none() && unknown.marked.is_empty())
        .map(|unknown| unknown.attempt.to_string())
        .collect();
    if !running.is_empty() {
        supervisor.leave().await;
        let attempts = &list(context.lang, &running);
        return Err(Failure::refused(Restored::StillRuns { attempts }.say(context.lang)));
    }
    let seen = lacks.attempts.into_iter().chain(lacks.unfinished).collect();
    let (retired, other_spool) = (lacks.retired, lacks.other_spool);
    let by = person_of(Some(&site), &own_account());
    let taken = TakeIn { by, reason, made, epoch: obeyed, seen, retired, other_spool, site };
    supervisor.take_in(taken).await.map_err(Failure::failed)?;
    supervisor.leave().await;
    let said = Restored::TakenIn {
        attempts: view.attempts.len() as u64,
        runs: view.runs.len() as u64,
        starts: view.starts.iter().map(|starts| u64::from(starts.count)).sum(),
    };
    super::show::page(context, &said.say(context.lang), &view)
}

fn failure(why: StoreError) -> Failure {
    match why {
        StoreError::InUse(_) | StoreError::Elsewhere(_) => {
            Failure { code: REFUSED, ..Failure::failed(why) }
        }
        other => Failure::failed(other),
    }
}

fn now() -> Result<jiff::Timestamp, Failure> {
    Ok(HostClock::new().map_err(Failure::failed)?.now().wall)
}
