//! The incident report (故障报告): drafted from the record, as Markdown to go on writing in, and as a page (E4).

use std::fmt::Write as _;
use std::time::Duration;

use askama::Template;
use jiff::Timestamp;

use super::clock::{Clock, between, took};
use super::incident::{impact, timeline};
use super::incident_part::Part;
use super::incident_words::{kind, limit};
use super::table::harmless;
use super::words::{Drills, Incidents, Label, list, pair};
use crate::core::incident::IncidentStep;
use crate::types::{IncidentKind, Lang};
use crate::view::incident::{IncidentMail, IncidentView};

/// What the report is made of, whatever it is written in.
struct Draft {
    title: String,
    /// What whoever reads no further has to know: label and value.
    glance: Vec<(String, String)>,
    what: Vec<String>,
    impact: Vec<String>,
    clocks: Vec<String>,
    timeline: Vec<(String, String, String)>,
    cause: String,
    measures: String,
    /// What only people can say.
    improvements: String,
}

impl Draft {
    fn of(lang: Lang, mail: &IncidentMail) -> Self {
        let view = &mail.incident;
        let clock = Clock::new(&view.zone, view.line.opened);
        let interruptions = interruptions(view).map(|(service, (from, to), outside)| {
            let lasted = &took(lang, between(from, to));
            let (from, to) = (&clock.full(from), &clock.full(to));
            Incidents::Unavailable { service, from, to, lasted, outside }.say(lang)
        });
        let mut impact = impact(lang, &clock, view);
        impact.extend(interruptions);
        if impact.is_empty() {
            impact.push(Incidents::NoImpact.say(lang));
        }
        let resolved = view.steps.iter().find_map(|line| match &line.step {
            IncidentStep::Resolved { cause, measure } => Some((cause.clone(), measure.clone())),
            _ => None,
        });
        let incident = &view.line.id.to_string();
        let open = || Incidents::ToBeWritten.say(lang);
        let (cause, measures) = resolved.unwrap_or_else(|| (open(), open()));
        let part = Part::of(lang, mail);
        Self {
            title: match view.line.kind {
                IncidentKind::Drill => Drills::ReportTitle { incident }.say(lang),
                _ => Incidents::ReportTitle { incident }.say(lang),
            },
            glance: glance(lang, &clock, view),
            what: std::iter::once(part.lead).chain(part.facts).collect(),
            impact,
            clocks: view.clocks.iter().map(|line| limit(lang, &clock, line)).collect(),
            timeline: timeline(lang, &clock, view),
            cause,
            measures,
            improvements: open(),
        }
    }
}

fn glance(lang: Lang, clock: &Clock<'_>, view: &IncidentView) -> Vec<(String, String)> {
    let line = &view.line;
    let say = |words: Incidents<'_>| words.say(lang);
    let grade = list(lang, [line.severity.name().to_uppercase(), kind(lang, line.kind)]);
    let mut glance = vec![(say(Incidents::Kind), grade)];
    let run = line.run.as_ref();
    glance.extend(run.map(|run| (Label::Run.say(lang).to_owned(), run.to_string())));
    glance.push((say(Incidents::OpenedAt), clock.full(line.opened)));
    let over = line.closed.map(|at| clock.full(at));
    glance.push((say(Incidents::OverAt), over.unwrap_or_else(|| say(Incidents::NotOver))));
    let lasted = line.closed.map(|at| took(lang, between(line.opened, at)));
    glance.extend(lasted.map(|lasted| (say(Incidents::Lasted), lasted)));
    let owner = line.owner.as_ref().map(|who| who.name.get(lang));
    glance.push(match (owner, view.acknowledged) {
        (Some(who), Some(at)) => {
            let after = &took(lang, between(line.opened, at));
            (say(Incidents::OwnedBy), say(Incidents::OwnedAfter { who, after }))
        }
        _ => (say(Incidents::OwnedBy), say(Incidents::Nobody)),
    });
    let interrupted: Duration =
        interruptions(view).map(|(_, (from, to), _)| between(from, to)).sum();
    if !interrupted.is_zero() {
        glance.push((say(Incidents::InterruptedFor), took(lang, interrupted)));
    }
    glance
}

