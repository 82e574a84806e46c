//! Everything that stands between a job and its start, found with the very functions that start it: so the answer of
//! `nightrun why` equals what the run does.

use std::time::Duration;

use jiff::Timestamp;

use super::change::{Missing, cleared};
use super::fact::{RunResult, StopHow, Why};
use super::gate::{self, Resource};
use super::needs::{self, Verdict};
use super::night::Core;
use super::phase::Phase;
use super::placement::{self, Shut};
use super::progress::left_out_today;
use super::received;
use super::rules::Rules;
use super::state::{Drain, Held, Run, Unfit};
use super::window::{Gate, WindowReason};
use crate::definition::site::Kind;
use crate::types::{
    BusinessDate, Condition, EventName, HostName, JobName, JobRef, Label, Now, Outcome, PersonId,
    RunId,
};

/// One thing that stands between a job and its start, or that says that it is past it.
#[derive(Debug, Clone, PartialEq)]
pub enum Obstacle {
    Settled {
        outcome: Outcome,
        why: Why,
        at: Timestamp,
    },
    Starting {
        attempt: u32,
        host: HostName,
    },
    Running {
        attempt: u32,
        since: Timestamp,
    },
    /// What became of it cannot be known; people decide.
    InDoubt {
        why: String,
    },
    /// The run has come to its end; nothing of it moves until somebody asks for it.
    RunOver(RunResult),
    NotAsked,
    NotItsDay {
        reason: String,
    },
    /// A need within the run that is not fulfilled.
    Need {
        job: JobName,
        when: Condition,
        outcome: Option<Outcome>,
        verdict: Verdict,
    },
    /// A need of another run that is not fulfilled.
    Across {
        job: JobRef,
        date: BusinessDate,
        when: Condition,
        outcome: Option<Outcome>,
        verdict: Verdict,
    },
    Held(Held),
    Stopping(StopHow),
    /// `attempt` is the number of the next one; `due` counts from boot.
    RetryWait {
        attempt: u32,
        due: Duration,
    },
    WaitsUntil {
        at: Timestamp,
    },
    WaitsForPerson,
    /// Until then, where it has a limit and has begun to wait.
    WaitsForEvent {
        event: EventName,
        until: Option<Timestamp>,
    },
    Window {
        reason: WindowReason,
        next: Option<Timestamp>,
    },
    /// It is a change, and people owe it something.
    NotCleared(Missing),
    HostAway(HostName),
    /// Its host takes no new attempts.
    HostDraining {
        host: HostName,
        by: PersonId,
        reason: String,
    },
    /// None of several hosts takes it, each for a reason of its own.
    NoHost {
        label: Option<Label>,
        hosts: Vec<(HostName, Shut)>,
    },
    /// `needed` units are not free: `used` of `size` are taken.
    Full {
        resource: Resource,
        size: u32,
        used: u32,
        needed: u32,
    },
}

impl Core {
    /// All that stands between a job and its start, the most decisive first. Empty: the next step starts it (or settles
    /// it, where only its time was waited for), unless a better one takes the last place first.
    pub fn obstacles(&self, run: &RunId, index: usize, now: Now) -> Result<Vec<Obstacle>, Unfit> {
        let run = self.state.run(run)?;
        if let Some(past) = past_its_start(run, index) {
            return Ok(vec![past]);
        }
        let mut found: Vec<Obstacle> = run.result.map(Obstacle::RunOver).into_iter().collect();
        if !run.jobs[index].asked {
            found.push(Obstacle::NotAsked);
        }
        let rules = self.rules_of(run)?;
        if run.jobs[index].phase == Phase::Waiting
            && let Some(reason) = left_out_today(rules, run, index)
        {
            found.push(Obstacle::NotItsDay { reason });
        }
        self.open_needs(run, index, &mut found);
        found.extend(run.jobs[index].held.clone().map(Obstacle::Held));
        found.extend(run.stopping.map(Obstacle::Stopping));
        match &run.job(index).kind {
            Kind::Confirm { .. } => found.push(Obstacle::WaitsForPerson),
            Kind::WaitUntil { time } => {
                let zone = &run.batch.zone;
                let at = super::deadline::first_at_or_after(run.opened.anchor, *time, zone);
                if at > now.wall {
                    found.push(Obstacle::WaitsUntil { at });
                }
            }
            Kind::WaitEvent { event, .. } => {
                let until = received::limit_of(run, index);
                let over = until.is_some_and(|until| until <= now.wall) || run.opened.trial;
                if !over && received::came(&self.state, run, event).is_none() {
                    found.push(Obstacle::WaitsForEvent { event: event.clone(), until });
                }
            }
            _ => self.gates((run, rules), index, now, &mut found)?,
        }
        Ok(found)
    }

