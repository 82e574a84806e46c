//! Layer 5: the outside world. Drivers carry out; they do not decide.

pub mod files;
