//! Incidents (事件): one fault with its people and its clocks, from its opening to its report (E3, E4).
//!
//! A fault opens one incident; what follows from it is folded into it. Those whom the site's policy names are told one
//! step after the other until somebody acknowledges, and the limits of the service contract are watched until each is met.
//! All times are wall times, and follow from recorded facts alone: whoever starts anew goes on where another stopped.

mod as_of;
mod clock;
mod drill;
mod due;
mod escalate;
mod lateness;
mod over;
mod raise;
mod take;
mod whom;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::fact::Deadline;
use crate::types::{
    BatchId, CalendarName, ChangeId, ChannelName, CheckName, ClockKind, DrillName, HandOverId,
    HostName, IncidentId, IncidentKind, JobName, PersonId, PolicyName, RunId, Severity, Text,
};

pub use clock::{ClockState, MissedLimit};
pub use drill::{Absent, DrillStands, DrillTerms, Drilled, Held};
pub use lateness::Foreseen;
pub use take::{IncidentOrder, LONGEST_MUTE, Wanted};
pub use whom::{Audience, OnCall};

/// What is wrong, or wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Fault {
    /// A critical job stays failed after its retries.
    #[default]
    Failed,
    /// Nobody can know how a job ended, or how far a change got.
    InDoubt,
    /// A change waits for people, and its window is there.
    Waits,
    /// A deadline was missed.
    Late { deadline: Deadline, due: Timestamp },
    /// A deadline will be missed, as far as expected times tell.
    WillBeLate { deadline: Deadline, due: Timestamp, expected: Timestamp },
    /// A job is not done, or does not get in, before its window closes, as far as expected times tell. `expected`: none where
    /// it never starts by itself after that.
    WindowCloses {
        closes: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<Timestamp>,
    },
    /// A job still runs, and the window that it began in has closed.
    RunsOver { closed: Timestamp },
    /// No link to the agent of a host.
    HostAway {
        host: HostName,
        /// What people call it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<Text>,
    },
    /// The data of a calendar run out.
    CalendarEnds { calendar: CalendarName, last: Option<Date> },
    /// A mail server, or whoever else messages go to, refuses one for good.
    #[serde(alias = "mail-refused")]
    MessageRefused { to: String, why: String },
    /// The store could not be written for a while.
    StoreAway { since: Timestamp, why: String },
    /// Nobody has accepted the hand-over of a shift that ended then.
    HandOver { hand_over: HandOverId, ended: Timestamp },
    /// Nobody has confirmed in time what is to be confirmed after a change.
    Unconfirmed { change: ChangeId, environment: String, item: CheckName, due: Timestamp },
    /// A day is over, and had fewer rounds of inspections than the site wants.
    RoundsMissed { batch: BatchId, date: Date, wanted: u32, done: u32 },
    /// A drill (演练): nothing is broken, and people answer as if it were (E4).
    Drill { drill: DrillName, terms: Box<DrillTerms> },
    /// A drill was not held by then.
    DrillOverdue { drill: DrillName, title: Text, due: Date },
    /// A person, or another system, says so.
    Told { title: String },
}

impl Fault {
    pub(in crate::core) fn is_about_hand_over(&self, id: &HandOverId) -> bool {
        matches!(self, Self::HandOver { hand_over, .. } if hand_over == id)
    }
}

/// An incident begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    pub incident: IncidentId,
    /// The run that it belongs to; its steps are entries of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobName>,
    /// What stands still behind it, in the order of the file.
    #[serde(default)]
    pub blocks: Vec<JobName>,
    /// Who is told at once.
    pub notify: Vec<PersonId>,
    /// Rooms that are told at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rooms: Vec<ChannelName>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub fault: Fault,
    #[serde(default = "fault", skip_serializing_if = "is_fault")]
    pub kind: IncidentKind,
    #[serde(default = "second", skip_serializing_if = "is_second")]
    pub severity: Severity,
    /// Of `escalation.yaml`; `None`: the site has none, and the role of `failures_to` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// Steps of the policy that were taken with the opening; those before the last found nobody.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rungs: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<Clock>,
    /// Deadlines that it endangers, as they stood at its opening.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_risk: Vec<AtRisk>,
    /// Of whoever opened it; `None`: nightrun did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
}

