//! `journal` and `mail`: the record, and what has not left yet.

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use super::arguments::Format;
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use crate::app::SiteMailer;
use crate::driver::archived::Contents;
use crate::driver::clock::HostClock;
use crate::journal::{Proof, Proven, Sealed};
use crate::port::{Clock, Mailer, Store, StoreError, StoreReader};
use crate::types::RunId;

#[derive(Debug, Subcommand)]
pub(super) enum MailCommand {
    /// Send now what has not left yet
    Flush,
    /// List what has not left yet
    List,
}

#[derive(Debug, Subcommand)]
pub(super) enum JournalCommand {
    /// Prove the chain from the first entry to the last
    Verify {
        /// Also what was archived, from the files in this folder
        #[arg(long, value_name = "DIR")]
        archive: Option<PathBuf>,
    },
    /// Print entries, the latest last
    Show {
        /// Only of this run
        #[arg(long)]
        run: Option<RunId>,
        /// Only the last so many
        #[arg(long, default_value_t = 50, value_name = "N")]
        last: u32,
    },
}

/// Entries read at a time.
const PIECE: u32 = 2_000;

/// `journal verify`: from the first entry to the last, and what was archived from its files in `archive`.
pub(super) async fn verify(context: &Context, archive: Option<PathBuf>) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let mut contents = match archive {
        Some(folder) => Some(Contents::of(folder, &reader).await.map_err(Failure::failed)?),
        None => None,
    };
    let mut proof = Proof::default();
    loop {
        let after = proof.head().seq;
        let entries = reader.all_entries(after, PIECE).await.map_err(Failure::failed)?;
        for entry in &entries {
            let body = match &mut contents {
                Some(contents) => contents.body(entry).await.map_err(Failure::failed)?,
                None => None,
            };
            proof.take(entry, body.as_deref()).map_err(Failure::failed)?;
        }
        if entries.is_empty() {
            break;
        }
    }
    let stored = reader.head().await.map_err(Failure::failed)?;
    let Proven { head, archived, unread } = proof.finish().map_err(Failure::failed)?;
    if stored != head {
        return Err(Failure::failed(format!(
            "the store says that its last entry is {} ({}), the journal ends with {} ({})",
            stored.seq, stored.hash, head.seq, head.hash
        )));
    }
    match context.format {
        Format::Text => {
            print_line!("{} entries, chain whole, head {}", head.seq, head.hash)?;
            if unread > 0 {
                print_line!(
                    "of {unread} entries in the archives of {} runs the place in the chain was proven; `--archive DIR` \
                     proves their content too",
                    archived.len()
                )?;
            }
        }
        Format::Json => print_line!(
            "{}",
            serde_json::json!({
                "entries": head.seq, "head": head.hash, "whole": true, "archived_runs": archived.len(),
                "unread": unread
            })
        )?,
    }
    Ok(WELL)
}

/// `journal show`.
pub(super) async fn show(context: &Context, run: Option<RunId>, last: u32) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let entries: Vec<Sealed> = match run {
        Some(run) => reader.entries(&run).await.map_err(Failure::failed)?,
        None => {
            let head = reader.head().await.map_err(Failure::failed)?;
            let after = head.seq.saturating_sub(u64::from(last));
            reader.all_entries(after, last).await.map_err(Failure::failed)?
        }
    };
    let skip = entries.len().saturating_sub(last as usize);
    for sealed in entries[skip..].iter().filter(|sealed| !sealed.is_archived()) {
        match context.format {
            Format::Json => print_line!("{}", sealed.body)?,
            Format::Text => {
                let entry = sealed.open().map_err(Failure::failed)?;
                let run = sealed.run.as_deref().unwrap_or("-");
                let fact = serde_json::to_value(&entry.fact).map_err(Failure::failed)?;
                print_line!(
                    "{:>6} {} {run} {:<16} {}",
                    entry.seq,
                    entry.at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"),
                    sealed.kind,
                    facts_in_short(&fact)
                )?;
            }
        }
    }
    Ok(WELL)
}

/// The fields of a fact besides its name and run, on one line.
pub(super) fn facts_in_short(fact: &serde_json::Value) -> String {
    let Some(fields) = fact.as_object() else { return fact.to_string() };
    let shown = fields.iter().filter(|(name, _)| !["fact", "run"].contains(&name.as_str()));
    let words: Vec<String> = shown
        .map(|(name, value)| match value.as_str() {
            Some(text) => format!("{name}={text}"),
            None => format!("{name}={value}"),
        })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// `mail list`.
pub(super) async fn list_mail(context: &Context) -> Result<u8, Failure> {
    let unsent = context.reader().await?.outbox_unsent().await.map_err(Failure::failed)?;
    for queued in &unsent {
        let mail = &queued.mail;
        match context.format {
            Format::Text => {
                let why = queued.why.as_deref().unwrap_or("not tried yet");
                let when = match queued.due {
                    Some(due) => format!("next try {}", due.strftime("%Y-%m-%d %H:%M:%SZ")),
                    None => "given up".to_owned(),
                };
                print_line!(
                    "{} to {}: {} tries, {why}, {when}",
                    mail.message_id,
                    mail.to,
                    queued.tries
                )?;
            }
            Format::Json => print_line!(
                "{}",
                serde_json::json!({ "id": mail.message_id, "to": mail.to, "tries": queued.tries, "why": queued.why, "due": queued.due })
            )?,
        }
    }
    if unsent.is_empty() && context.format == Format::Text {
        print_line!("everything has been sent")?;
    }
    Ok(WELL)
}

/// `mail flush`: one try for everything that has not left, given up or not. Exit code 1 when something stays.
pub(super) async fn flush_mail(context: &Context) -> Result<u8, Failure> {
    let state = context.existing_state()?;
    if context.is_supervised().await? {
        return Err(Failure::refused("a supervisor is at work here and sends the mail itself"));
    }
    let site = context.site()?;
    let mailer = SiteMailer::new(&site.mail, state.root());
    let clock = HostClock::new().map_err(Failure::failed)?;
    let mut store = context.open_store(&state).await?;
    // Whoever leads sends it himself, on whatever host.
    store.claim_epoch().await.map_err(|why| match why {
        StoreError::InUse(_) => Failure::refused(why),
        other => Failure::failed(other),
    })?;
    let unsent = store.reader().outbox_unsent().await.map_err(Failure::failed)?;
    let mut left = 0;
    for queued in &unsent {
        let mail = queued.mail.clone().readdressed(&site);
        let sent = mailer.send(&mail).await;
        let real = clock.now().wall;
        match sent {
            Ok(reply) => store.outbox_sent(queued.id, real, &reply).await,
            Err(why) => {
                left += 1;
                notice_line!("to {}: {why}", mail.to);
                let next = real.saturating_add(Duration::from_secs(60)).ok();
                store.outbox_failed(queued.id, &why.to_string(), next).await
            }
        }
        .map_err(Failure::failed)?;
    }
    print_line!("{} sent, {left} left", unsent.len() - left)?;
    Ok(if left == 0 { WELL } else { FAILED })
}
