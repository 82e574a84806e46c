//! Hand-overs through given times: who is told when, who may do what, and what a restart, a clock or the roster change.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{DateTime, date, time};

use super::*;
use crate::core::calendar::Calendars;
use crate::core::event::Event;
use crate::core::fact::Fact;
use crate::core::incident::{IncidentOrder, OnCall, Wanted};
use crate::core::night::{Command, Core, StepError};
use crate::core::refused::Rule;
use crate::core::roster::tests::{e1, entry, person, shift, site};
use crate::definition::site::{HandOverRule, HandOverRules, Person, Shift, Site, Team};
use crate::types::{IncidentId, Now, Role, Severity, Text};
mod offered;

const ZONE: &str = "Europe/Berlin";

fn named(shift: &str) -> ShiftName {
    ShiftName::new(shift).unwrap()
}

/// Chen has the afternoon, Li the night, Anna the early shift; Wang leads the team of all. Afternoon hands over to night,
/// night to early.
fn house(shifts: &[(&str, Shift)], between: &[(&str, &[&str])]) -> Site {
    let (first, last) = (date(2026, 3, 1), date(2026, 11, 30));
    let roster = [("afternoon", "chen"), ("night", "li"), ("early", "anna")];
    let roster = roster.map(|(shift, who)| entry(shift, first, last, &[who]));
    let mut site = site(ZONE, shifts, roster.to_vec());
    for id in ["chen", "li", "anna", "wang"] {
        let who = Person {
            name: Text::en(id),
            language: None,
            mail: Some(format!("{id}@bank.example")),
            phone: None,
            webhook: None,
            team: Some("ops".parse().unwrap()),
            roles: vec![Role::new(if id == "wang" { "duty" } else { "operator" }).unwrap()],
            unix_user: None,
        };
        site.people.insert(person(id), who);
    }
    let lead = Some(person("wang"));
    site.duty.teams.insert("ops".parse().unwrap(), Team { title: Text::en("Operations"), lead });
    let rule = |(from, to): &(&str, &[&str])| HandOverRule {
        from: named(from),
        to: to.iter().map(|shift| named(shift)).collect(),
    };
    site.duty.hand_over = Some(HandOverRules {
        between: between.iter().map(rule).collect(),
        prepare: HandOverRules::PREPARE,
        remind: HandOverRules::REMIND,
        limit: HandOverRules::LIMIT,
        severity: Severity::P3,
    });
    site
}

fn usual() -> Site {
    house(&e1(), &[("afternoon", &["night"]), ("night", &["early"])])
}

/// A supervisor, with all that it has decided.
struct Desk {
    core: Core,
    site: Arc<Site>,
    facts: Vec<(Timestamp, Fact)>,
    at: Timestamp,
}

impl Desk {
    fn new(site: Site, at: &str) -> Self {
        let mut desk =
            Self { core: Core::new(1), site: Arc::new(site), facts: Vec::new(), at: local(at) };
        desk.restart();
        desk
    }

    /// Another one goes on from what is recorded.
    fn restart(&mut self) {
        self.core = Core::new(1);
        for (at, fact) in &self.facts {
            self.core.replay(*at, fact).unwrap();
        }
        self.goes_by(Arc::clone(&self.site));
    }

    fn goes_by(&mut self, site: Arc<Site>) {
        let calendars = Arc::new(Calendars::new(&site.calendars));
        self.core.have_on_call(Arc::new(OnCall::new(Arc::clone(&site), calendars)));
        self.core.keep_shifts();
        self.site = site;
    }

    fn step(&mut self, event: Event) -> Result<Vec<String>, StepError> {
        let since_boot = Duration::from_secs(u64::try_from(self.at.as_second()).unwrap());
        let turn = self.core.step(Now { wall: self.at, since_boot }, event)?;
        self.facts.extend(turn.facts.into_iter().map(|fact| (self.at, fact)));
        let time = self.at.to_zoned(self.site.zone.tz().clone()).strftime("%H:%M").to_string();
        Ok(turn.commands.iter().map(|command| format!("{time} {}", said(command))).collect())
    }

