//! The agent goes on as another program: what runs stays with its shims, nothing is lost and nothing starts twice.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::process::Command;

use nightrun::driver::agent_link::{AgentLinks, AgentStart};
use nightrun::port::{AgentEvent, AgentLink};
use nightrun::types::{AttemptId, Ending, Epoch, HostName};
use nightrun::wire::{self, AgentProgram, FromAgent, ToAgent, spool};
use tokio::sync::mpsc::unbounded_channel;

use crate::agent_house::{House, Line, exited, gone, is_there, release};
use crate::installed::{Installed, next_release};

/// An agent of this release, whose program can be replaced.
fn installed() -> (House, Installed) {
    let mut house = House::new();
    let installed = house.installed();
    house.start_agent(&[]);
    (house, installed)
}

/// A greeting, and what the agent says that it is.
fn greet(house: &House) -> (Line, u32, AgentProgram) {
    let mut line = house.connect();
    line.say(&ToAgent::hello(Epoch(1)));
    let FromAgent::Welcome { version, pid, program, .. } = line.hear() else { panic!("unwelcome") };
    assert_eq!(version, wire::VERSION);
    (line, pid, program.unwrap())
}

/// Tells the agent to go on as what is installed now, and waits until it does.
fn goes_on(house: &House, line: &mut Line) -> Line {
    let agent = house.agent_pid();
    line.say(&ToAgent::Upgrade { program: None });
    assert_eq!(line.hear_or_end(), None);
    let (line, pid, program) = greet(house);
    assert_eq!((pid, program.replaced), (agent, false));
    line
}

/// Children of the agent that have ended and are waited for by nobody.
fn unburied(house: &House) -> Vec<u32> {
    let agent = house.agent_pid();
    let of_agent = |stat: &str| {
        let rest = stat.rsplit_once(") ").unwrap().1;
        let mut words = rest.split(' ');
        words.next() == Some("Z") && words.next() == Some(&agent.to_string())
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| of_agent(&stat))
    })
    .collect()
}

#[test]
fn jobs_and_shims_stay_while_the_agent_becomes_the_next_release() {
    let (house, installed) = installed();
    let (mut line, _, program) = greet(&house);
    assert_eq!(
        program,
        AgentProgram {
            release: wire::release().to_owned(),
            path: installed.path.clone(),
            replaced: false
        }
    );
    let go = house.fifo("go");
    let long = house.shell("long", "echo before; read x < go; echo after; exit 4");
    let killed = house.shell("killed", "exec sleep 1000");
    let done = line.through(&house.shell("done", "exit 3"));
    let (job, _) = (line.run(&long), line.run(&killed));
    let shims = [house.shim_pid(&long), house.shim_pid(&killed)];
    let idle: Vec<u32> = house.shims().into_iter().filter(|pid| !shims.contains(pid)).collect();

    installed.upgrade();
    let (mut line, _, program) = greet(&house);
    assert!(program.replaced && program.release == wire::release(), "{program:?}");
    assert_eq!(line.ended(), done);
    let mut line = goes_on(&house, &mut line);
    let (_, _, program) = greet(&house);
    assert_eq!((program.release.as_str(), &program.path), (&*next_release(), &installed.path));
    // What was not known to be in the journal is offered again.
    assert_eq!(line.ended(), done);
    assert!(matches!(line.ask(&long), FromAgent::Started { pid, .. } if pid == job));
    assert!(is_there(job) && shims.iter().all(|shim| is_there(*shim)));
    // What had nothing to do goes: what is new is for shims of the new release.
    idle.into_iter().for_each(gone);
    line.kill(&killed, "1s");
    assert_eq!(line.ended().ending, Ending::Killed);
    release(&go);
    let ended = line.ended();
    assert_eq!((ended.ending, ended.output_bytes), (exited(4), 13));
    assert_eq!(house.out(&long), "before\nafter\n");
    assert_eq!(line.through(&house.shell("new", "exit 5")).ending, exited(5));
    shims.into_iter().for_each(gone);
    assert!(unburied(&house).is_empty());

    // And once more, by the file alone: the same release, built anew.
    installed.rebuild();
    goes_on(&house, &mut line);
    let log = fs::read_to_string(house.dir().join(spool::LOG)).unwrap();
    assert!(log.contains(&format!("was {}", next_release())), "{log}");
}

