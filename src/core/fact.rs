//! Everything that the core decides or takes note of. Facts are what the journal keeps; applying them in order gives
//! the state again, live, in a follower and in replay.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::definition::site::Freeze;
use crate::types::tagged::ByFirstField;
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, ChangeId, Condition, Epoch, EventKey, EventName,
    FreezeId, HandOverId, HostName, IncidentId, JobName, JobRef, Outcome, PersonId, PoolName,
    RequestId, Revision, Rights, RunId, Span, TokenId,
};
use crate::wire::Ended;

mod names;

pub use super::action::{Action, Approved, Proposed};
use super::bulletin::Bulletin;
pub use super::change::ChangeStep;
use super::change::WeeklyTold;
use super::figure::FigureEntered;
use super::hand_over;
pub use super::incident::{Moved, Opened};
use super::inspection::{DayCount, Round};
pub use super::login::{LoginHow, LoginTrouble};
pub use super::past::{LostAttempt, RunArchived, RunLost};
pub use super::received::{JobOfRun, Received};
pub use super::run_opened::{AcrossNeed, RunOpened};
pub use super::starts::{LateWhy, MissedWhy, TakenSchedule};

/// An enum that is written with its name as the first field, and read so; serde's own reading takes twice as long.
macro_rules! named_first {
    ($(#[$about:meta])* pub enum Fact { $($variants:tt)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(rename_all = "kebab-case", tag = "fact")]
        pub enum Fact { $($variants)* }

        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case", remote = "Fact")]
        enum Read { $($variants)* }
    };
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Read::deserialize(ByFirstField { tag: "fact", from })
    }
}

