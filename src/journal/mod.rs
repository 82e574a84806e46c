//! Layer 3: the stored forms. What is kept of every decision and observation, how entries are chained so that a
//! change of any of them shows, and the rows that make history quick to ask.
//!
//! Pure: `driver::store` writes what is made here, and reads back what is checked here.

mod blob;
mod chain;
mod credentials;
mod entry;
mod lost;
mod outbox;
mod proof;
mod rows;
#[cfg(test)]
mod specimens;

pub use blob::{address, hex};
pub use chain::{Broken, Chain, Head, Sealed, verify};
pub use credentials::{PasswordRow, Secret, TokenMade, TokenRow, kept};
pub use entry::{Entry, NotSealed, Undecodable, VERSION};
pub use lost::lost_rows;
pub use outbox::{OutgoingMail, WebhookPost};
pub use proof::{Proof, Proven};
pub use rows::{Row, RunRow, StartsMissed, rows};
