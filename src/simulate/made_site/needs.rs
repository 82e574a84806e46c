//! Who needs whom: within the batch, of other batches of the same date, and of the business date before.

use crate::definition::site::{Batch, Job, Need, NeedOf};
use crate::simulate::dice::Dice;
use crate::types::{Condition, JobRef};

/// How the graph of a batch looks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Each needs some of the few before it.
    Chains { back: usize },
    /// Most need one of the first few.
    Fan,
    /// Any needs any before it.
    Random,
    /// Hardly anything needs anything.
    Loose,
}

pub(super) fn shape(dice: &mut Dice) -> Shape {
    match dice.of(0..6) {
        0 | 1 => Shape::Chains { back: dice.of(1..6) as usize },
        2 => Shape::Fan,
        3 => Shape::Loose,
        _ => Shape::Random,
    }
}

/// What the next job of a batch needs, of those that the batch has already and of earlier batches.
pub(super) fn of(
    dice: &mut Dice,
    shape: &Shape,
    (batch, job): (&Batch, &Job),
    others: &[Batch],
) -> Vec<Need> {
    let before = &batch.jobs;
    let (few, count) = match shape {
        Shape::Chains { back } => (&before[before.len().saturating_sub(*back)..], dice.of(0..4)),
        Shape::Fan => (&before[..before.len().min(3)], dice.of(0..3)),
        Shape::Random => (&before[..], dice.of(0..5)),
        Shape::Loose => (&before[..], u64::from(dice.percent(10))),
    };
    let mut needs: Vec<Need> = Vec::new();
    for _ in 0..count {
        let Some(needed) = dice.pick(few) else { break };
        let of = NeedOf::Job(needed.name.clone());
        if needs.iter().all(|need| need.of != of) {
            let same = job.days.is_none() || needed.days.is_none() || job.days == needed.days;
            needs.push(Need { of, when: condition(dice, same) });
        }
    }
    if dice.percent(25) {
        needs.extend(across(dice, (batch, job), others));
    }
    needs
}

fn across(dice: &mut Dice, (batch, job): (&Batch, &Job), others: &[Batch]) -> Option<Need> {
    // Business days are counted in the calendar of the batch that needs.
    let former = batch.calendar.is_some() && dice.percent(50);
    if former && dice.percent(40) {
        let needed = dice.pick(&batch.jobs)?;
        return Some(need(dice, batch, needed, -1, true));
    }
    let other = dice.pick(others)?;
    let needed = dice.pick(&other.jobs)?;
    let same = job.days.is_none() && needed.days.is_none();
    Some(if former {
        need(dice, other, needed, -1, true)
    } else {
        need(dice, other, needed, 0, same)
    })
}

fn need(dice: &mut Dice, batch: &Batch, needed: &Job, offset: i32, same: bool) -> Need {
    let job = JobRef { batch: batch.id.clone(), job: needed.name.clone() };
    Need { of: NeedOf::Across { job, offset }, when: condition(dice, same) }
}

/// `same`: both can take part on one date. Where that is not certain, only "ended" makes sense for certain.
fn condition(dice: &mut Dice, same: bool) -> Condition {
    match dice.of(0..10) {
        _ if !same => Condition::Ended,
        0 => Condition::Failed,
        1 | 2 => Condition::Ended,
        _ => Condition::Ok,
    }
}
