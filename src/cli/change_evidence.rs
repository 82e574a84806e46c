//! `change evidence`: what people see before they decide what became of a change in doubt.

use std::sync::Arc;

use clap::Args;

use super::arguments::Format;
use super::change_records::engine;
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use crate::agent::worker::change::look::{Look, Scripts, look};
use crate::core::fact::Fact;
use crate::definition::site::Site;
use crate::driver::store::StateReader;
use crate::http::store_changes;
use crate::port::StoreReader;
use crate::render;
use crate::types::{AttemptId, ChangeId};
use crate::view::change_diff::Texts;
use crate::view::change_evidence::{self, ChangeEvidence, Doubted};
use crate::wire::{Evidence, Found, Looked, Work};

#[derive(Debug, Args)]
pub(super) struct EvidenceArguments {
    /// Such as fee-correction
    change: ChangeId,
    /// That of its last attempt by default
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

/// `change evidence`: exit code 1 where the target cannot be asked.
pub(super) async fn evidence(context: &Context, asked: EvidenceArguments) -> Result<u8, Failure> {
    if context.remote.is_some() {
        let what =
            "the target is asked from the host whose agent reaches it; run the command there";
        return Err(Failure::refused(what));
    }
    let EvidenceArguments { change, environment } = asked;
    let (site, evidence) = gathered(context, &change, environment.as_deref()).await?;
    match context.format {
        Format::Json => print_line!("{}", serde_json::json!(evidence))?,
        Format::Text => {
            let text = render::change_evidence::text(context.lang, &site.zone, &evidence);
            print_line!("{}", text.trim_end())?;
        }
    }
    let unread = matches!(evidence.looked.found, Found::Unread { .. });
    Ok(if unread { FAILED } else { WELL })
}

/// Shows the evidence before somebody decides, as far as it can be had.
pub(super) async fn shown_before(context: &Context, change: &ChangeId) {
    if context.remote.is_some() || context.format == Format::Json {
        return;
    }
    match gathered(context, change, None).await {
        Ok((site, evidence)) => {
            let text = render::change_evidence::text(context.lang, &site.zone, &evidence);
            notice_line!("{}", text.trim_end());
        }
        Err(failure) => notice_line!("no evidence: {}", failure.what),
    }
}

async fn gathered(
    context: &Context,
    change: &ChangeId,
    environment: Option<&str>,
) -> Result<(Arc<Site>, ChangeEvidence), Failure> {
    let (site, standing) = (context.site()?, context.standing().await?);
    let life = standing.changes.get(change);
    let of = life.and_then(|life| change_evidence::last(life, change, environment));
    let of = of.ok_or_else(|| {
        let there = environment.map(|of| format!(" in {of}")).unwrap_or_default();
        Failure::refused(format!("{change} was not tried{there}: there is nothing to look at"))
    })?;
    let reader = context.reader().await?;
    let earlier = earlier(&reader, &of.attempt).await?;
    let kept = store_changes::texts(&reader, of.scripts.iter().cloned()).await;
    let kept = kept.map_err(Failure::failed)?;
    let looked = looked(context, &site, &of, &kept).await?;
    let against = change_evidence::against(&looked.found);
    Ok((site, ChangeEvidence { of, earlier, looked, against }))
}

async fn looked(
    context: &Context,
    site: &Site,
    of: &Doubted,
    kept: &Texts,
) -> Result<Looked, Failure> {
    let engine = match engine(context, site, &of.target) {
        Ok(engine) => engine,
        Err(why) => return Ok(Looked { found: Found::Unread { why }, evidence: Vec::new() }),
    };
    // A script that is left out, because nightrun keeps the rows itself, has no digest.
    let text = |digest: &String| match digest.as_str() {
        "" => Some(""),
        digest => kept.get(digest).map(String::as_str),
    };
    let mut texts = of.scripts.iter().map_while(text);
    let scripts = match (texts.next(), texts.next(), texts.next(), texts.next()) {
        (Some(backup), Some(change), Some(verify), Some(rollback)) => {
            Some(Scripts { backup, change, verify, rollback })
        }
        _ => None,
    };
    let agent = context.existing_state()?.agent();
    Ok(look(Look {
        engine: &engine,
        change: &of.change,
        attempt: &of.attempt,
        content: &of.content,
        scripts,
        agent: &agent,
    })
    .await)
}

/// What looks of the run have found, as the journal has it.
async fn earlier(reader: &StateReader, attempt: &AttemptId) -> Result<Vec<Evidence>, Failure> {
    let mut all = Vec::new();
    for sealed in reader.own_entries(&attempt.run).await.map_err(Failure::failed)? {
        if sealed.kind != "attempt-ended" || sealed.is_archived() {
            continue;
        }
        if let Fact::AttemptEnded { ended, .. } = sealed.open().map_err(Failure::failed)?.fact
            && ended.attempt.job == attempt.job
            && let Some(Work::Change(work)) = ended.work
        {
            all.extend(work.evidence);
        }
    }
    Ok(all)
}