    /// Nobody does anything until then.
    fn sleep(&mut self, until: &str) -> Vec<String> {
        let until = local(until);
        let mut told = self.step(Event::Tick).unwrap();
        while let Some(next) = self.core.next_wake().wall.filter(|next| *next <= until) {
            assert!(next > self.at, "it would spin at {next}");
            self.at = next;
            told.extend(self.step(Event::Tick).unwrap());
        }
        self.at = until;
        told
    }

    fn does(&mut self, who: &str, wish: HandOverWish, id: &str) -> Result<Vec<String>, StepError> {
        let hand_over = id.parse().unwrap();
        let order = Box::new(HandOverOrder { hand_over, wish, noted: Vec::new() });
        self.step(Event::HandOver { by: person(who), reason: format!("as {who} says"), order })
    }

    fn rule(&mut self, who: &str, wish: HandOverWish, id: &str) -> Option<Rule> {
        match self.does(who, wish, id) {
            Ok(_) => None,
            Err(StepError::Refused(refused)) => refused.rule,
            Err(defect) => panic!("{defect}"),
        }
    }

    fn hand_over(&self, id: &str) -> &HandOver {
        &self.core.state().standing.hand_overs[&id.parse().unwrap()]
    }

    fn known(&self) -> Vec<String> {
        self.core.state().standing.hand_overs.keys().map(ToString::to_string).collect()
    }
}

fn local(text: &str) -> Timestamp {
    let civil: DateTime = text.parse().unwrap();
    civil.in_tz(ZONE).unwrap().timestamp()
}

fn said(command: &Command) -> String {
    let names =
        |people: &[PersonId]| people.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" ");
    match command {
        Command::HandOver { people, notice, .. } => {
            format!("{notice:?}: {}", names(people)).to_lowercase()
        }
        Command::Notify { to, notice, .. } => {
            let notice = format!("{notice:?}");
            let notice = notice.split(' ').next().unwrap_or_default();
            format!("incident {notice}: {}", names(&to.people)).to_lowercase()
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn both_sides_are_told_until_somebody_accepts_and_after_the_limit_their_lead() {
    use HandOverWish::{Accept, Give, Note};
    let id = "afternoon@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    assert_eq!(desk.sleep("2026-06-10T21:10"), ["21:00 begins: chen"]);
    assert_eq!(desk.does("chen", Note, id).unwrap(), [""; 0]);
    assert_eq!(desk.does("chen", Give, id).unwrap(), ["21:10 given: li"]);
    assert_eq!(
        desk.sleep("2026-06-10T22:50"),
        [
            "21:30 ends: chen li",
            "21:45 reminder: chen li",
            "22:00 reminder: chen li",
            "22:15 reminder: chen li",
            "22:30 incident opened: chen li wang",
            // From here on it is an incident like others.
            "22:45 incident told: chen li wang",
        ]
    );
    let incident = &desk.core.state().incidents[&IncidentId(1)];
    assert_eq!(incident.severity, Severity::P3);
    assert_eq!(
        desk.does("li", Accept, id).unwrap(),
        ["22:50 incident closed: chen li wang", "22:50 accepted: chen"]
    );
    assert_eq!(desk.hand_over(id).closed, Some(desk.at));
    assert_eq!(desk.sleep("2026-06-11T07:59"), [""; 0]);
    assert_eq!(desk.sleep("2026-06-11T08:00"), ["08:00 begins: li"]);
}

#[test]
fn who_may_take_which_step_when() {
    use HandOverWish::{Accept, Give, Note};
    let id = "afternoon@2026-06-10";
    type Before = &'static [(&'static str, HandOverWish)];
    let table: [(&str, &str, Before, HandOverWish, Option<Rule>); 14] = [
        ("21:10", "li", &[], Give, Some(Rule::NotOnShift)),
        ("21:10", "wang", &[], Note, Some(Rule::NotOnShift)),
        ("21:10", "chen", &[], Note, None),
        ("21:10", "chen", &[], Give, None),
        ("21:10", "chen", &[("chen", Give)], Give, Some(Rule::NoChange)),
        ("21:10", "chen", &[("chen", Give)], Note, None),
        ("21:10", "chen", &[("chen", Give)], Accept, Some(Rule::OwnWork)),
        ("21:10", "li", &[], Accept, Some(Rule::TooEarly)),
        ("21:10", "li", &[("chen", Give)], Accept, None),
        // Whoever leaves without a word does not keep the next shift from taking over.
        ("21:30", "li", &[], Accept, None),
        ("21:30", "anna", &[], Accept, Some(Rule::NotOnShift)),
        ("21:30", "wang", &[], Accept, Some(Rule::NotOnShift)),
        ("21:30", "li", &[("li", Accept)], Accept, Some(Rule::NoChange)),
        ("21:30", "chen", &[("li", Accept)], Note, Some(Rule::NoChange)),
    ];
    for (time, who, before, wish, rule) in table {
        let mut desk = Desk::new(usual(), "2026-06-10T20:00");
        desk.sleep(&format!("2026-06-10T{time}"));
        for (who, wish) in before {
            desk.does(who, *wish, id).unwrap();
        }
        desk.step(Event::Tick).unwrap();
        assert_eq!(desk.rule(who, wish, id), rule, "{who} {wish:?} at {time} after {before:?}");
    }
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    assert_eq!(desk.rule("li", Accept, id), Some(Rule::NoSuchThing), "it has not begun");
}

