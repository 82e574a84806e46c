//! What the start of a change asks for where a site has rules about changes, read from its life and the acts on its run.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::core::change::{ChangeStep, LATE, Lives, Taken};
use crate::core::fact::Action;
use crate::core::state::{Run, State};
use crate::definition::site::{Before, Case, Change, ChangeKind, ChangeRules, Job, Kind, Quorum};
use crate::types::{AttemptId, PersonId, Role, WindowClass};
use crate::wire::ChangeState;

/// A change that the rules of its site are about.
pub(super) struct Ruled<'a> {
    run: &'a Run,
    job: &'a Job,
    pub(super) change: &'a Change,
    rules: &'a ChangeRules,
    environment: &'a str,
    steps: &'a [Taken],
    /// Of all changes.
    lives: &'a Lives,
}

/// `None`: it is none, or its run is a trial.
pub(super) fn ruled<'a>(state: &'a State, run: &'a Run, job: &'a Job) -> Option<Ruled<'a>> {
    let Kind::Change { change, .. } = &job.kind else { return None };
    let change = run.site.changes.get(change)?;
    let rules = run.site.change_rules.as_deref().filter(|_| !run.opened.trial)?;
    let environment = run.site.targets.get(change.target.as_ref()?)?.environment.as_str();
    let lives = &state.standing.changes;
    let steps = lives.get(&change.id).map_or(&[][..], |life| &life.steps);
    Some(Ruled { run, job, change, rules, environment, steps, lives })
}

impl<'a> Ruled<'a> {
    /// What it lacks of people.
    pub(super) fn lacks(&self, at: Timestamp) -> Option<String> {
        if let Some(what) = self.unapproved(at) {
            return Some(what);
        }
        let authors = self.authors();
        if let Some(what) = self.cut_off(&authors) {
            return Some(what);
        }
        let done = |id| self.lives.get(id).is_some_and(|life| is_done(&life.steps));
        if let Some(needed) = self.change.needs.iter().find(|id| !done(*id)) {
            return Some(format!("{needed}, which it needs, is not done"));
        }
        if self.is_taken() {
            return Some("another run has begun it since it was put on a list".to_owned());
        }
        let items = self.rules.checklist.iter();
        let mut items = items
            .filter(|(_, item)| item.before == Before::Start && item.scope.covers(self.case()));
        if let Some((item, _)) =
            items.find(|(name, rule)| !self.confirmed(name.as_str(), &rule.role, Timestamp::MIN))
        {
            return Some(format!("{item} is not confirmed"));
        }
        self.unmanned(&authors)
    }

    /// What it lacks of those who review and approve it.
    pub(super) fn unapproved(&self, at: Timestamp) -> Option<String> {
        let over = |taken: &Taken| matches!(taken.step, ChangeStep::Closed | ChangeStep::Archived);
        if self.steps.iter().any(over) {
            return Some("it is closed".to_owned());
        }
        let Some(submitted) = self.submitted() else {
            return Some("nobody has submitted it".to_owned());
        };
        let authors = self.authors();
        let reviewed = of(submitted, |step| match step {
            ChangeStep::Reviewed { role, .. } => Some(role),
            _ => None,
        });
        let held = self.rules.approvals_hold.map(|hold| hold.get());
        let fresh = |taken: &&Taken| {
            let age = at.duration_since(taken.at);
            held.is_none_or(|held| age < SignedDuration::try_from(held).unwrap_or_default())
        };
        let approved = of(submitted.iter().filter(fresh), |step| match step {
            ChangeStep::Approved { environment, role, .. } if environment == self.environment => {
                Some(role)
            }
            _ => None,
        });
        let mut known: BTreeSet<&PersonId> = authors.clone();
        let rule = self.rules.approvals.iter().find(|rule| rule.scope.covers(self.case()));
        let Some(rule) = rule else { return Some("no rule says who approves it".to_owned()) };
        let wanted = rule.review.iter().map(|quorum| (quorum, &reviewed));
        for (quorum, given) in wanted.chain(rule.roles.iter().map(|quorum| (quorum, &approved))) {
            let people = people(quorum, given);
            if people.len() < quorum.people as usize {
                return Some(format!("too few with the role {} have seen it", quorum.role));
            }
            if let Some(twice) = people.iter().find(|person| known.contains(*person)) {
                return Some(format!("{twice} has two parts in it"));
            }
            known.extend(people);
        }
        None
    }

