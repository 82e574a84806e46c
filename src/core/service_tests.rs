//! Starts of the schedules: each is made once or told as missed, whatever the clock and the outages do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::fact::{Fact, LateWhy, MissedWhy, RunOpened};
use super::night::{Core, Event};
use super::order::{self, Order};
use super::service::{DueStart, is_done_with, takes_the_place_of_a_start};
use super::test_night::{Night, name, opened};
use super::test_site::{batch, cron, job, site};
use crate::core::calendar::Calendars;
use crate::definition::site::{Missed, Schedule, Site};
use crate::types::{BatchId, BootId, Now, PersonId, RunId, Span};

/// A supervisor that serves, with the start that each order of the schedule asks for carried out.
struct Served {
    core: Core,
    site: Arc<Site>,
    facts: Vec<Fact>,
}

fn at(text: &str) -> Timestamp {
    format!("2026-10-30T{text}Z").parse().unwrap()
}

fn now(wall: Timestamp) -> Now {
    Now { wall, since_boot: Duration::from_secs(1_000) }
}

fn hourly(missed: Missed) -> Schedule {
    Schedule { missed, ..cron("0 * * * *", "UTC") }
}

fn of(schedule: Schedule) -> Arc<Site> {
    Arc::new(site(vec![batch("tick", Some(schedule), vec![job("a", &[])])]))
}

fn hours(limit: u64) -> Span {
    Span::seconds(limit * 3_600)
}

impl Served {
    fn since(site: &Arc<Site>, when: &str) -> Self {
        let mut served = Self { core: Core::new(1), site: Arc::clone(site), facts: Vec::new() };
        served.serve(site, when);
        served
    }

    fn step(&mut self, wall: Timestamp, event: Event) {
        let turn = self.core.step(now(wall), event).unwrap();
        self.facts.extend(turn.facts);
    }

    fn serve(&mut self, site: &Arc<Site>, when: &str) {
        self.site = Arc::clone(site);
        self.core.define("d", Arc::clone(site));
        self.step(
            at(when),
            Event::Serve { site: Arc::clone(site), observes: false, revision: None },
        );
    }

    /// What the supervisor of an outage knows: what was decided, and nothing of runs.
    fn restarted(&self, when: &str) -> Self {
        let mut core = Core::new(1);
        for (batch, known) in &self.core.state().schedules {
            let schedule = known.schedule.clone();
            let fact = Fact::ScheduleTaken { batch: batch.clone(), schedule, since: at("00:00") };
            core.replay(at("00:00"), &fact).unwrap();
            core.decided_start(batch, known.decided);
        }
        let mut next = Self { core, site: Arc::clone(&self.site), facts: Vec::new() };
        next.serve(&Arc::clone(&self.site), when);
        next
    }

    /// Time passes; what is due is made.
    fn tick(&mut self, when: &str) -> Vec<DueStart> {
        self.step(at(when), Event::Tick);
        let due = self.core.due_starts(at(when), &[], &BTreeSet::new(), 99);
        for start in &due {
            self.make(at(when), start);
        }
        assert_eq!(self.core.due_starts(at(when), &[], &BTreeSet::new(), 99), []);
        due
    }

    fn make(&mut self, wall: Timestamp, start: &DueStart) {
        let by = PersonId::new("schedule").unwrap();
        let calendars = Calendars::new(&self.site.calendars);
        let order =
            Order { scheduled: Some(start.scheduled), ..Order::of(start.batch.clone(), by) };
        let ordered = order::resolve(&self.site, &calendars, order, wall).unwrap();
        let run = RunId { batch: start.batch.clone(), key: ordered.key().unwrap(), number: 1 };
        let clock = (BootId("b".into()), Duration::from_secs(1_000));
        let opened = ordered.opened(run, "d".into(), Default::default(), clock);
        let opened = Box::new(RunOpened { late: start.late, ..opened });
        self.step(wall, Event::Open { opened, across: Vec::new() });
    }

    fn missed(&self) -> Vec<(String, String, u32, MissedWhy)> {
        let time = |at: &Timestamp| at.strftime("%H:%M").to_string();
        let told = self.facts.iter().filter_map(|fact| match fact {
            Fact::StartsMissed { first, last, count, why, .. } => {
                Some((time(first), time(last), *count, why.clone()))
            }
            _ => None,
        });
        told.collect()
    }
}

fn times(due: &[DueStart]) -> Vec<String> {
    due.iter().map(|start| start.scheduled.strftime("%H:%M").to_string()).collect()
}

