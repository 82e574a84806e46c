//! What came, or would come, of an operator's action, as lines. In English: it is what a command answers at once.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::change;
use super::clock::Clock;
use super::words::list;
use super::{event, status};
use crate::core::fact::{Action, Fact};
use crate::core::received::{Heard, Received};
use crate::core::refused::Refused;
use crate::types::{JobName, Lang, PersonId, RunId, Zone};
use crate::view::run::RunHead;
use crate::view::tried::{NewEnd, Tried, TriedRun, Way};

/// The answer of `--dry-run`.
pub fn text(view: &Tried) -> String {
    let mut lines = vec!["Nothing was done. It would come of it:".to_owned()];
    lines.extend(view.runs.iter().map(|run| format!("  {}", becomes(run))));
    // Of these the page below tells everything.
    let of_order = |head: &RunHead| view.runs.iter().any(|run| run.status.head.run == head.run);
    for (head, line) in view.events.iter().filter(|(head, _)| !of_order(head)) {
        // Without the time: nothing of it has happened.
        let line = event::line(Lang::En, head, line);
        lines.push(format!("  {}", line.split_once(' ').map_or("", |(_, what)| what)));
    }
    lines.extend(view.site_wide.iter().map(|kind| format!("  an entry `{kind}` in the journal")));
    lines.extend(view.starts.iter().map(|(run, job)| format!("  {job} of {run} starts at once")));
    lines.extend(view.ends.iter().map(|end| format!("  {}", end_of(end))));
    for left in &view.left {
        let rule = left.rule.map(|rule| format!(" (rule: {rule})")).unwrap_or_default();
        lines.push(format!("  not allowed: {}{rule}", left.what));
    }
    for run in &view.runs {
        lines.push(String::new());
        lines.push(status::text(Lang::En, &run.status).trim_end().to_owned());
    }
    lines.join("\n")
}

fn becomes(run: &TriedRun) -> String {
    let head = &run.status.head;
    let way = match run.way {
        Way::Opened => "is opened",
        Way::GoesOn => "goes on",
        Way::Again => "runs jobs again",
    };
    let commit = run.commit.as_ref().map(|commit| format!(", by commit {commit}"));
    let (run, date) = (&head.run, head.business_date);
    format!("{run} {way}, for business date {date}{}", commit.unwrap_or_default())
}

fn end_of(end: &NewEnd) -> String {
    let clock = Clock::of_run(&end.head);
    let run = &end.head.run;
    let at = |at: Option<Timestamp>| at.map(|at| clock.at(at));
    match (at(end.now), at(end.then)) {
        (Some(now), Some(then)) if now == then => format!("{run} ends at {now}, as now"),
        (Some(now), Some(then)) => format!("{run} ends at {then}, now it would at {now}"),
        (Some(now), None) => format!("{run} does not end well by itself, now it would at {now}"),
        (None, Some(then)) => format!("{run} ends at {then}, now it does not end well by itself"),
        (None, None) => format!("{run} does not end well by itself, as now"),
    }
}

