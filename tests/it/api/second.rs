//! A change that runs is killed by two people: one asks, another says yes, each known by a token of his own.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::{Response, Served};
use crate::night::facts::{eventually, send};
use crate::night::house::{House, SITE};

const PEOPLE: &str = "
version: 1
people:
  olga: {name: Olga Operator, mail: olga@bank.example, roles: [operator, approver, duty, report]}
  paul: {name: Paul Partner, roles: [operator, approver]}
  vera: {name: Vera Viewer, roles: [viewer]}
";

const RULES: &str = "second_person: [kill-change]
rights: {viewer: [read], operator: [read, operate, order], approver: [second]}
";

/// It takes as many steps as the target says: more than can be waited for, until somebody says otherwise.
const SLOW: &str = "update fee set rate = 30 where rate = 25 and
  (with recursive n(x) as (select 1 union all select x + 1 from n where x < (select steps from pace))
   select count(*) from n) > 0;
";

struct Bank {
    served: Served,
    tokens: Vec<(&'static str, String)>,
}

impl Bank {
    fn open() -> Self {
        let house = House::new(
            "  fix: {title: F, change: fix}\n  after: {title: After, run: [sh, job.sh], needs: [fix]}\n",
        );
        house.write("people.yaml", PEOPLE);
        house.write("site.yaml", &format!("{SITE}{RULES}"));
        house.write("changes/fix/change.yaml", "version: 1\ntitle: Fix\nclass: data\nreason: r\nrequester: olga\ntarget: bank\nrows: {min: 1, max: 1}\nverify_takes: 1s\nrollback_takes: 1s\n");
        house.write("changes/fix/backup.sql", "create table before_fix as select * from fee;\n");
        house.write("changes/fix/change.sql", SLOW);
        house.write("changes/fix/verify.sql", "select 'rate', rate = 30, rate || '' from fee;\n");
        house.write(
            "changes/fix/rollback.sql",
            "update fee set rate = 25 where rate = 30; drop table before_fix;\n",
        );
        let served = Served::of(house, "");
        let token = |person, rights: &[&str]| (person, served.token(person, rights));
        let tokens = vec![
            token("olga", &["read", "operate", "order", "second"]),
            token("paul", &["read", "operate", "second"]),
            token("vera", &["read"]),
        ];
        let bank = Self { served, tokens };
        bank.sql("create table fee (rate int); insert into fee values (25); create table pace (steps int); insert into pace values (1000000000000)");
        bank
    }

    fn sql(&self, text: &str) -> String {
        let file = self.served.house.work("bank.db");
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut bank: SqliteConnection = options.connect().await.unwrap();
            let row = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
            let row = row.fetch_optional(&mut bank).await.unwrap();
            bank.close().await.unwrap();
            row.map_or_else(String::new, |row| row.try_get::<i64, _>(0).unwrap().to_string())
        })
    }

    fn token(&self, person: &str) -> &str {
        &self.tokens.iter().find(|(name, _)| *name == person).unwrap().1
    }

    fn post(&self, person: &str, path: &str, body: &Value) -> Response {
        self.served.ask_as(self.token(person), ("POST", path), Some(body))
    }

    /// The same over the command line of another host.
    fn command(&self, person: &str, words: &[&str]) -> crate::night::house::Answer {
        let house = &self.served.house;
        let file: PathBuf = house.state().join(format!("token-{person}"));
        fs::write(&file, self.token(person)).unwrap();
        let server = format!("http://127.0.0.1:{}", self.served.port);
        let elsewhere = house.work("elsewhere");
        let own = ["--state", elsewhere.to_str().unwrap(), "--server", &server, "--token-file"];
        house.run(&[words, &own, &[file.to_str().unwrap()], &["--reason", "by command"]].concat())
    }

    /// A run whose change is in the midst of its statement.
    fn changing(&self, date: &str) -> String {
        let order = json!({ "batch": "night", "date": date });
        let run = self.post("olga", "/api/v1/runs", &order).ok().json()["run"].clone();
        let steps = |spool: PathBuf| fs::read_to_string(spool.join("steps.jsonl"));
        eventually("the statement of the change", || {
            let spool = fs::read_dir(self.served.house.state().join("agent/spool")).unwrap();
            let of_date = spool.map(|entry| entry.unwrap().path());
            let mut of_date = of_date.filter(|path| path.to_string_lossy().contains(date));
            of_date.any(|path| steps(path).is_ok_and(|steps| steps.contains("change.sql")))
        });
        run.as_str().unwrap().to_owned()
    }

    fn state(&self) -> Value {
        self.served.house.job("fix")["state"].clone()
    }

    /// The target is as it was: the transaction of the change is gone with its marker.
    fn untouched(&self) {
        assert_eq!(self.sql("select rate from fee"), "25");
        let tables = "select count(*) from sqlite_schema where name in ('before_fix')";
        assert_eq!(self.sql(tables), "0");
    }
}

fn refused(response: &Response, status: u16, rule: &str) {
    assert_eq!((response.status, &response.json()["rule"]), (status, &json!(rule)), "{response:?}");
}

