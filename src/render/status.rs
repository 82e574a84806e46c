//! How a run stands now, as text: `nightrun status`.

use std::fmt::Write as _;

use crate::core::fact::StopHow;
use crate::render::clock::Clock;
use crate::render::incident_words;
use crate::render::phrase;
use crate::render::report_text::job_table;
use crate::render::standing;
use crate::render::table::{PAGE, wrap};
use crate::render::words::{Fault, Label, Verdict, pair};
use crate::types::Lang;
use crate::view::status::StatusView;

/// One run: verdict, what stands out, the jobs.
pub fn text(lang: Lang, view: &StatusView) -> String {
    let head = &view.head;
    let clock = Clock::of_run(head);
    let mut out = String::new();
    let date = Label::BusinessDate.say(lang);
    let _ = writeln!(out, "{}  {}  {date} {}", head.run, head.title.get(lang), head.business_date);
    let mut lines = vec![phrase::verdict(lang, head, &view.totals)];
    if head.trial {
        lines.push(Verdict::Trial.say(lang));
    }
    lines.extend(stopping(lang, view));
    for incident in &view.incidents {
        let told = phrase::people(lang, &incident.told);
        let opened = Fault::IncidentOpened { at: &clock.exactly(incident.opened), told: &told };
        let words = pair(lang, &incident_words::of_run(lang, &clock, incident), &opened.say(lang));
        lines.push(format!("{}  {words}", incident.id));
    }
    if view.unsent_mail > 0 {
        lines.push(Fault::OpenUnsentMail { mails: view.unsent_mail }.say(lang));
    }
    if let Some(view) = &head.list {
        lines.extend(super::list::lines(lang, &clock, view));
    }
    lines.extend(standing::lines(lang, &clock, &view.standing));
    for line in lines.iter().flat_map(|line| wrap(line, PAGE)) {
        let _ = writeln!(out, "{line}");
    }
    out.push('\n');
    job_table(lang, &clock, head, &view.jobs).write(&mut out);
    out
}

/// That nothing new starts in it, where somebody has ordered a stop.
pub(super) fn stopping(lang: Lang, view: &StatusView) -> Option<String> {
    let how = view.stopping.filter(|_| view.head.result.is_none())?;
    Some(match how {
        StopHow::Wait => Verdict::StoppingWait { running: view.totals.running }.say(lang),
        StopHow::Terminate | StopHow::Kill => Verdict::StoppingEnd.say(lang),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{bad_night, in_both, running_night};

    #[test]
    fn status_of_a_running_night() {
        let night = running_night();
        let view = StatusView {
            standing: Default::default(),
            head: night.head,
            totals: night.totals,
            jobs: night.jobs,
            incidents: bad_night().incidents,
            stopping: Some(StopHow::Wait),
            unsent_mail: 2,
        };
        insta::assert_snapshot!(in_both(|lang| text(lang, &view)));
    }
}
