//! `serve`: the supervisor that makes the starts of the schedules.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::arguments::ServeArguments;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::lines::Lines;
use crate::app::{self, RunClock, SiteFolder, Wiring, own_account};
use crate::driver::clock::HostClock;
use crate::supervisor::{Input, NotServed, Observer};

/// Serves until TERM or INT.
pub(super) async fn serve(context: &Context, arguments: &ServeArguments) -> Result<u8, Failure> {
    let read = context.read_site()?;
    let mail = read.site.mail.clone();
    let state = context.create_state()?;
    let store = context.open_store(&state).await?;
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let source = SiteFolder::read(&context.site, read);
    let lines: Box<dyn Observer> = Box::new(Lines::new(context.lang, context.format));
    let wiring = Wiring { source, state, clock, mail };
    let mut led = app::lead(wiring, store, vec![lines]).await.map_err(Failure::failed)?;
    let signals = tokio::spawn(pass_signals(led.inbox.clone()));
    let begun = led.supervisor.begin_service(&own_account(), arguments.observe).await;
    begun.map_err(|why| match why {
        NotServed::Fatal(fatal) => Failure::failed(fatal),
        NotServed::Defects(defects) => Failure::defects(defects),
    })?;
    led.supervisor.serve().await.map_err(Failure::failed)?;
    signals.abort();
    led.supervisor.leave().await;
    Ok(WELL)
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
