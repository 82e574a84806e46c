//! `incident`: which are open, what was done about one, the steps of people, and the report.

use std::sync::Arc;

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::house::carry_out;
use super::remote;
use super::run::instant;
use super::show::host_now;
use crate::core::incident::{IncidentOrder, Wanted};
use crate::core::night::Core;
use crate::http::store_pages;
use crate::port::control::House;
use crate::render;
use crate::supervisor::{on_call_of, standing};
use crate::types::{IncidentId, IncidentKind, Severity};
use crate::view::incident::{IncidentMail, Which};
use crate::view::of_incident;
use crate::view::of_job::Around;

#[derive(Debug, Subcommand)]
pub(super) enum IncidentCommand {
    /// Incidents that are open, the newest first
    List {
        /// Those that are over and lack their report, too
        #[arg(long)]
        unfinished: bool,
        /// All that are known
        #[arg(long, conflicts_with = "unfinished")]
        all: bool,
    },
    /// What is known of one and what was done about it
    Show { incident: IncidentId },
    /// Take care of it: nobody else is told any more
    Ack {
        incident: IncidentId,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Take it over from whoever takes care of it
    TakeOver {
        incident: IncidentId,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Record something about it
    Note { incident: IncidentId, text: String },
    /// Somebody is on site
    OnSite {
        incident: IncidentId,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// A third party was brought in
    ThirdParty {
        incident: IncidentId,
        /// Who
        whom: String,
        #[arg(long, value_name = "TEXT", default_value = "")]
        reason: String,
    },
    /// Tell nobody about it for a while, at most a day; limits go on
    Mute {
        incident: IncidentId,
        /// Such as 2026-10-31T06:00, in the site's zone
        #[arg(long, value_name = "TIME")]
        until: String,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Tell people again
    Unmute { incident: IncidentId },
    /// Grade it anew: p1 is the gravest
    Grade {
        incident: IncidentId,
        severity: Severity,
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// A service could not be used from one time to another
    Interruption {
        incident: IncidentId,
        #[arg(long, value_name = "NAME")]
        service: String,
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Now by default
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
        /// Its cause, where that is outside the system: it counts in no availability
        #[arg(long, value_name = "TEXT", default_value = "")]
        outside: String,
    },
    /// Say what it was and what was done; it is over then
    Resolve {
        incident: IncidentId,
        #[arg(long, value_name = "TEXT")]
        cause: String,
        #[arg(long, value_name = "TEXT")]
        measure: String,
    },
    /// The incident report, drafted from the record
    Report {
        incident: IncidentId,
        #[arg(long, value_enum, default_value_t = Written::Markdown)]
        r#as: Written,
        /// Record that it was handed in, and print nothing
        #[arg(long)]
        handed_in: bool,
    },
    /// Open one: something that nightrun does not see itself
    Open {
        /// What is wrong, or wanted
        title: String,
        /// fault, request, problem
        #[arg(long, default_value = "fault")]
        kind: IncidentKind,
        /// p1, p2, p3
        #[arg(long, default_value = "p2")]
        severity: Severity,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Written {
    Markdown,
    Html,
}

pub(super) async fn incident(context: &Context, command: IncidentCommand) -> Result<u8, Failure> {
    use IncidentCommand as Do;
    let at = |text: &str| context.site().and_then(|site| instant(text, &site));
    let (incident, wanted, reason) = match command {
        Do::List { unfinished, all } => {
            let which = match (unfinished, all) {
                (_, true) => Which::All,
                (true, _) => Which::Unfinished,
                _ => Which::Open,
            };
            return list(context, which).await;
        }
        Do::Show { incident } => return show(context, incident).await,
        Do::Report { incident, r#as, handed_in: false } => {
            return report(context, incident, r#as).await;
        }
        Do::Open { title, kind, severity } => {
            let order = Box::new(IncidentOrder::Open { title, kind, severity });
            return carry_out(context, House::Incident { order }, String::new(), false).await;
        }
        Do::Ack { incident, reason } => (incident, Wanted::Acknowledge, reason),
        Do::TakeOver { incident, reason } => (incident, Wanted::TakeOver, reason),
        Do::Note { incident, text } => (incident, Wanted::Note, text),
        Do::OnSite { incident, reason } => (incident, Wanted::OnSite, reason),
        Do::ThirdParty { incident, whom, reason } => {
            (incident, Wanted::ThirdParty { whom }, reason)
        }
        Do::Mute { incident, until, reason } => {
            (incident, Wanted::Mute { until: at(&until)? }, reason)
        }
        Do::Unmute { incident } => (incident, Wanted::Unmute, String::new()),
        Do::Grade { incident, severity, reason } => (incident, Wanted::Grade { severity }, reason),
        Do::Interruption { incident, service, from, to, outside } => {
            let to = to.map_or_else(|| Ok(host_now()?.wall), |to| at(&to))?;
            let wanted = Wanted::Interruption { service, from: at(&from)?, to, outside };
            (incident, wanted, String::new())
        }
        Do::Resolve { incident, cause, measure } => {
            (incident, Wanted::Resolve { cause, measure }, String::new())
        }
        Do::Report { incident, .. } => (incident, Wanted::Report, String::new()),
    };
    let order = Box::new(IncidentOrder::Step { incident, wanted });
    carry_out(context, House::Incident { order }, reason, false).await
}

/// The incidents of the store, with the people who are on call now.
pub(super) async fn known(context: &Context) -> Result<Core, Failure> {
    let mut core = Core::new(1);
    core.have_on_call(on_call_of(&context.site()?));
    let reader = context.reader().await?;
    standing(&reader, &mut core, false).await.map_err(Failure::failed)?;
    Ok(core)
}

async fn list(context: &Context, which: Which) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::page(context, format!("/api/v1/incidents?state={}", which.word())).await;
    }
    let lines = of_incident::list(&known(context).await?, which);
    let (site, now) = (context.site()?, host_now()?.wall);
    match context.format {
        Format::Json => print_line!("{}", json!({ "items": lines }))?,
        Format::Text => print_line!(
            "{}",
            render::incident::list_text(context.lang, (&site.zone, now), which, &lines)
        )?,
    }
    Ok(WELL)
}

async fn show(context: &Context, incident: IncidentId) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::page(context, format!("/api/v1/incidents/{incident}")).await;
    }
    let view = mail(context, incident).await?.incident;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::incident::text(context.lang, &view))?,
    }
    Ok(WELL)
}

async fn report(context: &Context, incident: IncidentId, written: Written) -> Result<u8, Failure> {
    if context.remote.is_some() {
        if written == Written::Html {
            let what = "over the API the report comes as Markdown";
            return Err(Failure::defects(format!("{what}; leave `--as html` out")));
        }
        return remote::page(context, format!("/api/v1/incidents/{incident}/report")).await;
    }
    let view = mail(context, incident).await?;
    let lang = context.lang;
    match written {
        Written::Markdown => {
            print_line!("{}", render::incident_report::markdown(lang, &view).trim_end())?
        }
        Written::Html => {
            let page = render::incident_report::html(lang, &view).map_err(Failure::failed)?;
            print_line!("{}", page.trim_end())?;
        }
    }
    Ok(WELL)
}

/// With its run, where that is at hand.
async fn mail(context: &Context, incident: IncidentId) -> Result<IncidentMail, Failure> {
    let (reader, site) = (context.reader().await?, Arc::new(context.site()?));
    let found = store_pages::of_incident(&reader, &site, incident).await;
    let (core, now) = found.map_err(Failure::failed)?;
    of_incident::mail((&core, None), incident, now, Around::nothing()).map_err(Failure::refused)
}
