//! Jobs on other hosts, over a real sshd: what is promised for a job of this host holds there too.

pub(crate) mod host;

mod runs;
