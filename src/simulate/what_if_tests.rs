use super::*;
use crate::core::test_site::{batch, job, site};
use crate::definition::site::Host;
use crate::types::Text;

fn a_site() -> Site {
    let mut ask = job("ask", &[]);
    ask.kind = Kind::Confirm { question: Text::en("Go?"), role: None };
    let eod = batch("eod", None, vec![job("load-a", &[]), job("load-b", &[]), ask]);
    let mut site = site(vec![eod, batch("rep", None, vec![job("load-c", &[])])]);
    site.zone = Zone::named("Europe/Berlin").unwrap();
    site.hosts.insert(
        HostName::new("local").unwrap(),
        Host { trial: true, max_running: 4, ..Host::default() },
    );
    site
}

/// In Berlin, in the night in which the clock goes back: 21:30 in summer time.
const FIRST: &str = "2026-10-24T21:30+02:00";

fn resolve(wishes: &Wishes) -> Result<Vec<Supposed>, String> {
    let (site, batches) = (a_site(), [BatchId::new("eod").unwrap()]);
    let about = About { site: &site, batches: &batches, first: FIRST.parse().unwrap() };
    wishes.resolve(about).map_err(|bad| bad.to_string())
}

fn named(pattern: &str) -> Vec<String> {
    let wishes = Wishes { fails: vec![pattern.to_owned()], ..Wishes::default() };
    match resolve(&wishes).unwrap().remove(0) {
        Supposed::Fails { jobs, .. } => jobs.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn jobs_are_named_alone_with_their_batch_or_by_a_pattern() {
    assert_eq!(named("load-a"), ["eod.load-a"]);
    assert_eq!(named("load-*"), ["eod.load-a", "eod.load-b"], "of the batches simulated");
    assert_eq!(named("*.load-*"), ["eod.load-a", "eod.load-b", "rep.load-c"]);
    assert_eq!(named("rep.load-c"), ["rep.load-c"]);
    assert_eq!(named("*"), ["eod.load-a", "eod.load-b"], "a confirmation cannot fail");
}

#[test]
fn times_are_those_of_the_night() {
    let down = |times: &str| {
        let wishes = Wishes { host_down: vec![format!("local={times}")], ..Wishes::default() };
        match resolve(&wishes).unwrap().remove(0) {
            Supposed::HostDown { from, to, .. } => (from.to_string(), to.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let utc = |from: &str, to: &str| (format!("2026-10-{from}:00Z"), format!("2026-10-{to}:00Z"));
    // Summer time ends at 03:00; 04:00 is standard time.
    assert_eq!(down("01:00-04:00"), utc("24T23:00", "25T03:00"));
    assert_eq!(down("21:00-22:00"), utc("24T19:00", "24T20:00"), "from before the night");
    assert_eq!(down("21:00-21:30"), utc("25T20:00", "25T20:30"), "over when the night begins");
    assert_eq!(down("23:00-01:00"), utc("24T21:00", "24T23:00"), "over midnight");
    assert_eq!(down("2026-10-26T01:00..2026-10-26T02:00"), utc("26T00:00", "26T01:00"));
}

#[test]
fn what_cannot_be_understood_is_said_with_what_was_written() {
    type Set = fn(&mut Wishes, String);
    let host: Set = |wishes, text| wishes.host_down.push(text);
    let takes: Set = |wishes, text| wishes.takes.push(text);
    let fails: Set = |wishes, text| wishes.fails.push(text);
    let arrives: Set = |wishes, text| wishes.arrives.push(text);
    let freeze: Set = |wishes, text| wishes.freeze.push(text);
    let table = [
        (host, "loca=01:00-02:00", "there is no host `loca`; did you mean `local`?"),
        (host, "local", "write HOST=01:00-02:00"),
        (host, "local=01-02", "`01` is not a clock time: write it as 02:30"),
        (host, "local=01:00-01:00", "it ends when it begins"),
        (host, "local=2026-10-26T02:00..2026-10-26T01:00", "it ends before it begins"),
        (takes, "lod-a=2x", "no job is called `lod-a`; did you mean `load-a`?"),
        (takes, "eod.lod-a=2x", "no job is called `eod.lod-a`; did you mean `eod.load-a`?"),
        (takes, "load-c=2x", "no job is called `load-c`; did you mean `load-a`?"),
        (takes, "load-a=-2x", "`-2x` is not a factor from 0x to 1000x"),
        (takes, "load-a=nanx", "`nanx` is not a factor from 0x to 1000x"),
        (takes, "ask=2x", "ask waits for a clock time or a person"),
        (fails, "load-a=0", "write JOB, or JOB=2 for its first two attempts"),
        (arrives, "load-a=02:00", "load-a waits for no file and no SQL condition"),
        (freeze, "22:00", "write the times as 01:00-02:00"),
    ];
    for (set, text, what) in table {
        let mut wishes = Wishes::default();
        set(&mut wishes, text.to_owned());
        let said = resolve(&wishes).unwrap_err();
        assert!(said.ends_with(&format!(" {text}: {what}")), "{text}: {said}");
    }
}
