//! Lists of windows: what is on one when it is opened, what is left out and why, and how its run goes.

use super::house::{ALL, House, approve, change, confirm, person, review, schedule, submit};
use super::night::Night;
use crate::core::change::{ChangeOrder, ChangeStep, Wish};
use crate::core::fact::{Fact, RunOpened, RunResult};
use crate::core::night::Event;
use crate::core::refused::Rule;
use crate::core::test_night::opened;
use crate::definition::starter;
use crate::types::{CheckName, Outcome};
use crate::wire::{ChangeState, Did};

const PROD: &str = "class: data\ntarget: prod";

/// A list of production, shortly before each window of house H.
const DATA: &str = "version: 1\nbatch: list\ntitle: List\nchanges: {environment: production, classes: [data]}\n\
    schedule: {on: every day, at: [\"10:55\", \"15:55\"]}\n";
/// Opened at the seal of house H, on the release day of production.
const RELEASE: &str = "version: 1\nbatch: list\ntitle: List\nchanges: {environment: production}\n\
    schedule: {on: thu, at: [\"18:00\"]}\n";
/// By order only.
const ORDERED: &str = "version: 1\nbatch: list\ntitle: List\nchanges: {environment: production}\n";
/// Opened with each window of house C.
const OF_C: &str = "version: 1\nbatch: list\ntitle: List\nchanges: {environment: production}\n\
    schedule: {on: \"tue,thu\", at: [\"16:30\"]}\n";

fn with(house: starter::House, batch: &str, changes: &[(&str, &str)]) -> House {
    House::with(house, changes, vec![("list/list.yaml".to_owned(), batch.to_owned())])
}

/// House H, where the changes were submitted, reviewed and approved for production on 2026-10-26.
fn data(batch: &str, changes: &[(&str, &str)]) -> House {
    let mut house = with(starter::House::H, batch, changes);
    house.at("2026-10-26T09:00");
    for (id, _) in changes {
        house.done(id, "author", submit()).done(id, "dba", review());
        house.approved(id, "production", &["dev", "ops"]);
        for (by, item) in [("dba", "dba-signature"), ("shift", "people-present")] {
            house.done(id, by, confirm("production", item));
        }
    }
    house
}

/// Names on the list, and what is left out with the rules that say why.
fn drawn(night: &Night) -> (Vec<String>, Vec<String>) {
    let drawn = night.draw().unwrap();
    let jobs: Vec<String> = drawn.batch.jobs.iter().map(|job| job.name.to_string()).collect();
    let listed: Vec<String> = drawn.list.changes.iter().map(|l| l.change.to_string()).collect();
    assert_eq!(jobs, listed);
    let left_out = drawn.list.left_out.iter().map(|left| {
        let why: Vec<&str> = left.why.iter().map(|missing| missing.rule().name()).collect();
        format!("{}: {}", left.change, why.join(", "))
    });
    (jobs, left_out.collect())
}

fn at(night: &mut Night, time: &str) -> (Vec<String>, Vec<String>) {
    night.core.state.standing.changes = night.house.lives.clone();
    night.clock(time);
    drawn(night)
}

#[test]
fn what_is_handed_in_anew_is_left_out_and_not_forgotten() {
    let mut house = data(DATA, &[("a", PROD)]);
    house.at("2026-10-27T09:00").done("a", "shift", schedule("production"));
    house.site.changes.get_mut(&change("a")).unwrap().content = "other".into();
    house.at("2026-10-27T10:00").done("a", "author", submit());
    let (on, left_out) = at(&mut Night::on(house), "2026-10-27T10:55");
    assert_eq!((on.len(), left_out.as_slice()), (0, ["a: lapsed".to_owned()].as_slice()));
}

