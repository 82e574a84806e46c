//! Pages about runs from what is stored: for runs that nobody has in hand, and for whoever looks without a supervisor.

use std::sync::Arc;

use jiff::Timestamp;

use crate::core::fact::Fact;
use crate::core::forecast;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::store::StateReader;
use crate::journal::RunRow;
use crate::port::{Clock, RunFilter, StoreError, StoreReader};
use crate::supervisor::{
    Fatal, across_now, missed_starts, on_call_of, planned, recall, rounds_beside, standing,
    usual_p95, week_before,
};
use crate::types::{BatchId, BusinessDate, IncidentId, JobName, Now, RunId};
use crate::view::one_job::JobView;
use crate::view::report::ReportView;
use crate::view::status::StatusView;
use crate::view::why::{Reason, WhyView};
use crate::view::{self, of_job::Around};

/// A run that was recalled, with the time that it is looked at.
#[derive(Debug)]
pub struct Recalled {
    pub row: RunRow,
    pub core: Core,
    /// The run's own: the host's, that of its trial, or of its end.
    pub now: Now,
    unsent_mail: u32,
}

/// The run that is meant: by its id, or the one opened last of a batch and date.
pub async fn find(
    reader: &StateReader,
    run: Option<&RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<Option<RunRow>, StoreError> {
    let batch = batch.or(run.map(|run| &run.batch)).cloned();
    let limit = run.is_none().then_some(1);
    let filter = RunFilter { batch, business_date: date, limit, ..RunFilter::default() };
    let rows = reader.runs(&filter).await?;
    Ok(rows.into_iter().find(|row| run.is_none_or(|run| row.run == *run)))
}

impl Recalled {
    /// Reads a run as the journal has it.
    pub async fn read(reader: &StateReader, row: RunRow) -> Result<Self, Fatal> {
        let core = core(reader, &row.run).await?;
        let now = now_of(&row, reader).await?;
        let unsent_mail = reader.outbox_counted().await?.all;
        Ok(Self { row, core, now, unsent_mail })
    }

    pub fn status(&self) -> Result<StatusView, Fatal> {
        let around = Around { unsent_mail: self.unsent_mail, ..Around::nothing() };
        Ok(view::of_run::status(&self.core, &self.row.run, self.now, around)?)
    }

    /// One of its jobs; `None`: there is no such job.
    pub fn job(&self, job: &JobName) -> Result<Option<JobView>, Fatal> {
        let ahead = forecast::of_night(&self.core, self.now).unwrap_or_default();
        let around = Around { ahead: ahead.runs.get(&self.row.run), ..Around::nothing() };
        let view = view::of_one_job::job(&self.core, &self.row.run, job, self.now, around)?;
        Ok(view.map(|mut view| {
            view.reasons = recorded(view.reasons);
            view
        }))
    }

    /// Why a job did not start; `None`: there is no such job.
    pub fn why(&self, job: &JobName) -> Result<Option<WhyView>, Fatal> {
        let ahead = forecast::of_night(&self.core, self.now).unwrap_or_default();
        let around = Around { ahead: ahead.runs.get(&self.row.run), ..Around::nothing() };
        let view = view::of_why::why(&self.core, &self.row.run, job, self.now, around)?;
        Ok(view.map(|mut view| {
            view.reasons = recorded(view.reasons);
            view
        }))
    }

    pub async fn report(&self, reader: &StateReader) -> Result<ReportView, Fatal> {
        let state = self.core.state().run(&self.row.run)?;
        let usual = usual_p95(reader, &self.row.run).await?;
        let planned = planned(state);
        let ahead = forecast::of_night(&self.core, self.now).unwrap_or_default();
        let around = Around {
            planned: planned.as_ref(),
            ahead: ahead.runs.get(&self.row.run),
            usual_p95: &usual,
            unsent_mail: self.unsent_mail,
        };
        let head = reader.head().await?.hash;
        let missed_starts = missed_starts(reader, &state.site, &self.row.run).await?;
        let week_before = week_before(reader, state).await?;
        let (now, made) = (self.now, real()?);
        let inspections = rounds_beside(reader, &self.core, &self.row.run, made).await?;
        let view = view::of_run::report(&self.core, &self.row.run, now, around, Some(head), made)?;
        Ok(ReportView { missed_starts, week_before, inspections, ..view })
    }
}

/// The store holds what was recorded, not which agents answer.
fn recorded(mut reasons: Vec<Reason>) -> Vec<Reason> {
    reasons.retain(|reason| !matches!(reason, Reason::HostAway { .. }));
    reasons
}

/// A core with one run in it, as the journal has it.
pub async fn core(reader: &StateReader, run: &RunId) -> Result<Core, Fatal> {
    let mut core = Core::new(1);
    recall(reader, &mut core, run).await?;
    let trial = core.state().run(run)?.opened.trial;
    standing(reader, &mut core, trial).await?;
    core.assume_hosts_reached(&HostClock::new()?.boot());
    let opened = core.state().run(run)?.opened_at;
    for (job, date, outcome) in across_now(reader, &core, run).await? {
        core.replay(opened, &Fact::AcrossKnown { job, date, outcome })?;
    }
    Ok(core)
}

/// A core with an incident in it and, where that is at hand, its run; with the time that it is looked at.
pub async fn of_incident(
    reader: &StateReader,
    site: &Arc<Site>,
    incident: IncidentId,
) -> Result<(Core, Now), Fatal> {
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(site));
    standing(reader, &mut core, false).await?;
    let now = HostClock::new()?.now();
    let run = core.state().incidents.get(&incident).and_then(|known| known.what.run.clone());
    let Some(run) = run else { return Ok((core, now)) };
    let row = find(reader, Some(&run), None, None).await?;
    let Some(row) = row.filter(|row| row.not_at_hand().is_none()) else { return Ok((core, now)) };
    let mut recalled = Recalled::read(reader, row).await?;
    recalled.core.have_on_call(on_call_of(site));
    Ok((recalled.core, recalled.now))
}

async fn now_of(row: &RunRow, reader: &StateReader) -> Result<Now, Fatal> {
    let now = HostClock::new()?.now();
    if let Some(ended) = row.ended {
        return Ok(Now { wall: ended, ..now });
    }
    let offset = reader.trial_clock(&row.run).await?;
    let wall = offset.map_or(now.wall, |o| now.wall.saturating_add(o.wall).unwrap_or(now.wall));
    Ok(Now { wall, ..now })
}

fn real() -> Result<Timestamp, Fatal> {
    Ok(HostClock::new()?.now().wall)
}
