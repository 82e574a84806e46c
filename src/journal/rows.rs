//! The rows that facts change: what history, lists and numbering are asked from without reading the journal.

use jiff::Timestamp;

use super::credentials::{PasswordRow, TokenMade};
use crate::core::fact::{Fact, MissedWhy, RunArchived, RunLost, RunOpened, RunResult};
use crate::core::incident::IncidentStep;
use crate::types::{
    AttemptId, BatchId, BootId, BusinessDate, Ending, HostName, IncidentId, JobName, Outcome,
    RunId, TokenId, Usage,
};

/// A change of one row. Times are those that the entry or the host gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    RunOpened(Box<RunRow>),
    RunEnded {
        run: RunId,
        ended: Timestamp,
        result: RunResult,
    },
    RunReopened {
        run: RunId,
    },
    JobSettled {
        run: RunId,
        job: JobName,
        outcome: Outcome,
        at: Timestamp,
    },
    JobReopened {
        run: RunId,
        job: JobName,
    },
    AttemptIntended {
        attempt: AttemptId,
        host: HostName,
        boot: BootId,
        intended: Timestamp,
    },
    /// Completes the row of the intent; the start comes with the end, as the host knew it.
    AttemptEnded {
        attempt: AttemptId,
        started: Option<Timestamp>,
        ended: Timestamp,
        ending: Ending,
        good: bool,
        usage: Usage,
        /// stdout and stderr together.
        output_bytes: u64,
    },
    /// Its entry stands under its number.
    IncidentOpened {
        incident: IncidentId,
        run: Option<RunId>,
        job: Option<JobName>,
        opened: Timestamp,
    },
    IncidentClosed {
        incident: IncidentId,
        closed: Timestamp,
    },
    /// The entry says how something stands that belongs to no run, under a key; it takes the place of the one before.
    Stands {
        key: String,
        seq: u64,
    },
    /// Nothing stands under the key any more.
    StandsNot {
        key: String,
    },
    StartsMissed(StartsMissed),
    Password(PasswordRow),
    TokenMade(Box<TokenMade>),
    TokenRevoked {
        token: TokenId,
        at: Timestamp,
    },
    /// A person has taken in what the restored store lacks.
    StoreTakenIn,
    RunLost {
        lost: Box<RunLost>,
        seq: u64,
        at: Timestamp,
    },
    /// Bytes that nothing in the store goes by any more.
    BlobLetGo {
        address: String,
    },
    /// Mail that a server took before this instant. The last message stays: numbers are counted on from it.
    MailLetGo {
        sent_before: Timestamp,
    },
    /// Its entries before this one, and its attempts, are in a file.
    RunArchived {
        archived: Box<RunArchived>,
        seq: u64,
        at: Timestamp,
    },
}

/// Starts of a batch's schedule, one after the other, that were not made, and will not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartsMissed {
    pub batch: BatchId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub count: u32,
    pub why: MissedWhy,
    /// When it was told.
    pub at: Timestamp,
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    pub run: RunId,
    pub business_date: BusinessDate,
    pub trial: bool,
    pub anchor: Timestamp,
    /// SHA-256 of the stored definition, in hex.
    pub definition: String,
    pub opened: Timestamp,
    /// The journal entry that opened it: the order of runs, whatever the clocks did.
    pub opened_seq: u64,
    pub ended: Option<Timestamp>,
    pub result: Option<RunResult>,
    /// The start of the schedule that it is, where it is one.
    pub scheduled: Option<Timestamp>,
    /// The file that holds its entries, where it was archived.
    pub archived: Option<String>,
}

impl RunRow {
    /// Why its entries are not in the store, in words; `None`: they are.
    pub fn not_at_hand(&self) -> Option<String> {
        let run = &self.run;
        if let Some(file) = &self.archived {
            return Some(format!("{run} was archived: {file}; `nightrun archive show {run}`"));
        }
        (self.result == Some(RunResult::Lost)).then(|| {
            format!(
                "what the store knew of {run} was lost, and an older copy restored; `nightrun journal show --run {run}` \
                 has what hosts and targets know of it"
            )
        })
    }
}

/// The rows that a fact changes: `seq` and `at` are those of its entry.
pub fn rows(seq: u64, at: Timestamp, fact: &Fact) -> impl Iterator<Item = Row> {
    let stands = stands_under(fact).map(|key| Row::Stands { key, seq });
    row(seq, at, fact).into_iter().chain(stands).chain(stand_no_more(fact))
}

