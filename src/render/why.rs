//! Why a job did not start (yet), in sentences.

use jiff::Timestamp;

use crate::render::clock::{Clock, day, took};
use crate::render::command::{Verb, on_job};
use crate::render::day_words;
use crate::render::table::{PAGE, wrap};
use crate::render::words::{Because, Label, list};
use crate::types::{BatchId, BusinessDate, JobName, Lang};
use crate::view::why::{Awaited, NotItsDay, Reason, WhyView, WindowWhy};

/// Where a reason is said: whose job, and by which clock.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub lang: Lang,
    pub clock: &'a Clock<'a>,
    pub batch: &'a BatchId,
    pub job: &'a JobName,
    pub date: BusinessDate,
}

/// The whole answer of `nightrun why`: a head line, then one sentence a reason.
pub fn text(lang: Lang, view: &WhyView) -> String {
    let clock = Clock::new(&view.zone, view.now);
    let place = Place {
        lang,
        clock: &clock,
        batch: &view.job.batch,
        job: &view.job.job,
        date: view.business_date,
    };
    let run = view.run.as_ref().map(|run| format!("  {run}")).unwrap_or_default();
    let date = Label::BusinessDate.say(lang);
    let mut out =
        format!("{}  {}  {date} {}{run}\n", view.job, view.title.get(lang), view.business_date);
    for reason in &view.reasons {
        for (i, line) in wrap(&sentence(place, reason), PAGE - 4).iter().enumerate() {
            out.push_str(if i == 0 { "  - " } else { "    " });
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// One reason as one plain sentence, with the next step where there is one.
pub fn sentence(place: Place<'_>, reason: &Reason) -> String {
    let Place { lang, clock, batch, job, date } = place;
    let say = |because: Because<'_>| because.say(lang);
    let command = |verb| on_job(verb, batch, job, date);
    match reason {
        Reason::WaitsFor { jobs } => {
            say(Because::WaitsFor { list: &list(lang, jobs.iter().map(|job| awaited(place, job))) })
        }
        Reason::NotItsDay(not) => not_its_day(lang, not),
        Reason::NotAsked => say(Because::NotAsked),
        Reason::NeedNotMet { job, when, outcome } => {
            say(Because::NeedNotMet { job, when: *when, outcome: *outcome })
        }
        Reason::Held { by, reason } => {
            let command = command(Verb::Release);
            say(Because::Held { who: by.name.get(lang), reason, command: &command })
        }
        Reason::Window { class, title, why, next } => {
            let title = title.get(lang);
            window(place, if title.is_empty() { class.as_str() } else { title }, *why, *next)
        }
        Reason::Frozen { reason, until } => {
            say(Because::Frozen { reason: reason.get(lang), until: &clock.minute(*until) })
        }
        Reason::Pool { pool, size, in_use_by } if in_use_by.is_empty() => {
            say(Because::PoolBusyUnnamed { pool: pool.as_str(), size: *size })
        }
        Reason::Pool { pool, size, in_use_by } => {
            let users = list(lang, in_use_by);
            say(Because::PoolBusy { pool: pool.as_str(), size: *size, users: &users })
        }
        Reason::HostFull { host, max_running } => {
            say(Because::HostFull { host: host.as_str(), max: *max_running })
        }
        Reason::HostAway { host, why } => say(Because::HostAway { host: host.as_str(), why }),
        Reason::RetryAt { attempt, at } => {
            say(Because::RetryAt { attempt: *attempt, at: &clock.exactly(*at) })
        }
        Reason::Stopping => say(Because::Stopping),
        Reason::WaitsUntil { at } => say(Because::WaitsUntil { at: &clock.minute(*at) }),
        Reason::WaitsForPerson { question, role } => say(Because::WaitsForPerson {
            question: question.get(lang),
            role: role.as_ref().map_or("", |role| role.as_str()),
            command: &command(Verb::Confirm),
        }),
        Reason::Blocked { by } => {
            let first = by.first().unwrap_or(job);
            let retry = on_job(Verb::Retry, batch, first, date);
            say(Because::BlockedBy { list: &list(lang, by), command: &retry })
        }
        Reason::Unknown { why } => say(Because::Unknown { why, command: &command(Verb::Retry) }),
        Reason::Done { outcome, at } => {
            say(Because::Done { outcome: *outcome, at: &clock.exactly(*at) })
        }
        Reason::Starting { attempt, host } => {
            say(Because::StartingOn { host: host.as_str(), attempt: *attempt })
        }
        Reason::Running { attempt, since, expected_end } => {
            running(place, *attempt, *since, *expected_end)
        }
        Reason::Across { job, date, outcome, when } => {
            let (job, date) = (job.to_string(), date.to_string());
            say(match outcome {
                None => Because::AcrossOpen { job: &job, date: &date, when: *when },
                Some(outcome) => {
                    Because::AcrossWas { job: &job, date: &date, when: *when, outcome: *outcome }
                }
            })
        }
        Reason::BatchNotStarted { batch, next: None } => {
            say(Because::BatchNeverStarts { batch: batch.as_str() })
        }
        Reason::BatchNotStarted { batch, next: Some(next) } => {
            say(Because::BatchNotStarted { batch: batch.as_str(), next: &clock.minute(*next) })
        }
        Reason::CalendarUnknown { calendar, date, last } => say(Because::CalendarUnknown {
            calendar: calendar.as_str(),
            date: &date.to_string(),
            last: &last.to_string(),
        }),
        Reason::Ready => say(Because::Ready),
    }
}

fn awaited(place: Place<'_>, awaited: &Awaited) -> String {
    let job = awaited.job.as_str();
    let state = Label::of_state(awaited.state).say(place.lang);
    match awaited.expected_end {
        None => Because::Awaited { job, state }.say(place.lang),
        Some(end) => {
            Because::AwaitedUntil { job, state, end: &place.clock.at(end) }.say(place.lang)
        }
    }
}

fn running(place: Place<'_>, attempt: u32, since: Timestamp, end: Option<Timestamp>) -> String {
    let since = &place.clock.exactly(since);
    match end {
        None => Because::RunningSince { attempt, since }.say(place.lang),
        Some(end) => {
            let end = &place.clock.at(end);
            Because::RunningSinceUntil { attempt, since, end }.say(place.lang)
        }
    }
}

fn window(place: Place<'_>, window: &str, why: WindowWhy, next: Option<Timestamp>) -> String {
    let Place { lang, clock, .. } = place;
    let next = next.map(|at| clock.minute(at));
    match (why, &next) {
        (WindowWhy::Closed, Some(next)) => Because::WindowClosed { window, next }.say(lang),
        (WindowWhy::Closed, None) => Because::WindowClosedForGood { window }.say(lang),
        (WindowWhy::DoesNotFit { needs, closes }, next) => {
            let (needs, closes) = (&took(lang, needs.get()), &clock.minute(closes));
            match next {
                Some(next) => Because::WindowTooShort { window, closes, needs, next }.say(lang),
                None => Because::WindowTooShortForGood { window, closes, needs }.say(lang),
            }
        }
        (WindowWhy::CalendarUnknown { last }, _) => {
            Because::WindowUnknown { window, last: &last.to_string() }.say(lang)
        }
    }
}

/// Its calendar leaves the date out: the rule in words where it is known, else the reason as recorded.
pub fn not_its_day(lang: Lang, not: &NotItsDay) -> String {
    match &not.rule {
        Some(rule) => Because::NotItsDay {
            date: &day(lang, not.date),
            rule: &day_words::say(lang, rule),
        }
        .say(lang),
        None => not.reason.clone(),
    }
}
