//! Why a job did not start (yet), in sentences.

use jiff::{SignedDuration, Timestamp};

use crate::core::change::Missing;
use crate::render::clock::{Clock, day, took};
use crate::render::command::{Verb, on_changes, on_job};
use crate::render::day_words;
use crate::render::table::one_line;
use crate::render::words::{Because, Label, Lacks, list};
use crate::types::{BatchId, BusinessDate, JobName, Lang};
use crate::view::why::{Awaited, NotItsDay, Reason, ShutHost, ShutWhy, WhyView, WindowWhy};

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
    // Half a day to each side is told by the clock time alone; what is further off carries its date.
    let clock = Clock::new(&view.zone, view.now - SignedDuration::from_hours(12));
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
        // Not wrapped: a command is copied as one line.
        out.push_str("  - ");
        out.push_str(&one_line(&sentence(place, reason)));
        out.push('\n');
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
        Reason::Frozen { reason, until, by } => {
            let (reason, until) = (reason.get(lang), &clock.minute(*until));
            say(match by {
                None => Because::Frozen { reason, until },
                Some(by) => Because::FrozenBy { reason, until, who: by.name.get(lang) },
            })
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
        Reason::HostDraining { host, by, reason } => {
            say(Because::HostDraining { host: host.as_str(), who: by.name.get(lang), reason })
        }
        Reason::NoHost { label, hosts } => {
            let hosts = match hosts.is_empty() {
                true => Because::NoneDeclared.say(lang),
                false => list(lang, hosts.iter().map(|host| shut(lang, host))),
            };
            say(match label {
                Some(label) => Because::NoHostOfLabel { label: label.as_str(), hosts: &hosts },
                None => Because::NoHost { hosts: &hosts },
            })
        }
        Reason::RetryAt { attempt, at } => {
            say(Because::RetryAt { attempt: *attempt, at: &clock.exactly(*at) })
        }
        Reason::Stopping => say(Because::Stopping),
        Reason::WaitsUntil { at } => say(Because::WaitsUntil { at: &clock.minute(*at) }),
        Reason::WaitsForEvent { event, until: None } => {
            say(Because::WaitsForEvent { event: event.as_str() })
        }
        Reason::WaitsForEvent { event, until: Some(until) } => {
            say(Because::EventUntil { event: event.as_str(), until: &clock.minute(*until) })
        }
        Reason::NotCleared { missing, .. } => {
            let Place { lang, clock, batch, date, .. } = place;
            lacks(lang, clock, missing, &|word| on_changes(word, batch, date))
        }
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
        Reason::BatchPast { batch, date } => {
            say(Because::BatchPast { batch: batch.as_str(), date: &date.to_string() })
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

/// What a change lacks before it may start.
///
/// `command`: by which a person releases or watches the changes of the run.
pub(super) fn lacks(
    lang: Lang,
    clock: &Clock<'_>,
    missing: &Missing,
    command: &dyn Fn(&str) -> String,
) -> String {
    let at = |time: Timestamp| clock.minute(time);
    let said = match missing {
        Missing::Over => Lacks::Over,
        Missing::Submission => Lacks::Submission,
        Missing::Lapsed => Lacks::Lapsed,
        Missing::Review { role, people } => Lacks::Review { role: role.as_str(), people: *people },
        Missing::Approval { role, people, lapsed: false } => {
            Lacks::Approval { role: role.as_str(), people: *people }
        }
        Missing::Approval { role, people, lapsed: true } => {
            Lacks::ApprovalLapsed { role: role.as_str(), people: *people }
        }
        Missing::OwnWork { person, .. } => Lacks::OwnWork { person: person.as_str() },
        Missing::Promotion { environment } => Lacks::Promotion { environment },
        Missing::Rehearsal { environment } => Lacks::Rehearsal { environment },
        Missing::Needs { change } => Lacks::Needs { change: change.as_str() },
        Missing::SubmittedLate { by, day } => {
            let by = &format!("{day} {}", by.strftime("%H:%M"));
            return Lacks::SubmittedLate { by }.say(lang);
        }
        Missing::Acceptance { latest, .. } => {
            return Lacks::Acceptance { latest: &latest.to_string() }.say(lang);
        }
        Missing::Confirmation { item, role: None, on: Some(day) } => {
            return Lacks::ThatDay { item: item.as_str(), day: &day.to_string() }.say(lang);
        }
        Missing::Permission { item, by } => {
            Lacks::Permission { item: item.as_str(), who: by.as_str() }
        }
        Missing::Confirmation { item, role, .. } => Lacks::Confirmation {
            item: item.as_str(),
            role: role.as_ref().map_or("", |role| role.as_str()),
        },
        Missing::IntakeClosed { next: None } => Lacks::NoIntake,
        Missing::IntakeClosed { next: Some(next) } => {
            return Lacks::IntakeClosed { next: &at(*next) }.say(lang);
        }
        Missing::Sealed { since } => return Lacks::Sealed { since: &at(*since) }.say(lang),
        Missing::Schedule => Lacks::Schedule,
        Missing::NoWindow { .. } | Missing::Window { next: None, .. } => Lacks::NoWindow,
        Missing::Window { next: Some(next), .. } => {
            return Lacks::Window { next: &at(*next) }.say(lang);
        }
        Missing::WindowPassed { closed, role: None } => {
            return Lacks::WindowOver { closed: &at(*closed) }.say(lang);
        }
        Missing::WindowPassed { closed, role: Some(role) } => {
            return Lacks::WindowPassed { closed: &at(*closed), role: role.as_str() }.say(lang);
        }
        Missing::Release => {
            return Lacks::Release { command: &command("release") }.say(lang);
        }
        Missing::Watcher => {
            return Lacks::Watcher { command: &command("watch") }.say(lang);
        }
        Missing::UnderWay { run } => return Lacks::UnderWay { run: &run.to_string() }.say(lang),
    };
    said.say(lang)
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

fn shut(lang: Lang, shut: &ShutHost) -> String {
    let host = shut.host.as_str();
    match &shut.why {
        ShutWhy::Away => Because::IsAway { host }.say(lang),
        ShutWhy::Draining => Because::IsDraining { host }.say(lang),
        ShutWhy::Full => Because::IsFull { host }.say(lang),
        ShutWhy::Pool { pool } => Because::IsWithoutPool { host, pool: pool.as_str() }.say(lang),
        ShutWhy::Frozen => Because::IsFrozen { host }.say(lang),
    }
}

/// Its calendar leaves the date out: the rule in words where it is known, else the reason as recorded.
pub fn not_its_day(lang: Lang, not: &NotItsDay) -> String {
    match &not.rule {
        Some(rule) => {
            Because::NotItsDay { date: &day(lang, not.date), rule: &day_words::say(lang, rule) }
                .say(lang)
        }
        None => not.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{after, both, head, in_both, name, quarter_end, zhang_min};
    use crate::types::{Condition, Outcome, Span};
    use crate::view::job::StateWord;

    fn reasons() -> Vec<Reason> {
        let shut = |host: &str, why| ShutHost { host: host.parse().unwrap(), why };
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
            Reason::Frozen {
                reason: both("year-end close", "年终封版"),
                until: after(4_000.0),
                by: None,
            },
            Reason::Frozen {
                reason: both("release day", "版本发布"),
                until: after(4_000.0),
                by: Some(zhang_min()),
            },
            pool(&["eod.post-ledger"]),
            pool(&[]),
            Reason::HostFull { host: "local".parse().unwrap(), max_running: 8 },
            Reason::HostAway { host: "db1".parse().unwrap(), why: "connection refused".into() },
            Reason::HostDraining {
                host: "db2".parse().unwrap(),
                by: zhang_min(),
                reason: "new disks".into(),
            },
            Reason::NoHost {
                label: Some("reporting".parse().unwrap()),
                hosts: vec![
                    shut("db1", ShutWhy::Away),
                    shut("db2", ShutWhy::Draining),
                    shut("db3", ShutWhy::Full),
                    shut("db4", ShutWhy::Pool { pool: "tape".parse().unwrap() }),
                    shut("db5", ShutWhy::Frozen),
                ],
            },
            Reason::NoHost { label: None, hosts: Vec::new() },
            Reason::RetryAt { attempt: 2, at: after(9.0) },
            Reason::Stopping,
            Reason::WaitsUntil { at: after(120.0) },
            Reason::WaitsForPerson {
                question: question.clone(),
                role: Some("duty".parse().unwrap()),
            },
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
            Reason::BatchPast {
                batch: "eod".parse().unwrap(),
                date: "2026-10-29".parse().unwrap(),
            },
            Reason::Ready,
        ]
        .into_iter()
        .chain(missing().map(|missing| Reason::NotCleared { rule: missing.rule(), missing }))
        .collect()
    }

    fn missing() -> impl Iterator<Item = Missing> {
        let dba: crate::types::Role = "dba".parse().unwrap();
        [
            Missing::Over,
            Missing::Submission,
            Missing::Lapsed,
            Missing::Review { role: dba.clone(), people: 1 },
            Missing::Approval { role: dba.clone(), people: 2, lapsed: false },
            Missing::Approval { role: dba.clone(), people: 1, lapsed: true },
            Missing::Promotion { environment: "uat".into() },
            Missing::Needs { change: "fee".parse().unwrap() },
            Missing::Confirmation {
                item: "backup".parse().unwrap(),
                role: Some(dba.clone()),
                on: None,
            },
            Missing::Confirmation { item: "backup".parse().unwrap(), role: None, on: None },
            Missing::Confirmation {
                item: "regression".parse().unwrap(),
                role: None,
                on: Some(jiff::civil::date(2026, 10, 30)),
            },
            Missing::Permission {
                item: "permission-1".parse().unwrap(),
                by: "li-wei".parse().unwrap(),
            },
            Missing::WindowPassed { closed: after(10.0), role: Some(dba) },
            Missing::WindowPassed { closed: after(10.0), role: None },
            Missing::Schedule,
            Missing::Release,
            Missing::Watcher,
        ]
        .into_iter()
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
        insta::assert_snapshot!(in_both(|lang| text(lang, &view)));
    }
}
