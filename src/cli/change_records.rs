//! Records of changes: what is handed to whoever asks what became of one, or of all.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::arguments::Format;
use super::asking;
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use super::remote;
use super::show::host_now;
use crate::agent::worker::look;
use crate::core::launch::absolute;
use crate::core::state::Standing;
use crate::definition::copy::sha256;
use crate::definition::site::{Engine, Site};
use crate::driver::store::StateReader;
use crate::http::store_changes;
use crate::port::{Folders, SiteSource};
use crate::render;
use crate::supervisor::prints;
use crate::types::{ChangeId, TargetName};
use crate::view::change_diff::{self, Since, Texts};
use crate::view::change_proof::{self, Asked, ChangeProof, Recorded, Said};
use crate::view::change_stats::{self, ChangeStats, StatsAsked, StatsBy};
use crate::view::environments;

#[derive(Debug, Args)]
pub(super) struct ProofArguments {
    /// Such as fee-correction
    change: ChangeId,
    /// Only what was done there
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Write it as one HTML page into this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Do not read the targets; such a proof is not whole
    #[arg(long)]
    offline: bool,
    /// Folder of the archives of runs, where the settings do not name it
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
}

/// What records are made from.
pub(super) struct Records {
    pub(super) site: Arc<Site>,
    pub(super) standing: Standing,
    reader: StateReader,
}

impl Records {
    pub(super) async fn of(context: &Context) -> Result<Self, Failure> {
        let reader = context.reader().await?;
        Ok(Self { site: context.site()?, standing: context.standing().await?, reader })
    }

    /// Refuses what is no environment.
    pub(super) fn there(&self, environment: Option<&str>) -> Result<(), Failure> {
        let checked = environments::check(&self.site, &self.standing.changes, environment);
        checked.map_err(|refused| Failure::by_rule(&refused))
    }

    pub(super) async fn recorded(
        &self,
        context: &Context,
        archive: Option<&Path>,
        changes: &BTreeSet<ChangeId>,
    ) -> Result<Recorded, Failure> {
        let set = context.retention.as_ref().map(|retention| retention.archive.as_path());
        let archives = archive.or(set);
        let read = store_changes::recorded(&self.reader, archives, &self.standing, changes).await;
        read.map_err(Failure::failed)
    }
}

/// A target as it is opened from here. Relative files lie in the work folder.
pub(super) fn engine(
    context: &Context,
    site: &Site,
    target: &TargetName,
) -> Result<Engine, String> {
    let known = site.targets.get(target);
    let known = known.ok_or_else(|| format!("the site declares no target {target} any more"))?;
    let state = context.existing_state().map_err(|failure| failure.what)?;
    Ok(absolute(&known.engine, &state.work()))
}

pub(super) async fn said(
    context: &Context,
    site: &Site,
    change: &ChangeId,
    target: &TargetName,
) -> Said {
    let read = match engine(context, site, target) {
        Ok(engine) => look::marked(&engine, change).await,
        Err(why) => Err(why),
    };
    match (read, host_now()) {
        (Ok(marked), Ok(now)) => Said::Now { at: now.wall, marked },
        (Err(why), _) => Said::Unreachable { why },
        (_, Err(failure)) => Said::Unreachable { why: failure.what },
    }
}

pub(super) async fn prove(
    context: &Context,
    records: &Records,
    recorded: &Recorded,
    (change, environment, offline): (&ChangeId, Option<&str>, bool),
) -> Result<ChangeProof, Failure> {
    let Records { site, standing, .. } = records;
    let mut told = Vec::new();
    if let Some(life) = standing.changes.get(change) {
        for (_, target) in change_proof::tried_in(life, environment) {
            told.push(match offline {
                true => Said::NotAsked,
                false => said(context, site, change, target).await,
            });
        }
    }
    let asked = Asked { change, environment, now: host_now()?.wall };
    let proof = change_proof::of((site, standing), asked, recorded, told);
    proof.ok_or_else(|| Failure::refused(format!("there is no change {change}")))
}

