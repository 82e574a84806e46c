//! The resolved site: what the files of a `jobs/` tree mean once every name is known and every value checked. Plain data:
//! a run stores the part that it uses (see [`Site::part`]) and goes by that copy to its end.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::types::{
    BatchId, CalendarName, ChangeId, Condition, HostName, JobName, JobRef, Lang, PersonId,
    PoolName, Role, Span, TargetName, TeamName, Text, WindowClass, Zone,
};

/// Everything that one `jobs/` tree declares (站点).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub title: Text,
    /// Where a schedule, a window or a time names no zone of its own.
    pub zone: Zone,
    /// Language of the report and of mails to people who state none.
    pub language: Lang,
    /// Calendar of the batches that name none.
    pub calendar: Option<CalendarName>,
    pub mail: Mail,
    pub pools: BTreeMap<PoolName, u32>,
    pub hosts: BTreeMap<HostName, Host>,
    pub targets: BTreeMap<TargetName, Target>,
    pub people: BTreeMap<PersonId, Person>,
    pub calendars: BTreeMap<CalendarName, Calendar>,
    pub windows: BTreeMap<WindowClass, Window>,
    pub freezes: Vec<Freeze>,
    pub changes: BTreeMap<ChangeId, Change>,
    pub batches: BTreeMap<BatchId, Arc<Batch>>,
}

/// How mail leaves, and who gets what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub from: String,
    pub transport: Transport,
    /// Who is mailed when a critical job fails: everyone with this role.
    pub failures_to: Role,
    /// Who gets the morning report: everyone with this role.
    pub report_to: Role,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A folder of `.eml` files, beneath the state folder when relative.
    Folder(PathBuf),
    Smtp(Smtp),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// Certificates (PEM) that the server's may be signed by, besides those that the host trusts.
    pub ca: Option<PathBuf>,
    pub user: Option<String>,
    /// The file that holds the password; the password itself is never in a job file.
    pub password_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    None,
    StartTls,
    Implicit,
}

/// A host that jobs run on; `local` is the supervisor's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Whether runs with a set clock may use it.
    pub trial: bool,
    /// Attempts at a time.
    pub max_running: u32,
}

/// A database that SQL runs against (目标库).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub title: Text,
    pub engine: Engine,
    /// Such as `uat`, `pre-production`, `production`.
    pub environment: String,
    pub trial: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// A file, beneath the work folder when relative. One writer: a mutex of one.
    Sqlite { path: PathBuf },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub name: Text,
    pub language: Option<Lang>,
    pub mail: Option<String>,
    pub team: Option<TeamName>,
    pub roles: Vec<Role>,
    /// The account on the supervisor's host that speaks for this person over the socket.
    pub unix_user: Option<String>,
}

/// Which days are business days (日历), and between which dates it knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calendar {
    pub title: Text,
    /// First and last date that its data cover. Outside of it no day is a business day and none is not.
    pub first: Date,
    pub last: Date,
    pub rule: CalendarRule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CalendarRule {
    /// A weekly rule (Monday first) and the dates that differ from it.
    Listed { weekly: [bool; 7], exceptions: BTreeMap<Date, Exception> },
    /// A business day in all of them.
    AllOf(Vec<CalendarName>),
    /// A business day in at least one of them.
    AnyOf(Vec<CalendarName>),
    /// The days of another calendar, moved by whole days (`+1`: the day after each of its business days).
    Shift { of: CalendarName, days: i32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    pub kind: ExceptionKind,
    pub name: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionKind {
    Holiday,
    /// A make-up working day (调休).
    Workday,
    /// A business day that ends early, at this time UTC.
    EarlyClose {
        at: Time,
    },
}

/// Days in words: `every business day`, `last business day of month -1bd`, `mon-fri`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DayRule {
    pub days: Days,
    /// Business days added to each day that `days` gives.
    pub offset: i32,
    /// Whose business days; the batch's where the file says nothing. `None` only where no calendar is needed.
    pub calendar: Option<CalendarName>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Days {
    EveryDay,
    /// Days of the week, Monday first, business days or not.
    Weekdays([bool; 7]),
    EveryBusinessDay,
    /// The nth business day of the period from its start (1, 2, …) or from its end (-1, -2, …).
    NthBusinessDay {
        nth: i32,
        of: Period,
    },
    Once(Date),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    Week,
    Month,
    Quarter,
    Year,
}

/// When a batch starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    pub rule: ScheduleRule,
    pub zone: Zone,
    pub gap: GapPolicy,
    pub fold: FoldPolicy,
    pub missed: Missed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleRule {
    /// A cron expression of five fields (minute, hour, day, month, weekday by name), as the file has it.
    Cron(String),
    /// Calendar words with the times of those days.
    Days { on: DayRule, at: Vec<Time> },
}

/// A start that falls into the hour that daylight saving leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapPolicy {
    /// As much later as the clock jumps: 02:30 starts at 03:30.
    #[default]
    Shift,
    /// Not that day; `plan` says so.
    Skip,
}

/// A start that falls into the hour that comes twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FoldPolicy {
    #[default]
    First,
    Second,
    Both,
}

