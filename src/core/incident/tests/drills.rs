//! Drills: they go the way of a real alarm, are measured by themselves, and are due again by the last that was answered.

use super::*;
use crate::definition::site::Drill;
use crate::types::DrillName;

fn lost_host() -> DrillName {
    DrillName::new("lost-host").unwrap()
}

/// The house with one drill, served from 21:30 on: due on 2026-10-31, with Li and somebody of operations.
fn drilled(change: impl FnOnce(&mut Drill, &mut Escalation)) -> Night {
    let mut site = house();
    let mut drill = Drill {
        title: Text::en("A host is lost"),
        every: 30,
        from: "2026-10-01".parse().unwrap(),
        policy: None,
        severity: Severity::P1,
        runbook: Some(Text::en("Move to the other host.")),
        people: vec![person("li")],
        teams: vec!["ops".parse().unwrap()],
    };
    let mut escalation = escalation();
    change(&mut drill, &mut escalation);
    escalation.drills.insert(lost_host(), drill);
    site.escalation = Some(Arc::new(escalation));
    let mut night = Night::new(site);
    serve(&mut night);
    night
}

fn serve(night: &mut Night) {
    let site = Arc::clone(&night.site);
    night.must(Event::Serve { site, observes: false, revision: None });
}

fn ask(night: &mut Night, by: &str, order: IncidentOrder) -> Result<(), StepError> {
    let reason = "twice a year".to_owned();
    night.step(Event::Incident { by: person(by), reason, order: Box::new(order) }).map(|_| ())
}

fn start(night: &mut Night, by: &str) -> Result<(), StepError> {
    ask(night, by, IncidentOrder::Drill { drill: lost_host() })
}

fn step(night: &mut Night, by: &str, number: u64, wanted: Wanted) -> Result<(), StepError> {
    ask(night, by, IncidentOrder::Step { incident: IncidentId(number), wanted })
}

fn resolved() -> Wanted {
    Wanted::Resolve { cause: "drill".to_owned(), measure: "moved".to_owned() }
}

fn stands(night: &Night) -> DrillStands {
    let declared = &night.site.escalation.as_ref().unwrap().drills[&lost_host()];
    let zone = &night.site.zone;
    night.core.state().drill_stands((&lost_host(), declared), zone, night.now.wall)
}

#[test]
fn a_drill_goes_the_way_of_a_real_alarm_until_somebody_answers() {
    let mut night = drilled(|_, _| {});
    let begun = night.now.wall;
    start(&mut night, "zhao").unwrap();
    assert_eq!(
        sleep(&mut night, begun, 31),
        [
            "0 opened: li",
            "10 step: wang",
            "20 step: chen zhao",
            "25 near response: li wang chen zhao",
            "30 passed response: li wang chen zhao",
        ]
    );
    let drill = &night.core.state().incidents[&IncidentId(1)];
    // The limits of a fault, but for its report: nobody owes one of what did not happen.
    let clocks: Vec<ClockKind> = drill.clocks.keys().copied().collect();
    assert_eq!(clocks, [ClockKind::Response, ClockKind::Solution]);
    assert_eq!((drill.what.kind, drill.severity), (IncidentKind::Drill, Severity::P1));
    assert_eq!(stands(&night).under_way, Some(IncidentId(1)));
}

#[test]
fn limits_that_the_site_gives_to_drills_go_first() {
    let mut night = drilled(|_, escalation| {
        let limits = [(ClockKind::Response, 5), (ClockKind::Report, 600)];
        let limits = limits.map(|(kind, most)| (kind, Limit::After(minutes(most))));
        escalation.clocks.push(Clocks {
            kinds: vec![IncidentKind::Drill],
            severities: Vec::new(),
            limits: limits.into_iter().collect(),
        });
    });
    let begun = night.now.wall;
    start(&mut night, "zhao").unwrap();
    let clocks = &night.core.state().incidents[&IncidentId(1)].clocks;
    let due: Vec<(ClockKind, i64)> =
        clocks.iter().map(|(kind, c)| (*kind, c.due.duration_since(begun).as_mins())).collect();
    assert_eq!(due, [(ClockKind::Response, 5), (ClockKind::Report, 600)]);
}

