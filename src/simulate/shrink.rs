//! From a night that broke a rule to the smallest one that breaks the same rule.

use super::Scenario;
use super::faults::Fault;

/// What is left of a scenario.
#[derive(Debug)]
pub struct Shrunk<T> {
    pub scenario: Scenario,
    /// What the smallest night broke.
    pub failure: T,
    /// Nights that were played to find it.
    pub nights: usize,
}

/// Takes away faults, then turns, then jobs, as long as `fails` finds the same failure. `failure` is that of `scenario`
/// itself, `jobs` the number of jobs of its site, `turn` the one in which it fails.
pub fn shrink<T>(
    scenario: Scenario,
    failure: T,
    (jobs, turn): (usize, usize),
    mut fails: impl FnMut(&Scenario) -> Option<T>,
) -> Shrunk<T> {
    let mut shrunk = Shrunk { scenario, failure, nights: 0 };
    let mut attempt = |shrunk: &mut Shrunk<T>, smaller: Scenario| {
        shrunk.nights += 1;
        let Some(failure) = fails(&smaller) else { return false };
        (shrunk.scenario, shrunk.failure) = (smaller, failure);
        true
    };
    loop {
        let before = shrunk.scenario.clone();
        fewer_faults(&mut shrunk, &mut attempt);
        fewer_turns(&mut shrunk, turn, &mut attempt);
        fewer_jobs(&mut shrunk, jobs, &mut attempt);
        if shrunk.scenario == before {
            return shrunk;
        }
    }
}

fn fewer_faults<T>(
    shrunk: &mut Shrunk<T>,
    attempt: &mut impl FnMut(&mut Shrunk<T>, Scenario) -> bool,
) {
    if shrunk.scenario.without != Fault::ALL {
        let none = shrunk.scenario.clone().without_faults();
        attempt(shrunk, none);
    }
    for fault in Fault::ALL {
        if !shrunk.scenario.without.contains(fault) {
            let mut smaller = shrunk.scenario.clone();
            smaller.without.push(*fault);
            smaller.without.sort();
            attempt(shrunk, smaller);
        }
    }
    if shrunk.scenario.crash.is_some() {
        let smaller = Scenario { crash: None, ..shrunk.scenario.clone() };
        attempt(shrunk, smaller);
    }
}

/// The fewest turns with faults, by halves.
fn fewer_turns<T>(
    shrunk: &mut Shrunk<T>,
    turn: usize,
    attempt: &mut impl FnMut(&mut Shrunk<T>, Scenario) -> bool,
) {
    let (mut low, mut high) = (0, shrunk.scenario.until.unwrap_or(turn));
    while low < high {
        let middle = low + (high - low) / 2;
        let smaller = Scenario { until: Some(middle), ..shrunk.scenario.clone() };
        if attempt(shrunk, smaller) { high = middle } else { low = middle + 1 }
    }
}

/// Pieces of the jobs are taken out, the pieces smaller and smaller.
fn fewer_jobs<T>(
    shrunk: &mut Shrunk<T>,
    jobs: usize,
    attempt: &mut impl FnMut(&mut Shrunk<T>, Scenario) -> bool,
) {
    let left = |scenario: &Scenario| match scenario.only.is_empty() {
        true => (0..jobs).collect::<Vec<usize>>(),
        false => scenario.only.clone(),
    };
    let mut piece = left(&shrunk.scenario).len().div_ceil(2);
    while piece > 0 {
        let mut from = 0;
        while from < left(&shrunk.scenario).len() {
            let mut only = left(&shrunk.scenario);
            let to = only.len().min(from + piece);
            only.drain(from..to);
            let smaller = Scenario { only, ..shrunk.scenario.clone() };
            if smaller.only.is_empty() || !attempt(shrunk, smaller) {
                from += piece;
            }
        }
        piece /= 2;
    }
}
