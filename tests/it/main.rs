//! Integration tests, one binary: each file is about what its name says.

mod sample_calendars;
mod sample_figures;
