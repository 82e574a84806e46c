//! `change-rules.yaml`.

use jiff::civil::Time;

use super::leaf::{Whole, Word};
use super::record::record;
use super::site::Version;
use super::{List, Names};
use crate::definition::site::{ChangeClass, ChangeKind, Part, StepWord};
use crate::types::{CheckName, Role, Span, WeekTime, WindowClass, Zone};

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
        /// What is confirmed before a start.
        optional checklist: Names<CheckName, CheckRecord>,
        /// Meetings and deadlines of each week.
        optional weekly: List<WeeklyRecord>,
        /// Emergency changes.
        optional emergency: EmergencyRecord,
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
        /// How long before the start it counts; as long as the scripts are the same by default.
        optional within: Span,
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
    }
}

record! {
    /// Emergency changes.
    pub(crate) struct EmergencyRecord {
        /// Who is mailed when one is approved.
        optional mail: List<Role>,
        /// Who gets a copy, besides its product manager and its tester.
        optional copy: List<Role>,
        /// Who confirms one that was not accepted: one person of each role.
        optional without_acceptance: List<Role>,
    }
}
