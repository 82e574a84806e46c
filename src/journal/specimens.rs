//! One fact of every kind, for tests.

mod changes;
mod figures;
mod hand_overs;
mod inspections;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::fact::{
    Action, Approved, Deadline, Fact, JobOfRun, LateWhy, LoginHow, LoginTrouble, LostAttempt,
    MissedWhy, Opened, Proposed, Received, RunArchived, RunLost, RunOpened, RunResult, StopHow,
    TakenSchedule, Why,
};
use crate::core::order::Order;
use crate::definition::site::{Freeze, FreezeScope};
use crate::types::{
    BootId, Condition, Ending, Epoch, EventKey, EventName, FreezeId, HostName, IncidentId, JobName,
    Outcome, PersonId, PoolName, RequestId, Revision, Right, RunId, Span, Text, TokenId, Usage,
};
use crate::wire::{ChangeState, ChangeWork, Check, Ended, Work};

pub(super) fn at() -> Timestamp {
    "2026-10-30T20:30:00.123456Z".parse().unwrap()
}

pub(super) fn run() -> RunId {
    "eod@2026-10-30#1".parse().unwrap()
}

pub(super) fn facts() -> Vec<Fact> {
    let (run, job) = (run(), JobName::new("load").unwrap());
    let (next, load) = ("eod@2026-11-02#1".parse::<RunId>().unwrap(), job.clone());
    let attempt: crate::types::AttemptId = "eod@2026-10-30#1/load/1".parse().unwrap();
    let person = PersonId::new("li-wei").unwrap();
    let boot = BootId("boot-1".into());
    let since_boot = Duration::from_nanos(1_500_000_001);
    vec![
        Fact::RunOpened(Box::new(opened(&run, &job))),
        Fact::RunResumed {
            run: run.clone(),
            by: PersonId::new("li-wei").unwrap(),
            boot: boot.clone(),
            since_boot,
        },
        Fact::RunEnded { run: run.clone(), result: RunResult::Stopped },
        Fact::RunReopened { run: run.clone() },
        Fact::AttemptIntended {
            attempt: attempt.clone(),
            host: HostName::new("local").unwrap(),
            boot,
            examine: false,
        },
        Fact::AttemptStarted { attempt: attempt.clone(), pid: 4711, at: at() },
        Fact::AttemptEnded { ended: Box::new(ended(attempt.clone())), good: false },
        Fact::RetryPlanned {
            run: run.clone(),
            job: job.clone(),
            wait: Span::seconds(90),
            since_boot,
        },
        Fact::Settled {
            run: run.clone(),
            job: job.clone(),
            outcome: Outcome::NotScheduled,
            why: Why::Need {
                job: "post".into(),
                when: Condition::Failed,
                outcome: Outcome::Blocked,
            },
        },
        Fact::Reopened { run: run.clone(), job: job.clone() },
        Fact::InDoubt { run: run.clone(), job: job.clone(), why: "断电".into() },
        Fact::DeadlineMissed {
            run: run.clone(),
            job: None,
            deadline: Deadline::MustStartBy,
            due: at(),
        },
        Fact::AcrossKnown {
            job: "fx.load".parse().unwrap(),
            date: "2026-10-29".parse().unwrap(),
            outcome: None,
        },
        Fact::IncidentOpened(Box::new(incident(&run, &job))),
        Fact::IncidentClosed {
            incident: IncidentId(7),
            run: Some(run.clone()),
            job: Some(job.clone()),
        },
        Fact::Acted {
            run: run.clone(),
            by: person,
            reason: "数据已核对".into(),
            action: Action::Note { job: Some(job.clone()), text: "\"quoted\"\n".into() },
            second: None,
        },
        Fact::Asked { run: run.clone(), job },
        Fact::Stopping {
            run: run.clone(),
            by: PersonId::new("li-wei").unwrap(),
            how: StopHow::Terminate,
        },
        Fact::RunOpened(Box::new(RunOpened {
            scheduled: Some(at()),
            late: Some(LateWhy::NobodyServed),
            revision: Some(revision()),
            ..opened(&next, &load)
        })),
        Fact::ScheduleTaken {
            batch: next.batch.clone(),
            schedule: Some(Box::new(TakenSchedule {
                schedule: crate::core::test_site::cron("30 21 * * MON-FRI", "Europe/Berlin"),
                calendar: None,
            })),
            since: at(),
        },
        Fact::StartsMissed {
            batch: next.batch.clone(),
            first: at(),
            last: at(),
            count: 1,
            why: MissedWhy::TooLate { limit: Span::seconds(90) },
        },
        Fact::DefinitionsTaken { revision: revision() },
        Fact::DefinitionsRefused { why: "site.yaml:3:1: unknown key".into() },
    ]
    .into_iter()
    .chain(by_operators(&run))
    .chain(of_credentials())
    .chain(of_events())
    .chain(changes::facts())
    .chain([Fact::RunOpened(Box::new(RunOpened {
        list: Some(Box::new(changes::list())),
        ..opened(&next, &load)
    }))])
    .chain(hand_overs::facts())
    .chain(inspections::facts())
    .chain(hand_overs::forgotten())
    .chain(figures::facts())
    .chain([Fact::ReportTold { run: next }])
    .chain(of_hosts())
    .collect()
}

