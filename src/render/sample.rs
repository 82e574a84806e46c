//! A made-up night for the tests: 25 jobs of an end of day on the last business day of October.

use jiff::{SignedDuration, Timestamp};

use crate::core::fact::{Action, Deadline, RunResult};
use crate::core::incident::{AtRisk, Fault, IncidentStep, Telling};
use crate::definition::site::{ChangeClass, DayRule, Days, Period};
use crate::types::{
    ClockKind, Ending, HostName, IncidentId, IncidentKind, JobName, Lang, PersonId, Severity, Span,
    Text, Zone,
};
use crate::view::Who;
use crate::view::bands::Band;
use crate::view::incident::{
    BlockedJob, ClockLine, IncidentLine, IncidentMail, IncidentView, StepLine,
};
use crate::view::job::{AttemptLine, JobLine, JobState, Late, LeftOut, RanLong, StateWord};
use crate::view::report::{Act, ActionLine, ChangeLine, ReportView};
use crate::view::run::{RunHead, Totals};
use crate::view::why::{Awaited, NotItsDay, Reason};
use crate::wire::{ChangeState, Check};

/// What its report says beside its jobs.
mod beside;
/// Incidents of it.
mod faults;
mod inspected;
mod levels;

pub(super) use faults::{fault, worked_on};
pub(super) use inspected::inspections;
pub(super) use levels::levels;

