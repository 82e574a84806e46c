//! What the made-up operators do: at random while faults last, and afterwards whatever lets the night come to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::dice::Dice;
use super::made_site::{self, EVENTS};
use super::responder;
use crate::core::fact::{Action, Deadline as DeadlineOf, Why};
use crate::core::gate;
use crate::core::hand_over::HandOverOrder;
use crate::core::incident::IncidentOrder;
use crate::core::needs::Verdict;
use crate::core::night::{Core, Event};
use crate::core::obstacle::Obstacle;
use crate::core::phase::Phase;
use crate::core::received::Received;
use crate::core::select::{Deed, Which};
use crate::core::state::{Run, State, Unfit};
use crate::definition::site::{Freeze, FreezeScope, Kind, Site, TwoPeople};
use crate::types::{
    BusinessDate, EventKey, EventName, FreezeId, HostName, InvalidName, JobName, JobRef, Now,
    Outcome, PersonId, PoolName, RequestId, RunId, Text,
};

/// Something that somebody asks for.
pub(super) enum Asked {
    Act(RunId, Action),
    All(RunId, Which, Deed),
    Freeze(Freeze),
    Unfreeze(FreezeId),
    Pool(PoolName, u32, Timestamp),
    Drain(HostName, bool),
    Second(RequestId),
    Event(Received),
    Incident(IncidentOrder),
    HandOver(HandOverOrder),
}

impl Asked {
    pub(super) fn by(self, by: PersonId, site: &Site) -> Event {
        let reason = "made up".to_owned();
        match self {
            Self::Act(run, action) => Event::Act { run, by, reason, action },
            Self::All(run, which, deed) => Event::ActOn { run, by, reason, which, deed },
            Self::Freeze(what) => {
                let two_lift = site.takes_two(TwoPeople::Unfreeze);
                Event::Freeze { by, what: Box::new(what), two_lift }
            }
            Self::Unfreeze(freeze) => Event::Unfreeze { freeze, by, reason },
            Self::Pool(pool, size, until) => Event::SizePool { pool, size, until, by, reason },
            Self::Drain(host, drain) => Event::Drain { host, drain, by, reason },
            Self::Event(received) => Event::Receive(Box::new(Received { by, ..received })),
            Self::Incident(order) => responder::event(by, order),
            Self::HandOver(order) => Event::HandOver { by, reason, order: Box::new(order) },
            Self::Second(request) => {
                let known = site.people.contains_key(&by);
                Event::Second { request, by, known, reason }
            }
        }
    }
}

/// Any action on any job: the core refuses what its rules do not allow.
pub(super) fn anything(
    dice: &mut Dice,
    state: &State,
    site: &Site,
    now: Timestamp,
) -> Option<Asked> {
    let limits = site.escalation.as_ref().is_some_and(|declared| !declared.clocks.is_empty());
    if limits && dice.percent(10) {
        return responder::any_hand_over(dice, state).map(Asked::HandOver);
    }
    if limits && dice.percent(30) {
        return responder::anything(dice, state, now).map(Asked::Incident);
    }
    if dice.percent(20) {
        return for_the_site(dice, state, site, now);
    }
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let index = dice.of(0..(run.jobs.len() as u64).max(1)) as usize;
    let job = run.batch.jobs.get(index)?.name.clone();
    let action = match dice.of(0..18) {
        0 | 1 => Action::Hold { job },
        2 => Action::Release { job },
        3 => Action::Skip { job },
        4 => Action::Force { job },
        5 | 6 => Action::Retry { job },
        7 => Action::Kill { job },
        8 | 9 => Action::Confirm { job },
        10 | 11 => Action::Priority { job, priority: dice.of(0..7) as i32 - 3 },
        12 | 13 => {
            let job = Some(job).filter(|_| dice.percent(60));
            let ways = [DeadlineOf::MustStartBy, DeadlineOf::MustCompleteBy];
            let deadline = *dice.pick(&ways)?;
            let (hour, minute) = (dice.of(0..24) as i8, dice.of(0..60) as i8);
            let to = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
            Action::Deadline { job, deadline, from: None, to }
        }
        14 | 15 => {
            let deeds = [Deed::Hold, Deed::Release, Deed::Retry, Deed::Skip, Deed::Rerun];
            let which = match dice.of(0..3) {
                0 => Which::Subtree(job),
                1 => Which::Like(format!("*{}", job.as_str().chars().next_back()?)),
                _ => Which::Like("*".to_owned()),
            };
            return Some(Asked::All(run.id().clone(), which, dice.pick(&deeds)?.clone()));
        }
        16 if dice.percent(20) => Action::Cancel,
        _ => Action::Note { job: Some(job).filter(|_| dice.percent(80)), text: "seen".to_owned() },
    };
    Some(Asked::Act(run.id().clone(), action))
}

