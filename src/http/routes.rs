//! Every route of the API.

mod on_call;
mod pages;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodRouter, get, post};
use schemars::JsonSchema;
use serde_json::Value;

use super::act::{ActBody, Ordered, on_batch, on_run, order};
use super::archives::{ArchivesPage, WhichArchives, archives};
use super::change_records::{Compared, OfPlace, WhichFigures, diff, proof, stats};
use super::changes::{
    CreateBody, StepBody, Which as WhichChanges, WhichLists, create, list as changes,
    lists as sign_off, one as change, step,
};
use super::events::{From, RunEvent, all, of_run};
use super::health::{Health, is_ready, lives};
use super::hosts::{drain, list as hosts, undrain};
use super::house::{
    FreezeBody, PoolBody, ReasonBody, freeze, lift, list as standing, pool, second,
};
use super::log::{Which as WhichLog, log};
use super::login::{CredentialBody, LoginBody, Session, credentials, login, logout};
use super::metrics::{OPENMETRICS, metrics};
use super::one_job::one as job;
use super::people::{AuditPage, PeoplePage, WhichDeeds, WhichPeople, audit, people};
use super::problem::Problem;
use super::received::receive;
use super::roster::{When, WhichDates, WhoseShifts, feed, gaps, roster, sheet};
use super::route::{Answer, Needs, Route, Schemas, router};
use super::runs::{JobsPage, OfDate, RunsPage, WhichJobs, WhichRuns, jobs, list, one, report, why};
use super::status::status;
use super::{Api, openapi};
use crate::port::control::{EventIn, Order};
use crate::types::Right;
use crate::view::change::{ChangePage, ChangesPage};
use crate::view::change_diff::ChangeDiff;
use crate::view::change_proof::ChangeProof;
use crate::view::change_stats::ChangeStats;
use crate::view::hosts::HostsPage;
use crate::view::one_job::JobView;
use crate::view::report::ReportView;
use crate::view::roster::RosterView;
use crate::view::roster_sheet::{RosterGaps, RosterSheet};
use crate::view::signoff::SignOffPage;
use crate::view::standing::StandingView;
use crate::view::status::{StatusPage, StatusView};
use crate::view::tried::{Done, EventTaken, Tried};
use crate::view::why::WhyView;

/// What an action answers: what was done, or with `dry_run` what would come of it.
#[derive(schemars::JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum DoneOrTried {
    Done(Done),
    Tried(Tried),
}

const READ: Needs = Needs::Right(Right::Read);

impl Route {
    /// What who may read is shown.
    fn shows<A: JsonSchema>(
        (path, what): (&'static str, &'static str),
        handler: MethodRouter<Api>,
        schemas: &mut Schemas,
    ) -> Self {
        Self::new((Method::GET, path), READ, what, handler).gives::<A>(200, schemas)
    }

    /// What is done, or with `dry_run` tried.
    fn does<B: JsonSchema>(
        (path, needs, what): (&'static str, Needs, &'static str),
        handler: MethodRouter<Api>,
        schemas: &mut Schemas,
    ) -> Self {
        let route = Self::new((Method::POST, path), needs, what, handler);
        route.takes::<B>(schemas).gives::<DoneOrTried>(200, schemas)
    }
}

/// The list, with the schemas that it points to.
pub(super) fn list_of(s: &mut Schemas) -> Vec<Route> {
    let mut routes = looks(s);
    routes.extend(of_hosts(s));
    routes.extend(house(s));
    routes.extend(acts(s));
    routes.extend(of_changes(s));
    routes.extend(on_call::of_incidents(s));
    routes.extend(on_call::of_hand_overs(s));
    routes.extend(credentials_of(s));
    routes.extend(pages::pages(s));
    routes.extend(streams(s));
    routes.extend(watches(s));
    routes
}

fn looks(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::GET, path);
    vec![
        Route::shows::<StatusPage>(("/api/v1/status", "How the open runs stand"), get(status), s),
        Route::shows::<RunsPage>(("/api/v1/runs", "Runs, the last opened first"), get(list), s)
            .asks::<WhichRuns>(s),
        Route::shows::<StatusView>(("/api/v1/runs/{run}", "One run"), get(one), s),
        Route::shows::<JobsPage>(("/api/v1/runs/{run}/jobs", "Jobs of a run"), get(jobs), s)
            .asks::<WhichJobs>(s),
        Route::shows::<ReportView>(
            ("/api/v1/runs/{run}/report", "The report of a run"),
            get(report),
            s,
        ),
        Route::shows::<JobView>(
            (
                "/api/v1/runs/{run}/jobs/{job}",
                "One job of a run: how it stands and why, its attempts, what is before and after it",
            ),
            get(job),
            s,
        ),
        Route::shows::<WhyView>(
            ("/api/v1/batches/{batch}/jobs/{job}/why", "Why a job of the last run did not start"),
            get(why),
            s,
        )
        .asks::<OfDate>(s),
        Route::new(
            to("/api/v1/runs/{run}/jobs/{job}/log"),
            Needs::Right(Right::Logs),
            "What an attempt has written: at most 256 KiB from a byte on",
            get(log),
        )
        .asks::<WhichLog>(s)
        .and(Answer {
            status: 200,
            kind: "text/plain",
            what: "bytes of the log",
            schema: None,
        }),
        Route::shows::<StandingView>(
            (
                "/api/v1/standing",
                "Freezes, pools of another size, and what waits for a second person",
            ),
            get(standing),
            s,
        ),
    ]
}

