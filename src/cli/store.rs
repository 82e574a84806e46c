//! `store`: where the history is kept.

use super::arguments::Format;
use clap::Subcommand;

use super::context::Context;
use super::exit::{Failure, WELL};
use crate::driver::clock::HostClock;
use crate::driver::store::{self, StoreAddress};
use crate::port::{Clock, StoreError};

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Move the whole history from the state folder into a PostgreSQL database that holds none
    ///
    /// It is proven there before the file is given up; the file can still be read, and nothing runs with it any more. A
    /// copy that was interrupted is finished by the same command.
    Copy {
        /// Such as postgres://nightrun@db.example/nightrun?sslmode=verify-full
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// `store copy`.
pub(super) async fn copy(context: &Context, to: &str) -> Result<u8, Failure> {
    let to = context.address(to)?;
    if matches!(context.store, StoreAddress::Postgres(_)) {
        return Err(Failure::defects(
            "the history is copied from the state folder: leave out --store and NIGHTRUN_STORE",
        ));
    }
    let state = context.existing_state()?;
    if context.is_supervised().await? {
        return Err(Failure::refused(
            "a supervisor is at work on this state folder: stop it first, so that nothing is added meanwhile",
        ));
    }
    let now = HostClock::new().map_err(Failure::failed)?.now().wall;
    let copied = store::copy(state.root(), &to, now).await.map_err(|why| match why {
        StoreError::InUse(_) | StoreError::Elsewhere(_) => Failure::refused(why),
        other => Failure::failed(other),
    })?;
    let head = &copied.head;
    match context.format {
        Format::Text if copied.before => {
            print_line!("{to} has this history already, and goes on with it")?;
        }
        Format::Text => {
            print_line!(
                "{} entries are in {to}, chain whole, head {}; from now on: --store {to}, or NIGHTRUN_STORE",
                head.seq,
                head.hash
            )?;
        }
        Format::Json => print_line!(
            "{}",
            serde_json::json!({ "to": to.to_string(), "entries": head.seq, "head": head.hash, "before": copied.before })
        )?,
    }
    Ok(WELL)
}
