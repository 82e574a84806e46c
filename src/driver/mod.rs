//! Layer 5: the outside world, each part behind a trait of `port`.

pub mod clock;
pub mod mail;
pub mod store;
