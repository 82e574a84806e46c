//! A random site, and who orders what of it when. The dice decide everything; what comes out is a site that `check`
//! finds no error in, so that no night is about something impossible.

mod batches;
mod calendars;
mod change_days;
mod change_rules;
mod hosts;
mod jobs;
mod needs;
mod on_call;
mod orders;
mod which_night;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::dice::Dice;
use crate::core::calendar::Calendars;
use crate::core::order::Order;
use crate::core::refused::Refused;
use crate::definition::site::{
    Batch, DayRule, Days, Duty, Engine, Host, InspectionRules, Kind, Mail, Person, ReportRules,
    RoundRule, Server, ServerTls, Site, Target, Transport, TwoPeople,
};
use crate::types::{
    BusinessDate, HostName, InvalidName, JobName, JobRef, Lang, Outcome, PersonId, PoolName, Role,
    Severity, Span, TargetName, Text,
};

/// A made-up site with its night.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) site: Arc<Site>,
    /// The site's, laid out.
    pub(super) calendars: Arc<Calendars>,
    pub(super) begins: Timestamp,
    /// In the order of their instants.
    pub(super) asked: Vec<Asked>,
    /// How jobs of dates before this night came out, as far as some job needs them.
    pub(super) known: BTreeMap<(JobRef, BusinessDate), Outcome>,
    /// The same for what comes out only later, by the instant at which it is heard of. Each comes once.
    pub(super) news: BTreeMap<Timestamp, (JobRef, BusinessDate, Outcome)>,
}

/// Somebody orders a run.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) at: Timestamp,
    pub(super) order: Order,
    /// From history, where there is one.
    pub(super) expected: BTreeMap<JobName, Span>,
}

