//! A random site: two batches, the second needing jobs of the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Time, date, time};

use super::dice::Dice;
use crate::definition::site::{
    Batch, BusinessDateRule, DayRule, Days, EndingKind, Engine, Freeze, FreezeScope, Host, Job,
    Kind, Mail, Need, NeedOf, Opening, Person, Retry, Site, Success, Survivors, Target,
    Transaction, Transport, Window,
};
use crate::types::{
    BatchId, Condition, HostName, InvalidName, JobName, JobRef, Lang, PersonId, PoolName, Role,
    Span, TargetName, Text, WindowClass, Zone,
};

/// The business date of every made-up night.
pub(super) const TODAY: Date = date(2026, 10, 30);
/// Its openings: [`window_of`] class number → clock times UTC, every day.
pub(super) const OPENINGS: [(Time, Time); 2] =
    [(time(21, 0, 0, 0), time(23, 30, 0, 0)), (time(23, 0, 0, 0), time(3, 0, 0, 0))];

const POOLS: u64 = 3;

pub(super) fn window_of(number: usize) -> Result<WindowClass, InvalidName> {
    WindowClass::new(&format!("w{number}"))
}

pub(super) fn site(dice: &mut Dice, jobs: u64) -> Result<Site, InvalidName> {
    let first = batch(dice, "eod", jobs - jobs / 4, None)?;
    let second = batch(dice, "reports", jobs / 4, Some(&first))?;
    let mut pools = BTreeMap::new();
    for pool in 0..POOLS {
        pools.insert(PoolName::new(&format!("p{pool}"))?, dice.of(1..3) as u32);
    }
    let mut hosts = BTreeMap::new();
    for host in ["local", "far"] {
        let max_running = dice.of(1..5) as u32;
        hosts.insert(HostName::new(host)?, Host { trial: true, max_running });
    }
    let target = Target {
        title: Text::en("Bank"),
        engine: Engine::Sqlite { path: "bank.db".into() },
        environment: "sample".to_owned(),
        trial: true,
    };
    let person = Person {
        name: Text::en("Operator"),
        language: None,
        mail: None,
        team: None,
        roles: vec![Role::new("duty")?],
        unix_user: None,
    };
    Ok(Site {
        title: Text::en("Made up"),
        zone: Zone::utc(),
        language: Lang::En,
        calendar: None,
        mail: Mail {
            from: "nightrun@bank.example".to_owned(),
            transport: Transport::Folder("mail".into()),
            failures_to: Role::new("duty")?,
            report_to: Role::new("duty")?,
        },
        pools,
        hosts,
        targets: BTreeMap::from([(TargetName::new("bank")?, target)]),
        people: BTreeMap::from([(PersonId::new("operator")?, person)]),
        calendars: BTreeMap::new(),
        windows: windows()?,
        freezes: freezes(dice, &first.id),
        changes: BTreeMap::new(),
        batches: [first, second].into_iter().map(|b| (b.id.clone(), Arc::new(b))).collect(),
    })
}

fn windows() -> Result<BTreeMap<WindowClass, Window>, InvalidName> {
    let every_day = DayRule { days: Days::EveryDay, offset: 0, calendar: None };
    OPENINGS
        .iter()
        .enumerate()
        .map(|(number, (from, to))| {
            let open = vec![Opening {
                days: every_day.clone(),
                from: *from,
                to: *to,
                zone: Zone::utc(),
                only_while: None,
            }];
            Ok((window_of(number)?, Window { title: Text::en("Window"), open }))
        })
        .collect()
}

