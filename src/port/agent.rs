//! The agent of a host.

use std::collections::BTreeMap;

use crate::definition::site::Host;
use crate::types::{ClockDifference, HostName};
use crate::wire::{FromAgent, ToAgent};

/// What an agent reports, or what happens to the link to it.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// The link is up; the first word on it was a `Welcome`.
    Says { host: HostName, what: FromAgent },
    /// The link is down; the driver goes on trying, and says `Welcome` again when it is back.
    Away { host: HostName, why: String },
    /// The clock of another host was compared with this one's.
    Clock { host: HostName, difference: ClockDifference },
}

pub trait AgentLink {
    /// Keeps a link to each host that is reached over ssh, and to no other; that to this host is there by itself.
    fn know(&mut self, hosts: &BTreeMap<HostName, Host>);

    /// Passes a command on. While the link is away it is dropped: what was meant is durable, and is asked for and
    /// said again after the next `Welcome`.
    fn tell(&mut self, host: &HostName, what: ToAgent);

    /// Ends the link when all that was told has been passed on, or cannot be within a second.
    fn close(self) -> impl Future<Output = ()> + Send;
}
