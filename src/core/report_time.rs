//! When people are told how a run stands whose night is not over at the time that the site names for reports (N2). A run
//! that is over earlier was reported when it was over.

use jiff::Timestamp;

use super::deadline::first_at_or_after;
use super::fact::Fact;
use super::night::{Command, Core, Mover};
use super::state::{Run, Unfit};
use crate::types::RunId;

impl Run {
    /// The time of its report while it is under way and nobody was told yet; a trial has none, and neither has what was set
    /// going after that time: a night that is made up for, or run again, by day.
    pub fn report_due(&self) -> Option<Timestamp> {
        let waits = self.result.is_none() && !self.report_told && !self.opened.trial;
        let at = self.site.reports.at.filter(|_| waits)?;
        let due = first_at_or_after(self.opened.anchor, at, &self.site.zone);
        (self.going_since <= due).then_some(due)
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

    use crate::core::fact::{Fact, StopHow};
    use crate::core::night::{Command, Event};
    use crate::core::test_night::{Night, boot, li_wei, name, site};
    use crate::core::test_site::job;
    use crate::types::Ending;

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

    #[test]
    fn a_run_that_is_set_going_after_the_time_of_reports_is_told_of_when_it_is_over() {
        let mut site = site(vec![job("a", &[])]);
        site.reports.at = Some(time(7, 0, 0, 0));
        // Whole, of the night before: its anchor is that of the night.
        let mut again = Night::with(site, |opened| {
            opened.anchor = "2026-10-29T21:30:00Z".parse().unwrap();
        });
        again.pass(60);
        assert_eq!((told(&again), reports(&again)), (0, 0));
        again.good("a");
        assert_eq!((told(&again), reports(&again)), (0, 1));

        // It was over, and is reopened: at 06:00 the time lies ahead, at 08:00 behind.
        for (hours, expected) in [(8 * 3_600 + 1_800, 1), (10 * 3_600 + 1_800, 0)] {
            let mut night = night(false);
            night.good("a");
            night.good("b");
            night.pass(hours);
            let (run, by, reason) = (night.run_id(), li_wei(), "wrong rates".to_owned());
            night.must(Event::Rerun { run, jobs: vec![name("b")], by, reason });
            night.pass(3_600);
            assert_eq!(told(&night), expected, "{hours}");
        }
    }

    #[test]
    fn a_run_that_was_stopped_over_the_time_of_reports_is_told_of_when_it_goes_on() {
        let mut night = night(false);
        night.good("a");
        night.pass(3_600);
        night.must(Event::Stop { by: li_wei(), how: StopHow::Terminate });
        night.end("b", Ending::TakenBack { why: "stopped".to_owned() });
        night.pass(10 * 3_600);
        assert_eq!(told(&night), 0);
        night.restart(&boot());
        night.pass(1);
        assert_eq!(told(&night), 1);
    }
}
