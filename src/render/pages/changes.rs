//! Changes as a list: what waits for who looks first, then by windows; each with whose turn it is and what it lacks.

use askama::Template;

use super::change_turns::{badge, few, turn};
use super::in_query;
use crate::core::change::Stage;
use crate::definition::site::ChangeClass;
use crate::render::change;
use crate::render::clock::Clock;
use crate::render::report_html::Tone;
use crate::render::table::harmless;
use crate::render::why::lacks;
use crate::render::words::{ChangePages, ChangeWord, Label, Pages};
use crate::types::{Lang, TeamName, Zone};
use crate::view::change_rows::{ChangeRow, ChangeRows, Show, Wanted};

/// Of what a change lacks the page of the list has no more.
const LACKS: usize = 2;
/// Likewise of what it waits for.
const TURNS: usize = 2;

#[derive(Template)]
#[template(path = "pages/changes.html")]
struct Page {
    lang: Lang,
    up: String,
    /// There are rules, and with them lists.
    meets: bool,
    tabs: Vec<Tab>,
    show: &'static str,
    text: String,
    stages: Vec<(&'static str, String, bool)>,
    environments: Vec<(String, bool)>,
    classes: Vec<(&'static str, &'static str, bool)>,
    teams: Vec<(String, bool)>,
    none: String,
    groups: Vec<Group>,
    /// What the page is, and those before and after it.
    pages: Option<(String, Option<String>, Option<String>)>,
}

struct Tab {
    words: String,
    place: String,
    count: usize,
    here: bool,
}

struct Group {
    key: usize,
    title: String,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    title: String,
    about: String,
    tone: Tone,
    stage: String,
    turns: Vec<(String, String)>,
    more_turns: Option<String>,
    /// Where it goes next, with what it lacks for that.
    lacks: Option<(String, Vec<String>)>,
}

impl Page {
    fn say(&self, words: ChangePages<'_>) -> String {
        words.say(self.lang)
    }

    fn of_pages(&self, words: Pages<'_>) -> String {
        words.say(self.lang)
    }

    fn of_change(&self, words: ChangeWord<'_>) -> String {
        words.say(self.lang)
    }
}

/// The middle of the page.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn middle(
    (lang, up, zone): (Lang, &str, &Zone),
    wanted: &Wanted,
    (shown, clock): (&ChangeRows, &Clock<'_>),
) -> Result<String, askama::Error> {
    let stages =
        Stage::ALL.map(|of| (of.name(), change::stage(lang, of), wanted.stage == Some(of)));
    let classes = ChangeClass::ALL
        .map(|of| (of.name(), Label::of_class(of).say(lang), wanted.class == Some(of)));
    let team = |team: &TeamName| (team.to_string(), wanted.team.as_ref() == Some(team));
    let environment = |of: &String| (of.clone(), wanted.environment.as_ref() == Some(of));
    let page = Page {
        lang,
        up: up.to_owned(),
        meets: shown.meets,
        tabs: tabs(lang, shown, wanted),
        show: wanted.show.word(),
        text: wanted.text.clone(),
        stages: stages.into(),
        environments: shown.environments.iter().map(environment).collect(),
        classes: classes.into(),
        teams: shown.teams.iter().map(team).collect(),
        none: match wanted.show {
            Show::Mine => ChangePages::NoneForYou.say(lang),
            Show::Open | Show::Over => ChangePages::NoneSuch.say(lang),
        },
        groups: groups((lang, zone), clock, wanted.show, &shown.rows),
        pages: pages(lang, shown, wanted),
    };
    Ok(harmless(&page.render()?))
}

fn tabs(lang: Lang, shown: &ChangeRows, wanted: &Wanted) -> Vec<Tab> {
    let tab = |(show, count): (Show, usize)| Tab {
        words: match show {
            Show::Open => ChangePages::OpenOnes,
            Show::Mine => ChangePages::ForYou,
            Show::Over => ChangePages::OverOnes,
        }
        .say(lang),
        place: place(&Wanted { show, page: 0, ..wanted.clone() }),
        count,
        here: wanted.show == show,
    };
    Show::ALL.into_iter().zip(shown.counts).map(tab).collect()
}

/// What stands behind the `?`.
fn place(wanted: &Wanted) -> String {
    let mut query = vec![format!("show={}", wanted.show.word())];
    let said = [
        ("stage", wanted.stage.map(|stage| stage.name().to_owned())),
        ("environment", wanted.environment.clone()),
        ("class", wanted.class.map(|class| class.name().to_owned())),
        ("team", wanted.team.as_ref().map(ToString::to_string)),
        ("q", Some(wanted.text.clone())),
        ("page", (wanted.page > 0).then(|| (wanted.page + 1).to_string())),
    ];
    let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let said = said.filter(|(_, value)| !value.is_empty());
    query.extend(said.map(|(name, value)| format!("{name}={}", in_query(&value))));
    format!("?{}", query.join("&"))
}

fn pages(
    lang: Lang,
    shown: &ChangeRows,
    wanted: &Wanted,
) -> Option<(String, Option<String>, Option<String>)> {
    if shown.pages == 1 {
        return None;
    }
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let said = Pages::PageOf { page: number(shown.page + 1), pages: number(shown.pages) }.say(lang);
    let at = |page: usize| place(&Wanted { page, ..wanted.clone() });
    let before = shown.page.checked_sub(1).map(at);
    let next = (shown.page + 1 < shown.pages).then(|| at(shown.page + 1));
    Some((said, before, next))
}

/// Rows that follow each other and have one heading.
fn groups(
    (lang, zone): (Lang, &Zone),
    clock: &Clock<'_>,
    show: Show,
    rows: &[ChangeRow],
) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for row in rows {
        let title = heading(lang, clock, show, row);
        let row = self::row((lang, zone), clock, row);
        match groups.last_mut().filter(|last| last.title == title) {
            Some(last) => last.rows.push(row),
            None => groups.push(Group { key: groups.len(), title, rows: vec![row] }),
        }
    }
    groups
}

