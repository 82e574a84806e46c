//! `change list`, `lists`, `show`: how changes stand.

use std::path::PathBuf;

use clap::Args;

use super::arguments::Format;
use super::asking;
use super::change::{ask, class};
use super::context::Context;
use super::exit::{Failure, WELL};
use super::show::host_now;
use crate::core::change::Stage;
use crate::definition::site::ChangeClass;
use crate::render;
use crate::types::{ChangeId, TeamName};
use crate::view::change::{self, ChangesPage, Month, WhichChanges};
use crate::view::signoff;

#[derive(Debug, Args)]
pub(super) struct ListArguments {
    /// Such as approved, executed, in-doubt
    #[arg(long, value_parser = stage)]
    stage: Option<Stage>,
    /// Only those that go there
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Only of this team
    #[arg(long)]
    team: Option<TeamName>,
    /// data, structure, parameter, bug-fix or release
    #[arg(long, value_parser = class)]
    class: Option<ChangeClass>,
    /// Only those whose last step was taken in it, such as 2026-10
    #[arg(long, value_parser = |text: &str| Month::try_from(text.to_owned()))]
    month: Option<Month>,
}

fn stage(text: &str) -> Result<Stage, String> {
    let known = Stage::ALL.into_iter().find(|stage| stage.name() == text);
    known.ok_or_else(|| format!("one of: {}", Stage::ALL.map(Stage::name).join(", ")))
}

pub(super) async fn list(context: &Context, which: ListArguments) -> Result<u8, Failure> {
    let ListArguments { stage, environment, team, class, month } = which;
    if context.remote.is_some() {
        let mut path = "/api/v1/changes?limit=1000".to_owned();
        for (name, value) in [
            ("stage", stage.map(|stage| stage.name().to_owned())),
            ("environment", environment),
            ("team", team.map(|team| team.to_string())),
            ("class", class.map(|class| class.name().to_owned())),
            ("month", month.map(|month| month.as_str().to_owned())),
        ] {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", asking::in_path(&value)));
            }
        }
        return ask(context, path).await;
    }
    let (site, standing) = (context.site()?, context.standing().await?);
    let which = WhichChanges { stage, environment, team, class, month };
    let page = ChangesPage { items: change::list(&site, &standing, &which), next: None };
    match context.format {
        Format::Json => print_line!("{}", serde_json::json!(page))?,
        Format::Text => {
            let text = render::change::list_text(context.lang, &site.zone, &page.items);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}

pub(super) async fn lists(
    context: &Context,
    environment: Option<String>,
    html: Option<PathBuf>,
) -> Result<u8, Failure> {
    if context.remote.is_some() {
        if html.is_some() {
            let what = "the page is made where the store is";
            return Err(Failure::refused(format!("{what}; without `--html` the server answers")));
        }
        let named = environment.map(|named| format!("?environment={}", asking::in_path(&named)));
        return ask(context, format!("/api/v1/changes/lists{}", named.unwrap_or_default())).await;
    }
    let (site, standing) = (context.site()?, context.standing().await?);
    let page = signoff::page(&site, &standing, environment.as_deref(), host_now()?.wall);
    let page = page.map_err(|refused| Failure::by_rule(&refused))?;
    if let Some(file) = html {
        let lang = context.asked_lang.unwrap_or(site.language);
        let text = render::signoff::html(lang, &page).map_err(Failure::failed)?;
        super::write(&file, text.as_bytes())?;
        print_line!("{}", file.display())?;
        return Ok(WELL);
    }
    super::show::page(context, &render::signoff::text(context.lang, &page), &page)
}

pub(super) async fn show(context: &Context, id: ChangeId) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return ask(context, format!("/api/v1/changes/{id}")).await;
    }
    let (site, standing) = (context.site()?, context.standing().await?);
    let page = change::one(&site, &standing, &id, host_now()?.wall);
    let page = page.ok_or_else(|| Failure::refused(format!("there is no change {id}")))?;
    match context.format {
        Format::Json => print_line!("{}", serde_json::json!(page))?,
        Format::Text => {
            let text = render::change::page_text(context.lang, &site.zone, &page);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}