/// What goes beyond one run.
fn for_the_site(dice: &mut Dice, state: &State, site: &Site, now: Timestamp) -> Option<Asked> {
    // In sites of two hosts the dice fall as before.
    if site.hosts.len() > 2 && dice.percent(40) {
        let host = (*dice.pick(&site.hosts.keys().collect::<Vec<_>>())?).clone();
        let drained = state.standing.drains.contains_key(&host);
        // Now and then what is so already.
        return Some(Asked::Drain(host, drained == dice.percent(10)));
    }
    let later = |minutes: u64| now.checked_add(Duration::from_secs(60 * minutes)).ok();
    Some(match dice.of(0..11) {
        8.. => Asked::Event(event(dice, state)?),
        0 | 1 => {
            let from = later(dice.of(0..30))?;
            let to = from.checked_add(Duration::from_secs(60 * dice.of(0..90))).ok()?;
            let mut scope = FreezeScope::default();
            match dice.of(0..3) {
                0 => {}
                1 => scope.batches.extend(site.batches.keys().next().cloned()),
                // The first one, or in sites of more any.
                _ if site.hosts.len() > 2 => {
                    scope.hosts.extend(
                        dice.pick(&site.hosts.keys().collect::<Vec<_>>()).copied().cloned(),
                    );
                }
                _ => scope.hosts.extend(site.hosts.keys().next().cloned()),
            }
            Asked::Freeze(Freeze { reason: Text::en("Wait"), from, to, scope })
        }
        2 | 3 => Asked::Unfreeze(**dice.pick(&state.standing.freezes.keys().collect::<Vec<_>>())?),
        4 | 5 => {
            let pool = (*dice.pick(&site.pools.keys().collect::<Vec<_>>())?).clone();
            Asked::Pool(pool, dice.of(0..7) as u32, later(dice.of(0..120))?)
        }
        _ => Asked::Second(**dice.pick(&state.standing.requests.keys().collect::<Vec<_>>())?),
    })
}

/// An event of a date of some run, the day before or the day after: early, in time, for nothing, or told twice, and with
/// a key that was given to another one.
fn event(dice: &mut Dice, state: &State) -> Option<Received> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let date = dice.pick(&runs)?.opened.business_date.0;
    let days = dice.of(0..3) as i64 - 1;
    let date = BusinessDate(date.checked_add(jiff::Span::new().days(days)).ok()?);
    let event = EventName::new(EVENTS[dice.of(0..2) as usize]).ok()?;
    let key = match dice.of(0..3) {
        0 => format!("{event} {date}"),
        1 => format!("{event} {date} {}", dice.of(0..3)),
        _ => format!("any {}", dice.of(0..5)),
    };
    told(&key, event, date)
}

fn told(key: &str, event: EventName, business_date: BusinessDate) -> Option<Received> {
    Some(Received {
        key: EventKey::new(key).ok()?,
        event,
        business_date,
        parameters: BTreeMap::new(),
        by: made_site::operator().ok()?,
        reason: "made up".to_owned(),
        runs: Vec::new(),
        jobs: Vec::new(),
    })
}

/// Every event that a job of a run under way waits for, each told twice.
pub(super) fn tell_all(state: &State) -> Vec<Event> {
    let mut wanted = BTreeSet::new();
    for run in state.runs.values().filter(|run| run.result.is_none()) {
        for (index, job) in run.batch.jobs.iter().enumerate() {
            if let Kind::WaitEvent { event, .. } = &job.kind
                && run.jobs[index].phase == Phase::Waiting
            {
                wanted.insert((event, run.opened.business_date));
            }
        }
    }
    let told = wanted.into_iter().filter_map(|(event, date)| the_event(event, date));
    told.flat_map(|told| [told.clone(), told]).collect()
}

/// An event under the key that it always has.
pub(super) fn the_event(event: &EventName, date: BusinessDate) -> Option<Event> {
    let told = told(&format!("all {event} {date}"), event.clone(), date)?;
    Some(Event::Receive(Box::new(told)))
}

/// Every host that was drained takes new attempts again.
pub(super) fn undrain_all(state: &State) -> Result<Vec<Event>, InvalidName> {
    let (by, reason) = (made_site::operator()?, "made up".to_owned());
    let hosts = state.standing.drains.keys().cloned();
    let undrain =
        |host| Event::Drain { host, drain: false, by: by.clone(), reason: reason.clone() };
    Ok(hosts.map(undrain).collect())
}