fn of_hosts(s: &mut Schemas) -> Vec<Route> {
    let operates = Needs::Right(Right::Operate);
    vec![
        Route::shows::<HostsPage>(
            (
                "/api/v1/hosts",
                "The hosts that jobs run on: whether each is reached, what runs there, whether it takes new attempts",
            ),
            get(hosts),
            s,
        ),
        Route::does::<ReasonBody>(
            (
                "/api/v1/hosts/{host}/drain",
                operates,
                "Let no new attempt begin on a host; what runs there goes on",
            ),
            drain(),
            s,
        ),
        Route::does::<ReasonBody>(
            ("/api/v1/hosts/{host}/undrain", operates, "Let new attempts begin there again"),
            undrain(),
            s,
        ),
    ]
}

fn house(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::GET, path);
    let admin = Needs::Right(Right::Admin);
    let csv = || Answer { status: 200, kind: "text/csv", what: "as a spreadsheet", schema: None };
    vec![
        Route::new(
            to("/api/v1/people"),
            admin,
            "People with team, roles, rights, and whether each has a password and tokens; also as of a date",
            get(people),
        )
        .asks::<WhichPeople>(s)
        .gives::<PeoplePage>(200, s),
        Route::shows::<RosterView>(("/api/v1/roster", "Who is on shift"), get(roster), s)
            .asks::<When>(s),
        Route::shows::<RosterSheet>(("/api/v1/roster/sheet", "Who has which shift, person by day, and what is open; of this month, or of other dates"), get(sheet), s)
        .asks::<WhichDates>(s)
        .and(csv()),
        Route::shows::<RosterGaps>(("/api/v1/roster/gaps", "Shifts that need more people than they have; of the next month, or of other dates"), get(gaps), s)
        .asks::<WhichDates>(s),
        Route::new(
            to("/api/v1/roster.ics"),
            READ,
            "Shifts of one person or of all, for calendar programs; also with a token as the password (HTTP Basic)",
            get(feed),
        )
        .asks::<WhoseShifts>(s)
        .and(Answer {
            status: 200,
            kind: "text/calendar",
            what: "iCalendar (RFC 5545), from a month ago to half a year ahead",
            schema: None,
        }),
        Route::new(
            to("/api/v1/audit"),
            admin,
            "What people did in a time, with the proof of the whole journal; it has no pages",
            get(audit),
        )
        .asks::<WhichDeeds>(s)
        .gives::<AuditPage>(200, s)
        .and(csv()),
        Route::shows::<ArchivesPage>(("/api/v1/archives", "Runs that have left the store for files, the last archived first"), get(archives), s)
        .asks::<WhichArchives>(s),
    ]
}

fn acts(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::POST, path);
    let house = Needs::Right(Right::House);
    vec![
        Route::new(to("/api/v1/runs"), Needs::Right(Right::Order), "Order a batch", post(order))
            .takes::<Order>(s)
            .gives::<Ordered>(202, s)
            .gives::<Tried>(200, s),
        Route::does::<ActBody>(("/api/v1/runs/{run}/actions", Needs::Known, "Act on a run or on jobs of it; takes the right `operate`, or `second` to confirm"), post(on_run), s),
        Route::new(
            to("/api/v1/batches/{batch}/actions"),
            Needs::Known,
            "Act on the last run of a batch; takes the right `operate`, or `second` to confirm",
            post(on_batch),
        )
        .asks::<OfDate>(s)
        .takes::<ActBody>(s)
        .gives::<DoneOrTried>(200, s),
        Route::does::<FreezeBody>(("/api/v1/freezes", house, "Freeze work"), post(freeze), s),
        Route::does::<ReasonBody>(("/api/v1/freezes/{freeze}/lift", house, "Lift a freeze"), lift(), s),
        Route::does::<PoolBody>(("/api/v1/pools/{pool}", house, "Change a pool's size"), post(pool), s),
        Route::does::<ReasonBody>(("/api/v1/requests/{request}/second", Needs::Right(Right::Second), "Say yes as the second person"), second(), s),
        Route::new(
            to("/api/v1/events"),
            Needs::Right(Right::Events),
            "Tell an event: jobs that wait for it go on, and batches that name it are ordered; once for each key",
            post(receive),
        )
        .takes::<EventIn>(s)
        .gives::<EventTaken>(200, s),
    ]
}

