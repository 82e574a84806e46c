//! Incidents of a service: who is told next, through a kill and a restart, until somebody answers; what other commands and
//! the API say of them. The tests set the clock, and a real mail server hears what is sent.

use rustix::process::Signal;

use super::facts::eventually;
use super::letter::Letter;
use super::post::sink;
use super::serving::{Town, at};
use super::watched::Night;
use crate::api;
use crate::smtp_sink::Sink;

pub(super) const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Shift, mail: ann@bank.example, team: operations, roles: [duty]}
  wei: {name: 韦伟, mail: wei@bank.example, language: zh, team: operations, roles: [duty]}
  rob: {name: Rob Report, mail: rob@bank.example, team: operations, roles: [report]}
  max: {name: Max Lead, mail: max@bank.example, team: operations, roles: [lead]}
teams:
  operations: {title: Operations, lead: max}
";

pub(super) const SHIFTS: &str = "
version: 1
shifts:
  night: {title: Night, from: \"21:30\", to: \"08:30\"}
";

pub(super) const ROSTER: &str = "
version: 1
pairs: [[ann, wei]]
roster:
  - {shift: night, from: 2026-11-01, to: 2026-11-30, people: [ann]}
";

pub(super) const ESCALATION: &str = "
version: 1
policies:
  night:
    title: Shift, deputy, lead
    remind: 30m
    steps:
      - tell: {on_shift: true}
      - {after: 10m, tell: {deputies: true}}
      - {after: 10m, tell: {leads: true}}
policy: night
clocks:
  - {kinds: [fault], response: 25m, solution: 1h}
warn_before: 1m
";

pub(super) const BATCH: &str = "
schedule: {cron: \"30 21 * * *\"}
jobs:
  load: {title: L, run: [sh, job.sh, wait]}
  post: {title: P, run: [sh, job.sh], needs: [load]}
";

/// A service of a batch in which one job has just failed, and another one waits for the test's word.
pub(super) fn one_failed(town: &Town) -> Night {
    let house = &town.house;
    house.batch("eod", &format!("{BATCH}  more: {{title: M, run: [sh, job.sh, wait]}}\n"));
    house.gates(&["load", "more"]);
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    served.started("more");
    served.started("load");
    house.say("load", "no");
    served
}

/// What the server took but the reports of runs; what was sent once more after a kill counts once.
pub(super) fn mails(sink: &Sink) -> Vec<String> {
    let mut messages = sink.messages();
    let mut seen = std::collections::BTreeSet::new();
    messages.retain(|message| {
        let again = !seen.insert(header(message, "Message-ID").to_owned());
        !again && !header(message, "To").contains("rob@")
    });
    messages
}

/// To whom, and the first line of each mail.
pub(super) fn told(sink: &Sink) -> Vec<(String, String)> {
    let messages = mails(sink);
    let letters = messages.iter().map(|message| Letter::read(message.as_bytes()));
    letters
        .map(|letter| {
            let first = letter.text.lines().next().unwrap_or_default().to_owned();
            (letter.to.split('@').next().unwrap().to_owned(), first)
        })
        .collect()
}

fn header<'m>(message: &'m str, name: &str) -> &'m str {
    let start = format!("{name}: ");
    let line = message.lines().find(|line| line.starts_with(&start));
    line.and_then(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("no {name}: {message}"))
}