/// What becomes of starts that nobody was there to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missed {
    None,
    /// Only the latest, if it is not older than the limit.
    Latest {
        limit: Span,
    },
    /// Each in order, those not older than the limit.
    All {
        limit: Span,
    },
}

/// From the scheduled start to the business date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BusinessDateRule {
    /// Business days from the start's civil date: 0 is the date itself, -1 the business day before it.
    pub offset: i32,
}

/// A DAG of jobs with a schedule and a business date (批次).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    pub id: BatchId,
    pub title: Text,
    pub team: Option<TeamName>,
    /// The file that declares it, from the site's folder; scripts are named from that file's folder.
    pub file: PathBuf,
    pub calendar: Option<CalendarName>,
    /// Before this date other batches' needs of it count as done.
    pub since: Option<Date>,
    pub schedule: Option<Schedule>,
    pub business_date: BusinessDateRule,
    /// Zone of its deadlines and of `wait: until`; the schedule's where it has one.
    pub zone: Zone,
    pub window: Option<WindowClass>,
    /// The first such clock time at or after the scheduled start.
    pub must_start_by: Option<Time>,
    pub must_complete_by: Option<Time>,
    /// Parameters with their defaults; `None` must be given with the order.
    pub parameters: BTreeMap<String, Option<String>>,
    /// In the order of the file.
    pub jobs: Vec<Job>,
}

