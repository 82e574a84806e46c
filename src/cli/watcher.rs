//! `watch`: looks from another host whether the service lives, and raises the alarm when it does not.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use super::exit::{FAILED, Failure, WELL};
use crate::app::{Looked, Watcher};
use crate::driver::clock::HostClock;
use crate::port::Clock;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(15);

#[derive(Debug, Args)]
pub(super) struct WatchArguments {
    /// File of the watcher's own settings: where the life sign is, and how it raises the alarm
    file: PathBuf,
    /// Look once; exit code 1 while an alarm is raised
    #[arg(long)]
    once: bool,
}

pub(super) async fn watch(arguments: &WatchArguments) -> Result<u8, Failure> {
    let clock = HostClock::new().map_err(Failure::failed)?;
    let mut watcher = Watcher::new(&arguments.file, clock.now().wall).map_err(Failure::defects)?;
    if let Some(why) = &watcher.began_anew {
        notice_line!("nightrun: {why}");
    }
    if arguments.once {
        let looked = watcher.look(clock.now().wall).await.map_err(Failure::failed)?;
        tell(&looked)?;
        return Ok(if looked.alarming { FAILED } else { WELL });
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::failed)?;
    loop {
        let looked = tokio::select! {
            // A look may take as long as servers and file systems have patience.
            _ = terminate.recv() => return Ok(WELL),
            _ = interrupt.recv() => return Ok(WELL),
            looked = watcher.look(clock.now().wall) => looked,
        };
        match looked {
            Ok(looked) => tell(&looked)?,
            // It goes on watching, and may say twice what it could not keep.
            Err(why) => notice_line!("nightrun: {why}"),
        }
        let never = std::future::pending::<()>();
        tokio::select! {
            _ = terminate.recv() => return Ok(WELL),
            _ = interrupt.recv() => return Ok(WELL),
            _ = tokio::time::timeout(LOOK, never) => {}
        }
    }
}

fn tell(looked: &Looked) -> Result<(), Failure> {
    if let Some(said) = &looked.said {
        print_line!("{said}")?;
    }
    for failed in &looked.failed {
        notice_line!("nightrun: not told: {failed}");
    }
    Ok(())
}
