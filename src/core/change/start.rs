//! A change as a job of a run: whether it may start now, by the files that the run holds, and who lets it.

use jiff::Timestamp;

use super::clearance::{Cleared, Start};
use super::desk::Desk;
use super::missing::Missing;
use super::take::has_role_of;
use crate::core::fact::Action;
use crate::core::gate;
use crate::core::incident::Fault;
use crate::core::night::{Core, Mover};
use crate::core::phase::Phase;
use crate::core::placement;
use crate::core::refused::{Refused, Rule};
use crate::core::rules::Rules;
use crate::core::state::{Run, State, Unfit};
use crate::core::window;
use crate::definition::site::{Case, Job, Kind, Part, Site, StepWord};
use crate::types::{ChangeId, HostName, Now, PersonId, RunId, TargetName, WindowClass};

/// The change of a job.
pub(in crate::core) struct Subject<'a> {
    pub(in crate::core) change: &'a ChangeId,
    pub(in crate::core) environment: String,
    pub(in crate::core) target: &'a TargetName,
}

/// Where the rules are about it.
pub(in crate::core) fn subject(run: &Run, index: usize) -> Option<Subject<'_>> {
    executes(run, index).filter(|_| run.site.change_rules.is_some())
}

/// The change that a job executes, with rules or without; a trial counts for nothing.
pub(super) fn executes(run: &Run, index: usize) -> Option<Subject<'_>> {
    let job = run.job(index);
    let Kind::Change { change, .. } = &job.kind else { return None };
    if run.opened.trial {
        return None;
    }
    let target = job.kind.target(&run.site)?;
    let environment = run.site.targets.get(target)?.environment.clone();
    Some(Subject { change, environment, target })
}

/// Whether a job executes its change with rehearsal, where the rules are about it.
pub(in crate::core) fn rehearses(site: &Site, job: &Job) -> bool {
    let Kind::Change { change, .. } = &job.kind else { return false };
    let rules = site.change_rules.as_ref();
    let target = job.kind.target(site).and_then(|target| site.targets.get(target));
    rules.zip(site.changes.get(change)).zip(target).is_some_and(|((rules, change), target)| {
        let environment = target.environment.as_str();
        let case = Case { class: change.class, environment, kind: change.kind };
        rules.rehearsal(case).is_some()
    })
}

/// What the desk is asked about a job.
pub(super) fn start<'a>(
    state: &'a State,
    run: &'a Run,
    index: usize,
    of: &'a Subject<'a>,
    host: &'a HostName,
    (at, classes): (Timestamp, &'a [&'a WindowClass]),
) -> Start<'a> {
    Start {
        environment: &of.environment,
        at,
        crew: &run.crew,
        subject: window::Subject {
            batch: &run.batch.id,
            target: Some(of.target),
            host,
            ordered: &state.standing.freezes,
        },
        classes,
        needs: gate::must_fit(run, index),
        run: Some(run.id()),
    }
}

/// Whether a job may start on any host that it may run on, as far as it is a change that the rules are about; `None`: they
/// are not. `assumed`: in a look ahead people do their part, and only what time decides is in the way.
pub(in crate::core) fn cleared(
    state: &State,
    rules: &Rules,
    (run, index): (&Run, usize),
    at: Timestamp,
    assumed: bool,
) -> Option<Result<Cleared, Vec<Missing>>> {
    placement::any_clearance(state, (run, index), |host| {
        cleared_on(state, rules, (run, index), host, at, assumed)
    })
}

/// Whether it may start on one host.
pub(in crate::core) fn cleared_on(
    state: &State,
    rules: &Rules,
    (run, index): (&Run, usize),
    host: &HostName,
    at: Timestamp,
    assumed: bool,
) -> Option<Result<Cleared, Vec<Missing>>> {
    let of = subject(run, index)?;
    let lives = &state.standing.changes;
    let Ok(desk) = Desk::new(&run.site, &rules.windows, of.change, lives) else {
        return Some(Err(vec![Missing::Submission]));
    };
    let classes = gate::windows(run, index);
    let start = start(state, run, index, &of, host, (at, &classes));
    let cleared = desk.clearance(&start);
    if !assumed {
        return Some(cleared);
    }
    Some(match (cleared, desk.window_decision(&start)) {
        (Ok(cleared), _) => Ok(cleared),
        (Err(_), Some(window)) => Ok(Cleared {
            content: desk.change.content.clone(),
            digest: desk.approval_digest(&of.environment).unwrap_or_default(),
            window,
        }),
        (Err(missing), None) => Err(missing.into_iter().filter(Missing::is_of_time).collect()),
    })
}

/// When the windows close that the rules leave open to a change at an instant; `None`: they are not about the job. Inside: it
/// is bound to none of them, or not all are open.
pub(in crate::core) fn closes(
    state: &State,
    rules: &Rules,
    (run, index): (&Run, usize),
    at: Timestamp,
) -> Option<Option<Timestamp>> {
    let of = subject(run, index)?;
    let desk = Desk::new(&run.site, &rules.windows, of.change, &state.standing.changes).ok();
    let classes = gate::windows(run, index);
    let hosts = placement::hosts(run, index);
    let closes = |desk: Desk<'_>| {
        let on = |host| desk.closes(&start(state, run, index, &of, host, (at, &classes)));
        hosts.into_iter().filter_map(on).max()
    };
    Some(desk.and_then(closes))
}