fn of_changes(s: &mut Schemas) -> Vec<Route> {
    // Scripts, values and what databases said: nothing for whoever may only see how work stands.
    let inside = Needs::Right(Right::Logs);
    let takes_part = Needs::Right(Right::Changes);
    vec![
        Route::shows::<ChangesPage>(("/api/v1/changes", "Changes and where they stand"), get(changes), s)
        .asks::<WhichChanges>(s),
        Route::shows::<SignOffPage>(("/api/v1/changes/lists", "The lists of the sign-off meetings"), get(sign_off), s)
        .asks::<WhichLists>(s),
        Route::shows::<ChangeStats>(("/api/v1/changes/stats", "Executed changes in numbers, and data changes that come again"), get(stats), s)
        .asks::<WhichFigures>(s)
        .and(Answer { status: 200, kind: "text/csv", what: "as a spreadsheet", schema: None }),
        Route::shows::<ChangePage>(("/api/v1/changes/{change}", "One change: its life, and what it lacks"), get(change), s),
        Route::new(
            (Method::GET, "/api/v1/changes/{change}/diff"),
            inside,
            "What of its scripts and approvals is not as it was, line by line",
            get(diff),
        )
        .asks::<Compared>(s)
        .gives::<ChangeDiff>(200, s),
        Route::new(
            (Method::GET, "/api/v1/changes/{change}/proof"),
            inside,
            "The proof of a change with its entries of the journal, which is proven as a whole; targets are not read",
            get(proof),
        )
        .asks::<OfPlace>(s)
        .gives::<ChangeProof>(200, s)
        .and(Answer { status: 200, kind: "text/html", what: "one page, with `accept: text/html`", schema: None }),
        Route::does::<CreateBody>(("/api/v1/changes", takes_part, "Make a change known, once for each key"), post(create), s),
        Route::does::<StepBody>(("/api/v1/changes/{change}/{step}", takes_part, "Take a step with a change: assign, submit, review, approve, confirm, schedule, decide, lost, feed-back, close, archive, return, withdraw"), post(step), s),
    ]
}

fn credentials_of(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::POST, path);
    let over = Answer { status: 204, kind: super::page::JSON, what: "it is over", schema: None };
    vec![
        Route::new(
            to("/api/v1/login"),
            Needs::Nobody,
            "Log in: a session in a cookie",
            post(login),
        )
        .takes::<LoginBody>(s)
        .gives::<Session>(200, s),
        Route::new(
            to("/api/v1/logout"),
            Needs::Known,
            "End the token of this session",
            post(logout),
        )
        .and(over),
        Route::new(
            to("/api/v1/credentials"),
            Needs::Known,
            "Passwords and tokens of oneself; those of others take the right `admin`",
            post(credentials),
        )
        .takes::<CredentialBody>(s)
        .gives::<Done>(200, s),
    ]
}

fn streams(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::GET, path);
    let events = |schema| Answer { status: 200, kind: "text/event-stream", what: "events", schema };
    let of_one = s.of_answer::<RunEvent>();
    vec![
        Route::new(
            to("/api/v1/events"),
            READ,
            "Every entry of the journal as it becomes durable; resumes after `Last-Event-ID`",
            get(all),
        )
        .asks::<From>(s)
        .and(events(None)),
        Route::new(
            to("/api/v1/runs/{run}/events"),
            READ,
            "What happens in a run, until it is over; resumes after `Last-Event-ID`",
            get(of_run),
        )
        .asks::<From>(s)
        .and(events(Some(of_one))),
    ]
}

fn watches(s: &mut Schemas) -> Vec<Route> {
    let to = |path| (Method::GET, path);
    vec![
        Route::new(to("/healthz"), Needs::Nobody, "Whether the supervisor lives", get(lives))
            .gives::<Health>(200, s),
        Route::new(
            to("/readyz"),
            Needs::Nobody,
            "Whether the supervisor leads and can go on",
            get(is_ready),
        )
        .gives::<Health>(200, s),
        Route::new(to("/metrics"), Needs::Nobody, "Figures for Prometheus", get(metrics))
            .and(Answer { status: 200, kind: OPENMETRICS, what: "OpenMetrics text", schema: None }),
        Route::new(
            to("/api/v1/openapi.json"),
            Needs::Nobody,
            "This description (OpenAPI 3.1)",
            get(async || axum::Json(document())),
        )
        .gives::<serde_json::Map<String, Value>>(200, s),
    ]
}

/// All of them, for whoever tests them.
pub fn routes() -> Vec<Route> {
    list_of(&mut Schemas::new())
}

/// The description of the API.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let routes = list_of(&mut schemas);
    openapi::document(&routes, schemas)
}

/// The whole service.
pub(super) fn service(api: &Api) -> Router {
    router(routes(), api)
        .fallback(async |uri: Uri| {
            Problem::unknown(format!(
                "there is no {}; /api/v1/openapi.json has the list",
                uri.path()
            ))
        })
        .method_not_allowed_fallback(async || {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "not with this method")
        })
        .with_state(api.clone())
}
