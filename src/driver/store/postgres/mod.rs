//! The state store on PostgreSQL: one database for a site, one supervisor that leads by a lease, any number of readers.
//!
//! What is asked and what is kept are the same as on SQLite; this is how it is reached, how a commit becomes one
//! statement, and who may make it. Nothing here waits for ever: a database that does not answer is trouble, the
//! connection is thrown away, and what was asked may be asked again.

mod address;
mod arrival;
mod commit;
mod departure;
mod keeper;
mod lease;
mod open;
mod session;
mod trouble;

pub use address::{NoAddress, PostgresAddress};
pub(super) use arrival::Arrival;
pub(super) use departure::depart;
pub use lease::{Lease, LeaseTimes, Taken};
pub use open::{PostgresReader, PostgresStore};

pub(super) fn reading(why: sqlx::Error) -> crate::port::StoreError {
    trouble::trouble("reading")(why)
}
