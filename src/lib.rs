//! nightrun: a batch-job scheduler and night-run supervisor.
//!
//! Begin with [`docs::architecture`] for the whole, [`docs::format`] for the job files, [`docs::states`] for what a job
//! can be in. The layers, from the bottom: [`types`], [`fault`]; [`definition`]; [`sql`], [`wire`]; [`core`]; [`journal`], [`view`];
//! [`port`], [`render`]; [`driver`], [`agent`]; [`supervisor`], [`simulate`]; [`app`]; [`cli`]. A module imports only from
//! rows before its own, and `tests/tidy.rs` holds the code to it.

pub mod agent;
pub mod app;
pub mod cli;
pub mod core;
pub mod definition;
pub mod driver;
pub mod fault;
pub mod http;
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
    /// Processes, ideas, layers, files, walkthroughs.
    #[doc = include_str!("docs/architecture.md")]
    pub mod architecture {}
    /// The API of a supervisor.
    #[doc = include_str!("docs/api.md")]
    pub mod api {}
    /// The life of a database change: roles, rules, commands.
    #[doc = include_str!("docs/changes.md")]
    pub mod changes {}
    /// What was decided, and why.
    #[doc = include_str!("docs/decisions.md")]
    pub mod decisions {}
    /// The job files.
    #[doc = include_str!("docs/format.md")]
    pub mod format {}
    /// The words, with their Chinese.
    #[doc = include_str!("docs/glossary.md")]
    pub mod glossary {}
    /// Where a job, an attempt, a run, an incident and a change can stand.
    #[doc = include_str!("docs/states.md")]
    pub mod states {}
    /// What a night costs.
    #[doc = include_str!("docs/performance.md")]
    pub mod performance {}
}
