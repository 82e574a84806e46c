//! The incident report (故障报告): drafted from the record, as Markdown to go on writing in, and as a page (E4).

use std::fmt::Write as _;

use askama::Template;

use super::clock::Clock;
use super::incident::{impact, timeline, title};
use super::incident_words::{limit, meaning};
use super::table::harmless;
use super::words::{Drills, Incidents};
use crate::core::incident::IncidentStep;
use crate::types::{IncidentKind, Lang};
use crate::view::incident::IncidentView;

/// What the report is made of, whatever it is written in.
struct Draft {
    title: String,
    what: Vec<String>,
    impact: Vec<String>,
    clocks: Vec<String>,
    timeline: Vec<(String, String, String)>,
    cause: String,
    measures: String,
}

impl Draft {
    fn of(lang: Lang, view: &IncidentView) -> Self {
        let clock = Clock::new(&view.zone, view.line.opened);
        let interruptions = view.steps.iter().filter_map(|line| match &line.step {
            IncidentStep::Interruption { .. } => {
                Some(super::incident_words::step(lang, &clock, line))
            }
            _ => None,
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
        Self {
            title: match view.line.kind {
                IncidentKind::Drill => Drills::ReportTitle { incident }.say(lang),
                _ => Incidents::ReportTitle { incident }.say(lang),
            },
            what: std::iter::once(title(lang, &clock, &view.line))
                .chain(meaning(lang, view))
                .collect(),
            impact,
            clocks: view.clocks.iter().map(|line| limit(lang, &clock, line)).collect(),
            timeline: timeline(lang, &clock, view),
            cause,
            measures,
        }
    }
}

/// To go on writing in.
pub fn markdown(lang: Lang, view: &IncidentView) -> String {
    let draft = Draft::of(lang, view);
    let mut out = format!("# {}\n\n{}\n", draft.title, view.site.get(lang));
    let mut section = |heading: Incidents<'_>, lines: &[String]| {
        let _ = write!(out, "\n## {}\n\n", heading.say(lang));
        for line in lines {
            let _ = writeln!(out, "- {}", plain(line));
        }
    };
    section(Incidents::HeadWhat, &draft.what);
    section(Incidents::HeadImpact, &draft.impact);
    if !draft.clocks.is_empty() {
        section(Incidents::HeadClocks, &draft.clocks);
    }
    let timeline = draft.timeline.iter().map(|(at, who, what)| match who.is_empty() {
        true => format!("{at}: {what}"),
        false => format!("{at}: {who} {what}"),
    });
    section(Incidents::HeadTimeline, &timeline.collect::<Vec<_>>());
    section(Incidents::HeadCause, &[draft.cause]);
    section(Incidents::HeadMeasures, &[draft.measures]);
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
}

/// To be printed and kept.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn html(lang: Lang, view: &IncidentView) -> Result<String, askama::Error> {
    let site = view.site.get(lang).to_owned();
    Ok(harmless(&Page { lang, site, draft: Draft::of(lang, view) }.render()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{in_both, worked_on};

    #[test]
    fn the_draft_has_everything_that_the_record_has() {
        insta::assert_snapshot!(in_both(|lang| markdown(lang, &worked_on())));
    }

    #[test]
    fn what_people_write_is_text_on_the_page_and_in_the_draft() {
        let mut view = worked_on();
        for line in &mut view.steps {
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
