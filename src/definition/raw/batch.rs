//! A batch file.

use jiff::civil::{Date, Time};

use super::job::JobRecord;
use super::leaf::{MissedWord, Parameter, Word};
use super::placement::Placed;
use super::record::record;
use super::site::Version;
use super::{List, Names, Nullable};
use crate::definition::day_words::DayWords;
use crate::definition::site::{ChangeClass, ChangeKind, FoldPolicy, GapPolicy};
use crate::types::{
    BatchId, CalendarName, EventName, JobName, PolicyName, Severity, Span, TeamName, WindowClass,
    Zone,
};

record! {
    /// A batch: jobs that need each other, with a schedule and a business date.
    pub(crate) struct BatchFile {
        /// The format of the file: 1.
        required version: Version,
        /// The batch's id, once in the whole site.
        required batch: BatchId,
        required title: Word,
        optional title_zh: Word,
        /// The team that owns it.
        optional team: TeamName,
        /// Its business days; the site's calendar by default.
        optional calendar: CalendarName,
        /// Before this date other batches' needs of it count as done.
        optional since: Date,
        /// Without one it runs by order only.
        optional schedule: ScheduleRecord,
        /// An event that orders it, for the event's business date.
        optional on_event: EventName,
        /// `same day` (default), or business days from the start's date: `-1bd`.
        optional business_date: Word,
        /// Where its jobs run that say nothing: the name of a host, or a label. Default: local.
        optional host: Placed,
        /// Window class of every job of the batch.
        optional window: WindowClass,
        /// The first such clock time at or after the scheduled start.
        optional must_start_by: Time,
        /// The first such clock time at or after the scheduled start.
        optional must_complete_by: Time,
        /// How grave its incidents are, of jobs that say nothing: p1, p2, p3.
        optional severity: Severity,
        /// Who is told of its incidents; as escalation.yaml says for the severity by default.
        optional escalation: PolicyName,
        /// Parameters with their defaults; one without a default must be given with the order.
        optional parameters: Names<Parameter, Nullable<String>>,
        /// The jobs; a batch has these or `changes`.
        optional jobs: Names<JobName, JobRecord>,
        /// The list of a window: its jobs are the changes that are on it when its run is opened.
        optional changes: ListRecord,
    }
}

record! {
    /// Which changes are on the list.
    pub(crate) struct ListRecord {
        /// Where they are executed: one of `environments` of change-rules.yaml.
        required environment: String,
        /// All by default.
        optional classes: List<ChangeClass>,
        /// normal, emergency; both by default.
        optional kinds: List<ChangeKind>,
    }
}

record! {
    /// When a batch starts: `on` with `at`, or `cron`.
    pub(crate) struct ScheduleRecord {
        /// Days in words.
        optional on: DayWords,
        /// Clock times of those days.
        optional at: List<Time>,
        /// Minute, hour, day, month, weekday by name.
        optional cron: Word,
        /// The site's zone by default.
        optional zone: Zone,
        /// A start in the hour that daylight saving leaves out: shift (default) or skip.
        optional gap: GapPolicy,
        /// A start in the hour that comes twice: first (default), second or both.
        optional fold: FoldPolicy,
        /// Starts that nobody was there to make: none (default), latest or all.
        optional missed: MissedWord,
        /// The oldest missed start that is made up, with latest and all.
        optional missed_limit: Span,
    }
}
