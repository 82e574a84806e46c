//! nightrun: a batch-job scheduler and night-run supervisor.
//!
//! The layers, from the bottom: [`types`], [`definition`] / [`wire`], [`core`], …; a module imports only from above
//! itself in that list, and `tests/tidy.rs` holds the code to it.

pub mod agent;
pub mod app;
pub mod cli;
pub mod core;
pub mod definition;
pub mod driver;
pub mod journal;
pub mod port;
pub mod render;
pub mod simulate;
pub mod sql;
pub mod supervisor;
pub mod types;
pub mod view;
pub mod wire;

/// What explains the whole, beside the modules' own pages.
pub mod docs {
    /// The job files.
    #[doc = include_str!("docs/format.md")]
    pub mod format {}
    /// What a night costs.
    #[doc = include_str!("docs/performance.md")]
    pub mod performance {}
}
