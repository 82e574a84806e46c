//! The list of a window (变更清单): which changes the run of a list batch holds. It is drawn up when the run is opened,
//! and that is its seal (封版): the run goes by its copy, whatever is altered afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approvals::Crew;
use super::clearance::Listed;
use super::desk::Desk;
use super::life::Lives;
use super::missing::Missing;
use super::step::ChangeStep;
use crate::core::calendar::Calendars;
use crate::core::fact::RunResult;
use crate::core::opening::Interval;
use crate::core::schedule;
use crate::core::state::{Run, State};
use crate::core::window::Windows;
use crate::definition::site::{
    Batch, ChangeClass, ChangeKind, ChangeList, Job, Kind, Need, NeedOf, Site,
};
use crate::types::{ChangeId, Condition, HostName, JobName, RunId, TargetName};

/// The sealed list of a run, as its opening has it. Its commit is that of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SealedList {
    pub environment: String,
    /// All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ChangeClass>,
    /// The last entry that the journal had before; `None`: it is not sealed, and may still alter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalHead>,
    pub changes: Vec<ListedChange>,
    /// On the list by now and not in the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOffList>,
}

/// An entry of the journal: with its hash everything before it is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct JournalHead {
    pub number: u64,
    /// SHA-256 in hex.
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ListedChange {
    pub change: ChangeId,
    pub target: TargetName,
    pub content: String,
    /// The approval digest.
    pub digest: String,
    /// The window that it is scheduled for; `None`: it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Timestamp, Timestamp)>,
}

/// A change that was scheduled for the list and is not in the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct LeftOffList {
    pub change: ChangeId,
    pub why: Vec<Missing>,
}

/// What lists are drawn up from, besides the files.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub lives: &'a Lives,
    /// Changes that runs hold which are not over, by environment.
    pub under_way: &'a BTreeMap<(ChangeId, String), RunId>,
}

/// A list as it is at an instant: the batch with its jobs, and what is on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    pub batch: Arc<Batch>,
    pub list: SealedList,
}

impl State {
    /// The changes that runs hold which are not over.
    pub fn changes_under_way(&self) -> BTreeMap<(ChangeId, String), RunId> {
        let over = |run: &Run| run.result.is_some_and(|result| result != RunResult::Stopped);
        let open = self.runs.values().filter(|run| !over(run) && !run.opened.trial);
        open.flat_map(|run| {
            let waits = run.jobs.iter().zip(&run.batch.jobs);
            let waits = waits.filter(|(state, _)| state.phase.outcome().is_none());
            waits.filter_map(|(_, job)| {
                let Kind::Change { change, .. } = &job.kind else { return None };
                let environment = run.site.targets.get(job.kind.target(&run.site)?)?;
                Some(((change.clone(), environment.environment.clone()), run.id().clone()))
            })
        })
        .collect()
    }
}

/// Draws the list of a batch up as of an instant; `None`: it takes none. `anchor`: the start that the run is for.
pub fn draw(
    site: &Site,
    batch: &Batch,
    known: Known<'_>,
    (at, anchor): (Timestamp, Timestamp),
) -> Option<Drawn> {
    let list = batch.list.as_ref()?;
    let host = HostName::local();
    let windows = Windows::new(site);
    let until = batch.schedule.as_ref().and_then(|schedule| {
        let calendars = Calendars::new(&site.calendars);
        let next = schedule::next(schedule, &calendars, batch.calendar.as_ref(), at.max(anchor));
        next.map(|start| start.at)
    });
    let mut drawing = Drawing { at, until, list, left_out: BTreeMap::new() };
    let mut on_it: BTreeMap<&ChangeId, (Desk<'_>, Option<Interval>)> = BTreeMap::new();
    for id in site.changes.keys() {
        let Ok(desk) = Desk::new(site, &windows, id, known.lives) else { continue };
        let Some(scheduled) = drawing.scheduled(&desk) else { continue };
        let mut why = drawing.lacks(&desk, scheduled);
        let of = (id.clone(), list.environment.clone());
        why.extend(known.under_way.get(&of).map(|run| Missing::UnderWay { run: run.clone() }));
        if why.is_empty() {
            on_it.insert(id, (desk, scheduled.and_then(|(_, window)| window)));
        } else {
            drawing.left_out.insert(id, why);
        }
    }
    drawing.without_lost_needs(&mut on_it);
    let names: BTreeSet<&ChangeId> = on_it.keys().copied().collect();
    let jobs = on_it.iter().filter_map(|(id, (desk, _))| {
        let name = JobName::new(id.as_str()).ok()?;
        let needs = desk.change.needs.iter().filter(|need| names.contains(need));
        let needs = needs.filter_map(|need| JobName::new(need.as_str()).ok());
        let needs = needs.map(|job| Need { of: NeedOf::Job(job), when: Condition::Ok }).collect();
        let job = Job::of_change(name, desk.change, &list.environment, host.clone());
        Some(Job { needs, ..job })
    });
    let listed = on_it.values().filter_map(|(desk, window)| {
        let places = desk.change.places(site);
        let (_, target) = places.into_iter().find(|(of, _)| *of == list.environment)?;
        Some(ListedChange {
            change: desk.change.id.clone(),
            target: target.clone(),
            content: desk.change.content.clone(),
            digest: desk.approval_digest(&list.environment)?,
            window: *window,
        })
    });
    let left_out = drawing.left_out.into_iter();
    let left_out = left_out.map(|(change, why)| LeftOffList { change: change.clone(), why });
    Some(Drawn {
        batch: Arc::new(Batch { jobs: jobs.collect(), ..batch.clone() }),
        list: SealedList {
            environment: list.environment.clone(),
            classes: list.classes.clone(),
            journal: None,
            changes: listed.collect(),
            left_out: left_out.collect(),
        },
    })
}

struct Drawing<'a> {
    at: Timestamp,
    /// The next start of the list: from then on windows are those of the next list.
    until: Option<Timestamp>,
    list: &'a ChangeList,
    left_out: BTreeMap<&'a ChangeId, Vec<Missing>>,
}

