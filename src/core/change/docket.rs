//! Whose turn it is with a change, and what a person may do with it now (D2, D3): what pages lead people to. Nothing here
//! decides: each offer is what [`Desk::take`] says of it.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::approvals::{Crew, stands_for};
use super::checklist::{LATE, item};
use super::desk::{Desk, UNKNOWN};
use super::life::{ChangeLife, Lives, Stage};
use super::missing::Missing;
use super::step::ChangeStep;
use super::take::{HalfDone, Wish, without_folder};
use crate::core::refused::{Refused, Rule};
use crate::core::window::Windows;
use crate::definition::site::{Before, ChangeRules, Part, Site, StepWord};
use crate::types::{ChangeId, CheckName, PersonId, Role};

/// What a change waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaits {
    Assignment,
    Submission,
    Review,
    Approval {
        environment: String,
    },
    /// An item of the checklist, or a permission. `environment`: none of what is confirmed of a request.
    Item {
        environment: Option<String>,
        item: CheckName,
    },
    Schedule {
        environment: String,
    },
    /// Its window, its release, and who watches.
    Execution {
        environment: String,
    },
    /// The end of its attempt.
    End,
    /// Two people say what became of it.
    Decision,
    FeedBack,
    Close,
}

/// Whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    pub awaits: Awaits,
    /// Somebody with one of these roles, or with that of a deputy.
    pub roles: Vec<Role>,
    /// Or one of these.
    pub named: Vec<PersonId>,
    /// How many more people it takes.
    pub people: u32,
}

impl Turn {
    fn of(awaits: Awaits, roles: Vec<Role>) -> Self {
        Self { awaits, roles, named: Vec::new(), people: 1 }
    }

    fn by(awaits: Awaits, named: Vec<PersonId>) -> Self {
        Self { awaits, roles: Vec::new(), named, people: 1 }
    }
}

/// A step that the rules let a person take now, with everything ticked that it asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    pub wish: Wish,
    pub step: ChangeStep,
    /// What the person is asked with it, and answers with yes (D4).
    pub asks: Vec<CheckName>,
    /// Warnings of the scripts that are ticked by name.
    pub warnings: Vec<String>,
}

/// A change with its folder, or as it was asked for where that is not there.
#[derive(Debug)]
pub struct Docket<'a> {
    site: &'a Site,
    rules: &'a ChangeRules,
    id: &'a ChangeId,
    life: &'a ChangeLife,
    desk: Option<Desk<'a>>,
    /// Who has said what became of it, and waits for another person's yes.
    decided: Vec<&'a PersonId>,
}

impl<'a> Docket<'a> {
    /// `None`: the site has no rules for changes.
    pub fn new(
        site: &'a Site,
        windows: &'a Windows,
        lives: &'a Lives,
        id: &'a ChangeId,
    ) -> Option<Self> {
        let rules = site.change_rules.as_deref()?;
        let life = lives.get(id).map_or(&UNKNOWN, AsRef::as_ref);
        let desk = Desk::new(site, windows, id, lives).ok();
        Some(Self { site, rules, id, life, desk, decided: Vec::new() })
    }

    /// With those who have decided it as the first of two people.
    pub fn decided_by(self, decided: Vec<&'a PersonId>) -> Self {
        Self { decided, ..self }
    }

