//! Layer 6: made-up nights around the real core, journal and views. A seed makes a site, its jobs' endings, what
//! operators do and what goes wrong; invariants are checked after every turn. The same scenario is the same night, byte
//! for byte.
//!
//! Beside them [`rehearsal`]: nights of a site that is really there, for `nightrun simulate`.

mod afterwards;
mod agent;
mod check;
mod clearing;
mod dice;
mod faults;
mod made_site;
mod many;
mod operator;
pub mod rehearsal;
mod responder;
mod scenario;
mod shrink;
mod supposing;
mod target;
pub mod what_if;
mod world;

pub use check::Violation;
pub use check::plan::plan_holds;
pub use faults::Fault;
pub use scenario::{Moment, Scenario};
pub use shrink::{Shrunk, shrink};
pub use supposing::Samples;
pub use world::{Breach, Counts, Failure, Night, World};

/// Plays one night.
pub fn play(scenario: &Scenario) -> Result<Night, Box<Failure>> {
    let told = |breach| Box::new(Failure { breach, turn: 0, story: Vec::new() });
    World::new(scenario.clone()).map_err(told)?.play()
}

#[cfg(test)]
mod change_tests;
#[cfg(test)]
mod rehearsal_tests;
#[cfg(test)]
mod tests;
