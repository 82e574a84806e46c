//! The supervisor's side: the link starts an agent, comes back to it, and shows what its attempts write.

use nightrun::driver::agent_link::{AgentLinks, AgentStart};
use nightrun::driver::log_files::{LogFiles, Stream};
use nightrun::driver::logs::LogSource;
use nightrun::port::{AgentEvent, AgentLink};
use nightrun::types::{Epoch, HostName};
use nightrun::wire::{FromAgent, ToAgent};
use rustix::process::Signal;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::agent_house::{House, exited, gone, release, signal};

fn starts(program: &str) -> AgentStart {
    AgentStart { program: program.into(), starts: true }
}

async fn says(events: &mut UnboundedReceiver<AgentEvent>) -> FromAgent {
    loop {
        match events.recv().await.unwrap() {
            AgentEvent::Says { what, .. } => return what,
            AgentEvent::Away { .. } | AgentEvent::Clock { .. } => {}
        }
    }
}

async fn welcome(events: &mut UnboundedReceiver<AgentEvent>) -> u32 {
    match says(events).await {
        FromAgent::Welcome { pid, .. } => pid,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_link_starts_an_agent_and_comes_back_to_the_next() {
    let house = House::new();
    let host = HostName::new("local").unwrap();
    let (sender, mut events) = unbounded_channel();
    let start = starts(env!("CARGO_BIN_EXE_nightrun"));
    let mut link = AgentLinks::new(host.clone(), house.dir(), start, Epoch(1), sender);
    let agent = welcome(&mut events).await;

    let go = house.fifo("go");
    let start = house.shell("long", "echo one; read x < go; echo two; echo three >&2; exit 4");
    link.tell(&host, ToAgent::Start(Box::new(start.clone())));
    assert!(matches!(says(&mut events).await, FromAgent::Started { .. }));

    signal(agent, Signal::KILL);
    assert!(matches!(events.recv().await.unwrap(), AgentEvent::Away { .. }));
    let next = welcome(&mut events).await;
    assert_ne!(next, agent);
    link.tell(&host, ToAgent::Ask { attempts: vec![start.attempt.clone()] });
    assert!(matches!(says(&mut events).await, FromAgent::Started { .. }));

    let logs = LogFiles::new(house.dir());
    assert!(!logs.has_ended(&start.attempt));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    // The job goes on once its first line was shown: so the second is seen because it is followed.
    let source = LogSource::Here(logs.clone());
    let shown = source.show(&start.attempt, true, |stream, piece| {
        if out.is_empty() {
            release(&go);
        }
        match stream {
            Stream::Out => out.extend_from_slice(piece),
            Stream::Err => err.extend_from_slice(piece),
        }
        Ok(())
    });
    shown.await.unwrap();
    assert_eq!((out.as_slice(), err.as_slice()), (&b"one\ntwo\n"[..], &b"three\n"[..]));
    assert_eq!(logs.last_line(&start.attempt).as_deref(), Some("three"));
    let FromAgent::Ended(ended) = says(&mut events).await else { panic!("no ending") };
    assert_eq!(ended.ending, exited(4));

    link.tell(&host, ToAgent::Recorded { attempts: vec![start.attempt] });
    link.tell(&host, ToAgent::Leave);
    assert!(matches!(events.recv().await.unwrap(), AgentEvent::Away { .. }));
    let last = welcome(&mut events).await;
    drop(link);
    signal(last, Signal::TERM);
    gone(last);
}

#[tokio::test]
async fn an_agent_that_cannot_be_started_is_said_once() {
    let house = House::new();
    let host = HostName::new("local").unwrap();
    let (sender, mut events) = unbounded_channel();
    let start = starts("/no/such/nightrun");
    let link = AgentLinks::new(host, house.dir(), start, Epoch(1), sender);
    let AgentEvent::Away { why, .. } = events.recv().await.unwrap() else { panic!("reached") };
    assert!(why.contains("cannot be started"), "{why}");
    assert!(events.try_recv().is_err());
    drop(link);
    // The task ends with its link, and its sender with it.
    assert_eq!(events.recv().await, None);
}

#[tokio::test]
async fn an_agent_that_stands_still_is_said_to_be_away_until_it_goes_on() {
    let house = House::with_agent();
    let agent = house.agent_pid();
    signal(agent, Signal::STOP);
    let host = HostName::new("local").unwrap();
    let (sender, mut events) = unbounded_channel();
    let start = starts(env!("CARGO_BIN_EXE_nightrun"));
    let _link = AgentLinks::new(host, house.dir(), start, Epoch(1), sender);
    let AgentEvent::Away { why, .. } = events.recv().await.unwrap() else { panic!("reached") };
    assert!(why.contains("does not answer"), "{why}");
    signal(agent, Signal::CONT);
    assert_eq!(welcome(&mut events).await, agent);
}
