//! Wrong people, wrong roles, the same person twice, deputies; scripts that changed; emergencies without their quorum.

use super::house::{
    ALL, House, SQL, approve, change, confirm, folder, person, review, schedule, submit,
};
use crate::core::change::{ACCEPTANCE, Missing, Signature, Signs, Stage, WindowDecision, Wish};
use crate::core::refused::Rule;
use crate::definition::site::{Change, ChangeKind, Part};
use crate::definition::starter;
use crate::types::{Role, Span};
use crate::wire::ChangeState;

const DATA: &str = "class: data\ntarget: prod";

fn written(lines: &str) -> House {
    let mut house = House::new(starter::House::H, &[("fix", lines)]);
    house.at("2026-10-27T09:00").done("fix", "author", submit());
    house
}

#[test]
fn nobody_reviews_or_approves_who_has_not_the_part_for_it() {
    let mut house = written(DATA);
    let table = [
        ("stranger", review(), Rule::UnknownPerson),
        ("tester", review(), Rule::RoleMissing),
        ("dev", approve("production"), Rule::NotReviewed),
        ("shift", schedule("production"), Rule::NotReviewed),
        ("author", schedule("production"), Rule::RoleMissing),
        ("author", Wish::Return, Rule::RoleMissing),
        ("dev", Wish::FeedBack, Rule::WrongStage),
        ("dev", Wish::Decide { applied: Some(true), how: None }, Rule::WrongStage),
        ("dev", Wish::Assign { to: person("author") }, Rule::WrongStage),
        ("dev", approve("uat"), Rule::NoSuchThing),
    ];
    for (by, wish, rule) in table {
        assert_eq!(house.take("fix", by, wish.clone()), Some(rule), "{by}: {wish:?}");
    }
    house.done("fix", "dba", review());
    let table = [
        ("dba-too", review(), Rule::NoChange),
        // The first role is that of the development lead.
        ("ops", approve("production"), Rule::RoleMissing),
        ("tester", approve("production"), Rule::RoleMissing),
        ("asker", approve("production"), Rule::RoleMissing),
    ];
    for (by, wish, rule) in table {
        assert_eq!(house.take("fix", by, wish.clone()), Some(rule), "{by}: {wish:?}");
    }
    let too_early = Wish::Approve {
        environment: None,
        role: Some("operations-lead".parse().unwrap()),
        tick: Vec::new(),
    };
    assert_eq!(house.take("fix", "ops", too_early), Some(Rule::TooEarly));
    // One person with both roles approves once.
    house.done("fix", "both", approve("production"));
    assert_eq!(house.take("fix", "both", approve("production")), Some(Rule::OwnWork));
    assert_eq!(house.take("fix", "dba", approve("production")), Some(Rule::RoleMissing));
    house.done("fix", "ops", approve("production"));
    assert_eq!(house.take("fix", "dep", approve("production")), Some(Rule::NoChange));
}

#[test]
fn whoever_wrote_or_asked_for_it_never_reviews_or_approves_it() {
    // Each of these has the role that is asked for, and a part besides.
    for (lines, by, wish) in [
        ("class: data\ntarget: prod\nproduct_manager: dba", "dba", None),
        ("class: data\ntarget: prod", "dev", Some("dev")),
    ] {
        let lines = lines.to_owned();
        let mut house = House::new(starter::House::H, &[("fix", &lines)]);
        house.at("2026-10-27T09:00");
        house.done("fix", wish.unwrap_or("author"), submit());
        match wish {
            // Whoever hands it in is an author, whatever the file says.
            Some(_) => {
                house.done("fix", "dba", review());
                assert_eq!(house.take("fix", by, approve("production")), Some(Rule::OwnWork));
                house.done("fix", "dev-two", approve("production"));
            }
            None => {
                house.done("fix", by, review());
            }
        }
    }
    let mut house = House::new(starter::House::H, &[("fix", "class: data\ntarget: prod")]);
    let authors = vec![person("dba"), person("dev")];
    house.site.changes.get_mut(&change("fix")).unwrap().papers.authors = authors;
    house.at("2026-10-27T09:00").done("fix", "helper", submit());
    assert_eq!(house.take("fix", "dba", review()), Some(Rule::OwnWork));
    house.done("fix", "dba-too", review());
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::OwnWork));
    // A rule set without `distinct` changes nothing of that.
    let mut rules = (**house.site.change_rules.as_ref().unwrap()).clone();
    rules.distinct.clear();
    house.site.change_rules = Some(rules.into());
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::OwnWork));
    // The requester is kept from it by the rules of the house.
    house.site.changes.get_mut(&change("fix")).unwrap().requester = Some(person("both"));
    house.done("fix", "both", approve("production"));
}

