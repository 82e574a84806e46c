//! One change: where it stands and whose turn it is, what may be done with it, each environment with who has signed and
//! what came of it, its scripts, its life.

use askama::Template;

use super::change_scripts::Scripts;
use super::change_turns::{badge, part, place, step, turn};
use super::changes::window;
use super::of_job;
use crate::core::change::Executed;
use crate::render::change::{self, head, minute};
use crate::render::change_papers;
use crate::render::change_rehearsal::{self, Again};
use crate::render::clock::Clock;
use crate::render::report_html::Tone;
use crate::render::signoff::signature_row;
use crate::render::table::harmless;
use crate::render::why::lacks;
use crate::render::words::{ChangePages, ChangeWord, Label, Pages, list};
use crate::types::{Lang, Zone};
use crate::view::Who;
use crate::view::change::{ChangePage, PlaceLine, StepLine};
use crate::view::change_desk::{ChangeDesk, OfferLine, PlaceDesk, SecondLine};
use crate::wire::ChangeState;

/// Executions of an environment that the page shows; all steps of them stand in its life.
const EXECUTIONS: usize = 5;

#[derive(Template)]
#[template(path = "pages/change.html")]
struct Page {
    lang: Lang,
    up: String,
    id: String,
    title: String,
    tone: Tone,
    stage: String,
    /// Why nothing that was signed counts.
    void: Option<String>,
    no_folder: bool,
    turns: Vec<(String, String)>,
    parts: Option<String>,
    offers: Vec<(String, String)>,
    /// In place of offers where there are none.
    no_offers: String,
    asked: Vec<Asked>,
    papers: Vec<(String, String)>,
    /// Where its ticket is, where that is an address.
    ticket: Option<String>,
    places: Vec<Place>,
    scripts: Option<Scripts>,
    proof: Option<String>,
    life: Vec<Step>,
}

struct Asked {
    words: String,
    reason: String,
    /// The form of who may be the second.
    place: Option<String>,
}

struct Place {
    key: String,
    title: String,
    state: Option<(Tone, &'static str)>,
    facts: Vec<(String, String)>,
    lacks: Vec<String>,
    /// Nothing stands in the way of its start, which is yet to come.
    cleared: bool,
    to_close: Vec<String>,
    signatures: Vec<[String; 3]>,
    executions: Vec<Execution>,
}

struct Execution {
    tone: Tone,
    state: &'static str,
    place: String,
    facts: Vec<(String, String)>,
    why: Option<String>,
}

struct Step {
    at: String,
    who: String,
    what: String,
    reason: String,
}

impl Page {
    fn say(&self, words: ChangePages<'_>) -> String {
        words.say(self.lang)
    }

    fn of_change(&self, words: ChangeWord<'_>) -> String {
        words.say(self.lang)
    }
}

pub fn title(lang: Lang, page: &ChangePage) -> String {
    format!("{} – {}", page.line.id, page.line.title.get(lang))
}

/// The middle of the page. It lies one folder below the one that all pages lie in. `scripts`: `None` where they are not
/// for who looks. `stands_by`: why nothing can be done here.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up, zone): (Lang, &str, &Zone),
    clock: &Clock<'_>,
    (desk, stands_by): (&ChangeDesk, Option<&str>),
    scripts: Option<Scripts>,
) -> Result<String, askama::Error> {
    let (page, line) = (&desk.page, &desk.page.line);
    let id = line.id.to_string();
    let ticket = line.ticket.as_ref();
    let ticket = ticket.filter(|it| it.starts_with("https://") || it.starts_with("http://"));
    let parts = list(lang, desk.parts.iter().map(|of| part(lang, *of)));
    let places = page.places.iter().zip(&desk.places);
    let (tone, stage) = badge(lang, line.stage, desk.void);
    let shown = Page {
        lang,
        up: up.to_owned(),
        title: line.title.get(lang).to_owned(),
        tone,
        stage,
        void: desk.void.then(|| ChangePages::Void.say(lang)),
        no_folder: !line.folder,
        turns: desk.turns.iter().map(|of| turn(lang, of)).collect(),
        parts: (!parts.is_empty()).then(|| ChangePages::YouAre { parts: &parts }.say(lang)),
        offers: desk
            .offers
            .iter()
            .filter_map(|of| offer(lang, (&id, page.content.as_deref()), of))
            .collect(),
        no_offers: match stands_by {
            Some(why) => Pages::StandsBy { why }.say(lang),
            None => ChangePages::NothingForYou.say(lang),
        },
        asked: desk.asked.iter().map(|of| asked((lang, zone), &id, of)).collect(),
        papers: papers(lang, page, ticket.is_some()),
        ticket: ticket.cloned(),
        places: places.map(|(line, of)| place_of((lang, up, zone), clock, line, of)).collect(),
        proof: scripts.is_some().then(|| format!("{up}api/v1/changes/{id}/proof")),
        scripts,
        life: page.steps.iter().map(|taken| life(lang, zone, taken)).collect(),
        id,
    };
    Ok(harmless(&shown.render()?))
}

fn offer(
    lang: Lang,
    (id, content): (&str, Option<&str>),
    offer: &OfferLine,
) -> Option<(String, String)> {
    let place = place(id, &offer.wish, content)?;
    Some((place, step(lang, &offer.wish, offer.title.as_ref())?))
}

