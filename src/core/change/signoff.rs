//! The lists of the sign-off meetings (三次会签, D15): release plan → pre-production list → production list. What has not
//! passed the former environment drops out, and of what is on a list: who must sign and who has.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::checklist::{ACCEPTANCE, item};
use super::desk::Desk;
use super::life::{Stage, Taken};
use super::missing::Missing;
use crate::definition::site::{ChangeRules, WeeklyRule};
use crate::types::{CheckName, PersonId, Role};
use crate::wire::ChangeState;

/// Why a change drops out of the list of an environment: what a former one says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Dropped {
    NotApproved {
        environment: String,
    },
    NotExecuted {
        environment: String,
    },
    /// Its last attempt there, which was not verified.
    NotVerified {
        environment: String,
        state: ChangeState,
    },
    /// Executed and verified there with scripts that are others by now.
    OtherScripts {
        environment: String,
    },
    NotRehearsed {
        environment: String,
    },
}

/// What somebody signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "signs")]
pub enum Signs {
    Review,
    Approval,
    /// An item of the checklist.
    Item {
        item: CheckName,
    },
}

/// What must be signed by so many people of a role, and who has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub signs: Signs,
    pub role: Role,
    pub people: u32,
    pub given: Vec<(PersonId, Timestamp)>,
}

/// When a meeting or a plan comes next, with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextTime {
    pub meets: Option<Timestamp>,
    /// Before the meeting.
    pub due: Option<Timestamp>,
    /// After the meeting, or after it was due.
    pub posted: Option<Timestamp>,
}

impl ChangeRules {
    pub fn next_time(&self, rule: &WeeklyRule, at: Timestamp) -> NextTime {
        let zone = self.zone.tz();
        let meets = rule.meets.iter().filter_map(|time| time.after(zone, at)).min();
        let due = rule.due.and_then(|due| match meets {
            Some(meets) => due.until(zone, meets),
            None => due.after(zone, at),
        });
        let posted = rule.posted.and_then(|time| time.after(zone, meets.or(due).unwrap_or(at)));
        NextTime { meets, due, posted }
    }
}

impl Desk<'_> {
    /// Whether it was handed in when its list was due for the meeting that comes next.
    pub fn is_after_due(&self, environment: &str, at: Timestamp) -> bool {
        let rules = self.rules.weekly.iter();
        let rule = rules.filter(|rule| rule.list.as_deref() == Some(environment));
        let due = rule.filter_map(|rule| self.rules.next_time(rule, at).due).min();
        let handed_in = self.life.since_submission().and_then(|(_, steps)| steps.first());
        due.zip(handed_in).is_some_and(|(due, handed_in)| handed_in.at >= due)
    }

    /// Whether sign-off meetings speak of it: somebody has asked for it, and it is not over.
    pub fn is_planned(&self) -> bool {
        !matches!(
            self.life.stage(),
            Stage::Draft | Stage::Closed | Stage::Archived | Stage::Withdrawn
        )
    }

    /// Everything for which it drops out of the list of an environment; of what is done there already nothing.
    pub fn dropped(&self, environment: &str, at: Timestamp) -> Vec<Dropped> {
        if self.life.is_done_in(environment, Some(&self.change.content)) {
            return Vec::new();
        }
        let lacks = self.promoted(environment, at).into_iter();
        lacks
            .filter_map(|missing| match missing {
                Missing::Promotion { environment } => Some(self.not_passed(environment, at)),
                Missing::Rehearsal { environment } => Some(Dropped::NotRehearsed { environment }),
                _ => None,
            })
            .collect()
    }

    fn not_passed(&self, environment: String, at: Timestamp) -> Dropped {
        let last = self.life.executions(&environment).next().map(|(state, _)| state);
        match last {
            Some(ChangeState::Done) => Dropped::OtherScripts { environment },
            Some(state) => Dropped::NotVerified { environment, state },
            None if !self.approved(&environment, at).is_empty() => {
                Dropped::NotApproved { environment }
            }
            None => Dropped::NotExecuted { environment },
        }
    }

    /// Who must sign for an environment, in the order of the rules, and who has as far as it holds.
    pub fn signatures(&self, environment: &str, at: Timestamp) -> Vec<Signature> {
        let mut signatures = Vec::new();
        if let Ok(rule) = self.approval_rule(environment) {
            let review = rule.review.iter().map(|quorum| (Signs::Review, quorum));
            let roles = rule.roles.iter().map(|quorum| (Signs::Approval, quorum));
            for (signs, quorum) in review.chain(roles) {
                let given: Vec<(&Taken, &Role)> = match signs {
                    Signs::Review => self.reviews().collect(),
                    _ => self.approvals(environment, at).collect(),
                };
                let (role, people) = (quorum.role.clone(), quorum.people);
                let given = self.signed(given.into_iter(), &role);
                signatures.push(Signature { signs, role, people, given });
            }
        }
        for (item, rule) in self.start_items(environment) {
            let given = self.signed(self.confirmed(environment, item, at), &rule.role);
            let (signs, role) = (Signs::Item { item: item.clone() }, rule.role.clone());
            signatures.push(Signature { signs, role, people: 1, given });
        }
        if let Some(item) = item(ACCEPTANCE).filter(|_| self.is_without_acceptance(environment)) {
            for role in &self.rules.emergency.without_acceptance {
                let given = self.signed(self.confirmed(environment, &item, at), role);
                let (signs, role) = (Signs::Item { item: item.clone() }, role.clone());
                signatures.push(Signature { signs, role, people: 1, given });
            }
        }
        signatures
    }

    fn signed<'a>(
        &self,
        given: impl Iterator<Item = (&'a Taken, &'a Role)>,
        role: &Role,
    ) -> Vec<(PersonId, Timestamp)> {
        let counts = given
            .filter(|(taken, of)| *of == role && self.has_role(&taken.by, role).is_some())
            .map(|(taken, _)| (taken.by.clone(), taken.at));
        let mut signed: Vec<(PersonId, Timestamp)> = Vec::new();
        for (person, at) in counts {
            if !signed.iter().any(|(known, _)| *known == person) {
                signed.push((person, at));
            }
        }
        signed
    }
}
