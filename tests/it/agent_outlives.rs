//! What outlives what: jobs their agent, endings their supervisor; and what is said when it cannot be known.

use std::fs;
use std::io::Read;

use jiff::Timestamp;
use nightrun::types::{Ending, Epoch};
use nightrun::wire::{self, FromAgent, ToAgent};
use rustix::process::Signal;

use crate::agent_house::{House, attempt, exited, gone, is_there, read_fifo, release, signal, why};

#[test]
fn a_killed_agent_loses_no_job() {
    loses_no_job(House::with_agent());
}

pub(crate) fn loses_no_job(mut house: House) {
    let mut line = house.hello();
    let (ready, go) = (house.fifo("ready"), house.fifo("go"));
    let start =
        house.shell("long", "echo before; echo x > ready; read x < go; echo after; exit 37");
    let pid = line.run(&start);
    read_fifo(&ready);
    house.kill_agent();
    assert!(is_there(pid));
    house.start_agent(&[]);
    let mut line = house.hello();
    let FromAgent::Started { pid: known, .. } = line.ask(&start) else { panic!("not known") };
    assert_eq!(known, pid);
    release(&go);
    let ended = line.ended();
    assert_eq!(ended.ending, exited(37));
    assert!(ended.usage.max_rss_kib > 0 && ended.started.is_some());
    assert_eq!(house.out(&start), "before\nafter\n");
}

#[test]
fn an_adopted_job_can_be_killed() {
    kills_an_adopted_job(House::with_agent());
}

pub(crate) fn kills_an_adopted_job(mut house: House) {
    let mut line = house.hello();
    let start = house.shell("long", "sleep 1000");
    let pid = line.run(&start);
    house.kill_agent();
    house.start_agent(&[]);
    let mut line = house.hello();
    line.kill(&start, "10s");
    assert_eq!(line.ended().ending, Ending::Killed);
    assert!(!is_there(pid));
}

#[test]
fn an_end_that_nobody_watched_is_learned_with_its_time() {
    learns_an_unwatched_end(House::with_agent());
}

pub(crate) fn learns_an_unwatched_end(mut house: House) {
    let mut line = house.hello();
    let go = house.fifo("go");
    let start = house.shell("unwatched", "read x < go; exit 5");
    line.run(&start);
    let shim = house.shim_pid(&start);
    house.kill_agent();
    release(&go);
    gone(shim);
    let seen_gone = Timestamp::now();
    house.start_agent(&[]);
    // Offered by itself, to every connection until it is recorded.
    for _ in 0..2 {
        let ended = house.hello().ended();
        assert_eq!((&ended.attempt, &ended.ending), (&start.attempt, &exited(5)));
        assert!(ended.ended <= seen_gone);
    }
    let mut line = house.hello();
    line.ended();
    line.say(&ToAgent::Recorded { attempts: vec![start.attempt.clone()] });
    let FromAgent::Ended(again) = line.ask(&start) else { panic!("forgotten") };
    assert_eq!(again.ending, exited(5));
    house.kill_agent();
    house.start_agent(&[]);
    let mut line = house.hello();
    let never = house.shell("never", "");
    assert!(
        matches!(line.ask(&never), FromAgent::NotKnown { .. }),
        "offered after it was recorded"
    );
}

#[test]
fn an_id_is_started_once() {
    starts_once(House::with_agent());
}

pub(crate) fn starts_once(mut house: House) {
    let mut line = house.hello();
    let (ready, go) = (house.fifo("ready"), house.fifo("go"));
    let start = house.shell("once", "echo x >> count; echo x > ready; read x < go");
    let pid = line.run(&start);
    read_fifo(&ready);
    assert_eq!(line.run(&start), pid);
    house.kill_agent();
    house.start_agent(&[]);
    let mut line = house.hello();
    assert_eq!(line.run(&start), pid);
    release(&go);
    let ended = line.ended();
    assert_eq!(line.through(&start), ended);
    line.say(&ToAgent::Recorded { attempts: vec![start.attempt.clone()] });
    assert_eq!(line.through(&start), ended);
    assert_eq!(fs::read_to_string(house.path("count")).unwrap(), "x\n");
}

#[test]
fn a_killed_shim_is_told_honestly() {
    tells_of_killed_shims(House::with_agent());
}

