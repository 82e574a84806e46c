//! Policies, limits and steps, each as a table with a given time.

mod drills;
mod hosts;
mod rooms;
mod steps;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::time;

use super::*;
use crate::core::event::Event;
use crate::core::fact::{Action, Fact};
use crate::core::night::{Command, Notice, StepError};
use crate::core::refused::Rule;
use crate::core::test_night::{Night, name, site};
use crate::core::test_site::job;
use crate::definition::site::{
    Assignment, Clocks, Escalation, Hours, Limit, Person, Policy, Rung, Shift, Site, Team, Tell,
};
use crate::types::{Ending, Role, Span, Text};

fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn minutes(minutes: u64) -> Span {
    Span::seconds(minutes * 60)
}

/// Li is on night shift, Wang his deputy, Chen leads their team, Zhao is manager. The policy: who is on shift at once, the
/// deputies after 10 minutes, leads and managers after 10 more; those who were told again every 15 minutes.
fn house() -> Site {
    let mut site = site(vec![job("a", &[]), job("b", &["a"])]);
    site.people.clear();
    let roles = [("li", "duty"), ("wang", "duty"), ("chen", "lead"), ("zhao", "manager")];
    for (id, role) in roles {
        let who = Person {
            name: Text::en(id),
            language: None,
            mail: Some(format!("{id}@bank.example")),
            phone: None,
            webhook: None,
            team: Some("ops".parse().unwrap()),
            roles: vec![Role::new(role).unwrap()],
            unix_user: None,
        };
        site.people.insert(person(id), who);
    }
    let lead = Some(person("chen"));
    site.duty.teams.insert("ops".parse().unwrap(), Team { title: Text::en("Operations"), lead });
    let hours = |from, to| Hours { from, to };
    let shift = |hours| Shift {
        title: Text::en("Shift"),
        hours,
        days_off: None,
        calendar: None,
        on_call: false,
    };
    site.duty
        .shifts
        .insert("afternoon".parse().unwrap(), shift(hours(time(13, 30, 0, 0), time(21, 30, 0, 0))));
    site.duty
        .shifts
        .insert("night".parse().unwrap(), shift(hours(time(21, 30, 0, 0), time(8, 30, 0, 0))));
    site.duty.pairs.push([person("li"), person("wang")]);
    let from = "2026-10-30".parse().unwrap();
    site.duty.roster.push(Assignment {
        shift: "night".parse().unwrap(),
        from,
        to: from,
        people: vec![person("li")],
    });
    site.escalation = Some(Arc::new(escalation()));
    site
}

fn rung(after: u64, tell: Tell) -> Rung {
    Rung { after: minutes(after), tell, by: Vec::new() }
}

fn escalation() -> Escalation {
    let manager = vec![Role::new("manager").unwrap()];
    let rungs = vec![
        rung(0, Tell { on_shift: true, ..Tell::default() }),
        rung(10, Tell { deputies: true, ..Tell::default() }),
        rung(10, Tell { leads: true, roles: manager, ..Tell::default() }),
    ];
    let night = Policy { title: Text::en("Night"), rungs, remind: minutes(15) };
    let limits = [
        (ClockKind::Response, Limit::After(minutes(30))),
        (ClockKind::Solution, Limit::After(minutes(60))),
        (ClockKind::Report, Limit::After(Span::seconds(3 * 86_400))),
    ];
    Escalation {
        policies: BTreeMap::from([("night".parse().unwrap(), night)]),
        policy: "night".parse().unwrap(),
        severities: BTreeMap::new(),
        clocks: vec![Clocks {
            kinds: vec![IncidentKind::Fault],
            severities: Vec::new(),
            limits: BTreeMap::from(limits),
        }],
        drills: BTreeMap::new(),
        review_runbooks: None,
        warn_before: minutes(5),
        overlap: minutes(15),
    }
}

