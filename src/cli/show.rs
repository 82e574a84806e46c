//! What commands show of runs, from the store or from the supervisor that is at work.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::arguments::{Format, LogArguments, PlanArguments};
use super::asking;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::remote;
use crate::core::calendar::Calendars;
use crate::core::masks::Masking;
use crate::core::night::Core;
use crate::core::order;
use crate::definition::nearest;
use crate::definition::site::Site;
use crate::driver::api_client::Answer;
use crate::driver::archive;
use crate::driver::clock::HostClock;
use crate::driver::log_files::Stream;
use crate::driver::logs::Logs;
use crate::driver::store::StateReader;
use crate::http::ListedRun;
use crate::http::store_pages::{self, Recalled};
use crate::journal::RunRow;
use crate::port::{Clock, RunFilter, StoreReader};
use crate::render;
use crate::render::terminal::Harmless;
use crate::render::words::Verdict;
use crate::types::{AttemptId, BatchId, BusinessDate, JobName, JobRef, Now, Right, RunId, Span};
use crate::view::of_incident;
use crate::view::status::StatusPage;
use crate::view::{self, of_plan::Wanted};

/// A path from here, where it lies beneath.
pub(super) fn short(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let beneath = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    beneath.unwrap_or_else(|| path.to_owned())
}

pub(super) fn page(
    context: &Context,
    text: &str,
    data: &impl serde::Serialize,
) -> Result<u8, Failure> {
    match context.format {
        Format::Text => print_line!("{}", text.trim_end())?,
        Format::Json => {
            let json = serde_json::to_string_pretty(data).map_err(Failure::failed)?;
            print_line!("{json}")?;
        }
    }
    Ok(WELL)
}

/// `status`.
pub(super) async fn status(context: &Context) -> Result<u8, Failure> {
    if let Some(mut client) = context.client().await? {
        let question = asking::get(context, "/api/v1/status".to_owned());
        if let Some(answer) = asking::ask(context, &mut client, &question).await? {
            return asking::print(context, Some(answer));
        }
        // It has gone just now: the store knows.
    }
    let reader = context.reader().await?;
    let last = reader.runs(&RunFilter::default()).await.map_err(Failure::failed)?;
    let row = last.into_iter().find(|row| row.not_at_hand().is_none());
    let row = row.ok_or_else(|| Failure::refused("nothing has run yet"))?;
    let recalled = Recalled::read(&reader, row).await.map_err(Failure::failed)?;
    let view = recalled.status().map_err(Failure::failed)?;
    let is_open = view.head.result.is_none();
    // Job files with defects name nobody, and the run is shown all the same.
    let known = super::incident::known(context).await.ok();
    let incidents = known.map(|core| of_incident::besides(&core, [&view.head.run]));
    let (now, zone) = (view.head.now, view.head.zone.clone());
    let (runs, incidents) = (vec![view], incidents.unwrap_or_default());
    let status = StatusPage { runs, incidents, next: None, now, zone, trouble: None };
    let mut text = render::status::page(context.lang, &status);
    if is_open {
        text.push_str(&format!("\n{}\n", Verdict::Unattended.say(context.lang)));
    }
    page(context, &text, &status)
}

pub(super) fn host_now() -> Result<Now, Failure> {
    Ok(HostClock::new().map_err(Failure::failed)?.now())
}

/// `runs`.
pub(super) async fn runs(
    context: &Context,
    batch: Option<BatchId>,
    date: Option<BusinessDate>,
    limit: u32,
) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::runs(context, batch.as_ref(), date, limit).await;
    }
    let reader = context.reader().await?;
    let limit = Some(limit);
    let filter = RunFilter { batch, business_date: date, limit, ..RunFilter::default() };
    let rows = reader.runs(&filter).await.map_err(Failure::failed)?;
    let data: Vec<ListedRun> = rows.iter().map(ListedRun::from).collect();
    if rows.is_empty() {
        return match context.format {
            Format::Text => Err(Failure::refused("no such run; `nightrun runs` lists all runs")),
            Format::Json => page(context, "", &data),
        };
    }
    page(context, &render::runs::text(context.lang, &rows, &context.zone()), &data)
}

fn no_batch(site: &Site, batch: &BatchId) -> Failure {
    let known = site.batches.keys().map(BatchId::as_str);
    unknown(format!("there is no batch `{batch}`"), batch.as_str(), known)
}

fn no_job(core: &Core, row: &RunRow, job: &JobName) -> Failure {
    let what = format!("{} has no job `{job}`", row.run);
    let run = core.state().run(&row.run);
    let list = run.as_ref().ok().and_then(|run| run.opened.list.as_ref());
    let left_out = list
        .and_then(|list| list.left_out.iter().find(|left| left.change.as_str() == job.as_str()));
    if let Some(left) = left_out {
        let why: Vec<String> = left.why.iter().map(ToString::to_string).collect();
        let what = format!("{job} is not on the list of {}: {}", row.run, why.join("; "));
        return Failure::refused(what);
    }
    match run {
        Ok(run) => unknown(what, job.as_str(), run.batch.jobs.iter().map(|job| job.name.as_str())),
        Err(_) => Failure::refused(what),
    }
}

