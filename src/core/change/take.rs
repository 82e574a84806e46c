//! What a person wants to do with a change, and whether the rules let them: the step that it becomes, or the rule that
//! says no.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::Crew;
use super::decide::lost;
use super::desk::Desk;
use super::life::ChangeLife;
use super::request::confirm_request;
use super::step::{ChangeRequest, ChangeStep};
use crate::core::refused::{Refused, Rule};
use crate::definition::site::{ChangeKind, ChangeRules, KEPT_IDS, Part, Site, StepWord};
use crate::types::{ChangeId, CheckName, Lang, PersonId, Role};

/// What a person wants to do with a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "do", deny_unknown_fields)]
pub enum Wish {
    Create {
        request: Box<ChangeRequest>,
    },
    Assign {
        to: PersonId,
    },
    /// Hand the scripts in.
    Submit {
        /// For this environment only.
        #[serde(default)]
        environment: Option<String>,
        /// The day on which it was accepted.
        #[serde(default)]
        accepted: Option<Date>,
        /// What the rules want confirmed.
        #[serde(default)]
        confirm: Vec<CheckName>,
    },
    Review {
        /// Warnings of the scripts that were seen, by name.
        #[serde(default)]
        tick: Vec<String>,
    },
    Approve {
        #[serde(default)]
        environment: Option<String>,
        /// The role that is meant where the person has several.
        #[serde(default)]
        role: Option<Role>,
        /// Warnings of the scripts that were seen, by name.
        #[serde(default)]
        tick: Vec<String>,
    },
    /// An item of the checklist, `late` or `acceptance`.
    Confirm {
        #[serde(default)]
        environment: Option<String>,
        item: CheckName,
    },
    Schedule {
        #[serde(default)]
        environment: Option<String>,
        /// The day of its window; the first that takes it where none is named.
        #[serde(default)]
        on: Option<Date>,
    },
    /// What two people found of a change in doubt, or of one that stopped half way how it goes on: one of both.
    Decide {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<bool>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<HalfDone>,
    },
    /// Two people say of what was done that its target knows nothing of it any more.
    Lost {
        #[serde(default)]
        environment: Option<String>,
    },
    FeedBack,
    Close,
    Archive,
    Return,
    Withdraw,
}

/// What becomes of a change that stopped half way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HalfDone {
    /// Its other statements are done.
    Continue,
    /// Its rollback is done.
    RollBack,
    /// It counts as applied, as it is.
    Accept,
}

impl Wish {
    /// What declared roles may be asked for; `None`: the rules say who by themselves.
    fn word(&self) -> Option<StepWord> {
        Some(match self {
            Self::Create { .. } => StepWord::Create,
            Self::Assign { .. } => StepWord::Assign,
            Self::Submit { .. } => StepWord::Submit,
            Self::Schedule { .. } => StepWord::Schedule,
            Self::Decide { .. } | Self::Lost { .. } => StepWord::Decide,
            Self::FeedBack => StepWord::FeedBack,
            Self::Close => StepWord::Close,
            Self::Archive => StepWord::Archive,
            Self::Return => StepWord::Return,
            Self::Withdraw => StepWord::Withdraw,
            Self::Review { .. } | Self::Approve { .. } | Self::Confirm { .. } => return None,
        })
    }
}

/// The step of a change whose folder is not there: only what its request allows.
pub fn without_folder(
    site: &Site,
    id: &ChangeId,
    life: &ChangeLife,
    by: &PersonId,
    wish: Wish,
) -> Result<ChangeStep, Refused> {
    // What has to be confirmed of an execution is not known without it.
    let left = life.left_somewhere().into_iter().next().filter(|_| wish == Wish::Withdraw);
    if let Some(environment) = left {
        let what = format!("{id} was executed in {environment}, and its folder is not there");
        return Err(Refused::by(Rule::WrongStage, what)
            .hint("with its folder it is closed, or withdrawn once all is confirmed"));
    }
    without_scripts(site, id, life, by, wish)
}

