use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{date, time};

use super::calendar::Calendars;
use super::order::{self, Order};
use super::test_night::{name, site};
use super::test_site::{cron, job, on_days};
use crate::definition::site::{
    Calendar, CalendarRule, Days, Engine, Host, Kind, Site, Target, Transaction,
};
use crate::types::{
    BatchId, BusinessDate, CalendarName, HostName, PersonId, Role, TargetName, Text,
};

fn nightly() -> Site {
    let jobs =
        vec![job("load", &[]), job("post", &["load"]), job("print", &["post"]), job("x", &[])];
    let mut site = site(jobs);
    let calendar = CalendarName::new("bank").unwrap();
    let weekly = [true, true, true, true, true, false, false];
    let (first, last) = (date(2026, 1, 1), date(2026, 12, 31));
    let rule = CalendarRule::Listed { weekly, exceptions: BTreeMap::new() };
    site.calendars
        .insert(calendar.clone(), Calendar { title: Text::en("Bank"), first, last, rule });
    change(&mut site, |eod| {
        eod.schedule = Some(on_days(Days::EveryBusinessDay, &[time(21, 30, 0, 0)], "UTC"));
        eod.calendar = Some(calendar);
    });
    site
}

fn change(site: &mut Site, how: impl FnOnce(&mut crate::definition::site::Batch)) {
    how(Arc::make_mut(site.batches.get_mut(&eod()).unwrap()));
}

fn eod() -> BatchId {
    BatchId::new("eod").unwrap()
}

fn li_wei() -> PersonId {
    PersonId::new("li-wei").unwrap()
}

fn at(site: &Site, now: &str, fill: impl FnOnce(&mut Order)) -> Result<order::Ordered, String> {
    let mut order = Order::of(eod(), li_wei());
    fill(&mut order);
    let calendars = Calendars::new(&site.calendars);
    order::resolve(site, &calendars, order, now.parse().unwrap()).map_err(|e| e.to_string())
}

const NOON: &str = "2026-10-30T12:00:00Z";

#[test]
fn without_a_date_it_is_that_of_the_nearest_start() {
    let site = nightly();
    let date_at = |now| at(&site, now, |_| {}).unwrap().business_date.to_string();
    assert_eq!(date_at("2026-10-30T20:00:00Z"), "2026-10-30", "tonight");
    assert_eq!(date_at("2026-10-30T06:00:00Z"), "2026-10-29", "last night");
    assert_eq!(date_at("2026-10-30T16:00:00Z"), "2026-10-30");
    assert_eq!(date_at("2026-11-01T12:00:00Z"), "2026-10-30", "Sunday: Friday's");
    let ordered = at(&site, "2026-10-31T02:00:00Z", |_| {}).unwrap();
    assert_eq!(
        ordered.anchor.to_string(),
        "2026-10-30T21:30:00Z",
        "deadlines count from the start"
    );
    assert_eq!(ordered.key().unwrap().as_str(), "2026-10-30");
}

#[test]
fn without_a_schedule_it_is_today_in_the_zone() {
    let site = site(vec![job("a", &[])]);
    let ordered = at(&site, NOON, |_| {}).unwrap();
    assert_eq!(ordered.business_date.to_string(), "2026-10-30");
    assert_eq!(ordered.anchor.to_string(), NOON);
}

#[test]
fn the_schedule_itself_orders_by_its_instant() {
    let mut site = nightly();
    change(&mut site, |eod| {
        eod.schedule = Some(cron("30 1 * * *", "Europe/Berlin"));
        eod.business_date.offset = -1;
    });
    let scheduled = "2026-10-30T00:30:00Z".parse().unwrap();
    let ordered = at(&site, NOON, |order| order.scheduled = Some(scheduled)).unwrap();
    assert_eq!(ordered.business_date.to_string(), "2026-10-29");
    assert_eq!(ordered.anchor, scheduled);
    assert_eq!(ordered.key().unwrap().as_str(), "2026-10-29");
    // Where the date has several starts each is a run of its own.
    change(&mut site, |eod| eod.schedule = Some(cron("30 1,4 * * *", "Europe/Berlin")));
    let ordered = at(&site, NOON, |order| order.scheduled = Some(scheduled)).unwrap();
    assert_eq!(ordered.key().unwrap().as_str(), "20261030T003000Z");
}

#[test]
fn a_date_that_the_calendar_does_not_know_is_refused() {
    let date = BusinessDate(date(2027, 1, 4));
    let refused = at(&nightly(), NOON, |order| order.business_date = Some(date)).unwrap_err();
    assert!(refused.contains("no data for 2027-01-04"), "{refused}");
}

