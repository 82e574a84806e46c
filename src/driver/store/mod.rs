//! The state store on SQLite: one file `nightrun.db` in the state folder, one writer, any number of readers.
//!
//! WAL with `synchronous=FULL`: a commit that was answered survives a power cut. A file that cannot be trusted is
//! refused and left as it is.

mod batch;
mod blob;
mod commit;
mod fence;
mod file;
mod history;
mod lock;
#[cfg(feature = "faults")]
mod midway;
mod migrate;
mod open;
mod outbox;
pub mod postgres;
mod read;
mod statement;
mod text;
mod trouble;

pub use open::{FILE, SqliteReader, SqliteStore};