#[test]
fn who_comes_later_may_accept_what_was_left_open() {
    let id = "night@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-11T08:00");
    desk.sleep("2026-06-11T08:45");
    // The next day another one has the early shift, and nobody has accepted yet.
    let mut site = usual();
    site.duty.roster[2] = entry("early", date(2026, 6, 12), date(2026, 6, 12), &["wang"]);
    desk.goes_by(Arc::new(site));
    desk.sleep("2026-06-11T09:00");
    assert_eq!(desk.rule("wang", HandOverWish::Accept, id), Some(Rule::NotOnShift));
    desk.sleep("2026-06-12T07:30");
    desk.does("wang", HandOverWish::Accept, id).unwrap();
    assert!(!desk.hand_over(id).is_open());
}

#[test]
fn with_nobody_on_the_next_shift_the_lead_hears_of_it_at_once_and_may_take_over() {
    let mut site = usual();
    site.duty.roster.remove(1);
    let id = "afternoon@2026-06-10";
    let mut desk = Desk::new(site, "2026-06-10T20:00");
    assert_eq!(
        desk.sleep("2026-06-10T21:40"),
        ["21:00 begins: chen", "21:30 incident opened: chen wang"]
    );
    assert_eq!(desk.rule("chen", HandOverWish::Accept, id), Some(Rule::OwnWork));
    assert_eq!(desk.rule("anna", HandOverWish::Accept, id), Some(Rule::NotOnShift));
    assert_eq!(
        desk.does("wang", HandOverWish::Accept, id).unwrap(),
        ["21:40 incident closed: chen wang", "21:40 accepted: chen"]
    );
}

#[test]
fn where_nobody_else_has_the_next_shift_he_accepts_his_own() {
    let mut site = usual();
    site.duty.roster[1] = entry("night", date(2026, 6, 1), date(2026, 6, 10), &["li", "anna"]);
    site.duty.roster[2] = entry("early", date(2026, 6, 12), date(2026, 6, 12), &["anna"]);
    let id = "night@2026-06-10";
    let mut desk = Desk::new(site, "2026-06-11T08:00");
    desk.sleep("2026-06-11T08:31");
    assert_eq!(desk.rule("anna", HandOverWish::Accept, id), Some(Rule::OwnWork));
    desk.sleep("2026-06-12T07:30");
    assert_eq!(desk.rule("li", HandOverWish::Accept, id), Some(Rule::OwnWork));
    assert_eq!(desk.rule("anna", HandOverWish::Accept, id), None);
}