    fn open_needs(&self, run: &Run, index: usize, found: &mut Vec<Obstacle>) {
        for (before, when) in run.graph.predecessors(index) {
            let outcome = run.jobs[before].phase.outcome();
            let verdict = needs::verdict(outcome, run.job(before).critical, when);
            if verdict != Verdict::Go {
                let job = run.job(before).name.clone();
                found.push(Obstacle::Need { job, when, outcome, verdict });
            }
        }
        for (job, date, when) in gate::across(run, index) {
            let outcome = self.state.across.get(&(job.clone(), date)).copied().flatten();
            let verdict = needs::verdict(outcome, true, when);
            if verdict != Verdict::Go {
                found.push(Obstacle::Across { job, date, when, outcome, verdict });
            }
        }
    }

    /// Windows and freezes, and of a change whatever its rules want besides.
    fn windows_and_people(
        &self,
        (run, rules): (&Run, &Rules),
        index: usize,
        now: Now,
        found: &mut Vec<Obstacle>,
    ) {
        let lacks = cleared(&self.state, rules, (run, index), now.wall, self.people_assumed);
        match lacks {
            Some(Ok(_)) => {}
            Some(Err(missing)) => found.extend(missing.into_iter().map(|missing| match missing {
                Missing::Window { reason, next } => Obstacle::Window { reason, next },
                other => Obstacle::NotCleared(other),
            })),
            None => {
                let gate = gate::window_gate(&self.state, rules, run, index, now);
                if let Gate::Closed { reason, next } = gate {
                    found.push(Obstacle::Window { reason, next });
                }
            }
        }
    }

    fn gates(
        &self,
        (run, rules): (&Run, &Rules),
        index: usize,
        now: Now,
        found: &mut Vec<Obstacle>,
    ) -> Result<(), Unfit> {
        if let Phase::RetryWait { due, .. } = run.jobs[index].phase
            && due > now.since_boot
        {
            let attempt = run.jobs[index].attempts.len() as u32 + 1;
            found.push(Obstacle::RetryWait { attempt, due });
        }
        self.windows_and_people((run, rules), index, now, found);
        let hosts = placement::hosts(run, index);
        if let [host] = hosts[..] {
            self.one_host(run, index, host, found);
            return Ok(());
        }
        // What is short wherever it would run is of the site, and told once.
        let short = |host: &HostName| {
            let resources = gate::resources(run, index, host);
            let short = self.without_room(run, &resources);
            short.map(|(resource, units)| (resource.clone(), units)).collect::<Vec<_>>()
        };
        let mut everywhere = hosts.first().map(|host| short(host)).unwrap_or_default();
        for host in hosts.iter().skip(1) {
            let there = short(host);
            everywhere.retain(|resource| there.contains(resource));
        }
        let lacks: Vec<Resource> = everywhere.iter().map(|(of, _)| of.clone()).collect();
        found.extend(everywhere.into_iter().map(|(of, units)| self.full(run, of, units)));
        let shut = self.shut(run, index, now, &lacks)?;
        if hosts.is_empty() || !shut.is_empty() {
            let label = placement::label(run, index).cloned();
            found.push(Obstacle::NoHost { label, hosts: shut });
        }
        Ok(())
    }

    fn one_host(&self, run: &Run, index: usize, host: &HostName, found: &mut Vec<Obstacle>) {
        if !self.hosts.contains_key(host) {
            found.push(Obstacle::HostAway(host.clone()));
        }
        if let Some(Drain { by, reason, .. }) = self.state.standing.drains.get(host) {
            let (host, by, reason) = (host.clone(), by.clone(), reason.clone());
            found.push(Obstacle::HostDraining { host, by, reason });
        }
        let resources = gate::resources(run, index, host);
        let short = self.without_room(run, &resources);
        found.extend(short.map(|(resource, units)| self.full(run, resource.clone(), units)));
    }

    fn full(&self, run: &Run, resource: Resource, needed: u32) -> Obstacle {
        let size = gate::size(&self.state, run, &resource);
        Obstacle::Full { size, used: self.used(&resource), resource, needed }
    }
}

fn past_its_start(run: &Run, index: usize) -> Option<Obstacle> {
    let job = &run.jobs[index];
    let last = job.attempts.last();
    match &job.phase {
        Phase::Waiting | Phase::RetryWait { .. } => None,
        Phase::Starting => {
            last.map(|last| Obstacle::Starting { attempt: last.number, host: last.host.clone() })
        }
        Phase::Running => last.map(|last| Obstacle::Running {
            attempt: last.number,
            since: last.started.unwrap_or(last.intended),
        }),
        Phase::InDoubt { why } => Some(Obstacle::InDoubt { why: why.clone() }),
        Phase::Settled { outcome, why, at } => {
            Some(Obstacle::Settled { outcome: *outcome, why: why.clone(), at: *at })
        }
    }
}