#[test]
fn a_schedule_is_served_from_the_moment_it_is_taken_over() {
    let mut served = Served::since(&of(hourly(Missed::None)), "00:30");
    assert_eq!(times(&served.tick("00:59")), [""; 0]);
    assert_eq!(served.core.next_start(&BTreeSet::new()), Some(at("01:00")));
    let due = served.tick("01:00");
    assert_eq!(times(&due), ["01:00"]);
    assert_eq!(due[0].late, None);
    assert_eq!(times(&served.tick("01:00")), [""; 0], "once");
    assert_eq!(times(&served.tick("02:00:30")), ["02:00"]);
    let runs: Vec<String> = served.core.state().runs.keys().map(RunId::to_string).collect();
    assert_eq!(runs, ["tick@20261030T010000Z#1", "tick@20261030T020000Z#1"]);
    assert_eq!(served.missed(), []);
}

#[test]
fn a_batch_that_starts_once_a_day_has_its_date_for_a_key() {
    let site = of(cron("30 21 * * *", "UTC"));
    let mut served = Served::since(&site, "20:00");
    served.tick("21:30");
    let runs: Vec<String> = served.core.state().runs.keys().map(RunId::to_string).collect();
    assert_eq!(runs, ["tick@2026-10-30#1"]);
}

#[test]
fn an_outage_is_made_up_for_as_the_schedule_says() {
    // Served to 01:00, then nobody until 06:30.
    let table = [
        (Missed::None, vec![], vec![("02:00", "06:00", 5, MissedWhy::NotMadeUp)]),
        (
            Missed::Latest { limit: hours(12) },
            vec!["06:00"],
            vec![("02:00", "05:00", 4, MissedWhy::OnlyLatest)],
        ),
        (
            Missed::All { limit: hours(12) },
            vec!["02:00", "03:00", "04:00", "05:00", "06:00"],
            vec![],
        ),
        (
            Missed::All { limit: hours(2) },
            vec!["05:00", "06:00"],
            vec![("02:00", "04:00", 3, MissedWhy::TooLate { limit: hours(2) })],
        ),
    ];
    for (policy, made, missed) in table {
        let mut first = Served::since(&of(hourly(policy)), "00:30");
        first.tick("01:00");
        let mut next = first.restarted("06:30");
        let due = next.tick("06:30");
        assert_eq!(times(&due), made, "{policy:?}");
        assert!(due.iter().all(|start| start.late == Some(LateWhy::NobodyServed)), "{policy:?}");
        let missed: Vec<_> = missed
            .into_iter()
            .map(|(first, last, count, why)| (first.to_owned(), last.to_owned(), count, why))
            .collect();
        assert_eq!(next.missed(), missed, "{policy:?}");
        assert_eq!(times(&next.tick("07:00")), ["07:00"], "{policy:?}");
    }
}

#[test]
fn a_start_that_can_be_made_within_minutes_was_not_missed() {
    let first = Served::since(&of(hourly(Missed::None)), "00:30");
    let mut next = first.restarted("01:04");
    let due = next.tick("01:04");
    assert_eq!(times(&due), ["01:00"]);
    assert_eq!(due[0].late, Some(LateWhy::NobodyServed));
    // And it is the latest, so that a longer outage before it makes up for nothing else.
    let first = Served::since(&of(hourly(Missed::Latest { limit: hours(9) })), "00:30");
    let mut next = first.restarted("03:01");
    assert_eq!(times(&next.tick("03:01")), ["03:00"]);
    assert_eq!(next.missed(), [("01:00".into(), "02:00".into(), 2, MissedWhy::OnlyLatest)]);
}

#[test]
fn a_clock_that_is_set_back_starts_nothing_again() {
    let mut served = Served::since(&of(hourly(Missed::All { limit: hours(9) })), "00:30");
    assert_eq!(times(&served.tick("03:00")), ["01:00", "02:00", "03:00"]);
    assert_eq!(times(&served.tick("01:30")), [""; 0]);
    assert_eq!(times(&served.tick("03:30")), [""; 0]);
    assert_eq!(times(&served.tick("04:00")), ["04:00"]);
}