/// What a starting supervisor is to hear of without reading any run: the key under which the entry stands, in the place of
/// the one before it.
fn stands_under(fact: &Fact) -> Option<String> {
    Some(match fact {
        Fact::ScheduleTaken { batch, .. } => format!("schedule/{batch}"),
        Fact::DefinitionsTaken { .. } => "definitions".to_owned(),
        Fact::Frozen { freeze, .. } | Fact::Unfrozen { freeze, .. } => format!("freeze/{freeze}"),
        Fact::PoolSized { pool, .. } | Fact::PoolBack { pool } => format!("pool/{pool}"),
        Fact::HostDrained { host, .. } | Fact::HostUndrained { host, .. } => {
            format!("drain/{host}")
        }
        Fact::SecondAsked { request, .. }
        | Fact::SecondGiven { request, .. }
        | Fact::SecondUsed { request } => format!("request/{request}"),
        Fact::TokenMade { token, .. } | Fact::TokenRevoked { token, .. } => {
            format!("token/{token}")
        }
        Fact::ChangeMoved { change, number, .. } => format!("change/{change}/{number}"),
        Fact::EventReceived(received) => format!("event/{}", received.key),
        Fact::IncidentOpened(what) => format!("incident/{}/0", what.incident),
        Fact::IncidentMoved(moved) => format!("incident/{}/{}", moved.incident, moved.number),
        Fact::IncidentClosed { incident, .. } => format!("incident/{incident}/closed"),
        Fact::WeeklyTold(_) => "weekly".to_owned(),
        Fact::BulletinTold(_) => "bulletin".to_owned(),
        Fact::RoundInspected(round) => format!("round/{}", round.run),
        Fact::FigureEntered(entered) => {
            format!("figure/{}/{}/{}", entered.figure, entered.period, entered.number)
        }
        Fact::InspectionsCounted(counted) => format!("inspections/{}", counted.date),
        Fact::HandOverOpened(opened) => format!("hand-over/{}/0", opened.hand_over),
        Fact::HandOverMoved(moved) => format!("hand-over/{}/{}", moved.hand_over, moved.number),
        _ => return None,
    })
}

/// What was under more keys than one, each entry under its own.
fn stand_no_more(fact: &Fact) -> impl Iterator<Item = Row> {
    let of_hand_over = match fact {
        Fact::HandOverForgotten { hand_over, steps } => Some((hand_over.clone(), *steps)),
        _ => None,
    };
    let keys = of_hand_over.into_iter().flat_map(|(hand_over, steps)| {
        (0..=steps).map(move |number| format!("hand-over/{hand_over}/{number}"))
    });
    keys.map(|key| Row::StandsNot { key })
}

