//! `GET /changes`: what was asked for, where it stands and whom it waits for; `GET /changes/lists`: the lists of the
//! sign-off meetings.

use axum::response::Response;
use jiff::SignedDuration;

use super::{Page, Visit};
use crate::core::change::Stage;
use crate::definition::site::ChangeClass;
use crate::http::changes::known;
use crate::http::problem::Problem;
use crate::render::clock::Clock;
use crate::render::pages::{self, Section};
use crate::render::words::ChangePages;
use crate::supervisor::person_of;
use crate::types::{PersonId, Right};
use crate::view::change_desk::Eyes;
use crate::view::change_rows::{self, Show, Wanted};
use crate::view::signoff;

/// Clock times of half a day to each side carry no date.
pub(super) const NEAR: SignedDuration = SignedDuration::from_hours(12);

/// Who looks at changes.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) person: PersonId,
    takes_part: bool,
    seconds: bool,
}

impl Viewer {
    pub(super) fn of(visit: &Visit) -> Self {
        let site = visit.api.published().site;
        // Without a token no form can be sent, and to one that stands by none at all.
        let can_send = visit.looker.token.is_some() && visit.stands_by().is_none();
        let may = |right| can_send && visit.may(right);
        Self {
            person: person_of(site.as_deref(), &visit.caller),
            takes_part: may(Right::Changes),
            seconds: may(Right::Second),
        }
    }

    pub(super) fn eyes(&self) -> Eyes<'_> {
        Eyes { person: &self.person, takes_part: self.takes_part, seconds: self.seconds }
    }
}

/// What stands behind the `?`. Whatever cannot be read is as if it were not there.
fn wanted(visit: &Visit) -> Wanted {
    let said = |name| Some(visit.wants(name)).filter(|said| !said.is_empty());
    let stage = |name: &str| Stage::ALL.into_iter().find(|stage| stage.name() == name);
    let class = |name: &str| ChangeClass::ALL.into_iter().find(|class| class.name() == name);
    Wanted {
        show: Show::of_word(visit.wants("show")).unwrap_or_default(),
        stage: said("stage").and_then(stage),
        environment: said("environment").map(str::to_owned),
        class: said("class").and_then(class),
        team: said("team").and_then(|team| team.parse().ok()),
        text: visit.wants("q").trim().to_owned(),
        page: visit.wants("page").parse::<usize>().map_or(0, |page| page.saturating_sub(1)),
    }
}

pub(crate) async fn page(visit: Visit) -> Result<Response, Problem> {
    let (wanted, viewer) = (wanted(&visit), Viewer::of(&visit));
    let make = async || {
        let (site, standing, now) = known(&visit.api).await?;
        let clock = Clock::new(&site.zone, now - NEAR);
        let rows = change_rows::rows(&site, &standing, (&wanted, now), viewer.eyes());
        let around = (visit.lang(), visit.up(), &site.zone);
        pages::changes::middle(around, &wanted, (&rows, &clock)).map_err(Problem::failed)
    };
    let middle = visit.kept(&format!("changes {wanted:?} {viewer:?}"), make).await?;
    let title = ChangePages::Changes.say(visit.lang());
    let page = Page { section: Some(Section::Changes), title: &title, live: true };
    visit.around(&page, &middle)
}

pub(crate) async fn lists(visit: Visit) -> Result<Response, Problem> {
    let environment = Some(visit.wants("environment")).filter(|named| !named.is_empty());
    let make = async || {
        let (site, standing, now) = known(&visit.api).await?;
        let page = signoff::page(&site, &standing, environment, now)?;
        let clock = Clock::new(&page.zone, now - NEAR);
        let around = (visit.lang(), visit.up());
        pages::sign_off::middle(around, &clock, &page).map_err(Problem::failed)
    };
    let middle = visit.kept(&format!("lists {environment:?}"), make).await?;
    let title = ChangePages::SignOff.say(visit.lang());
    let page = Page { section: Some(Section::Changes), title: &title, live: true };
    visit.around(&page, &middle)
}
