//! Streams of events: nothing is missed and nothing comes twice, whoever is killed meanwhile.

use super::{Stream, Told, get};
use crate::night::house::House;

const CHAIN: &str = "
  a: {title: A, run: [sh, job.sh, wait]}
  b: {title: B, run: [sh, job.sh, wait], needs: [a]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

/// Numbers and kinds, as the journal has them.
fn recorded(house: &House) -> Vec<(u64, String)> {
    let journal = house.journal();
    let of = |entry: &serde_json::Value| {
        let kind = entry["fact"]["fact"].as_str().unwrap().to_owned();
        (entry["seq"].as_u64().unwrap(), kind)
    };
    journal.iter().map(of).collect()
}

fn names(told: &[Told]) -> Vec<(u64, String)> {
    told.iter().map(|told| (told.id, told.kind.clone())).collect()
}

#[test]
fn a_stream_is_resumed_over_a_killed_supervisor_without_a_gap_or_a_repeat() {
    let house = House::new(CHAIN);
    house.gates(&["a", "b"]);
    let mut first = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    first.started("a");
    let mut stream = Stream::of(&house, "/api/v1/events", Some(0));
    let mut told = Vec::new();
    let started = |told: &[Told], job: &str| {
        let of = |told: &&Told| told.kind == "attempt-started";
        told.iter().filter(of).any(|told| told.data["fact"]["attempt"].to_string().contains(job))
    };
    while !started(&told, "/a/") {
        told.push(stream.next().unwrap());
    }
    house.say("a", "go");
    first.ended("a");
    first.kill();
    // What it had told before it died is all that came.
    told.extend(std::iter::from_fn(|| stream.next()));
    let mut second = house.spawn(&["resume"]);
    second.started("b");
    // Of those that were seen some are seen again: whoever resumes asks after the last.
    let last = told.last().unwrap().id;
    let mut stream = Stream::of(&house, "/api/v1/events", Some(last));
    house.say("b", "go");
    second.ends(0);
    told.extend(std::iter::from_fn(|| stream.next()));
    assert_eq!(names(&told), recorded(&house));
    let (body, journal) = (told.last().unwrap().data.clone(), house.journal());
    assert_eq!(Some(&body), journal.last());
}

#[test]
fn a_stream_that_begins_in_the_middle_and_many_at_once_see_the_same() {
    let house = House::new(CHAIN);
    house.gates(&["a", "b"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let streams: Vec<_> = (0..8)
        .map(|after| {
            let mut stream = Stream::of(&house, "/api/v1/events", Some(after % 3));
            std::thread::spawn(move || {
                (after % 3, std::iter::from_fn(|| stream.next()).collect::<Vec<_>>())
            })
        })
        .collect();
    house.say("a", "go");
    night.started("b");
    house.say("b", "go");
    night.ends(0);
    let recorded = recorded(&house);
    for stream in streams {
        let (after, told) = stream.join().unwrap();
        assert_eq!(names(&told), recorded[after as usize..], "after {after}");
    }
}

#[test]
fn a_run_is_followed_in_lines_to_its_end() {
    let house = House::new(CHAIN);
    house.gates(&["a", "b"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let path = "/api/v1/runs/night@2026-10-30%231/events";
    let mut from_the_first = Stream::of(&house, path, None);
    house.say("a", "go");
    night.started("b");
    let head = get(&house, "/metrics").body;
    let head = head.lines().find_map(|line| line.strip_prefix("nightrun_journal_entries "));
    let mut from_here = Stream::of(&house, path, head.and_then(|head| head.parse().ok()));
    house.say("b", "go");
    night.ends(0);
    let all: Vec<_> = std::iter::from_fn(|| from_the_first.next()).collect();
    let rest: Vec<_> = std::iter::from_fn(|| from_here.next()).collect();
    assert_eq!(all.first().unwrap().data["event"], "run-opened");
    assert_eq!(all.last().unwrap().data["event"], "run-ended");
    assert!(!rest.is_empty() && all.ends_with(&rest), "{all:#?}\n{rest:#?}");
    assert!(all.iter().all(|told| !told.data["text"].as_str().unwrap().is_empty()));
    assert!(all.windows(2).all(|two| two[0].id < two[1].id));
}
