//! What is confirmed of an execution before the change is closed (D1, D10, D12): who stays until when, what is looked at
//! afterwards, which permissions are configured.

use jiff::{SignedDuration, Timestamp};

use super::approvals::Crew;
use super::checklist::{confirmation, item, too_early};
use super::decide::own_work;
use super::desk::Desk;
use super::missing::Missing;
use super::step::{ChangeStep, Executed};
use crate::core::opening::later;
use crate::core::refused::{Refused, Rule};
use crate::definition::site::{Before, Case, Change, CheckRule, Moment, Part, Permission, Site};
use crate::types::{CheckName, MarketName, PersonId, Role, Span};

/// Before the number of a permission that its own person configures after the change.
const PERMISSION: &str = "permission-";

/// How far ahead an opening of a market is looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Who says yes to an item that a change waits for before it is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose<'a> {
    Role(&'a Role),
    /// Configures a permission.
    Person(&'a PersonId),
}

/// What has to be confirmed of an execution before the change is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closing<'a> {
    pub(super) name: CheckName,
    whose: Whose<'a>,
    after: Option<&'a CheckName>,
    /// It counts from then on; `Err`: no opening of its markets is known.
    from: Result<Timestamp, ()>,
    /// From then on it is missed.
    until: Option<Timestamp>,
}

/// Something that nobody has confirmed in time after an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    pub environment: String,
    pub item: CheckName,
    pub due: Timestamp,
}