/// A name that is not known, with the nearest one that is.
fn unknown<'n>(what: String, name: &str, known: impl IntoIterator<Item = &'n str>) -> Failure {
    match nearest::hint(name, known) {
        Some(hint) => Failure::refused(format!("{what}; {hint}")),
        None => Failure::refused(what),
    }
}

/// The run that is meant: by its id, or the one opened last of a batch and date.
pub(super) async fn find(
    reader: &StateReader,
    run: Option<&RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<RunRow, Failure> {
    let found = store_pages::find(reader, run, batch, date).await.map_err(Failure::failed)?;
    found.ok_or_else(|| Failure::refused("there is no such run; `nightrun runs` lists all runs"))
}

/// As [`find`], of a run whose entries are in the store.
pub(super) async fn find_at_hand(
    reader: &StateReader,
    run: Option<&RunId>,
    batch: Option<&BatchId>,
    date: Option<BusinessDate>,
) -> Result<RunRow, Failure> {
    let row = find(reader, run, batch, date).await?;
    row.not_at_hand().map_or(Ok(row), |why| Err(Failure::refused(why)))
}

/// `plan`.
pub(super) async fn plan(context: &Context, arguments: PlanArguments) -> Result<u8, Failure> {
    let site = context.site_as_frozen().await?;
    if let Some(batch) = &arguments.batch
        && !site.batches.contains_key(batch)
    {
        return Err(no_batch(&site, batch));
    }
    let today = context.today()?;
    let from = arguments.date.or(arguments.from).unwrap_or(today);
    let days = i64::from(arguments.days.saturating_sub(1));
    let to = from.saturating_add(jiff::Span::new().days(days));
    let expected = history(context, &site).await?;
    let lives = context.standing().await?.changes;
    let (batch, expected, lives) = (arguments.batch.as_ref(), &expected, Some(&lives));
    let wanted = Wanted { batch, from, to, today, expected, lives };
    let view = view::of_plan::plan(&site, "now", wanted).map_err(Failure::failed)?;
    page(context, &render::plan::text(context.lang, &view), &view)
}

/// Good attempts of a job that its usual duration is taken from.
pub(super) const HISTORY: u32 = 30;

/// Usual durations of every batch, where a store has some.
pub(super) async fn history(
    context: &Context,
    site: &Site,
) -> Result<BTreeMap<JobRef, Span>, Failure> {
    let mut expected = BTreeMap::new();
    let Some(reader) = context.reader_if_any().await? else { return Ok(expected) };
    for batch in site.batches.keys() {
        let known = reader.history(batch, None, HISTORY).await.map_err(Failure::failed)?;
        expected.extend(known.into_iter().map(|(job, durations): (JobName, _)| {
            (JobRef { batch: batch.clone(), job }, durations.p50)
        }));
    }
    Ok(expected)
}

/// `why`.
pub(super) async fn why(
    context: &Context,
    job: JobRef,
    date: Option<BusinessDate>,
) -> Result<u8, Failure> {
    if let Some(answered) = why_of_supervisor(context, &job, date).await? {
        return Ok(answered);
    }
    if let Some(reader) = context.reader_if_any().await? {
        let found = store_pages::find(&reader, None, Some(&job.batch), date).await;
        if let Some(row) = found.map_err(Failure::failed)? {
            if let Some(why) = row.not_at_hand() {
                return Err(Failure::refused(why));
            }
            let recalled = Recalled::read(&reader, row).await.map_err(Failure::failed)?;
            let view = recalled.why(&job.job).map_err(Failure::failed)?;
            let row = &recalled.row;
            let view = view.ok_or_else(|| no_job(&recalled.core, row, &job.job))?;
            let mut text = render::why::text(context.lang, &view);
            if row.result.is_none() && !context.is_supervised().await? {
                text.push_str(&format!("  - {}\n", Verdict::Unattended.say(context.lang)));
            }
            return page(context, &text, &view);
        }
    }
    let site = context.site()?;
    let now = HostClock::new().map_err(Failure::failed)?.now().wall;
    let batch = site.batches.get(&job.batch).ok_or_else(|| no_batch(&site, &job.batch))?;
    let calendars = Calendars::new(&site.calendars);
    let date = match date {
        Some(date) => date,
        None => order::default_date(batch, &calendars, None, now).map_err(Failure::refused)?,
    };
    let view = view::of_why_unopened::why_unopened(&site, &job, date, now).ok_or_else(|| {
        let known = batch.jobs.iter().map(|job| job.name.as_str());
        unknown(format!("batch {} has no job `{}`", job.batch, job.job), job.job.as_str(), known)
    })?;
    page(context, &render::why::text(context.lang, &view), &view)
}

/// The answer of the supervisor that is at work, which knows hosts and what other runs hold. `None`: there is none, or
/// there is no such run.
async fn why_of_supervisor(
    context: &Context,
    job: &JobRef,
    date: Option<BusinessDate>,
) -> Result<Option<u8>, Failure> {
    let Some(mut client) = context.client().await? else { return Ok(None) };
    let date = date.map(|date| format!("?date={date}")).unwrap_or_default();
    let path = format!("/api/v1/batches/{}/jobs/{}/why{date}", job.batch, job.job);
    let question = asking::get(context, path);
    match asking::ask(context, &mut client, &question).await? {
        // The files know the names that there are.
        Some(Answer { status: 404, .. }) | None => Ok(None),
        answer => asking::print(context, answer).map(Some),
    }
}

/// `log`.
pub(super) async fn log(context: &Context, arguments: LogArguments) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::log(context, arguments).await;
    }
    context.may(Right::Logs)?;
    let LogArguments { job, date, run, attempt, follow } = arguments;
    let reader = context.reader().await?;
    let row = find_at_hand(&reader, run.as_ref(), Some(&job.batch), date).await?;
    let core = store_pages::core(&reader, &row.run).await.map_err(Failure::failed)?;
    let state = core.state().run(&row.run).map_err(Failure::failed)?;
    let index = state.index(&job.job).ok_or_else(|| no_job(&core, &row, &job.job))?;
    let attempts = &state.jobs[index].attempts;
    let number = match attempt {
        Some(number) => attempts.iter().find(|a| a.number == number).map(|a| a.number),
        None => attempts.last().map(|a| a.number),
    };
    let Some(number) = number else {
        return Err(Failure::refused(match (attempt, attempts.len()) {
            (_, 0) => format!(
                "{} of {} was never started; `nightrun why {job}` says why",
                job.job, row.run
            ),
            (_, last) => format!("{} of {} has attempts 1 to {last}", job.job, row.run),
        }));
    };
    let id = AttemptId { run: row.run.clone(), job: job.job.clone(), number };
    let logs = Logs::new(context.existing_state()?.agent());
    let given = attempts.iter().find(|attempt| attempt.number == number);
    let given = given.ok_or_else(|| Failure::failed(format!("{id} was on no host")))?;
    let logs = logs.of(&given.host, state.site.hosts.get(&given.host));
    // Of one whose ending is known nothing is added any more, whatever its host has of it.
    let follow = follow && given.ended.is_none();
    let there = logs.read(&id, Stream::Out, 0).await.map_err(Failure::failed)?.there;
    let file = context
        .retention
        .as_ref()
        .map(|retention| retention.archive.join(archive::of_logs(&id.run)));
    if let Some(file) = file.filter(|file| !there && file.exists()) {
        return Err(Failure::refused(format!(
            "the output of {} was archived: {}; zcat shows it",
            id.run,
            short(&file).display()
        )));
    }
    let mut screen = Screen::new(&state.job(index).log_masks);
    let show = |stream: Stream, bytes: &[u8]| screen.show(stream, bytes);
    let printed = logs.show(&id, follow, show).await;
    let printed = printed.and_then(|()| screen.end());
    match printed {
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(WELL),
        printed => {
            printed.map(|()| WELL).map_err(|error| Failure::failed(format!("log of {id}: {error}")))
        }
    }
}

