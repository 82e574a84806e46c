//! The supervisor's side of the links to the agents of hosts.

mod bridge;
mod link;
mod local;
mod ssh;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use self::link::{Link, Way};
use self::local::LocalAgent;
use self::ssh::SshAgent;
use super::ssh::SshWay;
use crate::definition::site::Host;
use crate::port::{AgentEvent, AgentLink};
use crate::types::{Epoch, HostName};
use crate::wire::ToAgent;

pub use bridge::bridge;
pub use local::AgentStart;

/// How long the last words may take.
const CLOSES: Duration = Duration::from_secs(1);

/// The agents of all hosts. Dropping it ends the links, not the agents.
pub struct AgentLinks {
    epoch: Epoch,
    events: UnboundedSender<AgentEvent>,
    links: BTreeMap<HostName, Held>,
}

struct Held {
    /// How it is reached; `None`: it is this host.
    declared: Option<Host>,
    words: UnboundedSender<ToAgent>,
    link: JoinHandle<()>,
}

impl AgentLinks {
    /// Begins the link to this host's agent, which keeps all in `dir`, made where it is not there; to be called within a
    /// tokio runtime. An agent of another release, or whose program was replaced, is told to go on as the program of now.
    /// Everything that is heard goes to `events`, the links' own ups and downs too: see [`AgentEvent`].
    pub fn new(
        host: HostName,
        dir: PathBuf,
        start: AgentStart,
        epoch: Epoch,
        events: UnboundedSender<AgentEvent>,
    ) -> Self {
        let mut links = Self { epoch, events, links: BTreeMap::new() };
        links.begin(host, None, Way::Here(LocalAgent::new(dir, start)));
        links
    }

    fn begin(&mut self, host: HostName, declared: Option<Host>, way: Way) {
        let (words, said) = unbounded_channel();
        let link = Link::new(host.clone(), way, self.epoch, self.events.clone(), said);
        let link = tokio::spawn(link.keep_up());
        self.links.insert(host, Held { declared, words, link });
    }
}

impl AgentLink for AgentLinks {
    fn know(&mut self, hosts: &BTreeMap<HostName, Host>) {
        let ways: Vec<(HostName, Host, SshWay)> = hosts
            .iter()
            .filter_map(|(name, host)| Some((name.clone(), host.clone(), SshWay::to(host)?)))
            .collect();
        let stays = |name: &HostName, held: &Held| {
            held.declared.as_ref().is_none_or(|declared| {
                hosts.get(name).is_some_and(|host| {
                    (&host.ssh, &host.folder) == (&declared.ssh, &declared.folder)
                })
            })
        };
        let gone: Vec<HostName> = self
            .links
            .iter()
            .filter(|(name, held)| !stays(name, held))
            .map(|(name, _)| name.clone())
            .collect();
        for host in gone {
            if let Some(held) = self.links.remove(&host) {
                // Nothing that it still hears is taken for news of the next one.
                held.link.abort();
            }
            let why =
                "it is reached in another way from now on, or is declared no longer".to_owned();
            // Nobody listens any more where the supervisor has left.
            let _ = self.events.send(AgentEvent::Away { host, why });
        }
        for (name, host, way) in ways {
            if !self.links.contains_key(&name) {
                let agent = SshAgent::new(name.clone(), way);
                self.begin(name, Some(host), Way::There(agent));
            }
        }
    }

    fn tell(&mut self, host: &HostName, what: ToAgent) {
        if let Some(held) = self.links.get(host) {
            // Its receiver lives as long as this sender.
            let _ = held.words.send(what);
        }
    }

    async fn close(self) {
        let until = tokio::time::Instant::now() + CLOSES;
        for (_, held) in self.links {
            drop(held.words);
            // What cannot be passed on is asked for by the next supervisor.
            let _ = tokio::time::timeout_at(until, held.link).await;
        }
    }
}