/// A step that needs no scripts.
fn without_scripts(
    site: &Site,
    id: &ChangeId,
    life: &ChangeLife,
    by: &PersonId,
    wish: Wish,
) -> Result<ChangeStep, Refused> {
    let rules = site
        .change_rules
        .as_deref()
        .ok_or_else(|| Refused::by(Rule::NoRules, "the site has no change-rules.yaml"))?;
    let step = match &wish {
        Wish::Create { request } => {
            if let Some(stranger) =
                request.requester.iter().find(|person| !site.people.contains_key(*person))
            {
                return Err(unknown_person(stranger));
            }
            if KEPT_IDS.contains(&id.as_str()) {
                return Err(Refused::new(format!("the API has something else called `{id}`")));
            }
            if request.title.trim().is_empty() {
                return Err(Refused::new("a change has a title"));
            }
            ChangeStep::Created { request: request.clone(), key: None }
        }
        Wish::Assign { to } if !site.people.contains_key(to) => return Err(unknown_person(to)),
        Wish::Assign { to } => ChangeStep::Assigned { to: to.clone() },
        Wish::Withdraw => ChangeStep::Withdrawn,
        Wish::Archive => ChangeStep::Archived,
        Wish::Confirm { item, environment: None } => {
            confirm_request((site, rules), id, life, by, item.clone())?
        }
        Wish::Lost { environment } => lost(id, life, by, environment.as_deref())?,
        _ => {
            let what = format!("the site has no folder changes/{id}");
            return Err(
                Refused::by(Rule::NoSuchThing, what).hint("its scripts are to be committed first")
            );
        }
    };
    may_take(site, rules, by, &wish)?;
    legal(id, life, &step)?;
    Ok(step)
}

/// Whether somebody has one of the roles that the step is declared for.
fn may_take(site: &Site, rules: &ChangeRules, by: &PersonId, wish: &Wish) -> Result<(), Refused> {
    wish.word().map_or(Ok(()), |word| has_role_of(site, rules, by, word))
}

pub(super) fn has_role_of(
    site: &Site,
    rules: &ChangeRules,
    by: &PersonId,
    word: StepWord,
) -> Result<(), Refused> {
    let Some(roles) = rules.steps.get(&word) else { return Ok(()) };
    let stands_in = |role: &Role| rules.deputies.get(role).into_iter().flatten();
    let has = &site.people.get(by).ok_or_else(|| unknown_person(by))?.roles;
    let mut counted = roles.iter().flat_map(|role| std::iter::once(role).chain(stands_in(role)));
    if counted.any(|role| has.contains(role)) {
        return Ok(());
    }
    let names: Vec<&str> = roles.iter().map(Role::as_str).collect();
    let what = format!("this takes one of the roles: {}", names.join(", "));
    Err(Refused::by(Rule::RoleMissing, what).hint("`steps` in change-rules.yaml says so"))
}

fn unknown_person(person: &PersonId) -> Refused {
    Refused::by(Rule::UnknownPerson, format!("{person} is no person of the site"))
        .hint("only somebody in people.yaml takes part in changes")
}

/// Whether the stage allows a step.
fn legal(id: &ChangeId, life: &ChangeLife, step: &ChangeStep) -> Result<(), Refused> {
    let stage = life.stage();
    let afresh = match (step, life.since_submission()) {
        (ChangeStep::Submitted { content, .. }, Some((before, _))) => content != before,
        _ => true,
    };
    if stage.after(step, afresh).is_some() {
        return Ok(());
    }
    let what = format!("{id} is {}, and cannot be {} now", stage.name(), step.name());
    Err(Refused::by(Rule::WrongStage, what).hint("the page on changes has the order of its steps"))
}

