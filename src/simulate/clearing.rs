//! What made-up people do with changes where a site has rules about them: anything at random, and what lets them start.

use std::sync::Arc;

use super::dice::Dice;
use super::made_site;
use super::world::act;
use crate::core::calendar::Calendars;
use crate::core::change::{ChangeOrder, Crew, Desk, HalfDone, LATE, Missing, Stage, Start, Wish};
use crate::core::fact::{Action, Proposed};
use crate::core::night::{Core, Event};
use crate::core::obstacle::Obstacle;
use crate::core::phase::Phase;
use crate::core::state::{Run, State, Unfit};
use crate::core::window::{NONE_ORDERED, Subject, Windows};
use crate::definition::site::{Before, Kind, Part, Person, Site};
use crate::types::{
    BatchId, ChangeId, CheckName, HostName, InvalidName, JobName, Named, Now, PersonId, RequestId,
    Role, RunId, ShiftName,
};
use crate::wire::ChangeState;

const HALF_DONE: [HalfDone; 3] = [HalfDone::Continue, HalfDone::RollBack, HalfDone::Accept];

/// Anything that somebody may want of any change, or of the list of any run.
pub(super) fn anything(
    dice: &mut Dice,
    state: &State,
    site: &Arc<Site>,
    by: &PersonId,
) -> Option<Event> {
    if dice.percent(20) {
        let runs: Vec<&RunId> = state.runs.keys().collect();
        let action = if dice.percent(50) { release().ok()? } else { Action::WatchChanges };
        return Some(act((*dice.pick(&runs)?).clone(), by.clone(), action));
    }
    let changes: Vec<&ChangeId> = site.changes.keys().collect();
    let change = (*dice.pick(&changes)?).clone();
    let item = CheckName::new(if dice.percent(50) { LATE } else { "people-present" }).ok()?;
    let item = any_closing(dice, site).unwrap_or(item);
    let wishes = [
        submit(),
        Wish::Review { tick: Vec::new() },
        approve(None),
        approve(None),
        Wish::Confirm { environment: None, item },
        schedule(),
        schedule(),
        schedule(),
        Wish::Decide { applied: Some(dice.percent(50)), how: None },
        Wish::Decide { applied: None, how: dice.pick(&HALF_DONE).copied() },
        Wish::Lost { environment: None },
        Wish::FeedBack,
        Wish::Close,
        Wish::Archive,
        Wish::Return,
        Wish::Withdraw,
    ];
    let wish = dice.pick(&wishes)?.clone();
    let mails: Vec<&String> =
        site.people.values().filter_map(|person| person.mail.as_ref()).collect();
    let named = dice.pick(&mails).filter(|_| dice.percent(30));
    let named = named.map(|mail| Named { commit: "c0ffee".to_owned(), mail: (*mail).clone() });
    Some(wished((site, named.into_iter().collect()), change, by, wish))
}

/// Now and then an item of the closing, where the site has some.
fn any_closing(dice: &mut Dice, site: &Site) -> Option<CheckName> {
    let items = site.change_rules.iter().flat_map(|rules| &rules.checklist);
    let items = items.filter(|(_, rule)| rule.before == Before::Close);
    let mut items: Vec<CheckName> = items.map(|(name, _)| name.clone()).collect();
    if items.is_empty() || dice.percent(50) {
        return None;
    }
    items.extend(CheckName::new("permission-1"));
    dice.pick(&items).cloned()
}

/// Everything that lets changes start and end that wait for people. `applied`: what is found at the target of one in doubt.
pub(super) fn help(
    core: &Core,
    site: &Arc<Site>,
    now: Now,
    applied: impl Fn(&RunId, &JobName) -> bool,
) -> Result<Vec<Event>, Unfit> {
    let mut events = Vec::new();
    for run in core.state().runs.values() {
        for index in 0..run.jobs.len() {
            let Kind::Change { change, .. } = &run.job(index).kind else { continue };
            if run.opened.trial || site.change_rules.is_none() {
                continue;
            }
            let node = Some((run, &run.job(index).name));
            let helper = Helper { state: core.state(), site, node, change };
            match &run.jobs[index].phase {
                Phase::InDoubt { .. } => events.extend(helper.decides(now, &applied)),
                Phase::Waiting | Phase::RetryWait { .. } if run.cancelled.is_none() => {
                    for obstacle in core.obstacles(run.id(), index, now)? {
                        if let Obstacle::NotCleared(missing) = obstacle {
                            helper.gives(&missing, &mut events);
                        }
                    }
                }
                _ => {}
            }
        }
    }
    Ok(events)
}

