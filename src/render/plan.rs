//! The plan as text: `nightrun plan`.

use std::fmt::Write as _;

use crate::render::clock::{Clock, civil, day, took};
use crate::render::day_words;
use crate::render::phrase::left_out;
use crate::render::table::{PAGE, Table, wrap};
use crate::render::words::{Label, Listed, Planned, list, pair, remarks};
use crate::types::Lang;
use crate::view::plan::{
    BatchLeftOut, BatchLeftOutWhy, CalendarEnd, Gate, PlanDay, PlanJob, PlanStart, PlanView,
    StartNote,
};

/// Marks a job on the critical path, as in the drawing.
const ON_PATH: &str = "◆";

/// Every date with its starts, their jobs, and what is left out and why.
pub fn text(lang: Lang, view: &PlanView) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}", pair(lang, Label::PlanTitle.say(lang), view.site.get(lang)));
    for end in &view.calendar_ends {
        push(&mut out, 0, &calendar_end(lang, end));
    }
    for planned in &view.days {
        write_day(lang, view, planned, &mut out);
    }
    if view.days.len() > 1 {
        out.push('\n');
        push(&mut out, 0, &Planned::OneDay.say(lang));
    }
    out
}

fn push(out: &mut String, indent: usize, text: &str) {
    for line in wrap(text, PAGE - indent) {
        let _ = writeln!(out, "{:indent$}{line}", "");
    }
}

fn write_day(lang: Lang, view: &PlanView, planned: &PlanDay, out: &mut String) {
    let _ = writeln!(out, "\n{}", day(lang, planned.date));
    if planned.starts.is_empty() {
        push(out, 2, &Planned::NothingStarts.say(lang));
    }
    for start in &planned.starts {
        write_start(lang, view, start, out);
    }
    let mut table = Table::new(&["", ""], &[], 4);
    for batch in &planned.left_out {
        table.row(vec![batch.batch.to_string(), batch_left_out(lang, batch)]);
    }
    if !planned.left_out.is_empty() {
        push(out, 2, Label::LeftOut.say(lang));
        table.write(out);
    }
}

fn write_start(lang: Lang, view: &PlanView, start: &PlanStart, out: &mut String) {
    let clock = Clock::new(&view.zone, start.at);
    let mut facts = vec![
        clock.minute(start.at),
        format!("{} {}", start.batch, start.title.get(lang)),
        format!("{} {}", Label::BusinessDate.say(lang), start.business_date),
    ];
    let times = [
        (Label::MustStartBy, start.must_start_by),
        (Label::MustCompleteBy, start.must_complete_by),
        (Label::ExpectedEnd, start.expected_end),
    ];
    for (label, at) in times {
        facts.extend(at.map(|at| format!("{} {}", label.say(lang), clock.minute(at))));
    }
    push(out, 2, &facts.join("  "));
    for note in &start.notes {
        push(out, 4, &start_note(lang, &clock, note));
    }
    if let Some(list) = &start.list {
        push(out, 4, &pair(lang, &Listed::List.say(lang), &super::list::on(lang, list)));
        for left in &list.list.left_out {
            let text = super::list::left_off(lang, &clock, left);
            push(out, 4, &pair(lang, &Listed::LeftOff.say(lang), &text));
        }
    }
    let several = view.days.len() > 1;
    if several {
        push(out, 4, &jobs_in_short(lang, start));
    }
    let columns =
        [Label::Start, Label::Finish, Label::Expected, Label::Job, Label::Title, Label::Gates];
    let mut table = Table::new(&columns.map(|label| label.say(lang)), &[2], 4);
    for job in start.jobs.iter().filter(|job| !several || is_in_trouble(job)) {
        table.row(job_row(lang, &clock, job));
    }
    table.write(out);
    if several {
        return;
    }
    if start.jobs.iter().any(|job| job.on_critical_path) {
        push(out, 4, &format!("{ON_PATH} {}", Label::OnCriticalPath.say(lang)));
    }
    if !start.left_out.is_empty() {
        push(out, 4, Label::LeftOut.say(lang));
        let mut table = Table::new(&["", "", ""], &[], 6);
        for job in &start.left_out {
            let title = job.title.get(lang).to_owned();
            table.row(vec![job.name.to_string(), title, left_out(lang, &job.why)]);
        }
        table.write(out);
    }
}

/// It cannot start, or would miss its limit.
fn is_in_trouble(job: &PlanJob) -> bool {
    job.start.is_none() || job.gates.iter().any(|gate| matches!(gate, Gate::MissesDeadline { .. }))
}

