//! `figure`: a figure of the service levels that a person enters.

use std::collections::BTreeMap;

use clap::Args;

use super::context::Context;
use super::exit::Failure;
use super::house::carry_out;
use crate::core::figure::{FigureOrder, Given};
use crate::port::control::House;
use crate::types::{FigureName, Period};

#[derive(Debug, Args)]
pub(super) struct FigureArguments {
    /// Of service-levels.yaml
    figure: FigureName,
    /// Such as 3 or 99.95; of a figure with parts each of them, such as errors=7. A later one takes its place, and keeps it
    #[arg(required = true)]
    value: Vec<String>,
    /// A week as 2026-W44 or by a date in it, a month as 2026-11, a quarter as 2026-Q4
    #[arg(long, value_name = "PERIOD")]
    of: Period,
    /// Where it is from; recorded with your name
    #[arg(long, value_name = "TEXT")]
    source: String,
    /// Do nothing, and say what would come of it
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn figure(context: &Context, arguments: FigureArguments) -> Result<u8, Failure> {
    let FigureArguments { figure, value, of: period, source, dry_run } = arguments;
    let order = Box::new(FigureOrder { figure, period, given: given(&value)? });
    carry_out(context, House::Figure { order }, source, dry_run).await
}

fn given(words: &[String]) -> Result<Given, Failure> {
    if let [value] = words
        && !value.contains('=')
    {
        return value.parse().map(Given::Value).map_err(Failure::defects);
    }
    let mut parts = BTreeMap::new();
    for word in words {
        let read = || {
            let (name, count) = word.split_once('=')?;
            Some((name.parse::<FigureName>().ok()?, count.parse::<u32>().ok()?))
        };
        let (name, count) = read().ok_or_else(|| {
            Failure::defects(format!("`{word}` is no part with its number, such as errors=7"))
        })?;
        if parts.insert(name, count).is_some() {
            return Err(Failure::defects(format!("`{word}`: that part is given twice")));
        }
    }
    Ok(Given::Parts(parts))
}