/// Whether a person may release or watch the changes of a run.
pub(in crate::core) fn may_man(
    state: &State,
    (run, rules): (&Run, &Rules),
    action: &Action,
    by: &PersonId,
) -> Result<(), Refused> {
    let ruled = || (0..run.jobs.len()).filter_map(|index| subject(run, index));
    if ruled().next().is_none() {
        let what = format!("{} has no change that is to be released", run.id());
        return Err(Refused::by(Rule::NoSuchThing, what));
    }
    if !run.site.people.contains_key(by) {
        let what = format!("{by} is no person of the site");
        return Err(Refused::by(Rule::UnknownPerson, what));
    }
    let (part, word, now) = match action {
        Action::ReleaseChanges { shifts } if shifts.is_empty() => {
            let what = format!("{by} is not on shift now");
            return Err(
                Refused::by(Rule::NotOnShift, what).hint("`nightrun roster who` says who is")
            );
        }
        Action::ReleaseChanges { .. } => (Part::Executor, StepWord::Release, &run.crew.executor),
        _ => (Part::Watcher, StepWord::Watch, &run.crew.watcher),
    };
    if let Some(known) = now {
        let what = format!("{known} is the {} of {} already", part.name(), run.id());
        return Err(Refused::by(Rule::NoChange, what));
    }
    for of in ruled() {
        let lives = &state.standing.changes;
        let desk = Desk::new(&run.site, &rules.windows, of.change, lives)?;
        desk.must_not_clash(by, part, &run.crew)?;
        has_role_of(&run.site, desk.rules, by, word)?;
    }
    Ok(())
}

impl Core {
    /// As [`cleared`], of this night.
    pub(in crate::core) fn cleared(
        &self,
        run: &Run,
        index: usize,
        now: Now,
    ) -> Result<Option<Result<Cleared, Vec<Missing>>>, Unfit> {
        let rules = self.rules_of(run)?;
        Ok(cleared(&self.state, rules, (run, index), now.wall, self.people_assumed))
    }

    /// Whether its start stands on something that people are only assumed to do.
    pub(in crate::core) fn stands_on_people(&self, run: &Run, index: usize, now: Now) -> bool {
        let Ok(rules) = self.rules_of(run) else { return false };
        matches!(cleared(&self.state, rules, (run, index), now.wall, false), Some(Err(_)))
    }
}

impl Mover<'_> {
    /// Somebody has released the changes of a run, or watches them.
    pub(in crate::core) fn manned(&mut self, run: &RunId) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        self.core.agenda.reconsider(state);
        match state.crew.executor.is_some() && state.crew.watcher.is_some() {
            true => self.waits_no_more(run),
            false => Ok(()),
        }
    }

    /// A step in the life of a change may let jobs start, those of other changes that need it among them.
    pub(super) fn changes_moved(&mut self) {
        let core = &mut *self.core;
        for run in core.state.runs.values().filter(|run| run.result.is_none()) {
            for index in 0..run.jobs.len() {
                if subject(run, index).is_some() && run.jobs[index].phase.outcome().is_none() {
                    core.agenda.touch(run.id(), index);
                }
            }
        }
    }

    /// It is looked at again when its time comes; where it has come, people are told what they owe.
    pub(in crate::core) fn wait_for_clearance(
        &mut self,
        run: &RunId,
        index: usize,
        missing: &[Missing],
    ) -> Result<(), Unfit> {
        if let Some(next) = missing.iter().filter_map(Missing::next).max() {
            self.core.agenda.wake_at(next, run, index);
        }
        self.wait_for_people(run, index, missing)
    }

    /// Its time has come, and people have not done their part: they are told, once for each run at a time.
    fn wait_for_people(
        &mut self,
        run: &RunId,
        index: usize,
        missing: &[Missing],
    ) -> Result<(), Unfit> {
        let state = self.core.state.run(run)?;
        let people = !missing.is_empty() && !missing.iter().any(Missing::is_of_time);
        let alone = missing.iter().all(|missing| matches!(missing, Missing::Needs { .. }));
        let told = self.core.state.unfinished().any(|incident| {
            let job = incident.what.job.as_ref().and_then(|job| state.index(job));
            let waits_so = incident.about().any(|(_, fault)| *fault == Fault::Waits);
            incident.is_open()
                && waits_so
                && incident.what.run.as_ref() == Some(run)
                && job.is_some_and(|index| subject(state, index).is_some() && waits(state, index))
        });
        if !people || alone || told || self.core.people_assumed {
            return Ok(());
        }
        self.waits_for_people(run, index)
    }
}

fn waits(run: &Run, index: usize) -> bool {
    matches!(run.jobs[index].phase, Phase::Waiting | Phase::RetryWait { .. })
}
