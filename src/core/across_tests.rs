//! What runs hear of each other, through ends and restarts.

use super::fact::{Action, RunResult, StopHow};
use super::night::Event;
use super::test_night::{Night, across, boot, li_wei, local, name, opened, site};
use super::test_site::{batch, job};
use crate::types::{Outcome, RunId};

/// `eod.close` runs, and `rep.print` waits for it.
fn two_runs() -> (Night, RunId) {
    let mut site = site(vec![job("close", &[])]);
    let other = batch("rep", None, vec![job("print", &["eod.close"])]);
    site.batches.insert(other.id.clone(), other.into());
    let mut night = Night::with(site, |_| {});
    let mut report = opened("rep", night.now.wall);
    report.across = vec![across("eod.close")];
    let known = (across("eod.close").job, report.business_date, None);
    let id = report.run.clone();
    night.open(report, vec![known]);
    night.started();
    (night, id)
}

#[test]
fn a_run_that_ended_blocked_goes_on_when_what_it_needed_goes_well() {
    let (mut night, rep) = two_runs();
    night.bad("close");
    let result = |night: &Night| night.core.state().run(&rep).unwrap().result;
    assert_eq!(result(&night), Some(RunResult::Failed));
    night.act(Action::Retry { job: name("close") }).unwrap();
    assert_eq!(result(&night), None, "it is open again");
    night.started();
    night.good("close");
    assert_eq!(night.started(), ["print/1"]);
}

#[test]
fn what_one_run_does_before_the_other_is_resumed_is_heard() {
    let (mut night, rep) = two_runs();
    let eod = night.run_id();
    let mut core = super::night::Core::new(1);
    core.define("d", night.site.clone());
    for (at, fact) in &night.facts {
        core.replay(*at, fact).unwrap();
    }
    night.core = core;
    night.must(Event::HostUp { host: local(), boot: boot() });
    night.must(Event::Resume { by: li_wei(), run: eod, boot: boot() });
    night.good("close");
    assert!(night.started().is_empty());
    night.must(Event::Resume { by: li_wei(), run: rep, boot: boot() });
    assert_eq!(night.started(), ["print/1"]);
}

#[test]
fn what_was_stopped_hears_of_the_others_and_waits_for_its_resume() {
    let (mut night, rep) = two_runs();
    night.must(Event::Stop { by: li_wei(), how: StopHow::Wait });
    night.good("close");
    assert!(night.started().is_empty());
    assert_eq!(night.outcome("close"), Some(Outcome::Succeeded));
    night.must(Event::Resume { by: li_wei(), run: rep, boot: boot() });
    assert_eq!(night.started(), ["print/1"]);
}
