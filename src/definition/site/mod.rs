//! The resolved site: what the files of a `jobs/` tree mean once every name is known and every value checked.
//!
//! Plain data. A run stores the part that it uses (see [`Site::part`]) and goes by that copy to its end.

mod calendar;
mod change;
mod change_rules;
mod checklist;
mod duty;
mod escalation;
mod host;
mod inspection;
mod job;
mod life_sign;
mod placement;
mod report;
mod roster_rules;
mod schedule;
mod service_levels;
mod slurm;
mod target;
mod webhook;
mod window;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use crate::types::{
    BatchId, CalendarName, ChangeId, ChannelName, EventName, HostName, JobName, Lang, PersonId,
    Phone, PolicyName, PoolName, Rights, Role, Severity, Span, TargetName, TeamName, Text,
    WindowClass, Zone,
};

pub use calendar::{Calendar, CalendarRule, DayRule, Days, Exception, ExceptionKind, Period};
pub use change::{
    Backup, BackupTable, Change, ChangeClass, ChangeKind, ChangeMode, KEPT_IDS, Papers, Permission,
    RowLimits,
};
pub use change_rules::{
    ApprovalRule, Case, ChangeRules, ChangeScope, EmergencyRule, IntakeRule, Part, PromotionRule,
    Quorum, RehearsalRule, StatisticsRule, StepWord, SubmissionRule, WeeklyRule, WindowRule,
};
pub use checklist::{Before, CheckRule, Moment};
pub use duty::{
    Assignment, BulletinRules, Duty, DutyDays, HandOverRule, HandOverRules, Hours, Leave, Notice,
    Override, Rotation, Shift, Swap, Team, TurnLength,
};
pub use escalation::{Clocks, Drill, Escalation, Limit, Policy, Rung, Tell, Way};
pub use host::{Host, Ssh};
pub use inspection::{InspectCheck, InspectionRules, Look, MemoryOf, RoundRule};
pub use job::{
    Containment, EndingKind, Job, Kind, Need, NeedOf, Retry, Success, Survivors, Transaction,
};
pub use life_sign::{LifeSignRule, SignMail};
pub use placement::{Choose, Placement};
pub use report::{ReportFormat, ReportRules};
pub use roster_rules::{
    ApprovedRule, CoverRule, LongLeaveRule, NoticeRule, RestRule, RosterRules, Weight,
};
pub use schedule::{BusinessDateRule, FoldPolicy, GapPolicy, Missed, Schedule, ScheduleRule};
pub use service_levels::{
    Figure, FigureLimit, FigurePart, FigureSource, LateIncidents, MorePenalty, Penalties,
    ServiceLevels,
};
pub use slurm::Slurm;
pub use target::{Client, ClientIdentity, Engine, Server, ServerTls, Target};
pub use webhook::{Webhook, WebhookFormat, WebhookUrl};
pub use window::{Freeze, FreezeScope, Opening, Season, Window};

/// Who has this role may do everything, whatever the site declares.
pub const ADMIN_ROLE: &str = "admin";

/// Everything that one `jobs/` tree declares (站点).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    pub title: Text,
    /// Where a schedule, a window or a time names no zone of its own.
    pub zone: Zone,
    /// Language of the report and of mails to people who state none.
    pub language: Lang,
    /// Calendar of the batches that name none.
    pub calendar: Option<CalendarName>,
    /// Where browsers reach the service, without a slash at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    pub mail: Mail,
    #[serde(default, skip_serializing_if = "ReportRules::is_default")]
    pub reports: ReportRules,
    /// Rooms and programs that are told over HTTP.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub webhooks: BTreeMap<ChannelName, Webhook>,
    /// Where a service says that it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub life_sign: Option<LifeSignRule>,
    /// How often a day inspections are made; `None`: nobody counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inspections: Option<InspectionRules>,
    pub pools: BTreeMap<PoolName, u32>,
    pub hosts: BTreeMap<HostName, Host>,
    pub targets: BTreeMap<TargetName, Target>,
    pub people: BTreeMap<PersonId, Person>,
    pub calendars: BTreeMap<CalendarName, Calendar>,
    pub windows: BTreeMap<WindowClass, Window>,
    pub freezes: Vec<Freeze>,
    /// Actions that take two people (双人复核).
    #[serde(default)]
    pub second_person: Vec<TwoPeople>,
    /// What each role may do; empty where everybody may do everything but administer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rights: BTreeMap<Role, Rights>,
    #[serde(default, skip_serializing_if = "Duty::is_empty")]
    pub duty: Duty,
    /// Who is told of incidents, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Arc<Escalation>>,
    /// What the service contract counts; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_levels: Option<Arc<ServiceLevels>>,
    pub changes: BTreeMap<ChangeId, Change>,
    /// Without it changes are jobs like others, and nobody approves them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_rules: Option<Arc<ChangeRules>>,
    pub batches: BTreeMap<BatchId, Arc<Batch>>,
}

/// An action that a site may ask two people for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TwoPeople {
    /// A job declared done.
    Force,
    /// Work outside of its window.
    WindowOverride,
    /// A freeze lifted before its end.
    Unfreeze,
    /// A change ended while it runs, by itself or with its run.
    KillChange,
}

/// How mail leaves, and who gets what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub from: String,
    pub transport: Transport,
    /// Who is mailed when a critical job fails: everyone with this role.
    pub failures_to: Role,
    /// Who gets the morning report: everyone with this role.
    pub report_to: Role,
    /// How long a message is tried again that nobody takes.
    #[serde(default = "three_days", skip_serializing_if = "is_three_days")]
    pub give_up_after: Span,
}

