//! A service that gives life signs, and a watcher that raises the alarm by a way of its own. The tests set the clock.

use serde_json::Value;

use super::facts::eventually;
use super::house::SITE;
use super::letter::Letter;
use super::post::{closed_port, on_its_own, sink};
use super::serving::{DAILY, Town, at};
use crate::smtp_sink::certificate;
use crate::webhook_sink::{Behaviour, WebhookSink};

#[test]
fn a_service_that_was_killed_raises_an_alarm_from_another_host_and_its_return_ends_it() {
    let town = Town::new();
    let house = &town.house;
    let sign = house.work("sign.json");
    let rule = format!("life_sign: {{file: {}, every: 1m}}\n", sign.display());
    house.write("site.yaml", &format!("{SITE}{rule}"));
    house.batch("eod", DAILY);
    let server = sink(&[]);
    let settings = house.work("watch.yaml");
    let watch = |text: &str| {
        let text = format!("version: 1\nsign: sign.json\nmemory: watch.json\nafter: 15m\n{text}");
        std::fs::write(&settings, text).unwrap();
    };
    let mail = format!(
        "mail: {{from: watch@other.example, to: [chief@bank.example], smtp: {{host: 127.0.0.1, port: {}, tls: none}}}}\n",
        server.port
    );
    watch(&mail);
    let look = |code| town.run(&["watch", settings.to_str().unwrap(), "--once"], code);
    let mails = || -> Vec<Letter> {
        server.messages().iter().map(|message| Letter::read(message.as_bytes())).collect()
    };

    town.set_clock(at("20:00:00"));
    let served = town.serve();
    eventually("a life sign", || sign.exists());
    let given: Value = serde_json::from_slice(&std::fs::read(&sign).unwrap()).unwrap();
    assert_eq!((&given["version"], &given["next"]["batch"]), (&1.into(), &"eod".into()));
    assert_eq!(look(0), "");
    let entries = house.journal().len();
    // Another one each minute, and no entry of the journal.
    town.set_clock(at("20:05:00"));
    served.kill();
    assert_eq!(house.journal().len(), entries);

    town.set_clock(at("20:14:00"));
    assert_eq!(look(0), "");
    town.set_clock(at("20:25:00"));
    // Nobody can be told yet: it is no alarm that was raised.
    watch("command: [\"false\"]\n");
    assert!(look(1).contains("not told: command: false"));
    watch(&mail);
    assert!(look(1).contains("[P1] Test Bank: nightrun gives no life sign since"));
    // It was said, whoever looks; it is said again after half an hour.
    assert_eq!(look(1), "");
    town.set_clock(at("20:56:00"));
    look(1);
    let told = mails();
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|mail| mail.to == "chief@bank.example"), "{told:?}");
    assert!(told[0].text.contains("The next start was to be eod at"), "{}", told[0].text);

    let before = std::fs::read(&sign).unwrap();
    let served = town.serve();
    eventually("a new life sign", || std::fs::read(&sign).unwrap() != before);
    assert!(look(0).contains("[OK] nightrun gives its life signs again"));
    assert_eq!((look(0), mails().len()), (String::new(), 3));
    // What it keeps is damaged: it begins anew, says so, and leaves the file to people.
    let memory = house.work("watch.json");
    std::fs::write(&memory, "{").unwrap();
    assert!(look(0).contains("watch.json.damaged, and begun anew"));
    assert_eq!(std::fs::read(house.work("watch.json.damaged")).unwrap(), b"{");
    assert_eq!(look(0), "");
    // A sign of another form is none.
    let other = std::fs::read_to_string(&sign).unwrap().replace("\"version\": 1", "\"version\": 2");
    std::fs::write(house.work("other.json"), other).unwrap();
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text.replace("sign.json", "other.json")).unwrap();
    town.set_clock(at("21:20:00"));
    assert!(look(1).contains("[P1]"));
    let told = mails().last().unwrap().text.clone();
    assert!(told.contains("a life sign of version 2"), "{told}");
    let doctor = town.command(&["doctor"]).output().unwrap();
    let doctor = String::from_utf8(doctor.stdout).unwrap();
    assert!(doctor.contains("the last life sign"), "{doctor}");
    served.signal(rustix::process::Signal::TERM);
    served.ends(0);
}

