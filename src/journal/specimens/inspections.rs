//! A round of inspections, and the count of a day.

use jiff::civil::date;

use super::at;
use crate::core::fact::Fact;
use crate::core::inspection::{BatchCount, DayCount, Round};
use crate::types::BatchId;

pub(super) fn facts() -> Vec<Fact> {
    let (day, batch) = (date(2026, 10, 30), BatchId::new("inspection").unwrap());
    vec![
        Fact::RoundInspected(Box::new(Round {
            run: "inspection@20261030T060000Z#1".parse().unwrap(),
            date: day,
            at: at(),
            late: false,
            ok: 9,
            warn: 1,
            fail: 0,
        })),
        Fact::InspectionsCounted(Box::new(DayCount {
            date: day,
            batches: vec![BatchCount { batch, wanted: 4, done: 3 }],
        })),
    ]
}
