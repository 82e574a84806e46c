//! Nights of a real site, played by the real core without processes and without waiting: what `nightrun simulate` shows.
//!
//! One night goes by what jobs usually take, as the plan does; of many each goes by times drawn from history.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::many::Tally;
use super::supposing::{Draws, Samples, Supposing};
use super::what_if::{About, BadWish, Wishes};
use crate::core::ahead::Played;
use crate::core::forecast;
use crate::core::night::StepError;
use crate::core::state::Unfit;
use crate::core::window::Windows;
use crate::definition::site::{Freeze, FreezeScope, Site};
use crate::types::{BatchId, JobRef, RunId, Span, Text};
use crate::view::of_plan::{self, Night, PlanError, Wanted};
use crate::view::of_rehearsal::{self, Compared};
use crate::view::rehearsal::{LeftOutOn, NightsView, RehearsalView, Supposed};

/// The name that runs of a simulated night give their definition.
const DIGEST: &str = "simulated";

/// What is to be played.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub site: &'a Arc<Site>,
    /// Batches to be shown; all that start where empty. The others take their share of hosts and pools all the same.
    pub batches: &'a [BatchId],
    /// Civil dates of the starts.
    pub from: Date,
    pub to: Date,
    /// What jobs usually take, from history.
    pub expected: &'a BTreeMap<JobRef, Span>,
    /// Each of the times that this was reckoned from.
    pub samples: &'a Samples,
    pub wishes: &'a Wishes,
}

/// Why nothing could be played.
#[derive(Debug, thiserror::Error)]
pub enum NotPlayed {
    #[error(transparent)]
    Wish(#[from] BadWish),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// What the nights of one command have in common.
struct Stage<'a> {
    asked: Asked<'a>,
    night: Night,
    shown: Vec<RunId>,
    supposed: Vec<Supposed>,
    /// As it is supposed: with its freezes.
    site: Arc<Site>,
    windows: Windows,
    known: BTreeMap<JobRef, u32>,
}

/// Plays the dates once.
pub fn one_night(asked: Asked<'_>) -> Result<RehearsalView, NotPlayed> {
    let stage = Stage::new(asked)?;
    let without = stage.without(None)?;
    let mut runs = Vec::new();
    if let Some(played) = stage.with(None)? {
        let compared = stage.compared(without.as_ref());
        for run in &stage.shown {
            runs.push(of_rehearsal::run(&played, run, compared)?);
        }
    }
    Ok(RehearsalView {
        simulated: true,
        site: asked.site.title.clone(),
        zone: asked.site.zone.clone(),
        from: asked.from,
        to: asked.to,
        left_out: stage.left_out(),
        what_if: stage.supposed,
        runs,
    })
}

/// Plays the dates many times, each with times drawn from history. The same seed gives the same nights.
pub fn many_nights(asked: Asked<'_>, nights: u32, seed: u64) -> Result<NightsView, NotPlayed> {
    let stage = Stage::new(asked)?;
    let mut tallies: BTreeMap<&RunId, Tally> =
        stage.shown.iter().map(|run| (run, Tally::default())).collect();
    let mut last = None;
    for night in 1..=nights {
        let draws = Some(Draws { samples: asked.samples, seed, night });
        let without = stage.without(draws)?;
        let Some(played) = stage.with(draws)? else { break };
        for (run, tally) in &mut tallies {
            tally.add(&played, run, stage.compared(without.as_ref()))?;
        }
        last = Some(played);
    }
    let mut runs = Vec::new();
    if let Some(last) = &last {
        for run in &stage.shown {
            let Some(tally) = tallies.remove(run) else { continue };
            runs.push(tally.told(last.core.state().run(run)?, stage.compared(None)));
        }
    }
    Ok(NightsView {
        simulated: true,
        site: asked.site.title.clone(),
        zone: asked.site.zone.clone(),
        from: asked.from,
        to: asked.to,
        nights,
        seed,
        left_out: stage.left_out(),
        what_if: stage.supposed,
        runs,
    })
}

impl<'a> Stage<'a> {
    fn new(asked: Asked<'a>) -> Result<Self, NotPlayed> {
        let Asked { from, to, expected, .. } = asked;
        let wanted = Wanted { batch: None, from, to, today: from, expected, lives: None };
        let night = of_plan::night(asked.site, DIGEST, wanted)?;
        let is_shown = |batch: &BatchId| asked.batches.is_empty() || asked.batches.contains(batch);
        let shown: Vec<RunId> =
            night.shown.iter().filter(|run| is_shown(&run.batch)).cloned().collect();
        let starts = night.openings.iter().filter(|opening| shown.contains(&opening.opened.run));
        let first = starts.map(|opening| opening.at).min().unwrap_or_else(|| midnight(&asked));
        let of_shown: Vec<BatchId> = match asked.batches {
            [] => shown.iter().map(|run| run.batch.clone()).collect(),
            given => given.to_vec(),
        };
        let supposed =
            asked.wishes.resolve(About { site: asked.site, batches: &of_shown, first })?;
        let site = frozen(asked.site, &supposed);
        let known = asked
            .samples
            .iter()
            .map(|(job, samples)| (job.clone(), u32::try_from(samples.len()).unwrap_or(u32::MAX)));
        let (windows, known) = (Windows::new(&site), known.collect());
        Ok(Self { asked, night, shown, supposed, site, windows, known })
    }

