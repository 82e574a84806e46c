//! The pages in a real browser: the scripts of `tests/browser` look at them and press, this side has the night.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::json;

use crate::api::change_pages::release_house;
use crate::api::hand_over_page::{RIGHTS, in_shifts};
use crate::api::office::{SQL, folder};
use crate::api::{Served, serve};
use crate::night::facts::eventually;
use crate::night::house::{House, SITE};
use crate::night::pair::{NAMES, Pair};
use crate::night::post::on_its_own;
use crate::postgres_server::Server;
use crate::tcp_wire::Wire;

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

const GROUPS: &str = "
  load-eu: {title: Load Europe, title_zh: 加载欧洲, run: ['true']}
  load-us: {title: Load America, title_zh: 加载美洲, run: ['true'], needs: [load-eu]}
  load-asia: {title: Load Asia, title_zh: 加载亚洲, run: ['true']}
  post: {title: Post, title_zh: 过账, run: ['true'], needs: [load-us, load-asia]}
  report: {title: Report, title_zh: 报表, run: ['true']}
";

const SMALL: &str = "
jobs:
  load: {title: Load, title_zh: 加载, run: [sleep, '0.3']}
  post: {title: Post, title_zh: 过账, run: ['true'], needs: [load]}
  tell: {title: Tell, title_zh: 通知, run: ['true'], needs: [post]}
";

/// Where CI keeps what the browser has shown.
fn pictures() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn house(jobs: &str) -> House {
    let house = House::new(jobs);
    house.write("people.yaml", PEOPLE);
    house.write("site.yaml", &(SITE.to_owned() + RIGHTS));
    house
}

/// Has a script walk through the pages at an address; what it asks for is done to the supervisor.
fn walk(script: &str, port: u16, more: &[String], mut wish: impl FnMut(&str)) {
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
    let mut script = Command::new(python)
        .arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script))
        .arg(format!("http://127.0.0.1:{port}"))
        .arg(pictures())
        .arg(axe.trim())
        .args(more)
        // Nothing is written beside the scripts.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut words, wishes) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    for asked in BufReader::new(wishes).lines().map_while(Result::ok) {
        wish(&asked);
        writeln!(words, "done").unwrap();
    }
    let ended = script.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn an_operator_follows_a_night_and_answers_it_in_a_browser() {
    let served = Served::of(house(JOBS), "");
    for person in ["ann", "wei", "vera"] {
        served.password(person, "a long night");
    }
    let _night = served.house.spawn(&["run", "night", "--date", "2026-10-30"]);
    eventually("the first incident", || !served.house.facts("incident-opened").is_empty());
    let Served { house, night, port } = served;
    let mut night = Some(night);
    walk("night.py", port, &[], |wish| match wish {
        "kill" => night.take().unwrap().kill(),
        "serve" => night = Some(serve(&house)),
        other => panic!("{other}"),
    });
    night.unwrap().kill();
}

#[test]
fn every_section_is_walked_through_in_a_browser_and_a_shift_handed_over() {
    let house = house(&[JOBS, GROUPS].concat());
    house.batch("small", SMALL);
    for name in ["second", "third"] {
        house.batch(name, "jobs: {waits: {title: Waits, title_zh: 等待, run: [sleep, '600']}}\n");
    }
    in_shifts(&house);
    let served = Served::of(house, "");
    for person in ["ann", "wei"] {
        served.password(person, "a long night");
    }
    for date in ["2026-10-28", "2026-10-29"] {
        served.house.run(&["run", "small", "--date", date]).code(0);
    }
    let _night = served.house.spawn(&["run", "night", "--date", "2026-10-30"]);
    eventually("the first incident", || !served.house.facts("incident-opened").is_empty());
    let mut ordered = Vec::new();
    let title = "Feed <script>alert(6)</script> is late";
    walk("sections.py", served.port, &[], |wish| match wish {
        "incident" => drop(served.house.run(&["incident", "open", title]).code(0)),
        batch @ ("second" | "third") => {
            ordered.push(served.house.spawn(&["run", batch, "--date", "2026-10-30"]));
        }
        other => panic!("{other}"),
    });
    served.night.kill();
}

#[test]
fn a_page_that_is_open_goes_on_when_another_supervisor_takes_over() {
    let pair = Pair::of(house(JOBS), Server::shared());
    let ports = NAMES.map(|name| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::create_dir_all(pair.state(name)).unwrap();
        let settings = format!("version: 1\napi: {{listen: '127.0.0.1:{port}'}}\n");
        std::fs::write(pair.state(name).join("settings.yaml"), settings).unwrap();
        port
    });
    // As the address of a pair, which leads to the one that leads.
    let address = on_its_own(async move || Wire::to(ports[0]).await);
    let serve = |name: &str| {
        let settings = pair.state(name).join("settings.yaml");
        let arguments = ["serve", "--format", "json", "--settings"];
        let mut command = pair.command(name, &arguments);
        command.arg(settings);
        crate::night::watched::Night::watch(command)
    };
    let first = serve("one");
    first.notice("serving 0 schedules");
    let second = serve("two");
    second.notice("standing by: another supervisor leads");
    let mut command = pair.command("one", &["people", "password", "ann"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a long night\n").unwrap();
    assert!(child.wait().unwrap().success());
    let run = ["run", "night", "--date", "2026-10-30", "--format", "json"];
    let _night = crate::night::watched::Night::watch(pair.command("one", &run));
    eventually("the first incident", || !pair.house.facts("incident-opened").is_empty());
    let mut first = Some(first);
    walk("lead.py", address.port, &[format!("http://127.0.0.1:{}", ports[1])], |wish| match wish {
        "kill" => {
            first.take().unwrap().kill();
            address.leads_to(ports[1]);
        }
        other => panic!("{other}"),
    });
    second.kill();
}

#[test]
fn a_change_is_read_signed_sent_back_and_executed_in_a_browser() {
    let house = release_house();
    for (id, class) in [("fee", "data"), ("limits", "data"), ("ledger", "structure")] {
        folder(&house, id, class, SQL);
    }
    let served = Served::of(house, "");
    for person in ["wei", "dba", "dev", "ops", "asker"] {
        served.password(person, "a long night");
    }
    walk("changes.py", served.port, &[], |wish| match wish {
        "alter" => {
            served.house.write("changes/rate/change.sql", &SQL.replace("id = 1", "id in (1)"));
            served.night.signal(Signal::HUP);
        }
        "execute" => execute(&served),
        other => panic!("{other}"),
    });
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