#[test]
fn whoever_is_next_is_told_though_the_supervisor_is_killed_until_somebody_answers() {
    let town = Town::new();
    let house = &town.house;
    let server = sink(&[]);
    super::post::smtp(house, server.port);
    house.write("people.yaml", PEOPLE);
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    house.write("escalation.yaml", ESCALATION);
    house.batch("eod", BATCH);
    house.gates(&["load"]);
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    served.started("load");
    house.say("load", "no");
    let heard = |count: usize| {
        eventually(&format!("{count} mails"), || mails(&server).len() >= count);
        let told = told(&server);
        assert_eq!(told.len(), count, "{told:?}");
        told
    };
    assert_eq!(heard(1)[0].0, "ann");

    // The deputy's time comes while nobody supervises; whoever comes next tells him at once.
    served.kill();
    town.set_clock(at("21:41:00"));
    let served = town.serve();
    let second = &heard(2)[1];
    assert_eq!(second.0, "wei");
    assert!(second.1.contains("无人确认"), "{}", second.1);
    // Though its run was over before this supervisor began: what the job has written, and what can be done.
    let second = Letter::read(mails(&server)[1].as_bytes());
    for part in ["| the test says no", "nightrun retry eod.load --date 2026-11-02"] {
        assert!(second.text.contains(part), "{part}: {}", second.text);
    }
    town.set_clock(at("21:52:00"));
    let third = &heard(3)[2];
    assert!(third.0 == "max" && third.1.contains("you are next"), "{third:?}");

    // Before the limit of the response passes all of them are told, and then that it has.
    town.set_clock(at("21:54:30"));
    let near = heard(6).split_off(3);
    assert!(
        near.iter().filter(|(_, first)| first.contains("Response is due by")).count() == 2,
        "{near:?}"
    );
    let said = town.run(&["incident", "ack", "INC-1", "--reason", "on it"], 0);
    assert!(said.contains("INC-1: recorded"), "{said}");
    let who = town.run(&["incident", "list"], 0);
    assert!(who.contains("INC-1  P1"), "{who}");
    // Whoever acknowledged is an account of nobody here: all three are told.
    let taken = heard(9).split_off(6);
    assert!(
        taken.iter().any(|(to, first)| to == "ann" && first.contains("takes care of it")),
        "{taken:?}"
    );
    assert!(town.run(&["incident", "ack", "INC-1"], 3).contains("no-change"));

    // Nobody is told any more; the limit of the solution is not stopped by an answer.
    town.set_clock(at("22:29:30"));
    let near = heard(12).split_off(9);
    assert!(
        near.iter().all(|(_, first)| first.contains("Solution") || first.contains("解决")),
        "{near:?}"
    );

    // By the API: what is known, and the steps; what it refuses names its rule.
    let page = api::get(house, "/api/v1/incidents").ok().json();
    assert_eq!(page["items"][0]["job"], "load");
    let one = api::get(house, "/api/v1/incidents/INC-1").ok().json();
    assert_eq!(one["clocks"][0]["kind"], "response");
    assert!(one["clocks"][0]["met"].is_string() && one["clocks"][0]["missed"] == false, "{one}");
    let body = serde_json::json!({});
    let refused = api::post(house, "/api/v1/incidents/INC-1/hand-in", &body);
    assert_eq!((refused.status, refused.json()["rule"].as_str()), (409, Some("not-resolved")));
    assert_eq!(api::post(house, "/api/v1/incidents/INC-1/resolve", &body).status, 400);
    assert_eq!(
        api::post(house, "/api/v1/incidents/INC-9/ack", &body).json()["rule"],
        "no-such-thing"
    );

    // The job goes well: the incident is over, for the same people.
    town.run(&["retry", "eod.load", "--reason", "the disk is free again"], 0);
    house.say("load", "go");
    let over = heard(15).split_off(12);
    assert!(
        over.iter().any(|(to, first)| to == "ann" && first.contains("all is well again")),
        "{over:?}"
    );
    let resolve = ["incident", "resolve", "INC-1", "--cause", "full disk", "--measure", "freed"];
    town.run(&resolve, 0);
    let report = town.run(&["incident", "report", "INC-1"], 0);
    for part in ["# Incident report INC-1", "full disk", "told Max Lead", "on it", "post"] {
        assert!(report.contains(part), "{part}: {report}");
    }

    // One thread: the same root, stable words, an id for each; no link that a scanner could press.
    let of_it = mails(&server);
    let roots: std::collections::BTreeSet<&str> =
        of_it.iter().map(|message| header(message, "References")).collect();
    let ids: std::collections::BTreeSet<&str> =
        of_it.iter().map(|message| header(message, "Message-ID")).collect();
    assert_eq!((roots.len(), ids.len()), (1, of_it.len()));
    for message in &of_it {
        let body = mail_parser::MessageParser::default().parse(message.as_bytes()).unwrap();
        let html = body.body_html(0).unwrap();
        assert!(!html.contains("href=") && !html.contains("src="), "{html}");
    }
    served.signal(Signal::TERM);
    served.ends(0);
}

/// Runs are taken up before their schedules are served, and by then it is known what the policies say: a reminder that is
/// due in an hour is not sent because the supervisor is another one.
#[test]
fn a_supervisor_that_begins_tells_nobody_before_the_policy_does() {
    let town = Town::new();
    let house = &town.house;
    let patient = ESCALATION.replace("remind: 30m", "remind: 2h");
    let steps = patient.find("      - {after: 10m, tell: {deputies").unwrap();
    let policy = patient.find("policy: night").unwrap();
    house.write("people.yaml", PEOPLE);
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    house.write("escalation.yaml", &format!("{}{}", &patient[..steps], "policy: night\n"));
    assert!(patient[policy..].contains("clocks"), "without limits, which have words of their own");
    let mut served = one_failed(&town);
    served.event("incident-opened", "load");
    served.kill();
    town.set_clock(at("21:50:00"));
    let served = town.serve();
    served.notice("serving 1 schedule");
    let one = api::get(house, "/api/v1/incidents/INC-1").ok().json();
    assert_eq!(one["steps"], serde_json::json!([]), "{one}");
    house.say("more", "go");
    served.signal(Signal::TERM);
    served.ends(0);
}
