//! The hosts that jobs run on, as they stand.

use jiff::Timestamp;
use serde::Serialize;

use super::Who;
use crate::core::gate::Resource;
use crate::core::night::Core;
use crate::core::state::Standing;
use crate::definition::site::{Host, Site, Ssh};
use crate::types::{ClockDifference, HostName, Label, PoolName, Text, Zone};

/// Hosts of the site, by name.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HostsPage {
    pub items: Vec<HostLine>,
    pub now: Timestamp,
    pub zone: Zone,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HostLine {
    pub host: HostName,
    pub title: Option<Text>,
    pub labels: Vec<Label>,
    /// How ssh reaches it, such as `batch@db1.bank.example:2222`; `None`: it is the supervisor's own.
    pub reached_by: Option<String>,
    pub link: Link,
    /// Its clock beside that of the supervisor's host, as it was compared last.
    pub clock: Option<ClockDifference>,
    /// Whether runs with a set clock may use it.
    pub trial: bool,
    /// `None`: it takes new attempts.
    pub draining: Option<Draining>,
    /// Places that are taken; a wait takes none.
    pub running: u32,
    pub max_running: u32,
    /// Its own; those of the site are not here.
    pub pools: Vec<HostPool>,
}

/// Whether its agent can be reached.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Link {
    /// `boot`: as the kernel of the host names it.
    Up {
        since: Option<Timestamp>,
        boot: String,
    },
    Away {
        since: Timestamp,
    },
    /// Nobody has sought it: no supervisor is at work, or nothing runs there.
    NotSought,
}

/// It takes no new attempts.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Draining {
    pub by: Who,
    pub reason: String,
    pub since: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct HostPool {
    pub pool: PoolName,
    pub used: u32,
    pub size: u32,
}

/// `core`: of whoever supervises; `None`: nobody does.
pub fn page(
    site: &Site,
    (standing, core): (&Standing, Option<&Core>),
    now: Timestamp,
) -> HostsPage {
    let line = |(name, host): (&HostName, &Host)| {
        let used = |resource: Resource| core.map_or(0, |core| core.used(&resource));
        let drain = standing.drains.get(name);
        HostLine {
            host: name.clone(),
            title: host.title.clone(),
            labels: host.labels.iter().cloned().collect(),
            reached_by: host.ssh.as_ref().map(reached_by),
            link: core.map_or(Link::NotSought, |core| link(core, name)),
            clock: None,
            trial: host.trial,
            draining: drain.map(|drain| Draining {
                by: Who::of(site, &drain.by),
                reason: drain.reason.clone(),
                since: drain.at,
            }),
            running: used(Resource::Host(name.clone())),
            max_running: host.max_running,
            pools: host
                .pools
                .iter()
                .map(|(pool, size)| HostPool {
                    pool: pool.clone(),
                    used: used(Resource::HostPool(name.clone(), pool.clone())),
                    size: *size,
                })
                .collect(),
        }
    };
    HostsPage { items: site.hosts.iter().map(line).collect(), now, zone: site.zone.clone() }
}

fn link(core: &Core, host: &HostName) -> Link {
    let since = core.link_since(host);
    match (core.boot_of(host), since) {
        (Some(boot), since) => Link::Up { since, boot: boot.0.clone() },
        (None, Some(since)) => Link::Away { since },
        (None, None) => Link::NotSought,
    }
}

fn reached_by(ssh: &Ssh) -> String {
    let user = ssh.user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
    let port = ssh.port.map(|port| format!(":{port}")).unwrap_or_default();
    format!("{user}{}{port}", ssh.address)
}