/// The messages since the last call: minute since the fault, what, to whom.
fn told(night: &mut Night, fault: Timestamp) -> Vec<String> {
    let minute = night.now.wall.duration_since(fault).as_mins();
    let commands = std::mem::take(&mut night.commands);
    let mails = commands.into_iter().filter_map(|command| match command {
        Command::Notify { to, notice, .. } => {
            let people: Vec<&str> = to.people.iter().map(PersonId::as_str).collect();
            let what = match notice {
                Notice::Opened => "opened".to_owned(),
                Notice::Told { why } => format!("{why:?}").to_lowercase(),
                Notice::Warned { clocks } => format!("near {}", words(&clocks)),
                Notice::Breached { clocks } => format!("passed {}", words(&clocks)),
                Notice::Acknowledged => "acknowledged".to_owned(),
                Notice::Closed => "closed".to_owned(),
            };
            let rooms = to.rooms.iter().map(|room| format!("#{room}"));
            let told: Vec<String> = people.into_iter().map(str::to_owned).chain(rooms).collect();
            let by: Vec<String> = to.by.iter().map(|way| format!("{way:?}")).collect();
            let by = match by.as_slice() {
                [] => String::new(),
                [mail] if mail == "Mail" => String::new(),
                ways => format!(" by {}", ways.join("+")),
            };
            Some(format!("{minute} {what}: {}{by}", told.join(" ")))
        }
        _ => None,
    });
    mails.collect()
}

fn words(clocks: &[ClockKind]) -> String {
    clocks.iter().map(|kind| kind.name()).collect::<Vec<_>>().join("+")
}

/// Time passes as for a supervisor: from one time at which the core wants to be called to the next.
fn sleep(night: &mut Night, fault: Timestamp, until: u64) -> Vec<String> {
    let end = fault + std::time::Duration::from_secs(until * 60);
    let mut mails = told(night, fault);
    while let Some(next) = night.core.next_wake().wall.filter(|next| *next <= end) {
        let wait = next.duration_since(night.now.wall).as_secs().max(0);
        night.pass(u64::try_from(wait).unwrap());
        mails.extend(told(night, fault));
    }
    let rest = end.duration_since(night.now.wall).as_secs().max(0);
    night.pass(u64::try_from(rest).unwrap());
    mails.extend(told(night, fault));
    mails
}

fn failed(site: Site) -> (Night, Timestamp) {
    let mut night = Night::with(site, |_| {});
    night.commands.clear();
    night.pass(3600);
    night.bad("a");
    let fault = night.now.wall;
    (night, fault)
}

fn wanted(night: &mut Night, by: &str, wanted: Wanted) -> Result<(), StepError> {
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(1), wanted });
    let event = Event::Incident { by: person(by), reason: String::new(), order };
    night.step(event).map(|_| ())
}

fn rule(result: Result<(), StepError>) -> Option<Rule> {
    match result {
        Err(StepError::Refused(refused)) => refused.rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn nobody_answers_so_deputy_lead_and_manager_are_next_and_all_are_reminded() {
    let (mut night, fault) = failed(house());
    assert_eq!(
        sleep(&mut night, fault, 62),
        [
            "0 opened: li",
            "10 step: wang",
            "20 step: chen zhao",
            "25 near response: li wang chen zhao",
            "30 passed response: li wang chen zhao",
            "35 reminder: li wang chen zhao",
            "50 reminder: li wang chen zhao",
            "55 near solution: li wang chen zhao",
            "60 passed solution: li wang chen zhao",
        ]
    );
}

#[test]
fn whoever_acknowledges_stops_the_steps_and_the_response_clock_and_no_other() {
    let (mut night, fault) = failed(house());
    assert_eq!(sleep(&mut night, fault, 12), ["0 opened: li", "10 step: wang"]);
    wanted(&mut night, "wang", Wanted::Acknowledge).unwrap();
    assert_eq!(
        sleep(&mut night, fault, 70),
        ["12 acknowledged: li", "55 near solution: li wang", "60 passed solution: li wang"]
    );
    let incident = &night.core.state().incidents[&IncidentId(1)];
    let response = incident.clocks[&ClockKind::Response];
    assert_eq!(response.met, Some(fault + std::time::Duration::from_secs(12 * 60)));
    assert!(!response.breached && incident.clocks[&ClockKind::Solution].breached);
    assert_eq!(incident.owner, Some(person("wang")));
}

#[test]
fn what_is_well_again_is_told_once_and_only_its_report_is_owed() {
    let (mut night, fault) = failed(house());
    sleep(&mut night, fault, 5);
    night.act(Action::Retry { job: name("a") }).unwrap();
    assert_eq!(told(&mut night, fault), [""; 0]);
    night.good("a");
    assert_eq!(told(&mut night, fault), ["5 closed: li"]);
    let three_days = 3 * 24 * 60;
    assert_eq!(
        sleep(&mut night, fault, three_days + 1),
        [format!("{} near report: li", three_days - 5), format!("{three_days} passed report: li")]
    );
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Report)), Some(Rule::NotResolved));
    let resolve = Wanted::Resolve { cause: "disk".to_owned(), measure: "freed".to_owned() };
    wanted(&mut night, "li", resolve).unwrap();
    wanted(&mut night, "li", Wanted::Report).unwrap();
    let incident = &night.core.state().incidents[&IncidentId(1)];
    assert!(!incident.is_unfinished() && night.core.state().unfinished().next().is_none());
}

