//! The pages of a made-up night: they can be built at any moment, and say what the state says.

use super::*;
use crate::core::forecast;
use crate::core::night::Notice;
use crate::core::phase::Phase;
use crate::render::incident_mail;
use crate::render::mail::Reader;
use crate::types::{IncidentId, Lang, Now, PersonId};
use crate::view::of_job::Around;
use crate::view::of_plan::{self, Wanted};
use crate::view::run::Totals;
use crate::view::why::Reason;
use crate::view::{of_incident, of_run, of_why};

/// One look in so many is at a page.
const PAGE: u64 = 16;
/// One page in so many is a forecast, which plays the night to its end.
const FORECAST: u64 = 32;

fn page(what: impl ToString) -> Breach {
    Breach::Page(what.to_string())
}

impl World {
    /// Now and then somebody looks at one.
    pub(super) fn pages(&mut self, now: Now) -> Result<(), Breach> {
        if self.dice.of(0..PAGE) != 0 {
            return Ok(());
        }
        let runs = self.runs_that(|_| true);
        let Some(run) = self.dice.pick(&runs).cloned() else { return Ok(()) };
        self.counts.pages += 1;
        let ahead = match self.dice.of(0..FORECAST) {
            0 => forecast::of_night(&self.core, now).map_err(page)?,
            _ => Default::default(),
        };
        let around = Around { ahead: ahead.runs.get(&run), ..Around::nothing() };
        if self.dice.percent(50) {
            let status = of_run::status(&self.core, &run, now, around)?;
            return self.adds_up(&run, &status.totals);
        }
        self.why(&run, now, around)
    }

    fn why(&mut self, id: &RunId, now: Now, around: Around<'_>) -> Result<(), Breach> {
        let run = self.core.state().run(id)?;
        if run.jobs.is_empty() {
            return Ok(());
        }
        let index = self.dice.of(0..run.jobs.len() as u64) as usize;
        let job = &run.job(index).name;
        let answer = of_why::why(&self.core, id, job, now, around)?;
        let answer = answer.ok_or_else(|| page(format!("no answer why {job} waits")))?;
        let waits = matches!(run.jobs[index].phase, Phase::Waiting | Phase::RetryWait { .. });
        if answer.reasons.is_empty() || waits && answer.reasons == [Reason::Ready] {
            return Err(page(format!("{id}/{job} waits, and `why` names nothing it waits for")));
        }
        Ok(())
    }

    /// Each job is counted once, where it stands.
    fn adds_up(&self, id: &RunId, totals: &Totals) -> Result<(), Breach> {
        let run = self.core.state().run(id)?;
        let of = |wanted: &dyn Fn(&Phase) -> bool| {
            run.jobs.iter().filter(|job| wanted(&job.phase)).count() as u32
        };
        let settled = |outcome| of(&move |phase| phase.outcome() == Some(outcome));
        let counts = [
            ("well", totals.well, settled(Outcome::Succeeded)),
            ("failed", totals.failed, settled(Outcome::Failed)),
            ("skipped", totals.skipped, settled(Outcome::Skipped)),
            ("forced", totals.forced, settled(Outcome::Forced)),
            ("blocked", totals.blocked, settled(Outcome::Blocked)),
            ("cancelled", totals.cancelled, settled(Outcome::Cancelled)),
            ("not scheduled", totals.not_scheduled, settled(Outcome::NotScheduled)),
            ("running", totals.running, of(&Phase::in_flight)),
            ("unknown", totals.unknown, of(&|phase| matches!(phase, Phase::InDoubt { .. }))),
            (
                "waiting and held",
                totals.waiting + totals.held,
                of(&|phase| matches!(phase, Phase::Waiting | Phase::RetryWait { .. })),
            ),
            ("all", totals.taking_part + totals.not_scheduled, run.jobs.len() as u32),
        ];
        match counts.into_iter().find(|(_, shown, counted)| shown != counted) {
            Some((what, shown, counted)) => {
                Err(page(format!("{id}: {what}: {shown} shown, {counted} counted")))
            }
            None => Ok(()),
        }
    }

    /// The mail of an incident, as a supervisor makes it before it commits.
    pub(super) fn mail_is_made(
        &mut self,
        (incident, people, notice): (IncidentId, &[PersonId], &Notice),
        now: Now,
    ) -> Result<(), Breach> {
        self.counts.pages += 1;
        let page = of_incident::mail((&self.core, None), incident, now, Around::nothing())?;
        for (lang, to) in Lang::ALL.into_iter().zip(people.iter().cycle()) {
            incident_mail::mail(lang, &page, notice, Reader::Person(to))
                .map_err(|why| Breach::Page(format!("{incident}: {why}")))?;
        }
        Ok(())
    }

    /// The report of a run that is over.
    pub(super) fn report_is_made(&mut self, run: &RunId, now: Now) -> Result<(), Breach> {
        self.counts.pages += 1;
        let around = Around::nothing();
        let report = of_run::report(&self.core, run, now, around, None, now.wall)?;
        self.adds_up(run, &report.totals)
    }

    /// The plan of the night's day can be made.
    pub(super) fn plan_is_made(&mut self) -> Result<(), Breach> {
        self.counts.pages += 1;
        let day = self.site.zone.tz().to_datetime(self.clock.begin()).date();
        let expected = Default::default();
        let wanted = Wanted {
            batch: None,
            from: day,
            to: day,
            today: day,
            expected: &expected,
            lives: None,
        };
        of_plan::plan(&self.site, DIGEST, wanted).map_err(page)?;
        Ok(())
    }
}
