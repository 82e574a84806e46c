//! The page of an incident in a browser, where people answer it: without scripts, and without anything to load. What is
//! on it by way of names, output and words of people is text.

use askama::Template;

use super::clock::Clock;
use super::incident::{impact, timeline};
use super::incident_forms::{Asks, StepForm, form};
use super::incident_part::{Part, clock};
use super::incident_words::over;
use super::pages::of_job;
use super::table::harmless;
use super::words::{Incidents, Label, Pages};
use crate::core::incident::Wanted;
use crate::types::Lang;
use crate::view::incident::IncidentMail;

/// Who looks, and what of it he may do.
#[derive(Debug, Clone, Default)]
pub struct Asker {
    /// Steps that the incident takes from this person now, as their forms begin.
    pub steps: Vec<Wanted>,
    /// What a form must send back, where this asker can send one.
    pub token: Option<String>,
    /// Whether the output of jobs, and the report with it, is for him.
    pub sees_output: bool,
    /// Why nobody can do anything here: another supervisor leads.
    pub stands_by: Option<String>,
}

#[derive(Template)]
#[template(path = "incident_page.html")]
struct Page {
    part: Part,
    severity: &'static str,
    standing: String,
    /// Those that are there at once, and those that are opened.
    forms: Vec<StepForm>,
    more: Vec<StepForm>,
    token: String,
    /// Where the page of its job is, from its own, and what leads there.
    job: Option<(String, String)>,
    /// Why there is no form.
    no_forms: Option<String>,
    hides_output: bool,
    sees_report: bool,
    timeline: Vec<(String, String, String)>,
    impact: Vec<String>,
}

impl Page {
    fn heading(&self, words: Incidents<'_>) -> String {
        words.say(self.part.lang)
    }
}

/// What stands in a browser's list of pages.
pub fn title(lang: Lang, view: &IncidentMail) -> String {
    Part::of(lang, view).title
}

/// The middle of the page as one asker sees it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(lang: Lang, view: &IncidentMail, asker: &Asker) -> Result<String, askama::Error> {
    let line = &view.incident.line;
    let mut part = Part::of(lang, view);
    let hides_output = part.job.is_some() && !asker.sees_output;
    if let Some(job) = part.job.as_mut().filter(|_| hides_output) {
        job.tail.clear();
    }
    let owner = line.owner.as_ref().map(|who| who.name.get(lang));
    let clock = clock(view);
    let standing = match (line.closed, owner) {
        (Some(_), _) => over(lang, &clock, &view.incident),
        (None, Some(who)) => Incidents::TakesCare { who }.say(lang),
        (None, None) => Incidents::NobodyYet.say(lang),
    };
    let can_send = asker.token.is_some() && asker.stands_by.is_none();
    let steps = asker.steps.iter().filter(|_| can_send);
    let all = steps.map(|step| form(lang, &view.incident, step));
    let (forms, more) = all.partition(|form| form.at_once);
    let page = Page {
        severity: line.severity.name(),
        standing,
        forms,
        more,
        token: asker.token.clone().unwrap_or_default(),
        no_forms: match (&asker.stands_by, asker.steps.is_empty()) {
            (Some(why), _) => Some(Pages::StandsBy { why }.say(lang)),
            (None, true) => Some(Incidents::NoRespond.say(lang)),
            (None, false) => None,
        },
        job: job_page(lang, view),
        hides_output,
        sees_report: asker.sees_output,
        timeline: timeline(lang, &clock, &view.incident),
        impact: endangered(lang, &clock, view),
        part,
    };
    Ok(harmless(&page.render()?))
}

/// Of a run that is at hand.
fn job_page(lang: Lang, view: &IncidentMail) -> Option<(String, String)> {
    let (run, job) = (&view.head.as_ref()?.run, view.incident.line.job.as_ref()?.as_str());
    Some((format!("../{}", of_job(run, job)), Pages::OpenJob { job }.say(lang)))
}