#[test]
fn a_schedule_that_changes_counts_from_its_change() {
    let mut served = Served::since(&of(hourly(Missed::All { limit: hours(9) })), "00:30");
    served.tick("01:00");
    // Until 04:10 nobody looks; meanwhile the schedule has become one of half hours.
    let changed =
        of(Schedule { missed: Missed::All { limit: hours(9) }, ..cron("30 * * * *", "UTC") });
    served.serve(&changed, "04:10");
    assert_eq!(served.missed(), [("02:00".into(), "04:00".into(), 3, MissedWhy::ScheduleChanged)]);
    assert_eq!(times(&served.tick("04:30")), ["04:30"]);
    // Taken away, and given back.
    served.serve(&Arc::new(site(vec![batch("tick", None, vec![job("a", &[])])])), "05:00");
    assert_eq!(times(&served.tick("08:00")), [""; 0]);
    served.serve(&changed, "09:00");
    assert_eq!(times(&served.tick("09:30")), ["09:30"]);
    assert_eq!(served.missed().len(), 1);
    // The same definitions again change nothing.
    let before = served.facts.len();
    served.serve(&changed, "09:45");
    assert_eq!(served.facts.len(), before);
}

#[test]
fn a_start_that_a_rule_refuses_is_told_and_not_tried_again() {
    let mut served = Served::since(&of(hourly(Missed::None)), "00:30");
    let batch = BatchId::new("tick").unwrap();
    served.step(at("01:00"), Event::Tick);
    let why = MissedWhy::Refused { what: "no".into() };
    served.step(
        at("01:00"),
        Event::MissStart { batch: batch.clone(), scheduled: at("01:00"), why: why.clone() },
    );
    assert_eq!(served.core.due_starts(at("01:00"), &[], &BTreeSet::new(), 99), []);
    assert_eq!(served.missed(), [("01:00".into(), "01:00".into(), 1, why.clone())]);
    let again = Event::MissStart { batch, scheduled: at("01:00"), why };
    let broken = served.core.step(now(at("01:01")), again).unwrap_err().to_string();
    assert!(broken.contains("have been decided"), "{broken}");
}

#[test]
fn who_observes_makes_nothing_and_tells_of_each_start() {
    let site = of(hourly(Missed::All { limit: hours(9) }));
    let mut served = Served { core: Core::new(1), site: Arc::clone(&site), facts: Vec::new() };
    served.step(at("00:30"), Event::Serve { site, observes: true, revision: None });
    assert_eq!(times(&served.tick("02:00")), [""; 0]);
    assert_eq!(served.missed(), [("01:00".into(), "02:00".into(), 2, MissedWhy::Observed)]);
}

#[test]
fn what_hindered_is_why_a_start_is_late() {
    let mut served = Served::since(&of(hourly(Missed::None)), "00:30");
    served.step(at("01:01"), Event::Tick);
    let late = |from: &str, to: &str, why| {
        let hindrance = (at(from), at(to), why);
        served.core.due_starts(at("01:01"), &[hindrance], &BTreeSet::new(), 99)[0].late
    };
    assert_eq!(late("00:59", "01:01", LateWhy::Store), Some(LateWhy::Store));
    assert_eq!(late("00:40", "00:50", LateWhy::Store), Some(LateWhy::Work));
    assert_eq!(late("01:00:30", "01:01", LateWhy::Clock), Some(LateWhy::Clock));
    let in_time = served.core.due_starts(at("01:00:03"), &[], &BTreeSet::new(), 99);
    assert_eq!(in_time[0].late, None);
    assert!(at("01:01").duration_since(at("01:00")) > SignedDuration::from_secs(5));
}

#[test]
fn only_a_whole_run_that_people_ordered_takes_the_place_of_a_start() {
    let whole = opened("eod", at("20:00"));
    assert!(takes_the_place_of_a_start(&whole));
    let part = RunOpened { only: vec![name("load")], ..whole.clone() };
    assert!(!takes_the_place_of_a_start(&part));
    let of_the_schedule = RunOpened { scheduled: Some(at("06:00")), ..whole };
    assert!(!takes_the_place_of_a_start(&of_the_schedule));
}

#[test]
fn a_run_is_kept_at_hand_for_an_hour_after_its_end() {
    let mut night = Night::of(vec![job("a", &[])]);
    let begun = night.now.wall;
    let later = |minutes| begun + SignedDuration::from_mins(minutes);
    let done = |night: &Night, at| is_done_with(night.core.state(), night.run(), at);
    assert!(!done(&night, later(6_000)), "it is not over");
    night.good("a");
    assert!(night.run().result.is_some());
    assert!(!done(&night, later(60)));
    assert!(done(&night, later(61)));
    let mut night = Night::of(vec![job("a", &[])]);
    night.bad("a");
    assert!(!done(&night, later(61)), "nobody has answered");
}
