//! A drill from its reminder to its result, by commands, API and a real mail server.

use rustix::process::Signal;
use serde_json::json;

use super::facts::eventually;
use super::house::House;
use super::letter::Letter;
use super::post::sink;
use crate::api::Served;

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Shift, mail: ann@bank.example, team: operations, roles: [duty]}
  wei: {name: 韦伟, mail: wei@bank.example, language: zh, team: operations, roles: [duty]}
  rob: {name: Rob Report, mail: rob@bank.example, roles: [report]}
  max: {name: Max Lead, mail: max@bank.example, team: operations, roles: [lead]}
teams:
  operations: {title: Operations, lead: max}
";

const ESCALATION: &str = "
version: 1
policies:
  duty:
    title: Duty
    remind: 12h
    steps: [{tell: {roles: [duty]}}]
  quiet:
    title: Lead
    remind: 12h
    steps: [{tell: {people: [max]}}]
policy: duty
severities: {p3: quiet}
clocks:
  - {kinds: [fault], response: 10h, solution: 11h, report: 3d}
drills:
  lost-host:
    title: A host is lost
    title_zh: 主机故障
    every: 90d
    from: 2020-01-01
    severity: p1
    runbook: Move to the other host.
    people: [wei]
    teams: [operations]
";

#[test]
fn a_drill_is_reminded_of_raised_answered_and_counted_by_itself() {
    let house = House::bare();
    let server = sink(&[]);
    super::post::smtp(&house, server.port);
    house.write("people.yaml", PEOPLE);
    house.write("escalation.yaml", ESCALATION);
    house.batch("eod", "\njobs:\n  a: {title: A, run: [sh, job.sh]}\n");
    let served = Served::of(house, "");
    let letters = |count: usize| {
        eventually(&format!("{count} mails"), || server.messages().len() >= count);
        let messages = server.messages();
        messages.iter().map(|message| Letter::read(message.as_bytes())).collect::<Vec<_>>()
    };
    // It was due years ago: the lead is told, of a problem and not of a fault.
    let first = letters(1);
    assert!(
        first[0].to == "max@bank.example" && first[0].subject.starts_with("[P3] INC-1"),
        "{first:?}"
    );

    let run = |words: &[&str]| served.house.run(words);
    let overdue = run(&["drill", "list"]).code(0).out;
    assert!(overdue.contains("overdue since 2020-03-31"), "{overdue}");
    let start = ["drill", "start", "lost-host", "--reason", "once a quarter"];
    let tried = run(&[&start[..], &["--dry-run"]].concat()).code(0).out;
    assert!(tried.contains("incident-opened"), "{tried}");
    run(&start).code(0);
    assert!(run(&start).code(3).err.contains("no-change"));
    // Whoever has started it does not answer it.
    assert!(run(&["incident", "ack", "INC-2"]).code(3).err.contains("own-work"));
    let raised = letters(3).split_off(1);
    for letter in &raised {
        let (mark, means) = match letter.to.as_str() {
            "ann@bank.example" => ("[DRILL P1] INC-2", "This is a drill"),
            _ => ("[演练 P1] INC-2", "本次为演练"),
        };
        assert!(letter.subject.starts_with(mark) && letter.text.contains(means), "{letter:?}");
    }

    // Somebody answers: the reminder is over by itself, and the result says who was absent.
    let ann = served.token("ann", &["read", "respond"]);
    let ask = |step: &str, body: serde_json::Value| {
        let path = format!("/api/v1/incidents/INC-2/{step}");
        served.ask_as(&ann, ("POST", &path), Some(&body)).ok()
    };
    ask("ack", json!({}));
    ask("resolve", json!({ "cause": "drill", "measure": "moved within minutes" }));
    let page = served.ask_as(&ann, ("GET", "/api/v1/drills"), None).ok().json();
    let line = &page["items"][0];
    let held = &line["held"][0];
    assert_eq!((&line["overdue"], &held["answered_by"]["id"]), (&json!(false), &json!("ann")));
    assert_eq!(
        (&held["absent"], &held["well"]),
        (&json!([{ "en": "韦伟" }]), &json!(false)),
        "{page}"
    );
    let refused =
        served.ask_as(&ann, ("POST", "/api/v1/drills/lost-host"), Some(&json!({ "reason": "x" })));
    assert_eq!((refused.status, &refused.json()["rule"]), (403, &json!("right-missing")));
    let open = run(&["incident", "list"]).code(0).out;
    assert!(open.contains("No incident is open"), "{open}");

    // It counts as no incident; the reminder does, as what it is.
    let bulletin = served.house.json(&["bulletin"]);
    let told = |key: &str, of: &str| {
        let lines = bulletin[key].as_array().unwrap().iter();
        lines.map(|line| line[of].clone()).collect::<serde_json::Value>()
    };
    assert_eq!(told("incidents", "incident"), json!([1]), "{bulletin}");
    assert_eq!(told("drills", "drill"), json!(["lost-host"]), "{bulletin}");
    let report = run(&["incident", "report", "INC-2"]).code(0).out;
    assert!(report.contains("# Drill report INC-2"), "{report}");
    served.night.signal(Signal::TERM);
    served.night.ends(0);
}