/// What is blocked stands above already where its run is at hand.
fn endangered(lang: Lang, clock: &Clock<'_>, view: &IncidentMail) -> Vec<String> {
    let shown = usize::from(view.head.is_some() && !view.incident.line.blocks.is_empty());
    impact(lang, clock, &view.incident).split_off(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::pages::tests::only_text;
    use crate::render::sample::{after, fault, worked_on};
    use crate::types::{Severity, Text};

    fn every_step() -> Vec<Wanted> {
        let (from, to) = (fault().incident.line.opened, after(300.0));
        let empty = String::new;
        vec![
            Wanted::Acknowledge,
            Wanted::TakeOver,
            Wanted::Note,
            Wanted::OnSite,
            Wanted::ThirdParty { whom: empty() },
            Wanted::Mute { until: to },
            Wanted::Unmute,
            Wanted::Grade { severity: Severity::P1 },
            Wanted::Interruption { service: empty(), from, to },
            Wanted::Resolve { cause: empty(), measure: empty() },
            Wanted::Report,
        ]
    }

    fn answering() -> Asker {
        Asker {
            steps: every_step(),
            token: Some("f0".repeat(32)),
            sees_output: true,
            stands_by: None,
        }
    }

    #[test]
    fn who_may_answer_gets_forms_and_who_may_only_look_gets_none() {
        for lang in Lang::ALL {
            let page = |asker: &Asker| middle(lang, &fault(), asker).unwrap();
            let both = page(&answering());
            for step in every_step() {
                let action = format!("action=\"INC-3/{}\"", step.word());
                assert_eq!(both.matches(&action).count(), 1, "{action}: {both}");
            }
            // Each with the token.
            let forms = every_step().len();
            assert_eq!(both.matches("<form ").count(), forms, "{both}");
            assert_eq!(both.matches(&"f0".repeat(32)).count(), forms, "{both}");
            // Each field has its own label.
            for label in both.split("<label for=\"").skip(1) {
                let id = label.split('"').next().unwrap();
                assert_eq!(both.matches(&format!(" id=\"{id}\"")).count(), 1, "{id}: {both}");
            }
            assert!(both.contains("href=\"../runs/eod@2026-10-30%231/jobs/"), "{both}");
            // Times are those of the site's clock.
            assert!(both.contains("type=\"datetime-local\" value=\"2026-10-31T00:49\""), "{both}");
            let tail = &fault().job.unwrap().tail[0];
            assert!(both.contains(tail.as_str()));
            let looks = page(&Asker::default());
            assert!(!looks.contains("<form") && !looks.contains(tail.as_str()), "{looks}");
            assert!(looks.contains("respond") && looks.contains("logs"), "{looks}");
            // A process of this host sends no form, though it may do everything.
            // One that stands by takes none, and says who leads.
            let stands_by = Some("another supervisor leads: <two>".to_owned());
            let by = page(&Asker { stands_by, ..answering() });
            assert!(!by.contains("<form") && by.contains("leads: &#60;two&#62;"), "{by}");
            let of_host = page(&Asker { token: None, ..answering() });
            assert!(!of_host.contains("<form") && !of_host.contains("`respond`"), "{of_host}");
        }
    }

    #[test]
    fn of_one_that_is_resolved_it_says_first_by_whom_and_what_it_was() {
        let view = IncidentMail { incident: worked_on(), ..fault() };
        let page = middle(Lang::En, &view, &answering()).unwrap();
        let lead = "<p class=\"lead\">Zhang Min has resolved it at 2026-10-31 02:40:00 CET.";
        assert!(page.contains(lead), "{page}");
        assert!(page.contains("Cause: a missing entry of the sub-ledger."), "{page}");
    }

    #[test]
    fn markup_of_jobs_and_people_is_text_and_the_page_has_nothing_that_acts_by_itself() {
        let evil = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&";
        let mut view = IncidentMail { incident: worked_on(), ..fault() };
        for line in &mut view.incident.steps {
            line.reason = evil.to_owned();
        }
        let job = view.job.as_mut().unwrap();
        job.title = Text::en(evil);
        job.runbook = Some(Text::en(evil));
        job.tail = vec![evil.to_owned(), "</pre></main>".to_owned()];
        view.blocks[0].title = Text::en(evil);
        for lang in Lang::ALL {
            let page = middle(lang, &view, &answering()).unwrap();
            only_text(&page);
        }
    }
}
