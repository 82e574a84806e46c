//! Routes of whoever is on call: incidents, hand-overs of shifts, bulletins, inspections.

use axum::http::Method;
use axum::routing::{get, post};

use super::{DoneOrTried, READ};
use crate::http::bulletins::{WhichBulletin, bulletin};
use crate::http::drills::{DrillsPage, list as drills, start as start_drill};
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
        Route::new(
            (Method::GET, "/api/v1/incidents"),
            READ,
            "Incidents, the newest first: those that are open, or all",
            get(incidents),
        )
        .asks::<WhichIncidents>(s)
        .gives::<IncidentsPage>(200, s),
        Route::new(
            (Method::GET, "/api/v1/incidents/{incident}"),
            READ,
            "One incident: who was told, its limits, what was done",
            get(incident),
        )
        .gives::<IncidentView>(200, s),
        Route::new(
            (Method::GET, "/api/v1/incidents/{incident}/report"),
            inside,
            "Its report, drafted from the record; Markdown with `accept: text/plain`",
            get(incident_report),
        )
        .gives::<IncidentView>(200, s)
        .and(html),
        Route::new(
            (Method::POST, "/api/v1/incidents"),
            responds,
            "Open an incident: what nightrun does not see itself",
            post(open_incident),
        )
        .takes::<OpenBody>(s)
        .gives::<DoneOrTried>(200, s),
        Route::new(
            (Method::POST, "/api/v1/incidents/{incident}/{step}"),
            responds,
            "Take a step with an incident: ack, take-over, note, on-site, third-party, mute, unmute, grade, interruption, resolve, hand-in",
            post(incident_step),
        )
        .takes::<WantedBody>(s)
        .gives::<DoneOrTried>(200, s),
        Route::new(
            (Method::GET, "/api/v1/drills"),
            READ,
            "Drills: when each is due, and how those that were held came out",
            get(drills),
        )
        .gives::<DrillsPage>(200, s),
        Route::new(
            (Method::POST, "/api/v1/drills/{drill}"),
            Needs::Right(Right::House),
            "Start a drill: an incident that is one by arrangement",
            post(start_drill),
        )
        .takes::<ReasonBody>(s)
        .gives::<DoneOrTried>(200, s),
    ]
}

pub(super) fn of_hand_overs(s: &mut Schemas) -> Vec<Route> {
    vec![
        Route::new(
            (Method::GET, "/api/v1/hand-overs"),
            READ,
            "Hand-overs of shifts, the last one first: those that nobody has accepted, or all",
            get(hand_overs),
        )
        .asks::<WhichHandOvers>(s)
        .gives::<HandOversPage>(200, s),
        Route::new(
            (Method::GET, "/api/v1/hand-overs/{hand_over}"),
            READ,
            "One hand-over: what it leaves to the next shift, what was said and done",
            get(hand_over),
        )
        .gives::<HandOverView>(200, s),
        Route::new(
            (Method::POST, "/api/v1/hand-overs/{hand_over}/{step}"),
            Needs::Right(Right::Respond),
            "Take a step with a hand-over: note, give, accept",
            post(hand_over_step),
        )
        .takes::<HandOverBody>(s)
        .gives::<DoneOrTried>(200, s),
        Route::new(
            (Method::GET, "/api/v1/bulletin"),
            READ,
            "What happened since the last bulletin, or what the bulletins of a day tell of",
            get(bulletin),
        )
        .asks::<WhichBulletin>(s)
        .gives::<BulletinView>(200, s),
        Route::new(
            (Method::GET, "/api/v1/inspections"),
            READ,
            "Rounds of inspections of some days: how many, and what each check has found",
            get(inspections),
        )
        .asks::<WhichInspections>(s)
        .gives::<InspectionsView>(200, s),
    ]
}
