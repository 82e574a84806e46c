//! Which steps an incident takes from a person, as it stands.

use super::*;

fn words(night: &Night, by: &str) -> Vec<&'static str> {
    let incident = &night.core.state().incidents[&IncidentId(1)];
    let steps = incident.steps_for(&person(by), night.now.wall);
    steps.iter().map(Wanted::word).collect()
}

#[test]
fn a_person_is_offered_what_the_incident_takes_now_and_nothing_else() {
    let (mut night, _) = failed(house());
    night.pass(300);
    let open = ["note", "resolve", "on-site", "third-party", "mute", "grade", "interruption"];
    assert_eq!(words(&night, "wang"), [&["ack"], &open[..]].concat());
    wanted(&mut night, "wang", Wanted::Acknowledge).unwrap();
    assert_eq!(words(&night, "wang"), open, "it is wang's");
    assert_eq!(words(&night, "li"), [&["take-over"], &open[..]].concat());
    let until = night.now.wall + jiff::SignedDuration::from_hours(1);
    wanted(&mut night, "li", Wanted::Mute { until }).unwrap();
    let muted = ["note", "resolve", "on-site", "third-party", "mute", "unmute", "grade"];
    assert_eq!(words(&night, "wang"), [&muted[..], &["interruption"]].concat());
    let resolve = Wanted::Resolve { cause: "a disk".to_owned(), measure: "another".to_owned() };
    wanted(&mut night, "li", resolve).unwrap();
    assert_eq!(words(&night, "wang"), ["note", "interruption", "hand-in"]);
    wanted(&mut night, "li", Wanted::Report).unwrap();
    assert_eq!(words(&night, "wang"), ["note", "interruption"]);
}

#[test]
fn every_step_that_is_offered_is_taken_once_its_words_are_said() {
    let (mut night, _) = failed(house());
    night.pass(300);
    let incident = night.core.state().incidents[&IncidentId(1)].clone();
    let steps = incident.steps_for(&person("li"), night.now.wall);
    // What closes it comes last.
    let (closes, others): (Vec<Wanted>, Vec<Wanted>) =
        steps.into_iter().partition(|step| matches!(step, Wanted::Resolve { .. }));
    for step in others.into_iter().chain(closes) {
        let word = step.word();
        wanted(&mut night, "li", step).unwrap_or_else(|why| panic!("{word}: {why:?}"));
    }
}

#[test]
fn a_report_is_handed_in_once_whether_or_not_a_limit_asks_for_it() {
    let mut night = Night::with(house(), |_| {});
    let (title, kind, severity) = ("an account".to_owned(), IncidentKind::Request, Severity::P3);
    night.must(Event::Incident {
        by: person("zhao"),
        reason: String::new(),
        order: Box::new(IncidentOrder::Open { title, kind, severity }),
    });
    night.pass(300);
    let resolve = Wanted::Resolve { cause: "asked".to_owned(), measure: "given".to_owned() };
    wanted(&mut night, "li", resolve).unwrap();
    wanted(&mut night, "li", Wanted::Report).unwrap();
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Report)), Some(Rule::NoChange));
    assert_eq!(words(&night, "li"), ["note", "interruption"]);
}
