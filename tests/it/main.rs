//! Integration tests, one binary: each file is about what its name says.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, and touch files and servers of their own"
)]

mod agent;
#[cfg(feature = "faults")]
mod agent_faults;
mod agent_house;
mod agent_link;
mod agent_outlives;
mod agent_shims;
mod agent_upgrade;
mod api;
mod browser;
#[cfg(feature = "faults")]
mod campaign;
mod deployed;
mod format_reference;
mod installed;
mod journal_writer;
mod lease_kept;
mod mail;
mod mariadb_server;
mod night;
mod plan_of_sample;
mod postgres_server;
mod roster_places;
mod sample_calendars;
mod sample_figures;
mod server_process;
mod simulate_sample;
mod slurm_cluster;
mod smtp_sink;
mod splitter;
mod sql_oracle;
mod ssh_server;
mod store_archived;
mod store_postgres;
mod store_sqlite;
mod store_suite;
mod store_suite_acts;
mod store_suite_events;
mod tcp_wire;
mod webhook;
mod webhook_sink;
mod worker;
