//! Layer 2: the pure core. Everything is decided here, from plain values and a given time.

pub mod fact;