/// The dice made something that does not hold together: a defect of this module.
#[derive(Debug, thiserror::Error)]
pub(super) enum BadSite {
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(transparent)]
    Time(#[from] jiff::Error),
    #[error(transparent)]
    Order(#[from] Refused),
}

/// Units of each made-up pool.
type Pools = BTreeMap<PoolName, u32>;

/// Makes a site of so many jobs in one to four batches (fewer batches where there are fewer jobs), at least one job.
pub(super) fn made(dice: &mut Dice, jobs: usize) -> Result<Made, BadSite> {
    let night = which_night::pick(dice)?;
    let calendars = calendars::all(dice, night.date)?;
    let windows = windows::classes(dice, &night.zone)?;
    let pools = pools(dice)?;
    let named = batches::Named { windows: windows.keys().cloned().collect(), pools: &pools };
    let (batches, changes) = batches::all(dice, &night, &named, jobs)?;
    let freezes = windows::freezes(dice, &night, &batches, &named.windows)?;
    let mut site = Site {
        title: Text::en("Made up"),
        zone: night.zone.clone(),
        language: Lang::En,
        calendar: Some(calendars::bank()?),
        url: None,
        mail: Mail {
            from: "nightrun@bank.example".to_owned(),
            transport: Transport::Folder("mail".into()),
            failures_to: Role::new("duty")?,
            give_up_after: Mail::GIVE_UP_AFTER,
            report_to: Role::new("duty")?,
        },
        webhooks: BTreeMap::new(),
        life_sign: None,
        reports: ReportRules::default(),
        inspections: rounds(&batches),
        hosts: two_hosts(dice, jobs)?,
        targets: targets()?,
        people: BTreeMap::from([(operator()?, person()?), (watcher()?, person()?)]),
        // By what is known already, so that other nights are made as before.
        rights: BTreeMap::new(),
        duty: Duty::default(),
        escalation: Some(Arc::new(on_call::quiet()?)),
        service_levels: None,
        second_person: if jobs.is_multiple_of(3) { TWO.to_vec() } else { Vec::new() },
        calendars,
        windows,
        freezes,
        changes,
        change_rules: None,
        batches: batches.into_iter().map(|b| (b.id.clone(), Arc::new(b))).collect(),
        pools: pools.clone(),
    };
    if jobs % 5 == 2 {
        let mut aside = dice.aside();
        let whole = jobs % 15 == 2;
        if whole {
            change_days::lists(&mut aside, &mut site, &night, &named)?;
        }
        change_rules::lay(dice, &mut site)?;
        if whole {
            change_days::lay(&mut aside, &mut site, &night)?;
        }
    }
    if jobs % 5 == 4 {
        hosts::lay(&mut dice.aside(), &mut site)?;
    }
    if jobs % 5 == 3 {
        on_call::lay(dice, &mut site, night.date)?;
        on_call::shifts(dice, &mut site, night.date)?;
    }
    orders::of(dice, site, &night)
}

/// Every batch that inspects is counted.
fn rounds(batches: &[Batch]) -> Option<InspectionRules> {
    let inspects =
        |batch: &&Batch| batch.jobs.iter().any(|job| matches!(job.kind, Kind::Inspect { .. }));
    let days = DayRule { days: Days::EveryDay, offset: 0, calendar: None };
    let rule = |batch: &Batch| RoundRule {
        batch: batch.id.clone(),
        per_day: 1,
        days: days.clone(),
        from: None,
        to: None,
    };
    let rounds: Vec<RoundRule> = batches.iter().filter(inspects).map(rule).collect();
    (!rounds.is_empty()).then_some(InspectionRules { rounds, severity: Severity::P3 })
}

const TWO: [TwoPeople; 3] = [TwoPeople::Force, TwoPeople::KillChange, TwoPeople::Unfreeze];

/// Who does most in every made-up site.
pub(super) fn operator() -> Result<PersonId, InvalidName> {
    PersonId::new("operator")
}

/// Who writes changes.
pub(super) fn author() -> Option<PersonId> {
    PersonId::new(change_rules::AUTHOR).ok()
}

pub(super) use self::change_days::{LIST, LISTED};

/// Who says yes where it takes two.
pub(super) fn watcher() -> Result<PersonId, InvalidName> {
    PersonId::new("watcher")
}

fn person() -> Result<Person, BadSite> {
    Ok(Person {
        name: Text::en("Operator"),
        language: None,
        mail: None,
        phone: None,
        webhook: None,
        team: None,
        roles: vec![Role::new("duty")?, Role::new(crate::core::order::OVERRIDE_ROLE)?],
        unix_user: None,
    })
}

fn pools(dice: &mut Dice) -> Result<Pools, BadSite> {
    (0..4).map(|n| Ok((PoolName::new(&format!("p{n}"))?, dice.of(1..6) as u32))).collect()
}

fn two_hosts(dice: &mut Dice, jobs: usize) -> Result<BTreeMap<HostName, Host>, BadSite> {
    let most = 4 + jobs as u64 / 10;
    let host = |dice: &mut Dice, name: &str| {
        let max_running = dice.of(1..most) as u32;
        Ok((HostName::new(name)?, Host { trial: true, max_running, ..Host::default() }))
    };
    [host(dice, "local"), host(dice, "far")].into_iter().collect()
}

/// Events that jobs wait for, and others tell.
pub(super) const EVENTS: [&str; 2] = ["positions-delivered", "rates-fixed"];

/// Names of the databases.
const TARGETS: [&str; 2] = ["bank", "risk"];

fn targets() -> Result<BTreeMap<TargetName, Target>, BadSite> {
    TARGETS
        .into_iter()
        .map(|name| {
            // One file with its one writer, and a server that takes two.
            let server = Server {
                host: "db.bank.example".to_owned(),
                port: 5432,
                database: name.to_owned(),
                user: "nightrun".to_owned(),
                password_file: None,
                tls: ServerTls::Require,
                ca: None,
                identity: None,
            };
            let file = name == TARGETS[0];
            let engine = if file {
                Engine::Sqlite { path: format!("{name}.db").into() }
            } else {
                Engine::Postgres(server)
            };
            let target = Target {
                title: Text::en(name),
                engine,
                environment: change_rules::ENVIRONMENT.to_owned(),
                trial: true,
                connections: if file { 1 } else { 2 },
            };
            Ok((TargetName::new(name)?, target))
        })
        .collect()
}

#[cfg(test)]
mod tests;
