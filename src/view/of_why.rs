//! From what stands between a job and its start to the answer of `nightrun why`.

use std::time::Duration;

use jiff::Timestamp;

use super::Who;
use super::of_job::{Around, blocked_by, word};
use super::why::{Awaited, NotItsDay, Reason, ShutHost, ShutWhy, WhyView, WindowWhy};
use crate::core::fact::{RunResult, Why};
use crate::core::gate::{self, Resource};
use crate::core::needs::Verdict;
use crate::core::night::Core;
use crate::core::obstacle::Obstacle;
use crate::core::placement::Shut;
use crate::core::state::{Run, Unfit};
use crate::core::window::WindowReason;
use crate::definition::site::Kind;
use crate::types::{
    BusinessDate, Condition, HostName, JobName, JobRef, Now, Outcome, PoolName, RunId, Span, Text,
    WindowClass,
};

/// Why a job of a known run did not start (yet). `None`: the run has no such job.
pub fn why(
    core: &Core,
    run: &RunId,
    job: &JobName,
    now: Now,
    around: Around<'_>,
) -> Result<Option<WhyView>, Unfit> {
    let run = core.state().run(run)?;
    let Some(index) = run.index(job) else { return Ok(None) };
    Ok(Some(WhyView {
        job: JobRef { batch: run.batch.id.clone(), job: job.clone() },
        title: run.job(index).title.clone(),
        business_date: run.opened.business_date,
        run: Some(run.id().clone()),
        now: now.wall,
        zone: run.batch.zone.clone(),
        reasons: reasons(core, run, index, now, around)?,
    }))
}

/// All that holds at the same time, the most decisive first.
pub fn reasons(
    core: &Core,
    run: &Run,
    index: usize,
    now: Now,
    around: Around<'_>,
) -> Result<Vec<Reason>, Unfit> {
    let obstacles = core.obstacles(run.id(), index, now)?;
    let to = Asked { core, run, index, now, around };
    let mut found = to.needs(&obstacles);
    for reason in obstacles.iter().filter_map(|obstacle| to.reason(obstacle)) {
        // A stopped run is stopped twice over, by its end and by the order to stop.
        if !found.contains(&reason) {
            found.push(reason);
        }
    }
    if found.contains(&Reason::Stopping) {
        // Neither an agent nor a time matters until somebody goes on with it.
        found.retain(|reason| {
            !matches!(
                reason,
                Reason::HostAway { .. } | Reason::NoHost { .. } | Reason::RetryAt { .. }
            )
        });
    }
    if found.is_empty() {
        found.push(Reason::Ready);
    }
    Ok(found)
}

/// The wall time at which a time since boot comes, as far as the clocks run on as they do.
pub(super) fn wall(now: Now, due: Duration) -> Timestamp {
    now.wall.checked_add(due.saturating_sub(now.since_boot)).unwrap_or(Timestamp::MAX)
}

pub(super) fn not_its_day(run: &Run, index: usize, reason: &str) -> NotItsDay {
    NotItsDay {
        date: run.opened.business_date.0,
        rule: run.job(index).days.clone(),
        reason: reason.to_owned(),
    }
}

struct Asked<'a> {
    core: &'a Core,
    run: &'a Run,
    index: usize,
    now: Now,
    around: Around<'a>,
}

