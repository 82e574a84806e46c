//! The last of a night as people read it: the lines that a run prints, and between them what went wrong in the world.

use super::*;
use crate::render;
use crate::types::Lang;
use crate::view::of_job::Around;
use crate::view::{of_fact, of_run};

/// Lines that are told.
const LINES: usize = 30;

impl World {
    pub(super) fn failure(&self, breach: Breach) -> Failure {
        Failure { breach, turn: self.turns, story: self.story() }
    }

    fn story(&self) -> Vec<String> {
        let mut told = Vec::new();
        let mut after = known(&self.site, &self.drawn);
        let mut log = self.log.iter().peekable();
        for (number, (at, fact)) in self.store.facts().iter().enumerate() {
            while let Some((_, at, what)) = log.next_if(|(facts, ..)| *facts <= number) {
                told.push(format!("{}     -- {what}", at.strftime("%d %H:%M:%S")));
            }
            if let Err(unfit) = after.apply(*at, fact) {
                told.push(unfit.to_string());
                break;
            }
            told.push(format!("{} {}", at.strftime("%d %H:%M:%S"), line(&after, *at, fact)));
        }
        told.extend(
            log.map(|(_, at, what)| format!("{}     -- {what}", at.strftime("%d %H:%M:%S"))),
        );
        told.split_off(told.len().saturating_sub(LINES))
    }
}

/// The line that a run prints of a fact; what prints none is told by its name.
fn line(after: &State, at: Timestamp, fact: &Fact) -> String {
    let run = fact.run().and_then(|id| after.runs.get(id));
    let event = of_fact::event(after, at, fact);
    match (run, event, fact) {
        (Some(run), Some(event), _) => {
            let now = crate::types::Now { wall: at, since_boot: Duration::ZERO };
            let head = of_run::head(run, now, Around::nothing());
            format!("{:9} {}", run.batch.id, render::event::line(Lang::En, &head, &event))
        }
        (_, _, Fact::AttemptIntended { attempt, host, boot, examine }) => {
            let what = if *examine { "look at the one before it" } else { "start" };
            format!("{:9} {attempt} is to {what} on {host} ({})", attempt.run.batch, boot.0)
        }
        (_, _, Fact::AcrossKnown { job, date, outcome }) => {
            format!("{:9} {job} of {date} is known: {outcome:?}", "")
        }
        (run, ..) => {
            let batch = run.map_or(String::new(), |run| run.batch.id.to_string());
            format!("{batch:9} {}", fact.kind())
        }
    }
}

#[cfg(test)]
impl World {
    /// The failure that a night would be which breaks a rule at its very end.
    pub(in crate::simulate) fn played_until(mut self, breach: Breach) -> Failure {
        self.go_to_the_end().unwrap();
        self.failure(breach)
    }
}
