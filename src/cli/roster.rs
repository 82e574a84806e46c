//! `roster`: who is on shift, the table of a month, what is open, and rosters for other programs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{DEFECTS, Failure, REFUSED, WELL};
use super::house;
use super::remote;
use super::run::instant;
use super::show::host_now;
use crate::definition::defect::Defect;
use crate::definition::site::Site;
use crate::definition::source::{SourceFile, SourceTree};
use crate::definition::{Styles, roster_csv};
use crate::driver::files;
use crate::types::{Month, PersonId};
use crate::view::{roster_feed, roster_sheet};
use crate::{render, view};

#[derive(Debug, Subcommand)]
pub(super) enum RosterCommand {
    /// Who is on shift with their telephone numbers and deputies, and who comes next
    Who {
        /// At this time (of the site's zone), such as 2026-10-30T21:30; now by default
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
    },
    /// A table of a month, person by day, and what is open
    Show {
        /// Such as 2026-11; this one by default
        #[arg(long, value_name = "MONTH")]
        month: Option<Month>,
    },
    /// Shifts that need more people than they have; exit code 2 where there are any
    Gaps {
        /// The first date; today by default
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// The last date; a month after the first by default
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
    },
    /// Shifts as an iCalendar file, from a month ago to half a year ahead
    Ics {
        /// Of this person; of all by default
        #[arg(long)]
        person: Option<PersonId>,
    },
    /// The roster as CSV for a spreadsheet
    Export {
        /// The first date; the first of this month by default
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// The last date; the end of its month by default
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
        /// A row for each person and a column for each date, instead of a row for each shift
        #[arg(long)]
        by_day: bool,
    },
    /// Read a CSV file (as exported) and print the entries for roster.yaml; nothing is written
    Import {
        /// The file
        file: PathBuf,
    },
}

pub(super) async fn roster(context: &Context, command: RosterCommand) -> Result<u8, Failure> {
    match command {
        RosterCommand::Who { at } => who(context, at.as_deref()).await,
        RosterCommand::Show { month } => show(context, month).await,
        RosterCommand::Gaps { from, to } => gaps(context, (from, to)).await,
        RosterCommand::Ics { person } => ics(context, person).await,
        RosterCommand::Export { from, to, by_day } => export(context, (from, to), by_day).await,
        RosterCommand::Import { file } => import(context, &file),
    }
}

async fn who(context: &Context, at: Option<&str>) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::roster(context, at).await;
    }
    let site = context.site()?;
    let at = match at {
        Some(text) => instant(text, &site)?,
        None => host_now()?.wall,
    };
    let view = view::roster::of(&site, at);
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => print_line!("{}", render::roster::text(context.lang, &site.zone, &view))?,
    }
    Ok(if view.unknown.is_empty() { WELL } else { REFUSED })
}

/// The site, and what day it is there.
fn site(context: &Context) -> Result<(Arc<Site>, Date), Failure> {
    let site = context.site()?;
    let today = site.zone.tz().to_datetime(host_now()?.wall).date();
    Ok((site, today))
}

async fn show(context: &Context, month: Option<Month>) -> Result<u8, Failure> {
    let dates = month.map(Month::dates);
    if context.remote.is_some() {
        return remote::roster_sheet(context, dates).await;
    }
    let (site, today) = site(context)?;
    let given = (dates.map(|dates| dates.0), dates.map(|dates| dates.1));
    let dates = roster_sheet::month_span(today, given).map_err(Failure::defects)?;
    let view = roster_sheet::of(&site, dates);
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => {
            print_line!("{}", render::roster_sheet::text(context.lang, &site.zone, &view))?;
        }
    }
    Ok(WELL)
}

async fn gaps(context: &Context, given: (Option<Date>, Option<Date>)) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::roster_gaps(context, given).await;
    }
    let (site, today) = site(context)?;
    let dates = roster_sheet::ahead_span(today, given).map_err(Failure::defects)?;
    let view = roster_sheet::gaps_of(&site, dates).map_err(Failure::refused)?;
    match context.format {
        Format::Json => print_line!("{}", json!(view))?,
        Format::Text => {
            print_line!("{}", render::roster_sheet::gaps(context.lang, &site.zone, &view))?;
        }
    }
    Ok(if view.ruled && view.gaps.is_empty() { WELL } else { DEFECTS })
}

async fn ics(context: &Context, person: Option<PersonId>) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::roster_feed(context, person.as_ref()).await;
    }
    let (site, today) = site(context)?;
    if let Some(unknown) = person.as_ref().filter(|person| !site.people.contains_key(person)) {
        let known = site.people.keys().map(PersonId::as_str);
        return Err(house::unknown("person", unknown.as_str(), known));
    }
    let events = roster_feed::of(&site, roster_feed::span(today), person.as_ref());
    let of = (today, person.as_ref());
    let text = render::roster_feed::of_site(&site, of, &events);
    super::output::whole(&text)?;
    Ok(WELL)
}

async fn export(
    context: &Context,
    given: (Option<Date>, Option<Date>),
    by_day: bool,
) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return match by_day {
            true => Err(Failure::defects("--by-day is for the host that has the job files")),
            false => remote::roster_export(context, given).await,
        };
    }
    let (site, today) = site(context)?;
    let dates = roster_sheet::month_span(today, given).map_err(Failure::defects)?;
    let view = roster_sheet::of(&site, dates);
    let text = match by_day {
        true => render::roster_sheet::csv_by_day(&view),
        false => render::roster_sheet::csv(context.lang, &view),
    };
    super::output::whole(&text)?;
    Ok(WELL)
}

/// Prints what would be pasted into `roster.yaml`: a file that people write is left to people, with its comments and its
/// order.
fn import(context: &Context, file: &Path) -> Result<u8, Failure> {
    let site = context.site()?;
    let unread = |why: std::io::Error| Failure::defects(format!("{}: {why}", file.display()));
    let bytes = files::whole(file).map_err(unread)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let hint = "save it as `CSV UTF-8`; GBK and Latin-1 are not read";
        return Err(Failure::defects(format!("{}: not UTF-8: {hint}", file.display())));
    };
    match roster_csv::read(&site, text) {
        Ok(entries) => {
            match context.format {
                Format::Json => print_line!("{}", json!(entries))?,
                Format::Text => print_line!("{}", roster_csv::yaml(&entries).trim_end())?,
            }
            Ok(WELL)
        }
        Err(found) => {
            let mut tree = SourceTree::default();
            tree.insert(file, SourceFile::Content(bytes.clone()));
            let lines = tree.lines(file);
            let defects = found.into_iter().map(|finding| Defect::of(file, &lines, finding));
            let told: Vec<String> =
                defects.map(|defect| defect.text(Path::new(""), Styles::plain())).collect();
            Err(Failure::defects(told.concat().trim_end()))
        }
    }
}