impl Opened {
    /// A failure of a job, of which nothing else is known: as former releases wrote them.
    pub fn about(incident: IncidentId, run: Option<RunId>, job: Option<JobName>) -> Self {
        Self {
            incident,
            run,
            job,
            blocks: Vec::new(),
            notify: Vec::new(),
            rooms: Vec::new(),
            fault: Fault::Failed,
            kind: fault(),
            severity: second(),
            policy: None,
            rungs: one(),
            clocks: Vec::new(),
            at_risk: Vec::new(),
            by: None,
            trial: false,
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn fault() -> IncidentKind {
    IncidentKind::Fault
}

fn is_fault(kind: &IncidentKind) -> bool {
    *kind == IncidentKind::Fault
}

fn second() -> Severity {
    Severity::P2
}

fn is_second(severity: &Severity) -> bool {
    *severity == Severity::P2
}

fn one() -> u32 {
    1
}

fn is_one(rungs: &u32) -> bool {
    *rungs == 1
}

/// Until when what has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Clock {
    pub kind: ClockKind,
    pub due: Timestamp,
}

/// A deadline of the run (`None`) or of one of its jobs that an incident endangers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AtRisk {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobName>,
    pub due: Timestamp,
}

/// A step in the life of an incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub incident: IncidentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Counts the steps of the incident, from 1.
    pub number: u32,
    /// Whose step it is; `None`: nightrun's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<PersonId>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    pub step: IncidentStep,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum IncidentStep {
    /// People are told. `rungs`: how many steps of the policy have been taken now.
    Told {
        people: Vec<PersonId>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rooms: Vec<ChannelName>,
        rungs: u32,
        why: Telling,
    },
    /// Those who were told are told that limits are near.
    Warned {
        clocks: Vec<ClockKind>,
    },
    /// Limits were passed; they are counted (E3, S1).
    Breached {
        clocks: Vec<ClockKind>,
    },
    /// The same again, or more of it.
    Repeated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobName>,
        fault: Fault,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        blocks: Vec<JobName>,
    },
    /// Somebody takes care of it: nobody else is told any more.
    Acknowledged,
    /// Another one takes care of it from now on.
    TakenOver,
    Noted,
    /// Somebody is on site.
    OnSite,
    /// A third party was brought in.
    ThirdParty {
        whom: String,
    },
    /// Nobody is told until then; steps and limits go on.
    Muted {
        until: Timestamp,
    },
    Unmuted,
    Graded {
        severity: Severity,
        clocks: Vec<Clock>,
    },
    /// A service could not be used from one time to another (S1).
    Interruption {
        service: String,
        from: Timestamp,
        to: Timestamp,
        /// Its cause, where that is outside the system, in words: it counts in no availability.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        outside: String,
    },
    /// What it was and what was done, in words; it is over where it was not.
    Resolved {
        cause: String,
        measure: String,
    },
    /// The incident report (故障报告) is handed in.
    Reported,
}

/// Why people are told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Telling {
    /// It is their turn.
    Step,
    /// Nobody has acknowledged it.
    Reminder,
}

/// A step that was taken, with its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    pub at: Timestamp,
    pub by: Option<PersonId>,
    pub reason: String,
    pub step: IncidentStep,
}

/// One fault (事件), with all that it blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    pub what: Opened,
    pub opened: Timestamp,
    /// When it was over: well again, or resolved by a person.
    pub closed: Option<Timestamp>,
    pub steps: Vec<Taken>,
    /// Everyone who was told, in that order.
    pub notified: Vec<PersonId>,
    /// And every room.
    pub rooms: Vec<ChannelName>,
    pub blocks: Vec<JobName>,
    pub severity: Severity,
    /// Who takes care of it, since when.
    pub owner: Option<PersonId>,
    pub acknowledged: Option<Timestamp>,
    /// Limits that are watched, met, missed.
    pub clocks: BTreeMap<ClockKind, ClockState>,
    pub muted: Option<Timestamp>,
    /// Steps of the policy that were taken.
    rungs: u32,
    /// When the last of them was, and when anybody was told last.
    climbed: Timestamp,
    told: Timestamp,
}