/// Name, English, Chinese, start and length in minutes from 21:30, critical, on the critical path.
type Spec = (&'static str, &'static str, &'static str, f64, f64, bool, bool);

const JOBS: [Spec; 25] = [
    ("deliver-rates", "Deliver the reference rates", "交付参考汇率文件", 0.0, 0.4, true, false),
    ("wait-rates", "Wait for the rates file", "等待汇率文件", 0.0, 12.0, true, true),
    ("load-rates", "Load the reference rates", "载入参考汇率", 12.0, 3.2, true, true),
    (
        "check-rates",
        "Check the rates against the day before",
        "与上一日汇率核对",
        15.2,
        1.5,
        true,
        true,
    ),
    ("load-positions", "Load positions", "载入持仓", 0.0, 41.0, true, false),
    ("load-transactions", "Load the day's transactions", "载入当日交易", 0.0, 58.0, true, false),
    ("match-payments", "Match payments", "支付勾对", 58.0, 22.0, true, false),
    ("revalue-fx", "Revalue foreign-currency accounts", "外币账户重估", 80.0, 47.0, true, true),
    ("accrue-interest", "Accrue interest", "计提利息", 80.0, 36.0, true, false),
    ("charge-fees", "Charge fees", "计收费用", 80.0, 18.0, true, false),
    (
        "fee-correction",
        "Correct the custody fee of October",
        "更正十月托管费",
        98.0,
        2.0,
        true,
        false,
    ),
    ("post-ledger", "Post to the general ledger", "过账总账", 127.0, 74.0, true, true),
    ("trial-balance", "Prove that the trial balance is zero", "试算平衡", 201.0, 9.0, true, true),
    ("month-end-accruals", "Month-end accruals", "月末计提", 210.0, 31.0, true, true),
    ("close-day", "Close the business day", "日终关账", 241.0, 4.0, true, true),
    ("statements", "Customer statements", "客户对账单", 245.0, 96.0, true, true),
    ("statements-archive", "Archive the statements", "对账单归档", 341.0, 21.0, false, false),
    ("regulatory-extract", "Extract for the regulator", "监管报送取数", 245.0, 52.0, true, false),
    ("risk-figures", "Risk figures", "风险指标", 245.0, 118.0, true, false),
    ("customer-mailing", "Mailing of notices", "客户通知发送", 341.0, 6.0, false, false),
    ("data-mart", "Refresh the data mart", "刷新数据集市", 245.0, 63.0, false, false),
    ("month-end-report", "Month-end report", "月末报表", 297.0, 34.0, true, false),
    ("backup-db", "Back up the database", "数据库备份", 363.0, 88.0, true, true),
    ("archive-logs", "Archive the logs", "日志归档", 451.0, 11.0, false, false),
    ("quarter-end-tax", "Quarter-end tax", "季末税务处理", 0.0, 0.0, true, false),
];

/// One text under another, each under its language.
pub(super) fn in_both(write: impl Fn(Lang) -> String) -> String {
    Lang::ALL.map(|lang| format!("===== {} =====\n{}", lang.tag(), write(lang))).join("\n")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Minutes after 21:30 in Berlin.
pub(super) fn after(minutes: f64) -> Timestamp {
    at("2026-10-30T20:30:00Z") + SignedDuration::from_millis((minutes * 60_000.0) as i64)
}

pub(super) fn name(text: &str) -> JobName {
    JobName::new(text).unwrap()
}

pub(super) fn both(en: &str, zh: &str) -> Text {
    Text { en: en.into(), zh: Some(zh.into()) }
}

pub(super) fn who(id: &str, en: &str, zh: &str) -> Who {
    Who { id: PersonId::new(id).unwrap(), name: both(en, zh) }
}

pub(super) fn li_wei() -> Who {
    who("li-wei", "Li Wei", "李伟")
}

pub(super) fn zhang_min() -> Who {
    who("zhang-min", "Zhang Min", "张敏")
}

fn span(minutes: f64) -> Span {
    Span::of(std::time::Duration::from_millis((minutes * 60_000.0) as u64))
}

pub(super) fn attempt(number: u32, from: f64, length: f64, ending: Ending) -> AttemptLine {
    let good = ending == Ending::Exited { code: 0 };
    AttemptLine {
        host: HostName::new("local").unwrap(),
        number,
        started: Some(after(from)),
        ended: Some(after(from + length)),
        ending: Some(ending),
        good,
        notes: Vec::new(),
    }
}

pub(super) fn head() -> RunHead {
    RunHead {
        site: both("Sample Bank", "示例银行"),
        batch: "eod".parse().unwrap(),
        title: both("End of day", "日终批次"),
        team: None,
        run: "eod@2026-10-30#1".parse().unwrap(),
        business_date: "2026-10-30".parse().unwrap(),
        trial: false,
        anchor: after(0.0),
        opened: after(0.0),
        ended: Some(after(462.0)),
        now: after(462.0),
        zone: Zone::named("Europe/Berlin").unwrap(),
        result: Some(RunResult::Well),
        must_complete_by: Some(after(540.0)),
        late: None,
        expected_end: None,
        list: None,
        bands: vec![
            Band {
                title: both("Database changes at night", "夜间数据变更窗口"),
                window: Some("night-change".parse().unwrap()),
                spans: vec![(after(30.0), after(270.0))],
            },
            Band {
                title: both("Trading opens", "开市封版"),
                window: None,
                spans: vec![(after(420.0), after(540.0))],
            },
        ],
    }
}

pub(super) fn quarter_end() -> NotItsDay {
    NotItsDay {
        date: jiff::civil::date(2026, 10, 30),
        rule: Some(DayRule {
            days: Days::NthBusinessDay { nth: -1, of: Period::Quarter },
            offset: 0,
            calendar: None,
        }),
        reason: String::new(),
    }
}

fn ended_well(spec: &Spec) -> JobLine {
    let &(job, en, zh, start, length, critical, on_critical_path) = spec;
    JobLine {
        no_event: None,
        name: name(job),
        title: both(en, zh),
        state: JobState::Succeeded,
        critical,
        on_critical_path,
        planned_start: Some(after(start * 0.97)),
        planned_end: Some(after(start * 0.97 + length * 0.95)),
        expected: Some(span(length * 0.95)),
        started: Some(after(start)),
        ended: Some(after(start + length)),
        expected_start: None,
        expected_end: None,
        attempts: vec![attempt(1, start, length, Ending::Exited { code: 0 })],
        ran_long: None,
        late: Vec::new(),
        checks: Vec::new(),
        tail: Vec::new(),
        blocks: Vec::new(),
        runbook: None,
    }
}

/// Takes back what happened to a job.
fn not_begun(job: &mut JobLine, state: JobState) {
    job.state = state;
    job.started = None;
    job.ended = None;
    job.attempts.clear();
}

pub(super) fn job<'a>(jobs: &'a mut [JobLine], wanted: &str) -> &'a mut JobLine {
    jobs.iter_mut().find(|job| job.name.as_str() == wanted).unwrap()
}

