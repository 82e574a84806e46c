//! Integration tests with the real binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and sets the world up by hand"
)]

mod agent;
mod agent_house;
mod agent_link;
mod agent_outlives;
