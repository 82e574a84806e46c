//! Layer 1: SQL scripts as text. Pure: a lexer, a splitter, what a statement is, what is wrong
//! with a script, and what it does whatever its values are.
//!
//! Nothing here asks a database, so `check` can say before the night what the worker would refuse during it.

pub mod backup;
pub mod class;
mod directive;
pub mod done_when;
pub mod expect;
pub mod fingerprint;
pub mod ink;
pub mod kept;
pub mod lexer;
pub mod lint;
pub mod splitter;
mod verify;
mod words;

pub use class::{Class, Facts};
pub use expect::Expect;
pub use fingerprint::{Fingerprint, fingerprint};
pub use lexer::Dialect;
pub use splitter::{Script, Statement, split};