impl Desk<'_> {
    /// The step that a wish becomes, or the rule that says no.
    pub fn take(&self, by: &PersonId, at: Timestamp, wish: Wish) -> Result<ChangeStep, Refused> {
        if !self.knows(by) {
            return Err(unknown_person(by));
        }
        may_take(self.site, self.rules, by, &wish)?;
        let id = &self.change.id;
        let stage = self.life.stage();
        if stage.is_over() && !matches!(wish, Wish::Archive | Wish::Lost { .. }) {
            let what = format!("{id} is {}", stage.name());
            return Err(Refused::by(Rule::WrongStage, what));
        }
        let step = match wish {
            Wish::Create { .. } | Wish::Assign { .. } | Wish::Lost { .. } | Wish::Archive => {
                return without_scripts(self.site, id, self.life, by, wish);
            }
            Wish::Withdraw => {
                self.may_close()?;
                return without_scripts(self.site, id, self.life, by, wish);
            }
            Wish::Submit { environment, accepted, confirm } => {
                self.submit(by, (environment, accepted, confirm), at)?
            }
            Wish::Review { tick } => self.review(by, tick)?,
            Wish::Approve { environment, role, tick } => {
                let environment = self.environment(environment.as_deref())?;
                self.approve(by, at, environment, role.as_ref(), tick)?
            }
            Wish::Confirm { environment, item } => {
                self.confirm(by, at, environment.as_deref(), item)?
            }
            Wish::Schedule { environment, on } => {
                let environment = self.environment(environment.as_deref())?;
                self.schedule(at, environment, on)?
            }
            Wish::Decide { applied, how } => self.decide(by, applied, how)?,
            Wish::FeedBack => ChangeStep::FedBack,
            Wish::Close => {
                self.may_close()?;
                ChangeStep::Closed
            }
            Wish::Return => ChangeStep::Returned,
        };
        legal(id, self.life, &step)?;
        Ok(step)
    }

    fn submit(
        &self,
        by: &PersonId,
        (environment, accepted, confirmed): (Option<String>, Option<Date>, Vec<CheckName>),
        at: Timestamp,
    ) -> Result<ChangeStep, Refused> {
        if let Some(named) = &environment {
            self.environment(Some(named))?;
        }
        if let Some(missing) = self.unhandled(by).into_iter().next() {
            return Err(missing.into());
        }
        if let Some(accepted) = accepted.filter(|accepted| *accepted > self.day(at)) {
            return Err(Refused::by(Rule::NotAccepted, format!("{accepted} has not come yet")));
        }
        let places = self.change.places(self.site);
        let case = |of: &str| environment.as_deref().is_none_or(|named| named == of);
        let rule = self.rules.submission.as_ref().filter(|rule| {
            places.iter().any(|(of, _)| case(of) && rule.scope.covers(self.case(of)))
        });
        // What is handed in for all environments meets the limits of one when it is handed in for that.
        let all = environment.is_none() && places.len() > 1;
        if let Some(rule) = rule.filter(|_| self.change.kind == ChangeKind::Normal && !all) {
            if let Some(item) = rule.confirm.iter().find(|item| !confirmed.contains(item)) {
                let what = format!("`{item}` is to be confirmed with it");
                return Err(Refused::by(Rule::NotConfirmed, what));
            }
            if rule.accepted_before.is_some() && accepted.is_none() {
                return Err(Refused::by(Rule::NotAccepted, "the day of its acceptance is missing"));
            }
        }
        let authors = self.change.papers.authors.clone();
        let (content, scripts) = (self.change.content.clone(), self.change.scripts.clone());
        Ok(ChangeStep::Submitted {
            content,
            scripts,
            environment,
            authors,
            accepted,
            confirmed,
            in_git: Vec::new(),
        })
    }

    pub(super) fn unaltered(&self) -> Result<(), Refused> {
        match self.life.since_submission() {
            Some((content, _)) if content == self.change.content => Ok(()),
            Some(_) => {
                let what = format!(
                    "the scripts of {} are not those that were submitted: it starts again",
                    self.change.id
                );
                Err(Refused::by(Rule::Lapsed, what).hint("it is to be submitted anew"))
            }
            None => {
                let what = format!("nobody has submitted {}", self.change.id);
                Err(Refused::by(Rule::NotSubmitted, what))
            }
        }
    }

    /// What a role is asked when it reviews or approves (D4), and nobody has ticked.
    fn answered<'a>(
        &self,
        asks: impl IntoIterator<Item = &'a CheckName>,
        tick: &[String],
    ) -> Result<(), Refused> {
        let open = asks.into_iter().filter(|asked| !tick.iter().any(|tick| tick == asked.as_str()));
        let title = |asked: &CheckName| {
            let title = self.rules.questions.get(asked).map(|title| title.get(Lang::En));
            format!("{asked} ({})", title.unwrap_or_default())
        };
        let open: Vec<String> = open.map(title).collect();
        if open.is_empty() {
            return Ok(());
        }
        let what = format!("this takes an answer to: {}", open.join(", "));
        Err(Refused::by(Rule::NotTicked, what).hint("each is answered with yes: `--tick NAME`"))
    }

    fn ticked(&self, tick: &[String]) -> Result<(), Refused> {
        let open: Vec<&str> = self
            .change
            .hazards
            .iter()
            .filter(|hazard| !tick.contains(hazard))
            .map(String::as_str)
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let what = format!("the check of its scripts warns of: {}", open.join(", "));
        Err(Refused::by(Rule::NotTicked, what).hint("each is ticked by name: `--tick NAME`"))
    }

    fn review(&self, by: &PersonId, ticked: Vec<String>) -> Result<ChangeStep, Refused> {
        self.unaltered()?;
        let places = self.change.places(self.site);
        let quorums = places
            .iter()
            .filter_map(|(environment, _)| self.approval_rule(environment).ok()?.review.as_ref());
        let open: Vec<_> =
            quorums.filter(|quorum| self.missing(quorum, self.reviews()) > 0).collect();
        let Some(first) = open.first() else {
            let what = format!("{} needs no further review", self.change.id);
            return Err(Refused::by(Rule::NoChange, what));
        };
        let mine = open.iter().find(|quorum| self.has_role(by, &quorum.role).is_some());
        let role = mine.unwrap_or(first).role.clone();
        let stands_in = self.must_have_role(by, &role)?;
        if self.reviews().any(|(taken, _)| taken.by == *by) {
            let what = format!("{by} has reviewed {}", self.change.id);
            return Err(Refused::by(Rule::NoChange, what));
        }
        self.must_not_clash(by, Part::Reviewer, &Crew::default())?;
        let mine = open.iter().filter(|quorum| quorum.role == role);
        self.answered(mine.flat_map(|quorum| &quorum.asks), &ticked)?;
        self.ticked(&ticked)?;
        let left = |role_of: &Role| {
            open.iter()
                .filter(|q| q.role == *role_of)
                .map(|q| self.missing(q, self.reviews()))
                .max()
        };
        let mine_left = left(&role).unwrap_or(0).saturating_sub(1);
        let complete = mine_left == 0 && open.iter().all(|quorum| quorum.role == role);
        let content = self.change.content.clone();
        Ok(ChangeStep::Reviewed { content, role, stands_in, ticked, complete })
    }

    fn approve(
        &self,
        by: &PersonId,
        at: Timestamp,
        environment: String,
        asked: Option<&Role>,
        ticked: Vec<String>,
    ) -> Result<ChangeStep, Refused> {
        self.unaltered()?;
        let rule = self.approval_rule(&environment)?;
        if let Some(quorum) = &rule.review
            && self.missing(quorum, self.reviews()) > 0
        {
            let what = format!("{} is not reviewed", self.change.id);
            return Err(Refused::by(Rule::NotReviewed, what));
        }
        let Some((quorum, missing)) = self.next_role(rule, &environment, at) else {
            let what = format!("{} is approved for {environment}", self.change.id);
            return Err(Refused::by(Rule::NoChange, what));
        };
        if let Some(asked) = asked.filter(|asked| **asked != quorum.role) {
            let what = match rule.roles.iter().any(|known| known.role == *asked) {
                true => format!("`{}` approves before `{asked}` does", quorum.role),
                false => format!("`{asked}` approves nothing in {environment}"),
            };
            return Err(Refused::by(Rule::TooEarly, what));
        }
        let stands_in = self.must_have_role(by, &quorum.role)?;
        if self.approvals(&environment, at).any(|(taken, _)| taken.by == *by) {
            let what = format!("{by} has approved {} for {environment}", self.change.id);
            return Err(Refused::by(Rule::OwnWork, what).hint("it takes another person"));
        }
        self.must_not_clash(by, Part::Approver, &Crew::default())?;
        self.answered(&quorum.asks, &ticked)?;
        self.ticked(&ticked)?;
        let last = rule.roles.last().is_some_and(|last| last.role == quorum.role);
        let (role, complete) = (quorum.role.clone(), last && missing == 1);
        let digest = self.approval_digest(&environment).unwrap_or_default();
        Ok(ChangeStep::Approved { environment, digest, role, stands_in, ticked, complete })
    }

    fn schedule(
        &self,
        at: Timestamp,
        environment: String,
        on: Option<Date>,
    ) -> Result<ChangeStep, Refused> {
        self.unaltered()?;
        let lacks = self.approved(&environment, at);
        let lacks = lacks.into_iter().chain(self.promoted(&environment, at));
        if let Some(first) = lacks.into_iter().next() {
            return Err(first.into());
        }
        let emergency = self.change.kind == ChangeKind::Emergency && on.is_none();
        let window = match emergency {
            true => None,
            false => self.window_for(&environment, at, on).map_err(Refused::from)?,
        };
        let digest = self.approval_digest(&environment).unwrap_or_default();
        let (opens, closes) = window.unzip();
        Ok(ChangeStep::Scheduled { environment, digest, opens, closes })
    }
}
