//! The description of the API (OpenAPI 3.1), from the list of routes.

use serde_json::{Map, Value, json};

use super::problem::{PROBLEM, Problem};
use super::route::{Needs, Route, Schemas};

/// The whole document.
pub(super) fn document(routes: &[Route], mut schemas: Schemas) -> Value {
    let problem = schemas.of_answer::<Problem>();
    let mut paths = Map::new();
    for route in routes {
        let of_path = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(of_path) = of_path.as_object_mut() {
            let method = route.method.as_str().to_ascii_lowercase();
            of_path.insert(method, operation(route, &problem));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "nightrun",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Batches, runs, operators' actions and the record of a night-run supervisor. Over its Unix socket whoever asks is the account that the kernel names; over the network a token (`Authorization: Bearer`) or a session names a person.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.named(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn operation(route: &Route, problem: &schemars::Schema) -> Value {
    let mut responses = Map::new();
    for answer in &route.answers {
        let of_status = responses
            .entry(answer.status.to_string())
            .or_insert_with(|| json!({ "description": answer.what, "content": {} }));
        let schema = answer.schema.clone().map_or_else(|| json!({ "type": "string" }), Value::from);
        of_status["content"][answer.kind] = json!({ "schema": schema });
    }
    let has_tag = route.answers.iter().any(|answer| answer.kind == super::page::JSON);
    if route.method == axum::http::Method::GET && has_tag {
        let same = json!({ "description": "what the asker has is what there is" });
        responses.insert("304".to_owned(), same);
    }
    let content = json!({ PROBLEM: { "schema": problem } });
    let what = "what was not done, and why";
    responses.insert("default".to_owned(), json!({ "description": what, "content": content }));
    let mut operation = json!({
        "summary": route.summary,
        "operationId": operation_id(route),
        "parameters": parameters(route),
        "responses": responses,
    });
    if let Some(body) = &route.body {
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": body } } });
    }
    match route.needs {
        Needs::Nobody => operation["security"] = json!([]),
        Needs::Known => operation["security"] = json!([{ "token": [] }]),
        Needs::Right(right) => {
            operation["security"] = json!([{ "token": [] }]);
            operation["description"] = json!(format!("Takes the right `{right}`."));
        }
    }
    operation
}

/// `get-runs-run-jobs`, from the method and the path; `get-page-runs-run` of a page for browsers.
fn operation_id(route: &Route) -> String {
    let is_page = !route.path.starts_with("/api/")
        && route.answers.iter().any(|answer| answer.kind.starts_with("text/html"));
    let words = route.path.trim_start_matches("/api/v1").split(['/', '{', '}', '.']);
    let words = words.filter(|word| !word.is_empty());
    let method = route.method.as_str().to_ascii_lowercase();
    let page = is_page.then_some("page");
    std::iter::once(method.as_str()).chain(page).chain(words).collect::<Vec<_>>().join("-")
}

fn parameters(route: &Route) -> Vec<Value> {
    let named = route.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let mut all: Vec<Value> = named
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect();
    let Some(query) = &route.query else { return all };
    let required = query.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    for (name, schema) in query.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let is_required = required.iter().any(|required| required == name);
        all.push(json!({
            "name": name, "in": "query", "required": is_required, "schema": schema,
            "description": schema.get("description").cloned().unwrap_or_default(),
        }));
    }
    all
}