impl Mail {
    pub const GIVE_UP_AFTER: Span = Span::seconds(3 * 24 * 3_600);
}

/// As where nothing is said: what was stored before there was a word for it stays as it is.
fn three_days() -> Span {
    Mail::GIVE_UP_AFTER
}

fn is_three_days(span: &Span) -> bool {
    *span == Mail::GIVE_UP_AFTER
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// A folder of `.eml` files, beneath the state folder when relative.
    Folder(PathBuf),
    Smtp(Smtp),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: Text,
    pub language: Option<Lang>,
    pub mail: Option<String>,
    /// Shown where people are named who are on shift; nothing dials it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// The webhook that reaches this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<ChannelName>,
    pub team: Option<TeamName>,
    pub roles: Vec<Role>,
    /// The account on the supervisor's host that speaks for this person over the socket.
    pub unix_user: Option<String>,
}
/// A DAG of jobs with a schedule and a business date (批次).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The event that orders it for its business date, beside the schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_event: Option<EventName>,
    pub business_date: BusinessDateRule,
    /// Zone of its deadlines and of `wait: until`; the schedule's where it has one.
    pub zone: Zone,
    pub window: Option<WindowClass>,
    /// The first such clock time at or after the scheduled start.
    pub must_start_by: Option<Time>,
    pub must_complete_by: Option<Time>,
    /// How grave its incidents are, of jobs that say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Who is told of its incidents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation: Option<PolicyName>,
    /// Parameters with their defaults; `None` must be given with the order.
    pub parameters: BTreeMap<String, Option<String>>,
    /// In the order of the file. Of a list none, until a run of it is opened.
    pub jobs: Vec<Job>,
    /// Its jobs are the changes that are on this list when a run is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ChangeList>,
}

/// Which changes a batch takes for its jobs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeList {
    pub environment: String,
    /// All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ChangeClass>,
    /// All when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<ChangeKind>,
}

impl ChangeList {
    pub fn takes(&self, change: &Change) -> bool {
        (self.classes.is_empty() || self.classes.contains(&change.class))
            && (self.kinds.is_empty() || self.kinds.contains(&change.kind))
    }
}

impl Batch {
    pub fn job(&self, name: &JobName) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == *name)
    }

    /// Deadlines, or windows that close; of changes the rules may give some.
    pub fn has_limits(&self) -> bool {
        let own = [self.must_start_by, self.must_complete_by];
        let jobs = self.jobs.iter().flat_map(|job| [job.must_start_by, job.must_complete_by]);
        let bound = |job: &Job| job.window.is_some() || matches!(job.kind, Kind::Change { .. });
        let windows = self.window.is_some() || self.jobs.iter().any(bound);
        windows || own.into_iter().chain(jobs).any(|time| time.is_some())
    }

    /// The folder that its scripts are named from, from the site's folder.
    pub fn folder(&self) -> &std::path::Path {
        self.file.parent().unwrap_or(std::path::Path::new(""))
    }
}
impl Site {
    /// The part of the site that a run of `batch` goes by: of other batches only those that its jobs need, without their
    /// jobs.
    pub fn part(&self, batch: &BatchId) -> Self {
        let jobs = || self.batches.get(batch).into_iter().flat_map(|batch| &batch.jobs);
        let mut part = self.without_work();
        part.changes = jobs()
            .filter_map(|job| match &job.kind {
                Kind::Change { change, .. } => self.changes.get_key_value(change),
                _ => None,
            })
            .map(|(id, change)| (id.clone(), change.clone()))
            .collect();
        let needed = jobs().flat_map(|job| &job.needs).filter_map(|need| match &need.of {
            NeedOf::Across { job, .. } => self.batches.get_key_value(&job.batch),
            NeedOf::Job(_) => None,
        });
        for (id, other) in needed {
            let header = || Arc::new(Batch { jobs: Vec::new(), ..Batch::clone(other) });
            part.batches.entry(id.clone()).or_insert_with(header);
        }
        if let Some(own) = self.batches.get(batch) {
            part.batches.insert(batch.clone(), Arc::clone(own));
        }
        part
    }

    /// Everything but batches, changes, and who is on call: that is asked as it stands.
    fn without_work(&self) -> Self {
        Self {
            title: self.title.clone(),
            zone: self.zone.clone(),
            language: self.language,
            calendar: self.calendar.clone(),
            url: self.url.clone(),
            mail: self.mail.clone(),
            reports: self.reports.clone(),
            webhooks: self.webhooks.clone(),
            life_sign: None,
            inspections: self.inspections.clone(),
            pools: self.pools.clone(),
            hosts: self.hosts.clone(),
            targets: self.targets.clone(),
            people: self.people.clone(),
            calendars: self.calendars.clone(),
            windows: self.windows.clone(),
            freezes: self.freezes.clone(),
            second_person: self.second_person.clone(),
            rights: self.rights.clone(),
            duty: Duty::default(),
            escalation: None,
            service_levels: None,
            changes: BTreeMap::new(),
            change_rules: self.change_rules.clone(),
            batches: BTreeMap::new(),
        }
    }

    /// Whether an action takes two people here.
    pub fn takes_two(&self, action: TwoPeople) -> bool {
        self.second_person.contains(&action)
    }

    /// People with a role, in the order of their ids.
    pub fn with_role<'a>(
        &'a self,
        role: &'a Role,
    ) -> impl Iterator<Item = (&'a PersonId, &'a Person)> {
        self.people.iter().filter(|(_, person)| person.roles.contains(role))
    }
}
