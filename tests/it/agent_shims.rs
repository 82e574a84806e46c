//! Shims are made ahead, watch one attempt after the other, and go when they are not needed.

use nightrun::definition::site::Survivors;
use nightrun::types::Ending;
use nightrun::wire::{FromAgent, Program, ToAgent};
use rustix::process::Signal;

use crate::agent_house::{House, Line, exited, gone, read_fifo, release, signal};

/// Waits until so many shims are there; what is waited for takes no word of anybody.
fn shims_become(house: &House, many: usize) -> Vec<u32> {
    let begun = std::time::Instant::now();
    loop {
        let shims = house.shims();
        if shims.len() == many {
            return shims;
        }
        assert!(begun.elapsed().as_secs() < 30, "{shims:?}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Runs a job that waits for the test; the pid of its shim, and its ending.
fn watched(house: &House, line: &mut Line, job: &str) -> (u32, Ending) {
    let go = house.fifo(&format!("go-{job}"));
    let start = house.shell(job, &format!("read x < go-{job}; exit 5"));
    line.run(&start);
    let shim = house.shim_pid(&start);
    release(&go);
    (shim, line.ended().ending)
}

#[test]
fn a_shim_watches_one_attempt_after_the_other_and_one_is_made_ahead() {
    let house = House::with_agent();
    let mut line = house.hello();
    let ahead = shims_become(&house, 1);
    let (first, ending) = watched(&house, &mut line, "first");
    assert_eq!((ahead, ending), (vec![first], exited(5)));
    // While it was busy another was made.
    let both = shims_become(&house, 2);
    for job in ["second", "third"] {
        let (shim, ending) = watched(&house, &mut line, job);
        assert!(both.contains(&shim));
        assert_eq!(ending, exited(5));
    }
    assert_eq!(shims_become(&house, 2), both);
}

#[test]
fn a_shim_with_survivors_goes_and_the_next_attempt_has_another() {
    let house = House::with_agent();
    let mut line = house.hello();
    let mut start =
        house.shell("leaves", "setsid sleep 1000 & echo $! > child; echo x > ready; read x < go");
    start.survivors = Survivors::Leave;
    let (ready, go) = (house.fifo("ready"), house.fifo("go"));
    line.run(&start);
    read_fifo(&ready);
    let shim = house.shim_pid(&start);
    release(&go);
    let ended = line.ended();
    assert!(ended.notes[0].starts_with("left 1 running: "), "{:?}", ended.notes);
    gone(shim);
    let (next, ending) = watched(&house, &mut line, "next");
    assert!(next != shim && ending == exited(5));
    let child = std::fs::read_to_string(house.path("child")).unwrap();
    signal(child.trim().parse().unwrap(), Signal::KILL);
}

#[test]
fn a_kill_that_comes_too_late_does_not_reach_the_next_attempt() {
    let house = House::with_agent();
    let mut line = house.hello();
    let shim = shims_become(&house, 1)[0];
    // What the agent sends when it has not heard yet that the attempt is over.
    signal(shim, Signal::USR1);
    let start = house.shell("next", "read x < go; sleep 0.1; exit 5");
    let go = house.fifo("go");
    line.run(&start);
    assert_eq!(house.shim_pid(&start), shim);
    release(&go);
    assert_eq!(line.ended().ending, exited(5));
}

#[test]
fn an_idle_shim_that_was_killed_costs_no_attempt() {
    let house = House::with_agent();
    let mut line = house.hello();
    for n in 0..5 {
        for shim in shims_become(&house, if n == 0 { 1 } else { 2 }) {
            signal(shim, Signal::KILL);
            gone(shim);
        }
        let ended = line.through(&house.shell(&format!("job{n}"), "sleep 0.1; exit 0"));
        assert_eq!(ended.ending, exited(0), "{ended:?}");
    }
}

#[test]
fn what_is_not_needed_goes_and_one_stays_while_somebody_is_there() {
    const MANY: usize = 8;
    let mut house = House::with_agent();
    let mut line = house.hello();
    let go = house.fifo("go");
    for n in 0..MANY {
        line.run(&house.shell(&format!("job{n}"), "read x < go; exit 0"));
    }
    shims_become(&house, MANY + 1);
    // Open until all have read, so that nobody waits for a writer.
    let held = std::fs::File::options().read(true).write(true).open(&go).unwrap();
    for _ in 0..MANY {
        release(&go);
    }
    for _ in 0..MANY {
        assert_eq!(line.ended().ending, exited(0));
    }
    drop(held);
    let last = shims_become(&house, 1);
    let (shim, _) = watched(&house, &mut line, "after");
    assert_eq!(last, [shim]);
    // Idle ones do not outlive their agent.
    let left = house.shims();
    house.kill_agent();
    left.into_iter().for_each(gone);
}

#[test]
fn an_order_that_cannot_be_read_is_told_and_harms_nothing_else() {
    let house = House::with_agent();
    let mut line = house.hello();
    line.say_raw(r#"{"say":"start","attempt":"night@2026-10-30#1/strange/1","program":7}"#);
    let ended = line.ended();
    assert!(matches!(ended.ending, Ending::CouldNotStart { .. }), "{ended:?}");
    assert_eq!(line.through(&house.shell("well", "exit 0")).ending, exited(0));
}

/// Larger than what a pair of sockets holds at once.
#[test]
fn a_long_order_arrives_whole() {
    let house = House::with_agent();
    let mut line = house.hello();
    let mut start = house.shell("long", "");
    let value = "x".repeat(100_000);
    start.env.extend((0..10).map(|n| (format!("LONG{n}"), value.clone())));
    start.program =
        Program::Argv(["sh", "-c", "echo ${#LONG0} ${#LONG9}"].map(str::to_owned).into());
    assert_eq!(line.through(&start).tail, ["100000 100000"]);
    line.say(&ToAgent::Recorded { attempts: vec![start.attempt.clone()] });
    let FromAgent::Ended(again) = line.ask(&start) else { panic!("forgotten") };
    assert_eq!(again.tail, ["100000 100000"]);
}
