//! What the pages say, in both languages, as snapshots; and what HTML must never do.

use super::sample::*;
use super::*;
use crate::core::fact::{Action, Deadline, RunResult, StopHow};
use crate::types::{Condition, Ending, IncidentId, Lang, Outcome, PersonId, Span, Text};
use crate::view::event::{Event, EventLine};
use crate::view::job::{JobState, LeftOut, StateWord};
use crate::view::plan::{
    BatchLeftOut, BatchLeftOutWhy, CalendarEnd, Gate, JobLeftOut, PlanDay, PlanJob, PlanStart,
    PlanView, StartNote,
};
use crate::view::report::{Act, ReportView};
use crate::view::status::StatusView;
use crate::view::why::{Awaited, Reason, WhyView, WindowWhy};

fn in_both(write: impl Fn(Lang) -> String) -> String {
    Lang::ALL.map(|lang| format!("===== {} =====\n{}", lang.tag(), write(lang))).join("\n")
}

#[test]
fn report_of_a_good_night() {
    insta::assert_snapshot!(in_both(|lang| report_text::text(lang, &good_night())));
}

#[test]
fn report_of_a_bad_night() {
    insta::assert_snapshot!(in_both(|lang| report_text::text(lang, &bad_night())));
}

#[test]
fn status_of_a_running_night() {
    let night = running_night();
    let view = StatusView {
        head: night.head,
        totals: night.totals,
        jobs: night.jobs,
        incidents: bad_night().incidents,
        stopping: Some(StopHow::Wait),
        unsent_mail: 2,
    };
    insta::assert_snapshot!(in_both(|lang| status::text(lang, &view)));
}

fn mail_in(lang: Lang, mail: mail::MailText) -> String {
    assert!(!mail.subject.contains('\n'), "{lang:?}");
    format!("Subject: {}\n\n{}", mail.subject, mail.text)
}

#[test]
fn failure_mail() {
    let to = PersonId::new("li-wei").unwrap();
    let write = |lang| mail_in(lang, mail::failure(lang, &fault(), &to).unwrap());
    insta::assert_snapshot!(in_both(write));
}

#[test]
fn report_mail_begins_with_the_result() {
    for (night, mark) in [(good_night(), "[OK] eod "), (bad_night(), "[FAILED] eod ")] {
        for lang in Lang::ALL {
            let mail = mail::report(lang, &night).unwrap();
            assert!(mail.subject.starts_with(mark), "{}", mail.subject);
            assert_eq!(mail.text, report_text::text(lang, &night));
        }
    }
}

#[test]
fn a_trial_says_so_everywhere() {
    let mut night = bad_night();
    night.head.trial = true;
    let mut fault = fault();
    fault.head.trial = true;
    let to = PersonId::new("li-wei").unwrap();
    for (lang, mark) in [(Lang::En, "Trial run"), (Lang::Zh, "试运行")] {
        let mail = mail::failure(lang, &fault, &to).unwrap();
        let report = mail::report(lang, &night).unwrap();
        for subject in [&mail.subject, &report.subject] {
            assert!(subject.to_lowercase().contains(if lang == Lang::En { "trial" } else { mark }));
        }
        let page = report_html::page(lang, &night).unwrap();
        for text in [&mail.text, &mail.html, &report.text, &report.html, &page] {
            assert!(text.contains(mark), "{text}");
        }
    }
}

/// A verdict of its own for each way that a run stands to its limit.
#[test]
fn verdicts() {
    let mut out = String::new();
    let limit = Some(after(540.0));
    let cases = [
        ("kept", Some(RunResult::Well), Some(462.0), None, limit),
        ("missed", Some(RunResult::Well), Some(551.0), None, limit),
        ("no limit", Some(RunResult::Well), Some(462.0), None, None),
        ("failed", Some(RunResult::Failed), Some(199.0), None, limit),
        ("failed, limit passed", Some(RunResult::Failed), Some(199.0), Some(600.0), limit),
        ("stopped", Some(RunResult::Stopped), Some(199.0), None, limit),
        ("running in time", None, None, Some(500.0), limit),
        ("running late", None, None, Some(560.0), limit),
        ("running, no forecast", None, None, None, limit),
        ("running, no limit", None, None, Some(500.0), None),
    ];
    for (what, result, ended, other, limit) in cases {
        let mut night = running_night();
        night.head.result = result;
        night.head.ended = ended.map(after);
        night.head.now = after(ended.unwrap_or(84.0));
        night.head.must_complete_by = limit;
        night.head.expected_end = if result.is_none() { other.map(after) } else { None };
        if result.is_some() && let Some(now) = other {
            night.head.now = after(now);
        }
        for lang in Lang::ALL {
            let verdict = phrase::verdict(lang, &night.head, &night.totals);
            out.push_str(&format!("{what}: {verdict}\n"));
        }
    }
    insta::assert_snapshot!(out);
}