#[test]
fn orders_and_endings_around_the_change_are_carried_out_and_told_once() {
    let (house, installed) = installed();
    let mut line = house.hello();
    installed.upgrade();
    let jobs: Vec<_> = (0..20).map(|n| house.shell(&format!("j{n}"), "echo x >> ran")).collect();
    // In one breath: some run, some have just been given to their shim.
    let orders = jobs.iter().map(|job| ToAgent::Start(Box::new(job.clone())));
    let words = orders.chain([ToAgent::Upgrade { program: None }]);
    let words: Vec<String> = words.map(|word| serde_json::to_string(&word).unwrap()).collect();
    line.say_raw(&words.join("\n"));
    while line.hear_or_end().is_some() {}
    let (mut line, _, program) = greet(&house);
    assert_eq!(program.release, next_release());
    line.say(&ToAgent::Ask { attempts: jobs.iter().map(|job| job.attempt.clone()).collect() });
    let mut open: std::collections::BTreeSet<_> = jobs.iter().map(|job| &job.attempt).collect();
    while !open.is_empty() {
        let ended = line.ended();
        assert_eq!(ended.ending, exited(0), "{ended:?}");
        open.remove(&ended.attempt);
    }
    let ran = fs::read_to_string(house.path("ran")).unwrap();
    assert_eq!(ran.lines().count(), jobs.len());
}

/// Again and again, while others begin and end.
#[test]
fn an_agent_that_changes_all_the_time_starts_each_attempt_once_and_loses_no_ending() {
    const ROUNDS: usize = 12;
    const EACH: usize = 15;
    let (house, installed) = installed();
    let mut line = house.hello();
    let mut open = std::collections::BTreeSet::new();
    let hear = |said: Option<FromAgent>, open: &mut std::collections::BTreeSet<AttemptId>| {
        if let Some(FromAgent::Ended(ended)) = &said {
            assert_eq!(ended.ending, exited(0), "{ended:?}");
            open.remove(&ended.attempt);
        }
        said.is_some()
    };
    for round in 0..ROUNDS {
        if round % 4 == 0 {
            installed.rebuild();
        }
        for n in 0..EACH {
            // Some are over at once, some in a moment.
            let script = format!("echo x >> ran; sleep 0.0{}", n % 7);
            let start = house.shell(&format!("j{round}-{n}"), &script);
            open.insert(start.attempt.clone());
            line.start(&start);
        }
        line.say(&ToAgent::Upgrade { program: None });
        while hear(line.hear_or_end(), &mut open) {}
        line = greet(&house).0;
    }
    line.say(&ToAgent::Ask { attempts: open.iter().cloned().collect() });
    while !open.is_empty() {
        assert!(hear(line.hear_or_end(), &mut open));
    }
    let ran = fs::read_to_string(house.path("ran")).unwrap();
    assert_eq!(ran.lines().count(), ROUNDS * EACH);
    assert!(unburied(&house).is_empty());
}

#[test]
fn an_agent_that_cannot_read_what_was_passed_on_begins_as_after_a_crash() {
    for number in ["99", "0"] {
        let mut house = House::new();
        house.start_agent(&["--take-over", number]);
        let mut line = house.hello();
        let start = house.shell(&format!("j{number}"), "exit 3");
        assert_eq!(line.through(&start).ending, exited(3));
    }
}

#[test]
fn what_cannot_take_over_is_refused_in_words_and_the_agent_stays() {
    let (house, installed) = installed();
    let mut line = house.hello();
    let start = house.shell("long", "read x < go; exit 6");
    let go = house.fifo("go");
    line.run(&start);
    let whole = fs::read(&installed.path).unwrap();
    let mut refused = |program: Option<&str>, word: &str| {
        let program = program.map(Into::into);
        line.say(&ToAgent::Upgrade { program });
        let FromAgent::NotUpgraded { why } = line.hear() else { panic!("no refusal") };
        let stays = format!("it stays release {}", wire::release());
        assert!(why.contains(word) && why.contains(&stays), "{why}");
    };
    refused(Some("/no/such/nightrun"), "No such file");
    refused(Some("/etc/passwd"), "denied");
    refused(Some("/bin/true"), "no nightrun that knows how to");
    installed.put(b"not a program\n");
    refused(None, "cannot take over");
    installed.put(&whole[..whole.len() / 3]);
    refused(None, "cannot take over");
    installed.put(b"#!/bin/sh\nexec sleep 1000\n");
    refused(None, "did not answer");
    release(&go);
    assert_eq!(line.ended().ending, exited(6));
    assert_eq!(line.through(&house.shell("next", "exit 0")).ending, exited(0));
}

