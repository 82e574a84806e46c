//! People: who may do what, and what people did.

use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::page::{Asked, Form};
use super::problem::Problem;
use super::store_access::{self, NotAudited};
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::port::Clock;
use crate::render;
use crate::types::PersonId;
use crate::view::access::AccessLine;
use crate::view::audit::{AuditLine, Proof};

/// Lines of an audit at the most: it is proven as a whole, and has no pages.
const MOST: usize = 100_000;

/// Whose access, and as of when.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichPeople {
    /// As it was at the end of this date, by the job files that the last run until then began with; as it is where nothing
    /// is said.
    date: Option<Date>,
    /// Only this one.
    person: Option<PersonId>,
}

/// People in the order of their ids. All of them: a house has as many as its `people.yaml` names.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct PeoplePage {
    items: Vec<AccessLine>,
}

/// `GET /api/v1/people`.
pub(super) async fn people(
    State(api): State<Api>,
    Asked(which): Asked<WhichPeople>,
    form: Form,
) -> Result<Response, Problem> {
    let (current, now) = (site_of(&api)?, now()?);
    let until = match which.date {
        Some(date) => current.zone.end_of(date).map_err(Problem::unreadable)?,
        None => Timestamp::MAX,
    };
    let reader = api.reader().await?;
    let access = store_access::access_at(Some(reader), &current, (until, now)).await;
    let (site, mut items) = access.map_err(Problem::failed)?.ok_or_else(|| {
        Problem::unknown("no run had begun by then, so the job files of then are not known")
    })?;
    items.retain(|line| which.person.as_ref().is_none_or(|person| line.id == *person));
    let page = PeoplePage { items };
    form.page(&page, |lang| render::access::people(lang, &site.zone, &page.items))
}

/// Which time, and whose deeds.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichDeeds {
    /// From this date or time of the site's zone, or this instant; from the first entry where nothing is said.
    from: Option<String>,
    /// To the end of this date, or to this time.
    to: Option<String>,
    /// Only what this person did, or what was done to this person's access.
    person: Option<PersonId>,
}

/// What people did, with the proof of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct AuditPage {
    lines: Vec<AuditLine>,
    proof: Proof,
}

/// `GET /api/v1/audit`.
pub(super) async fn audit(
    State(api): State<Api>,
    Asked(which): Asked<WhichDeeds>,
    form: Form,
) -> Result<Response, Problem> {
    let site = site_of(&api)?;
    let bound = |text: &Option<String>, read: fn(&_, &str) -> Result<_, _>, otherwise| {
        let read = text.as_ref().map(|text| read(&site.zone, text)).transpose();
        read.map(|read| read.unwrap_or(otherwise)).map_err(Problem::unreadable)
    };
    let from = bound(&which.from, crate::types::Zone::begin, Timestamp::MIN)?;
    let to = bound(&which.to, crate::types::Zone::end, Timestamp::MAX)?;
    let reader = api.reader().await?;
    // One after the other: each reads the whole journal.
    let _alone = api.0.auditing.lock().await;
    let archives = api.0.wiring.archives.as_deref();
    let (mut lines, proof) = store_access::audit(reader, archives, (from, to)).await?;
    store_access::about(&mut lines, which.person.as_ref());
    if lines.len() > MOST {
        let what = format!("{} lines: ask for a shorter time, of {MOST} at the most", lines.len());
        return Err(Problem::unreadable(what));
    }
    if form.csv {
        return Ok(form.as_csv(render::audit::csv(form.lang, &lines, &proof)));
    }
    let page = AuditPage { lines, proof };
    form.page(&page, |lang| render::audit::text(lang, &site.zone, &page.lines, &page.proof))
}

impl From<NotAudited> for Problem {
    fn from(why: NotAudited) -> Self {
        match why {
            NotAudited::Store(why) => why.into(),
            other => Self::failed(other),
        }
    }
}

pub(super) fn site_of(api: &Api) -> Result<std::sync::Arc<Site>, Problem> {
    let site = api.published().site;
    site.ok_or_else(|| Problem::not_now("no job files were taken over yet"))
}

pub(super) fn now() -> Result<Timestamp, Problem> {
    Ok(HostClock::new().map_err(Problem::failed)?.now().wall)
}
