//! What the core is told.

use std::sync::Arc;

use super::change::ChangeOrder;
use super::closing::Closing;
use super::credentials::Credential;
use super::fact::{Action, Fact, MissedWhy, Proposed, RunArchived, RunOpened, StopHow};
use super::figure::FigureOrder;
use super::hand_over::HandOverOrder;
use super::incident::{Foreseen, IncidentOrder};
use super::received::Received;
use super::restored::TakeIn;
use super::select::{Deed, Which};
use crate::definition::site::{Freeze, Site};
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, FreezeId, HostName, IncidentId, JobName, JobRef,
    Outcome, PersonId, PoolName, RequestId, Revision, RunId,
};
use crate::wire::Ended;

/// What the core is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// A run is ordered, with what is known of the jobs of other runs that it needs.
    Open {
        opened: Box<RunOpened>,
        across: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
    },
    /// How jobs of other runs stand that runs taken in again need: who ended or began meanwhile was not heard.
    Across {
        known: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
    },
    /// A supervisor takes a run up again after it, or its host, was gone.
    Resume {
        run: RunId,
        by: PersonId,
        boot: BootId,
    },
    /// A host's agent can be reached.
    HostUp {
        host: HostName,
        boot: BootId,
    },
    HostAway {
        host: HostName,
    },
    Started {
        attempt: AttemptId,
        pid: u32,
        at: jiff::Timestamp,
    },
    Ended(Box<Ended>),
    /// The agent has never seen this attempt.
    NotKnown {
        attempt: AttemptId,
    },
    Act {
        run: RunId,
        by: PersonId,
        reason: String,
        action: Action,
    },
    /// The same to all that is selected of a run.
    ActOn {
        run: RunId,
        by: PersonId,
        reason: String,
        which: Which,
        deed: Deed,
    },
    Freeze {
        by: PersonId,
        what: Box<Freeze>,
        /// The site wants two people to lift it.
        two_lift: bool,
    },
    Unfreeze {
        freeze: FreezeId,
        by: PersonId,
        reason: String,
    },
    /// Another size of a pool until then.
    SizePool {
        pool: PoolName,
        size: u32,
        until: jiff::Timestamp,
        by: PersonId,
        reason: String,
    },
    /// A host takes no new attempts, or takes them again.
    Drain {
        host: HostName,
        drain: bool,
        by: PersonId,
        reason: String,
    },
    /// An order that takes two people waits for the second.
    Propose {
        by: PersonId,
        reason: String,
        what: Proposed,
    },
    /// The second person's yes. `known`: the site knows who that is.
    Second {
        request: RequestId,
        by: PersonId,
        known: bool,
        reason: String,
    },
    /// Passwords, tokens, logins.
    Credential {
        by: PersonId,
        reason: String,
        what: Credential,
    },
    /// A person takes a step with a change.
    Change {
        by: PersonId,
        reason: String,
        order: Box<ChangeOrder>,
    },
    /// A person opens an incident, or takes a step with one.
    Incident {
        by: PersonId,
        reason: String,
        order: Box<IncidentOrder>,
    },
    /// A person takes a step with the hand-over of a shift.
    HandOver {
        by: PersonId,
        reason: String,
        order: Box<HandOverOrder>,
    },
    /// A person enters a figure of the service levels; the reason says where it is from.
    Figure {
        by: PersonId,
        reason: String,
        order: Box<FigureOrder>,
    },
    /// Every deadline that will be missed, and all that windows will close on, as far as expected times tell now.
    Foresee {
        late: Vec<Foreseen>,
        closing: Vec<Closing>,
    },
    /// A message is refused for good. `about`: the incident that it told of.
    MessageRefused {
        about: Option<IncidentId>,
        to: String,
        why: String,
    },
    /// The store could not be written since then, and can be again.
    StoreBack {
        since: jiff::Timestamp,
        why: String,
    },
    /// Another system tells of something; the jobs that wait for it are found here.
    Receive(Box<Received>),
    /// These jobs and what follows them again, in the same run.
    Rerun {
        run: RunId,
        jobs: Vec<JobName>,
        by: PersonId,
        reason: String,
    },
    /// From now on the starts of these definitions' schedules are made here, or only told of.
    Serve {
        site: Arc<Site>,
        observes: bool,
        /// The commit that they came from, where they are taken from commits.
        revision: Option<Revision>,
    },
    /// Changed job files cannot be used.
    RefuseDefinitions {
        why: String,
    },
    /// A start of a schedule was due, and cannot be made.
    MissStart {
        batch: BatchId,
        scheduled: jiff::Timestamp,
        why: MissedWhy,
    },
    /// A person lets a store that was restored from a backup go on.
    TakeIn(Box<TakeIn>),
    /// Hand-overs that were over before this instant are not kept any longer.
    ForgetHandOvers {
        before: jiff::Timestamp,
    },
    /// A run that is over is in a file.
    Archived(Box<RunArchived>),
    /// No new starts any more, in any run.
    Stop {
        by: PersonId,
        how: StopHow,
    },
}

impl Event {
    /// [`Event::Across`] of what was read before a turn began, less what the turn itself has found out since: runs that
    /// are here may have moved in it, and what was read of them is old.
    pub fn across_since(
        known: Vec<(JobRef, BusinessDate, Option<Outcome>)>,
        decided: &[(jiff::Timestamp, Fact)],
    ) -> Self {
        let told = |wanted: &(JobRef, BusinessDate, Option<Outcome>)| {
            decided.iter().any(|(_, fact)| {
                matches!(fact, Fact::AcrossKnown { job, date, .. } if *job == wanted.0 && *date == wanted.1)
            })
        };
        Self::Across { known: known.into_iter().filter(|wanted| !told(wanted)).collect() }
    }
}