fn asked((lang, zone): (Lang, &Zone), id: &str, of: &SecondLine) -> Asked {
    let what = &step(lang, &of.wish, None).unwrap_or_default();
    let (who, at) = (of.by.name.get(lang), &minute(zone, of.until));
    Asked {
        words: ChangePages::SecondWanted { who, what, at }.say(lang),
        reason: of.reason.clone(),
        place: of.mine.then(|| format!("{id}/requests/{}", of.request)),
    }
}

/// What it asks for, and who has a part in it.
fn papers(lang: Lang, page: &ChangePage, linked: bool) -> Vec<(String, String)> {
    let line = &page.line;
    let who = |who: &Option<Who>| who.as_ref().map(|who| who.name.get(lang).to_owned());
    let ticket = line.ticket.clone().filter(|_| !linked);
    let rows = [
        (ChangeWord::Class, Some(change::class(lang, line))),
        (ChangeWord::Reason, page.reason.as_ref().map(|reason| reason.get(lang).to_owned())),
        (ChangeWord::Ticket, ticket),
        (ChangeWord::Governance, page.governance.clone()),
        (ChangeWord::Requester, who(&line.requester)),
        (ChangeWord::Team, line.team.as_ref().map(ToString::to_string)),
        (ChangeWord::Handler, who(&page.handler)),
        (ChangeWord::Authors, Some(list(lang, page.authors.iter().map(|who| who.name.get(lang))))),
        (ChangeWord::Contact, who(&page.verification_contact)),
        (ChangeWord::Warnings, Some(list(lang, &page.hazards))),
    ];
    let rows = rows.into_iter().filter_map(|(word, value)| Some((word.say(lang), value?)));
    let papers = page.papers.iter().flat_map(|papers| change_papers::rows(lang, papers));
    rows.chain(papers).filter(|(_, value)| !value.is_empty()).collect()
}

fn place_of(
    (lang, up, zone): (Lang, &str, &Zone),
    clock: &Clock<'_>,
    line: &PlaceLine,
    of: &PlaceDesk,
) -> Place {
    let (environment, target) = (line.environment.as_str(), line.target.as_str());
    let said = |missing| lacks(lang, clock, missing, &|_| String::new());
    let digest = (!line.digest.is_empty()).then(|| head(&line.digest).to_owned());
    let listed = line.window.map(|of| window(clock, of));
    let facts = [(ChangeWord::Window, listed), (ChangeWord::Digest, digest)];
    let facts = facts.into_iter().filter_map(|(word, value)| Some((word.say(lang), value?)));
    Place {
        key: environment.to_owned(),
        title: ChangePages::InEnvironment { environment, target }.say(lang),
        state: line.state.map(|state| (tone(state), Label::of_change(Some(state)).say(lang))),
        facts: facts.collect(),
        lacks: line.lacks.iter().map(said).collect(),
        cleared: line.lacks.is_empty() && line.state != Some(ChangeState::Done),
        to_close: line.unclosed.iter().map(said).collect(),
        signatures: of
            .signatures
            .iter()
            .map(|of| signature_row((lang, zone), of, &ChangePages::NobodyYet.say(lang)))
            .collect(),
        executions: of
            .executed
            .iter()
            .take(EXECUTIONS)
            .map(|of| execution((lang, up, zone), of))
            .collect(),
    }
}

fn tone(state: ChangeState) -> Tone {
    match state {
        ChangeState::Done => Tone::WELL,
        ChangeState::FailedClean | ChangeState::FailedGuard | ChangeState::RollbackFailed => {
            Tone::BAD
        }
        ChangeState::RolledBack | ChangeState::Partial | ChangeState::InDoubt => Tone::WARN,
    }
}

fn execution(
    (lang, up, zone): (Lang, &str, &Zone),
    (state, of): &(ChangeState, Executed),
) -> Execution {
    let at = |at| Clock::new(zone, at).full(at);
    let (good, checks) = (of.good, of.checks);
    let came = of.progress.map(|it| format!("{}/{}", it.done, it.of));
    let rehearsal = change_rehearsal::words(lang, zone, &of.rehearsal, Again::of(of));
    let facts = [
        (ChangeWord::Started, of.started.map(at)),
        (ChangeWord::EndedAt, Some(at(of.ended))),
        (ChangeWord::Rows, Some(of.rows.to_string())),
        (ChangeWord::BackupRows, Some(of.backup_rows.to_string())),
        (ChangeWord::Verification, Some(ChangeWord::ChecksGood { good, checks }.say(lang))),
        (ChangeWord::Statements, came),
        (ChangeWord::Rehearsal, rehearsal),
    ];
    let facts = facts.into_iter().filter_map(|(word, value)| Some((word.say(lang), value?)));
    let scripts = (ChangePages::ScriptsDigest.say(lang), head(&of.content).to_owned());
    Execution {
        tone: tone(*state),
        state: Label::of_change(Some(*state)).say(lang),
        place: format!("{up}{}", of_job(&of.attempt.run, of.attempt.job.as_str())),
        facts: facts.chain([scripts]).collect(),
        why: of.why.clone(),
    }
}

fn life(lang: Lang, zone: &Zone, taken: &StepLine) -> Step {
    let people = std::iter::once(&taken.by).chain(&taken.second);
    let people: Vec<&str> = people.map(|who| who.name.get(lang)).collect();
    Step {
        at: minute(zone, taken.at),
        who: people.join(" + "),
        what: change::step(lang, zone, &taken.step),
        reason: taken.reason.clone(),
    }
}
