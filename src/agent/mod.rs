//! Layer 5: what runs on a host.

pub mod worker;
