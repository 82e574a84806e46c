//! What is drawn of a night, and what a page needs for it.

use std::collections::BTreeSet;

use super::*;
use crate::render::sample::{after, bad_night, good_night, name, running_night};
use crate::view::report::ReportView;

/// Classes that a drawing uses.
fn classes(svg: &str) -> BTreeSet<&str> {
    svg.split("class=\"")
        .skip(1)
        .flat_map(|part| part.split('"').next().unwrap().split(' '))
        .collect()
}

#[test]
fn a_page_that_allows_no_style_within_has_every_colour_in_its_stylesheet() {
    for night in [good_night(), bad_night(), running_night()] {
        let bare = bare(Lang::En, &night.head, &night.jobs).unwrap();
        assert!(!bare.contains("<style") && !bare.contains("style="), "{bare}");
        for class in classes(&bare) {
            let rule = format!(".{class}{{");
            assert!(STYLE.contains(&rule), "no rule for {class}");
        }
        assert!(svg(Lang::En, &night.head, &night.jobs).unwrap().contains(STYLE.trim_end()));
    }
}

#[test]
fn windows_and_freezes_have_a_lane_each_as_far_as_the_drawing_reaches() {
    let mut night = good_night();
    let drawn = |night: &ReportView| svg(Lang::En, &night.head, &night.jobs).unwrap();
    let svg = drawn(&night);
    assert!(svg.contains(">Window: Database changes at n...</text>"), "{svg}");
    assert!(svg.contains("22:00-02:00"), "its times are told");
    assert!(svg.contains("<rect class=\"frozen\"") && svg.contains("<rect class=\"shut\""));
    // A window that does not open in this night is told of; a freeze of another night is not.
    let another = vec![(after(-900.0), after(-800.0))];
    night.head.bands.iter_mut().for_each(|band| band.spans.clone_from(&another));
    let svg = drawn(&night);
    assert!(svg.contains(">Window: Database"));
    assert!(!svg.contains("<rect class=\"open\"") && !svg.contains("Freeze:"), "{svg}");
}

#[test]
fn a_drawing_of_500_jobs_is_bounded_and_keeps_what_matters() {
    let mut night = good_night();
    night.head.bands.clear();
    let spare = night.jobs[4].clone();
    for i in 0..500 {
        let mut line = spare.clone();
        line.name = name(&format!("filler-{i:03}"));
        night.jobs.push(line);
    }
    let svg = svg(Lang::En, &night.head, &night.jobs).unwrap();
    assert_eq!(svg.matches("<g>").count(), 150);
    assert!(svg.contains("+374 more"), "524 have a time");
    assert!(svg.contains(">customer-mailing<"), "a failed job is drawn");
    assert!(svg.contains(">backup-db ◆<"), "the critical path is drawn");
}

#[test]
fn a_run_of_seconds_has_ticks_of_seconds_and_a_night_has_hours() {
    let tick_texts = |view: &ReportView| -> Vec<String> {
        let svg = svg(Lang::En, &view.head, &view.jobs).unwrap();
        svg.split("font-size=\"11\">")
            .skip(1)
            .filter_map(|part| part.split('<').next())
            .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
            .map(str::to_owned)
            .collect()
    };
    let night = tick_texts(&good_night());
    assert_eq!(night.first().map(String::as_str), Some("22:00"), "{night:?}");
    assert!((5..=11).contains(&night.len()), "{night:?}");
    let mut short = good_night();
    short.jobs.truncate(1);
    let seconds = tick_texts(&short);
    assert!(seconds.contains(&"21:30:05".to_owned()), "{seconds:?}");
    assert!(seconds.len() <= 11, "{seconds:?}");
    short.jobs.clear();
    assert_eq!(svg(Lang::En, &short.head, &short.jobs), None);
}
