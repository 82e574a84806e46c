//! Jobs on other hosts, over a real sshd: what is promised for a job of this host holds there too.

pub(crate) mod host;

#[cfg(feature = "faults")]
mod losses;
mod runs;
mod set_up;
