//! Integration tests, one binary.

mod journal_writer;
mod store_sqlite;
mod store_suite;
