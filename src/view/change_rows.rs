//! Which changes a page lists, and in which order: what waits for who looks first, then by their windows.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::change::{ChangeLine, WhichChanges, is_asked_for, list, place};
use super::change_desk::{Eyes, TurnLine, docket, turns};
use crate::core::change::{Docket, Missing, Stage};
use crate::core::state::Standing;
use crate::core::window::Windows;
use crate::definition::site::{ChangeClass, Site};
use crate::types::{Lang, TeamName};

/// Rows of one page.
const PAGE: usize = 50;

/// What a page asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub show: Show,
    pub stage: Option<Stage>,
    pub environment: Option<String>,
    pub class: Option<ChangeClass>,
    pub team: Option<TeamName>,
    /// Part of an id, a title or a ticket; whatever the case.
    pub text: String,
    /// From 0.
    pub page: usize,
}

/// Changes by what somebody wants to know of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Show {
    /// Not over yet.
    #[default]
    Open,
    /// It is the turn of who looks.
    Mine,
    /// Closed, archived, withdrawn.
    Over,
}

impl Show {
    pub const ALL: [Self; 3] = [Self::Open, Self::Mine, Self::Over];

    /// As it stands in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mine => "mine",
            Self::Over => "over",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|show| show.word() == word)
    }
}

/// A change of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRow {
    pub line: ChangeLine,
    /// Its scripts are not those that were submitted (D5).
    pub void: bool,
    /// Where it goes next.
    pub next: Option<NextPlace>,
    pub turns: Vec<TurnLine>,
    /// It is the turn of who looks.
    pub mine: bool,
}

/// The first environment in which it is not done.
#[derive(Debug, Clone, PartialEq)]
pub struct NextPlace {
    pub environment: String,
    /// The window that it is on the list of.
    pub window: Option<(Timestamp, Timestamp)>,
    /// What it lacks before it may start.
    pub lacks: Vec<Missing>,
}

/// The rows of one page.
#[derive(Debug, Clone, PartialEq)]
pub struct ChangeRows {
    pub rows: Vec<ChangeRow>,
    /// Changes of each kind that the rest of what was asked for leaves, in the order of [`Show::ALL`].
    pub counts: [usize; 3],
    /// From 0; the last where a later one was asked for.
    pub page: usize,
    /// At least one.
    pub pages: usize,
    /// Of all changes: what there is to choose from.
    pub environments: BTreeSet<String>,
    pub teams: BTreeSet<TeamName>,
    /// The site has rules for changes, and with them lists of meetings.
    pub meets: bool,
}

struct Known {
    line: ChangeLine,
    environment: Option<String>,
    window: Option<(Timestamp, Timestamp)>,
    mine: bool,
}

/// The rows that are asked for, as `eyes` see them.
pub fn rows(
    site: &Site,
    standing: &Standing,
    (wanted, now): (&Wanted, Timestamp),
    eyes: Eyes<'_>,
) -> ChangeRows {
    let windows = Windows::new(site);
    let text = wanted.text.to_lowercase();
    let has = |line: &ChangeLine| {
        let ticket = line.ticket.as_deref().unwrap_or_default().to_lowercase();
        let title = |lang| line.title.get(lang).to_lowercase().contains(&text);
        line.id.as_str().contains(&text)
            || ticket.contains(&text)
            || Lang::ALL.into_iter().any(title)
    };
    let which = WhichChanges {
        stage: wanted.stage,
        environment: wanted.environment.clone(),
        team: wanted.team.clone(),
        class: wanted.class,
        month: None,
    };
    let all = list(site, standing, &WhichChanges::default());
    let environments = all.iter().flat_map(|line| line.environments.iter().cloned()).collect();
    let teams = all.iter().filter_map(|line| line.team.clone()).collect();
    let lines = all.into_iter().filter(|line| is_asked_for(&site.zone, line, &which) && has(line));
    let (over, open): (Vec<_>, Vec<_>) = lines.partition(|line| line.stage.is_over());
    let know = |line| known((site, &windows), standing, line, (now, eyes));
    let mut open: Vec<Known> = open.into_iter().map(know).collect();
    let counts = [open.len(), open.iter().filter(|of| of.mine).count(), over.len()];
    let mut shown: Vec<Known> = match wanted.show {
        Show::Over => over.into_iter().map(know_over).collect(),
        Show::Mine => {
            open.retain(|of| of.mine);
            open
        }
        Show::Open => open,
    };
    match wanted.show {
        Show::Over => shown.sort_by_key(|of| std::cmp::Reverse(of.line.since)),
        _ => shown.sort_by_key(|of| (!of.mine, rank(of.line.stage), soonest(of))),
    }
    let pages = shown.len().div_ceil(PAGE).max(1);
    let page = wanted.page.min(pages - 1);
    let of_page = shown.into_iter().skip(page * PAGE).take(PAGE);
    let rows = of_page.map(|known| row((site, &windows), standing, known, now)).collect();
    let meets = site.change_rules.is_some();
    ChangeRows { rows, counts, page, pages, environments, teams, meets }
}

fn know_over(line: ChangeLine) -> Known {
    Known { line, environment: None, window: None, mine: false }
}

/// What is in doubt or runs stands above what waits.
fn rank(stage: Stage) -> u8 {
    match stage {
        Stage::InDoubt => 0,
        Stage::Executing => 1,
        _ => 2,
    }
}

/// What has no window comes after what has.
fn soonest(of: &Known) -> Timestamp {
    of.window.map_or(Timestamp::MAX, |(opens, _)| opens)
}

fn known(
    (site, windows): (&Site, &Windows),
    standing: &Standing,
    line: ChangeLine,
    (now, eyes): (Timestamp, Eyes<'_>),
) -> Known {
    let docket = docket((site, windows), standing, (&line.id, now));
    let for_me = |docket: &Docket<'_>| {
        docket.turns(now).iter().any(|turn| docket.is_for(turn, eyes.person, now))
    };
    let mine = eyes.takes_part && docket.as_ref().is_some_and(for_me);
    let desk = docket.as_ref().and_then(Docket::desk);
    let next = desk.and_then(|desk| {
        let content = Some(desk.change.content.as_str());
        let places = desk.change.places(site).into_iter();
        let mut open = places.filter(|(of, _)| !desk.life.is_done_in(of, content));
        open.next().map(|(of, _)| of.to_owned())
    });
    let window = desk.zip(next.as_deref()).and_then(|(desk, of)| desk.scheduled(of)?.1);
    let window = window.filter(|(_, closes)| *closes > now);
    Known { environment: next, window, mine, line }
}

fn row(
    (site, windows): (&Site, &Windows),
    standing: &Standing,
    known: Known,
    now: Timestamp,
) -> ChangeRow {
    let Known { line, environment, window, mine } = known;
    let docket = docket((site, windows), standing, (&line.id, now));
    let turns = docket.as_ref().map(|docket| turns(site, docket, now)).unwrap_or_default();
    let desk = docket.as_ref().and_then(Docket::desk);
    let lacks = desk.zip(environment.as_deref()).and_then(|(desk, environment)| {
        let places = desk.change.places(site).into_iter();
        let there = places.into_iter().find(|(of, _)| *of == environment)?;
        Some(place(desk, standing, there, now)?.lacks)
    });
    let next = environment.map(|environment| NextPlace {
        environment,
        window,
        lacks: lacks.unwrap_or_default(),
    });
    let void = docket.as_ref().is_some_and(Docket::is_void);
    ChangeRow { void, next, turns, mine, line }
}