fn freezes(dice: &mut Dice, batch: &BatchId) -> Vec<Freeze> {
    if !dice.percent(20) {
        return Vec::new();
    }
    let at = |hour: i8| {
        let zoned = date(2026, 10, 30).at(hour, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC);
        zoned.map_or(jiff::Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
    };
    let scope = FreezeScope { batches: vec![batch.clone()], ..FreezeScope::default() };
    vec![Freeze { reason: Text::en("Sealed"), from: at(22), to: at(23), scope }]
}

fn batch(
    dice: &mut Dice,
    id: &str,
    count: u64,
    needs: Option<&Batch>,
) -> Result<Batch, InvalidName> {
    let mut jobs: Vec<Job> = Vec::new();
    for number in 0..count {
        let job = job(dice, number, &jobs, needs)?;
        jobs.push(job);
    }
    Ok(Batch {
        id: BatchId::new(id)?,
        title: Text::en(id),
        team: None,
        file: format!("{id}.yaml").into(),
        calendar: None,
        since: None,
        schedule: None,
        business_date: BusinessDateRule::default(),
        zone: Zone::utc(),
        window: if dice.percent(15) { Some(window_of(1)?) } else { None },
        must_start_by: None,
        must_complete_by: dice.percent(50).then_some(time(4, 0, 0, 0)),
        parameters: BTreeMap::new(),
        jobs,
    })
}

fn job(
    dice: &mut Dice,
    number: u64,
    before: &[Job],
    other: Option<&Batch>,
) -> Result<Job, InvalidName> {
    let mut pools = BTreeMap::new();
    if dice.percent(50) {
        pools.insert(PoolName::new(&format!("p{}", dice.of(0..POOLS)))?, 1);
    }
    let window = if dice.percent(20) { Some(window_of(dice.of(0..2) as usize)?) } else { None };
    let once = |date| DayRule { days: Days::Once(date), offset: 0, calendar: None };
    let days = match dice.of(0..10) {
        0 => Some(once(date(2026, 11, 30))),
        1 => Some(once(TODAY)),
        _ => None,
    };
    Ok(Job {
        name: JobName::new(&format!("j{number}"))?,
        title: Text::en(format!("Job {number}")),
        kind: kind(dice)?,
        needs: needs(dice, before, other),
        critical: dice.percent(80),
        retry: Retry {
            max: dice.of(0..3) as u32,
            wait: Span::seconds(dice.of(0..120)),
            growth: 2.0,
            on: vec![EndingKind::Exit, EndingKind::Timeout, EndingKind::Lost],
        },
        time_limit: None,
        grace: Span::seconds(10),
        output_limit: 1 << 20,
        must_start_by: dice.percent(10).then_some(time(22, 0, 0, 0)),
        must_complete_by: dice.percent(20).then_some(time(23, 0, 0, 0)),
        expected: Some(Span::seconds(dice.of(1..900))),
        pools,
        priority: dice.of(0..3) as i32,
        env: BTreeMap::new(),
        dir: None,
        user: None,
        host: HostName::new(if dice.percent(70) { "local" } else { "far" })?,
        runbook: None,
        success: Success { exit_codes: vec![0], line: None },
        days,
        window,
        survivors: Survivors::Kill,
    })
}

fn kind(dice: &mut Dice) -> Result<Kind, InvalidName> {
    let (every, limit) = (Span::seconds(1), Span::seconds(3600));
    Ok(match dice.of(0..20) {
        0 => Kind::WaitUntil { time: Time::constant(22, dice.of(0..60) as i8, 0, 0) },
        1 => Kind::Confirm { question: Text::en("Go on?"), role: None },
        2 | 3 => {
            Kind::WaitFile { path: "in/file".to_owned(), stable: Span::seconds(1), every, limit }
        }
        4..=7 => Kind::Sql {
            target: TargetName::new("bank")?,
            script: "sql/a.sql".into(),
            transaction: Transaction::One,
        },
        _ => Kind::Shell { script: "true".to_owned() },
    })
}

fn needs(dice: &mut Dice, before: &[Job], other: Option<&Batch>) -> Vec<Need> {
    let mut needs: Vec<Need> = Vec::new();
    for _ in 0..dice.of(0..4) {
        let Some(job) = dice.pick(before) else { break };
        let of = NeedOf::Job(job.name.clone());
        if needs.iter().all(|need| need.of != of) {
            needs.push(Need { of, when: condition(dice) });
        }
    }
    if let Some(other) = other
        && dice.percent(40)
        && let Some(job) = dice.pick(&other.jobs)
    {
        let job = JobRef { batch: other.id.clone(), job: job.name.clone() };
        needs.push(Need { of: NeedOf::Across { job, offset: 0 }, when: condition(dice) });
    }
    needs
}

fn condition(dice: &mut Dice) -> Condition {
    match dice.of(0..10) {
        0 => Condition::Failed,
        1 | 2 => Condition::Ended,
        _ => Condition::Ok,
    }
}
