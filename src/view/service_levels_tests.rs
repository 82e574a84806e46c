use std::sync::Arc;

use super::*;
use crate::core::fact::{Fact, Moved, Opened};
use crate::core::incident::Clock;
use crate::core::inspection::{BatchCount, DayCount};
use crate::core::test_site;
use crate::definition::site::{MorePenalty, ServiceLevels};
use crate::types::{BatchId, ClockKind, IncidentKind, PeriodKind, PersonId, Severity, Zone};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn name(text: &str) -> FigureName {
    FigureName::new(text).unwrap()
}

fn figure(of: &str, source: FigureSource) -> Figure {
    Figure {
        name: name(of),
        title: Text::en(of),
        class: FigureClass::Ordinary,
        period: PeriodKind::Quarter,
        limit: FigureLimit::AtMost(Amount::whole(0)),
        unit: FigureUnit::Number,
        source,
        misses: Misses::Once,
    }
}

fn entered(of: &str) -> Figure {
    figure(of, FigureSource::Entered { parts: BTreeMap::new() })
}

fn of_faults(clock: ClockKind) -> LateIncidents {
    let (kinds, severities) = (vec![IncidentKind::Fault], Vec::new());
    LateIncidents { clock, kinds, severities, without_third_party: false }
}

fn house(figures: Vec<Figure>) -> Site {
    let more = Some(MorePenalty { amount: 10_000, key: 2, ordinary: 4 });
    let penalties = Penalties { key: 20_000, ordinary: 5_000, more };
    let mut site = test_site::site(Vec::new());
    let (currency, digest) = ("CNY".to_owned(), "3fa9".to_owned());
    let levels = ServiceLevels { digest, currency, penalties, figures };
    site.service_levels = Some(Arc::new(levels));
    site
}

/// Facts of a time that is long over, and of which nothing is missing.
#[derive(Default)]
struct World(State);

impl World {
    fn take(&mut self, when: &str, fact: Fact) {
        self.0.apply(at(when), &fact).unwrap();
    }

    /// An incident with a limit.
    fn opened(&mut self, number: u64, when: &str, clock: (ClockKind, &str)) {
        let clocks = vec![Clock { kind: clock.0, due: at(clock.1) }];
        let about = Opened::about(IncidentId(number), None, None);
        self.take(when, Fact::IncidentOpened(Box::new(Opened { clocks, ..about })));
    }

    fn step(&mut self, number: u64, when: &str, step: IncidentStep) {
        let known = self.0.incidents[&IncidentId(number)].steps.len();
        self.take(
            when,
            Fact::IncidentMoved(Box::new(Moved {
                incident: IncidentId(number),
                run: None,
                number: u32::try_from(known + 1).unwrap(),
                by: Some(PersonId::new("ann").unwrap()),
                reason: String::new(),
                step,
            })),
        );
    }

    fn interrupted(&mut self, number: u64, service: &str, (from, to): (&str, &str), outside: &str) {
        let (from, to) = (at(from), at(to));
        let (service, outside) = (service.to_owned(), outside.to_owned());
        let step = IncidentStep::Interruption { service, from, to, outside };
        self.step(number, "2027-02-01T00:00:00Z", step);
    }

    fn counted(&mut self, date: &str, missed: u32) {
        let batch = BatchId::new("look").unwrap();
        let batches = vec![BatchCount { batch, wanted: 4, done: 4 - missed }];
        let counted = DayCount { date: date.parse().unwrap(), batches };
        self.take("2027-01-01T00:00:00Z", Fact::InspectionsCounted(Box::new(counted)));
    }

    fn entered(&mut self, when: &str, of: &str, period: &str, (number, value): (u32, &str)) {
        let entered = FigureEntered {
            figure: name(of),
            period: period.parse().unwrap(),
            number,
            value: value.parse().unwrap(),
            parts: BTreeMap::new(),
            by: PersonId::new("ann").unwrap(),
            source: "sheet".to_owned(),
        };
        self.take(when, Fact::FigureEntered(Box::new(entered)));
    }

    fn levels(&self, site: &Site, period: &str, now: &str) -> LevelsView {
        let whole_since = Timestamp::MIN;
        let counted = Counted { site, state: &self.0, now: at(now), whole_since };
        counted.levels(period.parse().unwrap()).unwrap()
    }

