//! Webhooks of people and of a team: told at their step, through a kill, a refusal and a restart. The tests set the clock.

use super::escalated::{BATCH, PEOPLE, ROSTER, SHIFTS, mails};
use super::facts::eventually;
use super::house::SITE;
use super::letter::Letter;
use super::post::{on_its_own, sink};
use super::serving::{Town, at};
use crate::webhook_sink::{Behaviour, WebhookSink};

const ESCALATION: &str = "
version: 1
policies:
  night:
    title: Shift, the room of the team
    remind: 1h
    steps:
      - {tell: {on_shift: true}, by: [mail, webhook]}
      - {after: 10m, tell: {webhooks: [team-room]}}
policy: night
";

/// The address of a room is its password.
const KEY: &str = "5f0c2f1e-room-key";
const TAKEN: Behaviour = Behaviour::Answer(200, r#"{"errcode":0,"errmsg":"ok"}"#);

fn webhook_sink(behaviours: &'static [Behaviour]) -> WebhookSink {
    on_its_own(async move || WebhookSink::listen(behaviours, TAKEN).await)
}

fn declared(town: &Town, mail: u16, person: u16, room: u16) {
    let house = &town.house;
    let address = house.work("team-room.url");
    std::fs::write(&address, format!("http://127.0.0.1:{room}/send?key={KEY}\n")).unwrap();
    let server = format!("smtp: {{host: 127.0.0.1, port: {mail}, tls: none}}");
    let webhooks = format!(
        "webhooks:\n  ann-phone: {{format: json, url: \"http://127.0.0.1:{person}/ann\"}}\n  \
         team-room: {{format: wecom, url_file: {}, language: zh}}\n",
        address.display()
    );
    house.write("site.yaml", &format!("{}{webhooks}", SITE.replace("folder: mail", &server)));
    house.write(
        "people.yaml",
        &PEOPLE.replace("name: Ann Shift,", "name: Ann Shift, webhook: ann-phone,"),
    );
    house.write("shifts.yaml", SHIFTS);
    house.write("roster.yaml", ROSTER);
    house.write("escalation.yaml", ESCALATION);
    house.batch("eod", BATCH);
    house.gates(&["load"]);
}

#[test]
fn people_and_rooms_are_told_over_http_and_a_message_is_sent_again_as_it_was_after_a_kill() {
    let town = Town::new();
    let mail = sink(&[]);
    let person = webhook_sink(&[Behaviour::Hang]);
    let gone = r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#;
    let room = webhook_sink(Box::leak(Box::new([TAKEN, Behaviour::Answer(200, gone)])));
    declared(&town, mail.port, person.port, room.port);
    town.set_clock(at("21:29:58"));
    let mut served = town.serve();
    served.started("load");
    town.house.say("load", "no");

    // The phone's server has the message and does not answer: the mail is not held up by it, and then comes a kill.
    eventually("a message at the phone", || person.asked().len() == 1);
    eventually("a mail", || mails(&mail).len() == 1);
    served.kill();
    let served = town.serve();
    eventually("the same message once more", || person.asked().len() == 2);
    let (first, again) = (&person.asked()[0], &person.asked()[1]);
    assert_eq!(first.header("idempotency-key"), again.header("idempotency-key"));
    assert_eq!(first.body, again.body);
    let told = first.json();
    assert_eq!(told["about"]["notice"], "opened", "{told}");
    assert_eq!(told["about"]["incident"]["id"], 1, "{told}");
    assert!(told["title"].as_str().unwrap().starts_with("[P1] INC-1 "), "{told}");
    assert_eq!(room.asked().len(), 0, "its step has not come");

    town.set_clock(at("21:41:00"));
    eventually("a message in the room", || room.asked().len() == 1);
    let content = room.asked()[0].json()["markdown"]["content"].as_str().unwrap().to_owned();
    assert!(content.starts_with("**［P1］ INC-1 ") && content.contains("无人确认"), "{content}");

    // The room is told what follows, and refuses it: that is an incident, and nobody else goes without a word.
    town.run(&["incident", "ack", "INC-1", "--reason", "on it"], 0);
    let about_the_room =
        |letter: &Letter| letter.subject.contains("INC-2 what is sent to webhook:team-room");
    eventually("a mail about the room", || {
        mails(&mail).iter().any(|mail| about_the_room(&Letter::read(mail.as_bytes())))
    });
    let list = town.run(&["mail", "list"], 0);
    assert!(
        list.contains("to webhook:team-room: 1 tries, HTTP 200") && list.contains("given up"),
        "{list}"
    );

    // Nothing that is kept or said has the address.
    let kept = town.run(&["journal", "show", "--last", "1000", "--format", "json"], 0);
    let page = town.run(&["incident", "show", "INC-1"], 0);
    assert!(page.contains("told webhook team-room"), "{page}");
    let doctor = town.command(&["doctor"]).output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("webhook team-room (wecom) has its address"), "{doctor}");
    for said in [&kept, &page, &list, &doctor] {
        assert!(!said.contains(KEY), "{said}");
    }
    served.signal(rustix::process::Signal::TERM);
    served.ends(0);
}

/// More messages than are looked at in one go wait for a room that does not answer; every mail leaves.
#[test]
fn a_room_that_does_not_answer_keeps_no_mail_back_however_much_waits_for_it() {
    const JOBS: usize = 130;
    let town = Town::new();
    let mail = sink(&[]);
    let room = on_its_own(async move || WebhookSink::listen(&[], Behaviour::Hang).await);
    declared(&town, mail.port, room.port, room.port);
    let job = |number| format!("  j{number}: {{title: J, shell: exit 1}}\n");
    let jobs: String = (0..JOBS).map(job).collect();
    town.house.batch("eod", &format!("\nschedule: {{cron: \"30 21 * * *\"}}\njobs:\n{jobs}"));
    town.set_clock(at("21:29:58"));
    let served = town.serve();
    eventually("each mail", || mails(&mail).len() >= JOBS);
    let waits = town.run(&["mail", "list"], 0);
    let waiting = waits.lines().filter(|line| line.contains("to webhook:ann-phone")).count();
    assert!(waiting > 100, "{waiting} wait for the room");
    served.signal(rustix::process::Signal::TERM);
    served.ends(0);
}