#[test]
fn a_deputy_stands_in_and_it_is_noted() {
    let mut house = written(DATA);
    house.done("fix", "dba", review()).done("fix", "dev-two", approve("production"));
    let step = &house.life("fix").steps.last().unwrap().step.clone();
    assert!(matches!(step, crate::core::change::ChangeStep::Approved { stands_in: true, .. }));
    // A deputy who is none any more has approved nothing.
    let lacks = house.desk(&change("fix")).approved("production", house.at);
    assert_eq!(lacks.len(), 1);
    house.site.people.get_mut(&person("dev-two")).unwrap().roles.clear();
    let lacks = house.desk(&change("fix")).approved("production", house.at);
    assert!(matches!(&lacks[..], [Missing::Approval { lapsed: true, .. }, _]), "{lacks:?}");
    house.site.people.remove(&person("dba"));
    let lacks = house.desk(&change("fix")).approved("production", house.at);
    assert!(matches!(&lacks[..], [Missing::Review { .. }, _, _]), "{lacks:?}");
}

fn cleared_data_change() -> House {
    let mut house = written(DATA);
    house.done("fix", "dba", review()).approved("fix", "production", &["dev", "ops"]);
    house.done("fix", "dba", confirm("production", "dba-signature"));
    house.done("fix", "shift", confirm("production", "people-present"));
    house.done("fix", "shift", schedule("production"));
    house.at("2026-10-27T11:05");
    assert_eq!(house.lacks("fix", "production"), []);
    house
}

#[test]
fn a_changed_byte_target_or_window_voids_what_was_approved() {
    let mut house = cleared_data_change();
    let digest = |house: &House| house.desk(&change("fix")).approval_digest("production").unwrap();
    let before = digest(&house);
    let sql = SQL.replace("y = 2", "y = 3");
    let altered = {
        let tree: Vec<(String, String)> = folder("fix", DATA, &sql);
        let mut other = House::new(starter::House::H, &[("fix", DATA)]);
        let content = crate::definition::copy::sha256(tree[2].1.as_bytes());
        assert_ne!(content, crate::definition::copy::sha256(SQL.as_bytes()));
        other.site.changes.get_mut(&change("fix")).unwrap().content = content;
        other.site
    };
    let whole = std::mem::replace(&mut house.site, altered);
    assert_ne!(before, digest(&house));
    let lacks = house.lacks("fix", "production");
    assert!(
        lacks.starts_with(&[Rule::Lapsed, Rule::NotReviewed, Rule::Lapsed, Rule::Lapsed]),
        "{lacks:?}"
    );
    assert_eq!(house.take("fix", "dba-too", review()), Some(Rule::Lapsed));
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::Lapsed));
    // Submitted anew it starts again, with all of its reviews and approvals.
    house.done("fix", "author", submit());
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::NotReviewed));
    // The former bytes are another start, too: nothing of before comes to life again.
    house.site = whole;
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::Lapsed));
    house.done("fix", "author", submit());
    assert_eq!(house.lacks("fix", "production")[..2], [Rule::NotReviewed, Rule::Lapsed]);

    // What decides when it may start: nothing of that is altered behind the approvers' backs.
    let altered: [fn(&mut Change); 4] = [
        |change| change.kind = ChangeKind::Emergency,
        |change| change.needs.push("other".parse().unwrap()),
        |change| change.expected = None,
        |change| change.rollback_takes = Span::seconds(1),
    ];
    for alter in altered {
        let mut house = cleared_data_change();
        alter(house.site.changes.get_mut(&change("fix")).unwrap());
        assert!(house.lacks("fix", "production").contains(&Rule::Lapsed));
    }
    // Another database behind the target's name, another window class.
    let mut house = cleared_data_change();
    let target = house.site.targets.values_mut().find(|t| t.environment == "production").unwrap();
    target.engine = crate::definition::site::Engine::Sqlite { path: "other.db".into() };
    assert_eq!(house.lacks("fix", "production"), [Rule::Lapsed, Rule::Lapsed, Rule::NotScheduled]);
    let mut house = cleared_data_change();
    house.site.changes.get_mut(&change("fix")).unwrap().window =
        Some("uat-change".parse().unwrap());
    assert_eq!(house.lacks("fix", "production"), [Rule::Lapsed, Rule::Lapsed, Rule::NotScheduled]);
    // A return voids them too, and so does time.
    let mut house = cleared_data_change();
    house.done("fix", "ops", Wish::Return);
    assert_eq!(house.lacks("fix", "production")[..2], [Rule::NotSubmitted, Rule::NotReviewed]);
    let mut house = cleared_data_change();
    house.at("2026-11-10T11:05");
    let lacks = house.lacks("fix", "production");
    assert_eq!(lacks[..2], [Rule::Lapsed, Rule::Lapsed]);
}

