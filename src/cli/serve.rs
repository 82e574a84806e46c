//! `serve`: the supervisor that makes the starts of the schedules.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::arguments::ServeArguments;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::lines::Lines;
use crate::app::{self, Archivist, Door, RunClock, ServiceWatch, SiteFolder, Wiring, own_account};
use crate::definition::settings::{Definitions, Follow};
use crate::driver::clock::HostClock;
use crate::driver::git::Repository;
use crate::driver::store::StateStore;
use crate::port::{Store, StoreError};
use crate::supervisor::{Input, NotServed, Observer};
use crate::types::Epoch;

/// Between two tries to take the lead.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// Serves until TERM or INT.
pub(super) async fn serve(context: &Context, arguments: &ServeArguments) -> Result<u8, Failure> {
    let source = context.source()?;
    let followed = match &context.definitions {
        Definitions::Commits { follow: Some(follow) } => {
            source.repository().cloned().map(|repository| (repository, follow.clone()))
        }
        Definitions::Commits { follow: None } | Definitions::Files => None,
    };
    let state = context.create_state()?;
    let mut store = context.open_store(&state).await?;
    let observes = arguments.observe || context.observes;
    let mut watch = ServiceWatch::of_environment(observes).map_err(Failure::failed)?;
    let (heard, mut said) = mpsc::unbounded_channel();
    let signals = tokio::spawn(pass_signals(heard));
    let mut door = context.door(&state).on_network(context.api.clone());
    if let Err(why) = door.open(&state) {
        // The one that leads on this state folder listens there; it will not when this one leads.
        notice_line!("nightrun: not listening yet: {why}");
    }
    let Some(epoch) = stand_by(&mut store, &mut said, (&door, &mut watch), &source).await? else {
        watch.stops();
        return Ok(WELL);
    };
    watch.takes_the_lead();
    // Not before: one that has stood by for days must not begin with the files of then.
    if let Some((repository, follow)) = &followed {
        first_fetch(repository, follow).await;
    }
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let mail = context.mail_to_serve(&source, &store).await?;
    let lines: Box<dyn Observer> = Box::new(Lines::new(context.lang, context.format));
    let (reader, folders) = (store.reader().clone(), state.clone());
    let starts_agent = context.starts_agent;
    let wiring = Wiring { source, state, clock, mail, door, starts_agent };
    let led = app::lead_as(wiring, store, epoch, vec![lines, Box::new(watch.clone())]).await;
    let mut led = led.map_err(Failure::failed)?;
    let passing = tokio::spawn(pass_on(said, led.inbox.clone()));
    let follower = followed.map(|(repository, follow)| {
        tokio::spawn(app::follow(repository, follow, led.inbox.clone()))
    });
    let archives = context.retention.clone().map(|retention| {
        let zone = context.zone();
        let archivist = Archivist { reader, state: folders, retention };
        tokio::spawn(archivist.keep(zone, led.inbox.clone()))
    });
    let begun = led.supervisor.begin_service(&own_account(), observes).await;
    begun.map_err(|why| match why {
        NotServed::Fatal(fatal) => Failure::failed(fatal),
        NotServed::Defects(defects) => Failure::defects(defects),
    })?;
    watch.leads(led.supervisor.core());
    let served = led.supervisor.serve().await;
    watch.stops();
    if let Some(archives) = archives {
        archives.abort();
    }
    served.map_err(Failure::failed)?;
    signals.abort();
    passing.abort();
    if let Some(follower) = follower {
        follower.abort();
    }
    led.supervisor.leave().await;
    Ok(WELL)
}

/// Takes the lead, as soon as nobody else has it. `None`: it was told to end before.
async fn stand_by(
    store: &mut StateStore,
    said: &mut mpsc::UnboundedReceiver<Input>,
    (door, watch): (&Door, &mut ServiceWatch),
    source: &SiteFolder,
) -> Result<Option<Epoch>, Failure> {
    let mut told = false;
    loop {
        let claimed = tokio::select! {
            claimed = store.claim_epoch() => claimed,
            Some(Input::Leave) = said.recv() => return Ok(None),
        };
        let why = match claimed {
            Ok(epoch) => return Ok(Some(epoch)),
            Err(StoreError::InUse(who)) => format!("another supervisor leads{who}"),
            // A database that is down for a while has no leader either.
            Err(StoreError::Trouble(why)) => why,
            Err(other) => return Err(Failure::failed(other)),
        };
        door.stands_by(&why, source);
        watch.stands_by(&why);
        if !told {
            notice_line!("nightrun: standing by: {why}");
            told = true;
        }
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(ASK_AGAIN, never).await;
    }
}

/// What a branch has now, where its remote answers; else what it had when it was asked last.
async fn first_fetch(repository: &Repository, follow: &Follow) {
    if let Err(why) = repository.fetch(&follow.remote, &follow.branch).await {
        notice_line!("nightrun: {why}; going on with what was fetched before");
    }
}

/// TERM and INT end the service, and nothing that runs; HUP reads the job files again.
async fn pass_signals(inbox: mpsc::UnboundedSender<Input>) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        return;
    };
    loop {
        let input = tokio::select! {
            _ = interrupt.recv() => Input::Leave,
            _ = terminate.recv() => Input::Leave,
            _ = hang_up.recv() => Input::Reload,
        };
        if inbox.send(input).is_err() {
            return;
        }
    }
}

async fn pass_on(mut from: mpsc::UnboundedReceiver<Input>, to: mpsc::UnboundedSender<Input>) {
    while let Some(input) = from.recv().await {
        if to.send(input).is_err() {
            return;
        }
    }
}
