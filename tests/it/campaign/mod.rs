//! A campaign against the real binary: nights whose processes are killed at random moments and at named points, from a
//! seed; and what must be true of each of them afterwards, from the outside and from the journal.
//!
//! The suite runs a fixed part. `tests/campaign crashes`, `disks` and `takeovers` run as many seeds as they are told.

mod contested;
mod dice;
mod evidence;
mod far;
mod full_disk;
mod killed_night;
mod made_site;
mod one_turn;
mod oracle;
mod prey;
mod rebooted;
mod strike;
mod suspended;
mod takeovers;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::night::letter::Letter;
use crate::night::post::sink;
use dice::Dice;
use far::Far;
use killed_night::KilledNight;
use made_site::MadeSite;

/// Seeds of the fixed part, each a test of its own so that they run side by side.
const LANES: u64 = 6;

/// A number that the environment may give.
fn given(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")))
}

/// One lane of the seeds: those of the fixed part, or those that the environment names.
fn lane(lane: u64) {
    let seed = given("NIGHTRUN_SEED");
    let from = seed.unwrap_or(1);
    let count = given("NIGHTRUN_COUNT").unwrap_or(if seed.is_some() { 1 } else { LANES });
    let failed: Vec<String> = (from..from + count)
        .filter(|seed| seed % LANES == lane)
        .filter_map(|seed| failure(seed, false))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Nights whose jobs run on another host, while the link is cut as well: those of the fixed part, or those that the
/// environment names.
#[test]
fn killed_nights_over_ssh() {
    let from = given("NIGHTRUN_SEED").unwrap_or(11);
    let count = given("NIGHTRUN_COUNT").unwrap_or(2);
    let failed: Vec<String> = (from..from + count).filter_map(|seed| failure(seed, true)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// What a panic says.
fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().cloned();
    words.or_else(|| panic.downcast_ref::<&str>().map(|w| (*w).to_owned())).unwrap_or_default()
}

/// Runs one night; what is wrong with it, and how to see that again.
fn failure(seed: u64, over_ssh: bool) -> Option<String> {
    let mut dice = Dice::new(seed);
    let site = MadeSite::new(&mut dice);
    let sink = site.smtp.then(|| sink(&[]));
    let mut house = site.build(&mut dice, sink.as_ref().map(|sink| sink.port));
    let folder = house.keep();
    let script = strike::script(&mut dice);
    let far = over_ssh.then(|| Far::new(&mut house, site.max_running, seed));
    let mut night = KilledNight::new(house, site, dice, far);
    let checked = catch_unwind(AssertUnwindSafe(|| {
        night.go(&script);
        night.house.run(&["mail", "flush"]).code(0);
        let mails = match &sink {
            None => night.house.mails(),
            Some(sink) => {
                let heard = sink.heard().into_iter().filter_map(|heard| heard.message);
                heard.map(|message| Letter::read(message.as_bytes())).collect()
            }
        };
        let seen = evidence::gather(&night);
        let mut wrong = oracle::complaints(&night, &seen, &mails);
        for whom in ["supervisor", "agent", "shim"] {
            if !night.kills.contains_key(whom) {
                wrong.push(format!("no {whom} was killed: the script came to nothing"));
            }
        }
        eprintln!(
            "seed {seed}: {} attempts of {} jobs; kills {:?}; endings {:?}",
            seen.told.len(),
            night.site.jobs.len(),
            night.kills,
            seen.endings()
        );
        wrong
    }));
    let wrong = match checked {
        Ok(wrong) if wrong.is_empty() => {
            drop(night);
            std::fs::remove_dir_all(folder).unwrap();
            return None;
        }
        Ok(wrong) => wrong.join("\n  "),
        Err(panic) => words_of(&*panic),
    };
    Some(format!(
        "seed {seed}:\n  {wrong}\n  again: tests/campaign crashes --from {seed}; what it left: {}\n  script: {script:?}",
        folder.display()
    ))
}

#[test]
fn killed_nights_of_the_first_lane() {
    lane(0);
}

#[test]
fn killed_nights_of_the_second_lane() {
    lane(1);
}

#[test]
fn killed_nights_of_the_third_lane() {
    lane(2);
}

#[test]
fn killed_nights_of_the_fourth_lane() {
    lane(3);
}

#[test]
fn killed_nights_of_the_fifth_lane() {
    lane(4);
}

#[test]
fn killed_nights_of_the_sixth_lane() {
    lane(5);
}
