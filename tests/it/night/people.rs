//! Passwords and tokens by command, with and without a supervisor at work.

use std::io::Write;
use std::process::Stdio;

use nightrun::driver::store::StateReader;
use nightrun::driver::store::StoreAddress;
use nightrun::driver::{password, token};
use nightrun::port::StoreReader;
use nightrun::types::PersonId;

use super::facts::account;
use super::house::{Answer, House, SITE};

const PEOPLE: &str = "version: 1\npeople:\n  \
    olga: {name: Olga Operator, name_zh: 奥尔加, mail: olga@bank.example, team: operations, roles: [duty, report, operator], unix_user: ACCOUNT}\n  \
    vera: {name: Vera Viewer, mail: vera@bank.example, roles: [viewer]}\n";

fn house() -> House {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.write("people.yaml", &PEOPLE.replace("ACCOUNT", &account()));
    house.write(
        "site.yaml",
        &format!("{SITE}rights: {{operator: [read, logs, operate, order], viewer: [read]}}\n"),
    );
    house
}

/// Sets a password through standard input.
fn set_password(house: &House, person: &str, password: &str) -> Answer {
    let mut command = house.command(&["people", "password", person, "--reason", "first one"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A name that is nobody's is refused before anything is read.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    let output = child.wait_with_output().unwrap();
    Answer {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn reader(house: &House) -> StateReader {
    StateReader::open(&StoreAddress::Folder, &house.state()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_password_is_set_with_and_without_a_supervisor_and_known_again() {
    let house = house();
    set_password(&house, "vera", "too short").code(2);
    let unknown = set_password(&house, "vero", "a long enough one").code(2);
    assert!(unknown.err.contains("did you mean `vera`?"), "{}", unknown.err);
    let set = set_password(&house, "vera", "a long enough one").code(0);
    assert!(set.out.contains("the password of vera is set, as olga"), "{}", set.out);

    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    set_password(&house, "vera", "and now another one").code(0);
    house.say("a", "go");
    night.ends(0);

    let vera = PersonId::new("vera").unwrap();
    let kept = reader(&house).await.password_of(&vera).await.unwrap().unwrap();
    assert!(password::verify("and now another one".into(), Some(kept.hash.clone())).await);
    assert!(!password::verify("a long enough one".into(), Some(kept.hash)).await);
    let facts = house.facts("password-set");
    assert_eq!(facts.len(), 2);
    assert!(facts.iter().all(|fact| fact["person"] == "vera" && fact["by"] == "olga"));
    assert!(facts.iter().all(|fact| fact["reason"] == "first one"), "{facts:?}");
    let journal = house.run(&["journal", "show", "--last", "500"]).code(0).out;
    assert!(!journal.contains("argon2"), "{journal}");
    house.nothing_is_lost();
}

#[tokio::test]
async fn a_token_is_shown_once_and_is_good_until_it_is_revoked() {
    let house = house();
    let more = house.run(&["people", "token", "vera", "--name", "ci", "--right", "operate"]);
    more.refused("(rule: right-missing)");
    house
        .run(&["people", "token", "vera", "--name", "ci", "--expires", "400d"])
        .refused("366 days");
    house.run(&["people", "token", "vera", "--name", "ci", "--right", "all"]).code(2);
    let made = house.json(&["people", "token", "vera", "--name", "夜间脚本"]);
    assert_eq!(made["token"], "T-1");
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("nr_") && secret.len() == 67, "{secret}");
    let shown = house.run(&["people", "token", "olga", "--name", "mine", "--right", "order"]);
    assert!(shown.code(0).out.contains("T-2 of olga is good until"));

    let good = async || {
        let now = jiff::Timestamp::now();
        let reader = reader(&house).await;
        reader.good_token(&token::hash_of(&secret), now).await.unwrap()
    };
    assert_eq!(good().await.unwrap().rights.to_string(), "read");
    let list = house.run(&["people", "tokens"]).code(0).out;
    assert!(list.contains("T-1") && list.contains("夜间脚本") && !list.contains("nr_"), "{list}");

    // Another supervisor takes in what was made, and ends it.
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    house.run(&["people", "revoke", "T-9"]).refused("(rule: no-such-thing)");
    house.run(&["people", "revoke", "T-1", "--reason", "lost"]).code(0);
    house.run(&["people", "revoke", "T-1"]).refused("(rule: no-change)");
    house.say("a", "go");
    night.ends(0);
    assert_eq!(good().await, None);
    let list = house.json(&["people", "tokens"]);
    assert_eq!((&list[0]["good"], &list[1]["good"]), (&false.into(), &true.into()));

    let people = house.json(&["people", "list"]);
    assert_eq!(people[0]["rights"], serde_json::json!(["read", "logs", "operate", "order"]));
    assert_eq!(people[0]["tokens"][0]["id"], "T-2");
    let text = house.run(&["people", "list", "--lang", "zh"]).code(0).out;
    assert!(text.contains("奥尔加") && text.contains("权限"), "{text}");
    // The secret is in no file of the store.
    for file in ["nightrun.db", "nightrun.db-wal"] {
        let bytes = std::fs::read(house.state().join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{file}");
    }
}
