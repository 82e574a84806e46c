//! From a run's state to its pages: head, status, report, failure mail.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::Who;
use super::bands;
use super::job::{JobLine, StateWord};
use super::list::ListView;
use super::of_fact::reason_besides;
use super::of_incident;
use super::of_job::{Around, last_output, lines};
use super::of_report;
use super::of_standing;
use super::report::{Act, ActionLine, ChangeLine, ReportView};
use super::run::{RunHead, Totals};
use super::starts::Late;
use super::status::StatusView;
use crate::core::fact::Deadline;
use crate::core::night::Core;
use crate::core::state::{Run, Unfit, Way};
use crate::definition::site::Kind;
use crate::types::{JobName, Now, RunId, Span};
use crate::wire::{ChangeWork, Work};

/// The head of every page about a run.
pub fn head(run: &Run, now: Now, around: Around<'_>) -> RunHead {
    let ahead = around.ahead.filter(|_| run.result.is_none());
    RunHead {
        site: run.site.title.clone(),
        batch: run.batch.id.clone(),
        title: run.batch.title.clone(),
        team: run.batch.team.clone(),
        run: run.id().clone(),
        business_date: run.opened.business_date,
        trial: run.opened.trial,
        anchor: run.opened.anchor,
        opened: run.opened_at,
        ended: run.ended_at,
        now: now.wall,
        zone: run.batch.zone.clone(),
        result: run.result,
        must_complete_by: run.due(None, Deadline::MustCompleteBy),
        late: late(run),
        expected_end: ahead.and_then(|ahead| ahead.end),
        list: ListView::of(&run.opened).map(Box::new),
        bands: Vec::new(),
    }
}

fn late(run: &Run) -> Option<Late> {
    let why = run.opened.late?;
    let by = run.opened_at.duration_since(run.opened.scheduled?);
    Some(Late { by: Span::of(Duration::try_from(by).unwrap_or_default()), why })
}

/// The same, of a page that draws the night.
fn drawn_head(
    core: &Core,
    run: &Run,
    jobs: &[JobLine],
    now: Now,
    around: Around<'_>,
) -> Result<RunHead, Unfit> {
    let head = head(run, now, around);
    Ok(RunHead { bands: bands::of(core, run, &head, jobs)?, ..head })
}

/// How a run stands now.
pub fn status(core: &Core, run: &RunId, now: Now, around: Around<'_>) -> Result<StatusView, Unfit> {
    let run = core.state().run(run)?;
    let jobs = lines(core, run, now, around)?;
    let open =
        of_incident::of_run(core.state(), run).into_iter().filter(|line| line.closed.is_none());
    Ok(StatusView {
        head: drawn_head(core, run, &jobs, now, around)?,
        totals: Totals::of(&jobs),
        jobs,
        incidents: open.collect(),
        stopping: run.stopping,
        unsent_mail: around.unsent_mail,
        standing: of_standing::standing(&core.state().standing, &run.site, now.wall),
    })
}

/// The morning report of a run. `journal_head` and `generated_at` (wall time of the host) are the page's own; former
/// runs and missed starts are for whoever reads the store.
pub fn report(
    core: &Core,
    run: &RunId,
    now: Now,
    around: Around<'_>,
    journal_head: Option<String>,
    generated_at: Timestamp,
) -> Result<ReportView, Unfit> {
    let run = core.state().run(run)?;
    let mut jobs = lines(core, run, now, around)?;
    jobs.iter_mut().enumerate().for_each(|(index, job)| job.tail = last_output(run, index));
    Ok(ReportView {
        head: drawn_head(core, run, &jobs, now, around)?,
        totals: Totals::of(&jobs),
        changes: changes(run, &jobs),
        deadlines: of_report::deadlines(run, &jobs, now.wall),
        jobs,
        incidents: of_incident::of_run(core.state(), run),
        actions: actions(run),
        limits: of_report::limits(core, run),
        shifts: of_report::shifts(core, run, now.wall),
        week_before: None,
        missed_starts: Vec::new(),
        inspections: None,
        unsent_mail: around.unsent_mail,
        journal_head,
        generated_at,
    })
}

fn changes(run: &Run, jobs: &[JobLine]) -> Vec<ChangeLine> {
    let part: BTreeSet<&JobName> = jobs
        .iter()
        .filter(|job| job.state.word() != StateWord::NotScheduled)
        .map(|job| &job.name)
        .collect();
    run.batch
        .jobs
        .iter()
        .enumerate()
        .filter(|(_, job)| part.contains(&job.name))
        .filter_map(|(index, job)| {
            let Kind::Change { change, .. } = &job.kind else { return None };
            let known = run.site.changes.get(change)?;
            let work = change_work(run, index);
            Some(ChangeLine {
                id: known.id.clone(),
                title: known.title.clone(),
                job: job.name.clone(),
                class: known.class,
                target: job.kind.target(&run.site)?.clone(),
                reason: known.reason.clone(),
                state: work.map(|work| work.state),
                rows: work.map_or(0, |work| work.rows),
                backup_rows: work.map_or(0, |work| work.backup_rows),
                before: work.map(|work| work.before.clone()).unwrap_or_default(),
                after: work.map(|work| work.after.clone()).unwrap_or_default(),
                why: work.and_then(|work| work.why.clone()),
            })
        })
        .collect()
}

/// What the latest attempt that ended says of its change.
fn change_work(run: &Run, index: usize) -> Option<&ChangeWork> {
    let mut attempts = run.jobs[index].attempts.iter().rev();
    attempts.find_map(|attempt| match attempt.ended.as_ref()?.work.as_ref()? {
        Work::Change(change) => Some(change),
        Work::Sql { .. } | Work::Inspect { .. } | Work::Slurm(_) => None,
    })
}

fn actions(run: &Run) -> Vec<ActionLine> {
    let overridden = run.opened.window_override.iter().map(|reason| ActionLine {
        at: run.opened_at,
        by: Who::of(&run.site, &run.opened.by),
        act: match &run.opened.second {
            None => Act::WindowOverride,
            Some(second) => Act::OverrideByTwo { second: Who::of(&run.site, second) },
        },
        reason: reason.clone(),
    });
    let acts = run.acts.iter().map(|act| ActionLine {
        at: act.at,
        by: Who::of(&run.site, &act.by),
        act: super::of_fact::act_of(&run.site, &act.action, act.second.as_ref()),
        reason: reason_besides(&act.action, &act.reason),
    });
    let turns = run.turns.iter().map(|turn| ActionLine {
        at: turn.at,
        by: Who::of(&run.site, &turn.by),
        act: match turn.way {
            Way::Stopped(_) => Act::Stop,
            Way::Resumed => Act::Resume,
        },
        reason: String::new(),
    });
    let mut lines: Vec<ActionLine> = overridden.chain(acts).chain(turns).collect();
    lines.sort_by_key(|line| line.at);
    lines
}
