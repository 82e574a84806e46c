//! From the state to what operators have ordered for the whole site.

use jiff::Timestamp;

use super::Who;
use super::standing::{DrainLine, FreezeLine, PoolLine, RequestLine, StandingView};
use crate::core::fact::Proposed;
use crate::core::state::Standing;
use crate::definition::site::Site;

/// What is not over at `now`.
pub fn standing(standing: &Standing, site: &Site, now: Timestamp) -> StandingView {
    let freezes = standing.freezes.iter().filter(|(_, freeze)| freeze.what.to > now);
    let requests = standing.requests.iter();
    let waiting = requests.filter(|(_, asked)| asked.until > now && asked.given.is_none());
    StandingView {
        freezes: freezes
            .map(|(id, freeze)| FreezeLine {
                id: Some(*id),
                from: freeze.what.from,
                to: freeze.what.to,
                scope: freeze.what.scope.clone(),
                reason: freeze.what.reason.clone(),
                by: Some(Who::of(site, &freeze.by)),
            })
            .collect(),
        pools: standing
            .pools
            .iter()
            .filter(|(_, sized)| sized.until > now)
            .map(|(pool, sized)| PoolLine {
                pool: pool.clone(),
                size: sized.size,
                until: sized.until,
                by: Who::of(site, &sized.by),
                reason: sized.reason.clone(),
            })
            .collect(),
        drains: standing
            .drains
            .iter()
            .map(|(host, drain)| DrainLine {
                host: host.clone(),
                since: drain.at,
                by: Who::of(site, &drain.by),
                reason: drain.reason.clone(),
            })
            .collect(),
        requests: waiting
            .map(|(id, asked)| RequestLine {
                id: *id,
                on: about(&asked.what),
                by: Who::of(site, &asked.by),
                reason: asked.reason.clone(),
                until: asked.until,
            })
            .collect(),
    }
}

/// Freezes that the job files declare and that are not over.
pub fn declared(site: &Site, now: Timestamp) -> Vec<FreezeLine> {
    let freezes = site.freezes.iter().filter(|freeze| freeze.to > now);
    let line = |freeze: &crate::definition::site::Freeze| FreezeLine {
        id: None,
        from: freeze.from,
        to: freeze.to,
        scope: freeze.scope.clone(),
        reason: freeze.reason.clone(),
        by: None,
    };
    freezes.map(line).collect()
}

fn about(what: &Proposed) -> String {
    match what {
        Proposed::Acts { run, actions } => {
            let jobs: Vec<&str> =
                actions.iter().filter_map(|act| act.job()).map(|job| job.as_str()).collect();
            if jobs.is_empty() { run.to_string() } else { format!("{run} {}", jobs.join(", ")) }
        }
        Proposed::Unfreeze { freeze } => freeze.to_string(),
        Proposed::Order { order } => order.batch.to_string(),
        Proposed::Change { change, .. } => change.to_string(),
    }
}
