//! From a core that has only tried something to what would come of it.

use super::of_fact;
use super::of_job::Around;
use super::of_run;
use super::tried::{NewEnd, NotAllowed, Tried};
use crate::core::fact::Fact;
use crate::core::forecast::Forecast;
use crate::core::night::{Core, Turn};
use crate::types::{Now, RunId};

/// `core` has taken the event in; the forecasts are those without and with it. `run` is the one that it is about.
pub fn tried(
    core: &Core,
    now: Now,
    decided: &Turn,
    run: Option<&RunId>,
    (without, with): (&Forecast, &Forecast),
) -> Tried {
    let state = core.state();
    let head = |id: &RunId| state.runs.get(id).map(|run| of_run::head(run, now, Around::nothing()));
    let events = decided.facts.iter().filter_map(|fact| {
        let line = of_fact::event(state, now.wall, fact)?;
        Some((head(fact.run()?)?, line))
    });
    let starts = decided.facts.iter().filter_map(|fact| match fact {
        Fact::AttemptIntended { attempt, .. } => Some((attempt.run.clone(), attempt.job.clone())),
        _ => None,
    });
    let site_wide = decided.facts.iter().filter(|fact| fact.run().is_none());
    let site_wide = site_wide.filter(|fact| !matches!(fact, Fact::AcrossKnown { .. }));
    let ends = state.runs.keys().filter_map(|id| {
        let end = |ahead: &Forecast| ahead.runs.get(id).and_then(|ahead| ahead.end);
        let (now, then) = (end(without), end(with));
        (now != then || run == Some(id)).then(|| Some(NewEnd { head: head(id)?, now, then }))?
    });
    Tried {
        events: events.collect(),
        site_wide: site_wide.map(|fact| fact.kind().to_owned()).collect(),
        starts: starts.collect(),
        left: decided
            .left
            .iter()
            .map(|(_, refused)| NotAllowed { what: refused.what.clone(), rule: refused.rule })
            .collect(),
        runs: Vec::new(),
        ends: ends.collect(),
    }
}