impl Incident {
    pub(super) fn new(at: Timestamp, opened: &Opened) -> Self {
        let mut incident = Self {
            opened: at,
            closed: None,
            steps: Vec::new(),
            notified: opened.notify.clone(),
            rooms: opened.rooms.clone(),
            blocks: opened.blocks.clone(),
            severity: opened.severity,
            owner: None,
            acknowledged: None,
            clocks: BTreeMap::new(),
            muted: None,
            rungs: opened.rungs,
            climbed: at,
            told: at,
            what: opened.clone(),
        };
        incident.watch(at, &opened.clocks);
        incident
    }

    /// Whether it is one by arrangement: it is answered as any, and counts as none.
    pub fn is_drill(&self) -> bool {
        self.what.kind == IncidentKind::Drill
    }

    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    /// Everything that it is about: what it was opened for, and what was folded into it.
    pub fn about(&self) -> impl Iterator<Item = (Option<&JobName>, &Fault)> {
        let folded = self.steps.iter().filter_map(|taken| match &taken.step {
            IncidentStep::Repeated { job, fault, .. } => Some((job.as_ref(), fault)),
            _ => None,
        });
        std::iter::once((self.what.job.as_ref(), &self.what.fault)).chain(folded)
    }

    /// Recipients whose refusals it is about: they are not told of it.
    fn refused(&self) -> Vec<String> {
        let refused = self.about().filter_map(|(_, fault)| match fault {
            Fault::MessageRefused { to, .. } => Some(to.clone()),
            _ => None,
        });
        refused.collect()
    }

    fn is_about(&self, job: &JobName) -> bool {
        self.about().any(|(about, _)| about == Some(job))
    }

    /// Open, or its report is owed.
    pub fn is_unfinished(&self) -> bool {
        self.is_open() || self.clocks.values().any(|clock| clock.met.is_none())
    }

    /// Takes its next step in.
    pub(super) fn apply(&mut self, at: Timestamp, moved: &Moved) {
        match &moved.step {
            IncidentStep::Told { people, rooms, rungs, .. } => {
                if *rungs > self.rungs {
                    (self.rungs, self.climbed) = (*rungs, at);
                }
                self.told = at;
                let new = people.iter().filter(|id| !self.notified.contains(id));
                let new: Vec<PersonId> = new.cloned().collect();
                self.notified.extend(new);
                let new = rooms.iter().filter(|room| !self.rooms.contains(room));
                let new: Vec<ChannelName> = new.cloned().collect();
                self.rooms.extend(new);
            }
            IncidentStep::Warned { clocks } => self.mark(clocks, |clock| clock.warned = true),
            IncidentStep::Breached { clocks } => {
                let severity = self.severity;
                self.mark(clocks, |clock| {
                    clock.breached = true;
                    clock.miss(severity);
                });
            }
            IncidentStep::Repeated { blocks, .. } => {
                let new = blocks.iter().filter(|job| !self.blocks.contains(job));
                let new: Vec<JobName> = new.cloned().collect();
                self.blocks.extend(new);
            }
            IncidentStep::Acknowledged | IncidentStep::TakenOver => {
                self.owner.clone_from(&moved.by);
                self.acknowledged.get_or_insert(at);
                self.meet(ClockKind::Response, at);
            }
            IncidentStep::OnSite => self.meet(ClockKind::OnSite, at),
            IncidentStep::ThirdParty { .. } => self.meet(ClockKind::ThirdParty, at),
            IncidentStep::Muted { until } => self.muted = Some(*until),
            IncidentStep::Unmuted => self.muted = None,
            IncidentStep::Graded { severity, clocks } => {
                self.watch(at, clocks);
                self.severity = *severity;
            }
            IncidentStep::Resolved { .. } => self.close(at),
            IncidentStep::Reported => self.meet(ClockKind::Report, at),
            IncidentStep::Noted | IncidentStep::Interruption { .. } => {}
        }
        let (by, reason, step) = (moved.by.clone(), moved.reason.clone(), moved.step.clone());
        self.steps.push(Taken { at, by, reason, step });
    }

    /// It is over, so everything but its report is done.
    pub(super) fn close(&mut self, at: Timestamp) {
        let at = *self.closed.get_or_insert(at);
        for kind in ClockKind::ALL.iter().filter(|kind| **kind != ClockKind::Report) {
            self.meet(*kind, at);
        }
    }
}

#[cfg(test)]
mod tests;