fn reasons() -> Vec<Reason> {
    let awaited = |job: &str, state, end: Option<f64>| Awaited {
        job: name(job),
        state,
        when: Condition::Ok,
        expected_end: end.map(after),
    };
    let window = |why, next: Option<f64>| Reason::Window {
        class: "night-change".parse().unwrap(),
        title: both("night change window", "夜间变更窗口"),
        why,
        next: next.map(after),
    };
    let across = |outcome| Reason::Across {
        job: "eod.close-day".parse().unwrap(),
        date: "2026-10-29".parse().unwrap(),
        outcome,
        when: Condition::Ok,
    };
    let pool = |users: &[&str]| Reason::Pool {
        pool: "ledger".parse().unwrap(),
        size: 1,
        in_use_by: users.iter().map(|job| job.parse().unwrap()).collect(),
    };
    let last = jiff::civil::date(2026, 12, 31);
    let too_long = WindowWhy::DoesNotFit { needs: Span::seconds(2_700), closes: after(270.0) };
    let question = both("May the ledger be closed?", "可以关账吗？");
    vec![
        Reason::WaitsFor {
            jobs: vec![
                awaited("post-ledger", StateWord::Running, Some(201.0)),
                awaited("check-rates", StateWord::Waiting, None),
            ],
        },
        Reason::NotItsDay(quarter_end()),
        Reason::NotAsked,
        Reason::NeedNotMet {
            job: "load-rates".into(),
            when: Condition::Failed,
            outcome: Outcome::Succeeded,
        },
        Reason::Held { by: zhang_min(), reason: "waits for custody".into() },
        window(WindowWhy::Closed, Some(30.0)),
        window(WindowWhy::Closed, None),
        window(too_long, Some(1_470.0)),
        window(too_long, None),
        window(WindowWhy::CalendarUnknown { last }, None),
        Reason::Frozen { reason: both("year-end close", "年终封版"), until: after(4_000.0) },
        pool(&["eod.post-ledger"]),
        pool(&[]),
        Reason::HostFull { host: "local".parse().unwrap(), max_running: 8 },
        Reason::HostAway { host: "db1".parse().unwrap(), why: "connection refused".into() },
        Reason::RetryAt { attempt: 2, at: after(9.0) },
        Reason::Stopping,
        Reason::WaitsUntil { at: after(120.0) },
        Reason::WaitsForPerson { question: question.clone(), role: Some("duty".parse().unwrap()) },
        Reason::WaitsForPerson { question, role: None },
        Reason::Blocked { by: vec![name("post-ledger")] },
        Reason::Done { outcome: Outcome::Succeeded, at: after(80.0) },
        Reason::Starting { attempt: 1, host: "local".parse().unwrap() },
        Reason::Running { attempt: 1, since: after(80.0), expected_end: Some(after(127.0)) },
        Reason::Running { attempt: 1, since: after(80.0), expected_end: None },
        Reason::Unknown { why: "its shim died while it ran".into() },
        Reason::CalendarUnknown {
            calendar: "target".parse().unwrap(),
            date: jiff::civil::date(2027, 1, 4),
            last,
        },
        across(None),
        across(Some(Outcome::Failed)),
        Reason::BatchNotStarted { batch: "eod".parse().unwrap(), next: Some(after(1_440.0)) },
        Reason::BatchNotStarted { batch: "eod".parse().unwrap(), next: None },
        Reason::Ready,
    ]
}

#[test]
fn why_it_did_not_start() {
    let view = WhyView {
        job: "eod.close-day".parse().unwrap(),
        title: both("Close the business day", "日终关账"),
        business_date: "2026-10-30".parse().unwrap(),
        run: Some("eod@2026-10-30#1".parse().unwrap()),
        now: after(84.0),
        zone: head().zone,
        reasons: reasons(),
    };
    insta::assert_snapshot!(in_both(|lang| why::text(lang, &view)));
}