/// Where a log is shown: a terminal gets nothing of it that would move the cursor, everything else each byte.
struct Screen {
    out: (Masking, Option<Harmless>),
    err: (Masking, Option<Harmless>),
}

impl Screen {
    fn new(masks: &[String]) -> Self {
        let stream = |terminal: bool| (Masking::new(masks), terminal.then(Harmless::default));
        Self {
            out: stream(std::io::stdout().is_terminal()),
            err: stream(std::io::stderr().is_terminal()),
        }
    }

    fn show(&mut self, stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
        let (masking, harmless) = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        let bytes = masking.show(bytes);
        match harmless {
            Some(harmless) => put(stream, harmless.show(&bytes).as_bytes()),
            None => put(stream, &bytes),
        }
    }

    fn end(&mut self) -> std::io::Result<()> {
        for (stream, of_it) in [(Stream::Out, &mut self.out), (Stream::Err, &mut self.err)] {
            let (masking, harmless) = of_it;
            let held = masking.end();
            let Some(harmless) = harmless else {
                put(stream, &held)?;
                continue;
            };
            put(stream, harmless.show(&held).as_bytes())?;
            put(stream, harmless.end().as_bytes())?;
        }
        std::io::stdout().flush()
    }
}

fn put(stream: Stream, bytes: &[u8]) -> std::io::Result<()> {
    match stream {
        Stream::Out => std::io::stdout().write_all(bytes),
        Stream::Err => std::io::stderr().write_all(bytes),
    }
}