#[test]
fn a_list_takes_what_is_scheduled_for_the_windows_before_its_next_start() {
    // When it was put on the list, when the list is drawn up, and whether it is on it.
    let table = [
        ("2026-10-27T09:00", "2026-10-27T10:55", "on"),
        ("2026-10-27T09:00", "2026-10-27T11:59", "on"),
        ("2026-10-27T09:00", "2026-10-27T12:00", "window-passed"),
        ("2026-10-27T09:00", "2026-10-26T15:55", "later"),
        ("2026-10-27T12:30", "2026-10-27T15:55", "on"),
        // By order, before the schedule starts it: the next window that there is.
        ("2026-10-27T12:30", "2026-10-27T12:31", "on"),
        ("2026-10-27T17:30", "2026-10-27T17:31", "on"),
    ];
    for batch in [DATA, ORDERED] {
        for (scheduled, opened, told) in table {
            let mut house = data(batch, &[("a", PROD)]);
            house.at(scheduled).done("a", "shift", schedule("production"));
            let (on, left_out) = at(&mut Night::on(house), opened);
            let found = match (on.as_slice(), left_out.as_slice()) {
                ([_], []) => "on",
                ([], []) => "later",
                ([], [why]) => why.strip_prefix("a: ").unwrap(),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, told, "{scheduled}, {opened}");
        }
    }
    // Two windows of one day, drawn up in the morning: the second is of the next start; without one it is another list.
    for (batch, listed) in [(DATA, vec!["a"]), (ORDERED, vec!["a"])] {
        let mut house = data(batch, &[("a", PROD), ("b", PROD)]);
        house.at("2026-10-27T09:00").done("a", "shift", schedule("production"));
        house.at("2026-10-27T12:30").done("b", "shift", schedule("production"));
        assert_eq!(at(&mut Night::on(house), "10:55").0, listed);
    }
    // What is of another class or another environment is no business of it; nor is what nobody has scheduled.
    for (from, to) in [("[data]", "[release, bug-fix]"), ("production", "uat"), ("", "")] {
        let mut house = data(&DATA.replace(from, to), &[("a", PROD)]);
        house.at("2026-10-27T09:00");
        if !from.is_empty() {
            house.done("a", "shift", schedule("production"));
        }
        assert_eq!(at(&mut Night::on(house), "10:55"), (Vec::new(), Vec::new()), "{to}");
    }
}

#[test]
fn what_could_not_start_whatever_people_do_is_left_out_with_its_reason_and_what_needs_it_too() {
    let needs = |of: &str| format!("{PROD}\nneeds: [{of}]");
    let (b, c, d) = (needs("a"), needs("b"), needs("x"));
    let changes = [("a", PROD), ("b", b.as_str()), ("c", c.as_str()), ("d", &d), ("x", PROD)];
    let ready = |listed: &[&str]| {
        let mut house = data(DATA, &changes);
        house.at("2026-10-27T09:00");
        for id in listed {
            house.done(id, "shift", schedule("production"));
        }
        Night::on(house)
    };
    let table: [(&[&str], &[&str], &[&str]); 3] = [
        (&["a", "b", "c", "x"], &["a", "b", "c", "x"], &[]),
        (&["b", "c", "x"], &["x"], &["b: change-needed", "c: change-needed"]),
        (&["a", "c", "d"], &["a"], &["c: change-needed", "d: change-needed"]),
    ];
    for (listed, on, left_out) in table {
        let (found, left) = at(&mut ready(listed), "10:55");
        assert_eq!(
            (found, left.iter().map(String::as_str).collect::<Vec<_>>()),
            (on.iter().map(ToString::to_string).collect(), left_out.to_vec()),
            "{listed:?}"
        );
    }
    // What is done there already need not be on the list.
    let mut night = ready(&["b"]);
    night.house.executed("a", "production", ChangeState::Done);
    let drawn = {
        at(&mut night, "10:55");
        night.draw().unwrap()
    };
    assert_eq!(drawn.batch.jobs.len(), 1);
    assert!(drawn.batch.jobs[0].needs.is_empty());
    // Other scripts than were put on it; a role that somebody has no more.
    let mut night = ready(&["a"]);
    night.house.site.changes.get_mut(&change("a")).unwrap().content = "other".into();
    assert_eq!(at(&mut night, "10:55").1, ["a: lapsed"]);
    // Somebody who has approved it is named as its author since.
    let mut night = ready(&["a"]);
    let papers = &mut night.house.site.changes.get_mut(&change("a")).unwrap().papers;
    papers.authors.push(person("ops"));
    assert_eq!(at(&mut night, "10:55").1, ["a: own-work"]);
    let mut night = ready(&["a"]);
    night.house.site.people.get_mut(&person("ops")).unwrap().roles.clear();
    assert_eq!(at(&mut night, "10:55").1, ["a: lapsed"]);
    // It was executed since, or sent back: nobody speaks of it any more.
    let mut night = ready(&["a"]);
    night.house.done("a", "dba", Wish::Return);
    assert_eq!(at(&mut night, "10:55"), (Vec::new(), Vec::new()));
}

