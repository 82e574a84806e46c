//! `change execute`: a change is put on the list of its environment, and that list is opened at once.

use clap::Args;

use super::arguments::{RunArguments, WhyArguments};
use super::asking;
use super::change;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::run;
use crate::definition::site::{Batch, ChangeKind, Site};
use crate::http::StepBody;
use crate::types::{BatchId, ChangeId};

#[derive(Debug, Args)]
pub(super) struct ExecuteArguments {
    /// Such as fee-correction
    change: ChangeId,
    /// Its only one by default
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// The list, where its environment has several
    #[arg(long, value_name = "BATCH")]
    list: Option<BatchId>,
    /// The list had a run of this date: once more, as the next run number
    #[arg(long)]
    rerun: bool,
    #[command(flatten)]
    why: WhyArguments,
}

/// The exit code is that of the run, where it is supervised here.
pub(super) async fn execute(context: &Context, asked: ExecuteArguments) -> Result<u8, Failure> {
    let ExecuteArguments { change, environment, list, rerun, why } = asked;
    let site = context.site()?;
    let environment = place(&site, &change, environment)?;
    let batch = list_of(&site, &change, &environment, list)?;
    let body = StepBody { environment: Some(environment), ..StepBody::default() };
    let (reason, dry_run) = (why.reason.clone(), why.dry_run);
    match change::step(context, (change, "schedule"), (body, why), asking::print_line).await? {
        // What would be on the list is known when it is there.
        WELL if !dry_run => {}
        code => return Ok(code),
    }
    let order = RunArguments {
        batch,
        date: None,
        at: None,
        parameters: Vec::new(),
        from: None,
        only: Vec::new(),
        rerun,
        window_override: None,
        reason: Some(reason),
        dry_run: false,
    };
    run::run(context, order).await
}

fn place(site: &Site, id: &ChangeId, named: Option<String>) -> Result<String, Failure> {
    let change = site
        .changes
        .get(id)
        .ok_or_else(|| Failure::refused(format!("the site has no folder changes/{id}")))?;
    if change.kind == ChangeKind::Normal {
        let what = format!("{id} is no emergency: it runs in its window");
        let hint = "`nightrun change schedule` puts it on the list of that window";
        return Err(Failure::refused(format!("{what}; {hint}")));
    }
    let places = change.places(site);
    match (named, places.as_slice()) {
        (Some(named), _) => Ok(named),
        (None, [(only, _)]) => Ok((*only).to_owned()),
        (None, _) => {
            let known: Vec<&str> = places.iter().map(|(of, _)| *of).collect();
            let what = format!("{id} goes to several environments");
            Err(Failure::refused(format!("{what}: --environment is one of {}", known.join(", "))))
        }
    }
}

/// The batch that takes what is on the list of an environment.
fn list_of(
    site: &Site,
    id: &ChangeId,
    environment: &str,
    named: Option<BatchId>,
) -> Result<BatchId, Failure> {
    let change = site.changes.get(id);
    let takes = |batch: &Batch| {
        let list = batch.list.as_ref().filter(|list| list.environment == environment);
        list.is_some_and(|list| change.is_some_and(|change| list.takes(change)))
    };
    let lists = site.batches.values().filter(|batch| takes(batch)).map(|batch| &batch.id);
    let lists: Vec<&BatchId> = lists.collect();
    match (named, lists.as_slice()) {
        (Some(named), lists) if lists.contains(&&named) => Ok(named),
        (None, [only]) => Ok((*only).clone()),
        (None, []) => {
            let what =
                format!("no batch takes changes of {environment} (`changes:` in place of `jobs:`)");
            Err(Failure::refused(what))
        }
        (_, lists) => {
            let known: Vec<&str> = lists.iter().map(|list| list.as_str()).collect();
            Err(Failure::refused(format!(
                "the list of {environment} is one of: {} (--list)",
                known.join(", ")
            )))
        }
    }
}
