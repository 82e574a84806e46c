//! Layer 5: what touches the outside world for the supervisor.

pub mod agent_link;
pub mod log_files;
