//! A fault that lasts for an hour and blocks 40 jobs, under two supervisors of which the first dies: each mail once, and none
//! about what is only blocked.

use rustix::process::Signal;

use super::escalated::{ESCALATION, PEOPLE, ROSTER, SHIFTS, told};
use super::facts::eventually;
use super::house::House;
use super::letter::Letter;
use super::pair::{NAMES, Pair, no_epoch_goes_down};
use super::post::{self, sink};
use super::serving::{at, set_clock};
use super::watched::Night;
use crate::postgres_server::Server;

const BLOCKED: usize = 40;

#[test]
fn a_fault_of_an_hour_is_told_as_its_policy_says_and_what_it_blocks_is_not() {
    let house = House::bare();
    let server = sink(&[]);
    post::smtp(&house, server.port);
    house.write("people.yaml", PEOPLE);
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    let without_limits = ESCALATION.split("clocks:").next().unwrap();
    house.write("escalation.yaml", &without_limits.replace("remind: 30m", "remind: 20m"));
    let mut batch = "
schedule: {cron: \"30 21 * * *\"}
jobs:
  load: {title: L, run: [sh, job.sh, wait]}
"
    .to_owned();
    for number in 0..BLOCKED {
        batch += &format!("  post-{number}: {{title: P, run: [sh, job.sh], needs: [load]}}\n");
    }
    house.batch("eod", &batch);
    house.gates(&["load"]);
    let pair = Pair::of(house, Server::shared());
    let house = &pair.house;
    set_clock(house, at("21:29:58"));
    let serve = |which: &str| {
        let mut command = pair.command(which, &["serve", "--format", "json"]);
        command.env("NIGHTRUN_CLOCK_STEP", house.work("step"));
        Night::watch(command)
    };
    let mut one = serve(NAMES[0]);
    one.notice("serving 1 schedule");
    let two = serve(NAMES[1]);
    two.notice("standing by");
    one.started("load");
    house.say("load", "no");
    // Who is told at which time; what comes in between tells nobody.
    let mut heard: Vec<String> = Vec::new();
    let mut hears = |time: &str, who: &[&str]| {
        set_clock(house, at(time));
        let count = heard.len() + who.len();
        eventually(&format!("{count} mails at {time}"), || told(&server).len() >= count);
        let mut new: Vec<String> = told(&server).into_iter().map(|(to, _)| to).collect();
        let new: Vec<String> = new.split_off(heard.len());
        let mut sorted = new.clone();
        sorted.sort();
        assert_eq!(sorted, who, "at {time}");
        heard.extend(new);
    };
    hears("21:30:30", &["ann"]);
    hears("21:39:30", &[]);
    hears("21:40:30", &["wei"]);
    one.kill();
    two.notice("serving 1 schedule");
    hears("21:49:30", &[]);
    hears("21:50:30", &["max"]);
    hears("22:09:30", &[]);
    hears("22:10:45", &["ann", "max", "wei"]);
    hears("22:29:30", &[]);
    hears("22:31:00", &["ann", "max", "wei"]);
    let retry = ["retry", "eod.load", "--reason", "the disk is free again"];
    let said = pair.command(NAMES[1], &retry).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    house.say("load", "go");
    hears("22:31:10", &["ann", "max", "wei"]);
    // It had ended with what was blocked, and ends again.
    eventually("the end of the run", || house.facts("run-ended").len() == 2);
    // Nobody heard of a job that was only blocked, and nothing was sent twice, but where one died before it knew that it was sent.
    assert_eq!(house.facts("incident-opened").len(), 1);
    let raw = server.messages();
    let letters: Vec<Letter> = raw.iter().map(|message| Letter::read(message.as_bytes())).collect();
    let of_it = letters.iter().filter(|letter| !letter.to.starts_with("rob@"));
    let of_it: Vec<&Letter> = of_it.collect();
    assert!(of_it.len() <= heard.len() + 1, "sent twice");
    let text = &of_it[0].text;
    assert!(text.contains("40"), "{text}");
    no_epoch_goes_down(house);
    two.signal(Signal::TERM);
    two.ends(0);
}