    fn play(
        &self,
        site: &Arc<Site>,
        supposed: &[Supposed],
        draws: Option<Draws<'_>>,
    ) -> Result<Option<Played>, NotPlayed> {
        let definitions = [(DIGEST.to_owned(), Arc::clone(site))];
        let (openings, known) = (self.night.openings.clone(), self.night.known.clone());
        Ok(forecast::play(&definitions, openings, known, Supposing::new(supposed, draws))?)
    }

    fn with(&self, draws: Option<Draws<'_>>) -> Result<Option<Played>, NotPlayed> {
        self.play(&self.site, &self.supposed, draws)
    }

    /// The same night without what is supposed; `None` where nothing is.
    fn without(&self, draws: Option<Draws<'_>>) -> Result<Option<Played>, NotPlayed> {
        if self.supposed.is_empty() {
            return Ok(None);
        }
        self.play(self.asked.site, &[], draws)
    }

    fn compared<'b>(&'b self, without: Option<&'b Played>) -> Compared<'b> {
        let (supposed, windows, known) = (&self.supposed, &self.windows, &self.known);
        Compared { supposed, without, windows, known }
    }

    fn left_out(&self) -> Vec<LeftOutOn> {
        let asked =
            |batch: &BatchId| self.asked.batches.is_empty() || self.asked.batches.contains(batch);
        let left_out = self.night.left_out.iter().filter(|(_, left)| asked(&left.batch));
        left_out.map(|(date, left)| LeftOutOn { date: *date, batch: left.clone() }).collect()
    }
}

/// What clock times count from where nothing starts.
fn midnight(asked: &Asked<'_>) -> Timestamp {
    let zoned = asked.from.to_datetime(Time::midnight()).to_zoned(asked.site.zone.tz().clone());
    zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

fn frozen(site: &Arc<Site>, supposed: &[Supposed]) -> Arc<Site> {
    let freezes = supposed.iter().filter_map(|supposed| match supposed {
        Supposed::Frozen { from, to } => Some(Freeze {
            reason: Text { en: "what if".to_owned(), zh: Some("推演设定".to_owned()) },
            from: *from,
            to: *to,
            scope: FreezeScope::default(),
        }),
        _ => None,
    });
    let freezes: Vec<Freeze> = freezes.collect();
    if freezes.is_empty() {
        return Arc::clone(site);
    }
    let mut site = Site::clone(site);
    site.freezes.extend(freezes);
    Arc::new(site)
}