pub(crate) fn tells_of_killed_shims(house: House) {
    let mut line = house.hello();
    let start = house.shell("goes-on", "exec sleep 1000");
    let pid = line.run(&start);
    signal(house.shim_pid(&start), Signal::KILL);
    let ended = line.ended();
    assert!(matches!(ended.ending, Ending::Unknown { .. }), "{ended:?}");
    assert!(why(&ended.ending).contains(&format!("(pid {pid})")), "{ended:?}");
    assert!(is_there(pid));
    // The verdict stays, though the program is gone by now.
    signal(pid, Signal::KILL);
    gone(pid);
    let FromAgent::Ended(again) = line.ask(&start) else { panic!("forgotten") };
    assert_eq!(*again, ended);

    let start = house.shell("gone-too", "exec sleep 1000");
    let pid = line.run(&start);
    let shim = house.shim_pid(&start);
    signal(shim, Signal::STOP);
    signal(pid, Signal::KILL);
    gone(pid);
    signal(shim, Signal::KILL);
    let ended = line.ended();
    assert!(matches!(ended.ending, Ending::Lost { .. }), "{ended:?}");
    assert!(ended.started.is_some() && why(&ended.ending).contains("watcher was killed"));
}

#[test]
fn a_shim_that_was_adopted_and_killed_is_told_honestly() {
    tells_of_a_killed_adopted_shim(House::with_agent());
}

pub(crate) fn tells_of_a_killed_adopted_shim(mut house: House) {
    let mut line = house.hello();
    let start = house.shell("goes-on", "exec sleep 1000");
    let pid = line.run(&start);
    house.kill_agent();
    house.start_agent(&[]);
    let mut line = house.hello();
    let FromAgent::Started { pid: known, .. } = line.ask(&start) else { panic!("not known") };
    assert_eq!(known, pid);
    signal(house.shim_pid(&start), Signal::KILL);
    let ended = line.ended();
    assert!(matches!(ended.ending, Ending::Unknown { .. }), "{ended:?}");
    assert!(is_there(pid) && ended.started.is_some());
    signal(pid, Signal::KILL);
}

#[test]
fn a_restart_of_the_host_is_told_as_lost() {
    let mut house = House::with_agent();
    let mut line = house.hello();
    let (start, unmarked) =
        (house.shell("running", "exec sleep 1000"), house.shell("unmarked", ""));
    let pid = line.run(&start);
    let shim = house.shim_pid(&start);
    house.kill_agent();
    signal(shim, Signal::STOP);
    signal(pid, Signal::KILL);
    gone(pid);
    signal(shim, Signal::KILL);
    gone(shim);
    // As another boot would find it; of the second attempt the crash has left no more than the folder.
    let record = fs::read_to_string(house.record_path(&start)).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert!(record.contains(boot.trim()));
    fs::write(house.record_path(&start), record.replace(boot.trim(), "another-boot")).unwrap();
    fs::write(house.dir().join("boot"), "another-boot\n").unwrap();
    fs::create_dir(house.spool_of(&unmarked)).unwrap();
    house.start_agent(&[]);
    let mut line = house.hello();
    for _ in 0..2 {
        let ended = line.ended();
        assert_eq!(
            ended.ending,
            Ending::Lost { why: "the host restarted".to_owned() },
            "{ended:?}"
        );
    }
}

#[test]
fn an_attempt_that_its_agent_only_claimed_could_not_start() {
    let house = House::with_agent();
    let mut line = house.hello();
    let start = house.shell("claimed", "exit 0");
    fs::create_dir(house.spool_of(&start)).unwrap();
    let FromAgent::Ended(ended) = line.ask(&start) else { panic!("not known") };
    assert!(matches!(ended.ending, Ending::CouldNotStart { .. }), "{ended:?}");
    assert_eq!(line.through(&start), *ended);
    assert_eq!(house.hello().ended(), *ended);
}

