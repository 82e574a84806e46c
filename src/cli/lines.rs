//! One line an event: for runs that nobody watches, and as JSON for programs.

use jiff::Timestamp;

use super::arguments::Format;
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::render;
use crate::supervisor::Observer;
use crate::types::{Lang, Now};
use crate::view::{self, event::EventLine, of_job::Around, run::RunHead};

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
}

impl Observer for Lines {
    fn turn(&mut self, core: &Core, now: Now, facts: &[(Timestamp, Fact)]) {
        for (head, event) in events(core, now, facts) {
            match self.format {
                Format::Text => {
                    told_line!("{}", render::event::line(self.lang, &head, &event));
                }
                Format::Json => match serde_json::to_string(&event) {
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