/// What puts changes on the list of a window that come to no run otherwise.
pub(super) fn lists(
    state: &State,
    (site, calendars): (&Arc<Site>, &Arc<Calendars>),
    now: Now,
) -> Vec<Event> {
    let (windows, mut events) = (Windows::over(site, calendars), Vec::new());
    let (Ok(batch), Ok(host)) = (BatchId::new(made_site::LIST), HostName::new("local")) else {
        return events;
    };
    let listed = site.changes.keys().filter(|id| id.as_str().starts_with(made_site::LISTED));
    for change in listed {
        let Ok(desk) = Desk::new(site, &windows, change, &state.standing.changes) else { continue };
        let helper = Helper { state, site, node: None, change };
        for (environment, target) in desk.change.places(site) {
            let subject =
                Subject { batch: &batch, target: Some(target), host: &host, ordered: NONE_ORDERED };
            let start = Start {
                environment,
                at: now.wall,
                crew: &Crew::default(),
                run: None,
                subject,
                classes: &[],
                needs: std::time::Duration::ZERO,
            };
            let lacks = desk.clearance(&start).err().unwrap_or_default();
            let before = events.len();
            let papers =
                lacks.iter().filter(|missing| !missing.is_of_crew() && !missing.is_of_time());
            papers.for_each(|missing| helper.gives(missing, &mut events));
            if events.len() == before && desk.scheduled(environment).is_none() {
                helper.gives(&Missing::Schedule, &mut events);
            }
        }
    }
    events
}

/// One of those is handed in once more when it is on the list, and git names somebody as its author who may have approved it.
pub(super) fn anew(dice: &mut Dice, site: &Arc<Site>) -> Option<Event> {
    let listed = site.changes.keys().filter(|id| id.as_str().starts_with(made_site::LISTED));
    let change = (*dice.pick(&listed.collect::<Vec<_>>())?).clone();
    let mails: Vec<&String> =
        site.people.values().filter_map(|person| person.mail.as_ref()).collect();
    let mail = (*dice.pick(&mails)?).clone();
    let named = Named { commit: "c0ffee".to_owned(), mail };
    Some(wished((site, vec![named]), change, &made_site::author()?, submit()))
}

/// One change, and who may help it.
struct Helper<'a> {
    state: &'a State,
    site: &'a Arc<Site>,
    /// The job of a run that it is, if it is one by now.
    node: Option<(&'a Run, &'a JobName)>,
    change: &'a ChangeId,
}