#[test]
fn a_list_is_sealed_with_what_its_changes_are_and_a_run_of_it_goes_its_way() {
    let b = format!("{PROD}\nneeds: [a]");
    let mut house = data(DATA, &[("a", PROD), ("b", &b), ("c", PROD), ("d", PROD)]);
    house.at("2026-10-27T09:00");
    for id in ["a", "b", "c", "d"] {
        house.done(id, "shift", schedule("production"));
    }
    let digest = house.desk(&change("a")).approval_digest("production").unwrap();
    let mut night = Night::on(house).open("10:55");
    let run = night.core.state().run(&night.run()).unwrap();
    let list = run.opened.list.clone().unwrap();
    assert_eq!(list.changes.len(), 4);
    assert_eq!((&list.changes[0].digest, list.changes[0].target.as_str()), (&digest, "prod"));
    assert_eq!(list.changes[0].content, night.house.site.changes[&change("a")].content);
    // While it is under way no other list takes them.
    assert_eq!(drawn(&night).1, ["a", "b", "c", "d"].map(|id| format!("{id}: run-under-way")));
    // Nothing starts before its window, nor without the two.
    night.at("11:00");
    assert_eq!(night.lacks("a"), ["not-released", "not-released"]);
    assert_eq!(night.lacks("b")[1..], ["change-needed", "not-released", "not-released"]);
    night.manned();
    assert_eq!(night.started(), ["a"], "one at a time on a target");
    night.end("a", 1);
    assert_eq!(night.outcome("b"), Some(Outcome::Blocked), "what needs it");
    assert_eq!(night.started(), ["c"], "and nothing else");
    night.done("c");
    assert_eq!(night.started(), ["d"]);
    night.done("d");
    let result = |night: &Night| night.core.state().run(&night.run()).unwrap().result;
    assert_eq!(result(&night), Some(RunResult::Failed));
    // What was executed is on no further list, until somebody puts it there again.
    assert_eq!(drawn(&night), (Vec::new(), vec!["b: change-needed".to_owned()]));
}

#[test]
fn the_invariants_say_no_to_a_run_that_holds_something_else_than_its_seal() {
    let mut house = data(DATA, &[("a", PROD), ("b", PROD)]);
    house.at("2026-10-27T09:00");
    house.done("a", "shift", schedule("production")).done("b", "shift", schedule("production"));
    for (altered, through) in [(false, true), (true, false)] {
        let mut night = Night::on(House {
            site: house.site.clone(),
            lives: house.lives.clone(),
            ..House::new(starter::House::H, &[])
        });
        night.core.state.standing.changes = house.lives.clone();
        night.clock("10:55");
        let drawn = night.draw().unwrap();
        let mut site = night.house.site.clone();
        site.batches.insert(drawn.batch.id.clone(), drawn.batch);
        if altered {
            site.changes.get_mut(&change("b")).unwrap().content = "other".into();
        }
        night.core.define("d", std::sync::Arc::new(site));
        let list = Some(Box::new(drawn.list));
        let opened = RunOpened { list, ..opened("list", night.now.wall) };
        let step = night.step(Event::Open { opened: Box::new(opened), across: Vec::new() });
        assert_eq!(step.is_ok(), through, "{:?}", step.err());
    }
}

#[test]
fn what_needs_another_starts_after_it_was_applied() {
    let b = format!("{PROD}\nneeds: [a]");
    let mut house = data(DATA, &[("a", PROD), ("b", &b)]);
    house.at("2026-10-27T09:00");
    house.done("a", "shift", schedule("production")).done("b", "shift", schedule("production"));
    let mut night = Night::on(house).open("11:00");
    night.manned();
    assert_eq!(night.started(), ["a"]);
    night.done("a");
    assert_eq!(night.started(), ["b"]);
    night.done("b");
    assert!(
        night
            .facts
            .iter()
            .any(|fact| { matches!(fact, Fact::RunEnded { result: RunResult::Well, .. }) })
    );
}

#[test]
fn an_empty_list_ends_well_at_once() {
    let mut night = Night::on(data(DATA, &[("a", PROD)])).open("10:55");
    let run = night.core.state().run(&night.run()).unwrap();
    assert_eq!((run.jobs.len(), run.result), (0, Some(RunResult::Well)));
    assert_eq!(run.opened.list.as_ref().unwrap().changes, []);
    // Nobody has anything to release.
    assert!(matches!(night.release("shift"), Some(Rule::RunOver | Rule::NoSuchThing)));
    assert_eq!(night.told(), (0, 0));
}

