//! What the core wants carried out.

use super::bulletin::Bulletin;
use super::change::WeeklyNotice;
use super::incident::{Audience, Telling};
use crate::types::{AttemptId, ClockKind, HandOverId, HostName, IncidentId, PersonId, RunId};

/// What is to be carried out, after the facts are durable.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Start {
        attempt: AttemptId,
    },
    /// `now`: without the grace.
    Kill {
        attempt: AttemptId,
        now: bool,
    },
    Ask {
        host: HostName,
        attempts: Vec<AttemptId>,
    },
    /// The ending is in the journal.
    Recorded {
        host: HostName,
        attempt: AttemptId,
    },
    /// Tell people about an incident.
    Notify {
        incident: IncidentId,
        to: Audience,
        notice: Notice,
    },
    /// Tell these people about the hand-over of a shift.
    HandOver {
        hand_over: HandOverId,
        people: Vec<PersonId>,
        notice: HandOverNotice,
    },
    /// Tell people what has happened.
    Bulletin(Box<Bulletin>),
    /// Tell people of a list or a plan of the week.
    Weekly(Box<WeeklyNotice>),
    /// The report of the run is due: it is over, or the time has come that the site names.
    Report {
        run: RunId,
    },
}

/// What people are told of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    Opened,
    Told {
        why: Telling,
    },
    /// Limits are near.
    Warned {
        clocks: Vec<ClockKind>,
    },
    /// Limits have passed.
    Breached {
        clocks: Vec<ClockKind>,
    },
    /// Somebody takes care of it.
    Acknowledged,
    /// It is over.
    Closed,
}

/// Why people are told of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOverNotice {
    /// The shift ends soon.
    Begins,
    /// The shift has ended.
    Ends,
    /// Nobody has accepted yet.
    Reminder,
    /// The outgoing side is ready.
    Given,
    /// The next shift has taken over.
    Accepted,
}