/// By HTTP to whoever is told and whoever asks, and by the real mail path at a set time; with a certificate of the house.
#[test]
fn a_service_that_is_asked_over_https_and_tells_by_mail_and_webhook_is_missed_when_it_is_gone() {
    let town = Town::new();
    let house = &town.house;
    let mail = sink(&[]);
    let taken = Behaviour::Answer(200, "");
    let room = on_its_own(async move || WebhookSink::listen(&[], taken).await);
    let site = SITE.replace(
        "folder: mail",
        &format!("smtp: {{host: 127.0.0.1, port: {}, tls: none}}", mail.port),
    );
    let rule = format!(
        "webhooks: {{alarms: {{format: json, url: \"http://127.0.0.1:{}/lives\"}}}}\n\
         life_sign: {{every: 1m, webhook: alarms, mail: {{at: [\"21:00\"], to: report}}}}\n",
        room.port
    );
    house.write("site.yaml", &format!("{site}{rule}"));
    house.batch("eod", DAILY);
    let keys = house.work("keys");
    certificate(&keys);
    let port = closed_port();
    let files = format!("certificate: {0}/server.pem, key: {0}/server.key", keys.display());
    let api = house.work("settings.yaml");
    let listens = format!("version: 1\napi: {{listen: '127.0.0.1:{port}', {files}}}\n");
    std::fs::write(&api, listens).unwrap();
    let serve = || {
        let mut command = town.command(&["serve", "--format", "json", "--settings"]);
        command.arg(&api);
        let night = super::watched::Night::watch(command);
        night.notice("serving 1 schedule");
        night
    };

    town.set_clock(at("20:59:30"));
    let served = serve();
    eventually("a sign at the webhook", || room.asked().len() == 1);
    let told = room.asked()[0].json();
    assert_eq!(told["about"]["life_sign"]["next"]["batch"], "eod", "{told}");
    assert!(
        told["title"].as_str().unwrap().starts_with("[OK] Test Bank: nightrun lives"),
        "{told}"
    );
    assert_eq!(mail.messages().len(), 0, "it is not the time for a mail");
    town.set_clock(at("21:00:10"));
    eventually("a mail", || mail.messages().len() == 1);
    let letter = Letter::read(mail.messages()[0].as_bytes());
    assert_eq!(letter.to, "rob@bank.example");
    assert!(letter.text.contains("The next start is eod at 2026-11-02 21:30"), "{}", letter.text);
    served.kill();
    let served = serve();
    eventually("a sign of the next service", || room.asked().len() == 2);
    assert_eq!(mail.messages().len(), 1, "once a time");

    let settings = house.work("watch.yaml");
    let watch = |ca: &str| {
        let text = format!(
            "version: 1\nurl: https://127.0.0.1:{port}/healthz\n{ca}memory: watch.json\nafter: 15m\n\
             mail: {{from: watch@other.example, to: [chief@bank.example], smtp: {{host: 127.0.0.1, port: {}, tls: none}}}}\n",
            mail.port
        );
        std::fs::write(&settings, text).unwrap();
    };
    let look = |code| town.run(&["watch", settings.to_str().unwrap(), "--once"], code);
    let ours = format!("ca: {}/ca.pem\n", keys.display());
    watch(&ours);
    assert_eq!(look(0), "");
    let page = crate::api::get(house, "/healthz").ok().json();
    assert_eq!((&page["sign"]["version"], &page["sign"]["next"]), (&1.into(), &Value::Null));
    served.kill();
    town.set_clock(at("21:20:00"));
    assert!(look(1).contains("[P1] nightrun: nightrun gives no life sign since"));
    let alarm = Letter::read(mail.messages().last().unwrap().as_bytes());
    assert_eq!(alarm.to, "chief@bank.example");
    assert!(alarm.text.contains("In its place: https://127.0.0.1"), "{}", alarm.text);
    // Who answers under a certificate that nobody here trusts may be anybody.
    let served = serve();
    watch("");
    assert_eq!(look(1), "");
    watch(&ours);
    assert!(look(0).contains("[OK] nightrun gives its life signs again"));
    // The site asks for none any more: the last one does not stand for a service that gives them.
    house.write("site.yaml", &site);
    served.signal(rustix::process::Signal::HUP);
    eventually("no sign", || crate::api::get(house, "/healthz").ok().json()["sign"].is_null());
    served.signal(rustix::process::Signal::TERM);
    served.ends(0);
}
