//! The whole way of changes in made-up nights: lists that are filled and sealed, what is confirmed after an execution, and the
//! lists of each week; and that each of these checks finds something.

use std::collections::BTreeSet;

use super::check::{Violation, Witness};
use super::dice::Dice;
use super::made_site::{author, made};
use super::*;
use crate::core::change::ChangeStep;
use crate::core::fact::{Fact, RunOpened};
use crate::journal::{Entry, Sealed};

/// Numbers of jobs with which a site has all of it.
const JOBS: [u64; 2] = [17, 32];

fn night(seed: u64) -> (Scenario, Night) {
    let scenario = Scenario { look: 16, ..Scenario::of(seed, JOBS[seed as usize % 2]) };
    let night = play(&scenario).unwrap_or_else(|failure| {
        let story = failure.story.join("\n");
        panic!("tests/campaign nights --replay '{scenario}'\n{story}\n{}", failure.breach)
    });
    (scenario, night)
}

#[test]
fn lists_are_filled_and_changes_closed_in_made_up_nights() {
    let mut open = vec![
        "\"list\":{\"environment\":\"sample\",\"changes\":[{",
        "\"left_out\":[{",
        "\"step\":\"closed\"",
        "\"item\":\"looked-at\"",
        "\"item\":\"board-has-seen-it\"",
        "\"item\":\"opening-watched\"",
        "\"item\":\"permission-1\"",
        "\"what\":\"unconfirmed\"",
        "\"what\":\"reminded\"",
        "\"what\":\"posted\"",
    ];
    for seed in 0..40 {
        let night = night(seed).1;
        open.retain(|words| !night.entries.iter().any(|entry| entry.body.contains(words)));
    }
    assert!(open.is_empty(), "never in 40 nights: {open:?}");
}

/// Two people found that what had stopped half way was not applied, and somebody tried it again when its run was over.
#[test]
fn what_two_people_decided_of_a_half_done_change_lets_it_be_tried_again() {
    let scenario: Scenario = "seed=770386 jobs=32 look=16".parse().unwrap();
    let night = play(&scenario).unwrap_or_else(|failure| panic!("{}", failure.breach));
    let decided = |entry: &&Sealed| {
        let Fact::ChangeMoved { second, step, .. } = entry.open().unwrap().fact else {
            return false;
        };
        matches!(*step, ChangeStep::Decided { applied: false, .. }) && second.is_some()
    };
    assert!(night.entries.iter().any(|entry| decided(&entry)));
}

/// What a witness says of the facts of nights that were altered.
fn found(nights: &[(Scenario, Night)], altered: &dyn Fn(Entry) -> Vec<Entry>) -> BTreeSet<u64> {
    let breaks = |(scenario, night): &&(Scenario, Night)| {
        let site = made(&mut Dice::new(scenario.seed), scenario.jobs as usize).unwrap().site;
        let mut witness = Witness::of("made-up", site);
        let opened = night.drawn.iter();
        opened.for_each(|(digest, site)| witness.state.define(digest, site.clone()));
        let entries = night.entries.iter().map(|sealed| sealed.open().unwrap());
        let mut entries = entries.flat_map(altered);
        let mut step = None;
        entries.any(|entry| {
            let over = step.replace(entry.at).filter(|at| *at != entry.at);
            let said = over.map_or(Ok(()), |at| witness.look_at_weeks(at));
            let said = said.and_then(|()| witness.of_changes(entry.at, &entry.fact));
            matches!(
                said,
                Err(Violation::Closed(..) | Violation::Listed(..) | Violation::Weekly(..))
            )
        })
    };
    nights.iter().filter(breaks).map(|(scenario, _)| scenario.seed).collect()
}

fn moved(entry: &mut Entry, alter: impl FnOnce(&mut crate::types::PersonId, &mut ChangeStep)) {
    if let Fact::ChangeMoved { by, step, .. } = &mut entry.fact {
        alter(by, step);
    }
}

fn opened(entry: &mut Entry, alter: impl FnOnce(&mut RunOpened)) {
    if let Fact::RunOpened(opened) = &mut entry.fact {
        alter(opened);
    }
}

/// In every made-up night all of it is checked; here it is shown that each check finds something.
#[test]
fn what_is_closed_listed_or_told_against_the_rules_is_found_out() {
    let nights: Vec<(Scenario, Night)> = (0..24).map(night).collect();
    let count = |altered: &dyn Fn(Entry) -> Vec<Entry>| found(&nights, altered).len();
    assert_eq!(count(&|entry| vec![entry]), 0);

    let is_closing = |entry: &Entry| {
        let Fact::ChangeMoved { step, .. } = &entry.fact else { return false };
        let ChangeStep::Confirmed { item, .. } = &**step else { return false };
        !["late", "people-present"].contains(&item.as_str())
    };
    let unsaid = count(&|entry| if is_closing(&entry) { Vec::new() } else { vec![entry] });
    let own = count(&|mut entry| {
        let closing = is_closing(&entry);
        moved(&mut entry, |by, _| {
            if closing {
                *by = author().unwrap();
            }
        });
        vec![entry]
    });
    let others = count(&|mut entry| {
        opened(&mut entry, |opened| {
            let listed = opened.list.iter_mut().flat_map(|list| &mut list.changes);
            listed.for_each(|change| change.digest.push('0'));
        });
        vec![entry]
    });
    let unapproved = count(&|entry| match &entry.fact {
        Fact::ChangeMoved { step, .. } if matches!(**step, ChangeStep::Approved { .. }) => {
            Vec::new()
        }
        _ => vec![entry],
    });
    let forgotten = count(&|mut entry| {
        opened(&mut entry, |opened| {
            opened.list.iter_mut().for_each(|list| list.left_out.clear());
        });
        vec![entry]
    });
    let twice = count(&|entry| match &entry.fact {
        Fact::WeeklyTold(told) if !told.notices.is_empty() => vec![entry.clone(), entry],
        _ => vec![entry],
    });
    let never = count(&|mut entry| {
        if let Fact::WeeklyTold(told) = &mut entry.fact {
            told.notices.clear();
        }
        vec![entry]
    });
    let all = [unsaid, own, others, unapproved, forgotten, twice, never];
    assert!(all.iter().all(|count| *count > 2), "{all:?} of 24 nights");
}
