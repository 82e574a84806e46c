//! One line an event, for runs without a terminal. The English is plain ASCII except for what files and jobs say.

use crate::core::fact::{Deadline, RunResult, StopHow};
use crate::render::clock::{Clock, took};
use crate::render::command::{Verb, on_job};
use crate::render::phrase::{deed, ending, left_out, people};
use crate::render::table::one_line;
use crate::render::words::{Happened, Verdict, list};
use crate::types::{Ending, JobName, Lang, Span};
use crate::view::event::{Event, EventLine};
use crate::view::run::RunHead;

/// `21:30:05 load-rates started (attempt 1)`, without a line end.
pub fn line(lang: Lang, head: &RunHead, event: &EventLine) -> String {
    let clock = Clock::of_run(head);
    one_line(&format!("{} {}", clock.exactly(event.at), what(lang, head, &clock, &event.what)))
}

fn what(lang: Lang, head: &RunHead, clock: &Clock<'_>, event: &Event) -> String {
    let say = |happened: Happened<'_>| happened.say(lang);
    match event {
        Event::RunOpened { run, business_date, jobs, trial } => {
            let (run, date) = (run.to_string(), business_date.to_string());
            let opened = say(Happened::RunOpened { run: &run, date: &date, jobs: *jobs });
            if *trial { format!("{opened}. {}", Verdict::Trial.say(lang)) } else { opened }
        }
        Event::RunResumed { run, running } => {
            say(Happened::RunResumed { run: &run.to_string(), running: *running })
        }
        Event::RunReopened { run } => say(Happened::RunReopened { run: &run.to_string() }),
        Event::RunEnded { run, result, took: length, exit_code } => {
            let (run, took, code) = (&run.to_string(), &took(lang, length.get()), *exit_code);
            say(match result {
                RunResult::Well => Happened::RunWell { run, took, code },
                RunResult::Failed => Happened::RunFailed { run, took, code },
                RunResult::Stopped => Happened::RunStopped { run, took, code },
            })
        }
        Event::Stopping { how: StopHow::Wait, running } => {
            Verdict::StoppingWait { running: *running }.say(lang)
        }
        Event::Stopping { .. } => Verdict::StoppingEnd.say(lang),
        Event::ClockJumped { to } => say(Happened::ClockJumped { to: &clock.exactly(*to) }),
        Event::Started { job, attempt } => {
            say(Happened::Started { job: job.as_str(), attempt: *attempt })
        }
        Event::Adopted { job, attempt } => {
            say(Happened::Adopted { job: job.as_str(), attempt: *attempt })
        }
        Event::Ended { job, attempt, ending, good, took } => {
            ended(lang, job, *attempt, (ending, *good), *took)
        }
        Event::RetryPlanned { job, attempt, wait } => {
            let wait = took(lang, wait.get());
            say(Happened::Retry { job: job.as_str(), attempt: *attempt, wait: &wait })
        }
        Event::Settled { job, outcome, left_out: why, blocked_by } => {
            let why = match why {
                Some(why) => left_out(lang, why),
                None => list(lang, blocked_by),
            };
            let (job, outcome) = (job.as_str(), *outcome);
            say(if why.is_empty() {
                Happened::Settled { job, outcome }
            } else {
                Happened::SettledWhy { job, outcome, why: &why }
            })
        }
        Event::Reopened { job } => say(Happened::Reopened { job: job.as_str() }),
        Event::InDoubt { job, why } => say(Happened::InDoubt { job: job.as_str(), why }),
        Event::DeadlineMissed { job, deadline, due } => {
            say(missed(job.as_ref(), *deadline, &clock.minute(*due)))
        }
        Event::IncidentOpened { incident, job, blocks, told } => say(Happened::Incident {
            incident: &incident.to_string(),
            job: job.as_str(),
            blocks: *blocks,
            told: &people(lang, told),
        }),
        Event::IncidentClosed { incident, job } => {
            say(Happened::IncidentClosed { incident: &incident.to_string(), job: job.as_str() })
        }
        Event::Acted { by, act, reason } => {
            say(Happened::Acted { who: by.name.get(lang), what: &deed(lang, act), reason })
        }
        Event::WaitsForPerson { job, question } => {
            let command = on_job(Verb::Confirm, &head.batch, job, head.business_date);
            let question = question.get(lang);
            say(Happened::Asks { job: job.as_str(), question, command: &command })
        }
        Event::HostAway { host, why } => say(Happened::HostAway { host: host.as_str(), why }),
        Event::HostBack { host } => say(Happened::HostBack { host: host.as_str() }),
        Event::MailUnsent { count } => say(Happened::MailUnsent { mails: *count }),
    }
}

fn ended(lang: Lang, job: &JobName, attempt: u32, how: (&Ending, bool), length: Option<Span>) -> String {
    let (job, good) = (job.as_str(), how.1);
    let length = length.map(|length| took(lang, length.get()));
    let ending = &ending(lang, how.0, good);
    match (good, &length) {
        (true, Some(took)) => Happened::EndedWell { job, took },
        (true, None) => Happened::EndedWellAtOnce { job },
        (false, Some(took)) => Happened::EndedBadly { job, attempt, ending, took },
        (false, None) => Happened::NeverBegan { job, attempt, ending },
    }
    .say(lang)
}

fn missed<'a>(job: Option<&'a JobName>, deadline: Deadline, due: &'a str) -> Happened<'a> {
    match (job, deadline) {
        (None, Deadline::MustStartBy) => Happened::RunMissedStart { due },
        (None, Deadline::MustCompleteBy) => Happened::RunMissedComplete { due },
        (Some(job), Deadline::MustStartBy) => Happened::MissedStart { job: job.as_str(), due },
        (Some(job), Deadline::MustCompleteBy) => {
            Happened::MissedComplete { job: job.as_str(), due }
        }
    }
}