impl Asked<'_> {
    /// Needs within the run, told together.
    fn needs(&self, obstacles: &[Obstacle]) -> Vec<Reason> {
        let mut awaited = Vec::new();
        let mut reasons = Vec::new();
        let mut blocked = false;
        for obstacle in obstacles {
            let Obstacle::Need { job, when, outcome, verdict } = obstacle else { continue };
            match (verdict, outcome) {
                (Verdict::Blocked, _) => blocked = true,
                (Verdict::LeftOut, Some(outcome)) => reasons.push(Reason::NeedNotMet {
                    job: job.to_string(),
                    when: *when,
                    outcome: *outcome,
                }),
                _ => awaited.extend(self.awaited(job, *when)),
            }
        }
        if blocked {
            reasons.insert(0, Reason::Blocked { by: blocked_by(self.run, self.index) });
        }
        if !awaited.is_empty() {
            reasons.push(Reason::WaitsFor { jobs: awaited });
        }
        reasons
    }

    fn awaited(&self, job: &JobName, when: Condition) -> Option<Awaited> {
        let index = self.run.index(job)?;
        let ahead = self.around.ahead.and_then(|ahead| ahead.jobs.get(index));
        Some(Awaited {
            job: job.clone(),
            state: word(self.run, index),
            when,
            expected_end: ahead.and_then(|ahead| ahead.end),
        })
    }

    fn reason(&self, obstacle: &Obstacle) -> Option<Reason> {
        Some(match obstacle {
            Obstacle::Need { .. } => return None,
            Obstacle::RunOver(RunResult::Stopped) | Obstacle::Stopping(_) => Reason::Stopping,
            // What it ended with stands in the needs.
            Obstacle::RunOver(_) => return None,
            Obstacle::Settled { outcome, why, at } => self.settled(*outcome, why, *at),
            Obstacle::Starting { attempt, host } => {
                Reason::Starting { attempt: *attempt, host: host.clone() }
            }
            Obstacle::Running { attempt, since } => {
                let ahead = self.around.ahead.and_then(|ahead| ahead.jobs.get(self.index));
                let expected_end = ahead.and_then(|ahead| ahead.end);
                Reason::Running { attempt: *attempt, since: *since, expected_end }
            }
            Obstacle::InDoubt { why } => Reason::Unknown { why: why.clone() },
            Obstacle::NotAsked => Reason::NotAsked,
            Obstacle::NotItsDay { reason } => {
                Reason::NotItsDay(not_its_day(self.run, self.index, reason))
            }
            Obstacle::Across { job, date, when, outcome, .. } => {
                across(job, *date, *when, *outcome)
            }
            Obstacle::Held(held) => {
                Reason::Held { by: Who::of(&self.run.site, &held.by), reason: held.reason.clone() }
            }
            Obstacle::RetryWait { attempt, due } => {
                Reason::RetryAt { attempt: *attempt, at: wall(self.now, *due) }
            }
            Obstacle::WaitsUntil { at } => Reason::WaitsUntil { at: *at },
            Obstacle::WaitsForPerson => return self.person(),
            Obstacle::WaitsForEvent { event, until } => {
                Reason::WaitsForEvent { event: event.clone(), until: *until }
            }
            Obstacle::Window { reason, next } => self.window(reason, *next),
            Obstacle::NotCleared(missing) => {
                Reason::NotCleared { rule: missing.rule(), missing: missing.clone() }
            }
            Obstacle::HostAway(host) => Reason::HostAway {
                host: host.clone(),
                why: "its agent cannot be reached".to_owned(),
            },
            Obstacle::HostDraining { host, by, reason } => Reason::HostDraining {
                host: host.clone(),
                by: Who::of(&self.run.site, by),
                reason: reason.clone(),
            },
            Obstacle::NoHost { label, hosts } => {
                Reason::NoHost { label: label.clone(), hosts: hosts.iter().map(shut).collect() }
            }
            Obstacle::Full { resource, size, .. } => return self.full(resource, *size),
        })
    }

    fn settled(&self, outcome: Outcome, why: &Why, at: Timestamp) -> Reason {
        match (outcome, why) {
            (Outcome::Blocked, Why::Need { job, when, outcome }) => {
                let by = blocked_by(self.run, self.index);
                if by.is_empty() {
                    // A job of another run.
                    Reason::NeedNotMet { job: job.clone(), when: *when, outcome: *outcome }
                } else {
                    Reason::Blocked { by }
                }
            }
            (_, Why::NotItsDay { reason }) => {
                Reason::NotItsDay(not_its_day(self.run, self.index, reason))
            }
            (_, Why::NotAsked) => Reason::NotAsked,
            (_, Why::Need { job, when, outcome }) => {
                Reason::NeedNotMet { job: job.clone(), when: *when, outcome: *outcome }
            }
            _ => Reason::Done { outcome, at },
        }
    }

    fn person(&self) -> Option<Reason> {
        match &self.run.job(self.index).kind {
            Kind::Confirm { question, role } => {
                Some(Reason::WaitsForPerson { question: question.clone(), role: role.clone() })
            }
            _ => None,
        }
    }

    fn window(&self, reason: &WindowReason, next: Option<Timestamp>) -> Reason {
        let first = gate::windows(self.run, self.index).into_iter().next().cloned();
        let (class, why) = match reason {
            WindowReason::Frozen { reason, until, by } => {
                let by = by.as_ref().map(|by| Who::of(&self.run.site, by));
                return Reason::Frozen { reason: reason.clone(), until: *until, by };
            }
            WindowReason::NotOpen { class } | WindowReason::NoSuchWindow { class } => {
                (Some(class.clone()), WindowWhy::Closed)
            }
            WindowReason::CalendarUnknown { class, .. } => {
                (Some(class.clone()), self.calendar_unknown(class))
            }
            WindowReason::DoesNotFit { needs, left } => {
                let closes = self.now.wall.checked_add(*left).unwrap_or(Timestamp::MAX);
                (first, WindowWhy::DoesNotFit { needs: Span::of(*needs), closes })
            }
        };
        let Some(class) = class else { return self.freeze_ahead(next) };
        let window = self.run.site.windows.get(&class);
        let title = window.map_or_else(|| Text::en(class.as_str()), |window| window.title.clone());
        Reason::Window { class, title, why, next }
    }

    /// It belongs to no window and does not fit: only the next freeze can be what it does not fit before.
    fn freeze_ahead(&self, next: Option<Timestamp>) -> Reason {
        let declared = self.run.site.freezes.iter().map(|freeze| (freeze, None));
        let ordered = self.core.state().standing.freezes.values();
        let ordered = ordered.map(|ordered| (&ordered.what, Some(&ordered.by)));
        let nearest = declared
            .chain(ordered)
            .filter(|(freeze, _)| {
                freeze.from > self.now.wall && next.is_none_or(|n| freeze.to <= n)
            })
            .min_by_key(|(freeze, _)| freeze.from);
        match nearest {
            Some((freeze, by)) => Reason::Frozen {
                reason: freeze.reason.clone(),
                until: freeze.to,
                by: by.map(|by| Who::of(&self.run.site, by)),
            },
            None => Reason::Ready,
        }
    }

    fn calendar_unknown(&self, class: &WindowClass) -> WindowWhy {
        let site = &self.run.site;
        let openings = site.windows.get(class).map(|window| window.open.as_slice());
        let last = openings
            .unwrap_or_default()
            .iter()
            .filter_map(|opening| opening.days.calendar.as_ref().or(site.calendar.as_ref()))
            .filter_map(|calendar| site.calendars.get(calendar))
            .map(|calendar| calendar.last)
            .min();
        last.map_or(WindowWhy::Closed, |last| WindowWhy::CalendarUnknown { last })
    }

    fn full(&self, resource: &Resource, size: u32) -> Option<Reason> {
        let pool = match resource {
            Resource::Host(host) => {
                return Some(Reason::HostFull { host: host.clone(), max_running: size });
            }
            Resource::Pool(pool) | Resource::HostPool(_, pool) => pool.clone(),
            // A target's connections are a pool of its own name.
            Resource::Target(target) => PoolName::new(target.as_str()).ok()?,
        };
        let holders = gate::holders(self.core.state(), resource).into_iter();
        let in_use_by = holders.map(|(run, job)| JobRef { batch: run.batch, job }).collect();
        Some(Reason::Pool { pool, size, in_use_by })
    }
}

fn shut((host, why): &(HostName, Shut)) -> ShutHost {
    let why = match why {
        Shut::Away => ShutWhy::Away,
        Shut::Draining => ShutWhy::Draining,
        Shut::Full => ShutWhy::Full,
        Shut::Pool(pool) => ShutWhy::Pool { pool: pool.clone() },
        Shut::Closed => ShutWhy::Frozen,
    };
    ShutHost { host: host.clone(), why }
}

fn across(job: &JobRef, date: BusinessDate, when: Condition, outcome: Option<Outcome>) -> Reason {
    Reason::Across { job: job.clone(), date, outcome, when }
}