impl<'a> Drawing<'a> {
    /// Whether a change is scheduled for this list; inside `None` where its scripts, target or window are not those that
    /// were put on it.
    fn scheduled(&self, desk: &Desk<'_>) -> Option<Option<Listed>> {
        let environment = self.list.environment.as_str();
        let goes_there = desk.change.places(desk.site).iter().any(|(of, _)| *of == environment);
        if !goes_there || !self.list.takes(desk.change) {
            return None;
        }
        // What was put on it and handed in anew after that is left out, and not forgotten; who sends it back or closes it
        // takes it off.
        let last = desk.life.steps.iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::Scheduled { environment: of, opens, closes, .. } if of == environment => {
                Some(Some(opens.zip(*closes)))
            }
            ChangeStep::Began { began } if began.environment == environment => Some(None),
            ChangeStep::Returned
            | ChangeStep::Withdrawn
            | ChangeStep::Closed
            | ChangeStep::Archived => Some(None),
            _ => None,
        });
        let window = last.flatten()?;
        window
            .is_none_or(|window| self.is_of_this_list(desk, window))
            .then(|| desk.scheduled(environment))
    }

    /// Windows that are over are of this list too: it says what was not done in them.
    fn is_of_this_list(&self, desk: &Desk<'_>, (opens, closes): Interval) -> bool {
        let before_next = self.until.is_some_and(|until| opens < until);
        let next = desk.next_window(&self.list.environment, self.at);
        before_next || closes <= self.at || next.is_some_and(|next| opens <= next)
    }

    /// What keeps it out of the run: it could not start whatever people do until its window opens.
    fn lacks(&self, desk: &Desk<'_>, scheduled: Option<Listed>) -> Vec<Missing> {
        let environment = self.list.environment.as_str();
        let Some((_, window)) = scheduled else { return vec![Missing::Lapsed] };
        let mut why = desk.approved(environment, self.at);
        why.extend(desk.own_work(&Crew::default()));
        why.extend(desk.promoted(environment, self.at));
        why.extend(desk.untimely(environment, self.at, scheduled));
        let passed = window.filter(|(_, closes)| *closes <= self.at);
        if let (Some((_, closed)), ChangeKind::Normal) = (passed, desk.change.kind) {
            why.extend(desk.late(environment, closed).err());
        }
        why
    }

    /// Leaves out what needs a change that is neither on the list nor done, and what needs that.
    fn without_lost_needs(
        &mut self,
        on_it: &mut BTreeMap<&'a ChangeId, (Desk<'_>, Option<Interval>)>,
    ) {
        loop {
            let lost = on_it.iter().find_map(|(id, (desk, _))| {
                let mut needs = desk.change.needs.iter();
                let lost = needs.find(|need| {
                    let life = desk.lives.get(*need);
                    let done = life.is_some_and(|l| l.is_done_in(&self.list.environment, None));
                    !done && !on_it.contains_key(*need)
                });
                lost.map(|need| (*id, need.clone()))
            });
            let Some((id, change)) = lost else { return };
            on_it.remove(id);
            self.left_out.insert(id, vec![Missing::Needs { change }]);
        }
    }
}
