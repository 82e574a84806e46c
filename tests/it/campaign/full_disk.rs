//! Nights on a disk that is filled and freed again at moments drawn from a seed: nothing is lost, nothing is done twice, and
//! each attempt that the journal calls ended well has left its one line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::dice::Dice;
use super::given;
use crate::night::disk::Disk;
use crate::night::facts::eventually;
use crate::night::house::House;

const JOBS: usize = 24;
const RUN: &[&str] = &["run", "night", "--date", "2026-10-30"];
/// Once nothing could be begun for want of room, it is tried again.
const AGAIN: &str = "retry: {max: 20, wait: 50ms, on: [could-not-start]}";

/// Each job needs up to two of those before it.
fn jobs(dice: &mut Dice) -> String {
    let mut jobs = String::new();
    for n in 0..JOBS {
        let before = n as u64;
        let needs: Vec<String> = (0..dice.of(0, 3).min(before))
            .map(|_| format!("j{}", dice.of(before.saturating_sub(6), before)))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect();
        let needs = needs.join(", ");
        writeln!(jobs, "  j{n}: {{title: J, run: [sh, job.sh], needs: [{needs}], {AGAIN}}}")
            .unwrap();
    }
    jobs
}

/// Plays one night, and puts what has begun of it to its end.
fn night(seed: u64) {
    let mut dice = Dice::new(seed);
    let house = House::new(&jobs(&mut dice));
    let disk = Disk::mount(&house.state(), "6m");
    // What jobs do is not done on the disk that is full.
    let _work = Disk::mount(&house.work(""), "1m");
    let mut night = house.spawn(RUN);
    night.event("run-opened", "");
    let mut filled = 0;
    while night.code().is_none() && filled < 6 {
        // From some effect on that is still to come, to some moment after: most often a commit, a start or an ending falls
        // into it.
        let from = house.ran().len() + dice.of(0, 4) as usize;
        eventually("jobs", || house.ran().len() >= from.min(JOBS) || night.code().is_some());
        if dice.percent(50) {
            disk.fill()
        } else {
            disk.nearly_fill()
        }
        std::thread::sleep(Duration::from_millis(dice.of(0, 1_500)));
        disk.free();
        filled += 1;
    }
    let over = night.over();
    assert_eq!(over.code, Some(0), "seed {seed}: {}", over.err.join("\n"));
    let said = over.err.iter().filter(|line| line.contains("free some")).count();
    eprintln!("seed {seed}: filled {filled} times, told {said} times");
    as_recorded(&house, seed);
}

#[track_caller]
fn as_recorded(house: &House, seed: u64) {
    house.nothing_is_lost();
    let mut ran: BTreeMap<String, u32> = BTreeMap::new();
    for line in house.ran() {
        *ran.entry(line).or_default() += 1;
    }
    assert!(ran.values().all(|times| *times == 1), "seed {seed}: done twice: {ran:?}");
    let mut well = 0;
    for fact in house.facts("attempt-ended") {
        let ended = &fact["ended"];
        let name =
            ended["attempt"].as_str().unwrap().split('/').skip(1).collect::<Vec<_>>().join(" ");
        if ended["ending"]["how"] == "exited" {
            assert!(ran.remove(&name).is_some(), "seed {seed}: {name} ended and did nothing");
            well += 1;
        } else {
            assert_eq!(ended["ending"]["how"], "could-not-start", "seed {seed}: {ended}");
            assert!(
                !ran.contains_key(&name),
                "seed {seed}: {name} was not begun and did something"
            );
        }
    }
    assert!(ran.is_empty(), "seed {seed}: done and not recorded: {ran:?}");
    assert_eq!(well, JOBS, "seed {seed}");
}

/// Those of the fixed part, or those that the environment names.
fn lane(lane: u64) {
    let seed = given("NIGHTRUN_SEED");
    let from = seed.unwrap_or(1);
    let count = given("NIGHTRUN_COUNT").unwrap_or(if seed.is_some() { 1 } else { 2 });
    (from..from + count).filter(|seed| seed % 2 == lane).for_each(night);
}

#[test]
fn full_disks_of_the_first_lane() {
    lane(0);
}

#[test]
fn full_disks_of_the_second_lane() {
    lane(1);
}
