//! `--dry-run` where nobody supervises: what would come of an order, from what is stored and declared. The store is only
//! read, and where nothing has run yet none is made.

use jiff::Timestamp;

use super::act::answered;
use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::run::{interrupted_trial, not_ordered, trial_clock};
use crate::app::{RunClock, SiteFolder, host_account, own_account};
use crate::driver::clock::{HostClock, TrialClock};
use crate::driver::store::StateReader;
use crate::journal::RunRow;
use crate::port::control::{House, Order};
use crate::port::{Clock, LoadedSite};
use crate::render;
use crate::supervisor::{AsIf, Desk, Fatal};
use crate::types::{BootId, Now};
use crate::view::tried::Tried;

/// Of `run`. `at` is when a trial would begin.
pub(super) async fn order(
    context: &Context,
    (source, loaded): (&SiteFolder, &LoadedSite),
    order: &Order,
    at: Option<Timestamp>,
) -> Result<u8, Failure> {
    let reader = context.reader_if_any().await?;
    let host = HostClock::new().map_err(Failure::failed)?;
    let interrupted = match (at, &reader) {
        (Some(at), Some(reader)) => interrupted_trial(reader, &loaded.site, order, at).await?,
        _ => None,
    };
    let clock = match (at, &interrupted, &reader) {
        (_, Some(row), Some(reader)) => trial_clock(reader, &row.run, host).await?,
        (Some(at), ..) => RunClock::Trial(TrialClock::starting_at(host, at)),
        (None, ..) => RunClock::Host(host),
    };
    if let Some(row) = interrupted {
        return going_on(context, reader.as_ref(), &clock, &[row]).await;
    }
    let (now, boot) = times(&clock);
    let as_if = AsIf::at_rest(reader.as_ref(), (now, boot.clone()), at.is_some()).await;
    let (reader, own) = (reader.as_ref(), host_account());
    let desk = Desk { reader, source, loaded, own: &own, now, boot };
    let tried = desk.would(as_if.map_err(Failure::failed)?, &own_account(), order).await;
    answered(context, tried.map_err(Failure::failed)?.map_err(not_ordered).and_then(say(context)))
}

/// Of `resume`: all these runs go on.
pub(super) async fn going_on(
    context: &Context,
    reader: Option<&StateReader>,
    clock: &RunClock,
    rows: &[RunRow],
) -> Result<u8, Failure> {
    let trial = rows.iter().any(|row| row.trial);
    let tried = async {
        let mut as_if = AsIf::at_rest(reader, times(clock), trial).await?;
        for row in rows {
            if let Err(refused) = as_if.go_on(&row.run, &own_account()).await? {
                return Ok(Err(refused));
            }
        }
        as_if.tried().map(Ok)
    };
    let tried: Result<_, Fatal> = tried.await;
    let tried = tried.map_err(Failure::failed)?.map_err(|refused| Failure::by_rule(&refused));
    answered(context, tried.and_then(say(context)))
}

/// Of what goes for the whole site.
pub(super) async fn house(
    context: &Context,
    order: House,
    reason: String,
) -> Result<Tried, Failure> {
    let site = context.site()?;
    let reader = context.reader_if_any().await?;
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let tried = async {
        let mut as_if = AsIf::at_rest(reader.as_ref(), times(&clock), false).await?;
        Ok(match as_if.house(&site, &own_account(), order, reason).await? {
            Ok(()) => Ok(as_if.tried()?),
            Err(refused) => Err(refused),
        })
    };
    let tried: Result<_, Fatal> = tried.await;
    tried.map_err(Failure::failed)?.map_err(|refused| Failure::by_rule(&refused))
}

fn times(clock: &RunClock) -> (Now, BootId) {
    (clock.now(), clock.boot())
}

fn say(context: &Context) -> impl FnOnce(Tried) -> Result<u8, Failure> {
    let format = context.format;
    move |tried| {
        match format {
            Format::Text => print_line!("{}", render::tried::text(&tried))?,
            Format::Json => print_line!("{}", serde_json::json!(tried))?,
        }
        Ok(WELL)
    }
}
