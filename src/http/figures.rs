//! Figures of service levels that people enter.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::act::{answer, said};
use super::page::{Form, Named, Sent};
use super::problem::Problem;
use crate::core::figure::{FigureOrder, Given};
use crate::port::control::{Caller, House, Request};
use crate::types::{Amount, FigureName, Period};

/// A figure of a period: exactly one of `value` and `parts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureBody {
    pub of: Period,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// What it is reckoned from, each by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<FigureName, u32>,
    /// Where it is from.
    pub source: String,
    /// Nothing is done; the answer says what would come of it.
    #[serde(default)]
    pub dry_run: bool,
}

impl FigureBody {
    pub fn of(order: FigureOrder, source: String, dry_run: bool) -> Self {
        let (value, parts) = match order.given {
            Given::Value(value) => (Some(value), BTreeMap::new()),
            Given::Parts(parts) => (None, parts),
        };
        Self { of: order.period, value, parts, source, dry_run }
    }
}

/// `POST /api/v1/figures/{figure}`.
pub(super) async fn enter(
    State(api): State<Api>,
    Named(figure): Named<FigureName>,
    caller: Caller,
    form: Form,
    Sent(body): Sent<FigureBody>,
) -> Result<Response, Problem> {
    let FigureBody { of: period, value, parts, source, dry_run } = body;
    let given = match (value, parts.is_empty()) {
        (Some(value), true) => Given::Value(value),
        (None, false) => Given::Parts(parts),
        _ => return Err(Problem::unreadable("give exactly one of `value` and `parts`")),
    };
    said(&source)?;
    let order = House::Figure { order: Box::new(FigureOrder { figure, period, given }) };
    answer(api.ask(caller, Request::House { order, reason: source, dry_run }).await?, &form)
}
