//! The list of routes: each is served, guarded and described from the same line.

use axum::Router;
use axum::http::Method;
use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Api;
use super::caller::guard;
use crate::types::Right;

/// Whom a route is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: monitors ask it.
    Nobody,
    /// Anybody who is known.
    Known,
    Right(Right),
}

/// What a route answers with.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) what: &'static str,
    pub(super) schema: Option<Schema>,
}

/// One route.
pub struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    pub(super) summary: &'static str,
    pub(super) query: Option<Schema>,
    pub(super) body: Option<Schema>,
    pub(super) answers: Vec<Answer>,
    handler: MethodRouter<Api>,
}

/// The schemas of all that is answered, by their names, and of what is sent.
pub(super) struct Schemas {
    answers: SchemaGenerator,
    sent: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        let sent = settings().with(|settings| settings.inline_subschemas = true);
        Self {
            answers: settings().for_serialize().into_generator(),
            sent: sent.for_deserialize().into_generator(),
        }
    }

    pub(super) fn of_answer<A: JsonSchema>(&mut self) -> Schema {
        self.answers.subschema_for::<A>()
    }

    /// The schemas that others point to.
    pub(super) fn named(self) -> serde_json::Map<String, serde_json::Value> {
        let Self { mut answers, .. } = self;
        answers.take_definitions(true)
    }
}

impl Route {
    pub(super) fn new(
        (method, path): (Method, &'static str),
        needs: Needs,
        summary: &'static str,
        handler: MethodRouter<Api>,
    ) -> Self {
        let (query, body, answers) = (None, None, Vec::new());
        Self { method, path, needs, summary, query, body, answers, handler }
    }

    /// What may stand behind the `?`.
    pub(super) fn asks<Q: JsonSchema>(self, schemas: &mut Schemas) -> Self {
        Self { query: Some(schemas.sent.root_schema_for::<Q>()), ..self }
    }

    pub(super) fn takes<B: JsonSchema>(self, schemas: &mut Schemas) -> Self {
        Self { body: Some(schemas.sent.root_schema_for::<B>()), ..self }
    }

    /// Answers with data, which can be had as text too.
    pub(super) fn gives<A: JsonSchema>(self, status: u16, schemas: &mut Schemas) -> Self {
        let schema = Some(schemas.of_answer::<A>());
        self.and(Answer { status, kind: super::page::JSON, what: "as asked for", schema })
            .and(Answer { status, kind: "text/plain", what: "in words", schema: None })
    }

    pub(super) fn and(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }

    /// The method and path, such as `GET /api/v1/status`.
    pub fn name(&self) -> (&Method, &'static str) {
        (&self.method, self.path)
    }

    pub fn needs(&self) -> Needs {
        self.needs
    }
}

/// All of them, each behind its guard.
pub(super) fn router(routes: Vec<Route>, api: &Api) -> Router<Api> {
    routes.into_iter().fold(Router::new(), |router, route| {
        let guarded = axum::middleware::from_fn_with_state((api.clone(), route.needs), guard);
        router.route(route.path, route.handler.route_layer(guarded))
    })
}