#[test]
fn a_step_that_finds_nobody_is_skipped_at_once() {
    // Nobody is on shift, so nobody has a deputy: the lead of the batch's team and the manager are told at once.
    let mut site = house();
    site.duty.roster.clear();
    let batch = Arc::make_mut(site.batches.values_mut().next().unwrap());
    batch.team = Some("ops".parse().unwrap());
    let (mut night, fault) = failed(site.clone());
    assert_eq!(sleep(&mut night, fault, 16), ["0 opened: chen zhao", "15 reminder: chen zhao"]);
    assert_eq!(night.core.state().incidents[&IncidentId(1)].what.rungs, 3);
    // Nor do those have an address: whoever the site names for failures is.
    for who in ["chen", "zhao"] {
        site.people.get_mut(&person(who)).unwrap().mail = None;
    }
    let (mut night, fault) = failed(site.clone());
    assert_eq!(sleep(&mut night, fault, 16), ["0 opened: li wang", "15 reminder: li wang"]);
    // Nobody at all: that is recorded, again and again, and the moment somebody has an address he is told.
    for who in site.people.values_mut() {
        who.mail = None;
    }
    let (mut night, fault) = failed(site);
    assert_eq!(sleep(&mut night, fault, 16), ["0 opened: "]);
    let steps = &night.core.state().incidents[&IncidentId(1)].steps;
    let nobody = IncidentStep::Told {
        people: Vec::new(),
        rooms: Vec::new(),
        rungs: 3,
        why: Telling::Reminder,
    };
    assert_eq!(steps.last().unwrap().step, nobody);
    let calendars = Arc::new(crate::core::calendar::Calendars::default());
    night.core.have_on_call(Arc::new(OnCall::new(Arc::new(house()), calendars)));
    assert_eq!(sleep(&mut night, fault, 31), ["30 reminder: li wang"]);
}

#[test]
fn at_the_change_of_shifts_those_who_go_and_those_who_come_are_told() {
    let mut site = house();
    let from = "2026-10-30".parse().unwrap();
    site.duty.roster.push(Assignment {
        shift: "afternoon".parse().unwrap(),
        from,
        to: from,
        people: vec![person("zhao")],
    });
    let mut night = Night::with(site, |_| {});
    for (minute, who) in [(14, "li zhao"), (15, "li")] {
        let mut night = Night::with((*night.site).clone(), |_| {});
        night.pass(minute * 60);
        night.commands.clear();
        night.bad("a");
        assert_eq!(
            told(&mut night, "2026-10-30T21:30Z".parse().unwrap()),
            [format!("{minute} opened: {who}")]
        );
    }
    night.pass(0);
}