/// A yes of the other person to everything that waits for one.
pub(super) fn second_all(state: &State, now: Timestamp) -> Result<Vec<Event>, InvalidName> {
    let (one, other) = (made_site::operator()?, made_site::watcher()?);
    let waits = state.standing.requests.iter().filter(|(_, asked)| asked.until > now);
    let yes = waits.map(|(request, asked)| {
        let by = if asked.by == other { one.clone() } else { other.clone() };
        Event::Second { request: *request, by, known: true, reason: "yes".to_owned() }
    });
    Ok(yes.collect())
}

/// Anybody of the site, or somebody whom it does not know.
pub(super) fn anybody(dice: &mut Dice, site: &Site) -> Option<PersonId> {
    let known: Vec<&PersonId> = site.people.keys().collect();
    if dice.percent(10) {
        return PersonId::new("stranger").ok();
    }
    dice.pick(&known).map(|person| (*person).clone())
}

/// Some jobs of one run again, those among them that cannot be.
pub(super) fn again(dice: &mut Dice, state: &State) -> Option<(RunId, Vec<JobName>)> {
    let runs: Vec<&Run> = state.runs.values().collect();
    let run = *dice.pick(&runs)?;
    let mut jobs = Vec::new();
    for _ in 0..=dice.of(0..3) {
        jobs.extend(dice.pick(&run.batch.jobs).map(|job| job.name.clone()));
    }
    Some((run.id().clone(), jobs))
}

/// What patient operators do, all at once, so that everything comes to its end. `hopes`: more is ordered or heard of.
pub(super) fn tidy(core: &Core, now: Now, hopes: bool) -> Result<Vec<(RunId, Action)>, Unfit> {
    let mut actions = Vec::new();
    for run in core.state().runs.values() {
        for index in 0..run.jobs.len() {
            if let Some(action) = next(core, run, index, (now, hopes))? {
                actions.push((run.id().clone(), action));
            }
        }
    }
    Ok(actions)
}

fn next(
    core: &Core,
    run: &Run,
    index: usize,
    (now, hopes): (Now, bool),
) -> Result<Option<Action>, Unfit> {
    let (state, job) = (&run.jobs[index], run.job(index).name.clone());
    if state.held.is_some() && run.cancelled.is_none() {
        return Ok(Some(Action::Release { job }));
    }
    Ok(match &state.phase {
        Phase::InDoubt { .. } => Some(Action::Force { job }),
        // Nobody does the work of a run that was given up, so neither what waits for it.
        _ if run.cancelled.is_some() => None,
        Phase::Settled {
            outcome: Outcome::Blocked, why: Why::Need { job: needed, .. }, ..
        } if JobName::new(needed).is_err() && given_up(core.state()) => Some(Action::Skip { job }),
        // Not critical or not: jobs of other runs may wait for it.
        Phase::Settled { outcome: Outcome::Failed, .. } => Some(Action::Retry { job }),
        Phase::Waiting | Phase::RetryWait { .. } if run.result.is_none() => {
            let ready = gate::needs_verdict(core.state(), run, index) == Verdict::Go;
            let asks = matches!(run.job(index).kind, Kind::Confirm { .. });
            if asks && ready && state.phase == Phase::Waiting {
                Some(Action::Confirm { job })
            } else if !hopes && hopeless(core, run, index, now)? {
                Some(Action::Force { job })
            } else {
                None
            }
        }
        _ => None,
    })
}

fn given_up(state: &State) -> bool {
    state.runs.values().any(|run| run.cancelled.is_some())
}

/// What stands in its way will not go away in any night: it is for people to say what that means.
fn hopeless(core: &Core, run: &Run, index: usize, now: Now) -> Result<bool, Unfit> {
    let obstacles = core.obstacles(run.id(), index, now)?;
    Ok(obstacles.iter().any(|obstacle| match obstacle {
        Obstacle::Across { job, date, outcome: None, .. } => !is_known(core.state(), job, *date),
        Obstacle::Window { next: None, .. } => true,
        _ => false,
    }))
}

fn is_known(state: &State, job: &JobRef, date: BusinessDate) -> bool {
    let mut runs = state.runs.values();
    runs.any(|run| {
        run.opened.batch == job.batch
            && run.opened.business_date == date
            && run.index(&job.job).is_some()
    })
}

/// Somebody who may do it: one with the role that a confirmation asks for.
pub(super) fn entitled(
    state: &State,
    site: &Site,
    run: &RunId,
    action: &Action,
) -> Option<PersonId> {
    let asked = match action {
        Action::Confirm { job } => state.runs.get(run).and_then(|run| {
            let Kind::Confirm { role, .. } = &run.job(run.index(job)?).kind else { return None };
            role.clone()
        }),
        _ => None,
    };
    let mut people = site.people.iter();
    people
        .find(|(_, person)| asked.as_ref().is_none_or(|role| person.roles.contains(role)))
        .map(|(id, _)| id.clone())
}
