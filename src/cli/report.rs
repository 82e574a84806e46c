//! `report`: the morning report of a run, its files, and who answers for it; the operations report of a longer time.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::act;
use super::arguments::ActArguments;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use super::show::{find_at_hand, page};
use crate::core::select::Deed;
use crate::definition::site::ReportFormat;
use crate::http;
use crate::http::store_pages::Recalled;
use crate::render;
use crate::render::report::NoForm;
use crate::supervisor::on_call_of;
use crate::types::{BatchId, BusinessDate, Month, Period, PeriodKind, Quarter, RunId};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ReportArguments {
    #[command(subcommand)]
    command: Option<ReportCommand>,
    /// The last run of this batch; of any batch by default
    #[arg(long)]
    batch: Option<BatchId>,
    /// The last run of this business date
    #[arg(long, value_name = "DATE")]
    date: Option<BusinessDate>,
    /// This run, such as eod@2026-10-30#1; `nightrun runs` lists them
    #[arg(long, conflicts_with_all = ["batch", "date"])]
    run: Option<RunId>,
    /// The operations report of the week that this date is in, Monday to Sunday
    #[arg(long, value_name = "DATE", conflicts_with_all = ["batch", "date", "run"])]
    week: Option<Date>,
    /// The operations report of a month, such as 2026-11
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["batch", "date", "run", "week"])]
    month: Option<Month>,
    /// The operations report of a quarter, such as 2026-Q4
    #[arg(long, value_name = "QUARTER", conflicts_with_all = ["batch", "date", "run", "week", "month"])]
    quarter: Option<Quarter>,
    /// Write the HTML page to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write it as PDF to this file
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write it as a workbook to this file
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum ReportCommand {
    /// You have read the report of a run that is over, and answer for it
    Sign(ActArguments),
}

pub(super) async fn report(context: &Context, arguments: ReportArguments) -> Result<u8, Failure> {
    let period = arguments.period();
    let ReportArguments { command, batch, date, run, html, pdf, xlsx, .. } = arguments;
    if let Some(ReportCommand::Sign(on)) = command {
        return act::act(context, on, Deed::Sign { shifts: Vec::new() }).await;
    }
    let wanted = [(html, ReportFormat::Html), (pdf, ReportFormat::Pdf), (xlsx, ReportFormat::Xlsx)];
    let files: Vec<(PathBuf, ReportFormat)> =
        wanted.into_iter().filter_map(|(path, format)| Some((path?, format))).collect();
    if let Some(period) = period {
        return of_operations(context, period, &files).await;
    }
    if context.remote.is_some() {
        // What lies in a store of this host is another night.
        if !files.is_empty() {
            return Err(Failure::defects(
                "--html, --pdf and --xlsx of a run are written where its store is; with --server its page in a browser has them: /runs/RUN/report",
            ));
        }
        return remote::report(context, run, batch.as_ref(), date).await;
    }
    let reader = context.reader().await?;
    let row = find_at_hand(&reader, run.as_ref(), batch.as_ref(), date).await?;
    let mut recalled = Recalled::read(&reader, row).await.map_err(Failure::failed)?;
    // Who was on shift is in the files as they are now; a report without them has no shifts.
    if let Ok(site) = context.site() {
        recalled.core.have_on_call(on_call_of(&site));
    }
    let view = recalled.report(&reader).await.map_err(Failure::failed)?;
    let state = recalled.core.state().run(&recalled.row.run).map_err(Failure::failed)?;
    let lang = context.asked_lang.unwrap_or(state.site.language);
    if files.is_empty() {
        return page(context, &render::report_text::text(lang, &view), &view);
    }
    write(&files, |format| render::report::file(lang, &view, format))
}

/// Each file in its form, and where it is.
fn write(
    files: &[(PathBuf, ReportFormat)],
    file: impl Fn(ReportFormat) -> Result<Vec<u8>, NoForm>,
) -> Result<u8, Failure> {
    for (path, format) in files {
        let bytes = file(*format).map_err(Failure::failed)?;
        super::write(path, &bytes)?;
        print_line!("{}", path.display())?;
    }
    Ok(WELL)
}

impl ReportArguments {
    /// The time that an operations report is asked of.
    fn period(&self) -> Option<Period> {
        let week = self.week.map(|date| Period::around(PeriodKind::Week, date));
        week.or(self.month.map(Period::from)).or(self.quarter.map(Period::from))
    }
}

async fn of_operations(
    context: &Context,
    period: Period,
    files: &[(PathBuf, ReportFormat)],
) -> Result<u8, Failure> {
    let (view, lang) = match &context.remote {
        Some(_) => (remote::operations(context, period).await?, context.lang),
        None => {
            let (reader, site) = (context.reader().await?, context.site()?);
            let found = http::operations_of_store(&reader, &site, period).await;
            let view = found.map_err(Failure::failed)?;
            let view = view.ok_or_else(|| Failure::defects(http::not_begun(period)))?;
            (view, context.asked_lang.unwrap_or(site.language))
        }
    };
    if files.is_empty() {
        return page(context, &render::operations::text(lang, &view), &view);
    }
    write(files, |format| render::operations::file(lang, &view, format))
}