fn events() -> Vec<Event> {
    let run = || head().run;
    let job = || name("load-rates");
    let ended = |ending: Ending, good, took: Option<u64>| Event::Ended {
        job: job(),
        attempt: 1,
        ending,
        good,
        took: took.map(Span::seconds),
    };
    let over = |result, exit_code| Event::RunEnded {
        run: run(),
        result,
        took: Span::seconds(27_720),
        exit_code,
    };
    let missed = |job, deadline| Event::DeadlineMissed { job, deadline, due: after(30.0) };
    let settled = |outcome, left_out, blocked_by| Event::Settled {
        job: job(),
        outcome,
        left_out,
        blocked_by,
    };
    vec![
        Event::RunOpened {
            run: run(),
            business_date: head().business_date,
            jobs: 25,
            trial: true,
        },
        Event::RunResumed { run: run(), running: 1 },
        Event::RunReopened { run: run() },
        Event::Started { job: job(), attempt: 1 },
        Event::Adopted { job: job(), attempt: 1 },
        ended(Ending::Exited { code: 0 }, true, Some(192)),
        ended(Ending::Exited { code: 0 }, true, None),
        ended(Ending::Exited { code: 0 }, false, Some(192)),
        ended(Ending::Signalled { signal: 11 }, false, Some(4)),
        ended(Ending::CouldNotStart { why: "no such file: load.sh".into() }, false, None),
        ended(Ending::TimedOut, false, Some(600)),
        Event::RetryPlanned { job: job(), attempt: 2, wait: Span::seconds(300) },
        settled(Outcome::Skipped, None, Vec::new()),
        settled(Outcome::NotScheduled, Some(LeftOut::NotItsDay(quarter_end())), Vec::new()),
        settled(Outcome::Blocked, None, vec![name("post-ledger")]),
        Event::Reopened { job: job() },
        Event::InDoubt { job: job(), why: "its shim died".into() },
        missed(None, Deadline::MustStartBy),
        missed(None, Deadline::MustCompleteBy),
        missed(Some(job()), Deadline::MustStartBy),
        missed(Some(job()), Deadline::MustCompleteBy),
        Event::IncidentOpened {
            incident: IncidentId(3),
            job: job(),
            blocks: 12,
            told: vec![li_wei(), zhang_min()],
        },
        Event::IncidentClosed { incident: IncidentId(3), job: job() },
        Event::Acted {
            by: li_wei(),
            act: Act::Do(Action::Hold { job: job() }),
            reason: "rates look wrong".into(),
        },
        Event::WaitsForPerson { job: name("close-day"), question: both("May it be closed?", "可以关账吗？") },
        Event::HostAway { host: "db1".parse().unwrap(), why: "connection refused".into() },
        Event::HostBack { host: "db1".parse().unwrap() },
        Event::ClockJumped { to: after(120.0) },
        Event::Stopping { how: StopHow::Wait, running: 2 },
        Event::Stopping { how: StopHow::Kill, running: 2 },
        Event::MailUnsent { count: 1 },
        over(RunResult::Well, 0),
        over(RunResult::Failed, 1),
        over(RunResult::Stopped, 4),
    ]
}

#[test]
fn events_one_line_each() {
    let lines = |lang| -> String {
        let line = |what| event::line(lang, &head(), &EventLine { at: after(0.1), what });
        events().into_iter().map(|what| line(what) + "\n").collect()
    };
    assert!(lines(Lang::En).is_ascii());
    insta::assert_snapshot!(in_both(lines));
}

#[test]
fn an_event_stays_on_its_line() {
    let what = Event::InDoubt { job: name("a"), why: "one\ntwo\u{1b}[31m".into() };
    let line = event::line(Lang::En, &head(), &EventLine { at: after(0.0), what });
    assert!(!line.contains(|c: char| c.is_control()), "{line}");
}

