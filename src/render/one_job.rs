//! One job of a run, as text: how it stands, why, and what was tried.

use super::clock::Clock;
use super::phrase;
use super::table::one_line;
use super::why::{self, Place};
use super::words::{Label, pair};
use crate::types::Lang;
use crate::view::one_job::JobView;

/// A head line, a line for each reason, a line for each attempt.
pub fn text(lang: Lang, view: &JobView) -> String {
    let (head, job) = (&view.head, &view.job);
    let clock = Clock::of_run(head);
    let place =
        Place { lang, clock: &clock, batch: &head.batch, job: &job.name, date: head.business_date };
    let state = Label::of_state(job.state.word()).say(lang);
    let title = job.title.get(lang);
    let mut lines = vec![format!("{}  {}.{}  {title}  {state}", head.run, head.batch, job.name)];
    let mut told: Vec<String> =
        view.reasons.iter().map(|reason| why::sentence(place, reason)).collect();
    told.extend(job.attempts.iter().map(|attempt| phrase::attempt(lang, &clock, attempt)));
    if let Some(runbook) = &job.runbook {
        told.push(pair(lang, Label::Runbook.say(lang), runbook.get(lang)));
    }
    lines.extend(told.iter().map(|line| format!("  - {}", one_line(line))));
    lines.join("\n")
}
