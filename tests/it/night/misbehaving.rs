//! Mail servers that misbehave, and one that is away for an hour, against the mails of incidents: none is lost, and none
//! comes twice but where nobody can know that it came. What the sender alone does with each answer is in `mail.rs`.

use std::collections::{BTreeMap, BTreeSet};

use super::escalated::{ESCALATION, PEOPLE, ROSTER, SHIFTS, one_failed};
use super::facts::eventually;
use super::letter::Letter;
use super::post::{on_its_own, sink, smtp, unsent};
use super::serving::{Town, at};
use crate::smtp_sink::{Behaviour, Closed, Sink};

/// What the server does to the first mail of each of six people, in this order.
const FIRST: [Behaviour; 6] = [
    Behaviour::Greet("421 4.3.2 not now"),
    Behaviour::Recipient("451 4.7.1 greylisted"),
    Behaviour::CloseInData,
    Behaviour::CloseAfterDot,
    Behaviour::Recipient("550 5.1.1 no such user"),
    Behaviour::Accept,
];

/// How often each mail came, by who it is for and the incident that it is about.
fn came(sink: &Sink) -> BTreeMap<(String, String), Vec<String>> {
    let mut came: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for message in sink.messages() {
        let letter = Letter::read(message.as_bytes());
        let who = letter.to.split('@').next().unwrap().to_owned();
        let incident = letter.subject.split(' ').nth(1).unwrap_or_default().to_owned();
        came.entry((who, incident)).or_default().push(letter.id);
    }
    came
}

#[test]
fn whatever_a_server_does_to_the_mails_of_an_incident_everyone_who_can_be_reached_is_told() {
    let town = Town::new();
    let house = &town.house;
    let server = sink(&FIRST);
    smtp(house, server.port);
    let person = |n| format!("  p{n}: {{name: P{n}, mail: p{n}@bank.example, roles: [duty]}}\n");
    let people: String = (1..=6).map(person).collect();
    let rob = "  rob: {name: Rob, mail: rob@bank.example, roles: [report]}\n";
    house.write("people.yaml", &format!("version: 1\npeople:\n{people}{rob}"));
    let served = one_failed(&town);
    // All were given to the sender at once, so that each behaviour meets its mail, however long that takes.
    eventually("a first try of each", || server.heard().len() >= FIRST.len());
    eventually("an incident of who is refused", || house.facts("incident-opened").len() == 2);
    town.set_clock(at("21:31:30"));
    let reached = ["p1", "p2", "p3", "p4", "p6"];
    let wanted: BTreeSet<(String, String)> = reached
        .iter()
        .flat_map(|who| ["INC-1", "INC-2"].map(|of| ((*who).to_owned(), of.to_owned())))
        .collect();
    let all = || wanted.iter().all(|mail| came(&server).contains_key(mail));
    eventually("every mail at the server", all);
    // What is left is what was refused for good.
    eventually("the rest", || unsent(house).len() == 1);
    let came = came(&server);
    assert_eq!(came.keys().cloned().collect::<BTreeSet<_>>(), wanted);
    for ((who, incident), ids) in &came {
        // The server had this one, and hung up before it said so.
        let twice = who == "p4" && incident == "INC-1";
        assert_eq!(ids.len(), 1 + usize::from(twice), "{who} {incident}: {ids:?}");
        assert!(ids.iter().all(|id| *id == ids[0]), "the same message: {ids:?}");
    }
    let fault = house.facts("incident-opened")[1]["fault"].clone();
    assert_eq!(fault["what"], "message-refused");
    assert!(fault["to"].to_string().contains("p5@bank.example"), "{fault}");
    served.kill();
}

#[test]
fn a_server_that_is_away_for_an_hour_gets_each_mail_of_it_once_though_the_supervisor_is_killed() {
    let town = Town::new();
    let house = &town.house;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let closed = runtime.block_on(async { Closed::bind() });
    smtp(house, closed.port);
    house.write("people.yaml", PEOPLE);
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    let without_limits = ESCALATION.split("clocks:").next().unwrap();
    house.write("escalation.yaml", without_limits);
    let served = one_failed(&town);
    let waits =
        |count: usize| eventually(&format!("{count} wait"), || unsent(house).len() == count);
    waits(1);
    town.set_clock(at("21:41:00"));
    waits(2);
    served.kill();
    town.set_clock(at("21:52:00"));
    let served = town.serve();
    waits(3);
    town.set_clock(at("22:23:00"));
    waits(6);
    let queued: BTreeSet<String> = unsent(house).into_iter().collect();
    assert_eq!(queued.len(), 6);
    let server = on_its_own(async move || Sink::open(closed));
    // Later than any wait between two tries, and before anybody is told again.
    town.set_clock(at("22:40:00"));
    eventually("all mails at the server", || server.messages().len() >= queued.len());
    eventually("nothing is left", || unsent(house).is_empty());
    let heard: Vec<String> =
        server.messages().iter().map(|m| Letter::read(m.as_bytes()).id).collect();
    assert_eq!(heard.len(), queued.len(), "{heard:?}");
    assert_eq!(heard.into_iter().collect::<BTreeSet<_>>(), queued);
    served.kill();
}
