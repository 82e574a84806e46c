//! What operators do to a job: through the supervisor that is at work, or by taking the run up.

use super::arguments::{ActArguments, Format};
use super::asking::ask;
use super::context::Context;
use super::exit::{Failure, WELL, refusal};
use super::show::find;
use crate::core::fact::Action;
use crate::driver::control::Client;
use crate::journal::RunRow;
use crate::port::control::{Reply, Request, RunOf};
use crate::port::{RunFilter, StoreReader};
use crate::supervisor::is_interrupted;
use crate::types::{BatchId, BusinessDate, JobName};

/// `hold`, `release`, `skip`, `force`, `retry`, `kill`, `confirm`.
pub(super) async fn act(
    context: &Context,
    arguments: ActArguments,
    action: fn(JobName) -> Action,
) -> Result<u8, Failure> {
    let ActArguments { job, date, run, reason } = arguments;
    let on = match run {
        Some(run) if run.batch != job.batch => {
            return Err(Failure::defects(format!("{run} is no run of {}", job.batch)));
        }
        Some(run) => RunOf::Run(run),
        None => RunOf::Batch { batch: job.batch, date },
    };
    carry_out(context, on, action(job.job), reason).await
}

/// `note`.
pub(super) async fn note(
    context: &Context,
    on: &str,
    text: String,
    date: Option<BusinessDate>,
) -> Result<u8, Failure> {
    let (batch, job) = match on.split_once('.') {
        Some((batch, job)) => (batch, Some(JobName::new(job).map_err(Failure::defects)?)),
        None => (on, None),
    };
    let batch = BatchId::new(batch).map_err(Failure::defects)?;
    let action = Action::Note { job, text: text.clone() };
    carry_out(context, RunOf::Batch { batch, date }, action, text).await
}

async fn carry_out(
    context: &Context,
    on: RunOf,
    action: Action,
    reason: String,
) -> Result<u8, Failure> {
    let state = context.existing_state()?;
    let client = Client::connect(state.root()).await.map_err(Failure::failed)?;
    let Some(mut client) = client else {
        return without_supervisor(context, &on, action, &reason).await;
    };
    let request = Request::Act { on, action, reason };
    match ask(context, &mut client, request).await? {
        Some(Reply::Done { text, run }) => {
            match context.format {
                Format::Text => print_line!("{text}")?,
                Format::Json => print_line!("{}", serde_json::json!({ "done": text, "run": run }))?,
            }
            Ok(WELL)
        }
        other => Err(refusal(other)),
    }
}

/// Nobody supervises: what sets the night going again takes the run up here; the rest has nothing to act on.
async fn without_supervisor(
    context: &Context,
    on: &RunOf,
    action: Action,
    reason: &str,
) -> Result<u8, Failure> {
    let reader = context.reader().await?;
    let row = match on {
        RunOf::Run(run) => find(&reader, Some(run), None, None).await?,
        RunOf::Batch { batch, date } => {
            let of = Some(batch.clone());
            let filter = RunFilter { batch: of, business_date: *date, trial: None, limit: Some(1) };
            let runs = reader.runs(&filter).await.map_err(Failure::failed)?;
            runs.into_iter().next().ok_or_else(|| {
                Failure::refused(format!("{batch} has not run; `nightrun runs` lists all runs"))
            })?
        }
    };
    let row = &row;
    match action {
        // A note alone must not set a stopped night going.
        Action::Note { .. } if is_interrupted(row) => Err(not_at_work(row)),
        Action::Retry { .. } | Action::Skip { .. } | Action::Force { .. } | Action::Note { .. } => {
            super::run::act_and_go_on(context, row, action, reason).await
        }
        _ => Err(not_at_work(row)),
    }
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