    /// It stopped half way in this run, and no two people who had no hand in it have said how it goes on, or what they found.
    fn cut_off(&self, authors: &BTreeSet<&PersonId>) -> Option<String> {
        let ours =
            |attempt: &AttemptId| attempt.run == *self.run.id() && attempt.job == self.job.name;
        let at = self.steps.iter().rposition(
            |taken| matches!(&taken.step, ChangeStep::Ended { ended } if ours(&ended.attempt) && ended.started.is_some()),
        )?;
        let ChangeStep::Ended { ended } = &self.steps[at].step else { return None };
        let mut since = self.steps[at..].iter().rev();
        let said = since.find(|taken| match &taken.step {
            ChangeStep::GoesOn { attempt, .. } => ours(attempt),
            ChangeStep::Decided { .. } => true,
            _ => false,
        });
        let two = said.and_then(|taken| Some([&taken.by, taken.second.as_ref()?]));
        match two {
            _ if ended.state != ChangeState::Partial => None,
            Some([one, other]) if one != other => {
                let own = [one, other].into_iter().find(|by| authors.contains(by));
                own.map(|by| format!("{by} says how it goes on, and had a hand in it"))
            }
            _ => Some("it stopped half way, and no two people have said how it goes on".to_owned()),
        }
    }

    /// Released by one and watched by another, neither of whom had a hand in it.
    fn unmanned(&self, authors: &BTreeSet<&PersonId>) -> Option<String> {
        let acts = self.run.acts.iter();
        let released = acts.clone().find(|act| matches!(act.action, Action::ReleaseChanges { .. }));
        let watched = acts.clone().find(|act| act.action == Action::WatchChanges);
        let (Some(released), Some(watched)) = (released, watched) else {
            return Some("its list is not released and watched".to_owned());
        };
        if released.by == watched.by {
            return Some("one person releases and watches it".to_owned());
        }
        let own = [&released.by, &watched.by].into_iter().find(|by| authors.contains(by));
        own.map(|by| format!("{by} carries it out, and had a hand in it"))
    }