/// Done on time: a retry, a non-critical failure, a job that ran long, a change, month-end jobs.
pub(super) fn good_night() -> ReportView {
    let mut jobs: Vec<JobLine> = JOBS.iter().map(ended_well).collect();
    let retried = job(&mut jobs, "load-transactions");
    retried.attempts = vec![
        attempt(1, 0.0, 4.0, Ending::Exited { code: 75 }),
        attempt(2, 9.0, 49.0, Ending::Exited { code: 0 }),
    ];
    retried.tail = vec!["connection to core-db lost, 0 of 812455 rows loaded".into()];
    let long = job(&mut jobs, "risk-figures");
    long.ran_long = Some(RanLong { actual: span(118.0), usual_p95: span(71.5) });
    long.late = vec![Late { deadline: Deadline::MustCompleteBy, due: after(330.0) }];
    let failed = job(&mut jobs, "customer-mailing");
    failed.state = JobState::Failed;
    failed.attempts = vec![
        attempt(1, 341.0, 1.0, Ending::Exited { code: 2 }),
        attempt(2, 346.0, 1.0, Ending::TimedOut),
    ];
    failed.tail = vec![
        "sending 1204 notices".into(),
        "relay mail.bank.example: 451 4.7.1 try again later".into(),
    ];
    failed.runbook = Some(both("Resend after 08:00.", "八点后重发。"));
    let tax = job(&mut jobs, "quarter-end-tax");
    let why = LeftOut::NotItsDay(quarter_end());
    not_begun(tax, JobState::NotScheduled { why });
    (tax.planned_start, tax.planned_end) = (None, None);
    ReportView {
        head: head(),
        totals: Totals::of(&jobs),
        jobs,
        changes: vec![change(ChangeState::Done)],
        incidents: Vec::new(),
        missed_starts: Vec::new(),
        inspections: None,
        deadlines: beside::deadlines(),
        limits: Vec::new(),
        shifts: beside::shifts(),
        week_before: Some(beside::week_before()),
        actions: beside::actions(),
        unsent_mail: 0,
        journal_head: Some(
            "9f2c4e0b7a61d385c4410f9e2b7d6a5800c1f3e4d2b6a7981c0e5f4d3a2b1c09".into(),
        ),
        generated_at: after(462.1),
    }
}

fn change(state: ChangeState) -> ChangeLine {
    let check =
        |name: &str, ok: bool, detail: &str| Check { name: name.into(), ok, detail: detail.into() };
    ChangeLine {
        id: "fee-correction".parse().unwrap(),
        title: both("Correct the custody fee of October", "更正十月托管费"),
        job: name("fee-correction"),
        class: ChangeClass::Data,
        target: "bank".parse().unwrap(),
        reason: both("Fee table was loaded with last year's rate", "费率表误用去年费率"),
        state: Some(state),
        rows: 14,
        backup_rows: 14,
        before: vec![
            check("fee-rate", false, "14 accounts at 0.25 %"),
            check("fee-total", false, "sum 1834.50, wanted 2201.40"),
        ],
        after: vec![
            check("fee-rate", true, "0 accounts at 0.25 %"),
            check("fee-total", true, "sum 2201.40"),
        ],
        why: None,
    }
}

const BLOCKED: [&str; 12] = [
    "trial-balance",
    "month-end-accruals",
    "close-day",
    "statements",
    "statements-archive",
    "regulatory-extract",
    "risk-figures",
    "customer-mailing",
    "data-mart",
    "month-end-report",
    "backup-db",
    "archive-logs",
];

