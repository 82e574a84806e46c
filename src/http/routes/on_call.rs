//! Routes of whoever is on call: incidents, hand-overs of shifts, bulletins, inspections.

use axum::http::Method;
use axum::routing::{get, post};

use crate::http::bulletins::{WhichBulletin, bulletin};
use crate::http::drills::{DrillsPage, list as drills, start as start_drill};
use crate::http::figures::{FigureBody, enter as enter_figure};
use crate::http::hand_overs::{
    HandOverBody, HandOversPage, WhichHandOvers, list as hand_overs, one as hand_over,
    step as hand_over_step,
};
use crate::http::house::ReasonBody;
use crate::http::incidents::{
    IncidentsPage, OpenBody, WantedBody, WhichIncidents, list as incidents, one as incident,
    open as open_incident, report as incident_report, step as incident_step,
};
use crate::http::inspections::{WhichInspections, inspections};
use crate::http::route::{Answer, Needs, Route, Schemas};
use crate::types::Right;
use crate::view::bulletin::BulletinView;
use crate::view::hand_over::HandOverView;
use crate::view::incident::IncidentView;
use crate::view::inspection::InspectionsView;

pub(super) fn of_incidents(s: &mut Schemas) -> Vec<Route> {
    let responds = Needs::Right(Right::Respond);
    let inside = Needs::Right(Right::Logs);
    let html = Answer {
        status: 200,
        kind: "text/html",
        what: "one page, with `accept: text/html`",
        schema: None,
    };
    vec![
        Route::shows::<IncidentsPage>(
            ("/api/v1/incidents", "Incidents, the newest first: those that are open, or all"),
            get(incidents),
            s,
        )
        .asks::<WhichIncidents>(s),
        Route::shows::<IncidentView>(
            (
                "/api/v1/incidents/{incident}",
                "One incident: who was told, its limits, what was done",
            ),
            get(incident),
            s,
        ),
        Route::new(
            (Method::GET, "/api/v1/incidents/{incident}/report"),
            inside,
            "Its report, drafted from the record; Markdown with `accept: text/plain`",
            get(incident_report),
        )
        .gives::<IncidentView>(200, s)
        .and(html),
        Route::does::<OpenBody>(
            ("/api/v1/incidents", responds, "Open an incident: what nightrun does not see itself"),
            post(open_incident),
            s,
        ),
        Route::does::<WantedBody>(
            (
                "/api/v1/incidents/{incident}/{step}",
                responds,
                "Take a step with an incident: ack, take-over, note, on-site, third-party, mute, unmute, grade, interruption, resolve, hand-in",
            ),
            post(incident_step),
            s,
        ),
        Route::shows::<DrillsPage>(
            ("/api/v1/drills", "Drills: when each is due, and how those that were held came out"),
            get(drills),
            s,
        ),
        Route::does::<ReasonBody>(
            (
                "/api/v1/drills/{drill}",
                Needs::Right(Right::House),
                "Start a drill: an incident that is one by arrangement",
            ),
            start_drill(),
            s,
        ),
    ]
}

pub(super) fn of_hand_overs(s: &mut Schemas) -> Vec<Route> {
    vec![
        Route::shows::<HandOversPage>(
            (
                "/api/v1/hand-overs",
                "Hand-overs of shifts, the last one first: those that nobody has accepted, or all",
            ),
            get(hand_overs),
            s,
        )
        .asks::<WhichHandOvers>(s),
        Route::shows::<HandOverView>(
            (
                "/api/v1/hand-overs/{hand_over}",
                "One hand-over: what it leaves to the next shift, what was said and done",
            ),
            get(hand_over),
            s,
        ),
        Route::does::<HandOverBody>(
            (
                "/api/v1/hand-overs/{hand_over}/{step}",
                Needs::Right(Right::Respond),
                "Take a step with a hand-over: note, give, accept",
            ),
            post(hand_over_step),
            s,
        ),
        Route::shows::<BulletinView>(
            (
                "/api/v1/bulletin",
                "What happened since the last bulletin, or what the bulletins of a day tell of",
            ),
            get(bulletin),
            s,
        )
        .asks::<WhichBulletin>(s),
        Route::does::<FigureBody>(
            (
                "/api/v1/figures/{figure}",
                Needs::Right(Right::House),
                "Enter a figure of the service levels; a later one takes its place, and keeps it",
            ),
            post(enter_figure),
            s,
        ),
        Route::shows::<InspectionsView>(
            (
                "/api/v1/inspections",
                "Rounds of inspections of some days: how many, and what each check has found",
            ),
            get(inspections),
            s,
        )
        .asks::<WhichInspections>(s),
    ]
}
