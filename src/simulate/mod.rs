//! Layer 6: made-up nights around the real core. A seed makes a site, its jobs' endings, the agents' delays, what
//! operators do and when the supervisor crashes; invariants are checked after every step. The same seed is the same
//! night, byte for byte.

mod agent;
mod check;
mod dice;
mod made_site;
mod operator;
mod world;

pub use check::Violation;
pub use check::plan::plan_holds;
pub use world::{Night, World};

#[cfg(test)]
mod tests;
