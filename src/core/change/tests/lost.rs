//! What a target must still hold before something is applied to it, and what two people say is lost.

use std::time::Duration;

use super::house::{ALL, House, approve, change, person, review, submit};
use crate::core::change::{ChangeStep, MARKS, Stage, Wish, marks};
use crate::core::refused::Rule;
use crate::definition::starter;
use crate::types::TargetName;
use crate::wire::ChangeState;

fn lost(environment: &str) -> Wish {
    Wish::Lost { environment: Some(environment.to_owned()) }
}

/// Changes of these names, each done in production an hour after the one before.
fn done(names: &[String]) -> House {
    let folders: Vec<(&str, &str)> =
        names.iter().map(|name| (name.as_str(), "class: data\ntarget: prod")).collect();
    let mut house = House::new(starter::House::H, &folders);
    house.at("2026-10-27T09:00");
    for name in names {
        house.done(name, "author", submit());
        attempt(&mut house, name, ChangeState::Done);
    }
    house
}

fn attempt(house: &mut House, name: &str, state: ChangeState) {
    house.began(name, "production");
    house.executed(name, "production", state);
    house.at += Duration::from_secs(3600);
}

fn looked_for(house: &House, target: &str) -> Vec<String> {
    let target = TargetName::new(target).unwrap();
    let found = marks(&house.lives, "production", &target);
    found.into_iter().map(|mark| mark.change.to_string()).collect()
}

#[test]
fn the_changes_that_were_done_last_on_a_target_are_looked_for() {
    use ChangeState::{
        Done, FailedClean, FailedGuard, InDoubt, Partial, RollbackFailed, RolledBack,
    };
    let names: Vec<String> = (0..MARKS + 2).map(|number| format!("c{number}")).collect();
    let house = done(&names);
    let newest: Vec<String> = names.iter().rev().take(MARKS).cloned().collect();
    assert_eq!(looked_for(&house, "prod"), newest);
    assert_eq!(looked_for(&house, "uat"), Vec::<String>::new());

    // What came of a later attempt of the same change, and whether it is still looked for.
    let table = [
        (Done, true),
        // Nothing was applied, and nothing taken away: what a worker refuses for drift it refuses again.
        (FailedClean, true),
        (FailedGuard, true),
        (RolledBack, false),
        (Partial, false),
        (RollbackFailed, false),
        (InDoubt, false),
    ];
    for (state, still) in table {
        let mut house = done(&["c".to_owned()]);
        attempt(&mut house, "c", state);
        assert_eq!(looked_for(&house, "prod").len(), usize::from(still), "{state:?}");
    }

    // People may say of one in doubt that it was applied, and there need be no marker of it.
    let mut house = done(&["c".to_owned()]);
    attempt(&mut house, "c", InDoubt);
    let decided =
        ChangeStep::Decided { environment: "production".into(), applied: true, accepted: false };
    house.push(&change("c"), person("ops"), decided);
    assert_eq!(looked_for(&house, "prod"), Vec::<String>::new());
}

#[test]
fn two_people_say_that_a_change_is_lost_and_neither_wrote_it() {
    let fix = "fix".to_owned();
    let mut house = done(&["open".to_owned(), fix]);
    house.author_is_a_dba();
    let refused =
        |house: &mut House, by: &str, environment: &str| house.take("fix", by, lost(environment));
    assert_eq!(refused(&mut house, "stranger", "production"), Some(Rule::UnknownPerson));
    assert_eq!(refused(&mut house, "author", "production"), Some(Rule::OwnWork));
    assert_eq!(refused(&mut house, "ops", "uat"), Some(Rule::WrongStage));
    house.done("fix", "ops", lost("production"));
    assert_eq!(house.life("fix").stage(), Stage::Executed);
    assert_eq!(looked_for(&house, "prod"), ["fix", "open"]);
    assert_eq!(refused(&mut house, "ops", "production"), Some(Rule::SecondPerson));
    house.done("fix", "dba", Wish::Lost { environment: None });
    let life = house.life("fix");
    assert_eq!(life.stage(), Stage::Failed);
    assert!(!life.is_done_in("production", None));
    assert_eq!(looked_for(&house, "prod"), ["open"]);
    assert_eq!(refused(&mut house, "dev", "production"), Some(Rule::WrongStage));
    // Done again it is there again, and can be lost again.
    attempt(&mut house, "fix", ChangeState::Done);
    assert_eq!(looked_for(&house, "prod"), ["fix", "open"]);
}

#[test]
fn what_is_closed_or_has_no_folder_any_more_can_be_lost_too() {
    let mut house = done(&["fix".to_owned()]);
    for (by, wish) in [("ops", Wish::FeedBack), ("ops", Wish::Close)] {
        house.done("fix", by, wish);
    }
    house.done("fix", "ops", lost("production"));
    assert_eq!(house.life("fix").stage(), Stage::Closed);
    house.site.changes.remove(&change("fix"));
    assert_eq!(house.take("fix", "author", lost("production")), Some(Rule::OwnWork));
    house.done("fix", "dba", lost("production"));
    assert_eq!(house.life("fix").stage(), Stage::Failed);

    // Which of several environments is said.
    let mut house = House::new(starter::House::H, &[("all", &format!("class: data\n{ALL}"))]);
    house.at("2026-10-27T09:00").done("all", "author", submit()).done("all", "dba", review());
    for environment in ["uat", "production"] {
        house.began("all", environment);
        house.executed("all", environment, ChangeState::Done);
    }
    assert_eq!(house.take("all", "ops", Wish::Lost { environment: None }), Some(Rule::NoSuchThing));
    house.done("all", "ops", lost("uat")).done("all", "dev", lost("uat"));
    assert!(house.life("all").is_done_in("production", None));
    assert!(!house.life("all").is_done_in("uat", None));
    // On its way elsewhere it keeps its stage.
    house.done("all", "dev", approve("uat"));
}
