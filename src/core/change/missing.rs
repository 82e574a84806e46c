//! What a change lacks before it may start.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::refused::{Refused, Rule};
use crate::core::window::WindowReason;
use crate::definition::site::Part;
use crate::types::{ChangeId, CheckName, PersonId, Role, RunId};

/// One thing that a change lacks. Each has a [rule](Missing::rule) with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "lacks")]
pub enum Missing {
    /// It is closed or archived.
    Over,
    /// Nobody has handed in its scripts for this environment.
    Submission,
    /// Its scripts are not those that were submitted (D5).
    Lapsed,
    Review {
        role: Role,
        people: u32,
    },
    /// `bound`: the approvals that there were are of other scripts, another target or another window, or too old.
    Approval {
        role: Role,
        people: u32,
        lapsed: bool,
    },
    /// Somebody has two parts that are to be different people.
    OwnWork {
        person: PersonId,
        part: Part,
        other: Part,
    },
    /// Not executed and verified in a former environment, with these very scripts.
    Promotion {
        environment: String,
    },
    Rehearsal {
        environment: String,
    },
    /// Another change must be done first.
    Needs {
        change: ChangeId,
    },
    SubmittedLate {
        by: Time,
        day: Date,
    },
    Acceptance {
        latest: Date,
        accepted: Option<Date>,
    },
    /// `role`: who confirms it; whoever submits it where there is none, `on` that day where one is named.
    Confirmation {
        item: CheckName,
        role: Option<Role>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        on: Option<Date>,
    },
    /// Somebody has to configure a permission and to say so.
    Permission {
        item: CheckName,
        by: PersonId,
    },
    IntakeClosed {
        next: Option<Timestamp>,
    },
    Sealed {
        since: Timestamp,
    },
    Schedule,
    /// None that it fits into, on that day or at all.
    NoWindow {
        on: Option<Date>,
    },
    WindowPassed {
        closed: Timestamp,
        role: Option<Role>,
    },
    Window {
        reason: WindowReason,
        next: Option<Timestamp>,
    },
    /// Nobody on shift has released it.
    Release,
    /// Nobody watches.
    Watcher,
    /// It is on the list of a run that is not over.
    UnderWay {
        run: RunId,
    },
}

/// A rule of [`Missing`], as pages and the API show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissingLine {
    pub rule: Rule,
    pub what: String,
}

impl Missing {
    pub fn rule(&self) -> Rule {
        match self {
            Self::Over => Rule::WrongStage,
            Self::Submission => Rule::NotSubmitted,
            Self::Lapsed => Rule::Lapsed,
            Self::Review { .. } => Rule::NotReviewed,
            Self::Approval { lapsed: true, .. } => Rule::Lapsed,
            Self::Approval { .. } => Rule::NotApproved,
            Self::OwnWork { .. } => Rule::OwnWork,
            Self::Promotion { .. } => Rule::NotPromoted,
            Self::Rehearsal { .. } => Rule::NotRehearsed,
            Self::Needs { .. } => Rule::ChangeNeeded,
            Self::SubmittedLate { .. } => Rule::SubmittedLate,
            Self::Acceptance { .. } => Rule::NotAccepted,
            Self::Confirmation { .. } | Self::Permission { .. } => Rule::NotConfirmed,
            Self::IntakeClosed { .. } => Rule::IntakeClosed,
            Self::Sealed { .. } => Rule::Sealed,
            Self::Schedule => Rule::NotScheduled,
            Self::NoWindow { .. } | Self::Window { .. } => Rule::OutsideWindow,
            Self::WindowPassed { .. } => Rule::WindowPassed,
            Self::Release | Self::Watcher => Rule::NotReleased,
            Self::UnderWay { .. } => Rule::RunUnderWay,
        }
    }

    /// When it may be otherwise, where that is known.
    pub fn next(&self) -> Option<Timestamp> {
        match self {
            Self::Window { next, .. } => *next,
            _ => None,
        }
    }