#[test]
fn whoever_has_the_next_shift_too_needs_no_word() {
    let mut site = usual();
    site.duty.roster[1] = entry("night", date(2026, 6, 1), date(2026, 6, 30), &["chen"]);
    let mut desk = Desk::new(site.clone(), "2026-06-10T20:00");
    assert_eq!(desk.sleep("2026-06-11T07:59"), [""; 0]);
    let known = desk.hand_over("afternoon@2026-06-10");
    assert_eq!(known.steps.last().map(|taken| &taken.step), Some(&HandOverStep::Same));
    // With somebody beside him who has to be told it is a hand-over like others, and that person's to accept.
    site.duty.roster[1] = entry("night", date(2026, 6, 1), date(2026, 6, 30), &["chen", "li"]);
    let mut desk = Desk::new(site, "2026-06-10T20:00");
    desk.sleep("2026-06-10T21:30");
    let id = "afternoon@2026-06-10";
    desk.step(Event::Tick).unwrap();
    assert_eq!(desk.rule("chen", HandOverWish::Accept, id), Some(Rule::OwnWork));
    assert_eq!(desk.rule("li", HandOverWish::Accept, id), None);
}

/// When somebody is told, whenever supervisors come and go: `ups` are times at which another one begins.
#[test]
fn a_supervisor_that_comes_later_goes_on_where_the_record_stands() {
    let table: [(&[&str], &[&str]); 5] = [
        (&["10T21:20"], &["21:00 begins: chen", "21:30 ends: chen li", "21:45 reminder: chen li"]),
        (
            &["10T21:30", "10T21:31"],
            &["21:00 begins: chen", "21:30 ends: chen li", "21:45 reminder: chen li"],
        ),
        // Nobody was there at the change: it is told as soon as somebody is.
        (&["10T21:00!", "10T21:50"], &["21:50 ends: chen li"]),
        (&["10T21:20!", "10T21:50"], &["21:00 begins: chen", "21:50 ends: chen li"]),
        // And once only where the limit has passed meanwhile.
        (
            &["10T21:20!", "10T23:00"],
            &["21:00 begins: chen", "23:00 incident opened: chen li wang"],
        ),
    ];
    for (ups, expected) in table {
        // The shift before is known, so this one is none that was there before its rule.
        let mut desk = Desk::new(usual(), "2026-06-09T20:00");
        desk.sleep("2026-06-09T21:31");
        desk.does("li", HandOverWish::Accept, "afternoon@2026-06-09").unwrap();
        desk.sleep("2026-06-10T08:31");
        desk.does("anna", HandOverWish::Accept, "night@2026-06-09").unwrap();
        let mut told = Vec::new();
        for up in ups {
            let gone = up.strip_suffix('!');
            let at = format!("2026-06-{}", gone.unwrap_or(up));
            match gone {
                // Until just before that moment it lives.
                Some(_) => {
                    let until = local(&at) - Duration::from_secs(1);
                    let until = until.to_zoned(desk.site.zone.tz().clone()).datetime().to_string();
                    told.extend(desk.sleep(&until));
                }
                None if told.is_empty() && !ups[0].ends_with('!') => told.extend(desk.sleep(&at)),
                None => desk.at = local(&at),
            }
            desk.restart();
        }
        let last = ups.last().unwrap();
        let until =
            if *last < "10T21:50" { "2026-06-10T21:50" } else { &format!("2026-06-{last}") };
        told.extend(desk.sleep(until));
        assert_eq!(told, expected, "{ups:?}");
    }
}

