//! `change-rules.yaml`.

use jiff::civil::Time;

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::definition::site::{Before, ChangeClass, ChangeKind, Moment, Part, StepWord};
use crate::types::{CheckName, MarketName, ProductLine, Role, Span, WeekTime, WindowClass, Zone};

record! {
    /// change-rules.yaml: the rule set of the house for its changes.
    pub(crate) struct ChangeRulesFile {
        /// The format of the file: 1.
        required version: Version,
        required title: Word,
        optional title_zh: Word,
        /// Of its clock times and days; the site's zone by default.
        optional zone: Zone,
        /// Environments of targets, in the order of promotion.
        required environments: List<String>,
        /// Environments whose databases are made anew from time to time: a change there does not look whether what was done
        /// before it is still there.
        optional refreshed: List<String>,
        /// Roles that stand in for a role.
        optional deputies: Names<Role, List<Role>>,
        /// Who may take which step; whoever takes part in changes where a step is not named.
        optional steps: Names<StepWord, List<Role>>,
        /// Who reviews and approves: the first rule that matches counts.
        required approvals: List<ApprovalRecord>,
        /// What roles are asked when they approve: each is ticked by its name.
        optional questions: Names<CheckName, QuestionRecord>,
        /// How long an approval holds; for ever by default.
        optional approvals_hold: Span,
        /// Groups of parts; of each group all are different people.
        optional distinct: List<List<Part>>,
        /// What is done in the former environments first.
        optional promotion: PromotionRecord,
        /// Where a change is executed with rehearsal: the first rule that matches counts.
        optional rehearsal: List<RehearsalRecord>,
        /// Limits of a normal change.
        optional submission: SubmissionRecord,
        /// When an environment takes changes in: the first rule that matches counts.
        optional intake: List<IntakeRecord>,
        /// When changes run: the first rule that matches counts. Without it a change runs at any time.
        optional windows: List<WindowOfRecord>,
        /// Markets that changes name, each with the window class that is open while it trades.
        optional markets: Names<MarketName, WindowClass>,
        /// What is confirmed before a submission, a start or a closing.
        optional checklist: Names<CheckName, CheckRecord>,
        /// Meetings and deadlines of each week.
        optional weekly: List<WeeklyRecord>,
        /// Emergency changes; without it there are none.
        optional emergency: EmergencyRecord,
        /// Lines of products, each with the role of its director.
        optional product_lines: Names<ProductLine, Role>,
        /// What figures of changes go by.
        optional statistics: StatisticsRecord,
        /// Who is mailed a list when it is sealed: when its run is opened.
        optional seal_mail: List<Role>,
        /// Role that lets a normal change run whose window has passed; without it none may.
        optional late: Role,
    }
}

record! {
    /// Who reviews and approves what.
    pub(crate) struct ApprovalRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// All by default.
        optional environments: List<String>,
        /// normal, emergency; both by default.
        optional kinds: List<ChangeKind>,
        /// Who reviews the scripts; nobody by default.
        optional review: QuorumRecord,
        /// Who approves, one after the other.
        required roles: List<QuorumRecord>,
    }
}

record! {
    /// So many different people with a role.
    pub(crate) struct QuorumRecord {
        required role: Role,
        /// Default: 1.
        optional people: Whole<1, 20>,
        /// Of `questions`: what each of them answers; of approvals only.
        optional asks: List<CheckName>,
    }
}

record! {
    /// A question that is answered with yes by whoever approves.
    pub(crate) struct QuestionRecord {
        required title: Word,
        optional title_zh: Word,
    }
}

record! {
    /// What has to be done in the former environments first.
    pub(crate) struct PromotionRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// The environments that ask for it; all but the first by default.
        optional environments: List<String>,
        /// normal, emergency; both by default.
        optional kinds: List<ChangeKind>,
    }
}

record! {
    /// A change is executed, taken back and executed again, and later environments ask for that.
    pub(crate) struct RehearsalRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// Where: any but the last.
        required environments: List<String>,
        /// normal, emergency; both by default.
        optional kinds: List<ChangeKind>,
        /// How long it counts for later environments; for ever by default.
        optional within: Span,
    }
}

record! {
    /// Limits of a normal change.
    pub(crate) struct SubmissionRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// All by default.
        optional environments: List<String>,
        /// Until then of the day of its window.
        optional by: Time,
        /// Days between its acceptance and the day of its window, at the least.
        optional accepted_before: Whole<0, 366>,
        /// What whoever submits it confirms.
        optional confirm: List<CheckName>,
        /// Whether that is confirmed on the day of its window: what was submitted before is submitted again, as it is.
        optional that_day: bool,
    }
}

record! {
    /// When an environment takes changes in. Emergency changes are taken at any time.
    pub(crate) struct IntakeRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// All by default.
        optional environments: List<String>,
        /// A window class; open while changes are taken in.
        required window: WindowClass,
        /// From then on of a day on which changes were taken in, nothing is taken for its list.
        optional seal: Time,
    }
}

record! {
    /// When changes run. Emergency changes run at any time.
    pub(crate) struct WindowOfRecord {
        /// All by default.
        optional classes: List<ChangeClass>,
        /// All by default.
        optional environments: List<String>,
        required window: WindowClass,
    }
}

record! {
    /// One item of the checklist.
    pub(crate) struct CheckRecord {
        required title: Word,
        optional title_zh: Word,
        /// Who confirms it; no author of the change.
        required role: Role,
        /// submission, start (default) or close: what waits for it.
        optional before: Before,
        /// Another item of before the same: it is confirmed first.
        optional after: CheckName,
        /// How long before the start it counts; as long as the scripts are the same by default.
        optional within: Span,
        /// Of `before: close`: it counts from then on, `open` being the next opening of the markets, else a time after the
        /// execution.
        optional from: Moment,
        /// Of `before: close`: until then, or there is an incident.
        optional until: Moment,
        /// Of changes of one of these markets; of all by default.
        optional markets: List<MarketName>,
        /// Only of changes that a branch office asks for.
        optional branches: bool,
        /// All by default.
        optional classes: List<ChangeClass>,
        /// All by default.
        optional environments: List<String>,
        /// normal, emergency; both by default.
        optional kinds: List<ChangeKind>,
    }
}

record! {
    /// A sign-off meeting, or a plan that is due each week; in the zone of the rules.
    pub(crate) struct WeeklyRecord {
        required title: Word,
        optional title_zh: Word,
        /// The environment whose list it is about; none by default.
        optional list: String,
        optional meets: List<WeekTime>,
        /// What is to be on the list is handed in before.
        optional due: WeekTime,
        optional posted: WeekTime,
        /// Who is mailed the list when it is posted.
        optional mail: List<Role>,
        /// So long before it is due they are reminded; by default they are not.
        optional remind: Span,
    }
}

record! {
    /// Emergency changes.
    pub(crate) struct EmergencyRecord {
        /// The change control board (CCB): it approves each of them.
        required board: Role,
        /// Who is mailed when one is approved.
        optional mail: List<Role>,
        /// Who gets a copy, besides its product manager and its testers.
        optional copy: List<Role>,
        /// Who confirms one that was not accepted: one person of each role.
        optional without_acceptance: List<Role>,
    }
}

record! {
    /// What figures of changes go by.
    pub(crate) struct StatisticsRecord {
        /// An emergency that puts a change right so soon after it makes it an abnormal one; default: 24h.
        optional fixed_within: Span,
        /// A data change recurs when it was executed so often; default: 2.
        optional recurs: Whole<2, 100>,
        /// In so long a time; default: 30d.
        optional recurs_within: Span,
    }
}
