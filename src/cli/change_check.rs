//! `change check`: whether targets still hold what was done there. `change export`: the records of a time as files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::arguments::Format;
use super::change_records::{Period, Records, figures, prove, said};
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use super::show::{host_now, short};
use crate::port::StoreReader;
use crate::render;
use crate::types::{ChangeId, TargetName};
use crate::view::change_proof::Said;
use crate::view::change_stats::{self, StatsAsked, StatsBy};
use crate::view::drift::{Checked, checked, done_since};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// What was done in the last so many days
    #[arg(long, default_value_t = 30, value_name = "N")]
    days: u32,
    /// Only what was done there
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

/// `change check`: exit code 1 where a target says otherwise than the journal, or cannot be asked.
pub(super) async fn check(context: &Context, asked: CheckArguments) -> Result<u8, Failure> {
    here_only(context)?;
    let records = Records::of(context).await?;
    records.there(asked.environment.as_deref())?;
    let days = jiff::SignedDuration::from_hours(24 * i64::from(asked.days));
    let since = host_now()?.wall.saturating_sub(days).map_err(Failure::failed)?;
    let places = done_since(&records.standing, since, asked.environment.as_deref());
    let mut lines = Vec::new();
    // One that cannot be asked is waited for once, not for each change.
    let mut away: BTreeMap<&TargetName, String> = BTreeMap::new();
    for place in &places {
        let Some(target) = &place.target else {
            let why = "the journal does not have where it went".to_owned();
            lines.extend(checked(&records.standing, place, Said::Unreachable { why }, since));
            continue;
        };
        let said = match away.get(target) {
            Some(why) => Said::Unreachable { why: why.clone() },
            None => said(context, &records.site, &place.change, target).await,
        };
        if let Said::Unreachable { why } = &said {
            away.insert(target, why.clone());
        }
        lines.extend(checked(&records.standing, place, said, since));
    }
    match context.format {
        Format::Json => print_line!("{}", json!(lines))?,
        Format::Text => {
            let text = render::change_check::text(context.lang, &lines);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(if lines.iter().all(Checked::is_same) { WELL } else { FAILED })
}

fn here_only(context: &Context) -> Result<(), Failure> {
    if context.remote.is_none() {
        return Ok(());
    }
    let what = "targets are read from the host whose agent reaches them; run the command there";
    Err(Failure::refused(what))
}

#[derive(Debug, Args)]
pub(super) struct ExportArguments {
    /// From this date or time (of the site's zone); from the first change by default
    #[arg(long, value_name = "DATE|TIME")]
    from: Option<String>,
    /// To the end of this date, or to this time; until now by default
    #[arg(long, value_name = "DATE|TIME")]
    to: Option<String>,
    /// Do not read the targets; such proofs are not whole
    #[arg(long)]
    offline: bool,
    /// Folder of the archives of runs, where the settings do not name it
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// The folder to write into, which is made where it is not there
    dir: PathBuf,
}

/// `change export`: exit code 1 where a proof is not whole.
pub(super) async fn export(context: &Context, asked: ExportArguments) -> Result<u8, Failure> {
    here_only(context)?;
    let records = Records::of(context).await?;
    let period = Period::of(&records, asked.from.as_deref(), asked.to.as_deref())?;
    let executions = change_stats::executions(&records.site, &records.standing);
    let of_time: Vec<_> = executions
        .into_iter()
        .filter(|it| period.from <= it.ended && it.ended < period.to)
        .collect();
    let changes: BTreeSet<ChangeId> = of_time.iter().map(|it| it.change.clone()).collect();
    let recorded = records.recorded(context, asked.archive.as_deref(), &changes).await?;
    let mut proofs = Vec::new();
    for change in &changes {
        let which = (change, None, asked.offline);
        proofs.push(prove(context, &records, &recorded, which).await?);
    }
    let reader = context.reader().await?;
    let folder = &asked.dir;
    let zone = &records.site.zone;
    for proof in &proofs {
        let page = render::change_proof_html::page(context.lang, zone, proof);
        let name = format!("{}.html", proof.line.id);
        put(&folder.join("proofs").join(name), &page.map_err(Failure::failed)?)?;
        // As they were submitted, byte for byte: their SHA-256 is the one of the proof.
        for of in &proof.scripts {
            if let Some(bytes) = reader.blob_get(&of.digest).await.map_err(Failure::failed)? {
                let file = folder.join("scripts").join(proof.line.id.as_str()).join(&of.script);
                super::write(&file, &bytes)?;
            }
        }
    }
    put(&folder.join("changes.csv"), &render::change_check::csv(&of_time, &proofs))?;
    let whole = json!({ "from": period.from, "to": period.to, "changes": proofs });
    put(&folder.join("changes.json"), &pretty(&whole)?)?;
    for by in StatsBy::ALL {
        let (from, to) = (period.from, period.to);
        let limits = records.site.statistics();
        let asked_for = StatsAsked { from, to, by, environment: None, limits };
        let stats = figures(&records, &asked_for).await?;
        put(&folder.join(format!("stats-{}.csv", by.name())), &render::change_stats::csv(&stats))?;
        put(&folder.join(format!("stats-{}.json", by.name())), &pretty(&json!(stats))?)?;
    }
    let not_whole: Vec<&ChangeId> =
        proofs.iter().filter(|proof| !proof.whole).map(|proof| &proof.line.id).collect();
    match context.format {
        Format::Json => print_line!(
            "{}",
            json!({ "folder": folder, "changes": proofs.len(), "executions": of_time.len(), "not_whole": not_whole })
        )?,
        Format::Text => {
            let counts = (proofs.len(), of_time.len(), not_whole.as_slice());
            let text = render::change_check::exported(context.lang, &short(folder), counts);
            print_line!("{text}")?;
        }
    }
    Ok(if not_whole.is_empty() { WELL } else { FAILED })
}

fn put(file: &Path, text: &str) -> Result<(), Failure> {
    super::write(file, text.as_bytes())
}

fn pretty(data: &serde_json::Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(data).map(|text| text + "\n").map_err(Failure::failed)
}
