//! Runs that have left the store for files.

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::page::{Asked, Form};
use super::problem::Problem;
use super::runs::{cursor, limit};
use crate::port::{Archived, StoreReader};
use crate::render;
use crate::types::Zone;
use crate::view::archives::ArchiveLine;

/// Which of them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WhichArchives {
    /// At most so many: 50 where nothing is said, 1,000 at the most.
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the page before.
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_u64))]
    cursor: Option<u64>,
}

/// A page of archives, the last made first.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct ArchivesPage {
    items: Vec<ArchiveLine>,
    /// The `cursor` of the next page; `null` where this is the last.
    next: Option<u64>,
}

/// `GET /api/v1/archives`.
pub(super) async fn archives(
    State(api): State<Api>,
    Asked(which): Asked<WhichArchives>,
    form: Form,
) -> Result<Response, Problem> {
    let limit = limit(which.limit)?;
    // One more tells whether there is a next page.
    let before = cursor(which.cursor)?;
    let archived = api.reader().await?.last_archived(before, limit + 1).await?;
    let mut items = lines(archived);
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| more).map(|line| line.seq);
    let page = ArchivesPage { items, next };
    let zone = api.published().site.map_or_else(Zone::utc, |site| site.zone.clone());
    form.page(&page, |lang| render::archives::text(lang, &zone, &page.items))
}

/// As they are shown.
pub fn lines(archived: Vec<Archived>) -> Vec<ArchiveLine> {
    let line = |archived: Archived| {
        let Archived { run, file, digest, bytes, seq, at } = archived;
        ArchiveLine { run, at, file, digest, bytes, seq }
    };
    archived.into_iter().map(line).collect()
}