named_first! {
/// One thing that was decided or observed. Stored as JSON; a field added later has a default.
pub enum Fact {
    /// A run began; everything after it goes by this definition.
    RunOpened(Box<RunOpened>),
    /// A supervisor took the run up again (another boot of the host rebases waits that count from boot).
    RunResumed {
        run: RunId,
        by: PersonId,
        boot: BootId,
        since_boot: Duration,
    },
    /// Nothing of the run moves any more.
    RunEnded {
        run: RunId,
        result: RunResult,
    },
    /// Work was asked for in a run that had ended.
    RunReopened {
        run: RunId,
    },

    /// The intent: from here on the attempt may have been started. `examine`: it looks at what became of the one before it,
    /// and applies nothing.
    AttemptIntended {
        attempt: AttemptId,
        host: HostName,
        boot: BootId,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        examine: bool,
    },
    AttemptStarted {
        attempt: AttemptId,
        pid: u32,
        at: Timestamp,
    },
    AttemptEnded {
        ended: Box<Ended>,
        good: bool,
    },
    /// The next try waits.
    RetryPlanned {
        run: RunId,
        job: JobName,
        wait: Span,
        since_boot: Duration,
    },

    /// A job came to an end for the run.
    Settled {
        run: RunId,
        job: JobName,
        outcome: Outcome,
        why: Why,
    },
    /// A settled job waits again: what it needs was retried, or it itself.
    Reopened {
        run: RunId,
        job: JobName,
    },
    /// What became of the job cannot be known; people decide.
    InDoubt {
        run: RunId,
        job: JobName,
        why: String,
    },
    DeadlineMissed {
        run: RunId,
        job: Option<JobName>,
        deadline: Deadline,
        due: Timestamp,
    },
    /// The time of reports has come while the run is under way: people are told how it stands.
    ReportTold {
        run: RunId,
    },
    /// A job of another run (or date) that a run's jobs need came out so.
    AcrossKnown {
        job: JobRef,
        date: BusinessDate,
        outcome: Option<Outcome>,
    },

    /// Something is wrong, or wanted.
    IncidentOpened(Box<Opened>),
    /// A step in the life of an incident: a person took it, or its time had come.
    IncidentMoved(Box<Moved>),
    /// What was wrong is well again.
    IncidentClosed {
        incident: IncidentId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        job: Option<JobName>,
    },

    /// The lists and plans of the week that were to be told of.
    WeeklyTold(Box<WeeklyTold>),
    /// What has happened in a time was compiled for people.
    BulletinTold(Box<Bulletin>),
    /// A run was a round of inspections.
    RoundInspected(Box<Round>),
    /// A day is over, and its rounds of inspections are counted.
    InspectionsCounted(Box<DayCount>),
    /// A person has entered a figure of the service levels.
    FigureEntered(Box<FigureEntered>),
    /// A shift is to be handed over to the next.
    HandOverOpened(Box<hand_over::Opened>),
    /// A step of that: a person took it, or its time had come.
    HandOverMoved(Box<hand_over::Moved>),

    /// From `since` on the starts of this schedule are made here; `None`: the batch has none any more.
    ScheduleTaken {
        batch: BatchId,
        schedule: Option<Box<TakenSchedule>>,
        since: Timestamp,
    },
    /// From now on runs begin with the job files of this commit.
    DefinitionsTaken {
        revision: Revision,
    },
    /// Changed job files cannot be used; those of before stay in force.
    DefinitionsRefused {
        why: String,
    },
    /// Starts of a schedule, one after the other, that were not made, and will not be.
    StartsMissed {
        batch: BatchId,
        first: Timestamp,
        last: Timestamp,
        count: u32,
        why: MissedWhy,
    },

    /// Everything that a `confirm` or `wait: event` job needs is there: from now on it waits for a person, or for its event.
    Asked {
        run: RunId,
        job: JobName,
    },

    /// A person did something; what follows from it are facts of their own.
    Acted {
        run: RunId,
        by: PersonId,
        reason: String,
        action: Action,
        /// Who said yes to it as the second person, where the site asks for one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<PersonId>,
    },

    /// Nothing of its scope starts in its time.
    Frozen {
        freeze: FreezeId,
        by: PersonId,
        what: Box<Freeze>,
        /// The site wants two people to lift it.
        two_lift: bool,
    },
    /// The freeze is lifted before its end.
    Unfrozen {
        freeze: FreezeId,
        by: PersonId,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<PersonId>,
    },
    /// A pool has so many units until then.
    PoolSized {
        pool: PoolName,
        size: u32,
        until: Timestamp,
        by: PersonId,
        reason: String,
    },
    /// The pool has its declared size again: the night is over.
    PoolBack {
        pool: PoolName,
    },
    /// The host takes no new attempts; what runs there goes on.
    HostDrained {
        host: HostName,
        by: PersonId,
        reason: String,
    },
    /// It takes new attempts again.
    HostUndrained {
        host: HostName,
        by: PersonId,
        reason: String,
    },
    /// An action that needs a second person waits for one.
    SecondAsked {
        request: RequestId,
        by: PersonId,
        reason: String,
        what: Proposed,
        until: Timestamp,
    },
    /// The second person's yes; what follows from it are facts of their own.
    SecondGiven {
        request: RequestId,
        by: PersonId,
        reason: String,
        /// What the first person may order now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Box<Approved>>,
    },
    /// The order that the second person has said yes to was given.
    SecondUsed {
        request: RequestId,
    },

    /// Somebody has a password, or another one. What is kept of it is not here.
    PasswordSet {
        person: PersonId,
        by: PersonId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    /// A token of the API was made; its secret was shown once.
    TokenMade {
        token: TokenId,
        person: PersonId,
        /// What it is for, in words.
        name: String,
        /// What it may be used for, of what its person may do when it is used.
        rights: Rights,
        expires: Timestamp,
        by: PersonId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    TokenRevoked {
        token: TokenId,
        by: PersonId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
    },
    LoggedIn {
        person: PersonId,
        how: LoginHow,
        /// The address that it came from.
        from: String,
    },
    LoginRefused {
        /// Whom it was tried for; nobody where the name is no person's: it may be a password in the wrong field.
        person: Option<PersonId>,
        from: String,
        why: LoginTrouble,
    },

    /// A step in the life of a change: a person took it, or it follows from its execution.
    ChangeMoved {
        change: ChangeId,
        /// Counts the steps of the change, from 1.
        number: u32,
        by: PersonId,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        second: Option<PersonId>,
        step: Box<ChangeStep>,
    },

    /// Another system told of something, and a key that was not known yet; what follows from it are facts of their own.
    EventReceived(Box<Received>),
    /// The event is too old to count, and its key is not known any more.
    EventForgotten {
        key: EventKey,
    },

    /// The hand-over was over long ago, and is not known any more; its entries stay.
    HandOverForgotten {
        hand_over: HandOverId,
        /// How many steps it had.
        steps: u32,
    },

    /// No new starts for this run: the supervisor is being stopped.
    Stopping {
        run: RunId,
        by: PersonId,
        how: StopHow,
    },

    /// A person lets a store that was restored from a backup go on; what it lacks follows as facts of its own.
    StoreRestored {
        by: PersonId,
        reason: String,
        /// When the backup was made; what came between then and now is lost.
        made: Timestamp,
        /// The highest epoch that an agent has obeyed.
        epoch: Epoch,
    },
    /// An attempt that a host knows of and the restored store does not: it may have been started, and is asked after like
    /// any other.
    AttemptRecovered {
        attempt: AttemptId,
        host: HostName,
        boot: BootId,
    },
    /// A run that was opened after the backup was made, as far as hosts and targets know of it. Nothing of it moves here.
    RunLost(Box<RunLost>),
    /// The run's entries, attempts and logs are in this file, and are not kept here any more.
    RunArchived(Box<RunArchived>),
}
}

/// How a run ended; the exit code of `nightrun run` follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunResult {
    /// Every critical job ended well.
    Well,
    /// A critical job failed, is blocked, or cannot be known.
    Failed,
    /// Stopped by a person or a signal; can be resumed.
    Stopped,
    /// Given up by a person; only a rerun does its work.
    Cancelled,
    /// What the store knew of it was lost, and an older copy restored.
    Lost,
}

impl RunResult {
    /// The exit code of `nightrun run`: 0 ended well, 1 a critical job failed or is unknown, or the run was cancelled, 4
    /// stopped and resumable.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Failed | Self::Cancelled | Self::Lost => 1,
            Self::Stopped => 4,
        }
    }
}

/// Why a job was settled as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Why {
    /// Its last attempt says so.
    Attempt { attempt: AttemptId },
    /// Its waiting time has come (`wait: until`).
    TimeCame,
    /// The event has come that it waits for; in a trial, which hears none, there is no key.
    EventCame { event: EventName, key: Option<EventKey> },
    /// The event has not come within its limit.
    NoEvent { event: EventName, limit: Span },
    /// Its calendar leaves this business date out.
    NotItsDay { reason: String },
    /// Not among the jobs that were asked for.
    NotAsked,
    /// A job that it needs came out otherwise than it needs.
    Need { job: String, when: Condition, outcome: Outcome },
    /// A person decided.
    Person { by: PersonId, reason: String },
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Deadline {
    MustStartBy,
    MustCompleteBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopHow {
    /// What runs may end.
    Wait,
    /// TERM, the job's grace, KILL.
    Terminate,
    /// KILL.
    Kill,
}