    pub fn desk(&self) -> Option<&Desk<'a>> {
        self.desk.as_ref()
    }

    /// The step that a wish becomes, or the rule that says no.
    pub fn take(&self, by: &PersonId, at: Timestamp, wish: Wish) -> Result<ChangeStep, Refused> {
        match &self.desk {
            Some(desk) => desk.take(by, at, wish),
            None => without_folder(self.site, self.id, self.life, by, wish),
        }
    }

    /// Everything that it waits for now; of the first environment in which these scripts are not done.
    pub fn turns(&self, at: Timestamp) -> Vec<Turn> {
        match (self.life.stage(), &self.desk) {
            (stage, _) if stage.is_over() => Vec::new(),
            (Stage::Executing, _) => vec![Turn::of(Awaits::End, Vec::new())],
            (Stage::InDoubt, _) => {
                let people = if self.decided.is_empty() { 2 } else { 1 };
                vec![Turn { people, ..self.of_step(Awaits::Decision, StepWord::Decide) }]
            }
            (Stage::Created, _) => vec![self.of_step(Awaits::Assignment, StepWord::Assign)],
            (Stage::Draft | Stage::Assigned | Stage::Returned, _) | (_, None) => {
                vec![self.submission()]
            }
            (stage, Some(desk)) => self.on_its_way(desk, stage, at),
        }
    }

    /// It is on its way, and its scripts are not those that were submitted: whatever was signed is void, and it starts
    /// again (D5). What is under way goes on with the scripts that it began with.
    pub fn is_void(&self) -> bool {
        let stage = self.life.stage();
        let settled = stage.is_over() || matches!(stage, Stage::Executing | Stage::InDoubt);
        let lapsed = |desk: &Desk<'_>| {
            desk.unaltered().is_err_and(|refused| refused.rule == Some(Rule::Lapsed))
        };
        !settled && self.desk.as_ref().is_some_and(lapsed)
    }

    fn of_step(&self, awaits: Awaits, word: StepWord) -> Turn {
        Turn::of(awaits, self.rules.steps.get(&word).cloned().unwrap_or_default())
    }

    /// Whoever it was given to, else its authors.
    fn submission(&self) -> Turn {
        let given = self.life.steps.iter().rev().find_map(|taken| match &taken.step {
            ChangeStep::Assigned { to } => Some(to.clone()),
            _ => None,
        });
        let authors = self.desk.iter().flat_map(|desk| desk.change.papers.authors.clone());
        let named = given.map_or_else(|| authors.collect(), |to| vec![to]);
        Turn::by(Awaits::Submission, named)
    }

    fn on_its_way(&self, desk: &Desk<'a>, stage: Stage, at: Timestamp) -> Vec<Turn> {
        if desk.unaltered().is_err() {
            return vec![self.submission()];
        }
        let content = Some(desk.change.content.as_str());
        let places = desk.change.places(self.site);
        let next = places.iter().find(|(of, _)| !self.life.is_done_in(of, content));
        let mut turns = next.map(|(of, _)| self.before_start(desk, of, at)).unwrap_or_default();
        if next.is_none() || matches!(stage, Stage::Failed | Stage::RolledBack) {
            turns.extend(self.before_close(desk, stage));
        }
        turns
    }

    fn before_start(&self, desk: &Desk<'a>, environment: &str, at: Timestamp) -> Vec<Turn> {
        let lacks = desk.approved(environment, at);
        let missing = |of: &Missing| match of {
            Missing::Review { role, people } => {
                Some(Turn { people: *people, ..Turn::of(Awaits::Review, vec![role.clone()]) })
            }
            Missing::Approval { role, people, .. } => {
                let awaits = Awaits::Approval { environment: environment.to_owned() };
                Some(Turn { people: *people, ..Turn::of(awaits, vec![role.clone()]) })
            }
            _ => None,
        };
        // One after the other: nobody approves before the one before has.
        let signs: Vec<Turn> = lacks.iter().find_map(missing).into_iter().collect();
        if signs.iter().any(|turn| turn.awaits == Awaits::Review) {
            return signs;
        }
        let items = desk.unchecked(environment, at);
        let mut turns = signs;
        turns.extend(items.iter().filter_map(|of| item_turn(environment, of)));
        if !turns.is_empty() || !desk.promoted(environment, at).is_empty() {
            return turns;
        }
        let listed = desk.scheduled(environment);
        let passed = listed.and_then(|(_, window)| window).is_some_and(|(_, closes)| closes <= at);
        let environment = environment.to_owned();
        match passed || (listed.is_none() && desk.must_be_listed(&environment)) {
            true => vec![self.of_step(Awaits::Schedule { environment }, StepWord::Schedule)],
            false => vec![Turn::of(Awaits::Execution { environment }, Vec::new())],
        }
    }

    fn before_close(&self, desk: &Desk<'a>, stage: Stage) -> Vec<Turn> {
        let left = self.life.left_somewhere().into_iter();
        let mut turns: Vec<Turn> = left
            .flat_map(|of| {
                let lacks = desk.unclosed(of);
                lacks.iter().filter_map(|missing| item_turn(of, missing)).collect::<Vec<_>>()
            })
            .collect();
        match stage {
            Stage::FedBack if turns.is_empty() => {
                turns.push(self.of_step(Awaits::Close, StepWord::Close));
            }
            Stage::FedBack => {}
            _ => turns.push(self.of_step(Awaits::FeedBack, StepWord::FeedBack)),
        }
        turns
    }

    /// Whether it is the turn of a person: by name, or by a role and with no part that keeps this one out.
    pub fn is_for(&self, turn: &Turn, person: &PersonId, at: Timestamp) -> bool {
        let named = turn.named.contains(person);
        let has = |role| stands_for(self.site, self.rules, person, role).is_some();
        if !named && !turn.roles.iter().any(has) {
            return false;
        }
        let only = |decided: &[&PersonId]| decided.iter().all(|by| *by == person);
        if turn.awaits == Awaits::Decision && !self.decided.is_empty() && only(&self.decided) {
            return false;
        }
        match self.signing(&turn.awaits) {
            Some(wish) => self.take(person, at, wish).is_ok(),
            None => true,
        }
    }

    /// What somebody wishes who signs; `None`: it is no signature, and time or others may be in its way.
    fn signing(&self, awaits: &Awaits) -> Option<Wish> {
        Some(match awaits.clone() {
            Awaits::Review => Wish::Review { tick: self.ticks() },
            Awaits::Approval { environment } => self.approval(environment),
            Awaits::Item { environment, item } => Wish::Confirm { environment, item },
            Awaits::Decision => Wish::Decide { applied: Some(true), how: None },
            Awaits::Assignment
            | Awaits::Submission
            | Awaits::Schedule { .. }
            | Awaits::Execution { .. }
            | Awaits::End
            | Awaits::FeedBack
            | Awaits::Close => return None,
        })
    }

    fn approval(&self, environment: String) -> Wish {
        Wish::Approve { environment: Some(environment), role: None, tick: self.ticks() }
    }

    /// Yes to everything that may be asked.
    fn ticks(&self) -> Vec<String> {
        let questions = self.rules.questions.keys().map(ToString::to_string);
        let hazards = self.desk.iter().flat_map(|desk| desk.change.hazards.iter().cloned());
        questions.chain(hazards).collect()
    }

    /// Everything that the rules let a person do with it now, signatures first.
    pub fn offers(&self, by: &PersonId, at: Timestamp) -> Vec<Offer> {
        let wishes = match &self.desk {
            Some(desk) => self.wishes(desk, by, at),
            None => self.of_request(),
        };
        let last = [Wish::Archive, Wish::Withdraw, Wish::Assign { to: by.clone() }];
        let offer = |wish: Wish| {
            let step = self.take(by, at, wish.clone()).ok()?;
            let desk = self.desk.as_ref();
            let asks = desk.map(|desk| desk.asks(&step)).unwrap_or_default();
            let warns = matches!(wish, Wish::Review { .. } | Wish::Approve { .. });
            let warnings = desk.filter(|_| warns).map(|desk| desk.change.hazards.clone());
            Some(Offer { wish, step, asks, warnings: warnings.unwrap_or_default() })
        };
        wishes.into_iter().chain(last).filter_map(offer).collect()
    }

    fn of_request(&self) -> Vec<Wish> {
        let items = self.rules.checklist.iter();
        let items = items.filter(|(_, rule)| rule.before == Before::Submission);
        items.map(|(name, _)| Wish::Confirm { environment: None, item: name.clone() }).collect()
    }

    fn wishes(&self, desk: &Desk<'a>, by: &PersonId, at: Timestamp) -> Vec<Wish> {
        let places = desk.change.places(self.site);
        let places: Vec<String> = places.into_iter().map(|(of, _)| of.to_owned()).collect();
        let mut wishes = vec![Wish::Review { tick: self.ticks() }];
        wishes.extend(places.iter().cloned().map(|environment| self.approval(environment)));
        wishes.extend(self.of_request());
        for environment in places.iter().map(String::as_str).chain(self.life.left_somewhere()) {
            let open = desk.unchecked(environment, at).into_iter();
            let items =
                open.chain(desk.unclosed(environment)).filter_map(|missing| match missing {
                    Missing::Confirmation { item, .. } | Missing::Permission { item, .. } => {
                        Some(item)
                    }
                    _ => None,
                });
            let confirm = |item| Wish::Confirm { environment: Some(environment.to_owned()), item };
            for wish in items.chain(item(LATE)).map(confirm) {
                if !wishes.contains(&wish) {
                    wishes.push(wish);
                }
            }
        }
        wishes.extend([true, false].map(|yes| Wish::Decide { applied: Some(yes), how: None }));
        let hows = [HalfDone::Continue, HalfDone::RollBack, HalfDone::Accept];
        wishes.extend(hows.map(|how| Wish::Decide { applied: None, how: Some(how) }));
        wishes.extend(self.submissions(desk, by, at));
        let schedule = |environment| Wish::Schedule { environment: Some(environment), on: None };
        wishes.extend(places.into_iter().map(schedule));
        wishes.extend([Wish::FeedBack, Wish::Close, Wish::Return]);
        wishes
    }

    /// For all environments where the scripts are not those that were submitted; else for each that lacks what only
    /// whoever submits it says.
    fn submissions(&self, desk: &Desk<'a>, by: &PersonId, at: Timestamp) -> Vec<Wish> {
        let rule = self.rules.submission.as_ref();
        let confirm = rule.map(|rule| rule.confirm.clone()).unwrap_or_default();
        let accepted = rule.and_then(|rule| rule.accepted_before).map(|_| desk.day(at));
        let submit = |environment| Wish::Submit { environment, accepted, confirm: confirm.clone() };
        if desk.unaltered().is_err() {
            return vec![submit(None)];
        }
        let places = desk.change.places(self.site).into_iter();
        let lacks = places.filter(|(environment, _)| {
            let listed = desk.scheduled(environment);
            desk.untimely(environment, at, listed).iter().any(|missing| {
                matches!(
                    missing,
                    Missing::SubmittedLate { .. }
                        | Missing::Acceptance { .. }
                        | Missing::Confirmation { role: None, .. }
                )
            })
        });
        let handed_in = desk.people(Part::Author, &Crew::default()).contains(by);
        lacks
            .filter(|_| handed_in)
            .map(|(environment, _)| submit(Some(environment.to_owned())))
            .collect()
    }

    /// Parts that a person has in it already.
    pub fn parts(&self, person: &PersonId) -> BTreeSet<Part> {
        let nobody = Crew::default();
        let of_desk = Part::ALL.into_iter().filter(|part| {
            let desk = self.desk.as_ref();
            desk.is_some_and(|desk| desk.people(*part, &nobody).contains(person))
        });
        of_desk.collect()
    }
}

fn item_turn(environment: &str, missing: &Missing) -> Option<Turn> {
    let awaits = |item: &CheckName| Awaits::Item {
        environment: Some(environment.to_owned()),
        item: item.clone(),
    };
    match missing {
        Missing::Confirmation { item, role: Some(role), .. } => {
            Some(Turn::of(awaits(item), vec![role.clone()]))
        }
        Missing::Permission { item, by } => Some(Turn::by(awaits(item), vec![by.clone()])),
        _ => None,
    }
}