/// Of several days the jobs are only counted, and those in trouble listed; a plan of one day lists all.
fn jobs_in_short(lang: Lang, start: &PlanStart) -> String {
    let jobs = u32::try_from(start.jobs.len()).unwrap_or(u32::MAX);
    let mut parts = vec![Planned::Jobs { jobs }.say(lang)];
    if !start.left_out.is_empty() {
        let names = list(lang, start.left_out.iter().map(|job| &job.name));
        parts.push(Planned::WithoutJobs { list: &names }.say(lang));
    }
    remarks(lang, &parts)
}

fn job_row(lang: Lang, clock: &Clock<'_>, job: &PlanJob) -> Vec<String> {
    let mut gates: Vec<String> = job.gates.iter().map(|gate| say_gate(lang, clock, gate)).collect();
    if !job.critical {
        gates.push(Label::NotCritical.say(lang).to_owned());
    }
    vec![
        job.start.map_or_else(|| Label::Unplanned.say(lang).to_owned(), |at| clock.exactly(at)),
        job.end.map(|at| clock.exactly(at)).unwrap_or_default(),
        job.expected.map(|length| took(lang, length.get())).unwrap_or_default(),
        if job.on_critical_path { format!("{} {ON_PATH}", job.name) } else { job.name.to_string() },
        job.title.get(lang).to_owned(),
        remarks(lang, &gates),
    ]
}

fn say_gate(lang: Lang, clock: &Clock<'_>, gate: &Gate) -> String {
    let say = |planned: Planned<'_>| planned.say(lang);
    match gate {
        Gate::Window { class, opens, closes } => say(Planned::Window {
            window: class.as_str(),
            opens: &clock.minute(*opens),
            closes: &clock.minute(*closes),
        }),
        Gate::WindowNever { class } => say(Planned::WindowNever { window: class.as_str() }),
        Gate::Frozen { reason, until } => {
            say(Planned::Frozen { reason: reason.get(lang), until: &clock.minute(*until) })
        }
        Gate::WaitsUntil { at } => say(Planned::Until { at: &clock.minute(*at) }),
        Gate::WaitsForFile { path, limit } => {
            say(Planned::File { path, limit: &took(lang, limit.get()) })
        }
        Gate::WaitsForSql { limit } => say(Planned::Sql { limit: &took(lang, limit.get()) }),
        Gate::WaitsForEvent { event, limit: None } => say(Planned::Event { event: event.as_str() }),
        Gate::WaitsForEvent { event, limit: Some(limit) } => {
            say(Planned::EventWithin { event: event.as_str(), limit: &took(lang, limit.get()) })
        }
        Gate::WaitsForPerson { question, .. } => {
            say(Planned::Person { question: question.get(lang) })
        }
        Gate::Pool { pool, units } => say(Planned::Pool { pool: pool.as_str(), units: *units }),
        Gate::Across { job, counts_as_done: true, .. } => {
            say(Planned::AcrossDone { job: &job.to_string() })
        }
        Gate::Across { job, date, .. } => {
            say(Planned::Across { job: &job.to_string(), date: &date.to_string() })
        }
        Gate::MissesDeadline { due } => say(Planned::MissesLimit { due: &clock.minute(*due) }),
    }
}

fn start_note(lang: Lang, clock: &Clock<'_>, note: &StartNote) -> String {
    match note {
        StartNote::GapShifted { wished } => {
            Planned::Gap { wished: &civil(wished.time()) }.say(lang)
        }
        StartNote::Fold { second: false } => Planned::First.say(lang),
        StartNote::Fold { second: true } => Planned::Second.say(lang),
        StartNote::CaughtUp { scheduled } => {
            Planned::CaughtUp { scheduled: &clock.minute(*scheduled) }.say(lang)
        }
    }
}

pub(super) fn batch_left_out(lang: Lang, batch: &BatchLeftOut) -> String {
    let say = |planned: Planned<'_>| planned.say(lang);
    match &batch.why {
        BatchLeftOutWhy::NoBusinessDay { calendar, name: None } => {
            say(Planned::NoBusinessDay { calendar: calendar.as_str() })
        }
        BatchLeftOutWhy::NoBusinessDay { calendar, name: Some(name) } => {
            let name = weekday(lang, name).unwrap_or(name);
            say(Planned::Holiday { calendar: calendar.as_str(), name })
        }
        BatchLeftOutWhy::NotItsDay(not) => match &not.rule {
            Some(rule) => say(Planned::OtherDays { rule: &day_words::say(lang, rule) }),
            None => not.reason.clone(),
        },
        BatchLeftOutWhy::CalendarUnknown { calendar, last } => {
            say(Planned::NoData { calendar: calendar.as_str(), last: &last.to_string() })
        }
        BatchLeftOutWhy::GapSkipped { wished } => {
            say(Planned::GapSkipped { wished: &civil(wished.time()) })
        }
        BatchLeftOutWhy::NoSchedule => say(Planned::NoSchedule),
    }
}