/// Passwords, tokens, logins.
fn of_events() -> Vec<Fact> {
    vec![
        Fact::EventReceived(Box::new(Received {
            key: EventKey::new("core-banking/2026-10-30/1").unwrap(),
            event: EventName::new("positions-delivered").unwrap(),
            business_date: "2026-10-30".parse().unwrap(),
            parameters: BTreeMap::from([("branch".into(), "001".into())]),
            by: PersonId::new("core-banking").unwrap(),
            reason: "delivered".into(),
            runs: vec!["eod@2026-10-30#1".parse().unwrap()],
            jobs: vec![JobOfRun {
                run: "eod@2026-10-30#1".parse().unwrap(),
                job: JobName::new("positions").unwrap(),
            }],
        })),
        Fact::EventForgotten { key: EventKey::new("core-banking/2026-10-30/1").unwrap() },
    ]
}

fn of_credentials() -> Vec<Fact> {
    let person = |id| PersonId::new(id).unwrap();
    let (admin, token) = (person("zhang-min"), TokenId(1));
    vec![
        Fact::PasswordSet {
            person: person("li-wei"),
            by: admin.clone(),
            reason: "forgotten".into(),
        },
        Fact::TokenMade {
            token,
            person: person("li-wei"),
            name: "夜间脚本".into(),
            rights: [Right::Read, Right::Order].into_iter().collect(),
            expires: at(),
            by: person("li-wei"),
            reason: String::new(),
        },
        Fact::TokenRevoked { token, by: admin, reason: "lost".into() },
        Fact::LoggedIn {
            person: person("li-wei"),
            how: LoginHow::Password,
            from: "192.0.2.7".into(),
        },
        Fact::LoginRefused {
            person: None,
            from: "2001:db8::1".into(),
            why: LoginTrouble::UnknownPerson,
        },
    ]
}