fn plan() -> PlanView {
    let job = |job: &str, title: Text, from: f64, length: f64, gates| PlanJob {
        name: name(job),
        title,
        critical: job != "archive-logs",
        on_critical_path: job == "load-rates",
        start: Some(after(from)),
        end: Some(after(from + length)),
        expected: Some(Span::seconds((length * 60.0) as u64)),
        gates,
    };
    let gates = vec![
        Gate::Window { class: "night-change".parse().unwrap(), opens: after(30.0), closes: after(270.0) },
        Gate::Pool { pool: "ledger".parse().unwrap(), units: 1 },
        Gate::Across {
            job: "eod.close-day".parse().unwrap(),
            date: "2026-10-29".parse().unwrap(),
            counts_as_done: true,
        },
        Gate::MissesDeadline { due: after(40.0) },
    ];
    let mut never = job("fee-correction", both("Correct the fee", "更正费用"), 30.0, 1.0, vec![
        Gate::WindowNever { class: "night-change".parse().unwrap() },
        Gate::Frozen { reason: both("year-end close", "年终封版"), until: after(4_000.0) },
    ]);
    (never.start, never.end) = (None, None);
    let wait = vec![
        Gate::WaitsForFile { path: "in/rates.csv".into(), limit: Span::seconds(7_200) },
        Gate::WaitsUntil { at: after(120.0) },
        Gate::WaitsForSql { limit: Span::seconds(3_600) },
        Gate::WaitsForPerson { question: both("May it?", "可以吗？"), role: None },
    ];
    let start = PlanStart {
        batch: "eod".parse().unwrap(),
        title: both("End of day", "日终批次"),
        at: after(0.0),
        business_date: "2026-10-30".parse().unwrap(),
        notes: vec![
            StartNote::GapShifted { wished: jiff::civil::datetime(2026, 3, 29, 2, 30, 0, 0) },
            StartNote::Fold { second: true },
            StartNote::CaughtUp { scheduled: after(-1_440.0) },
        ],
        must_start_by: Some(after(30.0)),
        must_complete_by: Some(after(540.0)),
        expected_end: Some(after(462.0)),
        jobs: vec![
            job("wait-rates", both("Wait for the rates file", "等待汇率文件"), 0.0, 12.0, wait),
            job("load-rates", both("Load the reference rates", "载入参考汇率"), 12.0, 3.2, gates),
            job("archive-logs", both("Archive the logs", "日志归档"), 451.0, 11.0, Vec::new()),
            never,
        ],
        left_out: vec![JobLeftOut {
            name: name("quarter-end-tax"),
            title: both("Quarter-end tax", "季末税务处理"),
            why: LeftOut::NotItsDay(quarter_end()),
        }],
    };
    let calendar = || "target".parse().unwrap();
    let out = |batch: &str, why| BatchLeftOut {
        batch: batch.parse().unwrap(),
        title: Text::en(batch),
        why,
    };
    let last = jiff::civil::date(2026, 12, 31);
    let end = |days_left| CalendarEnd { calendar: calendar(), title: Text::en("TARGET2"), last, days_left };
    PlanView {
        site: both("Sample Bank", "示例银行"),
        zone: head().zone,
        days: vec![
            PlanDay {
                date: jiff::civil::date(2026, 10, 30),
                starts: vec![start],
                left_out: vec![
                    out("eom", BatchLeftOutWhy::NotItsDay(quarter_end())),
                    out("adhoc", BatchLeftOutWhy::NoSchedule),
                ],
            },
            PlanDay {
                date: jiff::civil::date(2026, 12, 25),
                starts: Vec::new(),
                left_out: vec![
                    out("eod", BatchLeftOutWhy::NoBusinessDay {
                        calendar: calendar(),
                        name: Some("Christmas Day".into()),
                    }),
                    out("eow", BatchLeftOutWhy::NoBusinessDay { calendar: calendar(), name: None }),
                    out("eoy", BatchLeftOutWhy::CalendarUnknown { calendar: calendar(), last }),
                    out("night", BatchLeftOutWhy::GapSkipped {
                        wished: jiff::civil::datetime(2026, 3, 29, 2, 30, 0, 0),
                    }),
                ],
            },
        ],
        calendar_ends: vec![end(6), end(-3)],
    }
}

#[test]
fn plan_of_two_days() {
    insta::assert_snapshot!(in_both(|lang| plan::text(lang, &plan())));
}

/// Markup wherever a file or a job can put text.
fn hostile() -> ReportView {
    let evil = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"'";
    let mut night = bad_night();
    for line in &mut night.jobs {
        line.title = Text::en(evil);
        line.runbook = Some(Text::en(evil));
        line.tail = vec![evil.into(), "</pre></svg>".into()];
    }
    job(&mut night.jobs, "charge-fees").state = JobState::Forced { by: li_wei(), reason: evil.into() };
    night.head.title = Text::en(evil);
    night.head.site = Text::en(evil);
    for change in &mut night.changes {
        change.title = Text::en(evil);
        change.why = Some(evil.into());
        change.after[0].detail = evil.into();
    }
    for action in &mut night.actions {
        action.reason = evil.into();
    }
    night
}

