//! The commands that texts tell people to give, spelled in one place.

use crate::types::{BatchId, BusinessDate, ChangeId, HandOverId, IncidentId, JobName};

/// What an operator can do about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    Log,
    Retry,
    Skip,
    Force,
    Release,
    Confirm,
    Kill,
    Hold,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Force => "force",
            Self::Release => "release",
            Self::Confirm => "confirm",
            Self::Kill => "kill",
            Self::Hold => "hold",
        }
    }

    /// What changes a run needs a reason; looking does not.
    fn needs_reason(self) -> bool {
        self != Self::Log
    }
}

/// `nightrun retry eod.load-rates --date 2026-10-30 --reason "..."`.
pub fn on_job(verb: Verb, batch: &BatchId, job: &JobName, date: BusinessDate) -> String {
    on_jobs(verb, batch, job.as_str(), date)
}

/// The same of a selection, such as `load-rates+` with all that follows it.
pub fn on_jobs(verb: Verb, batch: &BatchId, jobs: &str, date: BusinessDate) -> String {
    let reason = if verb.needs_reason() { " --reason \"...\"" } else { "" };
    format!("nightrun {} {batch}.{jobs} --date {date}{reason}", verb.word())
}

/// `nightrun change decide fee-correction applied --reason "..."`.
pub fn decide(change: &ChangeId, what: &str) -> String {
    format!("nightrun change decide {change} {what} --reason \"...\"")
}

/// `nightrun change release eod --date 2026-10-30 --reason "..."`, or `watch`.
pub fn on_changes(what: &str, batch: &BatchId, date: BusinessDate) -> String {
    format!("nightrun change {what} {batch} --date {date} --reason \"...\"")
}

/// `nightrun incident ack INC-3`.
pub fn on_incident(what: &str, incident: IncidentId) -> String {
    format!("nightrun incident {what} {incident}")
}

/// `nightrun hand-over accept night@2026-10-30`; `rest`: what follows it.
pub fn on_hand_over(what: &str, hand_over: &HandOverId, rest: &str) -> String {
    format!("nightrun hand-over {what} {hand_over}{rest}")
}

/// `nightrun status`.
pub fn status() -> String {
    "nightrun status".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_changes_something_asks_for_a_reason() {
        let (batch, job) = (BatchId::new("eod").unwrap(), JobName::new("load-rates").unwrap());
        let date = "2026-10-30".parse().unwrap();
        assert_eq!(
            on_job(Verb::Retry, &batch, &job, date),
            "nightrun retry eod.load-rates --date 2026-10-30 --reason \"...\""
        );
        assert_eq!(
            on_job(Verb::Log, &batch, &job, date),
            "nightrun log eod.load-rates --date 2026-10-30"
        );
    }
}
