//! Layer 6: made-up nights around the real core. A seed makes a site, its jobs' endings, the agents' delays, what
//! operators do and when the supervisor crashes; invariants are checked after every step. The same seed is the same
//! night, byte for byte.
//!
//! Beside them [`rehearsal`]: nights of a site that is really there, for `nightrun simulate`.

mod agent;
mod check;
mod dice;
mod made_site;
mod many;
mod operator;
pub mod rehearsal;
mod supposing;
pub mod what_if;
mod world;

pub use check::Violation;
pub use check::plan::plan_holds;
pub use supposing::Samples;
pub use world::{Night, World};

#[cfg(test)]
mod rehearsal_tests;
#[cfg(test)]
mod tests;
