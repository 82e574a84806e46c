//! A run that has ended with a job in doubt, and what other runs may do beside it: the same, whether the supervisor that
//! saw it still leads or another one has taken it in since.

use super::fact::{Action, RunResult};
use super::night::{Core, Event, Turn};
use super::test_night::{Night, boot, local, name, opened, site};
use super::test_site::{batch, job};
use crate::definition::site::Job;
use crate::types::{Ending, PoolName, RunId};

fn one_at_a_time(job: &mut Job) {
    job.pools.insert(PoolName::new("one").unwrap(), 1);
}

/// `eod.load` of yesterday's supervisor was lost while it had the only unit of a pool, and `eod` has ended.
fn ended_in_doubt() -> Night {
    let mut load = job("load", &[]);
    one_at_a_time(&mut load);
    let (mut print, free) = (job("print", &[]), job("free", &[]));
    one_at_a_time(&mut print);
    let mut site = site(vec![load]);
    site.pools.insert(PoolName::new("one").unwrap(), 1);
    let other = batch("rep", None, vec![print, free]);
    site.batches.insert(other.id.clone(), other.into());
    let mut night = Night::with(site, |_| {});
    night.end("load", Ending::Lost { why: "its host restarted".to_owned() });
    assert_eq!(night.run().result, Some(RunResult::Failed));
    night.started();
    night
}

/// A new supervisor that has taken the ended run in, and was not told to go on with it.
fn taken_in_by_another(night: &Night) -> Core {
    let mut core = Core::new(1);
    core.define("d", night.site.clone());
    for (at, fact) in &night.facts {
        core.replay(*at, fact).unwrap();
    }
    core
}

/// Another run is ordered; then somebody decides about the doubt.
fn what_follows(night: &mut Night) -> (Vec<Turn>, Vec<String>, Vec<String>) {
    let eod: RunId = "eod@2026-10-30#1".parse().unwrap();
    let mut turns = vec![night.must(Event::HostUp { host: local(), boot: boot() })];
    let opened = Box::new(opened("rep", night.now.wall));
    turns.push(night.must(Event::Open { opened, across: Vec::new() }));
    let before = night.started();
    turns.push(night.pass(3_600));
    assert!(night.started().is_empty(), "an hour makes no doubt certain");
    let action = Action::Skip { job: name("load") };
    let (by, reason) = (super::test_night::li_wei(), "looked at the host".to_owned());
    turns.push(night.must(Event::Act { run: eod, by, reason, action }));
    (turns, before, night.started())
}

#[test]
fn what_a_doubt_keeps_is_kept_by_every_supervisor_alike() {
    let mut same = ended_in_doubt();
    let mut another = ended_in_doubt();
    another.core = taken_in_by_another(&another);
    let followed = what_follows(&mut same);
    assert_eq!(what_follows(&mut another), followed);
    assert_eq!(another.core.state(), same.core.state());
    assert_eq!(another.core.next_wake(), same.core.next_wake());
    let (_, before, after) = followed;
    assert_eq!(before, ["free/1"], "print would take what load keeps");
    assert_eq!(after, ["print/1"]);
}
