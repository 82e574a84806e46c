//! One line an event: for runs that nobody watches, and as JSON for programs.

use jiff::Timestamp;

use super::arguments::Format;
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::render::{self, clock::Clock};
use crate::supervisor::Observer;
use crate::types::{Lang, Now};
use crate::view::{self, event::EventLine, of_job::Around, run::RunHead, starts::Missed};

/// Prints every event as it becomes durable.
#[derive(Debug)]
pub(super) struct Lines {
    lang: Lang,
    format: Format,
}

impl Lines {
    pub(super) fn new(lang: Lang, format: Format) -> Self {
        Self { lang, format }
    }

    /// Starts that were not made belong to no run.
    fn missed(&self, core: &Core, facts: &[(Timestamp, Fact)]) {
        let Some(site) = core.served() else { return };
        for (at, fact) in facts {
            let Some(missed) = Missed::of_fact(site, fact) else { continue };
            match self.format {
                Format::Text => {
                    let clock = Clock::new(&missed.zone, *at);
                    let words = render::starts::missed(self.lang, &missed);
                    told_line!("{} {words}", clock.exactly(*at));
                }
                Format::Json => {
                    let event =
                        serde_json::json!({ "event": "starts-missed", "at": at, "missed": missed });
                    told_line!("{event}");
                }
            }
        }
    }
}

impl Observer for Lines {
    fn turn(&mut self, core: &Core, now: Now, facts: &[(Timestamp, Fact)]) {
        self.missed(core, facts);
        for (head, event) in events(core, now, facts) {
            match self.format {
                Format::Text if core.served().is_some() => {
                    // Several runs go side by side.
                    told_line!("{} {}", head.run, render::event::line(self.lang, &head, &event));
                }
                Format::Text => {
                    told_line!("{}", render::event::line(self.lang, &head, &event));
                }
                Format::Json => match of_run(&head, &event) {
                    Ok(line) => told_line!("{line}"),
                    Err(why) => notice_line!("an event cannot be written as JSON: {why}"),
                },
            }
        }
    }

    fn notice(&mut self, _: Timestamp, text: &str) {
        notice_line!("nightrun: {text}");
    }
}

/// An event as JSON, with the run that it belongs to.
fn of_run(head: &RunHead, event: &EventLine) -> serde_json::Result<serde_json::Value> {
    let mut value = serde_json::to_value(event)?;
    if let Some(object) = value.as_object_mut() {
        object.insert("run".to_owned(), serde_json::to_value(&head.run)?);
    }
    Ok(value)
}

/// What of these facts is shown, each with the head of its run.
pub(super) fn events(
    core: &Core,
    now: Now,
    facts: &[(Timestamp, Fact)],
) -> Vec<(RunHead, EventLine)> {
    facts
        .iter()
        .filter_map(|(at, fact)| {
            let run = core.state().runs.get(fact.run()?)?;
            let event = view::of_fact::event(core.state(), *at, fact)?;
            Some((view::of_run::head(run, now, Around::nothing()), event))
        })
        .collect()
}
