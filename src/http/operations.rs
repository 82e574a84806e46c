//! The operations report of a week, a month or a quarter.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::Api;
use super::incidents::site;
use super::page::{Form, Named};
use super::problem::Problem;
use crate::core::night::Core;
use crate::definition::site::Site;
use crate::driver::clock::HostClock;
use crate::driver::store::StateReader;
use crate::port::{Clock, StoreReader};
use crate::render;
use crate::supervisor::{Fatal, bulletin_of, on_call_of, prints, standing};
use crate::types::Period;
use crate::view::change_stats::{self, StatsAsked, StatsBy};
use crate::view::operations::{self, OperationsView};

/// `GET /api/v1/operations/{period}`.
pub(super) async fn report(
    State(api): State<Api>,
    Named(period): Named<String>,
    form: Form,
) -> Result<Response, Problem> {
    let period: Period = period.parse().map_err(Problem::unknown)?;
    let site = site(&api)?;
    let found = of_store(api.reader().await?, &site, period).await.map_err(Problem::failed)?;
    let view = found.ok_or_else(|| Problem::unknown(not_begun(period)))?;
    if form.html {
        let page = render::operations::html(form.lang, &view).map_err(Problem::failed)?;
        return Ok(form.as_html(page));
    }
    form.page(&view, |lang| render::operations::text(lang, &view))
}

/// Why there is none of a period.
pub fn not_begun(period: Period) -> String {
    format!("{period} has not begun")
}

/// As the store has it, by the files of a site; `None`: the period has not begun.
pub async fn of_store(
    reader: &StateReader,
    site: &Arc<Site>,
    period: Period,
) -> Result<Option<OperationsView>, Fatal> {
    let now = HostClock::new()?.now().wall;
    let (first, last) = period.dates();
    let (Ok(from), Ok(end)) = (site.zone.begin(&first.to_string()), site.zone.end_of(last)) else {
        return Ok(None);
    };
    let to = end.min(now);
    if from >= to {
        return Ok(None);
    }
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(site));
    standing(reader, &mut core, false).await?;
    let Some(told) = bulletin_of(reader, &core, (from, to)).await? else { return Ok(None) };
    let limits = site.statistics();
    let asked = StatsAsked { from, to, by: StatsBy::Team, environment: None, limits };
    let executions = change_stats::executions(site, &core.state().standing);
    let prints = prints(reader, &executions, &asked).await?;
    let changes = change_stats::stats(&executions, &prints, &asked, |_| String::new());
    let whole_since = reader.whole_since().await?.unwrap_or(now);
    let (of, told) = ((site.as_ref(), period), (told, changes));
    Ok(Some(operations::of(&core, of, told, (now, whole_since))))
}