    /// Value and level of the only figure.
    fn only(&self, site: &Site, period: &str) -> (String, Level) {
        let levels = self.levels(site, period, LATER);
        let [line] = &levels.lines[..] else { panic!("{levels:?}") };
        (line.value.map_or("-".to_owned(), |value| value.to_string()), line.level)
    }
}

const LATER: &str = "2027-06-01T00:00:00Z";

/// A limit belongs to the quarter that it passes in, whenever its incident began or ended; each further hour to its own.
#[test]
fn a_limit_counts_in_the_quarter_in_which_it_passes() {
    let response = ClockKind::Response;
    let mut world = World::default();
    // Opened in one quarter, late in the next.
    world.opened(1, "2026-12-31T23:50:00Z", (response, "2027-01-01T00:20:00Z"));
    world.step(1, "2027-01-01T00:40:00Z", IncidentStep::Acknowledged);
    // Late ten minutes before midnight, by two hours and ten minutes.
    world.opened(2, "2026-12-31T23:20:00Z", (response, "2026-12-31T23:50:00Z"));
    world.step(2, "2027-01-01T02:00:00Z", IncidentStep::Acknowledged);
    // At the last moment.
    world.opened(3, "2026-11-01T00:00:00Z", (response, "2026-11-01T00:30:00Z"));
    world.step(3, "2026-11-01T00:30:00Z", IncidentStep::Acknowledged);
    // Due at midnight exactly.
    world.opened(4, "2026-12-31T23:30:00Z", (response, "2027-01-01T00:00:00Z"));
    world.step(4, "2027-01-01T01:00:00Z", IncidentStep::Acknowledged);

    let late = house(vec![figure("late", FigureSource::Late(of_faults(response)))]);
    let hours = house(vec![figure("hours", FigureSource::LateHours(of_faults(response)))]);
    for (period, times, counted, incidents) in [
        ("2026-Q3", "0", "0", &[][..]),
        ("2026-Q4", "1", "1", &[2][..]),
        ("2027-Q1", "2", "4", &[1, 4][..]),
        ("2027-Q2", "0", "0", &[][..]),
    ] {
        let now = "2027-12-01T00:00:00Z";
        let line = |site| world.levels(site, period, now).lines.remove(0);
        assert_eq!(line(&late).value.unwrap().to_string(), times, "{period}");
        assert_eq!(
            line(&late).incidents,
            incidents.iter().map(|n| IncidentId(*n)).collect::<Vec<_>>()
        );
        assert_eq!(line(&hours).value.unwrap().to_string(), counted, "{period} by the hour");
    }
    // Zones begin their quarters at other instants.
    let mut shanghai = late.clone();
    shanghai.zone = Zone::named("Asia/Shanghai").unwrap();
    assert_eq!(world.only(&shanghai, "2027-Q1").0, "3");
}

#[test]
fn incidents_count_by_kind_grade_and_whether_a_third_party_was_called() {
    let solution = ClockKind::Solution;
    let mut world = World::default();
    for number in 1..=5 {
        world.opened(number, "2026-11-01T00:00:00Z", (solution, "2026-11-01T01:00:00Z"));
    }
    let third = IncidentStep::ThirdParty { whom: "carrier".into() };
    world.step(2, "2026-11-01T00:30:00Z", third);
    for (number, change) in [
        (3, Box::new(|what: &mut Opened| what.kind = IncidentKind::Request) as Box<dyn Fn(&mut _)>),
        (4, Box::new(|what: &mut Opened| what.kind = IncidentKind::Drill)),
        (5, Box::new(|what: &mut Opened| what.trial = true)),
    ] {
        change(&mut world.0.incidents.get_mut(&IncidentId(number)).unwrap().what);
    }
    let all = LateIncidents { kinds: Vec::new(), ..of_faults(solution) };
    let of = |rule: &LateIncidents| {
        world.only(&house(vec![figure("late", FigureSource::Late(rule.clone()))]), "2026-Q4").0
    };
    assert_eq!(of(&all), "3");
    assert_eq!(of(&of_faults(solution)), "2");
    assert_eq!(of(&LateIncidents { without_third_party: true, ..of_faults(solution) }), "1");
    assert_eq!(of(&LateIncidents { severities: vec![Severity::P1], ..all.clone() }), "0");
    assert_eq!(of(&of_faults(ClockKind::Report)), "0", "a limit that they do not have");
}