    /// Steps since its scripts were handed in: what was before it was sent back does not count.
    fn submitted(&self) -> Option<&'a [Taken]> {
        let back =
            |taken: &Taken| matches!(taken.step, ChangeStep::Returned | ChangeStep::Withdrawn);
        let after = self.steps.iter().rposition(back).map_or(0, |at| at + 1);
        let since = self.steps.get(after..)?;
        let first =
            since.iter().position(|taken| matches!(taken.step, ChangeStep::Submitted { .. }))?;
        since.get(first..)
    }

    fn authors(&self) -> BTreeSet<&'a PersonId> {
        authors(self.change, self.steps)
    }

    fn case(&self) -> Case<'_> {
        Case { class: self.change.class, environment: self.environment, kind: self.change.kind }
    }

    /// Whether somebody with a role has confirmed an item since an instant.
    fn confirmed(&self, name: &str, by: &Role, since: Timestamp) -> bool {
        self.submitted().unwrap_or_default().iter().any(|taken| {
            taken.at >= since
                && matches!(&taken.step, ChangeStep::Confirmed { item, role: Some(role), .. }
                    if item.as_str() == name && role == by)
        })
    }

    /// The classes that its rules and its own file name.
    pub(super) fn classes(&self) -> impl Iterator<Item = &'a WindowClass> {
        let case = self.case();
        let rule = self.rules.windows.iter().find(|rule| rule.scope.covers(case));
        rule.map(|rule| &rule.window).into_iter().chain(&self.change.window)
    }

    /// Whether it may run while its windows are closed: an emergency, and what somebody has confirmed after the window
    /// of its list was over.
    pub(super) fn runs_outside(&self, at: Timestamp) -> bool {
        let late = |closed: Timestamp| {
            let role = self.rules.late.as_ref();
            closed <= at && role.is_some_and(|role| self.confirmed(LATE, role, closed))
        };
        self.change.kind == ChangeKind::Emergency
            || self.list().is_some_and(|(_, closes)| late(closes))
    }

    /// Whether the window of its list is still to come.
    pub(super) fn is_early(&self, at: Timestamp) -> bool {
        let normal = self.change.kind == ChangeKind::Normal;
        normal && self.list().is_some_and(|(opens, _)| at < opens)
    }

    /// Whether the window of its list is over, and nobody lets it run late.
    pub(super) fn has_passed(&self, at: Timestamp) -> bool {
        let passed = self.list().is_some_and(|(_, closes)| closes <= at);
        passed && self.change.kind == ChangeKind::Normal && !self.runs_outside(at)
    }

    /// Whether it was put on a list, and another run has begun it since.
    fn is_taken(&self) -> bool {
        let steps = self.submitted().unwrap_or_default();
        let scheduled = |taken: &Taken| matches!(taken.step, ChangeStep::Scheduled { .. });
        let Some(at) = steps.iter().rposition(scheduled) else { return false };
        steps.iter().skip(at).any(|taken| {
            matches!(&taken.step, ChangeStep::Began { began } if began.attempt.run != *self.run.id())
        })
    }

    /// The window of the list that it was put on last, where it has one.
    fn list(&self) -> Option<(Timestamp, Timestamp)> {
        let mut steps = self.submitted()?.iter().rev();
        let last = steps.find_map(|taken| match &taken.step {
            ChangeStep::Scheduled { opens, closes, .. } => Some(opens.zip(*closes)),
            _ => None,
        });
        last.flatten()
    }
}

/// Whether its last attempt has left it done; all are in one environment here.
fn is_done(steps: &[Taken]) -> bool {
    let last = steps.iter().rev().find_map(|taken| match &taken.step {
        ChangeStep::Ended { ended } => Some(ended.state == ChangeState::Done),
        ChangeStep::Decided { applied, .. } => Some(*applied),
        ChangeStep::Lost { complete: true, .. } => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
}

/// Whoever wrote a change, asked for it or handed it in, ever.
pub(super) fn authors<'a>(change: &'a Change, steps: &'a [Taken]) -> BTreeSet<&'a PersonId> {
    let mut authors: BTreeSet<&PersonId> = change.papers.authors.iter().collect();
    for taken in steps {
        match &taken.step {
            ChangeStep::Created { .. } => {
                authors.insert(&taken.by);
            }
            ChangeStep::Submitted { authors: named, in_git, .. } => {
                authors.insert(&taken.by);
                authors.extend(named);
                authors.extend(in_git.iter().flat_map(|named| &named.person));
            }
            _ => {}
        }
    }
    authors
}

/// Who has taken a step, and as what.
fn of<'a>(
    steps: impl IntoIterator<Item = &'a Taken>,
    role: impl Fn(&'a ChangeStep) -> Option<&'a Role>,
) -> Vec<(&'a PersonId, &'a Role)> {
    steps.into_iter().filter_map(|taken| Some((&taken.by, role(&taken.step)?))).collect()
}

fn people<'a>(quorum: &Quorum, given: &[(&'a PersonId, &'a Role)]) -> BTreeSet<&'a PersonId> {
    given.iter().filter(|(_, role)| **role == quorum.role).map(|(by, _)| *by).collect()
}