#[test]
fn executor_and_watcher_are_two_and_neither_is_the_author() {
    let house = cleared_data_change();
    let rules = |by: (&str, &str)| {
        let missing = house.clearance_by("fix", "production", by).err().unwrap_or_default();
        missing.iter().map(Missing::rule).collect::<Vec<_>>()
    };
    assert_eq!(rules(("shift", "shift-too")), []);
    assert_eq!(rules(("", "")), [Rule::NotReleased, Rule::NotReleased]);
    assert_eq!(rules(("shift", "")), [Rule::NotReleased]);
    assert_eq!(rules(("shift", "shift")), [Rule::OwnWork]);
    assert_eq!(rules(("author", "shift")), [Rule::OwnWork]);
    assert_eq!(rules(("shift", "author")), [Rule::OwnWork]);
    assert_eq!(rules(("dba", "shift")), [Rule::OwnWork]);
    assert_eq!(rules(("ops", "shift")), [Rule::OwnWork]);
    assert!(
        house
            .desk(&change("fix"))
            .clashes(&person("author"), Part::Approver, &Default::default())
            .is_some()
    );
}

#[test]
fn an_emergency_takes_its_quorum_and_runs_outside_of_windows() {
    let lines = "class: data\nkind: emergency\ntarget: prod";
    let mut house = House::new(starter::House::H, &[("fix", lines)]);
    house.at("2026-10-27T20:00").done("fix", "author", submit()).done("fix", "dba", review());
    house.approved("fix", "production", &["dev", "tester", "ops", "ccb-a"]);
    assert_eq!(house.take("fix", "ccb-a", approve("production")), Some(Rule::OwnWork));
    assert_eq!(house.take("fix", "both", approve("production")), Some(Rule::RoleMissing));
    assert_eq!(house.take("fix", "shift", schedule("production")), Some(Rule::NotApproved));
    assert!(house.lacks("fix", "production").contains(&Rule::NotApproved));
    house.approved("fix", "production", &["ccb-b"]);
    house.done("fix", "shift", schedule("production"));
    house.done("fix", "dba", confirm("production", "dba-signature"));
    house.done("fix", "shift", confirm("production", "people-present"));
    let cleared = house.clearance("fix", "production").unwrap();
    assert_eq!(cleared.window, WindowDecision::Emergency);
    // Inside of its window it is none of those that are counted.
    house.at("2026-10-28T11:05");
    let cleared = house.clearance("fix", "production").unwrap();
    assert!(matches!(cleared.window, WindowDecision::Open { .. }));
}

/// Who has signed for its acceptance, as the sign-off list has it.
fn accepted_by(house: &House) -> Vec<(String, usize)> {
    let signatures = house.desk(&change("fix")).signatures("production", house.at).into_iter();
    let of = |signature: &Signature| matches!(&signature.signs, Signs::Item { item } if item.as_str() == ACCEPTANCE);
    signatures.filter(of).map(|it| (it.role.to_string(), it.given.len())).collect()
}

/// D10: group leads, operations and the director of the product line; copied to the project manager. Product manager and testers
/// of the change come besides, whatever the rules name.
#[test]
fn both_rule_sets_mail_an_emergency_to_whom_it_concerns() {
    let leads = ["dev-lead", "test-lead", "operations-lead", "operations"];
    let table: [(starter::House, &str, &[&str], &[&str]); 2] = [
        (starter::House::H, "", &[], &[]),
        (
            starter::House::C,
            "\nproduct_line: securities",
            &["project-manager"],
            &["product-director"],
        ),
    ];
    for (set, line, copied, directors) in table {
        let lines = format!("class: data\nkind: emergency\ntarget: prod{line}");
        let house = House::new(set, &[("fix", &lines)]);
        let rules = house.site.change_rules.as_ref().unwrap();
        let words = |roles: &[Role]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(words(&rules.emergency.mail), leads);
        assert_eq!(words(&rules.emergency.copy), copied);
        let lines: Vec<Role> = rules.product_lines.values().cloned().collect();
        assert_eq!(words(&lines), directors);
    }
}