/// What operators order for the whole site, and what takes two of them.
fn by_operators(run: &RunId) -> Vec<Fact> {
    let person = |id| PersonId::new(id).unwrap();
    let job = JobName::new("load").unwrap();
    let pool = PoolName::new("ledger").unwrap();
    let scope = FreezeScope { batches: vec![run.batch.clone()], ..FreezeScope::default() };
    let what = Freeze { reason: Text::en("release"), from: at(), to: at(), scope };
    let moved = Action::Deadline {
        job: None,
        deadline: Deadline::MustCompleteBy,
        from: Some(jiff::civil::time(6, 30, 0, 0)),
        to: jiff::civil::time(7, 30, 0, 0),
    };
    vec![
        Fact::Acted {
            run: run.clone(),
            by: person("li-wei"),
            reason: "late file".into(),
            action: moved,
            second: Some(person("zhang-min")),
        },
        Fact::Frozen {
            freeze: FreezeId(1),
            by: person("li-wei"),
            what: Box::new(what),
            two_lift: true,
        },
        Fact::Unfrozen {
            freeze: FreezeId(1),
            by: person("li-wei"),
            reason: "done".into(),
            second: Some(person("zhang-min")),
        },
        Fact::PoolSized {
            pool: pool.clone(),
            size: 3,
            until: at(),
            by: person("li-wei"),
            reason: "slow disks".into(),
        },
        Fact::PoolBack { pool },
        Fact::SecondAsked {
            request: RequestId(1),
            by: person("li-wei"),
            reason: "posted by hand".into(),
            what: Proposed::Acts { run: run.clone(), actions: vec![Action::Force { job }] },
            until: at(),
        },
        Fact::SecondGiven {
            request: RequestId(1),
            by: person("zhang-min"),
            reason: "seen".into(),
            order: Some(Box::new(Approved {
                order: Order::of(run.batch.clone(), person("li-wei")),
                until: at(),
            })),
        },
        Fact::SecondUsed { request: RequestId(1) },
        Fact::StoreRestored {
            by: PersonId::new("li-wei").unwrap(),
            reason: "the disk was replaced".into(),
            made: at(),
            epoch: Epoch(7),
        },
        Fact::AttemptRecovered {
            attempt: "eod@2026-10-30#1/load/2".parse().unwrap(),
            host: HostName::new("local").unwrap(),
            boot: BootId("restored".into()),
        },
        Fact::RunLost(Box::new(RunLost {
            run: "eod@2026-10-31#1".parse().unwrap(),
            business_date: "2026-10-31".parse().unwrap(),
            trial: false,
            attempts: vec![LostAttempt {
                attempt: "eod@2026-10-31#1/load/1".parse().unwrap(),
                host: HostName::new("local").unwrap(),
                ended: Some(Box::new(ended("eod@2026-10-31#1/load/1".parse().unwrap()))),
                marked: vec!["bank".into()],
            }],
        })),
        Fact::RunArchived(Box::new(RunArchived {
            run: "eod@2025-10-30#1".parse().unwrap(),
            file: "eod@2025-10-30#1.json.gz".into(),
            digest: "ab".repeat(32),
            bytes: 4711,
            entries: 12,
        })),
    ]
}

/// As a former release wrote it: everything else has a default.
fn incident(run: &RunId, job: &JobName) -> Opened {
    Opened {
        blocks: vec![JobName::new("post").unwrap()],
        notify: vec![PersonId::new("li-wei").unwrap()],
        ..Opened::about(IncidentId(7), Some(run.clone()), Some(job.clone()))
    }
}

fn of_hosts() -> [Fact; 2] {
    let (host, by) = (HostName::new("db1").unwrap(), PersonId::new("li-wei").unwrap());
    let reason = "new disks".to_owned();
    [
        Fact::HostDrained { host: host.clone(), by: by.clone(), reason: reason.clone() },
        Fact::HostUndrained { host, by, reason },
    ]
}

fn opened(run: &RunId, job: &JobName) -> RunOpened {
    RunOpened {
        run: run.clone(),
        batch: run.batch.clone(),
        business_date: "2026-10-30".parse().unwrap(),
        anchor: at(),
        trial: true,
        definition: "ab".repeat(32),
        parameters: BTreeMap::from([("branch".into(), "001".into())]),
        by: PersonId::new("li-wei").unwrap(),
        only: vec![job.clone()],
        across: Vec::new(),
        expected: BTreeMap::from([(job.clone(), Span::seconds(30))]),
        boot: BootId("boot-1".into()),
        since_boot: Duration::from_secs(60),
        window_override: Some("agreed with the business".into()),
        second: None,
        scheduled: None,
        late: None,
        revision: None,
        list: None,
    }
}

fn revision() -> Revision {
    Revision {
        commit: "0123456789abcdef0123456789abcdef01234567".into(),
        author: "李伟 <li.wei@bank.example>".into(),
        committed: at(),
        dirty: false,
    }
}

fn ended(attempt: crate::types::AttemptId) -> Ended {
    let check = Check { name: "fee".into(), ok: true, detail: "3 rows".into() };
    Ended {
        attempt,
        ending: Ending::CouldNotStart { why: "no such file".into() },
        started: Some(at()),
        ended: at(),
        usage: Usage { user_us: 1, system_us: 2, max_rss_kib: 3 },
        line_found: true,
        output_bytes: 4,
        tail: vec!["完成\u{fffd}".into()],
        values: BTreeMap::from([("ROWS".into(), "12".into())]),
        notes: vec!["survivors killed".into()],
        work: Some(Work::Change(ChangeWork {
            rows: 3,
            backup_rows: 3,
            before: vec![check.clone()],
            after: vec![check],
            ..ChangeWork::none(ChangeState::RolledBack)
        })),
    }
}
