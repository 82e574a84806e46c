//! Renews the lease from a thread of its own, so that a turn that takes long does not lose it, and says when it is lost.

use std::sync::mpsc as answers;
use std::thread;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::lease::Lease;
use crate::port::{Pulse, StoreError};

/// For giving the lease back when the lead ends.
const LAST_WORD: Duration = Duration::from_secs(1);

/// Keeps a lease that was taken, until it is dropped: then the lease is given back.
#[derive(Debug)]
pub(super) struct Keeper {
    stop: Option<oneshot::Sender<()>>,
    stopped: answers::Receiver<()>,
    lost: Lost,
}

/// Why the lead was lost, once it is.
type Lost = watch::Receiver<Option<String>>;

/// Ends with the reason when the lead is lost, and only then; never for one that does not lead.
pub(super) async fn overtaken(lost: Option<Lost>) -> StoreError {
    if let Some(mut lost) = lost
        && let Ok(why) = lost.wait_for(Option::is_some).await
        && let Some(why) = &*why
    {
        return StoreError::Overtaken(why.clone());
    }
    std::future::pending().await
}

impl Keeper {
    pub(super) fn start(lease: Lease, pulse: Pulse) -> Result<Self, StoreError> {
        let (stop, told) = oneshot::channel();
        let (ended, stopped) = answers::channel();
        let (lose, lost) = watch::channel(None);
        // A runtime of its own: what the supervisor's does meanwhile is of no account.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(not_started)?;
        let keep = move || {
            if let Some(why) = runtime.block_on(keep(lease, pulse, told)) {
                lose.send_replace(Some(why));
            }
            // Nobody waits for it after trouble at the end.
            ended.send(()).ok();
        };
        thread::Builder::new().name("lease".to_owned()).spawn(keep).map_err(not_started)?;
        Ok(Self { stop: Some(stop), stopped, lost })
    }

    pub(super) fn lost(&self) -> Lost {
        self.lost.clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It has ended by itself where nobody hears it.
            stop.send(()).ok();
            self.stopped.recv_timeout(LAST_WORD).ok();
        }
    }
}

/// A supervisor whose loop has not turned for so many times the length of a lease hangs: another may lead. Many, because
/// a turn may take its time.
const HANGS: u32 = 24;

/// Until it is told to stop, and then gives the lease back; or until it is lost, and then says why. While the supervisor
/// hangs the lease runs out; if nobody has taken it by then it is renewed when the loop turns again.
async fn keep(mut lease: Lease, pulse: Pulse, mut told: oneshot::Receiver<()>) -> Option<String> {
    let mut seen = (pulse.count(), Instant::now());
    loop {
        let beats = pulse.count();
        if beats != seen.0 {
            seen = (beats, Instant::now());
        }
        if seen.1.elapsed() > lease.times().lasts * HANGS {
            match tokio::time::timeout(lease.times().renewed, &mut told).await {
                Ok(_) => break,
                Err(_) => continue,
            }
        }
        let renewed = tokio::select! {
            biased;
            _ = &mut told => break,
            renewed = lease.renew() => renewed,
        };
        let pause = match renewed {
            Ok(()) => lease.times().renewed,
            Err(StoreError::Overtaken(why)) => return Some(why),
            // The commits say that the database is in trouble. The lease may still be there when it is over.
            Err(_) => lease.times().renewed / 4,
        };
        if tokio::time::timeout(pause, &mut told).await.is_ok() {
            break;
        }
    }
    // Where it cannot be given back it runs out.
    tokio::time::timeout(LAST_WORD, lease.release()).await.ok();
    None
}

fn not_started(why: std::io::Error) -> StoreError {
    StoreError::Trouble(format!("keeping the lease: {why}"))
}
