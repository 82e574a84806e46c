//! Routes of the pages for browsers.

use axum::http::Method;
use axum::routing::{get, post};

use super::READ;
use crate::definition::site::ReportFormat;
use crate::http::incident_page;
use crate::http::pages;
use crate::http::route::{Answer, Needs, Route, Schemas};
use crate::types::Right;
use crate::view::incident::IncidentView;

pub(super) fn pages(s: &mut Schemas) -> Vec<Route> {
    let html = |status, what| Answer { status, kind: "text/html", what, schema: None };
    let page = || html(200, "one page; it leads to a sign-in");
    let file = |form: ReportFormat, what| Answer {
        status: 200,
        kind: form.content_type(),
        what,
        schema: None,
    };
    let look = |path| (Method::GET, path);
    let form = |path| (Method::POST, path);
    vec![
        Route::new(look("/"), READ, "The page of the night", get(pages::tonight)).and(page()),
        Route::new(look("/runs/{run}"), READ, "The page of a run", get(pages::run)).and(page()),
        Route::new(
            look("/runs/{run}/graph"),
            READ,
            "The jobs of a run as a drawing, or with `job` what is before and after one of them; `fold` (`all`, `none`) and `but`: which groups are one box",
            get(pages::graph),
        )
        .and(page()),
        Route::new(
            look("/runs/{run}/report"),
            READ,
            "The report of a run, to read or to print",
            get(pages::report),
        )
        .and(page()),
        Route::new(
            look("/runs/{run}/report/{form}"),
            READ,
            "The same as a file: `pdf`, `xlsx`, `txt`",
            get(pages::report_file),
        )
        .and(file(ReportFormat::Pdf, "a document"))
        .and(file(ReportFormat::Xlsx, "a workbook"))
        .and(file(ReportFormat::Text, "text")),
        Route::new(look("/runs/{run}/jobs/{job}"), READ, "The page of a job", get(pages::job))
            .and(page()),
        Route::new(
            look("/runs/{run}/jobs/{job}/log.txt"),
            Needs::Right(Right::Logs),
            "All that an attempt has written to its standard output so far, as a file",
            get(pages::download),
        )
        .asks::<pages::WhichAttempt>(s)
        .and(Answer { status: 200, kind: "text/plain", what: "the log", schema: None }),
        Route::new(
            look("/runs/{run}/jobs/{job}/{deed}"),
            Needs::Known,
            "What would come of confirm, release, retry, kill, hold, skip, force, rerun, with the form that does it",
            get(pages::before_act),
        )
        .and(page()),
        Route::new(
            form("/runs/{run}/jobs/{job}/{deed}"),
            Needs::Known,
            "That form; takes the right `operate`, or `second` to confirm",
            post(pages::act),
        )
        .and(html(303, "it was done")),
        Route::new(
            look("/incidents"),
            READ,
            "The page of incidents and of who is on call",
            get(pages::on_call),
        )
        .and(page()),
        Route::new(look("/changes"), READ, "The page of changes", get(pages::changes)).and(page()),
        Route::new(
            look("/changes/lists"),
            READ,
            "The page of the lists of the sign-off meetings",
            get(pages::lists),
        )
        .and(page()),
        Route::new(look("/changes/{change}"), READ, "The page of a change", get(pages::change))
            .and(page()),
        Route::new(
            look("/changes/{change}/{step}"),
            Needs::Right(Right::Changes),
            "What would come of a step with a change, with the form that takes it",
            get(pages::before_step),
        )
        .and(page()),
        Route::new(
            form("/changes/{change}/{step}"),
            Needs::Right(Right::Changes),
            "That form",
            post(pages::take),
        )
        .and(html(303, "it was done")),
        Route::new(
            look("/changes/{change}/requests/{request}"),
            Needs::Right(Right::Second),
            "What one person has decided of a change, with the form of the second one",
            get(pages::before_second),
        )
        .and(page()),
        Route::new(
            form("/changes/{change}/requests/{request}"),
            Needs::Right(Right::Second),
            "That form",
            post(pages::second),
        )
        .and(html(303, "it was done")),
        Route::new(
            look("/hand-overs"),
            READ,
            "The page of the hand-over of shifts that is due, and of all others",
            get(pages::hand_over_due),
        )
        .and(page()),
        Route::new(
            look("/hand-overs/{hand_over}"),
            READ,
            "The page of a hand-over",
            get(pages::hand_over),
        )
        .and(page()),
        Route::new(
            form("/hand-overs/{hand_over}/{step}"),
            Needs::Right(Right::Respond),
            "A form of that page: note, give, accept",
            post(pages::hand_over_step),
        )
        .and(html(303, "it was done")),
        Route::new(
            look("/calendar"),
            READ,
            "The page of a month: starts, windows, freezes, shifts; `month`, such as 2026-10",
            get(pages::calendar),
        )
        .and(page()),
        Route::new(look("/history"), READ, "The page of former nights", get(pages::history))
            .and(page()),
        Route::new(
            look("/compare"),
            READ,
            "Two runs beside each other: `run` twice",
            get(pages::compare),
        )
        .and(page()),
        Route::new(
            look("/incidents/{incident}"),
            READ,
            "The page of an incident, with `accept: text/html`; it leads to a sign-in",
            get(incident_page::page),
        )
        .gives::<IncidentView>(200, s)
        .and(html(200, "one page, with `accept: text/html`")),
        Route::new(
            form("/incidents/{incident}/{step}"),
            Needs::Right(Right::Respond),
            "A form of that page: ack, take-over, note",
            post(incident_page::step),
        )
        .and(html(303, "it was done")),
        Route::new(look("/login"), Needs::Nobody, "The form of the sign-in", get(pages::asks_in))
            .and(page()),
        Route::new(
            form("/login"),
            Needs::Nobody,
            "The sign-in of the pages: a session in a cookie",
            post(pages::sign_in),
        )
        .and(html(303, "the page that was asked for")),
        Route::new(form("/logout"), Needs::Known, "The sign-out of the pages", post(pages::sign_out))
            .and(html(303, "the first page")),
        Route::new(
            form("/own"),
            Needs::Nobody,
            "Language and theme of the pages, kept by the browser",
            post(pages::own),
        )
        .and(html(303, "the page that it was asked from")),
        Route::new(
            look("/live"),
            READ,
            "Tells pages that something has happened: the number of the last entry, each time that it is another",
            get(pages::live),
        )
        .and(Answer {
            status: 200,
            kind: "text/event-stream",
            what: "server-sent events `head`",
            schema: None,
        }),
        Route::new(
            look("/assets/{name}"),
            Needs::Nobody,
            "The style sheet and the script of the pages",
            get(pages::asset),
        )
        .and(Answer { status: 200, kind: "text/css", what: "a style sheet", schema: None })
        .and(Answer { status: 200, kind: "text/javascript", what: "a script", schema: None }),
    ]
}
