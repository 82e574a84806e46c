//! Mail that cannot leave keeps nobody from the end of the night, and is not lost.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::facts::eventually;
use super::house::{House, SITE};
use super::letter::Letter;
use crate::smtp_sink::{Behaviour, Closed, Sink};

pub(super) fn smtp(house: &House, port: u16) {
    let server = format!("smtp: {{host: 127.0.0.1, port: {port}, tls: none}}");
    house.write("site.yaml", &SITE.replace("folder: mail", &server));
}

/// A port that nobody listens on.
pub(super) fn closed_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A mail server on a thread of its own, as long as the tests live.
pub(crate) fn sink(behaviours: &'static [Behaviour]) -> Sink {
    on_its_own(async move || Sink::listen(behaviours).await)
}

/// Something that goes on in a runtime of its own, as long as the tests live.
pub(crate) fn on_its_own<T: Send + 'static>(listen: impl AsyncFnOnce() -> T + Send + 'static) -> T {
    let (give, take) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            give.send(listen().await).ok().unwrap();
            std::future::pending::<()>().await;
        });
    });
    take.recv().unwrap()
}

fn ids(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| Letter::read(message.as_bytes()).id).collect()
}

/// The Message-IDs of what has not been sent, in the order in which it was decided.
pub(super) fn unsent(house: &House) -> Vec<String> {
    let list = house.run(&["mail", "list", "--format", "json"]).code(0).out;
    list.lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|mail| mail["id"].as_str().unwrap().trim_matches(['<', '>']).to_owned())
        .collect()
}

#[test]
fn a_dead_mail_server_costs_no_night_and_no_mail() {
    for (jobs, code, mails) in
        [("  a: {title: A, run: [sh, job.sh]}\n", 0, 1), ("  a: {title: A, shell: exit 1}\n", 1, 3)]
    {
        let house = House::new(jobs);
        smtp(&house, closed_port());
        let ended = house.run(&["run", "night", "--date", "2026-10-30"]).code(code);
        let are = if mails == 1 { "mail is" } else { "mails are" };
        let words = format!("{mails} {are} not sent yet: `nightrun mail flush`");
        assert!(ended.out.contains(&words), "{}", ended.out);

        let list = house.run(&["mail", "list"]).code(0).out;
        assert_eq!(list.lines().count(), mails);
        assert!(
            list.lines().all(|line| line.contains("1 tries") && line.contains("onnect")),
            "{list}"
        );
        let mut queued = unsent(&house);
        queued.sort();

        let failed = house.run(&["mail", "flush"]).code(1);
        assert!(failed.out.contains(&format!("0 sent, {mails} left")), "{}", failed.out);

        let sink = sink(&[]);
        smtp(&house, sink.port);
        let sent = house.run(&["mail", "flush"]).code(0);
        assert!(sent.out.contains(&format!("{mails} sent, 0 left")), "{}", sent.out);
        let mut heard = ids(&sink.messages());
        heard.sort();
        assert_eq!(heard, queued);
        assert_eq!(house.run(&["mail", "list"]).code(0).out, "everything has been sent\n");
    }
}

#[test]
fn mail_that_was_left_leaves_with_the_next_run() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    smtp(&house, closed_port());
    house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let sink = sink(&[]);
    smtp(&house, sink.port);
    assert_eq!(unsent(&house).len(), 1);
    house.run(&["run", "night", "--date", "2026-10-31"]).code(0);
    // That of the night before is tried again when its time has come, or by hand.
    house.run(&["mail", "flush"]).code(0);
    assert_eq!(unsent(&house).len(), 0);
    assert_eq!(sink.messages().len(), 2);
}

/// `a` fails and is mailed about; `b` and `c` behind it in time, not in need.
const BESIDE: &str = "
  a: {title: A, shell: exit 1}
  b: {title: B, run: [sh, job.sh, wait]}
  c: {title: C, run: [sh, job.sh], needs: [b]}
";