#[test]
fn a_change_that_runs_is_killed_with_the_yes_of_another_person() {
    let bank = Bank::open();
    let house = &bank.served.house;
    let run = bank.changing("2026-10-30");
    let acts = format!("/api/v1/runs/{}/actions", run.replace('#', "%23"));
    let kill =
        json!({ "jobs": "fix", "action": { "do": "kill" }, "reason": "it holds the bank up" });
    let yes = json!({ "reason": "I have looked" });
    let second = "/api/v1/requests/R-1/second";
    let asked = bank.post("olga", &acts, &kill).ok().json();
    assert!(asked["done"].as_str().unwrap().contains("R-1 waits until"), "{asked}");
    refused(&bank.post("olga", &acts, &kill), 409, "no-change");
    refused(&bank.post("olga", second, &yes), 409, "second-person");
    refused(&bank.post("vera", second, &yes), 403, "right-missing");
    refused(&bank.post("vera", &acts, &kill), 403, "right-missing");
    // The account of the supervisor itself may do everything, and is no person.
    house.run(&["second", "R-1", "--reason", "x"]).refused("(rule: unknown-person)");
    let only_tried = json!({ "reason": "x", "dry_run": true });
    let tried = bank.post("paul", second, &only_tried).ok().json();
    assert_eq!(tried["site_wide"], json!(["second-given"]), "{tried}");
    assert_eq!(bank.state()["state"], "running", "nobody has killed it yet");
    assert_eq!((house.facts("acted").len(), house.facts("second-given").len()), (0, 0));
    bank.post("paul", second, &yes).ok();
    refused(&bank.post("paul", second, &yes), 404, "no-such-thing");
    eventually("the end of the change", || bank.state()["state"] != "running");
    let ended = house.facts("attempt-ended");
    assert_eq!(ended[0]["ended"]["ending"]["how"], "killed", "{ended:?}");
    // Its worker has taken the transaction back before it ended, and says so; the target says the same.
    assert_eq!(ended[0]["ended"]["work"]["state"], "failed-clean", "{ended:?}");
    assert_eq!(bank.state()["state"], "failed");
    bank.untouched();
    let (acted, given) = (&house.facts("acted")[0], &house.facts("second-given")[0]);
    assert_eq!((&acted["by"], &acted["second"]), (&json!("olga"), &json!("paul")));
    assert_eq!(acted["reason"], "it holds the bank up");
    assert_eq!((&given["by"], &given["reason"]), (&json!("paul"), &json!("I have looked")));
    // Once nothing holds it up, the next try finds no marker, and applies it once.
    bank.sql("update pace set steps = 1");
    let retry = json!({ "jobs": "fix", "action": { "do": "retry" }, "reason": "the way is free" });
    bank.post("olga", &acts, &retry).ok();
    eventually("the end of the run", || house.json(&["runs"])[0]["result"] == "well");
    assert_eq!(bank.sql("select rate from fee"), "30");
    let made = "select count(*) from nightrun_change_run where step = 'ready'";
    assert_eq!(
        (bank.sql(made).as_str(), house.ran().as_slice()),
        ("1", &["after 1".to_owned()][..])
    );
    house.nothing_is_lost();
    bank.served.night.kill();
}

#[test]
fn a_run_is_cancelled_by_two_people_while_a_change_of_it_runs() {
    let bank = Bank::open();
    let house = &bank.served.house;
    bank.changing("2026-10-30");
    let cancel = ["cancel", "night"];
    let tried = bank.command("olga", &["cancel", "night", "--dry-run"]).code(0).out;
    assert!(tried.contains("an entry `second-asked` in the journal"), "{tried}");
    let asked = bank.command("olga", &cancel).code(0).out;
    assert!(asked.contains("R-1 waits until"), "{asked}");
    bank.command("olga", &cancel).refused("(rule: no-change)");
    bank.command("olga", &["second", "R-1"]).refused("(rule: second-person)");
    bank.command("vera", &["second", "R-1"]).refused("(rule: right-missing)");
    assert_eq!((bank.state()["state"].clone(), house.facts("acted").len()), (json!("running"), 0));
    bank.command("paul", &["second", "R-1"]).code(0);
    eventually("the end of the change", || bank.state()["state"] != "running");
    bank.untouched();
    let acted = &house.facts("acted")[0];
    assert_eq!((&acted["by"], &acted["second"]), (&json!("olga"), &json!("paul")));
    assert_eq!(acted["action"], json!({ "do": "cancel" }), "{acted}");
    let ended = &house.facts("attempt-ended")[0]["ended"];
    assert_eq!(
        (&ended["ending"]["how"], &ended["work"]["state"]),
        (&json!("killed"), &json!("failed-clean"))
    );
    eventually("the end of the run", || house.json(&["runs"])[0]["result"] == "cancelled");
    assert_eq!(house.ran(), Vec::<String>::new());
    house.nothing_is_lost();
    bank.served.night.kill();
}

#[test]
fn a_yes_that_comes_too_late_does_nothing() {
    let bank = Bank::open();
    let house = &bank.served.house;
    bank.changing("2026-10-30");
    assert!(bank.command("olga", &["kill", "night.fix"]).code(0).out.contains("R-1 waits until"));
    // The worker dies without having told what became of its change.
    let worker = house.facts("attempt-started")[0]["pid"].as_i64().unwrap();
    send(worker.try_into().unwrap(), Signal::KILL);
    // It is looked at, and found to have left nothing.
    eventually("what became of the change", || bank.state()["state"] == "failed");
    assert_eq!(house.facts("in-doubt").len(), 1);
    let ended = house.facts("attempt-ended");
    assert_eq!(ended[1]["ended"]["work"]["state"], "failed-clean", "{ended:?}");
    bank.command("paul", &["second", "R-1"]).refused("(rule: settled)");
    assert_eq!((house.facts("acted").len(), house.facts("second-given").len()), (0, 0));
    bank.untouched();
    bank.served.night.kill();
}