#[test]
fn late_in_its_window_only_what_still_fits_starts() {
    // Each takes 5 minutes: 1.5 × 2, verification, rollback.
    for (released, first, second) in
        [("11:50", true, true), ("11:55", true, false), ("11:55:01", false, false)]
    {
        let mut house = data(DATA, &[("a", PROD), ("b", PROD)]);
        house.at("2026-10-27T09:00");
        house.done("a", "shift", schedule("production")).done("b", "shift", schedule("production"));
        let mut night = Night::on(house).open("10:55");
        night.at(released).manned();
        assert_eq!(night.started() == ["a"], first, "{released}");
        if !first {
            assert_eq!(night.lacks("a"), ["2026-10-27T16:00:00"]);
            continue;
        }
        night.clock(if second { "11:55" } else { "11:57" });
        night.done("a");
        assert_eq!(night.started() == ["b"], second, "{released}");
        // Its window is over: house H lets nobody confirm that.
        if !second {
            night.at("12:00");
            assert_eq!(night.lacks("b"), ["window-passed"]);
        }
    }
}

/// A step that is taken while the run is under way.
fn step(night: &mut Night, id: &str, by: &str, wish: Wish) {
    let order = ChangeOrder {
        change: change(id),
        wish,
        key: None,
        site: std::sync::Arc::new(night.house.site.clone()),
        named: Vec::new(),
    };
    night.must(Event::Change { by: person(by), reason: "r".into(), order: Box::new(order) });
}

#[test]
fn what_is_altered_after_the_seal_is_not_of_this_list_and_what_lapses_is_said() {
    let sealed = |ids: &[(&str, &str)]| {
        let mut house = data(DATA, ids);
        house.at("2026-10-27T09:00");
        for (id, _) in ids {
            house.done(id, "shift", schedule("production"));
        }
        Night::on(house).open("10:55")
    };
    // Its files are others by now: the run goes by its copy. What is scheduled meanwhile is of the next list.
    let mut night = sealed(&[("a", PROD)]);
    let before = night.house.site.changes[&change("a")].content.clone();
    night.house.site.changes.get_mut(&change("a")).unwrap().content = "other".into();
    night.at("11:00").manned();
    assert_eq!(night.started(), ["a"]);
    let began = night.facts.iter().find_map(|fact| match fact {
        Fact::ChangeMoved { step, .. } => match &**step {
            ChangeStep::Began { began } => Some(began.content.clone()),
            _ => None,
        },
        _ => None,
    });
    assert_eq!(began, Some(before));
    // The other files are handed in, too: what was approved has lapsed, and the list does not start it.
    let mut night = sealed(&[("a", PROD), ("b", PROD)]);
    night.house.site.changes.get_mut(&change("a")).unwrap().content = "other".into();
    step(&mut night, "a", "author", submit());
    night.at("11:00").manned();
    assert_eq!(night.started(), ["b"]);
    assert!(night.lacks("a").contains(&"lapsed".to_owned()), "{:?}", night.lacks("a"));
    // It is sent back.
    let mut night = sealed(&[("a", PROD)]);
    step(&mut night, "a", "dba", Wish::Return);
    night.at("11:00").manned();
    assert_eq!(night.started(), [""; 0]);
    assert!(night.lacks("a").contains(&"not-submitted".to_owned()), "{:?}", night.lacks("a"));
}

#[test]
fn the_release_list_of_house_h_is_sealed_at_18_oclock() {
    let lines = format!("class: structure\n{ALL}");
    let ready = |scheduled: &str| {
        let mut house = with(starter::House::H, RELEASE, &[("fix", &lines)]);
        house.at("2026-10-26T09:00").done("fix", "author", submit()).done("fix", "dba", review());
        house.ended("fix", "uat", (ChangeState::Done, &Did::ALL));
        house.executed("fix", "pre-production", ChangeState::Done);
        house.approved("fix", "production", &["dev", "tester", "ops"]);
        for (by, item) in [
            ("ops", "sign-offs"),
            ("dba", "dba-signature"),
            ("tester", "former-environments"),
            ("shift", "people-present"),
        ] {
            house.done("fix", by, confirm("production", item));
        }
        house.at(scheduled);
        let refused = house.take("fix", "shift", schedule("production"));
        (house, refused)
    };
    // Thursday 2026-10-29 is the release day; taken in 15:00–16:00.
    for (scheduled, rule) in [
        ("2026-10-29T15:59:59", None),
        ("2026-10-29T16:00", Some(Rule::IntakeClosed)),
        ("2026-10-29T18:00", Some(Rule::Sealed)),
    ] {
        let (house, refused) = ready(scheduled);
        assert_eq!(refused, rule, "{scheduled}");
        let mut night = Night::on(house).open("2026-10-29T18:00");
        let jobs = night.core.state().run(&night.run()).unwrap().jobs.len();
        assert_eq!(jobs == 1, rule.is_none(), "{scheduled}");
        if jobs == 1 {
            night.manned();
            assert_eq!(night.started(), ["fix"]);
        }
    }
    // Approved once more at the seal or after it: that counts for no list of this day.
    let (mut house, _) = ready("2026-10-29T15:30");
    house.at("2026-10-29T15:40");
    let life = std::sync::Arc::make_mut(house.lives.get_mut(&change("fix")).unwrap());
    let approvals = life.steps.iter().rposition(|t| matches!(t.step, ChangeStep::Approved { .. }));
    life.steps[approvals.unwrap()].at = "2026-10-29T10:00:00Z".parse().unwrap();
    assert_eq!(at(&mut Night::on(house), "2026-10-29T18:00:01").1, ["fix: sealed"]);
    // It was rolled back in the former environment since: it drops out.
    let (mut house, _) = ready("2026-10-29T15:30");
    house.executed("fix", "pre-production", ChangeState::RolledBack);
    let left_out = at(&mut Night::on(house), "2026-10-29T18:00").1;
    assert!(left_out[0].starts_with("fix: not-promoted"), "{left_out:?}");
}

