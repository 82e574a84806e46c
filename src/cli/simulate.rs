//! `simulate`: nights of the site as they would go, with what a person supposes. Nothing is started or stored.

use std::collections::BTreeMap;
use std::path::Path;

use super::arguments::{Format, SimulateArguments};
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
use crate::types::{BatchId, JobRef};
use crate::view::job::JobLine;
use crate::view::rehearsal::RehearsalView;

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