/// Failed at the ledger: a critical job after three tries, twelve blocked, and people at work.
pub(super) fn bad_night() -> ReportView {
    let mut night = ReportView { inspections: Some(inspections()), ..good_night() };
    let jobs = &mut night.jobs;
    for blocked in BLOCKED {
        let line = job(jobs, blocked);
        not_begun(line, JobState::Blocked { by: vec![name("post-ledger")] });
        (line.ran_long, line.runbook) = (None, None);
        (line.tail, line.late) = (Vec::new(), Vec::new());
    }
    let ledger = job(jobs, "post-ledger");
    ledger.state = JobState::Failed;
    ledger.attempts = vec![
        attempt(1, 127.0, 18.0, Ending::Exited { code: 3 }),
        attempt(2, 150.0, 17.0, Ending::Exited { code: 3 }),
        attempt(3, 177.0, 22.0, Ending::Exited { code: 3 }),
    ];
    ledger.ended = Some(after(199.0));
    ledger.tail = vec![
        "posting batch 118 of 204".into(),
        "account 4711-0815: debit and credit differ by 0.01".into(),
        "ledger: refused, nothing posted".into(),
    ];
    ledger.blocks = BLOCKED.map(name).to_vec();
    ledger.runbook = Some(both(
        "Compare batch 118 with the sub-ledger.\nIf one entry is missing, post it by hand, then retry.",
        "核对第 118 批与明细账。\n若缺一笔，人工补记后重跑。",
    ));
    let fees = job(jobs, "charge-fees");
    fees.state = JobState::Forced { by: zhang_min(), reason: "charged by hand at 22:40".into() };
    let matched = job(jobs, "match-payments");
    not_begun(matched, JobState::Skipped { by: li_wei(), reason: "no payments today".into() });
    let interest = job(jobs, "accrue-interest");
    let why = "its shim died while it ran".to_owned();
    interest.attempts = vec![attempt(1, 80.0, 30.0, Ending::Lost { why: why.clone() })];
    interest.state = JobState::Unknown { why };
    interest.tail = Vec::new();
    night.head.result = Some(RunResult::Failed);
    night.head.ended = Some(after(199.0));
    night.head.now = after(205.0);
    night.totals = Totals::of(&night.jobs);
    night.deadlines[0].met = None;
    night.limits = beside::limits();
    night.incidents = vec![IncidentLine {
        id: IncidentId(3),
        kind: IncidentKind::Fault,
        severity: Severity::P1,
        fault: Fault::Failed,
        run: Some(night.head.run.clone()),
        job: Some(name("post-ledger")),
        owner: None,
        opened: after(199.0),
        closed: None,
        blocks: BLOCKED.map(name).to_vec(),
        told: vec![li_wei(), zhang_min()],
        rooms: Vec::new(),
    }];
    let did = |minutes, by, act, reason: &str| ActionLine {
        at: after(minutes),
        by,
        act,
        reason: reason.into(),
    };
    night.actions = vec![
        did(
            58.0,
            li_wei(),
            Act::Do(Action::Skip { job: name("match-payments") }),
            "no payments today",
        ),
        did(97.0, zhang_min(), Act::WindowOverride, "custody waits for the figures"),
        did(
            99.0,
            zhang_min(),
            Act::Do(Action::Force { job: name("charge-fees") }),
            "charged by hand at 22:40",
        ),
    ];
    night.unsent_mail = 1;
    night
}

/// The same night at 22:54, while it runs.
pub(super) fn running_night() -> ReportView {
    let mut night = good_night();
    let now = 84.0;
    night.head.now = after(now);
    night.head.ended = None;
    night.head.result = None;
    night.head.expected_end = Some(after(468.0));
    for line in &mut night.jobs {
        let Some(from) = line.started else { continue };
        let end = line.ended;
        if from > after(now) {
            let awaited = Awaited {
                job: name("revalue-fx"),
                state: StateWord::Running,
                when: crate::types::Condition::Ok,
                expected_end: Some(after(127.0)),
            };
            not_begun(
                line,
                JobState::Waiting { reasons: vec![Reason::WaitsFor { jobs: vec![awaited] }] },
            );
            (line.ran_long, line.runbook) = (None, None);
            (line.late, line.tail) = (Vec::new(), Vec::new());
            line.expected_start = Some(from);
            line.expected_end = end;
        } else if end > Some(after(now)) {
            line.state = JobState::Running;
            line.ended = None;
            line.expected_end = end;
            let last = line.attempts.last_mut().unwrap();
            (last.ended, last.ending, last.good) = (None, None, false);
        }
    }
    night.changes.clear();
    night.actions.clear();
    night.deadlines.iter_mut().for_each(|line| (line.met, line.missed) = (None, false));
    night.totals = Totals::of(&night.jobs);
    night
}