/// Each service, when, and the cause where that is outside the system.
fn interruptions(
    view: &IncidentView,
) -> impl Iterator<Item = (&str, (Timestamp, Timestamp), &str)> {
    view.steps.iter().filter_map(|line| match &line.step {
        IncidentStep::Interruption { service, from, to, outside } => {
            Some((service.as_str(), (*from, *to), outside.as_str()))
        }
        _ => None,
    })
}

/// To go on writing in.
pub fn markdown(lang: Lang, view: &IncidentMail) -> String {
    let draft = Draft::of(lang, view);
    let mut out = format!("# {}\n\n{}\n", draft.title, view.incident.site.get(lang));
    let mut section = |heading: Incidents<'_>, lines: &[String]| {
        let _ = write!(out, "\n## {}\n\n", heading.say(lang));
        for line in lines {
            let _ = writeln!(out, "- {}", plain(line));
        }
    };
    let glance = draft.glance.iter().map(|(label, value)| pair(lang, label, value));
    section(Incidents::HeadGlance, &glance.collect::<Vec<_>>());
    section(Incidents::HeadWhat, &draft.what);
    section(Incidents::HeadImpact, &draft.impact);
    if !draft.clocks.is_empty() {
        section(Incidents::HeadClocks, &draft.clocks);
    }
    let timeline = draft.timeline.iter().map(|(at, who, what)| match who.is_empty() {
        true => pair(lang, at, what),
        false => pair(lang, at, &format!("{who} {what}")),
    });
    section(Incidents::HeadTimeline, &timeline.collect::<Vec<_>>());
    section(Incidents::HeadCause, &[draft.cause]);
    section(Incidents::HeadMeasures, &[draft.measures]);
    section(Incidents::HeadImprovements, &[draft.improvements]);
    harmless(&out)
}

/// One line that begins nothing of its own in Markdown.
fn plain(text: &str) -> String {
    let line = super::table::one_line(text);
    let special = |c: char| matches!(c, '*' | '_' | '`' | '<' | '[' | '#' | '|' | '\\');
    line.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[derive(Template)]
#[template(path = "incident_report.html")]
struct Page {
    lang: Lang,
    site: String,
    draft: Draft,
}

impl Page {
    fn word(&self, heading: Incidents<'_>) -> String {
        heading.say(self.lang)
    }

    fn label(&self, label: Label) -> &'static str {
        label.say(self.lang)
    }
}

/// To be printed and kept.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn html(lang: Lang, view: &IncidentMail) -> Result<String, askama::Error> {
    let site = view.incident.site.get(lang).to_owned();
    Ok(harmless(&Page { lang, site, draft: Draft::of(lang, view) }.render()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{fault, in_both, worked_on};

    fn worked_on_with_its_run() -> IncidentMail {
        IncidentMail { incident: worked_on(), ..fault() }
    }

    #[test]
    fn the_draft_has_everything_that_the_record_has() {
        insta::assert_snapshot!(in_both(|lang| markdown(lang, &worked_on_with_its_run())));
    }

    #[test]
    fn one_that_nobody_has_looked_at_says_what_is_to_be_written() {
        let draft = markdown(Lang::En, &fault());
        assert_eq!(draft.matches("(to be written)").count(), 3, "{draft}");
        assert!(draft.contains("- Over: not yet") && draft.contains("by: nobody"), "{draft}");
    }

    #[test]
    fn what_people_write_is_text_on_the_page_and_in_the_draft() {
        let mut view = worked_on_with_its_run();
        for line in &mut view.incident.steps {
            if let IncidentStep::Resolved { cause, measure } = &mut line.step {
                *cause = "<script>alert(1)</script>".to_owned();
                *measure = "# a heading\n* a list".to_owned();
            }
        }
        let page = html(Lang::En, &view).unwrap();
        assert!(!page.contains("<script") && page.contains("&#60;script&#62;"), "{page}");
        let draft = markdown(Lang::En, &view);
        assert!(draft.contains("- \\# a heading \\* a list"), "{draft}");
    }
}
