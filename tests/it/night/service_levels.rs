//! Service levels (S1): what happens and what people enter, and the table of the quarter, by commands and over the API.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufReader;
use std::net::TcpListener;

use calamine::{Data, Reader, Xlsx};
use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::facts::{account, eventually};
use super::house::House;
use super::serving::{Town, set_clock};
use super::watched::Night;
use crate::api::Served;

const LEVELS: &str = "
version: 1
currency: CNY
penalties: {key: 20000, ordinary: 5000, more: {amount: 10000, key: 2, ordinary: 4}}
figures:
  sent-back: {title: Staff sent back, class: key, period: quarter, at_most: 0, source: entered}
  availability: {title: Availability, class: key, period: quarter, at_least: 99.9, source: availability}
  faults-late:
    title: Faults answered late
    class: ordinary
    period: quarter
    at_most: 0
    source: late
    incidents: {clock: response, kinds: [fault]}
  hours: {title: Hours on site, class: ordinary, period: week, at_least: 40, unit: hours, source: entered}
  documents:
    title: Errors in documents
    class: ordinary
    period: quarter
    at_most: 5
    source: entered
    parts: {lost: {title: Lost}, errors: {title: Errors, every: 5}}
";

const ESCALATION: &str = "
version: 1
policies: {duty: {title: Duty, remind: 12h, steps: [{tell: {roles: [duty]}}]}}
policy: duty
clocks: [{kinds: [fault], response: 30m}]
";

/// A service whose clock the test sets; whoever runs the tests is Olga.
struct Office(Served);

impl Office {
    fn new() -> Self {
        let house = Town::new().house;
        let people = format!(
            "version: 1\npeople:\n  olga: {{name: Olga Operator, mail: olga@bank.example, team: operations, \
             roles: [duty, report, operator], unix_user: {}}}\n  ann: {{name: Ann Office, roles: [operator]}}\n",
            account()
        );
        house.write("people.yaml", &people);
        house.write("escalation.yaml", ESCALATION);
        house.write("service-levels.yaml", LEVELS);
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let settings = format!("version: 1\napi: {{listen: '127.0.0.1:{port}'}}\n");
        fs::write(house.state().join("settings.yaml"), settings).unwrap();
        clock(&house, "2026-09-25T10:00:00+02:00");
        let night = serve(&house);
        Self(Served { house, port, night })
    }

    fn clock(&self, to: &str) {
        clock(&self.0.house, to);
    }