#[test]
fn html_escapes_what_files_and_jobs_say_and_loads_nothing() {
    let night = hostile();
    let to = PersonId::new("li-wei").unwrap();
    let mut fault = fault();
    fault.job = night.jobs.iter().find(|job| job.name.as_str() == "post-ledger").unwrap().clone();
    fault.head.title = night.head.title.clone();
    for lang in Lang::ALL {
        let pages = [
            report_html::page(lang, &night).unwrap(),
            mail::report(lang, &night).unwrap().html,
            mail::failure(lang, &fault, &to).unwrap().html,
        ];
        for page in pages {
            assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
            for never in ["<script", "<img", "</pre></svg>", "src=x onerror=alert(2)>", "@import", "<link"] {
                assert!(!page.contains(never), "{never}");
            }
            // The only addresses are the names of namespaces; nothing is loaded from any.
            let bare = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for never in ["http://", "https://", " src=", " href=", "url(http", "url(//"] {
                assert!(!bare.contains(never), "{never}");
            }
            assert!(page.contains(&format!("<html lang=\"{}\">", lang.tag())));
        }
    }
}

#[test]
fn a_drawing_of_500_jobs_is_bounded_and_keeps_what_matters() {
    let mut night = good_night();
    let spare = night.jobs[4].clone();
    for i in 0..500 {
        let mut line = spare.clone();
        line.name = name(&format!("filler-{i:03}"));
        night.jobs.push(line);
    }
    let svg = gantt::svg(Lang::En, &night.head, &night.jobs).unwrap();
    assert_eq!(svg.matches("<g>").count(), 150);
    assert!(svg.contains("+374 more"), "524 have a time");
    assert!(svg.contains(">customer-mailing<"), "a failed job is drawn");
    assert!(svg.contains(">backup-db ◆<"), "the critical path is drawn");
}

#[test]
fn a_run_of_seconds_has_ticks_of_seconds_and_a_night_has_hours() {
    let tick_texts = |view: &ReportView| -> Vec<String> {
        let svg = gantt::svg(Lang::En, &view.head, &view.jobs).unwrap();
        svg.split("font-size=\"11\">")
            .skip(1)
            .filter_map(|part| part.split('<').next())
            .filter(|text| text.starts_with(|c: char| c.is_ascii_digit()))
            .map(str::to_owned)
            .collect()
    };
    let night = tick_texts(&good_night());
    assert_eq!(night.first().map(String::as_str), Some("21:30"), "{night:?}");
    assert!((5..=11).contains(&night.len()), "{night:?}");
    let mut short = good_night();
    short.jobs.truncate(1);
    let seconds = tick_texts(&short);
    assert!(seconds.contains(&"21:30:05".to_owned()), "{seconds:?}");
    assert!(seconds.len() <= 11, "{seconds:?}");
    short.jobs.clear();
    assert_eq!(gantt::svg(Lang::En, &short.head, &short.jobs), None);
}

/// The pages as files, to be looked at in a browser: `NIGHTRUN_SAMPLE_PAGES=dir`, else a throwaway folder.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test writes files; the code under test does not")]
fn sample_pages_are_written() {
    let throwaway = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("NIGHTRUN_SAMPLE_PAGES")
        .map_or_else(|| throwaway.path().to_owned(), std::path::PathBuf::from);
    let to = PersonId::new("li-wei").unwrap();
    let mut trial = good_night();
    trial.head.trial = true;
    for lang in Lang::ALL {
        for (page, night) in [("good", trial.clone()), ("bad", bad_night()), ("running", running_night())] {
            let path = dir.join(format!("{page}-{}.html", lang.tag()));
            std::fs::write(&path, report_html::page(lang, &night).unwrap()).unwrap();
            let mail = mail::report(lang, &night).unwrap();
            std::fs::write(dir.join(format!("mail-{page}-{}.html", lang.tag())), mail.html).unwrap();
        }
        let mail = mail::failure(lang, &fault(), &to).unwrap();
        let path = dir.join(format!("failure-{}.html", lang.tag()));
        std::fs::write(&path, mail.html).unwrap();
        assert!(path.metadata().unwrap().len() > 1_000);
    }
}
