//! Nights that two supervisors serve from one PostgreSQL, while at random, from a seed, one of them is killed, stopped
//! past its lease or cut off from the database, and the database is restarted: each attempt runs once, whoever no longer
//! leads writes and starts nothing, nobody is told twice, and the night ends as one without strikes.

use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::contested::Contested;
use super::dice::Dice;
use super::{given, words_of};
use crate::night::house::House;
use crate::postgres_server::Server;
use crate::tcp_wire::Way;

/// Seeds of the fixed part, each a test of its own so that they run side by side.
const LANES: u64 = 4;
const LAYERS: u64 = 5;
const IN_A_LAYER: u64 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Leader,
    Standby,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Strike {
    /// kill -9; another is started in its place.
    Kill(Whom),
    KillBoth,
    /// Until another leads, and some more.
    StopPastTheLease,
    /// For so many milliseconds.
    Stop(Whom, u64),
    CutPastTheLease(Way),
    Cut(Whom, Way, u64),
    /// With this signal; down for so many milliseconds.
    Restart(&'static str, u64),
}

/// What is done, each with the milliseconds that pass before. The first costs the leader its lead.
fn script(dice: &mut Dice) -> Vec<(u64, Strike)> {
    let count = dice.of(2, 5);
    let mut script = Vec::new();
    for nth in 0..count {
        // Shorter than a lease, most often.
        let (before, moment) = (dice.of(50, 1_200), dice.of(100, 4_000));
        let whom = *dice.pick(&[Whom::Leader, Whom::Standby]);
        let way = *dice.pick(&[Way::Nothing, Way::Cut, Way::NoAnswers]);
        let signal = *dice.pick(&["INT", "QUIT"]);
        let strike = match dice.of(0, if nth == 0 { 3 } else { 9 }) {
            0 => Strike::Kill(Whom::Leader),
            1 => Strike::StopPastTheLease,
            // One whose questions arrive keeps its lease.
            2 => Strike::CutPastTheLease(*dice.pick(&[Way::Nothing, Way::Cut])),
            3 => Strike::Kill(Whom::Standby),
            4 => Strike::KillBoth,
            5 => Strike::Stop(whom, moment),
            6 => Strike::Cut(whom, way, moment),
            _ => Strike::Restart(signal, moment / 2),
        };
        script.push((before, strike));
    }
    script
}

/// What the night must come to, whatever happens to those who supervise it.
pub(super) struct Expected {
    /// One line for each attempt, sorted.
    pub(super) ran: Vec<String>,
    pub(super) failed: Vec<String>,
    pub(super) jobs: usize,
}

/// A night in layers: `again` fails once and is tried again, `bad` fails for good and is mailed about.
fn night(dice: &mut Dice) -> (String, Expected) {
    let mut jobs = String::new();
    let mut ran = Vec::new();
    let mut job = |name: &str, needs: &str, after: &str, more: &str| {
        let trace = "echo \"$NIGHTRUN_JOB $NIGHTRUN_ATTEMPT\" >> \"$NIGHTRUN_WORK/ran\"";
        let shell = format!("{trace}; {after}");
        writeln!(jobs, "  {name}: {{title: J, needs: [{needs}], {more}shell: '{shell}'}}").unwrap();
        ran.push(format!("{name} 1"));
    };
    for layer in 0..LAYERS {
        for n in 0..IN_A_LAYER {
            let before = layer.checked_sub(1).map(|before| dice.of(0, IN_A_LAYER) + before * 10);
            let needs = before.map(|need| format!("j{need}")).unwrap_or_default();
            let sleep = format!("sleep {}.{}", dice.of(0, 2), dice.of(1, 10));
            job(&format!("j{}", layer * 10 + n), &needs, &sleep, "");
        }
    }
    job("again", "j10", "[ \"$NIGHTRUN_ATTEMPT\" -gt 1 ]", "retry: {max: 1, wait: 1s}, ");
    job("bad", "j11", "exit 1", "");
    ran.push("again 2".to_owned());
    ran.sort();
    let failed = vec!["bad".to_owned()];
    (jobs, Expected { jobs: ran.len() - 1, ran, failed })
}

/// Plays one night; what is wrong with it, and how to see that again.
fn failure(seed: u64) -> Option<String> {
    let mut dice = Dice::new(seed);
    let (jobs, expected) = night(&mut dice);
    let script = script(&mut dice);
    let server = Server::start();
    let mut house = House::new(&jobs);
    let folder = house.keep();
    let mut night = Contested::new(house, server, dice);
    let played = catch_unwind(AssertUnwindSafe(|| {
        night.go(&script);
        night.complaints(&expected)
    }));
    let taken = night.taken_over();
    eprintln!("seed {seed}: {:?}; taken over after {taken:.2?} leases", night.told);
    note(&taken);
    let wrong = match played {
        Ok(wrong) if wrong.is_empty() => {
            drop(night);
            std::fs::remove_dir_all(folder).unwrap();
            return None;
        }
        Ok(wrong) => wrong.join("\n  "),
        Err(panic) => words_of(&*panic),
    };
    Some(format!(
        "seed {seed}:\n  {wrong}\n  again: tests/campaign takeovers --from {seed}; what it left: {}\n  strikes: {:?}\n  script: {script:?}",
        folder.display(),
        night.told
    ))
}

/// For the campaign's last line.
fn note(taken: &[f64]) {
    let Some(path) = std::env::var_os("NIGHTRUN_TAKEOVERS") else { return };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    taken.iter().for_each(|ratio| writeln!(file, "{ratio:.3}").unwrap());
}

/// One lane of the seeds: those of the fixed part, or those that the environment names.
fn lane(lane: u64) {
    let seed = given("NIGHTRUN_SEED");
    let from = seed.unwrap_or(1);
    let count = given("NIGHTRUN_COUNT").unwrap_or(if seed.is_some() { 1 } else { LANES });
    let failed: Vec<String> =
        (from..from + count).filter(|seed| seed % LANES == lane).filter_map(failure).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn takeovers_of_the_first_lane() {
    lane(0);
}

#[test]
fn takeovers_of_the_second_lane() {
    lane(1);
}

#[test]
fn takeovers_of_the_third_lane() {
    lane(2);
}

#[test]
fn takeovers_of_the_fourth_lane() {
    lane(3);
}