    #[track_caller]
    fn run(&self, words: &[&str], code: i32) -> String {
        let mut command = self.0.house.command(words);
        let output =
            command.env("NIGHTRUN_CLOCK_STEP", self.0.house.work("step")).output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    #[track_caller]
    fn figure(&self, words: &[&str], code: i32) -> String {
        self.run(
            &[&["figure"][..], words, &["--source", "letter of the site office"]].concat(),
            code,
        )
    }

    /// The secret of a new token of Ann's.
    fn token(&self, rights: &[&str]) -> String {
        let mut words = vec!["people", "token", "ann", "--name", "test", "--format", "json"];
        words.extend(rights.iter().flat_map(|right| ["--right", right]));
        let made: Value = serde_json::from_str(&self.run(&words, 0)).unwrap();
        made["secret"].as_str().unwrap().to_owned()
    }

    /// The report of the quarter as data.
    fn quarter(&self) -> Value {
        let words = ["report", "--quarter", "2026-Q4", "--format", "json"];
        serde_json::from_str(&self.run(&words, 0)).unwrap()
    }
}

fn clock(house: &House, to: &str) {
    set_clock(house, to.parse().unwrap());
}

fn serve(house: &House) -> Night {
    let mut command = house.command(&["serve", "--format", "json"]);
    command.arg("--settings").arg(house.state().join("settings.yaml"));
    command.env("NIGHTRUN_CLOCK_STEP", house.work("step"));
    let night = Night::watch(command);
    night.notice("serving");
    night
}

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// The values of the quarter once more, from the entries alone.
fn recomputed(house: &House) -> BTreeMap<String, f64> {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let midnight = |date: &str| {
        let date: jiff::civil::Date = date.parse().unwrap();
        date.to_zoned(zone.clone()).unwrap().timestamp()
    };
    let (from, to) = (midnight("2026-10-01"), midnight("2027-01-01"));
    let mut values = BTreeMap::new();
    // The last entry holds.
    for entered in house.facts("figure-entered") {
        let key = |of: &str| entered[of].as_str().unwrap().to_owned();
        values.insert(
            format!("{} {}", key("figure"), key("period")),
            entered["value"].as_f64().unwrap(),
        );
    }
    let moved = house.facts("incident-moved");
    let steps =
        |step: &'static str| moved.iter().filter(move |moved| moved["step"]["step"] == step);
    let late = house.facts("incident-opened").into_iter().filter(|opened| {
        let Some(due) = opened["clocks"][0]["due"].as_str() else { return false };
        let due: Timestamp = due.parse().unwrap();
        let own = |moved: &&Value| moved["incident"] == opened["incident"];
        let answered = steps("acknowledged").find(own).map(|moved| time(&moved["noted"]));
        from <= due && due < to && answered.is_none_or(|at| at > due)
    });
    values.insert("faults-late 2026-Q4".to_owned(), late.count() as f64);
    // By minutes: every recorded time is one of whole minutes.
    let mut out = std::collections::BTreeSet::new();
    for moved in steps("interruption").filter(|moved| moved["step"].get("outside").is_none()) {
        let (from, to) = (time(&moved["step"]["from"]), time(&moved["step"]["to"]));
        out.extend((from.as_second() / 60)..(to.as_second() / 60));
    }
    let whole = (to.as_second() - from.as_second()) as f64 / 60.0;
    let percent = 100.0 * (whole - out.len() as f64) / whole;
    values.insert("availability 2026-Q4".to_owned(), (percent * 1_000.0).floor() / 1_000.0);
    values
}

#[test]
fn a_quarter_is_counted_entered_corrected_and_settled() {
    let mut office = Office::new();
    // The journal begins before the quarter, so that nothing of it is missing.
    let until = ["--until", "2026-09-26T00:00"];
    let freeze = ["freeze", "--scope", "site", "--reason", "the first day"];
    office.run(&[&freeze[..], &until].concat(), 0);
    assert!(office.figure(&["sent-back", "0", "--of", "2026-Q4"], 3).contains("too-early"));

    // A fault that is answered late, and one that is not; a service lacks twice at a time, once by a cause outside.
    office.clock("2026-11-02T10:00:00+01:00");
    let open = |title| ["incident", "open", title, "--kind", "fault", "--severity", "p2"];
    office.run(&open("no orders"), 0);
    office.clock("2026-11-02T10:31:00+01:00");
    let breached = |moved: &Value| moved["step"]["step"] == "breached";
    let house = &office.0.house;
    eventually("a missed limit", || house.facts("incident-moved").iter().any(breached));
    office.run(&["incident", "ack", "INC-1"], 0);
    office.run(&open("slow orders"), 0);
    office.run(&["incident", "ack", "INC-2"], 0);
    for (hours, outside) in
        [(("08:00", "09:30"), ""), (("09:00", "10:00"), ""), (("01:00", "07:00"), "the carrier")]
    {
        let (from, to) = (format!("2026-11-02T{}", hours.0), format!("2026-11-02T{}", hours.1));
        let words = ["incident", "interruption", "INC-1", "--service", "netbank", "--from", &from];
        office.run(&[&words[..], &["--to", &to, "--outside", outside]].concat(), 0);
    }

    // What a person enters, and what is not to be entered so.
    let said = office.figure(&["sent-back", "0", "--of", "2026-Q4"], 0);
    assert!(said.contains("sent-back of 2026-Q4 is 0, as olga"), "{said}");
    for (words, rule) in [
        (["sent-back", "0", "--of", "2026-Q4"], "no-change"),
        (["sent-back", "0.5", "--of", "2026-Q4"], "not-in-unit"),
        (["sent-back", "0", "--of", "2026-11"], "not-in-unit"),
        (["sent-bck", "0", "--of", "2026-Q4"], "did you mean `sent-back`?"),
        (["faults-late", "0", "--of", "2026-Q4"], "counted"),
        (["hours", "40", "--of", "2026-W52"], "too-early"),
        (["documents", "2", "--of", "2026-Q4"], "lost=0"),
    ] {
        let said = office.figure(&words, 3);
        assert!(said.contains(rule), "{words:?}: {said}");
    }
    let tried = office.figure(&["sent-back", "7", "--of", "2026-Q4", "--dry-run"], 0);
    assert!(tried.contains("figure-entered"), "{tried}");
    let levels = &office.quarter()["service_levels"];
    let level = |levels: &Value, figure: &str| {
        let mut lines = levels["lines"].as_array().unwrap().iter();
        lines.rfind(|line| line["figure"] == figure).unwrap()["level"].clone()
    };
    // The quarter goes on.
    assert_eq!(level(levels, "sent-back"), "not-over");
    assert_eq!(level(levels, "faults-late"), "missed");
    assert_eq!(level(levels, "documents"), "not-entered");

    // Another supervisor, after the end of the quarter; another person, over the API.
    office.0.night.signal(Signal::TERM);
    office.0.night.ends(0);
    clock(&office.0.house, "2027-01-04T09:00:00+01:00");
    office.0.night = serve(&office.0.house);
    let ann = office.token(&["read", "house"]);
    let enter = |figure: &str, body: Value| {
        office.0.ask_as(&ann, ("POST", &format!("/api/v1/figures/{figure}")), Some(&body))
    };
    let of = "2026-Q4";
    enter("sent-back", json!({ "of": of, "value": 2, "source": "letter of 2 January" })).ok();
    let parts = json!({ "lost": 1, "errors": 9 });
    enter("documents", json!({ "of": of, "parts": parts, "source": "review" })).ok();
    let both = json!({ "of": of, "value": 2, "parts": parts, "source": "review" });
    assert_eq!(enter("documents", both).status, 400);
    let counted = enter("availability", json!({ "of": of, "value": 100, "source": "me" }));
    assert_eq!((counted.status, &counted.json()["rule"]), (409, &json!("counted")));
    for (week, hours) in [("2026-W45", "41.5"), ("2026-W46", "39")] {
        office.figure(&["hours", hours, "--of", week], 0);
    }
    let looks = office.token(&["read"]);
    let body = json!({ "of": of, "value": 0, "source": "x" });
    let refused = office.0.ask_as(&looks, ("POST", "/api/v1/figures/sent-back"), Some(&body));
    assert_eq!((refused.status, &refused.json()["rule"]), (403, &json!("right-missing")));

    settled(&office, &looks);
    // Whoever corrected what.
    let audit = office.run(&["audit"], 0);
    for words in [
        "entered sent-back of 2026-Q4: 0",
        "entered sent-back of 2026-Q4: 2",
        "letter of 2 January",
    ] {
        assert!(audit.contains(words), "{audit}");
    }
    office.run(&["journal", "verify"], 0);
    office.0.night.signal(Signal::TERM);
    office.0.night.ends(0);
}

/// The report says what the entries say, here and over the API, as data, as text and as a workbook.
fn settled(office: &Office, token: &str) {
    let house = &office.0.house;
    let view = office.quarter();
    let levels = &view["service_levels"];
    let lines = levels["lines"].as_array().unwrap();
    let known = recomputed(house);
    let weeks = lines.iter().filter(|line| line["figure"] == "hours").count();
    assert_eq!((lines.len(), weeks), (17, 13), "{levels}");
    for line in lines {
        let key =
            format!("{} {}", line["figure"].as_str().unwrap(), line["period"].as_str().unwrap());
        assert_eq!(line["value"].as_f64(), known.get(&key).copied(), "{line}");
    }
    let sums =
        ["key_misses", "ordinary_misses", "more", "sum", "not_known"].map(|sum| &levels[sum]);
    assert_eq!(sums.map(|sum| sum.as_u64().unwrap()), [1, 2, 0, 30_000, 11], "{levels}");
    let former = lines[0]["entered"].as_array().unwrap();
    let by = |at: usize| (former[at]["by"]["id"].as_str().unwrap(), former[at]["value"].as_u64());
    assert_eq!((by(0), by(1)), (("olga", Some(0)), ("ann", Some(2))));

    // From another host, which has neither the store nor the files.
    fs::write(house.state().join("token"), token).unwrap();
    let (server, file) =
        (format!("http://localhost:{}", office.0.port), house.state().join("token"));
    let (elsewhere, book) = (house.work("elsewhere"), house.state().join("quarter.xlsx"));
    let remote = |words: &[&str]| {
        let at = ["--state", elsewhere.to_str().unwrap(), "--site", elsewhere.to_str().unwrap()];
        let to = ["--server", &server, "--token-file", file.to_str().unwrap()];
        office.run(&[words, &at, &to].concat(), 0)
    };
    let quarter = ["report", "--quarter", "2026-Q4"];
    let there = remote(&[&quarter[..], &["--format", "json"]].concat());
    let there: Value = serde_json::from_str(&there).unwrap();
    assert_eq!(there["service_levels"], view["service_levels"]);
    let text = |text: String| {
        text.lines().filter(|line| !line.starts_with("As of")).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(text(remote(&quarter)), text(office.run(&quarter, 0)));
    remote(&[&quarter[..], &["--xlsx", book.to_str().unwrap()]].concat());

    let mut book: Xlsx<_> = Xlsx::new(BufReader::new(File::open(&book).unwrap())).unwrap();
    let sheet = book.worksheet_range("Service levels").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().skip(1).collect();
    for (row, line) in rows.iter().zip(lines) {
        assert_eq!(row[0], Data::String(line["title"]["en"].as_str().unwrap().to_owned()));
        let key =
            format!("{} {}", line["figure"].as_str().unwrap(), line["period"].as_str().unwrap());
        let value = known.get(&key).map_or(Data::Empty, |value| Data::Float(*value));
        assert_eq!(row[4], value, "{key}");
    }
    // By which table it is reckoned.
    let [.., last, terms] = &rows[..] else { panic!("{rows:?}") };
    let digest = levels["table"].as_str().unwrap();
    let file = fs::read(house.site().join("service-levels.yaml")).unwrap();
    assert_eq!(digest, nightrun::definition::copy::sha256(&file));
    assert!(terms[0].to_string().contains(&digest[..12]), "{terms:?}");
    assert!(office.run(&quarter, 0).contains(&digest[..12]));
    assert_eq!((&last[0], &last[6]), (&Data::String("Sum (CNY)".into()), &Data::Float(30_000.0)));
    let entered = book.worksheet_range("Entered figures").unwrap();
    assert_eq!(entered.height() - 1, house.facts("figure-entered").len(), "what was replaced too");
}
