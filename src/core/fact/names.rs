//! What a fact is called, and which run it belongs to.

use super::Fact;
use crate::types::RunId;

impl Fact {
    /// The run that it belongs to.
    pub fn run(&self) -> Option<&RunId> {
        Some(match self {
            Self::RunOpened(opened) => &opened.run,
            Self::AttemptIntended { attempt, .. } | Self::AttemptStarted { attempt, .. } => {
                &attempt.run
            }
            Self::AttemptEnded { ended, .. } => &ended.attempt.run,
            Self::RunResumed { run, .. }
            | Self::RunEnded { run, .. }
            | Self::RunReopened { run }
            | Self::RetryPlanned { run, .. }
            | Self::Settled { run, .. }
            | Self::Reopened { run, .. }
            | Self::InDoubt { run, .. }
            | Self::DeadlineMissed { run, .. }
            | Self::ReportTold { run }
            | Self::Acted { run, .. }
            | Self::Asked { run, .. }
            | Self::Stopping { run, .. } => run,
            Self::IncidentOpened(opened) => return opened.run.as_ref(),
            Self::IncidentMoved(moved) => return moved.run.as_ref(),
            Self::IncidentClosed { run, .. } => return run.as_ref(),
            Self::AttemptRecovered { attempt, .. } => &attempt.run,
            Self::RunLost(lost) => &lost.run,
            Self::RunArchived(archived) => &archived.run,
            Self::AcrossKnown { .. }
            | Self::ScheduleTaken { .. }
            | Self::DefinitionsTaken { .. }
            | Self::DefinitionsRefused { .. }
            | Self::StartsMissed { .. }
            | Self::Frozen { .. }
            | Self::Unfrozen { .. }
            | Self::PoolSized { .. }
            | Self::PoolBack { .. }
            | Self::HostDrained { .. }
            | Self::HostUndrained { .. }
            | Self::SecondAsked { .. }
            | Self::SecondGiven { .. }
            | Self::SecondUsed { .. }
            | Self::PasswordSet { .. }
            | Self::TokenMade { .. }
            | Self::TokenRevoked { .. }
            | Self::LoggedIn { .. }
            | Self::LoginRefused { .. }
            | Self::StoreRestored { .. }
            | Self::ChangeMoved { .. }
            | Self::EventReceived(_)
            | Self::EventForgotten { .. }
            | Self::WeeklyTold(_)
            | Self::BulletinTold(_)
            | Self::RoundInspected(_)
            | Self::InspectionsCounted(_)
            | Self::FigureEntered(_)
            | Self::HandOverOpened(_)
            | Self::HandOverMoved(_)
            | Self::HandOverForgotten { .. } => return None,
        })
    }

    /// Its name as the journal writes it (the value of `fact`).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::RunOpened(_) => "run-opened",
            Self::RunResumed { .. } => "run-resumed",
            Self::RunEnded { .. } => "run-ended",
            Self::RunReopened { .. } => "run-reopened",
            Self::AttemptIntended { .. } => "attempt-intended",
            Self::AttemptStarted { .. } => "attempt-started",
            Self::AttemptEnded { .. } => "attempt-ended",
            Self::RetryPlanned { .. } => "retry-planned",
            Self::Settled { .. } => "settled",
            Self::Reopened { .. } => "reopened",
            Self::InDoubt { .. } => "in-doubt",
            Self::DeadlineMissed { .. } => "deadline-missed",
            Self::ReportTold { .. } => "report-told",
            Self::AcrossKnown { .. } => "across-known",
            Self::IncidentOpened(_) => "incident-opened",
            Self::IncidentMoved(_) => "incident-moved",
            Self::IncidentClosed { .. } => "incident-closed",
            Self::WeeklyTold(_) => "weekly-told",
            Self::BulletinTold(_) => "bulletin-told",
            Self::RoundInspected(_) => "round-inspected",
            Self::InspectionsCounted(_) => "inspections-counted",
            Self::FigureEntered(_) => "figure-entered",
            Self::HandOverOpened(_) => "hand-over-opened",
            Self::HandOverMoved(_) => "hand-over-moved",
            Self::HandOverForgotten { .. } => "hand-over-forgotten",
            Self::ScheduleTaken { .. } => "schedule-taken",
            Self::DefinitionsTaken { .. } => "definitions-taken",
            Self::DefinitionsRefused { .. } => "definitions-refused",
            Self::StartsMissed { .. } => "starts-missed",
            Self::Acted { .. } => "acted",
            Self::Frozen { .. } => "frozen",
            Self::Unfrozen { .. } => "unfrozen",
            Self::PoolSized { .. } => "pool-sized",
            Self::PoolBack { .. } => "pool-back",
            Self::HostDrained { .. } => "host-drained",
            Self::HostUndrained { .. } => "host-undrained",
            Self::SecondAsked { .. } => "second-asked",
            Self::SecondGiven { .. } => "second-given",
            Self::SecondUsed { .. } => "second-used",
            Self::PasswordSet { .. } => "password-set",
            Self::TokenMade { .. } => "token-made",
            Self::TokenRevoked { .. } => "token-revoked",
            Self::LoggedIn { .. } => "logged-in",
            Self::LoginRefused { .. } => "login-refused",
            Self::ChangeMoved { .. } => "change-moved",
            Self::EventReceived(_) => "event-received",
            Self::EventForgotten { .. } => "event-forgotten",
            Self::Asked { .. } => "asked",
            Self::Stopping { .. } => "stopping",
            Self::StoreRestored { .. } => "store-restored",
            Self::AttemptRecovered { .. } => "attempt-recovered",
            Self::RunLost(_) => "run-lost",
            Self::RunArchived(_) => "run-archived",
        }
    }
}
