//! Whether a change may start: approvals, promotion, lists and windows, checked anew at the time of the start.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::approvals::Crew;
use super::checklist::{LATE, item};
use super::desk::Desk;
use super::life::{Stage, Taken};
use super::missing::Missing;
use super::step::{ChangeStep, WindowDecision};
use crate::core::window::{Gate, Subject, WindowReason};
use crate::definition::site::{ChangeKind, Part};
use crate::types::{PersonId, Role, RunId, Span, WindowClass};
use crate::wire::{ChangeState, is_rehearsed};

/// What is asked of a start besides the life of the change.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub environment: &'a str,
    pub at: Timestamp,
    pub crew: &'a Crew,
    /// The run that it is a job of; none where somebody only asks.
    pub run: Option<&'a RunId>,
    /// What freezes may name.
    pub subject: Subject<'a>,
    /// The classes of its job and its batch, which must be open besides.
    pub classes: &'a [&'a WindowClass],
    /// What its job must have left of them, if that is more than what the change asks for by itself.
    pub needs: Duration,
}

/// A change that may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleared {
    pub content: String,
    /// The approval digest.
    pub digest: String,
    pub window: WindowDecision,
}

/// When it was put on a list, and the window of that list, where it has one.
pub type Listed = (Timestamp, Option<(Timestamp, Timestamp)>);

