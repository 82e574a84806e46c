//! Layer 5: the outside world, each part behind a trait of `port`.

pub mod account;
pub mod agent_health;
pub mod agent_link;
pub mod agent_retire;
pub mod agent_upgrade;
pub mod api_client;
pub mod api_socket;
pub mod archive;
pub mod clock;
mod clock_steps;
pub mod files;
pub mod folders;
pub mod git;
pub mod git_health;
pub mod host_health;
pub mod log_files;
pub mod mail;
pub mod password;
pub mod prompt;
mod random;
pub mod service_manager;
mod socket_path;
pub mod state_health;
pub mod store;
pub mod tls;
pub mod token;
pub mod witness;
