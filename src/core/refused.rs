//! A rule of the product says no.

use serde::{Deserialize, Serialize};

/// Which rule says no to an operator's action: its name is printed, given in JSON, and explained in
/// `src/docs/format.md`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// There is no such run here.
    NoSuchRun,
    /// The batch has no such job, or the pattern names none.
    NoSuchJob,
    /// No pool, deadline, freeze or request of that name.
    NoSuchThing,
    /// The run has come to its end.
    RunOver,
    /// The run was stopped, and is to be resumed first.
    RunStopped,
    /// The run was cancelled; only a rerun does its work.
    RunCancelled,
    /// The run has not come to its end.
    RunUnderWay,
    /// What is to be run again is under way already.
    RerunUnderWay,
    /// The job is being started, or runs.
    InFlight,
    /// The job has not started.
    NotStarted,
    /// The job is over, or cannot be known.
    Settled,
    /// The job waits for another that did not come out well.
    Blocked,
    /// The job is held.
    Held,
    NotHeld,
    /// The job asks for no confirmation.
    NotAsked,
    /// What the job needs is not done, or the period has not begun.
    TooEarly,
    /// The person has not the role.
    RoleMissing,
    /// None of the person's roles has the right.
    RightMissing,
    /// The account belongs to no person of the site.
    UnknownPerson,
    /// The action needs another person's yes.
    SecondPerson,
    /// The time lies in the past, or ends before it begins.
    Past,
    /// It is so already.
    NoChange,
    /// The supervisor is being stopped.
    Stopping,
    /// The supervisor only observes, beside another scheduler.
    Observing,
    /// A trial stands alone: it changes nothing for the whole site.
    Trial,
    /// The key was given to another event.
    KeyUsed,
    /// It is not clear which business date is meant.
    DateNeeded,
    /// The site has no rules for changes.
    NoRules,
    /// The change is at a stage of its life that does not allow the step.
    WrongStage,
    /// Somebody has another part in the change, and it takes another person.
    OwnWork,
    /// Nobody has handed the scripts in.
    NotSubmitted,
    /// Scripts, target or window are not those that were submitted or approved.
    Lapsed,
    /// The scripts are not reviewed.
    NotReviewed,
    /// A role has not approved.
    NotApproved,
    /// A warning of the scripts was not ticked by its name.
    NotTicked,
    /// These scripts were not executed and verified in a former environment.
    NotPromoted,
    /// The rollback was not rehearsed in the former environment.
    NotRehearsed,
    /// Another change must be done first.
    ChangeNeeded,
    /// It was handed in too late for its window.
    SubmittedLate,
    /// It was not accepted in time.
    NotAccepted,
    /// Something was not confirmed.
    NotConfirmed,
    /// The environment takes no changes in now.
    IntakeClosed,
    /// The list is sealed.
    Sealed,
    /// It is on no list.
    NotScheduled,
    /// No window lets it start.
    OutsideWindow,
    /// Its window has passed.
    WindowPassed,
    /// The person on shift has not released it, or nobody watches.
    NotReleased,
    /// Whoever asks is not on shift.
    NotOnShift,
    /// The incident is over.
    IncidentOver,
    /// Nobody has said what the incident was.
    NotResolved,
    /// The figure is counted by nightrun, and by nobody else.
    Counted,
    /// The figure is counted in another unit, or over another time.
    NotInUnit,
}

