//! Layer 1: files → raw → resolved site. All defects at once, each with its file, line, column and a hint.

pub mod copy;
pub mod site;
pub mod words;
