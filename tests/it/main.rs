//! Integration tests: one binary, so that one link serves them all.

mod splitter;
mod worker;