fn hand_in(accepted: jiff::civil::Date) -> Wish {
    let items = ["regression", "rollback-plan", "verification-data"];
    Wish::Submit {
        environment: None,
        accepted: Some(accepted),
        confirm: items.map(|item| CheckName::new(item).unwrap()).to_vec(),
    }
}

/// House C, done in UAT and approved for production.
fn of_c(submitted: &str, accepted: jiff::civil::Date) -> House {
    let lines = "class: data\ntargets: {uat: uat, production: prod}";
    let mut house = with(starter::House::C, OF_C, &[("fix", lines)]);
    house.at(submitted).done("fix", "author", hand_in(accepted)).done("fix", "dba", review());
    house.ended("fix", "uat", (ChangeState::Done, &Did::ALL));
    for by in ["dev", "tester", "ops"] {
        house.done("fix", by, approve("production"));
    }
    house.done("fix", "shift", confirm("production", "people-present"));
    house
}

#[test]
fn the_list_of_house_c_keeps_the_windows_of_both_seasons_and_the_hour_of_submission() {
    // D9: New York enters daylight-saving time on Sunday 2026-03-08 and leaves it on Sunday 2026-11-01. Five minutes are
    // needed before the window closes.
    let table = [
        ("2026-03-05", "20:55", true),
        ("2026-03-10", "19:55", true),
        ("2026-03-10", "19:55:01", false),
        ("2026-03-10", "20:55", false),
        ("2026-10-29", "19:55", true),
        ("2026-10-29", "20:55", false),
        ("2026-11-03", "20:55", true),
        ("2026-11-03", "20:55:01", false),
    ];
    for (day, released, starts) in table {
        let date: jiff::civil::Date = day.parse().unwrap();
        let mut house = of_c(&format!("{day}T14:00"), date.yesterday().unwrap());
        house.done("fix", "shift", schedule("production"));
        let mut night = Night::on(house).open(&format!("{day}T16:30"));
        night.at(&format!("{day}T{released}")).manned();
        assert_eq!(
            night.started() == ["fix"],
            starts,
            "{day} {released}: {:?}",
            night.lacks("fix")
        );
    }
    // D11: what was submitted after 15:00 is of the next list.
    for (submitted, listed) in [("15:00", true), ("15:00:01", false)] {
        let accepted = jiff::civil::date(2026, 10, 26);
        let mut house = of_c(&format!("2026-10-27T{submitted}"), accepted);
        house.done("fix", "shift", schedule("production"));
        let mut night = Night::on(house);
        let next = if listed { Vec::new() } else { vec!["fix".to_owned()] };
        assert_eq!(at(&mut night, "2026-10-27T16:30").0.len() == 1, listed, "{submitted}");
        // What it confirms is of the day of its window: it is handed in once more.
        night.house.at("2026-10-29T14:00").done("fix", "author", hand_in(accepted));
        assert_eq!(at(&mut night, "2026-10-29T16:30").0, next, "{submitted}");
    }
    // Its window has passed, and the development lead lets it run: it is on a list again.
    let mut house = of_c("2026-10-27T14:00", jiff::civil::date(2026, 10, 26));
    house.done("fix", "shift", schedule("production")).at("2026-10-27T21:00");
    let mut night = Night::on(house);
    assert_eq!(at(&mut night, "2026-10-27T21:00").1, ["fix: window-passed"]);
    night.house.done("fix", "dev", confirm("production", "late"));
    assert_eq!(at(&mut night, "2026-10-27T21:01").0, ["fix"]);
    let mut night = night.open("2026-10-27T21:01");
    night.manned();
    assert_eq!(night.started(), ["fix"]);
}