#[test]
fn what_ended_before_anybody_asked_for_it_or_long_ago_is_not_handed_over() {
    let mut desk = Desk::new(usual(), "2026-06-10T22:00");
    desk.sleep("2026-06-10T22:00");
    assert_eq!(desk.known(), [""; 0], "the rule is new");
    desk.sleep("2026-06-11T08:31");
    assert_eq!(desk.known(), ["night@2026-06-10"]);
    desk.does("anna", HandOverWish::Accept, "night@2026-06-10").unwrap();
    // Three days without a supervisor: only the last night is still worth a word.
    desk.at = local("2026-06-14T12:00");
    desk.restart();
    assert_eq!(desk.sleep("2026-06-14T12:00"), ["12:00 incident opened: li anna wang"]);
    assert_eq!(desk.known(), ["night@2026-06-10", "night@2026-06-13"]);
}

#[test]
fn in_nights_in_which_the_clocks_change_a_shift_is_handed_over_once_and_at_its_end() {
    let at = |hour, minute| time(hour, minute, 0, 0);
    let shifts = [
        ("afternoon", shift(at(13, 30), at(2, 30))),
        ("night", shift(at(2, 30), at(7, 0))),
        ("early", shift(at(7, 0), at(13, 30))),
    ];
    // Half past two: left out in March, twice in October, once in between.
    for (day, ends) in [
        ("2026-03-28", "2026-03-29T01:00:00Z"),
        ("2026-06-10", "2026-06-11T00:30:00Z"),
        ("2026-10-24", "2026-10-25T00:30:00Z"),
    ] {
        let site = house(&shifts, &[("afternoon", &["night"])]);
        let mut desk = Desk::new(site, &format!("{day}T14:00"));
        let next: jiff::civil::Date = day.parse().unwrap();
        let told = desk.sleep(&format!("{}T06:00", next.tomorrow().unwrap()));
        let id = format!("afternoon@{day}");
        assert_eq!(desk.known(), [id.as_str()], "{day}");
        let known = desk.hand_over(&id);
        let ends: Timestamp = ends.parse().unwrap();
        assert_eq!((known.what.ends, known.what.incoming.len()), (ends, 1), "{day}");
        assert_eq!(known.opened, ends - Duration::from_secs(30 * 60), "{day}");
        let count = |what: &str| told.iter().filter(|line| line.contains(what)).count();
        let counts = (count(" begins"), count(" ends"), count(" reminder"), count("opened"));
        assert_eq!(counts, (1, 1, 3, 1), "{day}: {told:?}");
    }
}

#[test]
fn a_clock_that_is_set_back_puts_nothing_off_and_begins_nothing_twice() {
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    desk.sleep("2026-06-10T21:46");
    desk.at = local("2026-06-10T20:50");
    assert_eq!(desk.step(Event::Tick).unwrap(), ["20:50 reminder: chen"]);
    assert_eq!(desk.sleep("2026-06-10T21:31"), ["21:30 ends: chen li"]);
    assert_eq!(desk.known(), ["afternoon@2026-06-10"]);
}

#[test]
fn a_clock_that_was_a_month_ahead_puts_no_hand_over_off() {
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    desk.sleep("2026-06-10T21:31");
    desk.does("li", HandOverWish::Accept, "afternoon@2026-06-10").unwrap();
    desk.at = local("2026-07-10T21:31");
    desk.step(Event::Tick).unwrap();
    desk.does("li", HandOverWish::Accept, "afternoon@2026-07-10").unwrap();
    desk.at = local("2026-06-10T21:40");
    desk.step(Event::Tick).unwrap();
    desk.sleep("2026-06-11T21:01");
    let june = ["afternoon@2026-06-10", "afternoon@2026-06-11", "afternoon@2026-07-10"];
    assert_eq!(desk.known(), [&june[..], &["night@2026-06-10"]].concat());
}