/// A limit that has passed stays so, whatever grade follows, and is counted where it passed first.
#[test]
fn a_later_grade_undoes_no_miss_and_counts_it_once() {
    let solution = ClockKind::Solution;
    let graded = |severity, clocks: &[(ClockKind, &str)]| {
        let clocks = clocks.iter().map(|(kind, due)| Clock { kind: *kind, due: at(due) }).collect();
        IncidentStep::Graded { severity, clocks }
    };
    let mut world = World::default();
    for number in 1..=4 {
        world.opened(number, "2026-11-01T00:00:00Z", (solution, "2026-11-01T01:00:00Z"));
    }
    // Late, and put off: once nightrun had counted it, before it did, for a limit it has no more.
    world.step(1, "2026-11-01T01:00:00Z", IncidentStep::Breached { clocks: vec![solution] });
    world.step(
        1,
        "2026-11-01T01:30:00Z",
        graded(Severity::P3, &[(solution, "2026-11-05T00:00:00Z")]),
    );
    world.step(
        2,
        "2026-11-01T01:30:00Z",
        graded(Severity::P3, &[(solution, "2026-11-05T00:00:00Z")]),
    );
    world.step(3, "2026-11-01T01:30:00Z", graded(Severity::P3, &[]));
    // In time, and not late by the grade that it had then.
    world.step(
        4,
        "2026-11-01T00:30:00Z",
        graded(Severity::P3, &[(solution, "2026-11-05T00:00:00Z")]),
    );
    for number in 1..=4 {
        let solved = IncidentStep::Resolved { cause: String::new(), measure: String::new() };
        world.step(number, "2026-11-01T03:00:00Z", solved);
    }
    let of = |world: &World, rule: &LateIncidents, period: &str| {
        let late = house(vec![figure("late", FigureSource::Late(rule.clone()))]);
        let hours = house(vec![figure("hours", FigureSource::LateHours(rule.clone()))]);
        (world.only(&late, period).0, world.only(&hours, period).0)
    };
    let all = of_faults(solution);
    let counted = |late: &str, hours: &str| (late.to_owned(), hours.to_owned());
    assert_eq!(of(&world, &all, "2026-Q4"), counted("3", "6"));
    let second = LateIncidents { severities: vec![Severity::P2], ..all.clone() };
    assert_eq!(
        of(&world, &second, "2026-Q4"),
        counted("3", "6"),
        "of the grade that it was late by"
    );

    // Graded in the next quarter, to a limit in it, or to one that would have passed in the former.
    let mut world = World::default();
    world.opened(1, "2026-12-31T22:00:00Z", (solution, "2026-12-31T23:00:00Z"));
    world.opened(2, "2026-12-31T22:00:00Z", (solution, "2027-01-08T00:00:00Z"));
    world.step(
        1,
        "2027-01-01T00:30:00Z",
        graded(Severity::P3, &[(solution, "2027-01-02T00:00:00Z")]),
    );
    world.step(
        2,
        "2027-01-01T00:30:00Z",
        graded(Severity::P1, &[(solution, "2026-12-31T23:00:00Z")]),
    );
    for number in [1, 2] {
        let solved = IncidentStep::Resolved { cause: String::new(), measure: String::new() };
        world.step(number, "2027-01-03T00:00:00Z", solved);
    }
    assert_eq!(of(&world, &all, "2026-Q4"), counted("1", "1"));
    assert_eq!(
        of(&world, &all, "2027-Q1"),
        counted("1", "97"),
        "48 more hours of one, 49 of the other"
    );
}

