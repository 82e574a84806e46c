//! The report of a run in front of a browser: `GET /runs/{run}/report` to read, `GET /runs/{run}/report/{form}` as a file.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::{Visit, hardened};
use crate::definition::site::ReportFormat;
use crate::http::page::Named;
use crate::http::problem::Problem;
use crate::http::runs::report_of;
use crate::render;
use crate::types::RunId;

/// The styles of a report are in it, so that it may be kept as one file: they are the only thing that it may load.
const ALLOWED: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'";

pub(crate) async fn read(visit: Visit, Named(run): Named<RunId>) -> Result<Response, Problem> {
    let mut response = made(&visit, &run, ReportFormat::Html).await?;
    let allowed = HeaderValue::from_static(ALLOWED);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, allowed);
    Ok(response)
}

pub(crate) async fn file(
    visit: Visit,
    Named((run, form)): Named<(RunId, String)>,
) -> Result<Response, Problem> {
    let mut forms = [ReportFormat::Pdf, ReportFormat::Xlsx, ReportFormat::Text].into_iter();
    let form = forms.find(|known| known.ending() == form);
    let form = form.ok_or_else(|| Problem::unknown("a report is had as pdf, xlsx or txt"))?;
    let mut response = made(&visit, &run, form).await?;
    let (run, lang) = (run.to_string().replace('#', "-"), visit.lang().tag());
    let name = format!("attachment; filename=\"{run}.{lang}.{}\"", form.ending());
    let name = HeaderValue::from_str(&name).map_err(Problem::failed)?;
    response.headers_mut().insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// Drawn on a thread of its own: a document of a large night takes a while, in which others are answered.
async fn made(visit: &Visit, run: &RunId, form: ReportFormat) -> Result<Response, Problem> {
    let (view, lang) = (report_of(&visit.api, run, &visit.caller).await?, visit.lang());
    let making = tokio::task::spawn_blocking(move || render::report::file(lang, &view, form));
    let bytes = making.await.map_err(Problem::failed)?.map_err(Problem::failed)?;
    let mut response = Body::from(bytes).into_response();
    hardened(&mut response);
    let kind = HeaderValue::from_static(form.content_type());
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(response)
}
