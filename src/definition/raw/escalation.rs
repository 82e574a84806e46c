//! `escalation.yaml`.

use jiff::civil::Date;

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::definition::site::Way;
use crate::types::{
    CalendarName, ChannelName, DrillName, IncidentKind, PersonId, PolicyName, Role, Severity,
    ShiftName, Span, TeamName,
};

record! {
    /// escalation.yaml: who is told of incidents, when, and until when what has to be done about them.
    pub(crate) struct EscalationFile {
        /// The format of the file: 1.
        required version: Version,
        /// Who is told, and who is next, by name.
        required policies: Names<PolicyName, PolicyRecord>,
        /// The policy of what names no other.
        required policy: PolicyName,
        /// The policies of incidents by how grave they are.
        optional severities: Names<Severity, PolicyName>,
        /// Until when what is done: the first rule that matches counts.
        optional clocks: List<ClocksRecord>,
        /// What is tried at set intervals, by name.
        optional drills: Names<DrillName, DrillRecord>,
        /// How often runbooks of jobs are reviewed at least: whole days, such as 180d. Nobody asks without it.
        optional review_runbooks: Span,
        /// How long before a limit those who were told are told of it. Default: 5m.
        optional warn_before: Span,
        /// How long after their shift people still count as on shift. Default: 15m.
        optional overlap: Span,
    }
}

record! {
    /// Who is told one after the other, until somebody acknowledges.
    pub(crate) struct PolicyRecord {
        required title: Word,
        optional title_zh: Word,
        required steps: List<RungRecord>,
        /// How often those who were told are told again, until somebody acknowledges. Default: 15m.
        optional remind: Span,
    }
}

record! {
    /// Who is told after which time. Where it finds nobody the next step follows at once.
    pub(crate) struct RungRecord {
        /// After the step before it, the first after the fault. Default: 0s.
        optional after: Span,
        required tell: TellRecord,
        /// mail, webhook: each of them that a person has. Default: mail; who has none is told by webhook.
        optional by: List<Way>,
    }
}

record! {
    /// Whom a step tells; all of them together.
    pub(crate) struct TellRecord {
        /// Who is on shift then, by the roster.
        optional on_shift: bool,
        /// Who has one of these shifts then.
        optional shifts: List<ShiftName>,
        /// The other halves of the pairs of those who were told before.
        optional deputies: bool,
        /// The leads of the teams of the batch and of those who were told before.
        optional leads: bool,
        optional roles: List<Role>,
        optional teams: List<TeamName>,
        optional people: List<PersonId>,
        /// Rooms of `webhooks:` in site.yaml.
        optional webhooks: List<ChannelName>,
    }
}

record! {
    /// Until when what is done, counted from the opening of the incident.
    pub(crate) struct ClocksRecord {
        /// fault, request, problem, drill; all by default. A drill that no rule names is timed as a fault is, without its report.
        optional kinds: List<IncidentKind>,
        /// All by default.
        optional severities: List<Severity>,
        /// Somebody acknowledges it.
        optional response: Span,
        /// A third party is brought in.
        optional third_party: Span,
        /// Somebody is on site.
        optional on_site: Span,
        /// It is over.
        optional solution: Span,
        /// It is over: on so many business days after its day at the latest.
        optional solution_days: Whole<1, 400>,
        /// Whose business days; the site's by default.
        optional calendar: CalendarName,
        /// The incident report is handed in.
        optional report: Span,
    }
}

record! {
    /// An alarm by arrangement: who answers it, and how fast.
    pub(crate) struct DrillRecord {
        required title: Word,
        optional title_zh: Word,
        /// How often it is held at least: whole days, such as 90d.
        required every: Span,
        /// Its first is due that long after this date.
        required from: Date,
        /// Who is told; as the file says for the severity by default.
        optional policy: PolicyName,
        /// p1, p2, p3. Default: p2.
        optional severity: Severity,
        /// What those who are told do, printed in its mails.
        optional runbook: Word,
        optional runbook_zh: Word,
        /// Each of them takes part.
        optional people: List<PersonId>,
        /// Of each of them somebody takes part.
        optional teams: List<TeamName>,
    }
}