#[test]
fn an_emergency_without_acceptance_is_confirmed_by_both_group_leads() {
    let lines = "class: data\nkind: emergency\nproduct_line: securities\ntarget: prod";
    let mut house = House::new(starter::House::C, &[("fix", lines)]);
    house.at("2026-10-27T22:00").done("fix", "author", submit()).done("fix", "dba", review());
    house.approved("fix", "production", &["dev", "tester", "ops", "ccb-a", "ccb-b"]);
    house.done("fix", "shift", schedule("production"));
    house.done("fix", "shift", confirm("production", "people-present"));
    assert_eq!(house.lacks("fix", "production"), [Rule::NotConfirmed; 2]);
    let accept = || confirm("production", "acceptance");
    assert_eq!(accepted_by(&house), [("dev-lead".into(), 0), ("test-lead".into(), 0)]);
    assert_eq!(house.take("fix", "ops", accept()), Some(Rule::RoleMissing));
    house.done("fix", "dev", accept());
    assert_eq!(house.lacks("fix", "production"), [Rule::NotConfirmed]);
    house.done("fix", "tester", accept());
    assert_eq!(house.lacks("fix", "production"), []);
    assert_eq!(accepted_by(&house), [("dev-lead".into(), 1), ("test-lead".into(), 1)]);
}

#[test]
fn a_change_in_doubt_is_decided_by_neither_its_author_nor_out_of_turn() {
    let mut house = cleared_data_change();
    house.executed("fix", "production", ChangeState::InDoubt);
    let decide = |applied| Wish::Decide { applied: Some(applied), how: None };
    assert_eq!(house.take("fix", "shift", decide(true)), Some(Rule::RoleMissing));
    house.author_is_a_dba();
    assert_eq!(house.take("fix", "author", decide(true)), Some(Rule::OwnWork));
    assert_eq!(house.take("fix", "shift", Wish::FeedBack), Some(Rule::WrongStage));
    assert_eq!(house.take("fix", "author", submit()), Some(Rule::WrongStage));
    house.done("fix", "dba-too", decide(true));
    assert!(house.life("fix").is_done_in("production", None));
    assert_eq!(house.take("fix", "dba-too", decide(false)), Some(Rule::WrongStage));
}

#[test]
fn a_change_that_stopped_half_way_goes_on_as_people_say() {
    use crate::core::change::HalfDone::{Accept, Continue, RollBack};
    let of = |how| Wish::Decide { applied: None, how: Some(how) };
    let wrong = Some(Rule::WrongStage);
    for (state, how, refused, stage) in [
        (ChangeState::Partial, Continue, None, Stage::InDoubt),
        (ChangeState::Partial, RollBack, None, Stage::InDoubt),
        (ChangeState::Partial, Accept, None, Stage::Executed),
        (ChangeState::RollbackFailed, RollBack, None, Stage::InDoubt),
        (ChangeState::RollbackFailed, Continue, wrong, Stage::InDoubt),
        (ChangeState::RollbackFailed, Accept, wrong, Stage::InDoubt),
        (ChangeState::InDoubt, RollBack, wrong, Stage::InDoubt),
        (ChangeState::Done, Accept, wrong, Stage::Executed),
    ] {
        let mut house = cleared_data_change();
        house.executed("fix", "production", state);
        house.author_is_a_dba();
        if state != ChangeState::Done {
            assert_eq!(house.take("fix", "author", of(how)), Some(Rule::OwnWork));
        }
        assert_eq!(house.take("fix", "dba-too", of(how)), refused, "{state:?} {how:?}");
        assert_eq!(house.life("fix").stage(), stage, "{state:?} {how:?}");
    }
    // One thing is said, and not two or none.
    let mut house = cleared_data_change();
    house.executed("fix", "production", ChangeState::Partial);
    for (applied, how) in [(None, None), (Some(true), Some(Accept))] {
        let refused = house.try_take("fix", "dba-too", Wish::Decide { applied, how });
        assert!(refused.is_err(), "{applied:?} {how:?}");
    }
    house.done("fix", "dba-too", of(Accept));
    assert!(house.life("fix").is_done_in("production", None));
}

#[test]
fn what_is_closed_starts_no_more() {
    let mut house = cleared_data_change();
    house.executed("fix", "production", ChangeState::Done);
    house.done("fix", "shift", Wish::FeedBack).done("fix", "shift", Wish::Close);
    assert_eq!(house.lacks("fix", "production"), [Rule::WrongStage]);
}