impl Rule {
    /// Every rule, in the order of the format reference.
    pub const ALL: [Self; 52] = [
        Self::NoSuchRun,
        Self::NoSuchJob,
        Self::NoSuchThing,
        Self::RunOver,
        Self::RunStopped,
        Self::RunCancelled,
        Self::RunUnderWay,
        Self::RerunUnderWay,
        Self::InFlight,
        Self::NotStarted,
        Self::Settled,
        Self::Blocked,
        Self::Held,
        Self::NotHeld,
        Self::NotAsked,
        Self::TooEarly,
        Self::RoleMissing,
        Self::RightMissing,
        Self::UnknownPerson,
        Self::SecondPerson,
        Self::Past,
        Self::NoChange,
        Self::Stopping,
        Self::Observing,
        Self::Trial,
        Self::KeyUsed,
        Self::DateNeeded,
        Self::NoRules,
        Self::WrongStage,
        Self::OwnWork,
        Self::NotSubmitted,
        Self::Lapsed,
        Self::NotReviewed,
        Self::NotApproved,
        Self::NotTicked,
        Self::NotPromoted,
        Self::NotRehearsed,
        Self::ChangeNeeded,
        Self::SubmittedLate,
        Self::NotAccepted,
        Self::NotConfirmed,
        Self::IntakeClosed,
        Self::Sealed,
        Self::NotScheduled,
        Self::OutsideWindow,
        Self::WindowPassed,
        Self::NotReleased,
        Self::NotOnShift,
        Self::IncidentOver,
        Self::NotResolved,
        Self::Counted,
        Self::NotInUnit,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::NoSuchRun => "no-such-run",
            Self::NoSuchJob => "no-such-job",
            Self::NoSuchThing => "no-such-thing",
            Self::RunOver => "run-over",
            Self::RunStopped => "run-stopped",
            Self::RunCancelled => "run-cancelled",
            Self::RunUnderWay => "run-under-way",
            Self::RerunUnderWay => "rerun-under-way",
            Self::InFlight => "in-flight",
            Self::NotStarted => "not-started",
            Self::Settled => "settled",
            Self::Blocked => "blocked",
            Self::Held => "held",
            Self::NotHeld => "not-held",
            Self::NotAsked => "not-asked",
            Self::TooEarly => "too-early",
            Self::RoleMissing => "role-missing",
            Self::RightMissing => "right-missing",
            Self::UnknownPerson => "unknown-person",
            Self::SecondPerson => "second-person",
            Self::Past => "past",
            Self::NoChange => "no-change",
            Self::Stopping => "stopping",
            Self::Observing => "observing",
            Self::Trial => "trial",
            Self::KeyUsed => "key-used",
            Self::DateNeeded => "date-needed",
            Self::NoRules => "no-rules",
            Self::WrongStage => "wrong-stage",
            Self::OwnWork => "own-work",
            Self::NotSubmitted => "not-submitted",
            Self::Lapsed => "lapsed",
            Self::NotReviewed => "not-reviewed",
            Self::NotApproved => "not-approved",
            Self::NotTicked => "not-ticked",
            Self::NotPromoted => "not-promoted",
            Self::NotRehearsed => "not-rehearsed",
            Self::ChangeNeeded => "change-needed",
            Self::SubmittedLate => "submitted-late",
            Self::NotAccepted => "not-accepted",
            Self::NotConfirmed => "not-confirmed",
            Self::IntakeClosed => "intake-closed",
            Self::Sealed => "sealed",
            Self::NotScheduled => "not-scheduled",
            Self::OutsideWindow => "outside-window",
            Self::WindowPassed => "window-passed",
            Self::NotReleased => "not-released",
            Self::NotOnShift => "not-on-shift",
            Self::IncidentOver => "incident-over",
            Self::NotResolved => "not-resolved",
            Self::Counted => "counted",
            Self::NotInUnit => "not-in-unit",
        }
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// An action that a rule forbids, in words for whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}{}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default(),
    .rule.map(|rule| format!(" (rule: {rule})")).unwrap_or_default())]
pub struct Refused {
    /// An operator's action is refused by a rule with a name; an order that cannot be made out need not be.
    pub rule: Option<Rule>,
    pub what: String,
    pub hint: Option<String>,
}

impl Refused {
    pub fn new(what: impl Into<String>) -> Self {
        Self { rule: None, what: what.into(), hint: None }
    }

    pub fn by(rule: Rule, what: impl Into<String>) -> Self {
        Self { rule: Some(rule), what: what.into(), hint: None }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_stored_under_the_name_that_is_printed() {
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }

    #[test]
    fn every_rule_is_explained_in_the_format_reference() {
        let text = include_str!("../docs/format.md");
        let (_, section) = text.split_once("\n## Rules of actions\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        let named: Vec<&str> = rows.map(|(name, _)| name).collect();
        assert_eq!(named, Rule::ALL.map(Rule::name));
    }

    #[test]
    fn a_refusal_names_its_rule() {
        let refused = Refused::by(Rule::Held, "close is held").hint("release it first");
        assert_eq!(refused.to_string(), "close is held; release it first (rule: held)");
        assert_eq!(Refused::new("no").to_string(), "no");
    }
}
