//! The rule set (规则集) of a house for its changes: hours, lists, roles and limits, none of them compiled in.

use std::collections::BTreeMap;

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

use super::{ChangeClass, ChangeKind, CheckRule};
use crate::types::{
    CheckName, MarketName, ProductLine, Role, Span, Text, WeekTime, WindowClass, Zone,
};

/// `change-rules.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRules {
    pub title: Text,
    /// Of its clock times and days.
    pub zone: Zone,
    /// In the order of promotion.
    pub environments: Vec<String>,
    /// Those whose databases are made anew from time to time: what was done there need not be there any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refreshed: Vec<String>,
    /// Roles that stand in for a role (AB角).
    pub deputies: BTreeMap<Role, Vec<Role>>,
    /// Who may take a step that is neither review, approval nor confirmation; whoever takes part in changes where a step
    /// is not named.
    pub steps: BTreeMap<StepWord, Vec<Role>>,
    /// The first that matches counts.
    pub approvals: Vec<ApprovalRule>,
    /// What roles are asked when they approve.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub questions: BTreeMap<CheckName, Text>,
    /// How long an approval holds.
    pub approvals_hold: Option<Span>,
    /// Of each group all are different people.
    pub distinct: Vec<Vec<Part>>,
    pub promotion: Option<PromotionRule>,
    /// Where a change is executed with rehearsal; the first that matches counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rehearsal: Vec<RehearsalRule>,
    pub submission: Option<SubmissionRule>,
    /// The first that matches counts.
    pub intake: Vec<IntakeRule>,
    /// The first that matches counts.
    pub windows: Vec<WindowRule>,
    /// With the window class that is open while it trades.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub markets: BTreeMap<MarketName, WindowClass>,
    /// What is confirmed before a submission, a start or a closing.
    pub checklist: BTreeMap<CheckName, CheckRule>,
    /// Meetings and deadlines of each week.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weekly: Vec<WeeklyRule>,
    pub emergency: EmergencyRule,
    /// With the role of its director.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub product_lines: BTreeMap<ProductLine, Role>,
    #[serde(default)]
    pub statistics: StatisticsRule,
    /// Who is mailed a list when it is sealed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seal_mail: Vec<Role>,
    /// Who confirms that a normal change whose window has passed may run; nobody: it may not.
    pub late: Option<Role>,
}

/// What a rule is about: an empty list means all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeScope {
    pub classes: Vec<ChangeClass>,
    pub environments: Vec<String>,
    pub kinds: Vec<ChangeKind>,
}

/// Who reviews and approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    pub scope: ChangeScope,
    pub review: Option<Quorum>,
    /// One after the other.
    pub roles: Vec<Quorum>,
}

/// So many different people with a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quorum {
    pub role: Role,
    pub people: u32,
    /// What each of them answers with yes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks: Vec<CheckName>,
}

/// A part that somebody has in a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    Requester,
    Author,
    Reviewer,
    Approver,
    Executor,
    Watcher,
}

impl Part {
    pub const ALL: [Self; 6] = [
        Self::Requester,
        Self::Author,
        Self::Reviewer,
        Self::Approver,
        Self::Executor,
        Self::Watcher,
    ];

    /// As files write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Author => "author",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Executor => "executor",
            Self::Watcher => "watcher",
        }
    }
}

/// A step that a role may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepWord {
    Create,
    Assign,
    Submit,
    Return,
    Withdraw,
    Schedule,
    Decide,
    FeedBack,
    Close,
    Archive,
    /// To release a list, as its executor.
    Release,
    Watch,
}

/// What is done in the former environments first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionRule {
    pub scope: ChangeScope,
}

/// A change is executed with rehearsal: change, rollback and change again. Later environments ask for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RehearsalRule {
    pub scope: ChangeScope,
    /// How long it counts; `None`: for ever.
    pub within: Option<Span>,
}

