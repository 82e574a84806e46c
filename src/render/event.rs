//! One line an event, for runs without a terminal. The English is plain ASCII except for what files and jobs say.

use crate::core::fact::{Deadline, RunResult, StopHow};
use crate::render::clock::{Clock, took};
use crate::render::command::{Verb, on_job};
use crate::render::incident_words;
use crate::render::phrase::{deed, ending, left_out, people};
use crate::render::table::one_line;
use crate::render::words::{Happened, Verdict, list, remarks};
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
            let trial = trial.then(|| Verdict::Trial.say(lang));
            let late = head.late.as_ref().map(|late| super::starts::late(lang, late));
            let said: Vec<String> = [Some(opened), trial, late].into_iter().flatten().collect();
            remarks(lang, &said)
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
                RunResult::Cancelled => Happened::RunCancelled { run, took, code },
                RunResult::Stopped => Happened::RunStopped { run, took, code },
                RunResult::Lost => Happened::RunLost { run },
            })
        }
        Event::Stopping { running: 0, .. } => say(Happened::StoppingIdle),
        Event::Stopping { how: StopHow::Wait, running } => {
            say(Happened::StoppingWait { running: *running })
        }
        Event::Stopping { how: StopHow::Terminate, running } => {
            say(Happened::StoppingTerminate { running: *running })
        }
        Event::Stopping { how: StopHow::Kill, running } => {
            say(Happened::StoppingKill { running: *running })
        }
        Event::Started { job, attempt, examine: true } => {
            say(Happened::Examining { job: job.as_str(), attempt: *attempt })
        }
        Event::Started { job, attempt, .. } => {
            say(Happened::Started { job: job.as_str(), attempt: *attempt })
        }
        Event::Ended { job, attempt, ending, good, took } => {
            ended(lang, job, *attempt, (ending, *good), *took)
        }
        Event::RetryPlanned { job, attempt, stopping: true, .. } => {
            say(Happened::RetryLater { job: job.as_str(), attempt: *attempt })
        }
        Event::RetryPlanned { job, attempt, wait, .. } if wait.get().is_zero() => {
            say(Happened::RetryNow { job: job.as_str(), attempt: *attempt })
        }
        Event::RetryPlanned { job, attempt, wait, .. } => {
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
        Event::IncidentOpened { incident, job, fault, blocks, told } => {
            let what = job.as_ref().map_or(head.batch.as_str(), |job| job.as_str());
            say(Happened::Incident {
                incident: &incident.to_string(),
                what: &incident_words::headline(lang, clock, what, fault),
                blocks: *blocks,
                told: &people(lang, told),
            })
        }
        Event::IncidentMoved { incident, step } => {
            let who = step.by.as_ref().map(|who| who.name.get(lang)).unwrap_or_default();
            let (incident, what) =
                (&incident.to_string(), &incident_words::step(lang, clock, step));
            say(Happened::IncidentMoved { incident, who, what })
        }
        Event::IncidentClosed { incident, job } => {
            let what = job.as_ref().map_or(head.batch.as_str(), |job| job.as_str());
            say(Happened::IncidentClosed { incident: &incident.to_string(), what })
        }
        Event::Acted { by, act, reason } => {
            say(Happened::Acted { who: by.name.get(lang), what: &deed(lang, act), reason })
        }
        Event::WaitsForEvent { job, awaited } => {
            say(Happened::WaitsForEvent { job: job.as_str(), event: awaited.as_str() })
        }
        Event::WaitsForPerson { job, question } => {
            let command = on_job(Verb::Confirm, &head.batch, job, head.business_date);
            let question = question.get(lang);
            say(Happened::Asks { job: job.as_str(), question, command: &command })
        }
    }
}

fn ended(
    lang: Lang,
    job: &JobName,
    attempt: u32,
    how: (&Ending, bool),
    length: Option<Span>,
) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::fact::Action;
    use crate::core::incident::Fault;
    use crate::render::sample::{after, both, head, in_both, li_wei, name, quarter_end, zhang_min};
    use crate::types::{IncidentId, Outcome};
    use crate::view::job::LeftOut;
    use crate::view::report::Act;

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
            Event::Started { job: job(), attempt: 1, examine: false },
            Event::Started { job: job(), attempt: 2, examine: true },
            ended(Ending::Exited { code: 0 }, true, Some(192)),
            ended(Ending::Exited { code: 0 }, true, None),
            ended(Ending::Exited { code: 0 }, false, Some(192)),
            ended(Ending::Signalled { signal: 11 }, false, Some(4)),
            ended(Ending::CouldNotStart { why: "no such file: load.sh".into() }, false, None),
            ended(Ending::TimedOut, false, Some(600)),
            retry(300, false),
            retry(0, false),
            retry(0, true),
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
                job: Some(job()),
                fault: Fault::Failed,
                blocks: 12,
                told: vec![li_wei(), zhang_min()],
            },
            Event::IncidentOpened {
                incident: IncidentId(4),
                job: Some(name("fee-correction")),
                fault: Fault::Waits,
                blocks: 0,
                told: vec![li_wei()],
            },
            Event::IncidentClosed { incident: IncidentId(3), job: Some(job()) },
            Event::Acted {
                by: li_wei(),
                act: Act::Do(Action::Hold { job: job() }),
                reason: "rates look wrong".into(),
            },
            Event::WaitsForPerson {
                job: name("close-day"),
                question: both("May it be closed?", "可以关账吗？"),
            },
            Event::Stopping { how: StopHow::Wait, running: 0 },
            Event::Stopping { how: StopHow::Wait, running: 2 },
            Event::Stopping { how: StopHow::Terminate, running: 2 },
            Event::Stopping { how: StopHow::Kill, running: 2 },
            over(RunResult::Well, 0),
            over(RunResult::Failed, 1),
            over(RunResult::Stopped, 4),
            over(RunResult::Cancelled, 1),
        ]
    }

    fn retry(seconds: u64, stopping: bool) -> Event {
        Event::RetryPlanned {
            job: name("load-rates"),
            attempt: 2,
            wait: Span::seconds(seconds),
            stopping,
        }
    }

    #[test]
    fn events_one_line_each() {
        let lines = |lang| -> String {
            let one = |what| line(lang, &head(), &EventLine { at: after(0.1), what });
            events().into_iter().map(|what| one(what) + "\n").collect()
        };
        assert!(lines(Lang::En).is_ascii());
        insta::assert_snapshot!(in_both(lines));
    }

    #[test]
    fn an_event_stays_on_its_line() {
        let what = Event::InDoubt { job: name("a"), why: "one\ntwo\u{1b}[31m".into() };
        let line = line(Lang::En, &head(), &EventLine { at: after(0.0), what });
        assert!(!line.contains(|c: char| c.is_control()), "{line}");
    }
}