impl Desk<'_> {
    /// By what its file said when it began: whatever is altered later, nothing of it is let off.
    pub(super) fn closings<'a>(
        &'a self,
        environment: &'a str,
        executed: &'a Executed,
    ) -> Vec<Closing<'a>> {
        let began = self.life.beginning(executed).and_then(|began| began.declared.as_ref());
        let papers = &self.change.papers;
        let case = began.map_or(self.case(environment), |then| Case {
            class: then.class,
            kind: then.kind,
            environment,
        });
        let markets = began.and_then(|then| then.markets.as_ref()).unwrap_or(&papers.markets);
        let here = permissions_in(self.site, self.change, environment);
        let permissions = began.and_then(|then| then.permissions.as_deref()).unwrap_or(here);
        let ended = executed.ended;
        let items = self.items((case, markets), Before::Close).map(|(name, rule)| Closing {
            name: name.clone(),
            whose: Whose::Role(&rule.role),
            after: rule.after.as_ref(),
            from: match rule.from {
                None => Ok(ended),
                Some(Moment::After(wait)) => Ok(after(ended, wait)),
                Some(Moment::Open) => self.opens(rule, markets, ended).max().ok_or(()),
            },
            until: rule.until.and_then(|until| match until {
                Moment::After(wait) => Some(after(ended, wait)),
                Moment::Open => self.opens(rule, markets, ended).min(),
            }),
        });
        let mut all: Vec<Closing<'_>> = items.collect();
        all.extend(permissions.iter().enumerate().filter_map(|(at, permission)| {
            // Whoever has left configures nothing: it is for the person whom the file names by now.
            let gone = !self.site.people.contains_key(&permission.by);
            let by = here.get(at).filter(|_| gone).map_or(&permission.by, |now| &now.by);
            Some(Closing {
                name: item(&format!("{PERMISSION}{}", at + 1))?,
                whose: Whose::Person(by),
                after: None,
                from: Ok(ended),
                until: None,
            })
        }));
        all
    }

    /// When the markets of the change that an item names open for the first time after an execution (D12).
    fn opens<'a>(
        &'a self,
        rule: &'a CheckRule,
        markets: &'a [MarketName],
        ended: Timestamp,
    ) -> impl Iterator<Item = Timestamp> + 'a {
        let ours = rule.markets.iter().filter(|of| markets.contains(of));
        let windows = ours.filter_map(|market| self.rules.markets.get(market));
        windows.filter_map(move |window| {
            let openings = self.windows.openings(window, ended, later(ended, AHEAD));
            openings.into_iter().map(|(opens, _)| opens).find(|opens| *opens > ended)
        })
    }

    /// Whether an item of a closing is confirmed; nobody does so for what he has written himself.
    fn is_said(&self, environment: &str, closing: &Closing<'_>) -> bool {
        let nobody = Crew::default();
        let authors = self.people(Part::Author, &nobody);
        let Ok(from) = closing.from else { return false };
        self.life.steps.iter().any(|taken| match &taken.step {
            ChangeStep::Confirmed { environment: Some(of), item, role, .. } => {
                of == environment
                    && *item == closing.name
                    && taken.at >= from
                    && match closing.whose {
                        Whose::Role(asked) => {
                            role.as_ref().is_some_and(|of| self.counts((taken, of), asked))
                                && !authors.contains(&taken.by)
                        }
                        Whose::Person(person) => taken.by == *person,
                    }
            }
            _ => false,
        })
    }

    fn lacks_to_close<'a>(&'a self, environment: &'a str) -> Vec<Closing<'a>> {
        let Some(executed) = self.life.left_in(environment) else { return Vec::new() };
        let mut closings = self.closings(environment, executed);
        closings.retain(|closing| !self.is_said(environment, closing));
        closings
    }

    /// What is still to be confirmed of what was executed in an environment, before the change is closed.
    pub fn unclosed(&self, environment: &str) -> Vec<Missing> {
        let lacks = self.lacks_to_close(environment);
        lacks.into_iter().map(|closing| closing.missing()).collect()
    }

    pub(super) fn may_close(&self) -> Result<(), Refused> {
        let missing = self.life.left_somewhere().into_iter().find_map(|environment| {
            let first = self.unclosed(environment).into_iter().next()?;
            Some((first, environment))
        });
        let Some((missing, environment)) = missing else { return Ok(()) };
        let what = format!("{missing}, in {environment}");
        Err(Refused::by(missing.rule(), what).hint("`nightrun change confirm` says so"))
    }

    /// What was to be confirmed by then, and was not; with when the next one would be.
    pub fn overdue(&self, at: Timestamp) -> (Vec<Overdue>, Option<Timestamp>) {
        let mut found = Vec::new();
        let mut next: Option<Timestamp> = None;
        for environment in self.life.left_somewhere() {
            for closing in self.lacks_to_close(environment) {
                let Some(due) = closing.until else { continue };
                if due <= at {
                    let environment = environment.to_owned();
                    found.push(Overdue { environment, item: closing.name, due });
                } else {
                    next = Some(next.map_or(due, |known| known.min(due)));
                }
            }
        }
        (found, next)
    }

    pub(super) fn confirm_closing(
        &self,
        by: &PersonId,
        at: Timestamp,
        environment: &str,
        closing: &Closing<'_>,
    ) -> Result<ChangeStep, Refused> {
        let name = &closing.name;
        if self.is_said(environment, closing) {
            return Err(Refused::by(Rule::NoChange, format!("`{name}` is confirmed")));
        }
        match closing.from {
            Ok(from) if from <= at => {}
            Ok(from) => {
                let what = format!("`{name}` counts from {from} on");
                return Err(Refused::by(Rule::TooEarly, what));
            }
            Err(()) => {
                let what = format!("no opening of the markets that `{name}` is about is known");
                return Err(Refused::by(Rule::TooEarly, what)
                    .hint("`markets` of change-rules.yaml names their windows"));
            }
        }
        if let Some(after) = closing.after
            && self.lacks_to_close(environment).iter().any(|open| open.name == *after)
        {
            return Err(too_early(name, after));
        }
        let role = match closing.whose {
            Whose::Person(person) if person == by => None,
            Whose::Person(person) => {
                let what = format!("`{name}` is configured by {person}");
                return Err(Refused::by(Rule::RoleMissing, what));
            }
            Whose::Role(_) if self.people(Part::Author, &Crew::default()).contains(by) => {
                return Err(own_work(&self.change.id, by));
            }
            Whose::Role(role) => {
                self.must_have_role(by, role)?;
                Some(role.clone())
            }
        };
        let (environment, content) = (Some(environment.to_owned()), self.change.content.clone());
        Ok(ChangeStep::Confirmed { environment, item: name.clone(), content, role })
    }
}

impl Closing<'_> {
    fn missing(&self) -> Missing {
        match self.whose {
            Whose::Role(role) => confirmation(&self.name, role),
            Whose::Person(by) => Missing::Permission { item: self.name.clone(), by: by.clone() },
        }
    }
}

/// What is configured after an execution: in the last environment that the change goes to.
pub(super) fn permissions_in<'a>(
    site: &Site,
    change: &'a Change,
    environment: &str,
) -> &'a [Permission] {
    let places = change.places(site);
    match places.last() {
        Some((last, _)) if *last == environment => &change.papers.permissions,
        _ => &[],
    }
}

fn after(at: Timestamp, wait: Span) -> Timestamp {
    let wait = SignedDuration::try_from(wait.get()).unwrap_or(SignedDuration::MAX);
    at.checked_add(wait).unwrap_or(Timestamp::MAX)
}