/// Only a call before the limit makes a fault that of somebody else; and who need not be called is not called late.
#[test]
fn a_third_party_exempts_that_was_called_in_time_and_is_late_where_it_was_needed() {
    let (solution, third) = (ClockKind::Solution, ClockKind::ThirdParty);
    let mut world = World::default();
    let call = |world: &mut World, number, when: &str| {
        world.step(number, when, IncidentStep::ThirdParty { whom: "carrier".into() });
    };
    let solve = |world: &mut World, number, when: &str| {
        let solved = IncidentStep::Resolved { cause: String::new(), measure: String::new() };
        world.step(number, when, solved);
    };
    for number in 1..=5 {
        let clocks = [solution, third].map(|kind| Clock { kind, due: at("2026-11-01T01:00:00Z") });
        let about = Opened::about(IncidentId(number), None, None);
        let opened = Opened { clocks: clocks.into(), ..about };
        world.take("2026-11-01T00:00:00Z", Fact::IncidentOpened(Box::new(opened)));
    }
    // Called at the last moment, and too late; solved by the team, late; not solved for days, nobody called.
    call(&mut world, 1, "2026-11-01T01:00:00Z");
    solve(&mut world, 1, "2026-11-01T05:00:00Z");
    call(&mut world, 2, "2026-11-01T04:00:00Z");
    solve(&mut world, 2, "2026-11-01T05:00:00Z");
    solve(&mut world, 3, "2026-11-01T02:00:00Z");
    call(&mut world, 4, "2026-12-30T00:00:00Z");
    let which = |rule: LateIncidents| {
        let site = house(vec![figure("late", FigureSource::Late(rule))]);
        let line = world.levels(&site, "2026-Q4", LATER).lines.remove(0);
        line.incidents.iter().map(|incident| incident.0).collect::<Vec<_>>()
    };
    let without_third_party = true;
    let own = LateIncidents { without_third_party, ..of_faults(solution) };
    assert_eq!(which(own), [2, 3, 4, 5]);
    assert_eq!(which(of_faults(third)), [2, 4, 5]);
}

/// A quarter of 92 days has 132,480 minutes: 0.1 % are 132.48.
#[test]
fn availability_counts_overlaps_once_and_causes_outside_not_at_all() {
    let figure = Figure {
        limit: FigureLimit::AtLeast("99.9".parse().unwrap()),
        unit: FigureUnit::Percent,
        ..figure("availability", FigureSource::Availability)
    };
    let site = house(vec![figure]);
    let mut world = World::default();
    assert_eq!(world.only(&site, "2026-Q4"), ("100".into(), Level::Kept));
    world.opened(1, "2026-10-01T00:00:00Z", (ClockKind::Response, LATER));
    let day =
        |from: &str, to: &str| (format!("2026-11-01T{from}:00Z"), format!("2026-11-01T{to}:00Z"));
    for (service, (from, to), outside) in [
        ("netbank", day("10:00", "11:30"), ""),
        ("Netbank ", day("11:00", "12:12"), ""),
        ("NETBANK", day("13:00", "23:00"), "the carrier"),
        ("clearing", day("10:00", "11:00"), ""),
    ] {
        world.interrupted(1, service, (&from, &to), outside);
    }
    assert_eq!(world.only(&site, "2026-Q4"), ("99.9".into(), Level::Kept), "132 minutes");
    assert_eq!(world.levels(&site, "2026-Q4", LATER).lines[0].service.as_deref(), Some("netbank"));
    // Over midnight of the quarter's end: only what lies in it.
    world.interrupted(1, "netbank", ("2026-12-31T23:59:00Z", "2027-01-01T05:00:00Z"), "");
    assert_eq!(world.only(&site, "2026-Q4"), ("99.899".into(), Level::Missed), "133 minutes");
    let (value, level) = world.only(&site, "2027-Q1");
    assert_eq!((value.as_str(), level), ("99.768", Level::Missed), "300 of 129,600 minutes");
}

#[test]
fn inspections_count_when_every_day_of_the_quarter_was_counted() {
    let site = house(vec![figure("missed", FigureSource::MissedInspections)]);
    let mut world = World::default();
    assert_eq!(world.only(&site, "2026-Q4"), ("0".into(), Level::NotWhole));
    world.counted("2026-09-30", 3);
    let first: Date = "2026-10-01".parse().unwrap();
    for date in first.series(1.day()).take(92).filter(|date| date.to_string() != "2026-11-05") {
        world.counted(&date.to_string(), 0);
    }
    assert_eq!(world.only(&site, "2026-Q4"), ("0".into(), Level::NotWhole), "91 of 92 days");
    world.counted("2026-11-05", 0);
    assert_eq!(world.only(&site, "2026-Q4"), ("0".into(), Level::Kept));
    world.counted("2026-11-05", 2);
    assert_eq!(world.only(&site, "2026-Q4"), ("2".into(), Level::Missed));
    // Counting began in that quarter, with its last day.
    assert_eq!(world.only(&site, "2026-Q3"), ("3".into(), Level::Missed), "more can only be worse");
    assert_eq!(world.only(&site, "2027-Q1"), ("0".into(), Level::NotWhole));
}

