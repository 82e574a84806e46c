//! Whether an environment that is asked about is one: of a name that nobody knows everything would be as it should.

use std::collections::BTreeSet;

use crate::core::change::{ChangeStep, Lives};
use crate::core::refused::{Refused, Rule};
use crate::definition::site::Site;

/// Refuses a name that neither the rules know, nor a target, nor what was done once.
pub fn check(site: &Site, lives: &Lives, named: Option<&str>) -> Result<(), Refused> {
    let Some(named) = named else { return Ok(()) };
    let rules = site.change_rules.iter().flat_map(|rules| &rules.environments);
    let targets = site.targets.values().map(|target| &target.environment);
    let steps = lives.values().flat_map(|life| &life.steps);
    let done = steps.filter_map(|taken| match &taken.step {
        ChangeStep::Began { began } => Some(&began.environment),
        ChangeStep::Ended { ended } => Some(&ended.environment),
        _ => None,
    });
    let known: BTreeSet<&str> = rules.chain(targets).chain(done).map(String::as_str).collect();
    if known.contains(named) {
        return Ok(());
    }
    let known: Vec<&str> = known.into_iter().collect();
    let what = format!("`{named}` is no environment of the rules, of a target or of what was done");
    Err(Refused::by(Rule::NoSuchThing, what).hint(format!("known: {}", known.join(", "))))
}