#[test]
fn what_one_run_has_begun_is_on_the_list_of_no_other() {
    let mut house = cleared_data_change();
    let of = |house: &House, run: &str| {
        let run = run.parse().unwrap();
        let crew = ("shift", "shift-too");
        let missing = house.clearance_in(("fix", "production"), crew, Some(&run)).err();
        missing.unwrap_or_default().iter().map(Missing::rule).collect::<Vec<_>>()
    };
    let (own, other) = ("list@2026-10-30#1", "list@2026-10-30#2");
    assert_eq!((of(&house, own), of(&house, other)), (vec![], vec![]));
    house.began("fix", "production");
    assert_eq!((of(&house, own), of(&house, other)), (vec![], vec![Rule::NotScheduled]));
    house.executed("fix", "production", ChangeState::FailedClean);
    house.done("fix", "shift", schedule("production"));
    assert_eq!(of(&house, other), []);
}

#[test]
fn warnings_of_the_scripts_are_ticked_by_name() {
    let mut house = written(DATA);
    house.site.changes.get_mut(&change("fix")).unwrap().hazards = vec!["lock-heavy".into()];
    assert_eq!(house.take("fix", "dba", review()), Some(Rule::NotTicked));
    house.done("fix", "dba", Wish::Review { tick: vec!["lock-heavy".into()] });
    assert_eq!(house.take("fix", "dev", approve("production")), Some(Rule::NotTicked));
    let tick = vec!["lock-heavy".to_owned()];
    house.done("fix", "dev", Wish::Approve { environment: None, role: None, tick });
}

#[test]
fn nothing_goes_to_production_that_was_not_done_before() {
    let lines = format!("class: structure\n{ALL}");
    let mut house = House::new(starter::House::H, &[("fix", &lines)]);
    house.at("2026-10-29T15:10").done("fix", "author", submit()).done("fix", "dba", review());
    house.approved("fix", "production", &["dev", "tester", "ops"]);
    assert_eq!(house.take("fix", "shift", schedule("production")), Some(Rule::NotPromoted));
    house.executed("fix", "uat", ChangeState::Done);
    assert_eq!(house.take("fix", "shift", schedule("production")), Some(Rule::NotPromoted));
    house.executed("fix", "pre-production", ChangeState::Done);
    assert_eq!(house.take("fix", "shift", schedule("production")), Some(Rule::NotRehearsed));
    house.executed("fix", "uat", ChangeState::RolledBack);
    // Rolled back it is not done there.
    assert_eq!(house.take("fix", "shift", schedule("production")), Some(Rule::NotPromoted));
    house.executed("fix", "uat", ChangeState::Done);
    house.done("fix", "shift", schedule("production"));
}

#[test]
fn an_author_confirms_nothing_of_a_change_and_what_an_author_has_confirmed_does_not_count() {
    let mut house = written(DATA);
    house.author_is_a_dba();
    let sign = || confirm("production", "dba-signature");
    assert_eq!(house.take("fix", "author", sign()), Some(Rule::OwnWork));
    house.done("fix", "dba", review()).approved("fix", "production", &["dev", "ops"]);
    house.done("fix", "dba", sign()).done("fix", "shift", confirm("production", "people-present"));
    house.done("fix", "shift", schedule("production")).at("2026-10-27T11:05");
    assert_eq!(house.lacks("fix", "production"), []);
    // It turns out that whoever has confirmed it wrote it.
    let authors = &mut house.site.changes.get_mut(&change("fix")).unwrap().papers.authors;
    authors.push(person("shift"));
    assert_eq!(house.lacks("fix", "production"), [Rule::NotConfirmed, Rule::OwnWork]);
}

#[test]
fn a_confirmation_counts_as_long_as_its_item_says() {
    for (start, lacks) in
        [("2026-11-03T09:00", vec![]), ("2026-11-03T09:00:01", vec![Rule::NotConfirmed])]
    {
        let mut house = cleared_data_change();
        // It was given at 09:00, and counts for seven days.
        house.at(start);
        let mut told: Vec<Rule> = house.lacks("fix", "production");
        told.retain(|rule| *rule == Rule::NotConfirmed);
        assert_eq!(told, lacks, "{start}");
        if !lacks.is_empty() {
            house.done("fix", "shift", confirm("production", "people-present"));
            assert!(!house.lacks("fix", "production").contains(&Rule::NotConfirmed));
        }
    }
}
