//! The oracle is not the core, and both say the same of many days, instants and deadlines; and it says no where it must.

use std::time::Duration;

use super::days::KnownDays;
use super::*;
use crate::core::calendar::Calendars;
use crate::core::change::ChangeStep;
use crate::core::day_rule::Part;
use crate::core::fact::{RunResult, Why};
use crate::core::window::{Gate, NONE_ORDERED, Subject, Windows};
use crate::core::{deadline, gate, placement};
use crate::simulate::dice::Dice;
use crate::simulate::made_site::{self, Made, made};
use crate::simulate::scenario::Scenario;
use crate::simulate::world::{Night, World};
use crate::types::{BootId, Outcome, PersonId, Zone};

fn sample(seeds: std::ops::Range<u64>) -> impl Iterator<Item = (u64, Made)> {
    seeds.map(|seed| (seed, made(&mut Dice::new(seed), 30).unwrap()))
}

/// A witness of the first run of a made-up night, opened and nothing else.
fn opened(made: &Made) -> (Witness, RunId) {
    let opening = plan::openings(made).unwrap().into_iter().next().unwrap();
    let mut witness = Witness::of("made-up", made.site.clone());
    let run = opening.opened.run.clone();
    witness.take(opening.at, &Fact::RunOpened(opening.opened), &BTreeSet::new()).unwrap();
    (witness, run)
}

#[test]
fn days_are_counted_as_the_calendars_have_them() {
    let mut counted = 0;
    for (seed, made) in sample(0..60) {
        let site = &made.site;
        let calendars = Calendars::new(&site.calendars);
        let date = site.zone.tz().to_datetime(made.begins).date();
        for batch in site.batches.values() {
            let days = KnownDays { calendars: &site.calendars, default: batch.calendar.as_ref() };
            for rule in batch.jobs.iter().filter_map(|job| job.days.as_ref()) {
                for at in -20_i64..20 {
                    let day = date.checked_add(jiff::Span::new().days(at)).unwrap();
                    let core = calendars.takes_part(rule, batch.calendar.as_ref(), day);
                    let core = match core {
                        Part::Yes => Some(true),
                        Part::No { .. } => Some(false),
                        Part::Unknown { .. } => None,
                    };
                    assert_eq!(days.is_one(rule, day), core, "seed {seed} {day} {rule:?}");
                    counted += 1;
                }
            }
        }
    }
    assert!(counted > 1_000);
}

#[test]
fn windows_are_walked_as_the_gate_opens() {
    let (mut open, mut closed) = (0, 0);
    for (seed, made) in sample(0..60) {
        let (mut witness, run) = opened(&made);
        let windows = Windows::new(&made.site);
        let state = witness.state.clone();
        let run = state.run(&run).unwrap();
        for index in 0..run.jobs.len() {
            let classes = gate::windows(run, index);
            if classes.is_empty() && made.site.freezes.is_empty() {
                continue;
            }
            let target = gate::target(run, index);
            let host = placement::hosts(run, index)[0];
            let what = Subject { batch: &run.batch.id, target, host, ordered: NONE_ORDERED };
            let needs = gate::must_fit(run, index);
            for step in 0..100 {
                let at = made.begins + Duration::from_secs(step * 1_380);
                let gate = match run.opened.window_override {
                    None => windows.gate(&classes, what, at, needs),
                    Some(_) => windows.gate_overridden(&classes, what, at, needs),
                };
                let kept = witness.clock.keep(&state, (run, index), host, at);
                let is_open = matches!(gate, Gate::Open { .. });
                assert_eq!(kept.is_none(), is_open, "seed {seed} {at}: {kept:?} {gate:?}");
                *(if is_open { &mut open } else { &mut closed }) += 1;
            }
        }
    }
    assert!(open > 1_000 && closed > 1_000, "{open} open, {closed} closed");
}