/// What nobody has entered, or entered while the period went on, has no verdict; what is broken for good has.
#[test]
fn an_entered_figure_is_known_when_it_was_entered_after_its_period() {
    let hours = Figure {
        period: PeriodKind::Week,
        limit: FigureLimit::AtLeast(Amount::whole(40)),
        unit: FigureUnit::Hours,
        ..entered("hours")
    };
    let (site, weeks) = (house(vec![entered("errors")]), house(vec![hours]));
    let mut world = World::default();
    let q4 = |world: &World| world.only(&site, "2026-Q4");
    assert_eq!(q4(&world), ("-".into(), Level::NotEntered));
    world.entered("2026-11-01T00:00:00Z", "errors", "2026-Q4", (1, "0"));
    assert_eq!(q4(&world), ("0".into(), Level::NotOver));
    world.entered("2026-12-01T00:00:00Z", "errors", "2026-Q4", (2, "1"));
    assert_eq!(q4(&world), ("1".into(), Level::Missed));
    world.entered("2027-01-01T00:00:00Z", "errors", "2026-Q4", (3, "0"));
    assert_eq!(q4(&world), ("0".into(), Level::Kept));
    let line = &world.levels(&site, "2026-Q4", LATER).lines[0];
    let kept: Vec<String> = line.entered.iter().map(|entry| entry.value.to_string()).collect();
    assert_eq!((kept.join(" "), line.entered[2].source.as_str()), ("0 1 0".into(), "sheet"));

    world.entered("2026-10-30T00:00:00Z", "hours", "2026-W44", (1, "12"));
    assert_eq!(world.only(&weeks, "2026-W44"), ("12".into(), Level::NotOver), "hours are added");
    world.entered("2026-11-02T00:00:00Z", "hours", "2026-W44", (2, "39.5"));
    assert_eq!(world.only(&weeks, "2026-W44"), ("39.5".into(), Level::Missed));
    // In the quarter each of its weeks that has begun.
    let levels = world.levels(&weeks, "2026-Q4", "2026-11-03T00:00:00Z");
    assert_eq!((levels.lines.len(), levels.not_known, levels.ordinary_misses), (6, 5, 1));
    assert!(levels.lines.iter().any(|line| line.period.to_string() == "2026-W44"));
    assert!(world.levels(&weeks, "2026-11", LATER).lines[0].period.to_string() == "2026-W44");
}

/// Of a period that goes on, or of which something is missing, a count is known once it is too high, and nothing else.
#[test]
fn what_is_not_whole_has_no_verdict_but_that_it_is_broken() {
    let late = || figure("late", FigureSource::Late(of_faults(ClockKind::Response)));
    let few = house(vec![late()]);
    let many = house(vec![Figure { limit: FigureLimit::AtMost(Amount::whole(1)), ..late() }]);
    let mut world = World::default();
    world.opened(1, "2026-11-01T00:00:00Z", (ClockKind::Response, "2026-11-01T00:30:00Z"));
    let level = |site: &Site, now: &str, since: &str| {
        let (now, whole_since) = (at(now), at(since));
        let counted = Counted { site, state: &world.0, now, whole_since };
        counted.levels("2026-Q4".parse().unwrap()).unwrap().lines[0].level
    };
    let begin = "2026-10-01T00:00:00Z";
    assert_eq!(level(&many, LATER, begin), Level::Kept);
    assert_eq!(level(&many, LATER, "2026-10-01T00:00:01Z"), Level::NotWhole);
    assert_eq!(level(&few, LATER, "2026-10-01T00:00:01Z"), Level::Missed);
    assert_eq!(level(&many, "2026-12-31T23:59:59Z", begin), Level::NotOver);
    assert_eq!(level(&many, "2027-01-01T00:00:00Z", begin), Level::Kept);
    assert_eq!(level(&few, "2026-12-01T00:00:00Z", begin), Level::Missed);
}

