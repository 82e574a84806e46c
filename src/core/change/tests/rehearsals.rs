//! Where a change is rehearsed, and which environments ask for that.

use std::time::Duration;

use super::house::{ALL, House, change};
use crate::core::change::Missing;
use crate::definition::starter;
use crate::wire::ChangeState::{Done, FailedClean, RolledBack};
use crate::wire::Did;

const COPY: &str = "targets: {uat: uat, production: prod}";

/// Where UAT is in the way of an environment: not done there, or not rehearsed.
fn asked(house: &House, environment: &str) -> Vec<String> {
    let missing = house.desk(&change("fix")).promoted(environment, house.at);
    let of = missing.into_iter().filter_map(|missing| match missing {
        Missing::Rehearsal { environment } | Missing::Promotion { environment } => {
            (environment == "uat").then_some(environment)
        }
        _ => None,
    });
    of.collect()
}

#[test]
fn what_counts_as_a_rehearsal_is_asked_for_by_every_later_environment() {
    let whole = &Did::ALL[..];
    let attempts: [(&[_], bool); 9] = [
        (&[], false),
        (&[(Done, &[][..])], false),
        (&[(Done, whole)], true),
        // Rolled back because it did not verify, cut off, or not done after it.
        (&[(Done, &[Did::Changed, Did::RolledBack, Did::FormerVerified])], false),
        (&[(Done, &whole[..3])], false),
        (&[(FailedClean, whole)], false),
        (&[(RolledBack, whole)], false),
        // One after the other.
        (&[(RolledBack, &[]), (Done, &[])], true),
        (&[(Done, whole), (Done, &[])], true),
    ];
    for (attempts, counts) in attempts {
        let mut house =
            House::new(starter::House::H, &[("fix", &format!("class: release\n{ALL}"))]);
        house.at("2026-10-20T11:30");
        for attempt in attempts {
            house.ended("fix", "uat", *attempt);
        }
        for environment in ["pre-production", "production"] {
            let missing = if counts { vec![] } else { vec!["uat".to_owned()] };
            assert_eq!(asked(&house, environment), missing, "{attempts:?}");
        }
        assert_eq!(asked(&house, "uat"), Vec::<String>::new());
        if counts {
            house.at("2026-11-19T11:31");
            assert_eq!(asked(&house, "production"), ["uat"], "after 30 days");
        }
    }
}

#[test]
fn a_data_change_is_rehearsed_where_it_goes_to_a_copy() {
    let mut house = House::new(starter::House::H, &[("fix", &format!("class: data\n{COPY}"))]);
    house.at("2026-10-20T11:30");
    assert_eq!(asked(&house, "production"), ["uat"]);
    house.ended("fix", "uat", (Done, &Did::ALL));
    assert_eq!(asked(&house, "production"), Vec::<String>::new());
    let other = House::new(starter::House::H, &[("fix", "class: data\ntarget: prod")]);
    assert_eq!(asked(&other, "production"), Vec::<String>::new());
}

#[test]
fn a_window_must_hold_all_of_it() {
    let house = House::new(starter::House::H, &[("fix", &format!("class: release\n{ALL}"))]);
    let id = change("fix");
    let desk = house.desk(&id);
    let minutes = |n: u64| Duration::from_secs(60 * n);
    // Expected 2 min, verification 1 min, rollback 1 min.
    assert_eq!(desk.must_fit("production"), minutes(3 + 1 + 1));
    assert_eq!(desk.must_fit("uat"), minutes(2 * 3 + 3 + 2));
}
