//! Life signs are written beside the supervisor: a file system that hangs holds up nothing, and the sign stays away.

use tokio::sync::{mpsc, watch};

use crate::driver::life_sign;
use crate::supervisor::{Input, SignToWrite};

/// Writes the newest sign whenever there is one, until the supervisor is gone. What cannot be written is told once.
pub(super) async fn keep(
    mut signs: watch::Receiver<Option<SignToWrite>>,
    inbox: mpsc::UnboundedSender<Input>,
) {
    let mut told = None;
    while signs.changed().await.is_ok() {
        let Some((file, sign)) = signs.borrow_and_update().clone() else { continue };
        let written = tokio::task::spawn_blocking(move || {
            life_sign::write(&file, &sign).map_err(|why| format!("{}: {why}", file.display()))
        });
        let why = match written.await {
            Ok(Ok(())) => None,
            Ok(Err(why)) => Some(why),
            Err(why) => Some(why.to_string()),
        };
        if why.is_some() && why != told {
            let text = format!("no life sign: {}", why.as_deref().unwrap_or_default());
            // Whoever supervises is gone with this.
            inbox.send(Input::Notice(text)).ok();
        }
        told = why;
    }
}