#[test]
fn names_that_are_not_there_are_refused_with_the_nearest_one() {
    let site = nightly();
    let batch = at(&site, NOON, |order| order.batch = BatchId::new("eid").unwrap()).unwrap_err();
    assert_eq!(batch, "there is no batch `eid`; did you mean `eod`?");
    let job = at(&site, NOON, |order| order.only = vec![name("prnt")]).unwrap_err();
    assert_eq!(job, "batch eod has no job `prnt`; did you mean `print`? (rule: no-such-job)");
}

#[test]
fn parameters_are_known_and_complete() {
    let mut site = nightly();
    change(&mut site, |eod| {
        eod.parameters = [("branch".into(), Some("001".into())), ("reason".into(), None)].into();
    });
    let missing = at(&site, NOON, |_| {}).unwrap_err();
    assert!(missing.contains("needs the parameter `reason`"), "{missing}");
    let give = |name: &str, order: &mut Order| order.parameters.insert(name.into(), "x".into());
    let unknown = at(&site, NOON, |order| drop(give("reasn", order))).unwrap_err();
    assert!(unknown.contains("did you mean `reason`?"), "{unknown}");
    let given = at(&site, NOON, |order| drop(give("reason", order))).unwrap().parameters;
    assert_eq!(given["branch"], "001");
    assert_eq!(given["reason"], "x");
}

#[test]
fn from_takes_what_follows_and_only_takes_nothing_else() {
    let site = nightly();
    let from = at(&site, NOON, |order| order.from = vec![name("post")]).unwrap();
    assert_eq!(from.only, [name("post"), name("print")]);
    let only = at(&site, NOON, |order| order.only = vec![name("post")]).unwrap();
    assert_eq!(only.only, [name("post")]);
    assert!(at(&site, NOON, |_| {}).unwrap().only.is_empty(), "all");
}

#[test]
fn needs_of_other_runs_get_their_dates_and_count_as_done_before_since() {
    let mut site = nightly();
    change(&mut site, |eod| {
        eod.jobs.push(job("y", &["eod.print@-1bd"]));
        eod.since = Some(date(2026, 10, 30));
    });
    let need = |day| {
        let date = BusinessDate(date(2026, 11, day));
        let ordered = at(&site, NOON, |order| order.business_date = Some(date)).unwrap();
        let need = &ordered.across[0];
        (need.date.to_string(), need.counts_as_done)
    };
    assert_eq!(need(2), ("2026-10-30".to_owned(), false), "Monday needs Friday");
    let first =
        at(&site, NOON, |order| order.business_date = Some(BusinessDate(date(2026, 10, 30))));
    assert!(first.unwrap().across[0].counts_as_done);
    let trial = at(&site, NOON, |order| order.trial = true).unwrap();
    assert!(trial.across.is_empty());
}

#[test]
fn a_trial_is_refused_where_a_host_or_target_is_not_marked() {
    let mut site = nightly();
    let bank = TargetName::new("bank").unwrap();
    let engine = Engine::Sqlite { path: "bank.db".into() };
    let environment = "production".to_owned();
    let target =
        Target { title: Text::en("Bank"), engine, environment, trial: false, connections: 1 };
    site.targets.insert(bank.clone(), target);
    let far = HostName::new("far").unwrap();
    site.hosts.insert(far.clone(), Host { max_running: 1, ..Host::default() });
    change(&mut site, |eod| {
        eod.jobs[1].host = far.into();
        let (script, transaction) = ("a.sql".into(), Transaction::One);
        eod.jobs[2].kind = Kind::Sql { target: bank, script, transaction };
    });
    let refused = at(&site, NOON, |order| order.trial = true).unwrap_err();
    assert!(refused.contains("not marked for trials: host far, target bank"), "{refused}");
    let part = |order: &mut Order| {
        order.trial = true;
        order.only = vec![name("load")];
    };
    assert!(at(&site, NOON, part).is_ok(), "they take no part");
}

#[test]
fn a_window_override_needs_the_role_and_a_reason() {
    let mut site = nightly();
    let ask = |reason: &str| {
        let reason = reason.to_owned();
        move |order: &mut Order| order.window_override = Some(reason)
    };
    let refused = at(&site, NOON, ask("the regulator asks")).unwrap_err();
    assert!(refused.contains("`window-override`"), "{refused}");
    let person = site.people.get_mut(&li_wei()).unwrap();
    person.roles.push(Role::new(order::OVERRIDE_ROLE).unwrap());
    assert!(at(&site, NOON, ask("the regulator asks")).is_ok());
    assert!(at(&site, NOON, ask(" ")).unwrap_err().contains("reason"));
}