#[test]
fn a_muted_incident_says_nothing_and_goes_on_counting() {
    let (mut night, fault) = failed(house());
    sleep(&mut night, fault, 1);
    let until = |minute: u64| fault + std::time::Duration::from_secs(minute * 60);
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Mute { until: fault })), Some(Rule::Past));
    let far = until(26 * 60);
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Mute { until: far })), Some(Rule::Past));
    wanted(&mut night, "li", Wanted::Mute { until: until(40) }).unwrap();
    assert_eq!(sleep(&mut night, fault, 41), ["40 step: wang"]);
    let incident = &night.core.state().incidents[&IncidentId(1)];
    assert!(incident.clocks[&ClockKind::Response].breached, "nobody was told, and it counts");
    wanted(&mut night, "li", Wanted::Mute { until: until(400) }).unwrap();
    wanted(&mut night, "li", Wanted::Unmute).unwrap();
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Unmute)), Some(Rule::NoChange));
    assert_eq!(sleep(&mut night, fault, 51), ["50 step: chen zhao"]);
}

#[test]
fn the_same_fault_again_is_folded_into_its_incident() {
    let (mut night, fault) = failed(house());
    night.act(Action::Retry { job: name("a") }).unwrap();
    night.pass(60);
    night.bad("a");
    night.act(Action::Retry { job: name("a") }).unwrap();
    night.pass(60);
    night.end("a", Ending::Unknown { why: "its host is gone".to_owned() });
    assert_eq!(told(&mut night, fault), ["2 opened: li"], "one mail, of the first");
    let state = night.core.state();
    assert_eq!(state.incidents.len(), 1);
    let folded =
        state.incidents[&IncidentId(1)].steps.iter().filter_map(|taken| match &taken.step {
            IncidentStep::Repeated { fault, .. } => Some(fault.clone()),
            _ => None,
        });
    assert_eq!(folded.collect::<Vec<_>>(), [Fault::Failed, Fault::InDoubt]);
}

#[test]
fn a_deadline_that_passes_behind_a_fault_is_part_of_it_and_another_is_one_of_its_own() {
    let due = "2026-10-31T00:00:00Z".parse().unwrap();
    let late = Fault::Late { deadline: Deadline::MustCompleteBy, due };
    for broken in [true, false] {
        let mut site = house();
        let batch = Arc::make_mut(site.batches.values_mut().next().unwrap());
        batch.must_complete_by = Some(time(0, 0, 0, 0));
        // Something else goes on, so that the run is not over when the time comes.
        batch.jobs.push(job("c", &[]));
        let mut night = Night::with(site, |_| {});
        if broken {
            night.bad("a");
        }
        night.pass(3 * 3600);
        let incidents: Vec<&Incident> = night.core.state().incidents.values().collect();
        let [incident] = incidents.as_slice() else { panic!("{incidents:?}") };
        if broken {
            assert_eq!(incident.what.at_risk, [AtRisk { job: None, due }]);
            let folded = |taken: &Taken| matches!(&taken.step, IncidentStep::Repeated { fault, .. } if *fault == late);
            assert!(incident.steps.iter().any(folded));
        } else {
            assert_eq!((&incident.what.fault, &incident.what.job), (&late, &None));
            assert_eq!(incident.severity, Severity::P1);
            for job in ["a", "c", "b"] {
                night.good(job);
            }
            assert!(!night.core.state().incidents[&IncidentId(1)].is_open(), "the run is well");
        }
    }
}

#[test]
fn a_deadline_that_will_be_missed_is_told_before_and_once() {
    let mut night = Night::with(house(), |_| {});
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let foreseen = |expected| Foreseen {
        run: "eod@2026-10-30#1".parse().unwrap(),
        job: None,
        deadline: Deadline::MustCompleteBy,
        due: at("2026-10-31T00:00:00Z"),
        expected: at(expected),
    };
    let fault = night.now.wall;
    night.commands.clear();
    night
        .must(Event::Foresee { late: vec![foreseen("2026-10-31T00:20:00Z")], closing: Vec::new() });
    night
        .must(Event::Foresee { late: vec![foreseen("2026-10-31T00:30:00Z")], closing: Vec::new() });
    assert_eq!(told(&mut night, fault), ["0 opened: li"]);
    night.must(Event::Foresee { late: Vec::new(), closing: Vec::new() });
    assert_eq!(told(&mut night, fault), ["0 closed: li"], "it will be kept after all");
}

