use std::collections::BTreeSet;

use super::*;
use crate::core::check::{Severity, check};
use crate::definition::site::{Kind, NeedOf};
use crate::types::Condition;

const JOBS: [usize; 4] = [1, 8, 42, 100];

fn sample(seeds: std::ops::Range<u64>) -> impl Iterator<Item = (u64, Made)> {
    seeds.map(|seed| (seed, made(&mut Dice::new(seed), JOBS[seed as usize % 4]).unwrap()))
}

#[test]
fn no_made_up_site_has_an_error() {
    for (seed, made) in sample(0..60) {
        let found = check(&made.site, made.site.zone.tz().to_datetime(made.begins).date());
        let errors: Vec<_> =
            found.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "seed {seed}: {errors:#?}");
    }
}

#[test]
fn a_site_has_as_many_jobs_as_were_asked_for_and_every_order_holds() {
    for (seed, made) in sample(0..200) {
        let jobs: usize = made.site.batches.values().map(|batch| batch.jobs.len()).sum();
        assert_eq!(jobs, JOBS[seed as usize % 4]);
        assert!(made.asked.len() >= made.site.batches.len());
        assert!(made.asked.is_sorted_by_key(|asked| asked.at), "seed {seed}");
    }
}

/// Whatever a site can say is said by some of them.
#[test]
fn everything_that_a_site_can_say_is_made() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let first_word = |text: String| text.split([' ', '(', '{']).next().unwrap().to_owned();
    for (_, made) in sample(0..400) {
        seen.extend(made.site.windows.keys().map(|class| format!("window {class}")));
        seen.insert(format!("zone {}", made.site.zone));
        seen.insert(format!("freezes {}", made.site.freezes.len()));
        for asked in &made.asked {
            seen.insert(format!("trial {}", asked.order.trial));
            seen.insert(format!("override {}", asked.order.window_override.is_some()));
            seen.insert(format!("part {}", !asked.order.only.is_empty()));
        }
        seen.insert(format!("news {}", !made.news.is_empty()));
        for job in made.site.batches.values().flat_map(|batch| &batch.jobs) {
            seen.insert(first_word(format!("{:?}", job.kind)));
            seen.extend(job.days.iter().map(|rule| first_word(format!("{:?}", rule.days))));
            seen.extend(job.retry.on.iter().map(|kind| format!("{kind:?}")));
            for need in &job.needs {
                let across = matches!(&need.of, NeedOf::Across { offset, .. } if *offset != 0);
                let when = match need.when {
                    Condition::Ok => "ok",
                    Condition::Ended => "ended",
                    Condition::Failed => "failed",
                };
                let same = matches!(need.of, NeedOf::Job(_));
                seen.insert(format!("need {when} same {same} former {across}"));
            }
            if matches!(job.kind, Kind::Change { .. }) {
                assert!(!job.retry.on.iter().any(|on| format!("{on:?}") == "Lost"));
            }
        }
    }
    for wanted in [
        "window evening",
        "window night",
        "window twice",
        "window weekly",
        "window business",
        "window ending",
        "window abroad",
        "window season",
        "window brief",
        "zone UTC",
        "zone Asia/Shanghai",
        "zone Europe/Berlin",
        "zone America/New_York",
        "freezes 0",
        "freezes 3",
        "trial true",
        "override true",
        "part true",
        "news true",
        "Run",
        "Shell",
        "Sql",
        "Change",
        "WaitFile",
        "WaitUntil",
        "WaitEvent",
        "WaitSql",
        "Confirm",
        "Inspect",
        "EveryDay",
        "Weekdays",
        "EveryBusinessDay",
        "NthBusinessDay",
        "Once",
        "Exit",
        "Signal",
        "Timeout",
        "OutputLimit",
        "CouldNotStart",
        "Lost",
        "Unknown",
        "need ok same true former false",
        "need ended same true former false",
        "need failed same true former false",
        "need ok same false former false",
        "need ended same false former false",
        "need ok same false former true",
        "need failed same false former true",
    ] {
        assert!(seen.contains(wanted), "{wanted} is never made: {seen:#?}");
    }
}
