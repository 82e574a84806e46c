//! The life of a database change: who may do what with it, and whether it may start. Pure, over a [`Desk`] with the site,
//! its rules and what was done so far.
//!
//! [`life`] folds the steps, [`take`] turns what a person wants into a step or a refusal, [`clearance`] says whether the
//! change may start, [`checklist`] what people confirm before that and after it, [`docket`] whose turn it is.

mod approvals;
mod checklist;
mod clearance;
mod closing;
mod decide;
mod desk;
mod docket;
pub(in crate::core) mod examine;
mod in_git;
mod intake;
mod life;
pub mod list;
mod marks;
mod missing;
mod moved;
pub(super) mod overdue;
mod request;
mod signoff;
mod start;
mod step;
mod take;
mod weekly;

pub use approvals::Crew;
pub use checklist::{ACCEPTANCE, LATE};
pub use clearance::{Cleared, Listed, Start};
pub use closing::Overdue;
pub use desk::Desk;
pub use docket::{Awaits, Docket, Offer, Turn};
pub use life::{ChangeLife, Lives, Stage, Taken};
pub use list::{JournalHead, LeftOffList, ListedChange, SealedList};
pub use marks::MARKS;
pub(in crate::core) use marks::marks;
pub use missing::{Missing, MissingLine};
pub use moved::ChangeOrder;
pub(super) use moved::{doubt_allows, executed};
pub use signoff::{Dropped, NextTime, Signature, Signs};
pub(super) use start::{cleared, cleared_on, closes, may_man, rehearses, subject};
pub use step::{Began, ChangeRequest, ChangeStep, Declared, Executed, InGit, WindowDecision};
pub use take::{HalfDone, Wish, without_folder};
pub use weekly::{WeeklyNotice, WeeklyTold, WeeklyWhat};

#[cfg(test)]
mod tests;
