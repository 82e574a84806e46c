//! A service that gives life signs, and a watcher that raises the alarm by a way of its own. The tests set the clock.

use super::facts::eventually;
use super::house::SITE;
use super::letter::Letter;
use super::post::sink;
use super::serving::{DAILY, Town, at};

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
    let given: serde_json::Value = serde_json::from_slice(&std::fs::read(&sign).unwrap()).unwrap();
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
