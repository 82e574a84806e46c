//! The state store: on SQLite, or in a PostgreSQL database that several supervisors share ([`postgres`]).
//!
//! What is asked is SQL that both understand (`statement.rs`, `read.rs`); how a commit is made and who may make it is each
//! database's own. [`StateStore`] is either.
//!
//! On SQLite it is one file `nightrun.db` in the state folder, one writer, any number of readers. WAL with `synchronous=FULL`: a commit that was answered survives a power cut. A file that cannot be trusted is
//! refused and left as it is.

mod backup;
mod batch;
mod blob;
mod commit;
mod copy;
mod credentials;
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
mod state;
mod statement;
mod still;
pub(super) mod text;
mod trouble;

pub use backup::{LastBackup, Manifest, backup, check_backup, last_backup, remember, restore};
pub use copy::{Copied, copy};
pub use open::{FILE, SqliteReader, SqliteStore};
pub use state::{StateReader, StateStore, StoreAddress};