impl Desk<'_> {
    /// Whether it may start, or everything that it lacks.
    pub fn clearance(&self, start: &Start<'_>) -> Result<Cleared, Vec<Missing>> {
        let mut missing = self.approved(start.environment, start.at);
        missing.extend(self.promoted(start.environment, start.at));
        missing.extend(self.needs(start.environment));
        missing.extend(self.unchecked(start.environment, start.at));
        missing.extend(self.manned(start.crew));
        let elsewhere = self.is_taken_by_another(start);
        let scheduled = self.scheduled(start.environment).filter(|_| !elsewhere);
        if elsewhere || scheduled.is_none() && self.must_be_listed(start.environment) {
            missing.push(Missing::Schedule);
        }
        missing.extend(self.untimely(start.environment, start.at, scheduled));
        let window = match self.window_now(start, scheduled) {
            Ok(window) => Some(window),
            Err(lacks) => {
                missing.push(lacks);
                None
            }
        };
        match (missing.is_empty(), window, self.approval_digest(start.environment)) {
            (true, Some(window), Some(digest)) => {
                Ok(Cleared { content: self.change.content.clone(), digest, window })
            }
            _ => Err(missing),
        }
    }

    /// What is missing of reviews and approvals, by the people and roles of now.
    pub fn approved(&self, environment: &str, at: Timestamp) -> Vec<Missing> {
        let mut missing = Vec::new();
        if matches!(self.life.stage(), Stage::Closed | Stage::Archived) {
            missing.push(Missing::Over);
        }
        match self.life.since_submission() {
            None => missing.push(Missing::Submission),
            Some((content, _)) if content != self.change.content => missing.push(Missing::Lapsed),
            Some(_) => {}
        }
        if let Ok(rule) = self.approval_rule(environment) {
            if let Some(quorum) = &rule.review {
                let people = self.missing(quorum, self.reviews());
                if people > 0 {
                    missing.push(Missing::Review { role: quorum.role.clone(), people });
                }
            }
            for quorum in &rule.roles {
                let people = self.missing(quorum, self.approvals(environment, at));
                if people > 0 {
                    let role = quorum.role.clone();
                    let lapsed = self.has_lapsed(environment, &role, at);
                    missing.push(Missing::Approval { role, people, lapsed });
                }
            }
        }
        missing
    }

    /// Whether a role has given approvals for an environment that do not hold any more.
    fn has_lapsed(&self, environment: &str, role: &Role, at: Timestamp) -> bool {
        let given = self.life.steps.iter().filter(|taken| {
            matches!(&taken.step, ChangeStep::Approved { environment: of, role: by, .. }
                if of == environment && by == role)
        });
        let holds =
            |(taken, of): &(&Taken, &Role)| *of == role && self.has_role(&taken.by, role).is_some();
        given.count() > self.approvals(environment, at).filter(holds).count()
    }

    /// Executed and verified before, with the same content (D6).
    pub fn promoted(&self, environment: &str, at: Timestamp) -> Vec<Missing> {
        let rehearsal = self.unrehearsed(environment, at);
        let case = self.case(environment);
        if !self.rules.promotion.as_ref().is_some_and(|rule| rule.scope.covers(case)) {
            return rehearsal;
        }
        let content = Some(self.change.content.as_str());
        let former = self.rules.before(environment).iter();
        let not_done = former.filter(|of| !self.life.is_done_in(of, content));
        let missing = not_done.map(|of| Missing::Promotion { environment: of.clone() });
        let missing: Vec<Missing> = missing.collect();
        // What is not done there at all is not rehearsed there either: once is enough.
        let told = |of: &Missing| match of {
            Missing::Rehearsal { environment } => {
                missing.contains(&Missing::Promotion { environment: environment.clone() })
            }
            _ => false,
        };
        let rehearsal: Vec<Missing> = rehearsal.into_iter().filter(|of| !told(of)).collect();
        missing.into_iter().chain(rehearsal).collect()
    }

    /// Former environments that it goes to and in which it is to be rehearsed, where that has not come to a good end (D6).
    fn unrehearsed(&self, environment: &str, at: Timestamp) -> Vec<Missing> {
        let places = self.change.places(self.site);
        let goes_there = |of: &String| places.iter().any(|(known, _)| known == of);
        let former = self.rules.before(environment).iter().filter(|of| goes_there(of));
        let asked = former.filter_map(|of| Some((of, self.rules.rehearsal(self.case(of))?)));
        let missing = asked.filter(|(of, rule)| !self.is_rehearsed(of, at, rule.within));
        missing.map(|(of, _)| Missing::Rehearsal { environment: of.clone() }).collect()
    }

    /// Changed, taken back to the proven former state and changed again, not longer ago than `within`: by an attempt with
    /// rehearsal, or one attempt after the other.
    fn is_rehearsed(&self, environment: &str, at: Timestamp, within: Option<Span>) -> bool {
        let within = within.and_then(|within| SignedDuration::try_from(within.get()).ok());
        let since = within.and_then(|within| at.checked_sub(within).ok());
        let since = since.unwrap_or(Timestamp::MIN);
        let mut done_after = false;
        let ours = self
            .life
            .executions(environment)
            .filter(|(_, executed)| executed.content == self.change.content);
        for (state, executed) in ours {
            match state {
                ChangeState::Done if is_rehearsed(&executed.rehearsal) => {
                    return executed.ended >= since;
                }
                ChangeState::Done => done_after = true,
                ChangeState::RolledBack if done_after => return executed.ended >= since,
                _ => {}
            }
        }
        false
    }

    fn needs(&self, environment: &str) -> Vec<Missing> {
        let done = |change| self.lives.get(change).is_some_and(|l| l.is_done_in(environment, None));
        let needs = self.change.needs.iter().filter(|change| !done(*change));
        needs.map(|change| Missing::Needs { change: change.clone() }).collect()
    }

    /// Released, watched, and nobody in two parts that are to be different people.
    fn manned(&self, crew: &Crew) -> Vec<Missing> {
        let mut missing = Vec::new();
        if crew.executor.is_none() {
            missing.push(Missing::Release);
        }
        if crew.watcher.is_none() {
            missing.push(Missing::Watcher);
        }
        missing.extend(self.own_work(crew));
        missing
    }

    /// Everybody who has two parts that are to be different people.
    pub(super) fn own_work(&self, crew: &Crew) -> Vec<Missing> {
        let (mut missing, mut seen) = (Vec::new(), Vec::new());
        for part in Part::ALL {
            for person in self.people(part, crew) {
                let Some(other) = self.clashes(person, part, crew) else { continue };
                let pair = (person, part.min(other), part.max(other));
                if !seen.contains(&pair) {
                    seen.push(pair);
                    missing.push(Missing::OwnWork {
                        person: person.clone(),
                        part: pair.1,
                        other: pair.2,
                    });
                }
            }
        }
        missing
    }

    /// What an environment takes in at set hours and seals starts from its list only (D8), and so does what was put on one
    /// already: a node of a batch is no way around either.
    pub(super) fn must_be_listed(&self, environment: &str) -> bool {
        let put_on_one = |taken: &Taken| matches!(&taken.step, ChangeStep::Scheduled { environment: of, .. } if of == environment);
        self.change.kind == ChangeKind::Normal
            && (self.rules.intake(self.case(environment)).is_some()
                || self.current().iter().any(put_on_one))
    }

    /// The list that it is on: when, and for which window; `None` where scripts, target or window are others by now.
    pub fn scheduled(&self, environment: &str) -> Option<Listed> {
        let digest = self.approval_digest(environment)?;
        let taken = self.current().iter().rev().find(|taken| {
            matches!(&taken.step, ChangeStep::Scheduled { environment: of, .. } if of == environment)
        })?;
        match &taken.step {
            ChangeStep::Scheduled { digest: bound, opens, closes, .. } if *bound == digest => {
                Some((taken.at, opens.zip(*closes)))
            }
            _ => None,
        }
    }

    /// Whether another run has begun it since it was put on a list, which counts for one run.
    fn is_taken_by_another(&self, start: &Start<'_>) -> bool {
        let there = |of: &str| of == start.environment;
        let steps = self.current().iter().rev();
        let since = steps.take_while(|taken| !matches!(&taken.step, ChangeStep::Scheduled { environment, .. } if there(environment)));
        let mut begins = since.filter_map(|taken| match &taken.step {
            ChangeStep::Began { began } if there(&began.environment) => Some(&began.attempt.run),
            _ => None,
        });
        let begun = begins.any(|run| start.run.is_some_and(|own| own != run));
        begun && self.scheduled(start.environment).is_some()
    }

    /// Limits of a normal change that hold at its start too: nothing after the seal counts.
    pub(super) fn untimely(
        &self,
        environment: &str,
        at: Timestamp,
        scheduled: Option<Listed>,
    ) -> Vec<Missing> {
        if self.change.kind == ChangeKind::Emergency {
            return Vec::new();
        }
        let window = scheduled.and_then(|(_, window)| window);
        let day = self.day(window.map_or(at, |(opens, _)| opens));
        let mut missing: Vec<Missing> = self.in_time(environment, day).err().into_iter().collect();
        missing.extend(self.not_that_day(environment, day));
        let sealed = window.and_then(|window| self.sealed_at(environment, window));
        let after = |sealed: &Timestamp| {
            let late = self.approvals(environment, at).any(|(taken, _)| taken.at >= *sealed);
            late || self.reviews().any(|(taken, _)| taken.at >= *sealed)
        };
        missing.extend(sealed.filter(after).map(|since| Missing::Sealed { since }));
        missing
    }

    /// Why its windows let it start now; `None`: they do not.
    pub fn window_decision(&self, start: &Start<'_>) -> Option<WindowDecision> {
        self.window_now(start, self.scheduled(start.environment)).ok()
    }

    /// When the windows close in which it may start now, that of its list among them; `None`: they are not open, or it is not
    /// bound to them (an emergency, or what is let run late).
    pub(super) fn closes(&self, start: &Start<'_>) -> Option<Timestamp> {
        let of_list = self.scheduled(start.environment).and_then(|(_, window)| window);
        let classes = self.bound_by(start);
        let is_bound = self.change.kind == ChangeKind::Normal && !classes.is_empty();
        let is_now = of_list.is_none_or(|(opens, closes)| opens <= start.at && start.at < closes);
        match self.windows.gate(&classes, start.subject, start.at, Duration::ZERO) {
            Gate::Open { closes } if is_bound && is_now => {
                closes.into_iter().chain(of_list.map(|(_, closes)| closes)).min()
            }
            _ => None,
        }
    }

    /// The classes that must be open for a start: those of the rules, of the change, of its job and of its batch.
    fn bound_by<'a>(&'a self, start: &Start<'a>) -> Vec<&'a WindowClass> {
        let own = self.classes(start.environment).into_iter();
        own.chain(start.classes.iter().copied()).collect()
    }

    /// Why it may start now, or why not (D7, D9, D10).
    fn window_now(
        &self,
        start: &Start<'_>,
        scheduled: Option<Listed>,
    ) -> Result<WindowDecision, Missing> {
        let classes = self.bound_by(start);
        let needs = self.must_fit(start.environment).max(start.needs);
        let gate = self.windows.gate(&classes, start.subject, start.at, needs);
        let early = scheduled.and_then(|(_, window)| window).filter(|(opens, _)| *opens > start.at);
        if let (Some((opens, _)), Some(class), ChangeKind::Normal) =
            (early, self.classes(start.environment).first(), self.change.kind)
        {
            let reason = WindowReason::NotOpen { class: (*class).clone() };
            return Err(Missing::Window { reason, next: Some(opens) });
        }
        // A later opening is that of another list: it is let run late, or scheduled anew.
        let passed = self.passed(start, scheduled).filter(|_| matches!(gate, Gate::Open { .. }));
        if let Some(Err(passed)) = passed.map(|closed| self.late(start.environment, closed)) {
            return Err(passed);
        }
        let (reason, next) = match gate {
            Gate::Open { .. } if classes.is_empty() => return Ok(WindowDecision::Unlimited),
            Gate::Open { closes } => {
                let classes = classes.into_iter().cloned().collect();
                return Ok(WindowDecision::Open { classes, closes });
            }
            Gate::Closed { reason, next } => (reason, next),
        };
        // A freeze stops what runs outside of its windows too: who lifts it is recorded.
        let overridden = self.windows.gate_overridden(&classes, start.subject, start.at, needs);
        match (self.outside(start, scheduled), overridden) {
            (Ok(decision), Gate::Open { .. }) => Ok(decision),
            (Ok(_), Gate::Closed { reason, next }) => Err(Missing::Window { reason, next }),
            (Err(Some(passed)), Gate::Open { .. }) => Err(passed),
            (Err(_), _) => Err(Missing::Window { reason, next }),
        }
    }

    /// Whether it may run while its windows are closed: an emergency, or one whose window has passed and that somebody
    /// lets run late. Inside of what is not let run so: what it lacks for that.
    fn outside(
        &self,
        start: &Start<'_>,
        scheduled: Option<Listed>,
    ) -> Result<WindowDecision, Option<Missing>> {
        if self.change.kind == ChangeKind::Emergency {
            return Ok(WindowDecision::Emergency);
        }
        let Some(closed) = self.passed(start, scheduled) else { return Err(None) };
        match self.late(start.environment, closed) {
            Ok(by) => Ok(WindowDecision::Late { by }),
            Err(passed) => Err(Some(passed)),
        }
    }

    /// When the window of its list closed, if that is over; an emergency is bound to none.
    fn passed(&self, start: &Start<'_>, scheduled: Option<Listed>) -> Option<Timestamp> {
        let (_, closed) = scheduled?.1?;
        (self.change.kind == ChangeKind::Normal && closed <= start.at).then_some(closed)
    }

    /// Who lets a normal change run whose window closed then (C §8.1).
    pub(super) fn late(&self, environment: &str, closed: Timestamp) -> Result<PersonId, Missing> {
        let role = self.rules.late.as_ref();
        let late = item(LATE);
        let mut confirmed = late.iter().flat_map(|late| self.confirmed(environment, late, closed));
        let by = confirmed.find(|(taken, of)| {
            taken.at >= closed && Some(*of) == role && self.has_role(&taken.by, of).is_some()
        });
        let missing = Missing::WindowPassed { closed, role: role.cloned() };
        by.map(|(taken, _)| taken.by.clone()).ok_or(missing)
    }
}
