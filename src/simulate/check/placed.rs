//! On which host a job may run, and which of several it is: read from its definition once more.

use std::collections::BTreeSet;

use super::{Violation, Witness};
use crate::core::fact::Fact;
use crate::core::state::Run;
use crate::definition::site::{Choose, Placement};
use crate::types::{AttemptId, HostName, Label};

/// Hosts that a job may run on, by name, with the label that they have in common.
pub(super) fn hosts(run: &Run, index: usize) -> (Vec<&HostName>, Option<(&Label, Choose)>) {
    match &run.job(index).host {
        Placement::On(host) => (vec![host], None),
        Placement::Among { label, choose } => {
            let has = run.site.hosts.iter().filter(|(_, host)| host.labels.contains(label));
            let may = has.filter(|(_, host)| host.trial || !run.opened.trial);
            (may.map(|(name, _)| name).collect(), Some((label, *choose)))
        }
        Placement::SameAs { job } => {
            let Some(other) = run.index(job) else { return (Vec::new(), None) };
            match run.jobs[other].attempts.last() {
                Some(last) => (vec![&last.host], None),
                None => hosts(run, other),
            }
        }
    }
}

impl Witness {
    /// An attempt is on a host that it may be on, and that takes new ones.
    pub(super) fn placed(&self, attempt: &AttemptId, host: &HostName) -> Result<(), Violation> {
        let no = |why: String| Err(Violation::Started(attempt.clone(), why));
        let run = self.state.run(&attempt.run)?;
        let Some(index) = run.index(&attempt.job) else { return no("it is no job".to_owned()) };
        if self.state.standing.drains.contains_key(host) {
            return no(format!("{host} is drained"));
        }
        match hosts(run, index).0.contains(&host) {
            true => Ok(()),
            false => no(format!("it may not run on {host}")),
        }
    }

    /// Whether a start on a host takes a place there that another host should have given.
    pub(super) fn rightly_chosen(
        &mut self,
        at: jiff::Timestamp,
        (attempt, host): (&AttemptId, &HostName),
        reached: &BTreeSet<HostName>,
    ) -> Result<(), Violation> {
        let run = self.state.run(&attempt.run)?;
        let Some(index) = run.index(&attempt.job) else { return Ok(()) };
        let (all, among) = hosts(run, index);
        let Some((label, choose)) = among else { return Ok(()) };
        let used = self.in_use();
        let places = |host: &HostName| {
            let used = used.get(&crate::core::gate::Resource::Host(host.clone())).copied();
            (u64::from(used.unwrap_or(0)), u64::from(run.site.hosts[host].max_running))
        };
        let ranks: Vec<(HostName, (u64, u64))> =
            all.into_iter().map(|host| (host.clone(), places(host))).collect();
        let last = self.chosen.get(label).cloned();
        let (own, most) = places(host);
        let before = |(other, (used, of)): &(HostName, (u64, u64))| match choose {
            Choose::LeastBusy => {
                (used * most).cmp(&(own * of)).then(other.cmp(host)) == std::cmp::Ordering::Less
            }
            // After the last one first, then from the beginning.
            Choose::RoundRobin => {
                let turn =
                    |host: &HostName| (last.as_ref().is_some_and(|l| host <= l), host.clone());
                turn(other) < turn(host)
            }
        };
        let better: Vec<HostName> =
            ranks.into_iter().filter(before).map(|(host, _)| host).collect();
        for other in better.into_iter().filter(|other| reached.contains(other)) {
            let run = self.state.run(&attempt.run)?;
            let room = self.without_room((run, index, &other), &used).is_none();
            if room
                && self.placed(attempt, &other).is_ok()
                && self.startable(at, attempt, &other, true).is_ok()
            {
                let why = format!("{other} was to take it before {host}");
                return Err(Violation::Started(attempt.clone(), why));
            }
        }
        Ok(())
    }

    pub(super) fn note_choice(&mut self, fact: &Fact) -> Result<(), Violation> {
        let Fact::AttemptIntended { attempt, host, .. } = fact else { return Ok(()) };
        let run = self.state.run(&attempt.run)?;
        let among = run.index(&attempt.job).and_then(|index| hosts(run, index).1);
        let label = among.map(|(label, _)| label.clone());
        self.chosen.extend(label.map(|label| (label, host.clone())));
        Ok(())
    }
}
