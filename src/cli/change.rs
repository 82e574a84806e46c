//! `change`: database changes.

use clap::Subcommand;

use super::context::Context;
use super::exit::{Failure, WELL};
use crate::agent::worker::ledger;
use crate::types::TargetName;

#[derive(Debug, Subcommand)]
pub(super) enum ChangeCommand {
    /// Print what an administrator runs once on a target's server, before the first change there
    ///
    /// It makes the table nightrun_change_run, which says which changes were applied, and lets the account that executes
    /// changes read it and add to it. Nothing is done by this command itself.
    Ledger {
        /// A target of site.yaml
        target: TargetName,
    },
}

pub(super) fn change(context: &Context, command: ChangeCommand) -> Result<u8, Failure> {
    let ChangeCommand::Ledger { target } = command;
    let site = context.site()?;
    let known = site
        .targets
        .get(&target)
        .ok_or_else(|| Failure::refused(format!("the site declares no target {target}")))?;
    match ledger::statements(&known.engine) {
        Some(statements) => print_line!("{}", statements.trim_end())?,
        None => {
            print_line!("-- a SQLite file needs nothing: the table comes with its first change")?
        }
    }
    Ok(WELL)
}