#[test]
fn a_clock_that_is_set_back_puts_nothing_off() {
    let (mut night, fault) = failed(house());
    sleep(&mut night, fault, 5);
    night.now.wall = fault - std::time::Duration::from_secs(7200);
    night.must(Event::Tick);
    let mails = told(&mut night, fault);
    assert!(mails.iter().any(|mail| mail.ends_with("step: wang")), "{mails:?}");
    let known = &night.core.state().incidents[&IncidentId(1)];
    let next = night.core.incident_due(known).unwrap();
    assert!(next.duration_since(night.now.wall) <= jiff::SignedDuration::from_mins(10));
}

#[test]
fn whoever_takes_up_the_night_goes_on_where_it_stood() {
    let (mut night, fault) = failed(house());
    sleep(&mut night, fault, 12);
    let boot = crate::core::test_night::boot();
    night.restart(&boot);
    assert_eq!(sleep(&mut night, fault, 21), ["20 step: chen zhao"]);
}

#[test]
fn a_trial_tells_once_and_asks_for_no_answer() {
    let mut night = Night::with(house(), |opened| opened.trial = true);
    night.commands.clear();
    night.bad("a");
    let fault = night.now.wall;
    assert_eq!(sleep(&mut night, fault, 600), ["0 opened: li"]);
}

#[test]
fn what_a_person_opens_has_the_limits_of_its_kind_and_is_closed_by_a_person() {
    let mut night = Night::with(house(), |_| {});
    night.commands.clear();
    let fault = night.now.wall;
    let open = |kind, title: &str| Event::Incident {
        by: person("zhao"),
        reason: String::new(),
        order: Box::new(IncidentOrder::Open {
            title: title.to_owned(),
            kind,
            severity: Severity::P3,
        }),
    };
    night.must(open(IncidentKind::Request, "an account"));
    night.must(open(IncidentKind::Request, "another account"));
    assert_eq!(told(&mut night, fault), ["0 opened: li", "0 opened: li"], "two, not one");
    assert!(night.core.state().incidents[&IncidentId(1)].clocks.is_empty(), "no rule for requests");
    let resolve = Wanted::Resolve { cause: "asked".to_owned(), measure: "given".to_owned() };
    wanted(&mut night, "li", resolve.clone()).unwrap();
    assert_eq!(rule(wanted(&mut night, "li", resolve)), Some(Rule::NoChange));
    assert_eq!(rule(wanted(&mut night, "li", Wanted::Acknowledge)), Some(Rule::IncidentOver));
    wanted(&mut night, "li", Wanted::Note).unwrap();
}

#[test]
fn limits_in_business_days_end_with_that_day() {
    let site = Arc::new(house());
    let on_call = OnCall::new(site, Arc::new(crate::core::calendar::Calendars::default()));
    let mut escalation = escalation();
    let calendar = "none".parse().unwrap();
    let limits =
        BTreeMap::from([(ClockKind::Solution, Limit::BusinessDays { days: 20, calendar })]);
    escalation.clocks[0].limits = limits;
    let mut site = (*on_call.site).clone();
    site.escalation = Some(Arc::new(escalation));
    let on_call = OnCall::new(Arc::new(site), Arc::clone(&on_call.calendars));
    // Friday: the twentieth working day after it is the Friday four weeks later. The calendar has no data: Monday to Friday.
    let friday = "2026-10-30T23:30:00Z".parse().unwrap();
    let clocks = escalate::clocks(&on_call, IncidentKind::Fault, Severity::P1, friday);
    assert_eq!(clocks[0].due, "2026-11-28T00:00:00Z".parse::<Timestamp>().unwrap());
}

#[test]
fn an_incident_of_a_former_release_is_read() {
    let line = r#"{"fact":"incident-opened","incident":7,"run":"eod@2026-10-30#1","job":"a","blocks":["b"],"notify":["li"]}"#;
    let Fact::IncidentOpened(opened) = serde_json::from_str(line).unwrap() else { panic!() };
    assert_eq!((&opened.fault, opened.severity, opened.rungs), (&Fault::Failed, Severity::P2, 1));
    assert_eq!(serde_json::to_string(&Fact::IncidentOpened(opened)).unwrap(), line);
}
