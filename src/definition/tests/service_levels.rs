//! Service levels: what is wrong of their figures, and the table that is shipped.

use super::{load, sound, texts};
use crate::definition::site::{FigureLimit, FigureSource};
use crate::types::{FigureClass, Misses, PeriodKind};

#[test]
fn every_defect_of_a_figure_has_its_place() {
    let levels = "\
version: 1
penalties: {key: 20000, ordinary: -1, more: {amount: 10000, key: 0}}
figures:
  unlimited: {title: U, class: key, period: quarter, source: entered}
  twice: {title: T, class: key, period: quarter, source: entered, at_most: 0, at_least: 1}
  half: {title: H, class: ordinary, period: quarter, source: entered, at_most: 0.5}
  odd: {title: O, class: minor, period: year, source: guessed, at_most: none}
  much: {title: M, class: key, period: quarter, source: availability, at_least: 100.1}
  unit: {title: U, class: key, period: quarter, source: availability, at_least: 99, unit: hours}
  each: {title: E, class: key, period: week, source: entered, at_least: 40, misses: each}
  bare: {title: B, class: key, period: quarter, source: late, at_most: 0}
  drills:
    title: D
    class: key
    period: quarter
    source: late
    at_most: 0
    incidents: {clock: response, kinds: [drill]}
  unwatched:
    title: U
    class: key
    period: quarter
    source: late-hours
    at_most: 0
    incidents: {clock: on-site, kinds: [problem]}
  astray:
    title: A
    class: key
    period: quarter
    source: entered
    at_most: 0
    incidents: {clock: response}
    parts: {}
  split:
    title: S
    class: key
    period: quarter
    source: availability
    at_least: 99
    parts: {a: {title: A, every: 0}}
";
    insta::assert_snapshot!(texts(&load(&sound(&[("service-levels.yaml", levels)]))));
    let none = texts(&load(&sound(&[("service-levels.yaml", "version: 1\nfigures: {}\n")])));
    assert!(none.contains("no figure is counted"), "{none}");
    let rounds = "version: 1\nfigures:\n  missed: {title: M, class: key, period: quarter, \
                  source: missed-inspections, at_most: 0}\n";
    let site =
        super::super::starter::FILES.iter().find(|(path, _)| *path == "site.yaml").unwrap().1;
    let (site, _) = site.split_once("inspections:").unwrap();
    let of =
        |site: &str| texts(&load(&sound(&[("site.yaml", site), ("service-levels.yaml", rounds)])));
    assert!(of(site).contains("counts no inspections"), "{}", of(site));
    assert_eq!(of(&format!("{site}inspections: {{rounds: [{{batch: hello, per_day: 4}}]}}\n")), "");
}

/// Each number of S1, as the shipped table has it.
#[test]
fn the_shipped_table_is_that_of_the_requirement() {
    let levels = include_str!("../../../jobs/service-levels.yaml");
    let clocks = include_str!("../../../jobs/escalation.yaml");
    let loaded = load(&sound(&[
        ("service-levels.yaml", levels),
        (
            "escalation.yaml",
            &format!(
                "version: 1\npolicies: {{duty: {{title: D, steps: [{{tell: {{roles: [duty]}}}}]}}}}\n\
                 policy: duty\n{}",
                &clocks[clocks.find("clocks:").unwrap()..clocks.find("drills:").unwrap()]
            ),
        ),
    ]));
    assert_eq!(texts(&loaded), "");
    let site = loaded.site.unwrap();
    let digest = crate::definition::copy::sha256(levels.as_bytes());
    let levels = site.service_levels.unwrap();
    assert_eq!(levels.digest, digest, "as `sha256sum` has it");
    let more = levels.penalties.more.unwrap();
    assert_eq!((levels.penalties.key, levels.penalties.ordinary), (20_000, 5_000));
    assert_eq!((more.amount, more.key, more.ordinary), (10_000, 2, 4));
    let of =
        |name: &str| levels.figures.iter().find(|figure| figure.name.as_str() == name).unwrap();
    let limit = |name| match of(name).limit {
        FigureLimit::AtMost(most) => format!("at most {most}"),
        FigureLimit::AtLeast(least) => format!("at least {least}"),
    };
    for (name, wanted) in [
        ("staff-sent-back", "at most 0"),
        ("availability", "at least 99.9"),
        ("on-site-hours", "at least 40"),
        ("requests-answered-late", "at most 10"),
        ("document-errors", "at most 5"),
        ("problems-solved-late", "at most 0"),
    ] {
        assert_eq!(limit(name), wanted, "{name}");
    }
    let key = levels.figures.iter().filter(|figure| figure.class == FigureClass::Key);
    assert_eq!((key.count(), levels.figures.len()), (4, 14));
    assert_eq!(of("on-site-hours").period, PeriodKind::Week);
    assert_eq!(of("faults-solved-late").misses, Misses::Each);
    let FigureSource::Entered { parts } = &of("document-errors").source else { panic!() };
    assert_eq!(parts.values().map(|part| part.every).collect::<Vec<_>>(), [5, 1]);
}
