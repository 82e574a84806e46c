//! `serve`: the supervisor that makes the starts of the schedules.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::arguments::ServeArguments;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::lines::Lines;
use crate::app::{self, RunClock, Wiring, own_account};
use crate::definition::settings::{Definitions, Follow};
use crate::driver::clock::HostClock;
use crate::driver::git::Repository;
use crate::supervisor::{Input, NotServed, Observer};

/// Serves until TERM or INT.
pub(super) async fn serve(context: &Context, arguments: &ServeArguments) -> Result<u8, Failure> {
    let source = context.source()?;
    let followed = match &context.definitions {
        Definitions::Commits { follow: Some(follow) } => {
            source.repository().cloned().map(|repository| (repository, follow.clone()))
        }
        Definitions::Commits { follow: None } | Definitions::Files => None,
    };
    if let Some((repository, follow)) = &followed {
        first_fetch(repository, follow).await;
    }
    let state = context.create_state()?;
    let store = context.open_store(&state).await?;
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let mail = context.mail_to_serve(&source, &store).await?;
    let lines: Box<dyn Observer> = Box::new(Lines::new(context.lang, context.format));
    let wiring = Wiring { source, state, clock, mail };
    let mut led = app::lead(wiring, store, vec![lines]).await.map_err(Failure::failed)?;
    let signals = tokio::spawn(pass_signals(led.inbox.clone()));
    let follower = followed.map(|(repository, follow)| {
        tokio::spawn(app::follow(repository, follow, led.inbox.clone()))
    });
    let begun = led.supervisor.begin_service(&own_account(), arguments.observe).await;
    begun.map_err(|why| match why {
        NotServed::Fatal(fatal) => Failure::failed(fatal),
        NotServed::Defects(defects) => Failure::defects(defects),
    })?;
    led.supervisor.serve().await.map_err(Failure::failed)?;
    signals.abort();
    if let Some(follower) = follower {
        follower.abort();
    }
    led.supervisor.leave().await;
    Ok(WELL)
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