/// `change proof`: exit code 1 where it is not whole.
pub(super) async fn proof(context: &Context, asked: ProofArguments) -> Result<u8, Failure> {
    let ProofArguments { change, environment, html, offline, archive } = asked;
    if context.remote.is_some() {
        if html.is_some() {
            let what = "over the API there is no page; ask with `accept: text/html` instead";
            return Err(Failure::defects(what));
        }
        let of = environment.map(|of| format!("?environment={}", asking::in_path(&of)));
        let path = format!("/api/v1/changes/{change}/proof{}", of.unwrap_or_default());
        return remote::long(context, path, false).await;
    }
    let records = Records::of(context).await?;
    records.there(environment.as_deref())?;
    let only = BTreeSet::from([change.clone()]);
    let recorded = records.recorded(context, archive.as_deref(), &only).await?;
    let asked = (&change, environment.as_deref(), offline);
    let proof = prove(context, &records, &recorded, asked).await?;
    let zone = &records.site.zone;
    if let Some(file) = html {
        let page = render::change_proof_html::page(context.lang, zone, &proof);
        super::write(&file, page.map_err(Failure::failed)?.as_bytes())?;
        notice_line!("{}", super::show::short(&file).display());
        for fault in render::change_proof::faults(context.lang, &proof) {
            notice_line!("  {fault}");
        }
    } else if context.format == Format::Json {
        print_line!("{}", serde_json::to_string_pretty(&proof).map_err(Failure::failed)?)?;
    } else {
        let text = render::change_proof::text(context.lang, zone, &proof);
        print_line!("{}", text.trim_end())?;
    }
    Ok(if proof.whole { WELL } else { FAILED })
}

#[derive(Debug, Args)]
pub(super) struct DiffArguments {
    /// Such as fee-correction
    change: ChangeId,
    /// Another change, whose scripts are compared with its own as both are now
    with: Option<ChangeId>,
    /// submission or approval: what is compared with what is there now
    #[arg(long, default_value = "submission", value_parser = since, conflicts_with = "with")]
    since: Since,
}

fn since(text: &str) -> Result<Since, String> {
    match text {
        "submission" => Ok(Since::Submission),
        "approval" => Ok(Since::Approval),
        _ => Err("one of: submission, approval".to_owned()),
    }
}