/// What lacks can only lower the availability of a period that is over; one that goes on may still recover.
#[test]
fn an_availability_below_its_limit_is_missed_whatever_lacks_of_a_period_that_is_over() {
    let limit = FigureLimit::AtLeast("99.9".parse().unwrap());
    let of = figure("availability", FigureSource::Availability);
    let site = house(vec![Figure { limit, unit: FigureUnit::Percent, ..of }]);
    let mut world = World::default();
    let level = |world: &World, now: &str| {
        let (now, whole_since) = (at(now), at("2026-10-15T00:00:00Z"));
        let counted = Counted { site: &site, state: &world.0, now, whole_since };
        counted.levels("2026-Q4".parse().unwrap()).unwrap().lines[0].level
    };
    world.opened(1, "2026-10-20T00:00:00Z", (ClockKind::Response, LATER));
    assert_eq!(level(&world, LATER), Level::NotWhole);
    world.interrupted(1, "netbank", ("2026-11-01T00:00:00Z", "2026-11-01T02:13:00Z"), "");
    assert_eq!(level(&world, LATER), Level::Missed);
    assert_eq!(level(&world, "2026-12-31T23:59:59Z"), Level::NotOver);
}

/// Two key misses, or four ordinary ones, cost more; each one above a limit may be a miss of its own.
#[test]
fn penalties_are_those_of_the_misses_and_more_where_there_are_many() {
    let key = |of| Figure { class: FigureClass::Key, ..entered(of) };
    let each = |of| Figure { misses: Misses::Each, ..entered(of) };
    /// Misses of both classes, what is due beside the penalties, and all of it.
    type Due = (u32, u32, u64, u64);
    type Case = (Vec<Figure>, &'static [&'static str], Due);
    let cases: [Case; 6] = [
        (vec![key("a"), entered("b")], &["0", "0"], (0, 0, 0, 0)),
        (vec![key("a"), entered("b")], &["3", "9"], (1, 1, 0, 25_000)),
        (vec![key("a"), key("b")], &["1", "1"], (2, 0, 10_000, 50_000)),
        (vec![each("a"), entered("b")], &["3", "0"], (0, 3, 0, 15_000)),
        (vec![each("a"), entered("b")], &["3", "1"], (0, 4, 10_000, 30_000)),
        (vec![key("a"), each("b"), entered("c")], &["1", "4", "0"], (1, 4, 10_000, 50_000)),
    ];
    for (figures, values, wanted) in cases {
        let mut world = World::default();
        for (figure, value) in figures.iter().zip(values) {
            world.entered(LATER, figure.name.as_str(), "2026-Q4", (1, value));
        }
        let view = world.levels(&house(figures), "2026-Q4", LATER);
        let came = (view.key_misses, view.ordinary_misses, view.more, view.sum);
        assert_eq!(came, wanted, "{values:?}");
    }
    // A week is a part of the reports of its month and quarter, and is paid for with the quarter.
    let week = Figure { period: PeriodKind::Week, ..each("week") };
    let site = house(vec![week, key("a")]);
    let mut world = World::default();
    world.entered(LATER, "week", "2026-W44", (1, "4"));
    for (period, elsewhere, more, sum) in [
        ("2026-W44", Some(PeriodKind::Quarter), 0, 0),
        ("2026-11", Some(PeriodKind::Quarter), 0, 0),
        ("2026-Q4", None, 10_000, 30_000),
    ] {
        let view = world.levels(&site, period, LATER);
        assert_eq!((view.penalties_in, view.more, view.sum), (elsewhere, more, sum), "{period}");
        let penalties: u64 = view.lines.iter().map(|line| line.penalty).sum();
        assert_eq!((view.ordinary_misses, penalties), (4, sum - more), "{period}");
        assert_eq!(view.table, "3fa9");
    }
    // A figure without a verdict costs nothing.
    let view = World::default().levels(&house(vec![key("a"), key("b")]), "2026-Q4", LATER);
    assert_eq!((view.sum, view.not_known), (0, 2));
}