/// The server has the first mail whole and never says so; meanwhile the supervisor is killed.
#[test]
fn a_supervisor_killed_while_a_mail_is_under_way_loses_none_and_sends_it_again_as_it_was() {
    let house = House::new(BESIDE);
    house.gates(&["b"]);
    let sink = sink(&[Behaviour::HangAfterDot]);
    smtp(&house, sink.port);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    eventually("a mail at the server", || sink.messages().len() == 1);
    // No job waits for the server: it holds its answer, and c comes and goes.
    house.say("b", "go");
    night.ended("c");
    assert!(!sink.heard()[0].over, "the answer is still held");
    assert_eq!(sink.heard().len(), 1, "one mail at a time");
    let queued = unsent(&house);
    assert!(queued.len() >= 2, "{queued:?}");
    night.kill();

    // The run may have ended before; what waits is sent by whoever comes next.
    let resumed = house.run(&["resume"]);
    assert!([Some(1), Some(3)].contains(&resumed.code), "{resumed:?}");
    house.run(&["mail", "flush"]).code(0);
    let heard = ids(&sink.messages());
    assert_eq!(heard.iter().filter(|id| **id == heard[0]).count(), 2, "{heard:?}");
    let once: BTreeSet<&String> = heard.iter().collect();
    // Both people on duty, and the one who gets the report.
    assert_eq!((once.len(), heard.len()), (3, 4), "{heard:?}");
    assert!(queued.iter().all(|id| once.contains(id)));
    let first = &sink.messages()[0];
    let again = sink.messages()[1..].iter().any(|message| message == first);
    assert!(again, "byte for byte the same message");
    assert!(unsent(&house).is_empty());
    house.nothing_is_lost();
}

/// A server that takes connections and says nothing costs the night its patience for mail once, at its end.
#[test]
fn a_mute_mail_server_holds_the_end_of_the_run_up_by_nothing_and_its_command_by_a_limit() {
    let house = House::new("  a: {title: A, run: [sh, job.sh]}\n");
    let sink = sink(&[Behaviour::Mute, Behaviour::Mute, Behaviour::Mute]);
    smtp(&house, sink.port);
    let ended = house.run(&["run", "night", "--date", "2026-10-30"]).code(0);
    let over = Timestamp::now();
    assert!(ended.out.contains("1 mail is not sent yet"), "{}", ended.out);
    let time = |value: &serde_json::Value| value.as_str().unwrap().parse::<Timestamp>().unwrap();
    let run_ended = time(&house.facts("run-ended")[0]["noted"]);
    let job_ended = time(&house.facts("attempt-ended")[0]["noted"]);
    // The command's patience is 30 s, as is that for one message; the run's end had none of it.
    assert!(run_ended.duration_since(job_ended).as_secs() < 20, "{job_ended} {run_ended}");
    let patience = over.duration_since(run_ended).as_secs();
    assert!((25..55).contains(&patience), "{run_ended} {over}");
    assert!(sink.heard().len() <= 2, "one connection at a time");
    assert!(sink.heard().iter().all(|heard| heard.at_once == 1));
    assert_eq!(unsent(&house).len(), 1);
}

const MANY: usize = 50;

/// Many people with one role.
fn many_people(house: &House, role: &str) {
    let mut people = "version: 1\npeople:\n".to_owned();
    for n in 0..MANY {
        let line =
            format!("  p{n:02}: {{name: P{n}, mail: p{n:02}@bank.example, roles: [{role}]}}");
        writeln!(people, "{line}").unwrap();
    }
    house.write("people.yaml", &people);
}

#[test]
fn many_mails_that_waited_for_a_dead_server_leave_in_their_order_one_connection_after_the_other() {
    let house = House::new(BESIDE);
    many_people(&house, "duty");
    house.gates(&["b"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let closed = runtime.block_on(async { Closed::bind() });
    smtp(&house, closed.port);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("b");
    let all_tried = || {
        let list = house.run(&["mail", "list", "--format", "json"]).code(0).out;
        let tried = |line: &str| !line.contains("\"tries\":0");
        list.lines().count() == MANY && list.lines().all(tried)
    };
    eventually("one try for each mail", all_tried);
    let queued = unsent(&house);
    let sink = on_its_own(async move || Sink::open(closed));
    eventually("all mails at the server", || sink.messages().len() == MANY);
    assert_eq!(ids(&sink.messages()), queued, "in the order in which they were decided");
    let heard = sink.heard();
    assert_eq!(heard.len(), MANY, "one connection a mail");
    assert!(heard.iter().all(|heard| heard.at_once <= 2), "a farewell may be under way");
    house.say("b", "go");
    night.ends(1);
    assert!(unsent(&house).is_empty());
    assert_eq!(sink.messages().len(), MANY);
}