/// One node of a batch (作业).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub name: JobName,
    pub title: Text,
    pub kind: Kind,
    pub needs: Vec<Need>,
    /// Whether its failure fails the run, opens an incident and mails people.
    pub critical: bool,
    pub retry: Retry,
    pub time_limit: Option<Span>,
    /// Between TERM and KILL.
    pub grace: Span,
    /// Bytes of stdout and stderr together.
    pub output_limit: u64,
    pub must_start_by: Option<Time>,
    pub must_complete_by: Option<Time>,
    pub expected: Option<Span>,
    /// Units of each pool; mutexes are pools of one.
    pub pools: BTreeMap<PoolName, u32>,
    /// Higher starts first among jobs that could all start now.
    pub priority: i32,
    pub env: BTreeMap<String, String>,
    /// Working folder; the run's copy of the batch file's folder where absent.
    pub dir: Option<PathBuf>,
    pub user: Option<String>,
    pub host: HostName,
    pub runbook: Option<Text>,
    pub success: Success,
    /// On which business dates it takes part; every one where absent.
    pub days: Option<DayRule>,
    pub window: Option<WindowClass>,
    pub survivors: Survivors,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Run {
        argv: Vec<String>,
    },
    Shell {
        script: String,
    },
    /// `script` is a path from the batch file's folder, or begins with the word `{work}`: then an earlier job writes it,
    /// its words are replaced at the start, and no copy is kept.
    Sql {
        target: TargetName,
        script: PathBuf,
        transaction: Transaction,
    },
    Change {
        change: ChangeId,
    },
    WaitFile {
        path: String,
        stable: Span,
        every: Span,
        limit: Span,
    },
    /// The first such clock time at or after the scheduled start, in the batch's zone.
    WaitUntil {
        time: Time,
    },
    /// Met when the query's first row has a true value (not 0, not empty, not NULL) in its first column.
    WaitSql {
        target: TargetName,
        query: String,
        every: Span,
        limit: Span,
    },
    Confirm {
        question: Text,
        role: Option<Role>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transaction {
    /// The whole script in one transaction.
    #[default]
    One,
    /// Each statement by itself.
    None,
}

/// What a job needs before it may start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Need {
    pub of: NeedOf,
    pub when: Condition,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NeedOf {
    /// A job of the same batch and run.
    Job(JobName),
    /// A job of another batch or date: `eod.close@-1bd`. Business days are those of the batch that needs.
    Across { job: JobRef, offset: i32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retry {
    /// Further attempts after the first.
    pub max: u32,
    pub wait: Span,
    /// Each wait is this many times the one before.
    pub growth: f64,
    pub on: Vec<EndingKind>,
}

/// Endings by name, as `retry.on` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndingKind {
    /// An exit code or output that the success rule does not take.
    Exit,
    Signal,
    Timeout,
    OutputLimit,
    CouldNotStart,
    Lost,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Success {
    pub exit_codes: Vec<i32>,
    /// A line of stdout or stderr must contain this text.
    pub line: Option<String>,
}

/// Processes that a job leaves behind when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survivors {
    #[default]
    Kill,
    Leave,
}

/// A class of windows: open while one of its openings is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    pub title: Text,
    pub open: Vec<Opening>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub days: DayRule,
    pub from: Time,
    /// At or before `from`: the day after.
    pub to: Time,
    pub zone: Zone,
    /// Only where another zone is on daylight-saving or standard time at the instant of opening (D9).
    pub only_while: Option<Season>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Season {
    pub zone: Zone,
    /// True: daylight-saving time. False: standard time.
    pub daylight: bool,
}

/// Closes what would be open (封版).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Freeze {
    pub reason: Text,
    pub from: Timestamp,
    pub to: Timestamp,
    pub scope: FreezeScope,
}

/// What a freeze stops: the whole site when every list is empty, else what one of them names.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FreezeScope {
    pub batches: Vec<BatchId>,
    pub windows: Vec<WindowClass>,
    pub targets: Vec<TargetName>,
    pub hosts: Vec<HostName>,
}

/// A database change (变更): its folder has `change.yaml`, `backup.sql`, `change.sql`, `verify.sql`, `rollback.sql`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub id: ChangeId,
    pub title: Text,
    pub class: ChangeClass,
    pub reason: Text,
    pub requester: Option<PersonId>,
    pub target: TargetName,
    /// The folder, from the site's folder.
    pub folder: PathBuf,
    /// Rows that the change may touch in all; outside of it nothing is committed.
    pub rows: RowLimits,
    /// Time that verification needs at the most; part of the must-fit rule.
    pub verify_takes: Span,
    pub rollback_takes: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowLimits {
    pub min: u64,
    pub max: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeClass {
    Data,
    Structure,
    Parameter,
    BugFix,
    Release,
}

impl Batch {
    pub fn job(&self, name: &JobName) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == *name)
    }

    /// The folder that its scripts are named from, from the site's folder.
    pub fn folder(&self) -> &std::path::Path {
        self.file.parent().unwrap_or(std::path::Path::new(""))
    }
}

impl Site {
    /// The part of the site that a run of `batch` goes by: without the other batches' jobs.
    pub fn part(&self, batch: &BatchId) -> Self {
        let mut part = self.clone();
        let changes: Vec<&ChangeId> = self
            .batches
            .get(batch)
            .into_iter()
            .flat_map(|b| &b.jobs)
            .filter_map(|job| match &job.kind {
                Kind::Change { change } => Some(change),
                _ => None,
            })
            .collect();
        part.changes.retain(|id, _| changes.contains(&id));
        part.batches = self
            .batches
            .iter()
            .map(|(id, other)| {
                let kept = if id == batch {
                    Arc::clone(other)
                } else {
                    Arc::new(Batch { jobs: Vec::new(), ..Batch::clone(other) })
                };
                (id.clone(), kept)
            })
            .collect();
        part
    }

    /// People with a role, in the order of their ids.
    pub fn with_role<'a>(
        &'a self,
        role: &'a Role,
    ) -> impl Iterator<Item = (&'a PersonId, &'a Person)> {
        self.people.iter().filter(|(_, person)| person.roles.contains(role))
    }
}