impl Helper<'_> {
    fn stage(&self) -> Stage {
        self.state.standing.changes.get(self.change).map_or(Stage::Draft, |life| life.stage())
    }

    fn wish(&self, by: &PersonId, wish: Wish) -> Event {
        wished((self.site, Vec::new()), self.change.clone(), by, wish)
    }

    /// Everybody with a role asks, or with that of its deputy: some of them may. The job is left out where too few of them
    /// had no hand in the scripts.
    fn each(&self, role: &Role, wish: &Wish, events: &mut Vec<Event>) {
        let rules = self.site.change_rules.as_ref();
        let people = having(self.site, role).filter(|id| !self.wrote(id));
        let approvals = rules.iter().flat_map(|rules| &rules.approvals);
        let quorums = approvals.flat_map(|rule| rule.review.iter().chain(&rule.roles));
        let enough = quorums.filter(|quorum| quorum.role == *role).map(|quorum| quorum.people);
        let enough = enough.max().unwrap_or(1) as usize;
        let asked: Vec<Event> = people.map(|by| self.wish(by, wish.clone())).collect();
        match asked.len() < enough {
            true => self.skip(events),
            false => events.extend(asked),
        }
    }

    fn wrote(&self, person: &PersonId) -> bool {
        let declared = self.site.changes.get(self.change);
        let mut authors = declared.into_iter().flat_map(|change| &change.papers.authors);
        let life = self.state.standing.changes.get(self.change);
        let mut writers = life.into_iter().flat_map(|life| life.writers());
        authors.any(|author| author == person) || writers.any(|writer| writer == person)
    }

    fn skip(&self, events: &mut Vec<Event>) {
        let Some((run, job)) = self.node else { return };
        let by = self.site.people.keys().next().cloned();
        let action = Action::Skip { job: job.clone() };
        events.extend(by.map(|by| act(run.id().clone(), by, action)));
    }

    fn all(&self, action: &Action, events: &mut Vec<Event>) {
        let Some((run, _)) = self.node else { return };
        let run = run.id();
        let people = self.site.people.keys();
        events.extend(people.map(|by| act(run.clone(), by.clone(), action.clone())));
    }

    fn gives(&self, missing: &Missing, events: &mut Vec<Event>) {
        let over = matches!(self.stage(), Stage::Closed | Stage::Archived | Stage::Withdrawn);
        let waits = matches!(
            self.stage(),
            Stage::Written | Stage::Reviewed | Stage::Approved | Stage::Scheduled
        );
        if over {
            return self.skip(events);
        }
        match missing {
            Missing::Submission | Missing::Lapsed => {
                let author = made_site::author();
                events.extend(author.map(|by| self.wish(&by, submit())));
            }
            Missing::Review { role, .. } => {
                self.each(role, &Wish::Review { tick: Vec::new() }, events);
            }
            Missing::Approval { role, .. } => self.each(role, &approve(Some(role)), events),
            Missing::Confirmation { item, role: Some(role), .. } => {
                let wish = Wish::Confirm { environment: None, item: item.clone() };
                self.each(role, &wish, events);
            }
            Missing::WindowPassed { role, .. } => {
                if let (Some(role), Ok(item)) = (role, CheckName::new(LATE)) {
                    self.each(role, &Wish::Confirm { environment: None, item }, events);
                } else {
                    let author = made_site::author();
                    events.extend(author.map(|by| self.wish(&by, schedule())));
                }
            }
            Missing::Schedule => {
                let author = made_site::author();
                events.extend(author.map(|by| self.wish(&by, schedule())));
            }
            Missing::Release => {
                if let Ok(action) = release() {
                    self.all(&action, events);
                }
            }
            Missing::Watcher => self.all(&Action::WatchChanges, events),
            // Nobody will do what was skipped.
            Missing::Needs { change } => {
                let under_way = self.state.changes_under_way();
                if !under_way.keys().any(|(of, _)| of == change) {
                    self.skip(events);
                }
            }
            // Other people are found for what is handed in anew, and none for who has released it.
            Missing::OwnWork { part, other, .. } => {
                let crew = [Part::Executor, Part::Watcher];
                let carries_out = crew.contains(part) || crew.contains(other);
                let author = made_site::author().filter(|_| waits && !carries_out);
                match author {
                    Some(by) => events.push(self.wish(&by, Wish::Return)),
                    None => self.skip(events),
                }
            }
            _ => {}
        }
    }

    /// What they want of one that stopped half way: each time something else.
    fn half_done(&self) -> Option<HalfDone> {
        let life = self.state.standing.changes.get(self.change)?;
        let partial = life.doubt().is_some_and(|doubt| doubt.state == ChangeState::Partial);
        partial.then(|| HALF_DONE[life.steps.len() % HALF_DONE.len()])
    }

    /// Two people say what they found, neither of them an author.
    fn decides(&self, now: Now, applied: &impl Fn(&RunId, &JobName) -> bool) -> Vec<Event> {
        let Some((run, job)) = self.node.filter(|_| self.stage() == Stage::InDoubt) else {
            return Vec::new();
        };
        let asked = self.state.standing.requests.iter().find(|(_, asked)| {
            let ours =
                matches!(&asked.what, Proposed::Change { change, .. } if change == self.change);
            ours && asked.until > now.wall
        });
        let everybody = self.site.people.keys();
        match asked {
            None => {
                let found = match self.half_done() {
                    Some(how) => Wish::Decide { applied: None, how: Some(how) },
                    None => {
                        let applied = Some(applied(run.id(), job));
                        Wish::Decide { applied, how: None }
                    }
                };
                everybody.map(|by| self.wish(by, found.clone())).collect()
            }
            Some((request, _)) => everybody.map(|by| second(*request, by)).collect(),
        }
    }
}

/// Who has a role, or that of its deputy.
pub(super) fn having<'a>(site: &'a Site, role: &'a Role) -> impl Iterator<Item = &'a PersonId> {
    let rules = site.change_rules.as_ref();
    let deputies = rules.and_then(|rules| rules.deputies.get(role)).into_iter().flatten();
    let roles: Vec<&Role> = std::iter::once(role).chain(deputies).collect();
    let has = move |person: &Person| roles.iter().any(|role| person.roles.contains(role));
    site.people.iter().filter(move |(_, person)| has(person)).map(|(id, _)| id)
}

fn submit() -> Wish {
    Wish::Submit { environment: None, accepted: None, confirm: Vec::new() }
}

fn approve(role: Option<&Role>) -> Wish {
    Wish::Approve { environment: None, role: role.cloned(), tick: Vec::new() }
}

fn schedule() -> Wish {
    Wish::Schedule { environment: None, on: None }
}

/// As somebody does who is on shift.
fn release() -> Result<Action, InvalidName> {
    Ok(Action::ReleaseChanges { shifts: vec![ShiftName::new("night")?] })
}

fn second(request: RequestId, by: &PersonId) -> Event {
    Event::Second { request, by: by.clone(), known: true, reason: "yes".to_owned() }
}

pub(super) fn wished(
    (site, named): (&Arc<Site>, Vec<Named>),
    change: ChangeId,
    by: &PersonId,
    wish: Wish,
) -> Event {
    let order = ChangeOrder { change, wish, key: None, site: Arc::clone(site), named };
    Event::Change { by: by.clone(), reason: "made up".to_owned(), order: Box::new(order) }
}
