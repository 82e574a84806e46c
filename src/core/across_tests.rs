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

#[test]
fn a_run_that_is_taken_in_by_itself_hears_how_the_others_stand() {
    let (mut night, rep) = two_runs();
    night.bad("close");
    let failed = Some(Outcome::Failed);
    let need = across("eod.close").job;
    let mut core = super::night::Core::new(2);
    core.define("d", night.site.clone());
    // What the store has of the run itself: no word of others.
    for (at, fact) in night.facts.iter().filter(|(_, fact)| fact.run() == Some(&rep)) {
        core.replay(*at, fact).unwrap();
    }
    let date = core.state().run(&rep).unwrap().opened.business_date;
    night.core = core;
    night.must(Event::HostUp { host: local(), boot: boot() });
    night.must(Event::Across { known: vec![(need.clone(), date, failed)] });
    let result = |night: &Night| night.core.state().run(&rep).unwrap().result;
    assert_eq!(result(&night), Some(RunResult::Failed), "nothing new, so nothing opens");
    night.must(Event::Across { known: vec![(need, date, Some(Outcome::Succeeded))] });
    assert_eq!(result(&night), None);
    assert_eq!(night.started(), ["print/1"]);
}

/// The supervisor learns it from the store, for the order of another run.
#[test]
fn what_a_new_run_brings_along_is_heard_by_those_that_waited_for_it() {
    let (mut night, rep) = two_runs();
    let mut again = opened("rep", night.now.wall);
    again.run = RunId { number: 2, ..rep };
    again.across = vec![across("eod.close")];
    let known = (across("eod.close").job, again.business_date, Some(Outcome::Succeeded));
    night.open(again, vec![known]);
    assert_eq!(night.started(), ["print/1", "print/1"]);
}

/// `eod.close` waits for its time, which has come when `rep` is resumed: what was read before that is old.
#[test]
fn what_moves_in_the_turn_of_a_resume_is_newer_than_what_was_read_before_it() {
    let mut close = job("close", &[]);
    close.kind = crate::definition::site::Kind::WaitUntil { time: jiff::civil::time(22, 0, 0, 0) };
    let mut site = site(vec![close]);
    let other = batch("rep", None, vec![job("print", &["eod.close"])]);
    site.batches.insert(other.id.clone(), other.into());
    let mut night = Night::with(site, |_| {});
    let mut report = opened("rep", night.now.wall);
    report.across = vec![across("eod.close")];
    let (rep, date) = (report.run.clone(), report.business_date);
    let known = vec![(across("eod.close").job, date, None)];
    night.open(report, known.clone());
    night.now.wall += std::time::Duration::from_secs(1_800);
    night.facts.clear();
    night.must(Event::Resume { by: li_wei(), run: rep, boot: boot() });
    assert_eq!(night.started(), ["print/1"]);
    assert_eq!(Event::across_since(known.clone(), &[]), Event::Across { known: known.clone() });
    let others = Event::across_since(known, &night.facts);
    assert_eq!(others, Event::Across { known: Vec::new() });
}
