use std::collections::BTreeMap;

use jiff::civil::date;

use super::{after, both, head, li_wei, name, span, zhang_min};
use crate::core::fact::{Action, Deadline, RunResult};
use crate::types::{BusinessDate, ClockKind, IncidentId, ShiftName};
use crate::view::incident::ClockLine;
use crate::view::report::{Act, ActionLine, DeadlineLine, Former, LimitLine};
use crate::view::roster::{Contact, InsteadOf, OnDutyPerson, ShiftLine};

/// Of the run, kept; of a job, missed.
pub(super) fn deadlines() -> Vec<DeadlineLine> {
    let deadline = Deadline::MustCompleteBy;
    let (due, met) = (after(540.0), head().ended);
    let own = DeadlineLine { job: None, deadline, due, met, missed: false };
    let (due, met) = (after(330.0), Some(after(363.0)));
    let late = DeadlineLine { job: Some(name("risk-figures")), deadline, due, met, missed: true };
    vec![own, late]
}

/// Answered in time, and not resolved.
pub(super) fn limits() -> Vec<LimitLine> {
    let limit = |kind, due, met: Option<f64>, missed| LimitLine {
        incident: IncidentId(3),
        opened: after(199.0),
        owner: Some(li_wei()),
        clock: ClockLine { kind, due: after(due), met: met.map(after), missed },
    };
    vec![
        limit(ClockKind::Response, 229.0, Some(204.0), false),
        limit(ClockKind::Solution, 259.0, None, true),
    ]
}

/// The night shift, for whom a deputy stands in, and the early one.
pub(super) fn shifts() -> Vec<ShiftLine> {
    let shift = |shift: &str, en, zh, (from, to), who, instead| ShiftLine {
        shift: ShiftName::new(shift).unwrap(),
        title: both(en, zh),
        date: date(2026, 10, 30),
        from: after(from),
        to: after(to),
        on_call: shift == "night",
        people: vec![OnDutyPerson {
            contact: Contact { who, phone: None },
            instead,
            deputies: Vec::new(),
        }],
    };
    let deputy = Some(InsteadOf::Deputy { of: zhang_min() });
    vec![
        shift("night", "Night", "夜班", (0.0, 660.0), li_wei(), deputy),
        shift("early", "Early", "早班", (570.0, 1_110.0), zhang_min(), None),
    ]
}

/// Ten minutes faster: the risk figures took less, the statements more.
pub(super) fn week_before() -> Former {
    let took = [("risk-figures", 71.0), ("statements", 120.0), ("close-day", 4.0)];
    Former {
        run: "eod@2026-10-23#1".parse().unwrap(),
        business_date: BusinessDate(date(2026, 10, 23)),
        result: Some(RunResult::Well),
        opened: after(-7.0 * 1_440.0 - 60.0),
        ended: Some(after(-7.0 * 1_440.0 - 60.0 + 452.0)),
        took: BTreeMap::from(took.map(|(job, minutes)| (name(job), span(minutes)))),
    }
}

/// A note of the night, and the signature of the early shift.
pub(super) fn actions() -> Vec<ActionLine> {
    let (job, text) = (Some(name("fee-correction")), "figures agreed with custody".to_owned());
    let note = ActionLine {
        at: after(97.0),
        by: zhang_min(),
        act: Act::Do(Action::Note { job, text }),
        reason: String::new(),
    };
    let shifts = vec![ShiftName::new("early").unwrap()];
    let signed = ActionLine {
        at: after(582.0),
        by: zhang_min(),
        act: Act::Do(Action::Sign { shifts }),
        reason: "complete, mailing resent".to_owned(),
    };
    vec![note, signed]
}