/// The one row of a table that a fact changes, if any.
fn row(seq: u64, at: Timestamp, fact: &Fact) -> Option<Row> {
    Some(match fact {
        Fact::RunOpened(opened) => Row::RunOpened(Box::new(opened_row(seq, at, opened))),
        Fact::RunEnded { run, result } => {
            Row::RunEnded { run: run.clone(), ended: at, result: *result }
        }
        Fact::RunReopened { run } => Row::RunReopened { run: run.clone() },
        Fact::AttemptIntended { attempt, host, boot, .. } => Row::AttemptIntended {
            attempt: attempt.clone(),
            host: host.clone(),
            boot: boot.clone(),
            intended: at,
        },
        Fact::AttemptEnded { ended, good } => Row::AttemptEnded {
            attempt: ended.attempt.clone(),
            started: ended.started,
            ended: ended.ended,
            ending: ended.ending.clone(),
            good: *good,
            usage: ended.usage,
            output_bytes: ended.output_bytes,
        },
        Fact::Settled { run, job, outcome, why: _ } => {
            Row::JobSettled { run: run.clone(), job: job.clone(), outcome: *outcome, at }
        }
        Fact::Reopened { run, job } => Row::JobReopened { run: run.clone(), job: job.clone() },
        Fact::IncidentOpened(what) => Row::IncidentOpened {
            incident: what.incident,
            run: what.run.clone(),
            job: what.job.clone(),
            opened: at,
        },
        Fact::IncidentClosed { incident, .. } => {
            Row::IncidentClosed { incident: *incident, closed: at }
        }
        Fact::IncidentMoved(moved) => match moved.step {
            IncidentStep::Resolved { .. } => {
                Row::IncidentClosed { incident: moved.incident, closed: at }
            }
            _ => return None,
        },
        Fact::EventForgotten { key } => Row::StandsNot { key: format!("event/{key}") },
        Fact::StartsMissed { batch, first, last, count, why } => {
            let (batch, why) = (batch.clone(), why.clone());
            let (first, last, count) = (*first, *last, *count);
            Row::StartsMissed(StartsMissed { batch, first, last, count, why, at })
        }
        Fact::AttemptRecovered { attempt, host, boot } => Row::AttemptIntended {
            attempt: attempt.clone(),
            host: host.clone(),
            boot: boot.clone(),
            intended: at,
        },
        Fact::StoreRestored { .. } => Row::StoreTakenIn,
        Fact::RunLost(lost) => Row::RunLost { lost: lost.clone(), seq, at },
        Fact::RunArchived(archived) => Row::RunArchived { archived: archived.clone(), seq, at },
        Fact::RunResumed { .. }
        | Fact::HandOverForgotten { .. }
        | Fact::ScheduleTaken { .. }
        | Fact::DefinitionsTaken { .. }
        | Fact::Frozen { .. }
        | Fact::Unfrozen { .. }
        | Fact::PoolSized { .. }
        | Fact::PoolBack { .. }
        | Fact::HostDrained { .. }
        | Fact::HostUndrained { .. }
        | Fact::SecondAsked { .. }
        | Fact::SecondGiven { .. }
        | Fact::SecondUsed { .. }
        | Fact::TokenMade { .. }
        | Fact::TokenRevoked { .. }
        | Fact::ChangeMoved { .. }
        | Fact::EventReceived(_)
        | Fact::WeeklyTold(_)
        | Fact::BulletinTold(_)
        | Fact::RoundInspected(_)
        | Fact::InspectionsCounted(_)
        | Fact::FigureEntered(_)
        | Fact::HandOverOpened(_)
        | Fact::HandOverMoved(_)
        | Fact::DefinitionsRefused { .. }
        | Fact::AttemptStarted { .. }
        | Fact::RetryPlanned { .. }
        | Fact::InDoubt { .. }
        | Fact::DeadlineMissed { .. }
        | Fact::ReportTold { .. }
        | Fact::AcrossKnown { .. }
        | Fact::Acted { .. }
        | Fact::PasswordSet { .. }
        | Fact::LoggedIn { .. }
        | Fact::LoginRefused { .. }
        | Fact::Asked { .. }
        | Fact::Stopping { .. } => return None,
    })
}

fn opened_row(seq: u64, at: Timestamp, opened: &RunOpened) -> RunRow {
    RunRow {
        run: opened.run.clone(),
        business_date: opened.business_date,
        trial: opened.trial,
        anchor: opened.anchor,
        definition: opened.definition.clone(),
        opened: at,
        opened_seq: seq,
        ended: None,
        result: None,
        scheduled: opened.scheduled,
        archived: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::specimens::{at, facts};
    use super::*;

    #[test]
    fn facts_that_lists_and_history_ask_for_change_a_row() {
        let changing: Vec<&str> = facts()
            .iter()
            .filter(|fact| rows(7, at(), fact).next().is_some())
            .map(|fact| fact.kind())
            .collect();
        let mut expected = vec![
            "run-opened",
            "run-ended",
            "run-reopened",
            "attempt-intended",
            "attempt-ended",
            "settled",
            "reopened",
            "incident-opened",
            "incident-closed",
            "run-opened",
            "schedule-taken",
            "starts-missed",
            "definitions-taken",
            "frozen",
            "unfrozen",
            "pool-sized",
            "pool-back",
            "second-asked",
            "second-given",
            "second-used",
            "store-restored",
            "attempt-recovered",
            "run-lost",
            "run-archived",
            "token-made",
            "token-revoked",
            "event-received",
            "event-forgotten",
        ];
        expected.extend(["change-moved"; 15]);
        expected.extend([
            "run-opened",
            "hand-over-opened",
            "hand-over-moved",
            "bulletin-told",
            "weekly-told",
        ]);
        expected.extend(["round-inspected", "inspections-counted"]);
        expected.extend(["hand-over-forgotten", "figure-entered"]);
        expected.extend(["host-drained", "host-undrained"]);
        assert_eq!(changing, expected);
        let Some(Row::RunOpened(run)) = rows(7, at(), &facts()[0]).next() else { panic!() };
        assert_eq!((run.opened_seq, run.opened, run.trial, run.ended), (7, at(), true, None));
    }
}
