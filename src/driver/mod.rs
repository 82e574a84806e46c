//! Layer 5: the outside world, each part behind a trait of `port`.

pub mod account;
pub mod clock;
pub mod control;
pub mod files;
pub mod folders;
pub mod mail;
pub mod store;