/// What was done, from the facts that were decided in it.
pub fn done(
    facts: &[(Timestamp, Fact)],
    left: &[(Action, Refused)],
    by: &PersonId,
    zone: Option<&Zone>,
) -> String {
    let mut lines = Vec::new();
    let clock = |at: &Timestamp| moment(at, zone);
    let mut jobs: Vec<&JobName> = Vec::new();
    let mut runs: BTreeSet<&RunId> = BTreeSet::new();
    for (_, fact) in facts {
        match fact {
            Fact::Acted { run, action, .. } => {
                runs.insert(run);
                jobs.extend(action.job());
            }
            Fact::SecondAsked { request, until, .. } => lines.push(format!(
                "{request} waits until {} for a second person: `nightrun second {request} --reason ...`",
                clock(until)
            )),
            Fact::SecondGiven { request, .. } => lines.push(format!("{request} has its second person: {by}")),
            Fact::Frozen { freeze, what, .. } => lines.push(format!(
                "{freeze}: frozen from {} until {}, as {by}",
                clock(&what.from),
                clock(&what.to)
            )),
            Fact::Unfrozen { freeze, .. } => lines.push(format!("{freeze} is lifted, as {by}")),
            Fact::PoolSized { pool, size, until, .. } => {
                lines.push(format!("{pool} has {size} until {}, as {by}", clock(until)));
            }
            Fact::HostDrained { host, .. } => lines.push(format!(
                "{host} takes no new attempts, as {by}; what runs there goes on"
            )),
            Fact::HostUndrained { host, .. } => {
                lines.push(format!("{host} takes new attempts again, as {by}"));
            }
            Fact::ChangeMoved { change: of, step, .. } => {
                let utc = Zone::utc();
                let step = change::step(Lang::En, zone.unwrap_or(&utc), step);
                lines.push(format!("{of}: {step}, as {by}"));
            }
            Fact::IncidentOpened(opened) => {
                let told = match opened.notify.is_empty() {
                    true => "nobody".to_owned(),
                    false => list(Lang::En, &opened.notify),
                };
                lines.push(format!("{} is open, as {by}; told {told}", opened.incident));
            }
            Fact::IncidentMoved(moved) if moved.by.is_some() => {
                lines.push(format!("{}: recorded, as {by}", moved.incident));
            }
            Fact::FigureEntered(of) => lines.push(format!(
                "{} of {} is {}, as {by}",
                of.figure, of.period, of.value
            )),
            Fact::HandOverMoved(moved) if moved.by.is_some() => {
                lines.push(format!("{}: recorded, as {by}", moved.hand_over));
            }
            _ => lines.extend(of_credentials(fact, by, clock)),
        }
    }
    for run in runs {
        let on = if jobs.len() > 1 {
            let names: Vec<&str> = jobs.iter().map(|job| job.as_str()).collect();
            format!(", on {} jobs ({})", names.len(), names.join(", "))
        } else {
            String::new()
        };
        lines.push(format!("done, as {by}{on}: recorded in {run}"));
    }
    for (_, refused) in left {
        let rule = refused.rule.map(|rule| format!(" (rule: {rule})")).unwrap_or_default();
        lines.push(format!("not done: {}{rule}", refused.what));
    }
    lines.join("\n")
}

/// What an event did when it came.
pub fn event_taken(heard: &Heard, again: bool, zone: Option<&Zone>) -> String {
    let Received { event, business_date, by, runs, jobs, .. } = &heard.what;
    let mut lines = vec![match again {
        true => format!("the event {event} of {business_date} was taken before, as {by}"),
        false => format!("the event {event} of {business_date} is taken, as {by}"),
    }];
    lines.extend(runs.iter().map(|run| format!("it has ordered {run}")));
    lines.extend(jobs.iter().map(|of| format!("{} of {} waited for it", of.job, of.run)));
    if runs.is_empty() && jobs.is_empty() {
        let until = moment(&heard.counts_until(), zone);
        lines.push(format!(
            "nothing waited for it; it counts for runs of that date that are opened until {until}"
        ));
    }
    lines.join("\n")
}

fn moment(at: &Timestamp, zone: Option<&Zone>) -> String {
    match zone {
        Some(zone) => at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string(),
        None => at.to_string(),
    }
}

fn of_credentials(
    fact: &Fact,
    by: &PersonId,
    clock: impl Fn(&Timestamp) -> String,
) -> Option<String> {
    Some(match fact {
        Fact::PasswordSet { person, .. } => format!("the password of {person} is set, as {by}"),
        Fact::TokenMade { token, person, rights, expires, .. } => {
            let until = clock(expires);
            format!("{token} of {person} is good until {until} for: {rights}; made as {by}")
        }
        Fact::TokenRevoked { token, .. } => format!("{token} is revoked, as {by}"),
        Fact::LoggedIn { person, from, .. } => format!("{person} has logged in from {from}"),
        Fact::LoginRefused { person, from, .. } => match person {
            Some(person) => format!("a login as {person} from {from} was refused"),
            None => format!("a login as nobody of the site from {from} was refused"),
        },
        _ => return None,
    })
}
