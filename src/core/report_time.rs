//! When people are told how a run stands whose night is not over at the time that the site names for reports (N2). A run
//! that is over earlier was reported when it was over.

use jiff::Timestamp;

use super::deadline::first_at_or_after;
use super::fact::Fact;
use super::night::{Command, Core, Mover};
use super::state::{Run, Unfit};
use crate::types::RunId;

impl Run {
    /// The time of its report while it is under way and nobody was told yet; a trial has none.
    pub fn report_due(&self) -> Option<Timestamp> {
        let waits = self.result.is_none() && !self.report_told && !self.opened.trial;
        let at = self.site.reports.at.filter(|_| waits)?;
        Some(first_at_or_after(self.opened.anchor, at, &self.site.zone))
    }
}

impl Core {
    pub(super) fn next_report(&self) -> Option<Timestamp> {
        self.state.runs.values().filter_map(Run::report_due).min()
    }
}

impl Mover<'_> {
    /// A run that ends in this very step is reported as over.
    pub(super) fn tell_reports(&mut self) -> Result<(), Unfit> {
        let due = |run: &&Run| run.report_due().is_some_and(|due| due <= self.now.wall);
        let runs: Vec<RunId> =
            self.core.state.runs.values().filter(due).map(|run| run.id().clone()).collect();
        for run in runs {
            self.emit(Fact::ReportTold { run: run.clone() })?;
            self.command(Command::Report { run });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use crate::core::fact::Fact;
    use crate::core::night::Command;
    use crate::core::test_night::{Night, site};
    use crate::core::test_site::job;

    /// Reports at 07:00; the run began at 21:30 of the day before.
    fn night(trial: bool) -> Night {
        let mut site = site(vec![job("a", &[]), job("b", &["a"])]);
        site.reports.at = Some(time(7, 0, 0, 0));
        Night::with(site, |opened| opened.trial = trial)
    }

    fn told(night: &Night) -> usize {
        night.facts.iter().filter(|(_, fact)| matches!(fact, Fact::ReportTold { .. })).count()
    }

    fn reports(night: &Night) -> usize {
        night.commands.iter().filter(|command| matches!(command, Command::Report { .. })).count()
    }

    #[test]
    fn a_run_under_way_at_the_time_of_reports_is_told_of_once_and_again_when_it_is_over() {
        let mut night = night(false);
        assert_eq!(
            night.core.next_wake().wall.map(|at| at.to_string()),
            Some("2026-10-31T07:00:00Z".to_owned()),
            "somebody wakes for it"
        );
        night.good("a");
        night.pass(9 * 3_600 + 1_799);
        assert_eq!((told(&night), reports(&night)), (0, 0), "06:59:59");
        night.pass(1);
        night.pass(60);
        assert_eq!((told(&night), reports(&night)), (1, 1));
        night.good("b");
        assert_eq!((told(&night), reports(&night)), (1, 2), "the final one");
    }

    #[test]
    fn a_run_that_is_over_and_a_trial_are_not_told_of_before() {
        let mut over = night(false);
        over.good("a");
        over.good("b");
        over.pass(12 * 3_600);
        assert_eq!((told(&over), reports(&over)), (0, 1));
        let mut trial = night(true);
        trial.pass(12 * 3_600);
        assert_eq!(told(&trial), 0);
    }
}