#[test]
fn whoever_was_to_take_over_is_gone_and_so_is_the_shift_so_the_lead_accepts() {
    let id = "night@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-11T08:00");
    desk.sleep("2026-06-11T08:31");
    let mut site = usual();
    site.people.remove(&person("anna"));
    site.duty.roster.remove(2);
    desk.goes_by(Arc::new(site));
    assert_eq!(desk.rule("li", HandOverWish::Accept, id), Some(Rule::OwnWork));
    assert_eq!(desk.rule("chen", HandOverWish::Accept, id), Some(Rule::NotOnShift));
    assert_eq!(desk.rule("wang", HandOverWish::Accept, id), None);
    // Where they are there and do not, the lead of either side may once the limit has passed.
    let mut desk = Desk::new(usual(), "2026-06-11T08:00");
    desk.sleep("2026-06-11T09:29");
    assert_eq!(desk.rule("wang", HandOverWish::Accept, id), Some(Rule::NotOnShift));
    desk.sleep("2026-06-11T09:31");
    assert_eq!(desk.rule("chen", HandOverWish::Accept, id), Some(Rule::NotOnShift));
    assert_eq!(desk.rule("wang", HandOverWish::Accept, id), None);
}

#[test]
fn an_incident_that_is_resolved_does_not_hand_over_the_shift() {
    let id = "afternoon@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    desk.sleep("2026-06-10T22:31");
    let wanted = Wanted::Resolve { cause: "asleep".into(), measure: "woken".into() };
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(1), wanted });
    let told = desk.step(Event::Incident { by: person("wang"), reason: String::new(), order });
    assert_eq!(told.unwrap(), ["22:31 incident closed: chen li", "22:31 reminder: chen li"]);
    assert_eq!(desk.sleep("2026-06-10T22:46"), ["22:46 reminder: chen li"]);
    desk.does("li", HandOverWish::Accept, id).unwrap();
    assert_eq!(desk.sleep("2026-06-11T07:00"), [""; 0]);
}

#[test]
fn what_was_handed_over_is_kept_as_it_stood_when_it_was_accepted() {
    let id = "afternoon@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    let open = |title: &str| {
        let (title, kind, severity) =
            (title.to_owned(), crate::types::IncidentKind::Request, Severity::P2);
        let order = Box::new(IncidentOrder::Open { title, kind, severity });
        Event::Incident { by: person("chen"), reason: String::new(), order }
    };
    desk.step(open("rates are odd")).unwrap();
    let wanted = Wanted::Note;
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(1), wanted });
    desk.step(Event::Incident { by: person("chen"), reason: "called the desk".into(), order })
        .unwrap();
    desk.sleep("2026-06-10T21:31");
    let noted = vec![
        Note {
            at: local("2026-06-10T15:00"),
            by: person("chen"),
            on: "eod@2026-06-09#1".into(),
            text: "in".into(),
        },
        Note {
            at: local("2026-06-10T13:29"),
            by: person("chen"),
            on: "eod@2026-06-09#1".into(),
            text: "before the shift".into(),
        },
    ];
    let order = HandOverOrder { hand_over: id.parse().unwrap(), wish: HandOverWish::Accept, noted };
    let accept =
        Event::HandOver { by: person("li"), reason: "thanks".into(), order: Box::new(order) };
    desk.step(accept).unwrap();
    desk.step(open("later")).unwrap();
    desk.restart();
    let (taken, draft) = desk.hand_over(id).accepted().unwrap();
    assert_eq!((taken.by.as_ref(), taken.words.as_str()), (Some(&person("li")), "thanks"));
    let incidents: Vec<IncidentId> = draft.incidents.iter().map(|i| i.incident).collect();
    assert_eq!(incidents, [IncidentId(1)]);
    let notes: Vec<&str> = draft.notes.iter().map(|note| note.text.as_str()).collect();
    assert_eq!(notes, ["in", "called the desk"]);
}

#[test]
fn without_rules_nothing_is_handed_over() {
    let mut site = usual();
    site.duty.hand_over = None;
    let mut desk = Desk::new(site, "2026-06-10T20:00");
    assert_eq!(desk.sleep("2026-06-12T20:00"), [""; 0]);
    assert_eq!(desk.known(), [""; 0]);
}
