//! The rows of a run that was lost with its store, from what hosts and targets know of it: numbers, lists and the outcomes
//! that other runs need follow from them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::{Row, RunRow};
use crate::core::fact::{RunLost, RunResult};
use crate::types::{BootId, Outcome};

/// All of them, those that another needs before it.
pub fn lost_rows(lost: &RunLost, seq: u64, at: Timestamp) -> Vec<Row> {
    let run = &lost.run;
    let starts = lost.attempts.iter().filter_map(|attempt| attempt.ended.as_ref()?.started);
    let opened = RunRow {
        run: run.clone(),
        business_date: lost.business_date,
        trial: lost.trial,
        anchor: starts.min().unwrap_or(at),
        definition: String::new(),
        opened: at,
        opened_seq: seq,
        ended: None,
        result: None,
        scheduled: None,
        archived: None,
    };
    let mut rows = vec![
        Row::RunOpened(Box::new(opened)),
        Row::RunEnded { run: run.clone(), ended: at, result: RunResult::Lost },
    ];
    let mut came_out = BTreeMap::new();
    for of in &lost.attempts {
        let intended = of.ended.as_ref().and_then(|ended| ended.started).unwrap_or(at);
        let (attempt, host, boot) = (of.attempt.clone(), of.host.clone(), BootId(String::new()));
        rows.push(Row::AttemptIntended { attempt, host, boot, intended });
        rows.extend(of.ended.as_deref().map(|ended| Row::AttemptEnded {
            attempt: of.attempt.clone(),
            started: ended.started,
            ended: ended.ended,
            ending: ended.ending.clone(),
            // What its job takes for good is not known: no history is made of it.
            good: false,
            usage: ended.usage,
            output_bytes: ended.output_bytes,
        }));
        came_out.insert(&of.attempt.job, of.went_well());
    }
    let well = came_out.into_iter().filter(|(_, well)| *well);
    rows.extend(well.map(|(job, _)| {
        let (run, job) = (run.clone(), job.clone());
        Row::JobSettled { run, job, outcome: Outcome::Succeeded, at }
    }));
    rows
}