/// A calendar names the days of its weekly rule in English.
fn weekday(lang: Lang, name: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 7] = [
        ("Monday", "星期一"),
        ("Tuesday", "星期二"),
        ("Wednesday", "星期三"),
        ("Thursday", "星期四"),
        ("Friday", "星期五"),
        ("Saturday", "星期六"),
        ("Sunday", "星期日"),
    ];
    let (en, zh) = NAMES.into_iter().find(|(en, _)| *en == name)?;
    Some(if lang == Lang::Zh { zh } else { en })
}

fn calendar_end(lang: Lang, end: &CalendarEnd) -> String {
    let (calendar, last) = (end.calendar.as_str(), &end.last.to_string());
    if end.days_left < 0 {
        Planned::CalendarEnded { calendar, last }.say(lang)
    } else {
        Planned::CalendarEnds { calendar, last, days: end.days_left }.say(lang)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{after, both, head, in_both, name, quarter_end};
    use crate::types::{Span, Text};
    use crate::view::job::LeftOut;
    use crate::view::plan::JobLeftOut;

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
            Gate::Window {
                class: "night-change".parse().unwrap(),
                opens: after(30.0),
                closes: after(270.0),
            },
            Gate::Pool { pool: "ledger".parse().unwrap(), units: 1 },
            Gate::Across {
                job: "eod.close-day".parse().unwrap(),
                date: "2026-10-29".parse().unwrap(),
                counts_as_done: true,
            },
            Gate::MissesDeadline { due: after(40.0) },
        ];
        let mut never = job(
            "fee-correction",
            both("Correct the fee", "更正费用"),
            30.0,
            1.0,
            vec![
                Gate::WindowNever { class: "night-change".parse().unwrap() },
                Gate::Frozen {
                    reason: both("year-end close", "年终封版"), until: after(4_000.0)
                },
            ],
        );
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
                job(
                    "load-rates",
                    both("Load the reference rates", "载入参考汇率"),
                    12.0,
                    3.2,
                    gates,
                ),
                job("archive-logs", both("Archive the logs", "日志归档"), 451.0, 11.0, Vec::new()),
                never,
            ],
            list: None,
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
        let end = |days_left| CalendarEnd {
            calendar: calendar(),
            title: Text::en("TARGET2"),
            last,
            days_left,
        };
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
                        out(
                            "eod",
                            BatchLeftOutWhy::NoBusinessDay {
                                calendar: calendar(),
                                name: Some("Christmas Day".into()),
                            },
                        ),
                        out(
                            "eow",
                            BatchLeftOutWhy::NoBusinessDay { calendar: calendar(), name: None },
                        ),
                        out("eoy", BatchLeftOutWhy::CalendarUnknown { calendar: calendar(), last }),
                        out(
                            "night",
                            BatchLeftOutWhy::GapSkipped {
                                wished: jiff::civil::datetime(2026, 3, 29, 2, 30, 0, 0),
                            },
                        ),
                    ],
                },
            ],
            calendar_ends: vec![end(6), end(-3)],
        }
    }

    #[test]
    fn a_weekend_is_named_in_the_readers_language() {
        let batch = BatchLeftOut {
            batch: "eod".parse().unwrap(),
            title: both("End of day", "日终批次"),
            why: BatchLeftOutWhy::NoBusinessDay {
                calendar: "target".parse().unwrap(),
                name: Some("Saturday".into()),
            },
        };
        assert!(batch_left_out(Lang::En, &batch).starts_with("Saturday"));
        assert!(batch_left_out(Lang::Zh, &batch).starts_with("星期六"));
    }

    #[test]
    fn plan_of_one_day_lists_its_jobs() {
        let mut view = plan();
        view.days.truncate(1);
        insta::assert_snapshot!(in_both(|lang| text(lang, &view)));
    }

    #[test]
    fn plan_of_two_days() {
        insta::assert_snapshot!(in_both(|lang| text(lang, &plan())));
    }
}
