//! Jobs: every kind, with retries, pools, hosts, windows, days and deadlines.

use std::collections::BTreeMap;

use super::batches::{Named, night_time};
use super::which_night::WhichNight;
use super::{BadSite, EVENTS, TARGETS, calendars, windows};
use crate::definition::site::{
    Batch, Change, EndingKind, Job, Kind, Retry, RowLimits, Success, Survivors, Transaction,
};
use crate::simulate::dice::Dice;
use crate::types::{
    ChangeId, EventName, HostName, InvalidName, JobName, PoolName, Role, Span, TargetName, Text,
    WindowClass,
};

/// The job without its needs.
pub(super) fn job(
    dice: &mut Dice,
    night: &WhichNight,
    named: &Named<'_>,
    batch: &Batch,
    number: usize,
) -> Result<Job, BadSite> {
    let name = JobName::new(&format!("j{number}"))?;
    let kind = kind(dice, batch, &name)?;
    let window = if dice.percent(20) { window(dice, named, batch) } else { None };
    let must_say = window.is_some() || batch.window.is_some();
    let takes = if dice.percent(80) { dice.of(1..600) } else { dice.of(600..windows::LONGEST) };
    let days = if dice.percent(20) { Some(calendars::day_rule(dice, night.date)?) } else { None };
    Ok(Job {
        title: Text::en(name.as_str()),
        name,
        needs: Vec::new(),
        critical: dice.percent(80),
        severity: None,
        retry: retry(dice, &kind),
        time_limit: dice.percent(30).then_some(Span::seconds(7200)),
        grace: Span::seconds(10),
        output_limit: 1 << 20,
        log_masks: Vec::new(),
        must_start_by: dice.percent(10).then(|| night_time(dice)),
        must_complete_by: dice.percent(15).then(|| night_time(dice)),
        expected: (must_say || dice.percent(85)).then_some(Span::seconds(takes)),
        pools: pools(dice, named),
        priority: dice.of(0..4) as i32 - 1,
        env: BTreeMap::new(),
        dir: None,
        user: None,
        host: HostName::new(if dice.percent(70) { "local" } else { "far" })?.into(),
        runbook: None,
        runbook_reviewed: None,
        contain: None,
        success: Success { exit_codes: vec![0], line: None },
        days,
        window,
        survivors: Survivors::Kill,
        kind,
        slurm: None,
    })
}

fn kind(dice: &mut Dice, batch: &Batch, job: &JobName) -> Result<Kind, InvalidName> {
    let (every, limit) = (Span::seconds(1), Span::seconds(3600));
    let target = TargetName::new(TARGETS[dice.of(0..TARGETS.len() as u64) as usize])?;
    Ok(match dice.of(0..24) {
        0 => Kind::WaitUntil { time: night_time(dice) },
        1 => {
            let role = if dice.percent(50) { Some(Role::new("duty")?) } else { None };
            Kind::Confirm { question: Text::en("Go on?"), role }
        }
        2 => {
            let limit = dice.percent(30).then_some(Span::seconds(1800));
            Kind::WaitEvent { event: EventName::new(EVENTS[dice.of(0..2) as usize])?, limit }
        }
        3 => Kind::WaitFile { path: "in/file".to_owned(), stable: Span::seconds(1), every, limit },
        4 => Kind::WaitSql { target, query: "SELECT 1".to_owned(), every, limit },
        5..=8 => Kind::Sql { target, script: "sql/a.sql".into(), transaction: Transaction::One },
        9 | 10 => Kind::Change {
            change: ChangeId::new(&format!("{}-{job}", batch.id))?,
            environment: None,
        },
        // It asks the dice for nothing, so that other nights are made as before.
        11 => Kind::Inspect { target: None, checks: Vec::new() },
        12 | 13 => Kind::Run { argv: vec!["true".to_owned()] },
        _ => Kind::Shell { script: "true".to_owned() },
    })
}

/// The change that a job names.
pub(super) fn change_of(
    dice: &mut Dice,
    batch: &Batch,
    job: &Job,
) -> Result<Option<(ChangeId, Change)>, BadSite> {
    let Kind::Change { change: id, .. } = &job.kind else { return Ok(None) };
    let target = TargetName::new(TARGETS[dice.of(0..TARGETS.len() as u64) as usize])?;
    let change = Change {
        title: Text::en(batch.id.as_str()),
        reason: Text::en("Made up"),
        verify_takes: Span::seconds(dice.of(0..180)),
        rollback_takes: Span::seconds(dice.of(0..180)),
        ..Change::plain(id.clone(), target, RowLimits { min: 0, max: 10 })
    };
    Ok(Some((id.clone(), change)))
}

fn window(dice: &mut Dice, named: &Named<'_>, batch: &Batch) -> Option<WindowClass> {
    let class = dice.pick(&named.windows)?;
    let fits = batch.window.as_ref().is_none_or(|own| windows::together(own, class));
    fits.then(|| class.clone())
}

fn retry(dice: &mut Dice, kind: &Kind) -> Retry {
    let all = [
        EndingKind::Exit,
        EndingKind::Signal,
        EndingKind::Timeout,
        EndingKind::OutputLimit,
        EndingKind::CouldNotStart,
        EndingKind::Lost,
        EndingKind::Unknown,
    ];
    // A change that may be half done is never tried again by itself.
    let may = if matches!(kind, Kind::Change { .. }) { &all[..5] } else { &all[..] };
    Retry {
        max: dice.of(0..4) as u32,
        wait: Span::seconds(dice.of(0..300)),
        growth: [1.0, 1.5, 3.0][dice.of(0..3) as usize],
        on: may.iter().filter(|_| dice.percent(50)).copied().collect(),
    }
}

/// Units of none, one or several pools, never more than a pool has.
fn pools(dice: &mut Dice, named: &Named<'_>) -> BTreeMap<PoolName, u32> {
    let mut pools = BTreeMap::new();
    for (pool, size) in named.pools {
        if dice.percent(15) {
            let units = if dice.percent(70) { 1 } else { dice.of(1..u64::from(*size) + 1) as u32 };
            pools.insert(pool.clone(), units);
        }
    }
    pools
}
