//! Life signs are carried beside the supervisor: a file system or a server that hangs holds up nothing, and the sign stays
//! away. Each is tried once, since the next one says more; what goes wrong is told once, until it is something else.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, watch};

use super::SiteMailer;
use crate::driver::life_sign;
use crate::journal::OutgoingMail;
use crate::port::Mailer;
use crate::supervisor::{Input, SignToWrite};

/// Writes the newest sign whenever there is one, until the supervisor is gone.
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
        tell(&inbox, &mut told, why);
    }
}

/// Sends signs by the ways that all messages go, until the supervisor is gone.
pub(super) async fn post(
    mut signs: mpsc::UnboundedReceiver<OutgoingMail>,
    mailer: SiteMailer,
    inbox: mpsc::UnboundedSender<Input>,
) {
    let mut told = BTreeMap::new();
    while let Some(sign) = signs.recv().await {
        let sent = mailer.send(&sign).await;
        let why = sent.err().map(|why| format!("to {}: {why}", sign.to));
        tell(&inbox, told.entry(sign.to).or_default(), why);
    }
}

fn tell(inbox: &mpsc::UnboundedSender<Input>, told: &mut Option<String>, why: Option<String>) {
    if let Some(new) = why.as_ref().filter(|_| why != *told) {
        // Whoever supervises is gone with this.
        inbox.send(Input::Notice(format!("no life sign {new}"))).ok();
    }
    *told = why;
}
