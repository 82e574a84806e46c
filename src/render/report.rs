//! The morning report in each of its forms.

use rust_xlsxwriter::XlsxError;

use super::paper::NoDocument;
use super::picture::{self, NoPicture};
use super::{gantt, report_html, report_pdf, report_text, report_xlsx};
use crate::definition::site::ReportFormat;
use crate::types::Lang;
use crate::view::report::ReportView;

/// Why a form of a report cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NoForm {
    #[error("no page: {0}")]
    Page(#[from] askama::Error),
    #[error("no PDF: {0}")]
    Document(#[from] NoDocument),
    #[error("no workbook: {0}")]
    Workbook(#[from] XlsxError),
    #[error("no picture: {0}")]
    Picture(#[from] NoPicture),
}

/// What the mail calls the picture of the night that it shows.
pub const PICTURE: &str = "timeline";

/// Pixels: as broad as a mail is shown on a good screen.
const PICTURE_WIDTH: u32 = 1_456;

/// The bytes of a file of the report.
///
/// # Errors
/// See [`NoForm`].
pub fn file(lang: Lang, view: &ReportView, format: ReportFormat) -> Result<Vec<u8>, NoForm> {
    Ok(match format {
        ReportFormat::Html => report_html::page(lang, view)?.into_bytes(),
        ReportFormat::Text => report_text::text(lang, view).into_bytes(),
        ReportFormat::Pdf => report_pdf::pdf(lang, view)?,
        ReportFormat::Xlsx => report_xlsx::xlsx(lang, view)?,
    })
}

/// The night as a picture (PNG) for its mail; `None`: no job has a time.
///
/// # Errors
/// It cannot be drawn.
pub fn picture(lang: Lang, view: &ReportView) -> Result<Option<Vec<u8>>, NoForm> {
    let svg = gantt::svg(lang, &view.head, &view.jobs);
    Ok(svg.map(|svg| picture::png(&svg, PICTURE_WIDTH)).transpose()?)
}
