//! `doctor`: what is missing or wrong on this host, and what to do.

use super::arguments::Format;
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use crate::app;
use crate::render::health;
use crate::view::health::Finding;

/// `doctor`: one line a finding; nothing is changed, and nothing is started.
pub(super) async fn doctor(context: &Context) -> Result<u8, Failure> {
    let places = app::Examined {
        settings: context.settings.as_deref(),
        site: &context.site,
        definitions: &context.definitions,
        state: &context.state,
        shared: context.shared(),
        store: &context.store,
        awaits_agent: !context.starts_agent,
        retention: context.retention.as_ref(),
        backup_within: context.backup_within,
    };
    let findings = app::examine(&places).await.map_err(Failure::failed)?;
    match context.format {
        Format::Text => anstream::print!("{}", health::page(context.lang, &findings)),
        Format::Json => {
            let list: Vec<serde_json::Value> =
                findings.iter().map(|finding| json(context, finding)).collect();
            let json = serde_json::to_string_pretty(&list).map_err(Failure::failed)?;
            anstream::println!("{json}");
        }
    }
    Ok(if health::is_well(&findings) { WELL } else { FAILED })
}

/// The finding, with how bad it is, what it is about, and the line that people read.
fn json(context: &Context, finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "part": finding.part(),
        "grade": finding.grade(),
        "text": health::words(context.lang, finding),
        "found": finding,
    })
}
