//! Layer 5: the outside world, each part behind a trait of `port`.

pub mod account;
pub mod agent_health;
pub mod agent_link;
pub mod agent_retire;
pub mod archive;
pub mod clock;
mod clock_steps;
pub mod control;
pub mod files;
pub mod folders;
pub mod git;
pub mod host_health;
pub mod log_files;
pub mod mail;
mod socket_path;
pub mod state_health;
pub mod store;
pub mod witness;