/// `change diff`.
pub(super) async fn diff(context: &Context, asked: DiffArguments) -> Result<u8, Failure> {
    let DiffArguments { change, with, since } = asked;
    if context.remote.is_some() {
        let asks = match (&with, since) {
            (Some(with), _) => format!("?with={}", asking::in_path(with)),
            (None, Since::Approval) => "?since=approval".to_owned(),
            (None, Since::Submission) => String::new(),
        };
        return super::change::ask(context, format!("/api/v1/changes/{change}/diff{asks}")).await;
    }
    let source = context.source()?;
    let loaded = source.read().map_err(Failure::defects)?;
    let site = &loaded.site;
    let standing = context.standing().await?;
    let mut texts = Texts::new();
    if let Some(reader) = context.reader_if_any().await? {
        let wanted = change_diff::wanted(site, &standing, &change, since);
        texts = store_changes::texts(&reader, wanted).await.map_err(Failure::failed)?;
    }
    let both = std::iter::once(&change).chain(&with).filter_map(|id| site.changes.get(id));
    let folders: Vec<&Path> = both.map(|change| change.folder.as_path()).collect();
    let wanted = |path: &Path| path.parent().is_some_and(|folder| folders.contains(&folder));
    for bytes in source.files(&loaded, &wanted).map_err(Failure::failed)?.into_values() {
        texts.insert(sha256(&bytes), String::from_utf8_lossy(&bytes).into_owned());
    }
    let diff = match &with {
        Some(with) => change_diff::between(site, &change, with, &texts),
        None => change_diff::of(site, &standing, &change, since, &texts),
    };
    let diff = diff.ok_or_else(|| {
        let with = with.as_ref().map(|with| format!(", or no {with}")).unwrap_or_default();
        Failure::refused(format!("there is no change {change}{with}"))
    })?;
    match context.format {
        Format::Json => print_line!("{}", serde_json::json!(diff))?,
        Format::Text => {
            let text = render::change::diff_text(context.lang, &site.zone, &diff);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}

#[derive(Debug, Args)]
pub(super) struct StatsArguments {
    /// From this date or time (of the site's zone); from the first change by default
    #[arg(long, value_name = "DATE|TIME")]
    from: Option<String>,
    /// To the end of this date, or to this time; until now by default
    #[arg(long, value_name = "DATE|TIME")]
    to: Option<String>,
    /// team (of the requester), author-team, class or month
    #[arg(long, default_value = "team", value_parser = stats_by)]
    by: StatsBy,
    /// Only what was executed there
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Comma-separated values instead of tables
    #[arg(long)]
    csv: bool,
}

fn stats_by(text: &str) -> Result<StatsBy, String> {
    let known = StatsBy::ALL.into_iter().find(|by| by.name() == text);
    known.ok_or_else(|| format!("one of: {}", StatsBy::ALL.map(StatsBy::name).join(", ")))
}

/// `change stats`.
pub(super) async fn stats(context: &Context, asked: StatsArguments) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote_stats(context, asked).await;
    }
    let records = Records::of(context).await?;
    records.there(asked.environment.as_deref())?;
    let period = Period::of(&records, asked.from.as_deref(), asked.to.as_deref())?;
    let (by, environment) = (asked.by, asked.environment);
    let asked_for = StatsAsked {
        from: period.from,
        to: period.to,
        by,
        environment,
        limits: records.site.statistics(),
    };
    let stats = figures(&records, &asked_for).await?;
    match context.format {
        _ if asked.csv => print_line!("{}", render::change_stats::csv(&stats).trim_end())?,
        Format::Json => print_line!("{}", serde_json::json!(stats))?,
        Format::Text => {
            let text = render::change_stats::text(context.lang, &records.site.zone, &stats);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}

/// A time that is asked about: by default from the first execution until now.
pub(super) struct Period {
    pub(super) from: Timestamp,
    /// Not included.
    pub(super) to: Timestamp,
}

impl Period {
    pub(super) fn of(
        records: &Records,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Self, Failure> {
        let (zone, now) = (&records.site.zone, host_now()?.wall);
        let first = change_stats::executions(&records.site, &records.standing);
        let first = first.first().map_or(now, |first| first.ended);
        Ok(Self {
            from: from.map_or(Ok(first), |text| zone.begin(text)).map_err(Failure::defects)?,
            to: to.map_or(Ok(now), |text| zone.end(text)).map_err(Failure::defects)?,
        })
    }
}

pub(super) async fn figures(records: &Records, asked: &StatsAsked) -> Result<ChangeStats, Failure> {
    let Records { site, standing, reader } = records;
    let executions = change_stats::executions(site, standing);
    let prints = prints(reader, &executions, asked).await;
    let prints = prints.map_err(Failure::failed)?;
    let zone = &site.zone;
    let month = |at: Timestamp| at.to_zoned(zone.tz().clone()).strftime("%Y-%m").to_string();
    Ok(change_stats::stats(&executions, &prints, asked, month))
}

async fn remote_stats(context: &Context, asked: StatsArguments) -> Result<u8, Failure> {
    let StatsArguments { from, to, by, environment, csv } = asked;
    let mut path = format!("/api/v1/changes/stats?by={}", by.name());
    for (name, value) in [("from", from), ("to", to), ("environment", environment)] {
        if let Some(value) = value {
            path.push_str(&format!("&{name}={}", asking::in_path(&value)));
        }
    }
    remote::long(context, path, csv).await
}
