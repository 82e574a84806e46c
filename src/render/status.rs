//! How a run stands now, as text: `nightrun status`.

use std::fmt::Write as _;

use crate::core::fact::StopHow;
use crate::render::clock::Clock;
use crate::render::incident;
use crate::render::incident_words;
use crate::render::phrase;
use crate::render::report_text::job_table;
use crate::render::standing;
use crate::render::starts;
use crate::render::table::{PAGE, wrap};
use crate::render::words::{Fault, Label, Verdict, pair};
use crate::types::Lang;
use crate::view::incident::IncidentLine;
use crate::view::status::{StatusPage, StatusView};

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
    lines.extend(view.incidents.iter().map(|incident| {
        let what = incident_words::of_run(lang, &clock, incident);
        incident_line(lang, incident, &what, &clock.exactly(incident.opened))
    }));
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

fn incident_line(lang: Lang, incident: &IncidentLine, what: &str, at: &str) -> String {
    let told = &phrase::people(lang, &incident.told);
    let words = pair(lang, what, &Fault::IncidentOpened { at, told }.say(lang));
    format!("{}  {words}", incident.id)
}

/// All that a supervisor has in hand: what is wrong beside the runs, the runs, and what comes.
pub fn page(lang: Lang, page: &StatusPage) -> String {
    let clock = Clock::new(&page.zone, page.now);
    let mut parts: Vec<String> = page.trouble.iter().map(|why| format!("! {why}\n")).collect();
    let wrong = page.incidents.iter().flat_map(|incident| {
        let what = incident::title(lang, &clock, incident);
        wrap(&incident_line(lang, incident, &what, &clock.exactly(incident.opened)), PAGE)
    });
    let wrong: String = wrong.map(|line| line + "\n").collect();
    parts.extend(Some(wrong).filter(|wrong| !wrong.is_empty()));
    parts.extend(page.runs.iter().map(|run| text(lang, run)));
    if let Some(next) = &page.next {
        let next: Vec<_> = next.iter().map(|start| (start.at, &start.batch)).collect();
        parts.push(starts::next(lang, &page.zone, page.now, &next));
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::incident::Fault::MessageRefused as Refused;
    use crate::render::sample::{after, bad_night, in_both, running_night};

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

    #[test]
    fn what_is_wrong_beside_the_runs_comes_first() {
        let known = bad_night().incidents.remove(0);
        let refused = Refused { to: "li.wei@bank.example".into(), why: "no such mailbox".into() };
        let page = StatusPage {
            runs: Vec::new(),
            incidents: vec![
                IncidentLine { fault: refused, run: None, job: None, ..known.clone() },
                known,
            ],
            next: Some(Vec::new()),
            now: after(300.0),
            zone: bad_night().head.zone,
            trouble: Some("disk full".into()),
        };
        insta::assert_snapshot!(in_both(|lang| super::page(lang, &page)));
    }
}