#[test]
fn a_spool_that_cannot_be_written_starts_nothing_and_says_so() {
    let house = House::with_agent();
    let mut line = house.hello();
    // The agent cannot claim the first; the shim of the second cannot take its lock.
    for (folder, job) in [("spool", "unclaimed"), ("live", "unlocked")] {
        let start = house.shell(job, "touch ran");
        let (there, away) = (house.dir().join(folder), house.dir().join("away"));
        fs::rename(&there, &away).unwrap();
        let ended = line.through(&start);
        assert!(why(&ended.ending).contains("No such file or directory"), "{ended:?}");
        assert!(matches!(ended.ending, Ending::CouldNotStart { .. }));
        fs::rename(&away, &there).unwrap();
        let FromAgent::Ended(again) = line.ask(&start) else { panic!("forgotten") };
        assert_eq!(*again, ended);
    }
    assert!(!house.path("ran").exists());
    assert_eq!(line.through(&house.shell("well-again", "exit 0")).ending, exited(0));
}

#[test]
fn the_highest_epoch_commands_and_survives_the_agent() {
    let mut house = House::with_agent();
    let hello = |epoch| ToAgent::hello(Epoch(epoch));
    let mut old = house.hello();
    let mut new = house.connect();
    new.say(&hello(2));
    assert!(matches!(new.hear(), FromAgent::Welcome { .. }));
    let start = house.shell("fenced", "exit 0");
    let stale = FromAgent::Stale { seen: Epoch(2) };
    // Told at once, though it asks for nothing: it would wait for ever.
    assert_eq!(old.hear(), stale);
    old.start(&start);
    assert_eq!(old.hear(), stale);
    old.kill(&start, "1s");
    assert_eq!(old.hear(), stale);
    old.say(&ToAgent::Leave);
    assert_eq!(old.hear(), stale);
    assert_eq!(new.ask(&start), FromAgent::NotKnown { attempt: attempt("fenced") });
    // Reports go to the leader only: the old one hears nothing before the answer to its question.
    assert_eq!(new.through(&start).ending, exited(0));
    let never = house.shell("never", "");
    assert!(matches!(old.ask(&never), FromAgent::NotKnown { .. }));
    house.kill_agent();
    house.start_agent(&[]);
    let mut late = house.connect();
    late.say(&hello(1));
    assert_eq!(late.hear(), stale);
}

#[test]
fn boot_and_spool_are_named_in_the_welcome() {
    let mut house = House::with_agent();
    let welcome = |house: &House| {
        let mut line = house.connect();
        line.say(&ToAgent::hello(Epoch(1)));
        let FromAgent::Welcome { boot, version, .. } = line.hear() else { panic!("not welcome") };
        assert_eq!(version, wire::VERSION);
        boot
    };
    let first = welcome(&house);
    house.kill_agent();
    house.start_agent(&[]);
    assert_eq!(welcome(&house), first);
    let other = House::with_agent();
    assert_ne!(welcome(&other), first);
    assert_eq!(welcome(&other).0.split(':').next(), first.0.split(':').next());
}

#[test]
fn a_second_agent_is_refused_in_words() {
    let house = House::with_agent();
    let mut second = house.agent_command(&[]);
    let mut second = second.stderr(std::process::Stdio::piped()).spawn().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(3));
    let mut words = String::new();
    second.stderr.unwrap().read_to_string(&mut words).unwrap();
    assert!(words.contains("another agent already serves"), "{words}");
    house.hello();
}

#[test]
fn an_agent_leaves_when_nobody_needs_it() {
    let mut house = House::new();
    house.start_agent(&["--linger", "50ms"]);
    assert!(house.agent_leaves().success());

    house.start_agent(&["--linger", "1h"]);
    let mut line = house.hello();
    let go = house.fifo("go");
    let start = house.shell("last", "read x < go");
    line.run(&start);
    line.say(&ToAgent::Leave);
    release(&go);
    assert_eq!(line.ended().ending, exited(0));
    assert!(house.agent_leaves().success());
}

#[test]
fn an_agent_that_is_to_stay_does_not_go_with_a_supervisor() {
    let mut house = House::new();
    house.start_agent(&["--linger", "0s"]);
    let mut line = house.hello();
    line.say(&ToAgent::Leave);
    let start = house.shell("after", "true");
    line.run(&start);
    assert_eq!(line.ended().ending, exited(0));
    drop(line);
    house.hello();
}

#[test]
fn what_is_no_protocol_closes_its_connection_only() {
    let house = House::with_agent();
    let mut good = house.hello();
    let mut rude = house.connect();
    rude.say(&ToAgent::Leave);
    assert!(rude.is_closed());
    assert_eq!(good.through(&house.shell("goes-on", "exit 0")).ending, exited(0));
}