#[test]
fn deadlines_are_due_at_the_same_instant_by_either_way() {
    let mut dice = Dice::new(7);
    for _ in 0..2_000 {
        let zones = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];
        let zone = Zone::named(dice.pick(&zones).unwrap()).unwrap();
        let jumps =
            ["2026-03-07T20:00Z", "2026-03-28T18:00Z", "2026-10-24T19:00Z", "2026-10-31T21:00Z"];
        let night: Timestamp = dice.pick(&jumps).unwrap().parse().unwrap();
        let anchor = night + Duration::from_secs(dice.of(0..86_400));
        let minutes = dice.of(0..1_440) as i8 as i64 + dice.of(0..1_300) as i64;
        let minutes = minutes.rem_euclid(1_440);
        let time = jiff::civil::time((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
        let core = deadline::first_at_or_after(anchor, time, &zone);
        assert_eq!(deadlines::due(anchor, time, &zone), core, "{zone} {anchor} {time}");
    }
}

/// What a witness says to a start that nobody decided, of a job that is `changed` in the state.
fn start(change: impl Fn(&mut crate::core::state::Run, usize)) -> Result<(), Violation> {
    let mut site = sample(0..40).find_map(|(_, made)| {
        let (witness, run) = opened(&made);
        let of = witness.state.run(&run).unwrap().clone();
        let free = (0..of.jobs.len()).find(|index| {
            let (mut witness, run) = opened(&made);
            let job = of.job(*index);
            let attempt = AttemptId { run, job: job.name.clone(), number: 1 };
            let (host, boot) = (placement::hosts(&of, *index)[0].clone(), BootId("b".to_owned()));
            let fact = Fact::AttemptIntended { attempt, host: host.clone(), boot, examine: false };
            witness.take(made.begins, &fact, &BTreeSet::from([host])).is_ok()
        })?;
        Some((made, witness, run, free))
    });
    let (made, witness, id, index) = site.as_mut().unwrap();
    let run = witness.state.runs.get_mut(id).unwrap();
    change(run, *index);
    let job = run.job(*index);
    let attempt = AttemptId { run: id.clone(), job: job.name.clone(), number: 1 };
    let (host, boot) = (placement::hosts(run, *index)[0].clone(), BootId("b".to_owned()));
    let fact = Fact::AttemptIntended { attempt, host: host.clone(), boot, examine: false };
    witness.take(made.begins, &fact, &BTreeSet::from([host]))
}

#[test]
fn a_start_that_a_rule_forbids_is_found() {
    start(|_, _| {}).unwrap();
    let found = |change: &dyn Fn(&mut crate::core::state::Run, usize)| {
        start(|run, index| change(run, index)).unwrap_err().to_string()
    };
    let never = |run: &mut crate::core::state::Run, index: usize| {
        let mut batch = (*run.batch).clone();
        let once = crate::definition::site::Days::Once(jiff::civil::date(2000, 1, 1));
        let days = crate::definition::site::DayRule { days: once, offset: 0, calendar: None };
        batch.jobs[index].days = Some(days);
        run.batch = batch.into();
    };
    assert!(found(&never).contains("leaves the day out"));
    let closed = |run: &mut crate::core::state::Run, _: usize| {
        let mut batch = (*run.batch).clone();
        batch.window = Some(crate::types::WindowClass::new("none").unwrap());
        run.batch = batch.into();
        run.opened.window_override = None;
    };
    assert!(found(&closed).contains("its window none is closed"));
    let over = |run: &mut crate::core::state::Run, _: usize| run.result = Some(RunResult::Failed);
    assert!(found(&over).contains("its run is over"));
    let full = |run: &mut crate::core::state::Run, _: usize| {
        let mut site = (*run.site).clone();
        for host in site.hosts.values_mut() {
            host.max_running = 0;
        }
        for pool in site.pools.values_mut() {
            *pool = 0;
        }
        run.site = site.into();
        // A wait takes no place: this is about work.
        let mut batch = (*run.batch).clone();
        for job in &mut batch.jobs {
            job.kind = crate::definition::site::Kind::Shell { script: "true".to_owned() };
        }
        run.batch = batch.into();
    };
    assert!(found(&full).contains("are in use"));
}

#[test]
fn old_news_and_second_settlements_are_found() {
    let made = sample(0..1).next().unwrap().1;
    let (mut witness, run) = opened(&made);
    let job = witness.state.run(&run).unwrap().job(0).name.clone();
    let attempt = AttemptId { run: run.clone(), job: job.clone(), number: 1 };
    let started = Fact::AttemptStarted { attempt, pid: 1, at: made.begins };
    let said = witness.take(made.begins, &started, &BTreeSet::new()).unwrap_err();
    assert!(matches!(said, Violation::OldNews(..)), "{said}");
    let why = Why::NotAsked;
    let settled = Fact::Settled { run, job, outcome: Outcome::NotScheduled, why };
    let said = witness.take(made.begins, &settled, &BTreeSet::new()).unwrap_err();
    assert!(said.to_string().contains("NotAsked does not hold"), "{said}");
}

#[test]
fn the_plan_is_what_happens_in_a_calm_night() {
    let broken: Vec<String> = (0..100)
        .filter_map(|seed| {
            Some((seed, plan::plan_holds(seed, 40 + 2 * (seed as usize % 2)).err()?))
        })
        .map(|(seed, why)| format!("seed {seed}: {why}"))
        .collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whether the starts of a night break the rule about a change that stopped half way, where `doctored` alters which two people
/// have said how it goes on.
fn breaks(
    (seed, night): &(u64, Night),
    doctored: &impl Fn(&PersonId, &mut Option<PersonId>),
) -> bool {
    let mut witness = Witness::of("made-up", made(&mut Dice::new(*seed), 12).unwrap().site);
    let mut found = false;
    for sealed in &night.entries {
        let mut entry = sealed.open().unwrap();
        if let Fact::ChangeMoved { by, second, step, .. } = &mut entry.fact
            && matches!(**step, ChangeStep::GoesOn { .. })
        {
            doctored(by, second);
        }
        if let Fact::AttemptIntended { attempt, host, examine: false, .. } = &entry.fact {
            let told = witness.startable(entry.at, attempt, host, true);
            found |=
                matches!(told, Err(Violation::Started(_, why)) if why.contains("how it goes on"));
        }
        witness.state.apply(entry.at, &entry.fact).unwrap();
    }
    found
}

/// In every made-up night it is held against two people who had no hand in it; here it is shown that this finds something.
#[test]
fn a_half_done_change_that_goes_on_by_one_persons_word_is_found_out() {
    let played = |seed| {
        let mut world = World::new(Scenario { look: 1 << 40, ..Scenario::of(seed, 12) }).unwrap();
        world.cuts_off();
        (seed, world.play().unwrap_or_else(|failure| panic!("{}", failure.breach)))
    };
    let nights: Vec<(u64, Night)> = (0..16).map(played).collect();
    let broken = |doctored: &dyn Fn(&PersonId, &mut Option<PersonId>)| {
        nights.iter().filter(|night| breaks(night, &doctored)).count()
    };
    let author = made_site::author().unwrap();
    assert_eq!(broken(&|_, _| {}), 0);
    let alone = broken(&|_, second| *second = None);
    let twice = broken(&|by, second| *second = Some(by.clone()));
    let own = broken(&|_, second| *second = Some(author.clone()));
    assert!(alone > 3 && twice == alone && own > 3, "{alone}, {twice}, {own} of 16 nights");
}
