//! What operators do to runs and their jobs: through the supervisor that is at work, or by taking the run up.

use jiff::civil::Time;

use super::arguments::{ActArguments, Format, WhyArguments};
use super::asking;
use super::context::Context;
use super::exit::{Failure, REFUSED, WELL};
use super::show::find_at_hand;
use crate::app::own_account;
use crate::core::fact::Deadline;
use crate::core::forecast;
use crate::core::night::{Event, StepError};
use crate::core::select::{Deed, Selector};
use crate::http::{ActBody, store_pages};
use crate::journal::RunRow;
use crate::port::control::RunOf;
use crate::port::{RunFilter, StoreReader};
use crate::supervisor::{is_interrupted, person_of};
use crate::types::BusinessDate;
use crate::{render, view};

/// `hold`, `release`, `skip`, `force`, `retry`, `kill`, `confirm`, `rerun`, `priority`, `cancel`.
pub(super) async fn act(
    context: &Context,
    arguments: ActArguments,
    deed: Deed,
) -> Result<u8, Failure> {
    let ActArguments { on, date, run, why } = arguments;
    let of = match run {
        Some(run) if run.batch != on.batch => {
            return Err(Failure::defects(format!("{run} is no run of {}", on.batch)));
        }
        Some(run) => RunOf::Run(run),
        None => RunOf::Batch { batch: on.batch.clone(), date },
    };
    answered(context, carry_out(context, on, of, deed, why).await)
}

/// `deadline`: one of the two is given.
pub(super) async fn deadline(
    context: &Context,
    arguments: ActArguments,
    complete_by: Option<Time>,
    start_by: Option<Time>,
) -> Result<u8, Failure> {
    let deed = match (complete_by, start_by) {
        (Some(to), _) => Deed::Deadline { deadline: Deadline::MustCompleteBy, to },
        (None, Some(to)) => Deed::Deadline { deadline: Deadline::MustStartBy, to },
        (None, None) => return Err(Failure::defects("give --complete-by or --start-by")),
    };
    act(context, arguments, deed).await
}

/// `note`.
pub(super) async fn note(
    context: &Context,
    on: Selector,
    text: String,
    date: Option<BusinessDate>,
) -> Result<u8, Failure> {
    let why = WhyArguments { reason: text.clone(), dry_run: false };
    let of = RunOf::Batch { batch: on.batch.clone(), date };
    answered(context, carry_out(context, on, of, Deed::Note { text }, why).await)
}

/// Whoever reads JSON gets a refusal as data too, with the name of its rule.
pub(super) fn answered(context: &Context, done: Result<u8, Failure>) -> Result<u8, Failure> {
    if let Err(failure) = &done
        && failure.code == REFUSED
        && context.format == Format::Json
    {
        let refused = serde_json::json!({ "refused": failure.what, "rule": failure.rule });
        print_line!("{refused}")?;
    }
    done
}

async fn carry_out(
    context: &Context,
    on: Selector,
    run: RunOf,
    deed: Deed,
    why: WhyArguments,
) -> Result<u8, Failure> {
    let Some(mut client) = context.client().await? else {
        return without_supervisor(context, on, &run, deed, why).await;
    };
    let path = match &run {
        RunOf::Run(run) => format!("/api/v1/runs/{}/actions", asking::in_path(run)),
        RunOf::Batch { batch, date: None } => format!("/api/v1/batches/{batch}/actions"),
        RunOf::Batch { batch, date: Some(date) } => {
            format!("/api/v1/batches/{batch}/actions?date={date}")
        }
    };
    let WhyArguments { reason, dry_run } = why;
    let body = ActBody { jobs: on.which.written(), action: deed, reason, dry_run };
    let question = asking::post(context, path, &body)?;
    asking::print_line(context, asking::ask(context, &mut client, &question).await?)
}

/// Nobody supervises: what sets the night going again takes the run up here; the rest has nothing to act on.
async fn without_supervisor(
    context: &Context,
    on: Selector,
    of: &RunOf,
    deed: Deed,
    why: WhyArguments,
) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let row = match of {
        RunOf::Run(run) => find_at_hand(&reader, Some(run), None, None).await?,
        RunOf::Batch { batch, date } => {
            let of = Some(batch.clone());
            let filter = RunFilter {
                batch: of,
                business_date: *date,
                limit: Some(1),
                ..RunFilter::default()
            };
            let runs = reader.runs(&filter).await.map_err(Failure::failed)?;
            runs.into_iter().next().ok_or_else(|| {
                Failure::refused(format!("{batch} has not run; `nightrun runs` lists all runs"))
            })?
        }
    };
    if let Some(why) = row.not_at_hand() {
        return Err(Failure::refused(why));
    }
    let row = &row;
    if why.dry_run {
        return tried(context, row, on, deed, why.reason).await;
    }
    let only_words = matches!(deed, Deed::Note { .. } | Deed::Sign { .. });
    let sets_going =
        matches!(deed, Deed::Retry | Deed::Skip | Deed::Force | Deed::Rerun | Deed::Cancel);
    let sets_going = sets_going || only_words;
    // Words alone must not set a stopped night going.
    let only_noted = only_words && is_interrupted(row);
    if !sets_going || only_noted {
        return Err(not_at_work(row));
    }
    let (run, which, reason) = (row.run.clone(), on.which, why.reason);
    let event = move |by, _| Event::ActOn { run, by, reason, which, deed };
    super::run::act_and_go_on(context, row, event).await
}

/// `--dry-run` where nobody supervises: as if the run were taken up for it.
async fn tried(
    context: &Context,
    row: &RunRow,
    on: Selector,
    deed: Deed,
    reason: String,
) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let recalled = store_pages::Recalled::read(&reader, row.clone()).await;
    let store_pages::Recalled { core, mut now, .. } = recalled.map_err(Failure::failed)?;
    if row.ended.is_some() && !row.trial {
        now = super::show::host_now()?;
    }
    let site = &core.state().run(&row.run).map_err(Failure::failed)?.site;
    let by = person_of(Some(site), &own_account());
    let run = row.run.clone();
    let event = Event::ActOn { run: run.clone(), by, reason, which: on.which, deed };
    let (as_if, decided) = core.would(now, event).map_err(|error| match error {
        StepError::Refused(refused) => Failure::by_rule(&refused),
        defect @ StepError::Unfit(_) => Failure::failed(defect),
    })?;
    let before = forecast::of_night(&core, now).unwrap_or_default();
    let after = forecast::of_night(&as_if, now).unwrap_or_default();
    let view = view::of_tried::tried(&as_if, now, &decided, Some(&run), (&before, &after));
    match context.format {
        Format::Text => print_line!("{}", render::tried::text(&view))?,
        Format::Json => print_line!("{}", serde_json::json!(view))?,
    }
    Ok(WELL)
}

fn not_at_work(row: &RunRow) -> Failure {
    if is_interrupted(row) {
        Failure::refused(format!(
            "no supervisor is at work on {}; `nightrun resume` goes on with it",
            row.run
        ))
    } else {
        Failure::refused(format!("{} is over", row.run))
    }
}