#[cfg(feature = "faults")]
#[test]
fn an_agent_that_dies_on_the_way_is_followed_by_one_that_knows_what_runs() {
    for point in ["agent.hands-over", "agent.taken-over"] {
        let mut house = House::new();
        let installed = house.installed();
        house.kill_at(point);
        house.start_agent(&[]);
        let mut line = house.hello();
        let go = house.fifo("go");
        let long = house.shell("long", "echo x >> ran; read x < go; exit 7");
        let job = line.run(&long);
        installed.upgrade();
        line.say(&ToAgent::Upgrade { program: None });
        assert_eq!(line.hear_or_end(), None);
        house.agent_leaves();
        assert!(house.was_killed() && is_there(job), "{point}");
        house.start_agent(&[]);
        let (mut line, _, program) = greet(&house);
        assert_eq!(program.release, next_release());
        assert!(matches!(line.ask(&long), FromAgent::Started { pid, .. } if pid == job));
        release(&go);
        assert_eq!(line.ended().ending, exited(7), "{point}");
        assert_eq!(fs::read_to_string(house.path("ran")).unwrap(), "x\n");
    }
}

#[test]
fn a_supervisor_of_the_former_version_is_served() {
    let house = House::with_agent();
    let mut line = house.connect();
    line.say_raw(r#"{"say":"hello","version":1,"epoch":1}"#);
    let FromAgent::Welcome { version, .. } = line.hear() else { panic!("unwelcome") };
    assert_eq!(version, 1);
    assert_eq!(line.through(&house.shell("former", "exit 8")).ending, exited(8));
    // One that is to come, and has left this version behind, is told which is spoken here.
    let mut line = house.connect();
    line.say_raw(r#"{"say":"hello","version":9,"epoch":1,"oldest":8,"more":"words"}"#);
    let welcome = line.hear();
    let FromAgent::Welcome { version, .. } = welcome else { panic!("{welcome:?}") };
    assert_eq!(version, wire::VERSION);
}

async fn says(events: &mut tokio::sync::mpsc::UnboundedReceiver<AgentEvent>) -> FromAgent {
    loop {
        match events.recv().await.unwrap() {
            AgentEvent::Says { what, .. } => return what,
            AgentEvent::Away { .. } | AgentEvent::Clock { .. } => {}
        }
    }
}

#[tokio::test]
async fn a_supervisor_lets_the_agent_become_the_program_that_it_is_itself() {
    let (house, installed) = installed();
    let mut line = house.hello();
    let go = house.fifo("go");
    let long = house.shell("long", "read x < go; exit 4");
    let job = line.run(&long);
    let ahead = Installed::at(house.path("next"));
    ahead.upgrade();
    let (sender, mut events) = unbounded_channel();
    let host = HostName::new("local").unwrap();
    let start = |program: &Installed| AgentStart { program: program.path.clone(), starts: true };
    // This test says that it is the current release; the agent runs it already, from a file that is replaced now.
    installed.rebuild();
    let mut link = AgentLinks::new(host.clone(), house.dir(), start(&ahead), Epoch(1), sender);
    let FromAgent::Welcome { pid, program: Some(program), .. } = says(&mut events).await else {
        panic!("unwelcome")
    };
    assert!(program.replaced);
    let FromAgent::Welcome { pid: again, program: Some(program), .. } = says(&mut events).await
    else {
        panic!("unwelcome")
    };
    assert_eq!((pid, again), (house.agent_pid(), house.agent_pid()));
    assert!(!program.replaced && program.path == installed.path, "{program:?}");
    link.tell(&host, ToAgent::Ask { attempts: vec![long.attempt.clone()] });
    assert!(matches!(says(&mut events).await, FromAgent::Started { pid, .. } if pid == job));
    release(&go);
    let FromAgent::Ended(ended) = says(&mut events).await else { panic!("no ending") };
    assert_eq!(ended.ending, exited(4));

    // An agent of another release becomes this supervisor's program.
    drop(link);
    let mut line = house.hello();
    while !matches!(line.hear(), FromAgent::Ended(_)) {}
    line.say(&ToAgent::Upgrade { program: Some(ahead.path.clone()) });
    assert_eq!(line.hear_or_end(), None);
    let (sender, mut events) = unbounded_channel();
    let _link = AgentLinks::new(host, house.dir(), start(&installed), Epoch(1), sender);
    let mut releases = Vec::new();
    while releases.len() < 2 {
        if let FromAgent::Welcome { program: Some(program), .. } = says(&mut events).await {
            releases.push(program.release);
        }
    }
    assert_eq!(releases, [next_release(), wire::release().to_owned()]);
}

/// The other end is as the former release was: what it cannot know it is not told.
#[tokio::test]
async fn an_agent_of_the_former_version_is_led_as_it_is() {
    let house = House::new();
    fs::create_dir_all(house.dir()).unwrap();
    let listener = UnixListener::bind(house.dir().join(spool::SOCKET)).unwrap();
    let former = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut heard = Vec::new();
        let mut hear = |heard: &mut Vec<String>| {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            heard
                .push(serde_json::from_str::<serde_json::Value>(&line).unwrap()["say"].to_string());
        };
        hear(&mut heard);
        let specimens = include_str!("../../src/wire/specimens/version-1.jsonl").lines();
        let says = specimens.filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let say = line["line"]["say"].as_str().unwrap().to_owned();
            (line["to"] == "supervisor" && say != "stale").then(|| line["line"].to_string())
        });
        for line in says {
            (&stream).write_all(format!("{line}\n").as_bytes()).unwrap();
        }
        hear(&mut heard);
        heard
    });
    let host = HostName::new("local").unwrap();
    let (sender, mut events) = unbounded_channel();
    let start = AgentStart { program: "/no/such/nightrun".into(), starts: false };
    let mut link = AgentLinks::new(host.clone(), house.dir(), start, Epoch(7), sender);
    let mut words = Vec::new();
    while words.len() < 7 {
        words.push(match says(&mut events).await {
            FromAgent::Welcome { program: None, version: 1, .. } => "welcome",
            FromAgent::Started { .. } => "started",
            FromAgent::Ended(_) => "ended",
            FromAgent::NotKnown { .. } => "not-known",
            FromAgent::Notice { .. } => "notice",
            other => panic!("{other:?}"),
        });
    }
    link.tell(&host, ToAgent::Leave);
    let heard = tokio::task::spawn_blocking(|| former.join().unwrap()).await.unwrap();
    assert_eq!(heard, ["\"hello\"", "\"leave\""]);
    // Its unit starts it: here nobody does.
    let AgentEvent::Away { why, .. } = events.recv().await.unwrap() else { panic!("there") };
    assert!(why.contains("has left"), "{why}");
    let AgentEvent::Away { why, .. } = events.recv().await.unwrap() else { panic!("there") };
    assert!(why.contains("its own unit starts the agent"), "{why}");
}

#[test]
fn a_person_lets_the_agent_go_on_as_what_is_installed() {
    let (house, installed) = installed();
    installed.upgrade();
    let ask = |more: &[&str]| {
        let mut command = Command::new(&installed.path);
        command.args(["--state"]).arg(house.path("")).args(["agent", "upgrade"]).args(more);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (code, said) = ask(&[]);
    let agent = house.agent_pid();
    let expected = format!("agent {agent} goes on as release {}", next_release());
    assert!(code == Some(0) && said.starts_with(&expected), "{said}");
    let (code, said) = ask(&["--to", "/bin/true"]);
    assert!(code == Some(1) && said.contains("it stays release"), "{said}");
    house.hello();
    assert_eq!(house.agent_pid(), agent);
}
