//! Integration tests, one binary: each file is about what its name says.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests stop at the first surprise, and touch files and servers of their own"
)]

mod journal_writer;
mod mail;
mod sample_calendars;
mod sample_figures;
mod smtp_sink;
mod store_sqlite;
mod store_suite;
