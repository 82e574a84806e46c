//! `simulate`: nights of the site as they would go, with what a person supposes. Nothing is started or stored.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::civil::Date;

use super::arguments::Format;
use super::context::Context;
use super::exit::Failure;
use super::show;
use crate::definition::nearest;
use crate::definition::site::Site;
use crate::port::StoreReader;
use crate::render;
use crate::simulate::Samples;
use crate::simulate::rehearsal::{self, Asked, NotPlayed};
use crate::simulate::what_if::Wishes;
use crate::types::{BatchId, JobRef, Span};
use crate::view::job::JobLine;
use crate::view::rehearsal::RehearsalView;

/// What a simulated night supposes.
const SUPPOSE: &str = "What if";

#[derive(Debug, Args)]
pub(super) struct SimulateArguments {
    /// Only these batches are shown; all that start by default. The others take their share of hosts and pools all the same
    #[arg(value_name = "BATCH")]
    pub(super) batches: Vec<BatchId>,
    /// The day on which the night begins; today by default
    #[arg(long, value_name = "DATE")]
    pub(super) date: Option<Date>,
    /// So many days on end, in one go
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=400))]
    pub(super) days: u16,
    /// Play it so many times, with times drawn from history: chances instead of one answer
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) nights: u32,
    /// What the drawing begins with; the same seed gives the same nights
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// A host goes, with all that runs on it, and comes back: local=01:00-02:00, or
    /// local=2026-10-31T01:00..2026-10-31T02:00; may be given several times, as all below
    #[arg(long, value_name = "HOST=TIMES", help_heading = SUPPOSE)]
    pub(super) host_down: Vec<String>,
    /// Nothing may start in the whole site: 22:00-23:00
    #[arg(long, value_name = "TIMES", help_heading = SUPPOSE)]
    pub(super) freeze: Vec<String>,
    /// A job takes so long: load-rates=45m, or so many times its usual: 'load-*=2x'
    #[arg(long, value_name = "JOB=LENGTH", help_heading = SUPPOSE)]
    pub(super) takes: Vec<String>,
    /// A job fails at every try, or at its first two: fetch-payments=2
    #[arg(long, value_name = "JOB[=TRIES]", help_heading = SUPPOSE)]
    pub(super) fails: Vec<String>,
    /// What a job waits for (a file, an SQL condition) is there at this time: await-rates=02:30
    #[arg(long, value_name = "JOB=TIME", help_heading = SUPPOSE)]
    pub(super) arrives: Vec<String>,
    /// People confirm so long after they are asked; at once by default
    #[arg(long, value_name = "LENGTH", help_heading = SUPPOSE, conflicts_with = "without_people")]
    pub(super) confirm_after: Option<Span>,
    /// Nobody confirms anything
    #[arg(long, help_heading = SUPPOSE)]
    pub(super) without_people: bool,
    /// Draw the night into this file (SVG): one batch, one day
    #[arg(long, value_name = "FILE")]
    pub(super) gantt: Option<PathBuf>,
}

pub(super) async fn simulate(
    context: &Context,
    arguments: SimulateArguments,
) -> Result<u8, Failure> {
    let site = context.site_as_frozen().await?;
    if let Some(batch) = arguments.batches.iter().find(|b| !site.batches.contains_key(*b)) {
        return Err(no_batch(&site, batch));
    }
    if arguments.gantt.is_some() && arguments.nights > 1 {
        return Err(Failure::defects("--gantt draws one night: leave --nights out"));
    }
    let from = match arguments.date {
        Some(date) => date,
        None => context.today()?,
    };
    let days = i64::from(arguments.days.saturating_sub(1));
    let wishes = Wishes {
        host_down: arguments.host_down,
        takes: arguments.takes,
        fails: arguments.fails,
        arrives: arguments.arrives,
        freeze: arguments.freeze,
        confirm_after: arguments.confirm_after,
        nobody_confirms: arguments.without_people,
    };
    let asked = Asked {
        site: &site,
        batches: &arguments.batches,
        from,
        to: from.saturating_add(jiff::Span::new().days(days)),
        expected: &show::history(context, &site).await?,
        samples: &samples(context, &site).await?,
        wishes: &wishes,
    };
    if arguments.nights > 1 {
        let view =
            rehearsal::many_nights(asked, arguments.nights, arguments.seed).map_err(failure)?;
        return show::page(context, &render::nights::text(context.lang, &view), &view);
    }
    let view = rehearsal::one_night(asked).map_err(failure)?;
    let shown = show::page(context, &render::rehearsal::text(context.lang, &view), &view)?;
    if let Some(path) = arguments.gantt {
        draw(context, &view, &path)?;
    }
    Ok(shown)
}

fn no_batch(site: &Site, batch: &BatchId) -> Failure {
    let what = format!("there is no batch `{batch}`");
    let known = site.batches.keys().map(BatchId::as_str);
    Failure::defects(match nearest::hint(batch.as_str(), known) {
        Some(hint) => format!("{what}; {hint}"),
        None => what,
    })
}

/// A wish that cannot be understood is a defect of the command line.
fn failure(why: NotPlayed) -> Failure {
    match why {
        NotPlayed::Wish(bad) => Failure::defects(bad),
        other => Failure::failed(other),
    }
}

/// What every job took in its last good attempts, where a store has some.
async fn samples(context: &Context, site: &Site) -> Result<Samples, Failure> {
    let mut samples = BTreeMap::new();
    let Some(reader) = context.reader_if_any().await? else { return Ok(samples) };
    for batch in site.batches.keys() {
        let known = reader.samples(batch, show::HISTORY).await.map_err(Failure::failed)?;
        samples.extend(
            known.into_iter().map(|(job, took)| (JobRef { batch: batch.clone(), job }, took)),
        );
    }
    Ok(samples)
}

fn draw(context: &Context, view: &RehearsalView, path: &Path) -> Result<(), Failure> {
    let [run] = view.runs.as_slice() else {
        let runs = view.runs.len();
        return Err(Failure::defects(format!(
            "--gantt draws one run, and here are {runs}: name one batch and one day"
        )));
    };
    let lines: Vec<JobLine> = run.jobs.iter().map(|job| job.line.clone()).collect();
    let drawing = render::gantt::simulated(context.lang, &run.head, &lines)
        .ok_or_else(|| Failure::failed("no job has a time: there is nothing to draw"))?;
    super::write(path, drawing.as_bytes())?;
    if context.format == Format::Text {
        anstream::println!("\n{}", path.display());
    }
    Ok(())
}
