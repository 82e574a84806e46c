//! Layer 1: SQL scripts as text. Pure: a lexer, a splitter, what a statement is, and what is wrong with a script.
//!
//! Nothing here asks a database, so `check` can say before the night what the worker would refuse during it.

pub mod class;
pub mod expect;
pub mod lexer;
pub mod lint;
pub mod splitter;
mod verify;

pub use class::{Class, Facts};
pub use expect::Expect;
pub use lexer::Dialect;
pub use splitter::{Script, Statement, split};