/// Limits of a normal change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionRule {
    pub scope: ChangeScope,
    /// Until then of the day of its window.
    pub by: Option<Time>,
    /// Days between acceptance and the day of its window, at the least.
    pub accepted_before: Option<u32>,
    /// What whoever submits it confirms.
    pub confirm: Vec<CheckName>,
    /// Confirmed on the day of its window.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub that_day: bool,
}

/// When an environment takes changes in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeRule {
    pub scope: ChangeScope,
    /// Open while changes are taken in.
    pub window: WindowClass,
    /// From then on nothing is taken for the list of that day (封版).
    pub seal: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowRule {
    pub scope: ChangeScope,
    pub window: WindowClass,
}

/// A meeting of each week, or a plan that is due (D15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WeeklyRule {
    pub title: Text,
    /// The environment whose list it is about.
    pub list: Option<String>,
    pub meets: Vec<WeekTime>,
    /// What is to be on the list is handed in before.
    pub due: Option<WeekTime>,
    pub posted: Option<WeekTime>,
    /// Who is mailed the list when it is posted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<Role>,
    /// So long before it is due they are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<Span>,
}

/// Emergency changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EmergencyRule {
    /// The change control board: one of the roles that approve each of them. `None`: there are no emergencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub board: Option<Role>,
    /// Who is mailed when one is approved.
    pub mail: Vec<Role>,
    pub copy: Vec<Role>,
    /// Who confirms one that was not accepted; empty: it needs no acceptance.
    pub without_acceptance: Vec<Role>,
}

/// What figures of changes go by (D14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatisticsRule {
    /// An emergency that puts a change right so soon after it makes it an abnormal one.
    pub fixed_within: Span,
    /// A data change recurs when it was executed so often.
    pub recurs: u32,
    /// In so long a time.
    pub recurs_within: Span,
}

impl Default for StatisticsRule {
    fn default() -> Self {
        let hours = |hours: u64| Span::of(std::time::Duration::from_secs(hours * 3600));
        Self { fixed_within: hours(24), recurs: 2, recurs_within: hours(30 * 24) }
    }
}

/// A change where it is to be executed: what rules ask about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case<'a> {
    pub class: ChangeClass,
    pub environment: &'a str,
    pub kind: ChangeKind,
}

impl ChangeScope {
    pub fn covers(&self, case: Case<'_>) -> bool {
        fn among<T: PartialEq>(all: &[T], is: impl Fn(&T) -> bool) -> bool {
            all.is_empty() || all.iter().any(is)
        }
        among(&self.classes, |class| *class == case.class)
            && among(&self.environments, |environment| environment == case.environment)
            && among(&self.kinds, |kind| *kind == case.kind)
    }
}

impl super::Site {
    /// What figures of changes go by; the usual limits where there are no rules.
    pub fn statistics(&self) -> StatisticsRule {
        self.change_rules.as_ref().map(|rules| rules.statistics).unwrap_or_default()
    }
}

impl ChangeRules {
    pub fn approval(&self, case: Case<'_>) -> Option<&ApprovalRule> {
        self.approvals.iter().find(|rule| rule.scope.covers(case))
    }

    pub fn intake(&self, case: Case<'_>) -> Option<&IntakeRule> {
        self.intake.iter().find(|rule| rule.scope.covers(case))
    }

    pub fn rehearsal(&self, case: Case<'_>) -> Option<&RehearsalRule> {
        self.rehearsal.iter().find(|rule| rule.scope.covers(case))
    }

    pub fn window(&self, case: Case<'_>) -> Option<&WindowClass> {
        let rule = self.windows.iter().find(|rule| rule.scope.covers(case));
        rule.map(|rule| &rule.window)
    }

    /// Environments that come before one, in the order of promotion.
    pub fn before(&self, environment: &str) -> &[String] {
        let at = self.environments.iter().position(|known| known == environment);
        at.and_then(|at| self.environments.get(..at)).unwrap_or_default()
    }
}

impl std::fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} in {}", self.kind.name(), self.class.name(), self.environment)
    }
}