fn heading(lang: Lang, clock: &Clock<'_>, show: Show, row: &ChangeRow) -> String {
    if show == Show::Over {
        return ChangePages::OverOnes.say(lang);
    }
    if row.mine {
        return ChangePages::WaitForYou.say(lang);
    }
    if matches!(row.line.stage, Stage::InDoubt | Stage::Executing) {
        return ChangePages::UnderWay.say(lang);
    }
    let listed = row.next.as_ref().and_then(|next| Some((&next.environment, next.window?)));
    match listed {
        Some((environment, window)) => {
            let window = &self::window(clock, window);
            ChangePages::InWindow { environment, window }.say(lang)
        }
        None => ChangePages::NoWindowYet.say(lang),
    }
}

pub(super) fn window(
    clock: &Clock<'_>,
    (opens, closes): (jiff::Timestamp, jiff::Timestamp),
) -> String {
    format!("{} – {}", clock.minute(opens), clock.minute(closes))
}

fn row((lang, zone): (Lang, &Zone), clock: &Clock<'_>, row: &ChangeRow) -> Row {
    let line = &row.line;
    let since = line.since.map(|at| change::minute(zone, at));
    let about = [
        change::class(lang, line),
        line.environments.join(" → "),
        line.team.as_ref().map(ToString::to_string).unwrap_or_default(),
        line.ticket.clone().unwrap_or_default(),
        since.unwrap_or_default(),
    ];
    let about = about.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let more = u32::try_from(row.turns.len().saturating_sub(TURNS)).unwrap_or(u32::MAX);
    let lacking = row.next.as_ref().filter(|next| !next.lacks.is_empty()).map(|next| {
        let lines = next.lacks.iter().map(|of| lacks(lang, clock, of, &|_| String::new()));
        let head = ChangePages::Lacks { environment: &next.environment }.say(lang);
        (head, few(lang, lines.collect(), LACKS))
    });
    let (tone, stage) = badge(lang, line.stage, row.void);
    Row {
        id: line.id.to_string(),
        title: line.title.get(lang).to_owned(),
        about: about.join(" · "),
        tone,
        stage,
        turns: row.turns.iter().take(TURNS).map(|of| turn(lang, of)).collect(),
        more_turns: (more > 0).then(|| ChangePages::AndMore { more }.say(lang)),
        lacks: lacking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::change::Missing;
    use crate::types::{ChangeId, Text};
    use crate::view::change::ChangeLine;
    use crate::view::change_rows::NextPlace;

    fn made(id: &str, stage: Stage, mine: bool, hour: Option<i64>) -> ChangeRow {
        let at = |hour: i64| jiff::Timestamp::from_second(hour * 3_600).unwrap();
        let line = ChangeLine {
            id: ChangeId::new(id).unwrap(),
            title: Text::en("<b>Fee</b>"),
            class: Some(ChangeClass::Data),
            kind: crate::definition::site::ChangeKind::Normal,
            stage,
            environments: vec!["uat".to_owned(), "production".to_owned()],
            team: None,
            requester: None,
            ticket: None,
            since: None,
            folder: true,
        };
        let next = NextPlace {
            environment: "production".to_owned(),
            window: hour.map(|hour| (at(hour), at(hour + 1))),
            lacks: vec![Missing::Schedule, Missing::Submission, Missing::Lapsed],
        };
        ChangeRow { line, void: false, next: Some(next), turns: Vec::new(), mine }
    }

    #[test]
    fn rows_stand_under_whom_they_wait_for_and_under_their_windows() {
        let rows = [
            made("a", Stage::Written, true, None),
            made("b", Stage::InDoubt, false, None),
            made("c", Stage::Scheduled, false, Some(11)),
            made("d", Stage::Scheduled, false, Some(11)),
            made("e", Stage::Scheduled, false, Some(16)),
            made("f", Stage::Draft, false, None),
        ];
        let zone = Zone::utc();
        let clock = Clock::new(&zone, jiff::Timestamp::UNIX_EPOCH);
        let shown = groups((Lang::En, &zone), &clock, Show::Open, &rows);
        let shown: Vec<(&str, Vec<&str>)> = shown
            .iter()
            .map(|group| {
                let ids = group.rows.iter().map(|row| row.id.as_str());
                (group.title.as_str(), ids.collect())
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("Waiting for you", vec!["a"]),
                ("In doubt, or running", vec!["b"]),
                ("production, window 11:00 – 12:00", vec!["c", "d"]),
                ("production, window 16:00 – 17:00", vec!["e"]),
                ("On no list yet", vec!["f"]),
            ]
        );
        // Of much that is lacking the list has the first of it.
        let shown = row((Lang::Zh, &zone), &clock, &rows[5]);
        let (head, lines) = shown.lacks.unwrap();
        assert_eq!((head.as_str(), lines.len()), ("production 尚缺", 3));
        assert_eq!(lines[2], "另有 1 项");
    }
}