    /// Whether time alone may take care of it.
    pub fn is_of_time(&self) -> bool {
        matches!(self, Self::Window { .. } | Self::WindowPassed { .. } | Self::NoWindow { .. })
    }

    pub(super) fn is_item(&self, name: &CheckName) -> bool {
        matches!(self, Self::Confirmation { item, .. } if item == name)
    }

    /// Whether it is about who releases and watches.
    pub fn is_of_crew(&self) -> bool {
        matches!(self, Self::Release | Self::Watcher)
    }

    pub fn line(&self) -> MissingLine {
        MissingLine { rule: self.rule(), what: self.to_string() }
    }
}

impl From<Missing> for Refused {
    fn from(missing: Missing) -> Self {
        Self::by(missing.rule(), missing.to_string())
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Over => f.write_str("it is closed"),
            Self::Submission => f.write_str("its scripts are not handed in for this environment"),
            Self::Lapsed => {
                f.write_str("its scripts are not those that were submitted: it starts again")
            }
            Self::Review { role, people } => {
                write!(f, "not reviewed: {people} more with the role `{role}`")
            }
            Self::Approval { role, people, lapsed: false } => {
                write!(f, "not approved: {people} more with the role `{role}`")
            }
            Self::Approval { role, people, lapsed: true } => write!(
                f,
                "approvals have lapsed: scripts, target or window are others, or they are too old; \
                 {people} more with the role `{role}`"
            ),
            Self::OwnWork { person, part, other } => {
                write!(
                    f,
                    "{person} is its {} and its {}; it takes two people",
                    part.name(),
                    other.name()
                )
            }
            Self::Promotion { environment } => {
                write!(f, "these scripts were not executed and verified in {environment}")
            }
            Self::Rehearsal { environment } => write!(
                f,
                "change, rollback and change again were not rehearsed in {environment} of late"
            ),
            Self::Needs { change } => write!(f, "it needs {change}, which is not done there"),
            Self::SubmittedLate { by, day } => {
                write!(f, "it was not submitted by {} of {day}", by.strftime("%H:%M"))
            }
            Self::Acceptance { latest, accepted: Some(accepted) } => {
                write!(f, "it was accepted on {accepted}, and {latest} is the latest day for that")
            }
            Self::Acceptance { latest, accepted: None } => {
                write!(f, "nobody says that it was accepted, on {latest} at the latest")
            }
            Self::Confirmation { item, role: Some(role), .. } => {
                write!(f, "`{item}` is not confirmed by the role `{role}`")
            }
            Self::Confirmation { item, role: None, on: None } => {
                write!(f, "whoever submitted it has not confirmed `{item}`")
            }
            Self::Confirmation { item, role: None, on: Some(day) } => {
                write!(f, "whoever submitted it has not confirmed `{item}` on {day}")
            }
            Self::Permission { item, by } => {
                write!(f, "`{item}`: {by} has not said that the permission is configured")
            }
            Self::IntakeClosed { next: Some(next) } => {
                write!(f, "nothing is taken in now; the next time is {next}")
            }
            Self::IntakeClosed { next: None } => f.write_str("nothing is taken in"),
            Self::Sealed { since } => write!(f, "the list is sealed since {since}"),
            Self::Schedule => f.write_str("it is on no list of this environment"),
            Self::NoWindow { on: Some(on) } => {
                write!(f, "there is no window on {on} that it fits into")
            }
            Self::NoWindow { on: None } => f.write_str("there is no window that it fits into"),
            Self::WindowPassed { closed, role: Some(role) } => {
                write!(f, "its window closed at {closed}; the role `{role}` may confirm `late`")
            }
            Self::WindowPassed { closed, role: None } => write!(f, "its window closed at {closed}"),
            Self::Window { reason, next: Some(next) } => write!(f, "{reason}; next: {next}"),
            Self::Window { reason, next: None } => reason.fmt(f),
            Self::Release => f.write_str("the person on shift has not released it"),
            Self::Watcher => f.write_str("no second person watches"),
            Self::UnderWay { run } => write!(f, "it is on the list of {run}, which is not over"),
        }
    }
}