/// Who acknowledges and when, who else notes something, when it is over; what of it was missed, who was absent, and whether
/// it came out well.
#[test]
fn how_a_drill_came_out_is_measured_by_limits_and_by_who_took_part() {
    type Case = (Option<(&'static str, u64)>, &'static [&'static str], u64, &'static str, bool);
    let table: [Case; 6] = [
        (Some(("li", 12)), &[], 40, "li 12m [] []", true),
        (Some(("wang", 12)), &["li"], 40, "wang 12m [] []", true),
        (Some(("wang", 12)), &[], 40, "wang 12m [] [Person(li)]", false),
        (Some(("li", 31)), &[], 61, "li 31m [Response, Solution] []", false),
        (Some(("outsider", 1)), &[], 2, "outsider 1m [] [Person(li), Team(ops)]", false),
        (None, &["li"], 10, "nobody [] []", false),
    ];
    for (answer, notes, over, expected, well) in table {
        let mut night = drilled(|_, _| {});
        let begun = night.now.wall;
        start(&mut night, "outsider-who-starts").unwrap();
        let mut passed = 0;
        if let Some((who, minute)) = answer {
            sleep(&mut night, begun, minute);
            passed = minute;
            step(&mut night, who, 1, Wanted::Acknowledge).unwrap();
        }
        for who in notes {
            step(&mut night, who, 1, Wanted::Note).unwrap();
        }
        assert!(passed <= over);
        sleep(&mut night, begun, over);
        step(&mut night, "outsider-who-starts", 1, resolved()).unwrap();
        let (_, held) = night.core.state().incidents[&IncidentId(1)].as_drill(&night.site).unwrap();
        let answered = held.answered.as_ref().map_or("nobody".to_owned(), |(who, at)| {
            format!("{who} {}m", at.duration_since(begun).as_mins())
        });
        let told = format!("{answered} {:?} {:?}", held.missed, held.absent);
        assert_eq!((told.as_str(), held.well), (expected, well), "{answer:?}");
        // It counts only where somebody has answered.
        let due = if answer.is_some() { "2026-11-29" } else { "2026-10-31" };
        assert_eq!(stands(&night).due, due.parse().unwrap(), "{answer:?}");
    }
}

#[test]
fn what_is_no_drill_or_would_measure_nothing_is_refused() {
    let mut night = drilled(|_, _| {});
    let other = IncidentOrder::Drill { drill: DrillName::new("flood").unwrap() };
    assert_eq!(rule(ask(&mut night, "zhao", other)), Some(Rule::NoSuchThing));
    let (title, kind) = ("by hand".to_owned(), IncidentKind::Drill);
    let by_hand = IncidentOrder::Open { title, kind, severity: Severity::P3 };
    assert_eq!(rule(ask(&mut night, "zhao", by_hand)), Some(Rule::NoSuchThing));
    start(&mut night, "zhao").unwrap();
    assert_eq!(rule(start(&mut night, "chen")), Some(Rule::NoChange));
    for wanted in [Wanted::Acknowledge, Wanted::TakeOver] {
        assert_eq!(rule(step(&mut night, "zhao", 1, wanted)), Some(Rule::OwnWork));
    }
    let (from, to) = (night.now.wall, night.now.wall);
    let outside = String::new();
    let broken = Wanted::Interruption { service: "portal".to_owned(), from, to, outside };
    assert_eq!(rule(step(&mut night, "li", 1, broken)), Some(Rule::NoChange));
    step(&mut night, "li", 1, Wanted::Acknowledge).unwrap();
    assert_eq!(rule(step(&mut night, "zhao", 1, Wanted::TakeOver)), Some(Rule::OwnWork));
}

/// Due on 2026-10-31: told on 2026-11-01 at 09:00, once, whatever people do but hold it.
#[test]
fn a_drill_that_was_not_held_in_time_is_told_once_to_those_who_lead() {
    let mut night = drilled(|_, _| {});
    let begun = night.now.wall;
    let (next_morning, told_at) = (11 * 60 + 30, 35 * 60 + 30);
    assert_eq!(sleep(&mut night, begun, told_at - 1), [""; 0]);
    assert!(stands(&night).overdue);
    // Nobody is on shift: the policy finds the manager, and the lead of those who take part is told with him.
    let first = sleep(&mut night, begun, told_at);
    assert_eq!(first, [format!("{told_at} opened: chen zhao")]);
    let missed = &night.core.state().incidents[&IncidentId(1)];
    assert_eq!((missed.what.kind, missed.severity), (IncidentKind::Problem, Severity::P3));
    // Another supervisor tells nobody anew; nor does it when a person has put it away.
    serve(&mut night);
    step(&mut night, "chen", 1, resolved()).unwrap();
    night.commands.clear();
    assert_eq!(sleep(&mut night, begun, told_at + next_morning), [""; 0]);
    assert!(stands(&night).overdue);

    // One that is held at last begins the next term.
    start(&mut night, "zhao").unwrap();
    step(&mut night, "li", 2, Wanted::Acknowledge).unwrap();
    assert_eq!(stands(&night).due, "2026-12-01".parse().unwrap());
    step(&mut night, "li", 2, resolved()).unwrap();
    night.commands.clear();
    assert_eq!(sleep(&mut night, begun, told_at + 30 * 24 * 60), [""; 0]);
    let again = sleep(&mut night, begun, told_at + 31 * 24 * 60);
    assert_eq!(again.first().map(String::as_str), Some("46770 opened: chen zhao"));
    // While it is open: that somebody answers ends it.
    start(&mut night, "zhao").unwrap();
    let open = |night: &Night| night.core.state().incidents[&IncidentId(3)].is_open();
    assert!(open(&night));
    step(&mut night, "li", 4, Wanted::Acknowledge).unwrap();
    assert!(!open(&night));
}

/// What is told of a drill goes on when the files want it by another date, and that opens no second one beside it.
#[test]
fn another_interval_tells_of_no_drill_twice() {
    let mut night = drilled(|_, _| {});
    let begun = night.now.wall;
    sleep(&mut night, begun, 40 * 60);
    assert!(night.core.state().incidents[&IncidentId(1)].is_open());
    for every in [20, 25, 5] {
        let mut site = Site::clone(&night.site);
        let mut escalation = Escalation::clone(site.escalation.as_ref().unwrap());
        escalation.drills.get_mut(&lost_host()).unwrap().every = every;
        site.escalation = Some(Arc::new(escalation));
        night.site = Arc::new(site);
        serve(&mut night);
        assert_eq!(night.core.state().unfinished().count(), 1, "every {every} days");
    }
}
