//! Whose turn it is with a change, and what each person is offered.

use super::house::{ALL, House, approve, change, confirm, person, review, schedule, submit};
use crate::core::change::{Awaits, Docket, Offer, Stage, Wish};
use crate::definition::site::Part;
use crate::definition::starter;
use crate::types::PersonId;
use crate::wire::ChangeState;

const DATA: &str = "class: data\ntarget: prod";

fn with<T>(house: &House, read: impl FnOnce(&Docket<'_>) -> T) -> T {
    let id = change("fix");
    read(&Docket::new(&house.site, &house.windows, &house.lives, &id).unwrap())
}

fn offers(house: &House, by: &str) -> Vec<Offer> {
    with(house, |docket| docket.offers(&person(by), house.at))
}

/// What it waits for, and everybody whose turn that is.
fn turns(house: &House) -> Vec<(Awaits, Vec<String>)> {
    with(house, |docket| {
        let turns = docket.turns(house.at).into_iter();
        turns
            .map(|turn| {
                let people = house.site.people.keys();
                let theirs = people.filter(|person| docket.is_for(&turn, person, house.at));
                let theirs = theirs.map(ToString::to_string).collect();
                (turn.awaits, theirs)
            })
            .collect()
    })
}

fn of(people: &[&str]) -> Vec<String> {
    people.iter().map(|person| (*person).to_owned()).collect()
}

fn production() -> String {
    "production".to_owned()
}

/// Everything that is offered to anybody is taken, and what it becomes is what was shown.
fn nothing_offered_is_refused(house: &House) {
    for by in house.site.people.keys() {
        for offer in offers(house, by.as_str()) {
            let step = with(house, |docket| docket.take(by, house.at, offer.wish.clone()));
            assert_eq!(step.as_ref().ok(), Some(&offer.step), "{by}: {step:?}");
        }
    }
}

#[test]
fn a_change_waits_for_one_after_the_other_until_it_is_closed() {
    let mut house = House::new(starter::House::H, &[("fix", DATA)]);
    house.at("2026-10-27T09:00");
    assert_eq!(turns(&house), [(Awaits::Submission, of(&["author"]))]);
    nothing_offered_is_refused(&house);
    house.done("fix", "author", submit());
    assert_eq!(turns(&house), [(Awaits::Review, of(&["dba", "dba-too"]))]);
    nothing_offered_is_refused(&house);
    house.done("fix", "dba", review());
    let approval = || Awaits::Approval { environment: production() };
    let first = turns(&house);
    assert_eq!(first[0], (approval(), of(&["both", "dev", "dev-two"])), "{first:?}");
    nothing_offered_is_refused(&house);
    house.done("fix", "dev", approve("production"));
    // Whoever has approved as the one does not approve as the other.
    assert_eq!(turns(&house)[0], (approval(), of(&["both", "dep", "ops"])));
    house.done("fix", "ops", approve("production"));
    let items: Vec<Awaits> = turns(&house).into_iter().map(|(awaits, _)| awaits).collect();
    for awaits in items {
        if let Awaits::Item { item, .. } = awaits {
            let by = ["dba-too", "ops", "dev", "tester", "shift"]
                .into_iter()
                .find(|by| house.take("fix", by, confirm("production", item.as_str())).is_none());
            assert!(by.is_some(), "nobody may confirm {item}");
        }
    }
    // It runs in the next window of the day, listed for one or not.
    let waits = || Awaits::Execution { environment: production() };
    assert_eq!(turns(&house), [(waits(), Vec::new())]);
    nothing_offered_is_refused(&house);
    house.done("fix", "shift", schedule("production"));
    assert_eq!(turns(&house), [(waits(), Vec::new())]);
    house.began("fix", "production");
    assert_eq!(turns(&house), [(Awaits::End, Vec::new())]);
    house.executed("fix", "production", ChangeState::Done);
    nothing_offered_is_refused(&house);
    while let Some((Awaits::Item { environment, item }, by)) = turns(&house).into_iter().next() {
        assert_eq!(environment.as_deref(), Some("production"));
        house.done("fix", &by[0], confirm("production", item.as_str()));
    }
    assert_eq!(turns(&house)[0].0, Awaits::FeedBack);
    house.done("fix", "shift", Wish::FeedBack);
    assert_eq!(turns(&house)[0].0, Awaits::Close);
    house.done("fix", "shift", Wish::Close);
    assert_eq!(house.life("fix").stage(), Stage::Closed);
    assert_eq!(turns(&house), []);
}

#[test]
fn what_one_of_two_people_has_decided_waits_for_another_one_only() {
    let mut house = House::new(starter::House::H, &[("fix", DATA)]);
    house.at("2026-10-27T09:00").done("fix", "author", submit());
    house.began("fix", "production");
    house.executed("fix", "production", ChangeState::InDoubt);
    let id = change("fix");
    let turn = |decided: &[PersonId]| {
        let docket = Docket::new(&house.site, &house.windows, &house.lives, &id).unwrap();
        let docket = docket.decided_by(decided.iter().collect());
        let turn = docket.turns(house.at).remove(0);
        assert_eq!(turn.awaits, Awaits::Decision);
        let theirs = house.site.people.keys();
        let theirs = theirs.filter(|person| docket.is_for(&turn, person, house.at));
        (turn.people, theirs.cloned().collect::<Vec<_>>())
    };
    let (people, all) = turn(&[]);
    assert!(people == 2 && all.len() > 2, "{all:?}");
    assert_eq!(turn(&all[..1]), (1, all[1..].to_vec()));
    // Each of two who say different things may say yes to the other.
    assert_eq!(turn(&all[..2]), (1, all.clone()));
}

#[test]
fn its_author_is_offered_no_signature_and_told_to_be_its_author() {
    let mut house = House::new(starter::House::H, &[("fix", DATA)]);
    house.author_is_a_dba();
    house.at("2026-10-27T09:00").done("fix", "author", submit());
    let signs = |by: &str| {
        let offers = offers(&house, by);
        offers.iter().any(|of| matches!(of.wish, Wish::Review { .. } | Wish::Approve { .. }))
    };
    assert!(!signs("author") && signs("dba"));
    let parts = |by: &str| with(&house, |docket| docket.parts(&person(by)));
    assert_eq!(parts("author").into_iter().collect::<Vec<_>>(), [Part::Author]);
    assert!(parts("dba").is_empty());
}

#[test]
fn what_is_asked_with_a_signature_comes_with_its_offer() {
    let mut house = House::new(starter::House::C, &[("fix", DATA)]);
    house.site.changes.get_mut(&change("fix")).unwrap().hazards = vec!["no-where".to_owned()];
    house.at("2026-10-27T09:00");
    let hand_in = offers(&house, "author").into_iter().find_map(|of| match of.wish {
        Wish::Submit { .. } => Some(of.wish),
        _ => None,
    });
    house.done("fix", "author", hand_in.unwrap());
    let tick = vec!["no-where".to_owned()];
    house.done("fix", "dba", Wish::Review { tick: tick.clone() });
    let of_dev = offers(&house, "dev");
    let sign = of_dev.iter().find(|of| matches!(of.wish, Wish::Approve { .. })).unwrap();
    assert_eq!(sign.warnings, tick);
    let asks: Vec<&str> = sign.asks.iter().map(|ask| ask.as_str()).collect();
    assert!(asks.contains(&"tested") && !asks.contains(&"form-complete"), "{asks:?}");
}

#[test]
fn scripts_that_were_altered_wait_for_their_author_again() {
    let structure = format!("class: structure\n{ALL}");
    let mut house = House::new(starter::House::H, &[("fix", &structure)]);
    house.at("2026-10-27T11:10").done("fix", "author", submit());
    house.done("fix", "dba", review());
    // Of several environments the first one comes first.
    let approval = Awaits::Approval { environment: "uat".to_owned() };
    assert_eq!(turns(&house)[0].0, approval);
    let alter = |house: &mut House| {
        house.site.changes.get_mut(&change("fix")).unwrap().content = "other".to_owned();
    };
    assert!(!with(&house, |docket| docket.is_void()));
    alter(&mut house);
    assert!(with(&house, |docket| docket.is_void()));
    assert_eq!(turns(&house), [(Awaits::Submission, of(&["author"]))]);
    assert!(offers(&house, "dev").iter().all(|of| !matches!(of.wish, Wish::Approve { .. })));
    nothing_offered_is_refused(&house);
    // Of what is over nothing is void: its scripts are those that were executed, whatever its folder says today.
    house.done("fix", "author", Wish::Withdraw);
    assert!(!with(&house, |docket| docket.is_void()));
}
