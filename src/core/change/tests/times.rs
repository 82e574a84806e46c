//! Windows at their edges, submission limits, intake and seal, late changes.

use jiff::civil::date;

use super::house::{ALL, House, approve, change, confirm, review, schedule, submit};
use crate::core::change::{ChangeStep, WindowDecision, Wish};
use crate::core::refused::Rule;
use crate::definition::starter;
use crate::types::CheckName;
use crate::wire::{ChangeState, Did};

const PROD: &str = "class: data\ntarget: prod";

fn confirmed(accepted: jiff::civil::Date) -> Wish {
    let items = ["regression", "rollback-plan", "verification-data"];
    Wish::Submit {
        environment: None,
        accepted: Some(accepted),
        confirm: items.map(|item| CheckName::new(item).unwrap()).to_vec(),
    }
}

/// The window that it was put on the list of, by the clock of the rules.
fn window(house: &House) -> (String, String) {
    let zone = house.site.change_rules.as_ref().unwrap().zone.clone();
    let local = |at| zone.tz().to_datetime(at).to_string();
    match &house.life("fix").steps.last().unwrap().step {
        ChangeStep::Scheduled { opens: Some(opens), closes: Some(closes), .. } => {
            (local(*opens), local(*closes))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_windows_of_house_c_follow_the_seasons_of_new_york() {
    // New York leaves daylight-saving time on Sunday 2026-11-01 and enters it on Sunday 2026-03-08.
    let table = [
        ("2026-03-05T12:00", "2026-03-05T16:30:00", "2026-03-05T21:00:00"),
        ("2026-03-08T12:00", "2026-03-10T16:30:00", "2026-03-10T20:00:00"),
        ("2026-03-10T19:54", "2026-03-10T16:30:00", "2026-03-10T20:00:00"),
        // Five minutes are needed, and not left any more.
        ("2026-03-10T19:56", "2026-03-12T16:30:00", "2026-03-12T20:00:00"),
        ("2026-10-29T12:00", "2026-10-29T16:30:00", "2026-10-29T20:00:00"),
        ("2026-10-30T12:00", "2026-10-31T10:00:00", "2026-10-31T20:00:00"),
        ("2026-11-01T12:00", "2026-11-03T16:30:00", "2026-11-03T21:00:00"),
        ("2026-11-03T20:54", "2026-11-03T16:30:00", "2026-11-03T21:00:00"),
    ];
    for (at, opens, closes) in table {
        let mut house = House::new(starter::House::C, &[("fix", PROD)]);
        let mut rules = (**house.site.change_rules.as_ref().unwrap()).clone();
        (rules.promotion, rules.submission) = (None, None);
        house.site.change_rules = Some(rules.into());
        house.at(at).done("fix", "author", submit()).done("fix", "dba", review());
        house.approved("fix", "production", &["dev", "tester", "ops"]);
        house.done("fix", "shift", schedule("production"));
        assert_eq!(window(&house), (opens.to_owned(), closes.to_owned()), "{at}");
        house.done("fix", "shift", confirm("production", "people-present"));
        // The edges: a second before, at, and where it does not fit any more.
        let second = |text: &str, by: i64| {
            let at: jiff::civil::DateTime = text.parse().unwrap();
            at.checked_add(jiff::SignedDuration::from_secs(by)).unwrap().to_string()
        };
        for (local, open) in [
            (second(opens, -1), false),
            (opens.to_owned(), true),
            (second(closes, -300), true),
            (second(closes, -299), false),
            (closes.to_owned(), false),
        ] {
            house.at(&local);
            let cleared = house.clearance("fix", "production");
            assert_eq!(cleared.is_ok(), open, "{local}: {cleared:?}");
        }
    }
}

#[test]
fn a_normal_change_of_house_c_is_submitted_by_15_oclock_and_accepted_the_day_before() {
    // Tuesday 2026-10-27 has a window from 16:30.
    let tuesday = date(2026, 10, 27);
    let on = |day| Wish::Schedule { environment: Some("production".into()), on: Some(day) };
    let thursday = date(2026, 10, 29);
    let table = [
        ("2026-10-27T15:00", date(2026, 10, 26), tuesday, None),
        ("2026-10-27T15:00:01", date(2026, 10, 26), tuesday, Some(Rule::SubmittedLate)),
        ("2026-10-27T14:00", tuesday, tuesday, Some(Rule::NotAccepted)),
        ("2026-10-27T15:00:01", tuesday, thursday, None),
        ("2026-10-27T14:00", date(2026, 10, 26), date(2026, 10, 28), Some(Rule::OutsideWindow)),
    ];
    for (submitted, accepted, day, rule) in table {
        let mut house = of_c(submitted, accepted);
        assert_eq!(house.take("fix", "shift", on(day)), rule, "{submitted}, {accepted}, {day}");
    }
    // Without a day the first window is taken that allows it.
    let mut house = of_c("2026-10-27T15:30", date(2026, 10, 26));
    house.done("fix", "shift", schedule("production"));
    assert_eq!(window(&house).0, "2026-10-29T16:30:00");
    // What the rules want confirmed is confirmed with the submission.
    let mut house = House::new(starter::House::C, &[("fix", PROD)]);
    house.at("2026-10-27T14:00");
    assert_eq!(house.take("fix", "author", submit()), Some(Rule::NotConfirmed));
    let mut not_accepted = confirmed(tuesday);
    if let Wish::Submit { accepted, .. } = &mut not_accepted {
        *accepted = None;
    }
    assert_eq!(house.take("fix", "author", not_accepted), Some(Rule::NotAccepted));
    assert_eq!(house.take("fix", "author", confirmed(thursday)), Some(Rule::NotAccepted));
}

/// House C, done in UAT and approved for production; submitted at that time with that day of acceptance.
fn of_c(submitted: &str, accepted: jiff::civil::Date) -> House {
    let lines = "class: data\ntargets: {uat: uat, production: prod}";
    let mut house = House::new(starter::House::C, &[("fix", lines)]);
    house.at(submitted).done("fix", "author", confirmed(accepted));
    house.done("fix", "dba", review());
    house.ended("fix", "uat", (ChangeState::Done, &Did::ALL));
    house.approved("fix", "production", &["dev", "tester", "ops"]);
    house
}

#[test]
fn house_h_takes_releases_in_at_its_hours_and_nothing_after_the_seal() {
    let lines = format!("class: structure\n{ALL}");
    let ready = || {
        let mut house = House::new(starter::House::H, &[("fix", &lines)]);
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
        house
    };
    // Thursday is 2026-10-29; taken in 15:00–16:00, sealed at 18:00.
    let thursday = Some(date(2026, 10, 29));
    let on = |day| Wish::Schedule { environment: Some("production".into()), on: day };
    let table = [
        ("2026-10-28T15:30", thursday, Some(Rule::IntakeClosed)),
        ("2026-10-29T14:59:59", thursday, Some(Rule::IntakeClosed)),
        ("2026-10-29T15:00", thursday, None),
        ("2026-10-29T15:59:59", thursday, None),
        ("2026-10-29T16:00", thursday, Some(Rule::IntakeClosed)),
        ("2026-10-29T17:59:59", thursday, Some(Rule::IntakeClosed)),
        ("2026-10-29T18:00", thursday, Some(Rule::Sealed)),
        ("2026-10-29T20:00", thursday, Some(Rule::Sealed)),
    ];
    for (at, day, rule) in table {
        let mut house = ready();
        house.at(at);
        assert_eq!(house.take("fix", "shift", on(day)), rule, "{at}");
    }
    // Approved and on no list it does not start, whatever its window says: a node of a batch neither.
    let mut house = ready();
    house.at("2026-10-29T18:30");
    assert_eq!(house.lacks("fix", "production"), [Rule::NotScheduled]);
    // On the list, and approved once more after the seal: that does not count for this list.
    let mut house = ready();
    house.at("2026-10-29T15:30").done("fix", "shift", on(None));
    house.at("2026-10-29T18:30");
    assert_eq!(house.lacks("fix", "production"), []);
    let desk_sealed = house.desk(&change("fix")).sealed_at("production", (house.at, house.at));
    assert_eq!(desk_sealed.map(|at| at.to_string()), Some("2026-10-29T10:00:00Z".to_owned()));
    let mut house = ready();
    let life = std::sync::Arc::make_mut(house.lives.get_mut(&change("fix")).unwrap());
    let last =
        life.steps.iter().rposition(|taken| matches!(&taken.step, ChangeStep::Approved { .. }));
    let mut approval = life.steps.remove(last.unwrap());
    approval.at = "2026-10-29T10:00:00Z".parse().unwrap();
    house.at("2026-10-29T15:30");
    assert_eq!(house.take("fix", "shift", on(None)), Some(Rule::NotApproved));
    let mut house = ready();
    house.at("2026-10-29T15:30").done("fix", "shift", on(None));
    let life = std::sync::Arc::make_mut(house.lives.get_mut(&change("fix")).unwrap());
    life.steps.remove(last.unwrap());
    life.steps.push(approval);
    house.at("2026-10-29T18:30");
    assert_eq!(house.lacks("fix", "production"), [Rule::Sealed]);
    // UAT is taken in during its own windows.
    let mut house = House::new(starter::House::H, &[("fix", &lines)]);
    house.at("2026-10-27T15:10").done("fix", "author", submit()).done("fix", "dba", review());
    house.approved("fix", "uat", &["dev", "tester", "ops"]);
    house.done("fix", "shift", schedule("uat"));
    assert_eq!(
        window(&house),
        ("2026-10-27T15:00:00".to_owned(), "2026-10-27T16:00:00".to_owned())
    );
}

#[test]
fn a_change_whose_window_has_passed_runs_only_where_the_rules_let_it_be_confirmed() {
    let mut house = of_c("2026-10-27T14:00", date(2026, 10, 26));
    house.done("fix", "shift", schedule("production"));
    house.done("fix", "shift", confirm("production", "people-present"));
    assert_eq!(house.take("fix", "dev", confirm("production", "late")), Some(Rule::WrongStage));
    house.at("2026-10-27T20:00");
    assert_eq!(house.lacks("fix", "production"), [Rule::WindowPassed]);
    assert_eq!(house.take("fix", "ops", confirm("production", "late")), Some(Rule::RoleMissing));
    house.done("fix", "dev", confirm("production", "late"));
    let cleared = house.clearance("fix", "production").unwrap();
    assert_eq!(cleared.window, WindowDecision::Late { by: super::house::person("dev") });
    // House H has no such rule.
    let mut house = House::new(starter::House::H, &[("fix", PROD)]);
    house.at("2026-10-27T09:00").done("fix", "author", submit()).done("fix", "dba", review());
    house.done("fix", "dev", approve("production")).done("fix", "ops", approve("production"));
    house.done("fix", "shift", schedule("production")).at("2026-10-27T12:00");
    assert_eq!(house.take("fix", "dev", confirm("production", "late")), Some(Rule::NoSuchThing));
    assert!(house.lacks("fix", "production").contains(&Rule::WindowPassed));
    // The next opening of the same day is that of another list.
    house.at("2026-10-27T16:10");
    assert!(house.lacks("fix", "production").contains(&Rule::WindowPassed));
}
