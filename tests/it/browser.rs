//! The pages in a real browser: the walks of `tests/browser` look at them and press, this side has the site.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::api::change_pages::release_house;
use crate::api::office::{SQL, folder};
use crate::api::{Served, serve};
use crate::night::facts::eventually;
use crate::night::house::{House, SITE};

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty]}
  wei: {name: Wei Duty, name_zh: 魏值班, mail: wei@bank.example, language: zh, roles: [duty]}
  vera: {name: Vera Viewer, roles: [viewer]}
";

const JOBS: &str = "
  good: {title: Good, title_zh: 正常, run: ['true']}
  bad: {title: 'Bad <img src=x onerror=alert(1)>', title_zh: 失败, shell: \"echo '</pre><script>alert(3)</script>'; exit 3\", runbook: 'Call <b>the desk</b>.'}
  after: {title: After, title_zh: 之后, run: ['true'], needs: [bad]}
  slow: {title: Slow, title_zh: 慢, shell: \"i=0; while :; do i=$((i+1)); echo \\\"row $i <script>alert(2)</script> 数据\\\"; sleep 1; done\", expected: 10m}
  later: {title: Later, title_zh: 稍后, run: ['true'], needs: [slow]}
";

/// Where CI keeps what the browser has shown.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn an_operator_follows_a_night_and_answers_it_in_a_browser() {
    let house = House::new(JOBS);
    house.write("people.yaml", PEOPLE);
    let rights = "rights: {duty: [read, logs, respond, operate], viewer: [read]}\n";
    house.write("site.yaml", &(SITE.to_owned() + rights));
    let served = Served::of(house, "");
    for person in ["ann", "wei", "vera"] {
        served.password(person, "a long night");
    }
    let _night = served.house.spawn(&["run", "night", "--date", "2026-10-30"]);
    eventually("the first incident", || !served.house.facts("incident-opened").is_empty());

    let mut script = walk("night.py", served.port);
    let Served { house, night, .. } = served;
    let mut night = Some(night);
    let (mut words, wishes) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    for wish in BufReader::new(wishes).lines().map_while(Result::ok) {
        match wish.as_str() {
            "kill" => night.take().unwrap().kill(),
            "serve" => night = Some(serve(&house)),
            other => panic!("{other}"),
        }
        writeln!(words, "done").unwrap();
    }
    went_well(script);
    night.unwrap().kill();
}

#[test]
fn a_change_is_read_signed_and_sent_back_in_a_browser() {
    let house = release_house();
    for (id, class) in [("fee", "data"), ("limits", "data"), ("ledger", "structure")] {
        folder(&house, id, class, SQL);
    }
    let served = Served::of(house, "");
    for person in ["wei", "dba", "dev", "ops", "asker"] {
        served.password(person, "a long night");
    }
    let mut script = walk("changes.py", served.port);
    let (mut words, wishes) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    for wish in BufReader::new(wishes).lines().map_while(Result::ok) {
        match wish.as_str() {
            "alter" => {
                served.house.write("changes/rate/change.sql", &SQL.replace("id = 1", "id in (1)"));
                served.night.signal(Signal::HUP);
            }
            "execute" => execute(&served),
            other => panic!("{other}"),
        }
        writeln!(words, "done").unwrap();
    }
    went_well(script);
    served.night.kill();
}

/// The list of its first environment, released by one and watched by another.
fn execute(served: &Served) {
    let tokens = ["ops", "dba"].map(|person| served.token(person, &["changes"]));
    let ordered = served.house.spawn(&["run", "uat", "--date", "2026-10-30"]);
    let act = |token: &str, deed: &str| {
        let body = json!({ "action": { "do": deed }, "reason": "the list is complete" });
        served.ask_as(token, ("POST", "/api/v1/batches/uat/actions"), Some(&body))
    };
    eventually("the release", || act(&tokens[0], "release-changes").status == 200);
    act(&tokens[1], "watch-changes").ok();
    ordered.ends(0);
}

/// A walk of `tests/browser` under way, with what it wants to be done and when it is.
fn walk(name: &str, port: u16) -> Child {
    let python = std::env::var("NIGHTRUN_BROWSER_PYTHON").unwrap_or("python3".to_owned());
    let axe = Command::new(&python)
        .args(["-c", "import axe_playwright_python, pathlib; print(pathlib.Path(axe_playwright_python.__file__).parent / 'axe.min.js')"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&axe.stderr).into_owned();
    let lacks =
        "install it with: pip install playwright axe-playwright-python; apt-get install chromium";
    assert!(axe.status.success(), "{said}\n{lacks}");
    let axe = String::from_utf8(axe.stdout).unwrap();
    Command::new(python)
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name))
        .arg(format!("http://127.0.0.1:{port}"))
        .arg(pictures())
        .arg(axe.trim())
        // Nothing is left beside the walks.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn went_well(walk: Child) {
    let ended = walk.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}
