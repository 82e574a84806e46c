//! `run`, `resume`, and an operator's action on a run that nobody supervises: the foreground supervisor.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::arguments::{Format, RunArguments};
use super::backup;
use super::context::Context;
use super::exit::Failure;
use super::{act, asking, lines, live, show, tried};
use crate::app::{self, Led, NotStarted, RunClock, Wiring, own_account};
use crate::core::calendar::Calendars;
use crate::core::fact::StopHow;
use crate::core::night::Event;
use crate::core::order;
use crate::definition::site::{Batch, Site};
use crate::driver::api_client::{Ask, Client};
use crate::driver::clock::{HostClock, TrialClock};
use crate::driver::folders::StateFolder;
use crate::driver::store::{StateReader, StateStore};
use crate::http::Ordered;
use crate::journal::RunRow;
use crate::port::control::Order;
use crate::port::{Clock, Defects, RunFilter, SiteSource, Store, StoreError, StoreReader};
use crate::render;
use crate::render::words::Verdict;
use crate::supervisor::{Input, NotOrdered, Observer, Supervisor, is_interrupted, person_of};
use crate::types::{PersonId, RunId};
use crate::view::{self, of_job::Around, of_why_unopened, why::Reason};

/// Time that the outbox gets at the end of a run.
const OUTBOX: Duration = Duration::from_secs(30);
/// Time that another supervisor gets to begin or to end.
const IN_BETWEEN: Duration = Duration::from_secs(10);
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// `nightrun run`.
pub(super) async fn run(context: &Context, arguments: RunArguments) -> Result<u8, Failure> {
    let source = context.source()?;
    let read = match source.read() {
        Ok(read) => read,
        Err(defects) => return without_files(context, arguments, defects).await,
    };
    let site = Arc::clone(&read.site);
    let at = arguments.at.as_deref().map(|text| instant(text, &site)).transpose()?;
    if context.observes && at.is_none() {
        return Err(Failure::refused(
            "this host only observes (`mode: observe` in its settings), and starts nothing; for a trial: --at, with a state folder of its own",
        ));
    }
    let order = order_of(arguments, at.is_some());
    if let Some(batch) = site.batches.get(&order.batch) {
        say_first(context, &site, batch, &order);
    }
    if order.dry_run {
        if let Some(client) = context.client().await?
            && let Some(code) = order_through(context, client, &order).await?
        {
            return Ok(code);
        }
        return tried::order(context, (&source, &read), &order, at).await;
    }
    let state = context.create_state()?;
    let host = HostClock::new().map_err(Failure::failed)?;
    let store = match served_or_leading(context, &state, &host, &order).await? {
        Served::ByAnother(code) => return Ok(code),
        Served::Here(store) => *store,
    };
    let now = at.unwrap_or_else(|| host.now().wall);
    let interrupted = match at {
        Some(_) => interrupted_trial(store.reader(), &site, &order, now).await?,
        None => None,
    };
    let clock = match (at, &interrupted) {
        (None, _) => RunClock::Host(host),
        (Some(at), None) => RunClock::Trial(TrialClock::starting_at(host, at)),
        (Some(_), Some(row)) => trial_clock(store.reader(), &row.run, host).await?,
    };
    let mail = site.mail.clone();
    source.remember(read);
    let (door, starts_agent) = (context.door(&state), context.starts_agent);
    let wiring = Wiring { source, state, clock, mail, door, starts_agent };
    let mut led = led(context, wiring, store).await?;
    let run = match interrupted {
        Some(row) => {
            led.supervisor.take_up(&row.run, &own_account()).await.map_err(Failure::failed)?;
            row.run
        }
        None => led
            .supervisor
            .order(&own_account(), &order)
            .await
            .map_err(Failure::failed)?
            .map_err(not_ordered)?,
    };
    night(context, led, &run).await
}

/// A supervisor that serves goes by job files that were good; it is for it to say what it makes of the order.
async fn without_files(
    context: &Context,
    arguments: RunArguments,
    defects: Defects,
) -> Result<u8, Failure> {
    let defects = Failure::defects(defects);
    if arguments.at.is_some() {
        return Err(defects);
    }
    let Some(client) = context.client().await? else { return Err(defects) };
    order_through(context, client, &order_of(arguments, false)).await?.ok_or(defects)
}

/// Who carries an order out.
enum Served {
    /// The supervisor that was at work; the exit code of the run.
    ByAnother(u8),
    /// This process, which has the store now.
    Here(Box<StateStore>),
}

/// Gives the order to the supervisor that is at work, or takes the lead. Between the two lies a supervisor that begins
/// (it has the store and does not listen yet) or ends (it listens and does not answer any more): it is asked again.
async fn served_or_leading(
    context: &Context,
    state: &StateFolder,
    host: &HostClock,
    order: &Order,
) -> Result<Served, Failure> {
    let mut in_between_since = None;
    loop {
        if let Some(client) = context.client().await? {
            if let Some(code) = order_through(context, client, order).await? {
                return Ok(Served::ByAnother(code));
            }
        } else {
            match context.try_store(state).await {
                Ok(store) => return Ok(Served::Here(Box::new(store))),
                Err(why @ StoreError::InUse(_)) => {
                    let now = host.now().since_boot;
                    if now - *in_between_since.get_or_insert(now) > IN_BETWEEN {
                        return Err(Failure::refused(why));
                    }
                }
                Err(why @ StoreError::Elsewhere(_)) => return Err(Failure::refused(why)),
                Err(why @ StoreError::Behind(_)) => return Err(backup::refusal(context, why).await),
                Err(other) => return Err(Failure::failed(other)),
            }
        }
        // Nothing tells when a lock is free or a socket is there.
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(ASK_AGAIN, never).await;
    }
}

/// What a person should know before anything starts: that the schedule leaves the date out, and as whom he is recorded.
fn say_first(context: &Context, site: &Site, batch: &Batch, order: &Order) {
    if let Some(date) = order.date
        && let Some(reason) = of_why_unopened::schedule_leaves_out(site, batch, date)
        && let Reason::NotItsDay(not) = &reason
    {
        let why = render::why::not_its_day(context.lang, not);
        let notice = Verdict::ScheduleLeavesOut { batch: batch.id.as_str(), why: &why };
        notice_line!("nightrun: {}", notice.say(context.lang));
    }
    let account = own_account();
    let person = person_of(Some(site), &account);
    if !site.people.contains_key(&person) {
        let notice = Verdict::NoPerson { as_whom: person.as_str(), account: &account.to_string() };
        notice_line!("nightrun: {}", notice.say(context.lang));
    }
}

/// `nightrun resume`.
pub(super) async fn resume(
    context: &Context,
    run: Option<RunId>,
    dry_run: bool,
) -> Result<u8, Failure> {
    let state = context.existing_state()?;
    if context.is_supervised().await? {
        return Err(Failure::refused(
            "a supervisor is at work on this state folder; `nightrun status` shows it",
        ));
    }
    let store = match dry_run {
        true => None,
        false => Some(context.open_store(&state).await?),
    };
    let reader = match &store {
        Some(store) => store.reader().clone(),
        None => context.reader().await?,
    };
    let interrupted = interrupted_runs(&reader).await?;
    let rows: Vec<RunRow> = match &run {
        Some(run) => interrupted.into_iter().filter(|row| row.run == *run).collect(),
        None => interrupted,
    };
    let Some(first) = rows.first().cloned() else {
        let what = match run {
            Some(run) => format!("{run} is not interrupted; `nightrun runs` lists all runs"),
            None => "no run is interrupted; `nightrun runs` lists all runs".to_owned(),
        };
        return Err(Failure::refused(what));
    };
    // One clock for one supervisor: a trial goes on by itself, real runs together.
    let rows: Vec<RunRow> = rows
        .into_iter()
        .filter(|row| if first.trial { row.run == first.run } else { !row.trial })
        .collect();
    let Some(store) = store else {
        let host = HostClock::new().map_err(Failure::failed)?;
        let clock = clock_of(&reader, &first, host).await?;
        return tried::going_on(context, Some(&reader), &clock, &rows).await;
    };
    let mut led = supervisor_for(context, &first, store).await?;
    for row in &rows {
        led.supervisor.take_up(&row.run, &own_account()).await.map_err(Failure::failed)?;
    }
    night(context, led, &first.run).await
}

/// An action on a run without a supervisor: the run is taken up with it and goes on here.
pub(super) async fn act_and_go_on(
    context: &Context,
    row: &RunRow,
    event: impl FnOnce(PersonId, bool) -> Event,
) -> Result<u8, Failure> {
    let state = context.existing_state()?;
    let store = context.open_store(&state).await?;
    let mut led = supervisor_for(context, row, store).await?;
    let said = led
        .supervisor
        .act_on(&row.run, &own_account(), event)
        .await
        .map_err(Failure::failed)?
        .map_err(|refused| Failure::by_rule(&refused))?;
    if context.format == Format::Text {
        told_line!("{said}");
    }
    night(context, led, &row.run).await
}

async fn supervisor_for(
    context: &Context,
    row: &RunRow,
    store: StateStore,
) -> Result<Led, Failure> {
    let host = HostClock::new().map_err(Failure::failed)?;
    let clock = clock_of(store.reader(), row, host).await?;
    let state = context.existing_state()?;
    let mail = context.mail_of(&store, row).await?;
    let source = context.source_if_any()?;
    let (door, starts_agent) = (context.door(&state), context.starts_agent);
    led(context, Wiring { source, state, clock, mail, door, starts_agent }, store).await
}

async fn clock_of(
    reader: &StateReader,
    row: &RunRow,
    host: HostClock,
) -> Result<RunClock, Failure> {
    match row.trial {
        true => trial_clock(reader, &row.run, host).await,
        false => Ok(RunClock::Host(host)),
    }
}

pub(super) async fn trial_clock(
    reader: &StateReader,
    run: &RunId,
    host: HostClock,
) -> Result<RunClock, Failure> {
    let offset = reader.trial_clock(run).await.map_err(Failure::failed)?;
    let offset = offset
        .ok_or_else(|| Failure::failed(format!("the clock of the trial {run} was not stored")))?;
    Ok(RunClock::Trial(TrialClock::resume(host, offset)))
}

/// A supervisor of the host's clock, for what goes beyond any run.
pub(super) async fn led_for_site(context: &Context) -> Result<(Led, Arc<Site>), Failure> {
    let source = context.source()?;
    let read = source.read().map_err(Failure::defects)?;
    let site = Arc::clone(&read.site);
    let state = context.create_state()?;
    let store = context.open_store(&state).await?;
    let clock = RunClock::Host(HostClock::new().map_err(Failure::failed)?);
    let mail = site.mail.clone();
    source.remember(read);
    let (door, starts_agent) = (context.door(&state), context.starts_agent);
    let wiring = Wiring { source, state, clock, mail, door, starts_agent };
    let led = led(context, wiring, store).await?;
    Ok((led, site))
}

async fn led(context: &Context, wiring: Wiring, store: StateStore) -> Result<Led, Failure> {
    let observer: Box<dyn Observer> = if context.format == Format::Text && context.terminal {
        Box::new(live::Display::new(context.lang, wiring.state.agent()))
    } else {
        Box::new(lines::Lines::new(context.lang, context.format))
    };
    app::lead(wiring, store, vec![observer]).await.map_err(|why| match why {
        NotStarted::Store(why @ (StoreError::InUse(_) | StoreError::Elsewhere(_))) => {
            Failure::refused(why)
        }
        other => Failure::failed(other),
    })
}

/// Lets the supervisor work to the end of the night, and says how it ended.
async fn night(context: &Context, mut led: Led, run: &RunId) -> Result<u8, Failure> {
    let signals = tokio::spawn(pass_signals(led.inbox.clone()));
    let unsent = loop {
        led.supervisor.work().await.map_err(Failure::failed)?;
        let unsent = led.supervisor.empty_outbox(OUTBOX).await.map_err(Failure::failed)?;
        // Somebody may have set it going again meanwhile.
        if led.supervisor.is_idle() {
            break unsent;
        }
    };
    signals.abort();
    let result = led.supervisor.result(run);
    if context.format == Format::Text {
        conclude(context, &led.supervisor, run, unsent.len())?;
    }
    led.supervisor.leave().await;
    Ok(result.map_or(super::exit::FAILED, crate::core::fact::RunResult::exit_code))
}

/// The verdict, and where the report is in the reader's language.
fn conclude(
    context: &Context,
    supervisor: &Supervisor<app::Local>,
    run: &RunId,
    unsent: usize,
) -> Result<(), Failure> {
    let (core, now) = (supervisor.core(), supervisor.now_of(run));
    let status =
        view::of_run::status(core, run, now, Around::nothing()).map_err(Failure::failed)?;
    told_line!("{}", render::progress::standing(context.lang, &status));
    let tag = format!(".{}.", context.lang.tag());
    for path in supervisor.report_files(run) {
        if path.to_string_lossy().contains(&tag) {
            told_line!("report: {}", show::short(path).display());
        }
    }
    if unsent > 0 {
        told_line!(
            "{} not sent yet: `nightrun mail flush` tries again, `nightrun mail list` says why",
            super::counted(unsent, "mail is", "mails are")
        );
    }
    Ok(())
}

/// Once: no new starts, wait. Twice: TERM with grace. Thrice: KILL. Of any of the two signals.
async fn pass_signals(inbox: mpsc::UnboundedSender<Input>) {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    for how in [StopHow::Wait, StopHow::Terminate, StopHow::Kill] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if inbox.send(Input::Stop { caller: own_account(), how }).is_err() {
            return;
        }
    }
}

/// Runs that can go on: interrupted, and not overtaken by a later one of the same batch and key.
async fn interrupted_runs(reader: &StateReader) -> Result<Vec<RunRow>, Failure> {
    let all = reader.runs(&RunFilter::default()).await.map_err(Failure::failed)?;
    let latest = |row: &RunRow| {
        !all.iter().any(|other| {
            other.run.batch == row.run.batch
                && other.run.key == row.run.key
                && other.trial == row.trial
                && other.run.number > row.run.number
        })
    };
    Ok(all.iter().filter(|row| is_interrupted(row) && latest(row)).cloned().collect())
}

/// The trial of the same batch and date that was interrupted, if the same command is given again.
pub(super) async fn interrupted_trial(
    reader: &StateReader,
    site: &Site,
    order: &Order,
    now: Timestamp,
) -> Result<Option<RunRow>, Failure> {
    if order.rerun {
        return Ok(None);
    }
    let calendars = Calendars::new(&site.calendars);
    let Some(batch) = site.batches.get(&order.batch) else { return Ok(None) };
    let date = match order.date {
        Some(date) => date,
        None => order::default_date(batch, &calendars, None, now).map_err(Failure::refused)?,
    };
    Ok(interrupted_runs(reader)
        .await?
        .into_iter()
        .find(|row| row.trial && row.run.batch == order.batch && row.business_date == date))
}

fn order_of(arguments: RunArguments, trial: bool) -> Order {
    Order {
        batch: arguments.batch,
        date: arguments.date,
        parameters: arguments.parameters.into_iter().collect(),
        from: arguments.from,
        only: arguments.only,
        rerun: arguments.rerun,
        trial,
        window_override: arguments.window_override,
        reason: arguments.reason,
        dry_run: arguments.dry_run,
    }
}

/// A second `run` on the same state folder is served by the first supervisor. `None`: it left before it answered, so
/// it has not taken the order.
async fn order_through(
    context: &Context,
    mut client: Client,
    order: &Order,
) -> Result<Option<u8>, Failure> {
    let question = asking::post(context, "/api/v1/runs".to_owned(), order)?;
    let question = match order.dry_run {
        true => question,
        false => Ask { accept: "application/json", ..question },
    };
    let Some(answer) = asking::ask_patiently(context, &mut client, &question).await? else {
        return Ok(None);
    };
    if order.dry_run {
        return act::answered(context, asking::print_line(context, Some(answer))).map(Some);
    }
    let answer = asking::good(Some(answer))?;
    let Ordered { run, after } = serde_json::from_str(&answer.body).map_err(Failure::failed)?;
    if context.format == Format::Text {
        told_line!("{run} is under way, in the supervisor that is at work");
    }
    let mut after = after;
    // A stream ends now and then, and is taken up where it was.
    while let Some(mut events) = asking::follow(context, &mut client, (&run, after)).await? {
        while let Some(event) = asking::next(context, &mut events).await? {
            let data: serde_json::Value =
                serde_json::from_str(&event.data).map_err(Failure::failed)?;
            match context.format {
                Format::Text => told_line!("{}", data["text"].as_str().unwrap_or_default()),
                Format::Json => told_line!("{}", event.data),
            }
            if let Some(code) = data["exit_code"].as_u64() {
                return Ok(Some(u8::try_from(code).unwrap_or(super::exit::FAILED)));
            }
            after = event.id.unwrap_or(after);
        }
        let never = std::future::pending::<()>();
        let _ = tokio::time::timeout(ASK_AGAIN, never).await;
    }
    Err(asking::gone())
}

pub(super) fn not_ordered(why: NotOrdered) -> Failure {
    match why {
        NotOrdered::Refused(refused) => Failure::by_rule(&refused),
        NotOrdered::Defects(what) => Failure::defects(what),
        no_copy @ NotOrdered::NoCopy(_) => Failure::refused(no_copy),
    }
}

/// `2026-10-30T21:30` in the site's zone, or an instant with its offset.
pub(super) fn instant(text: &str, site: &Site) -> Result<Timestamp, Failure> {
    site.zone.instant(text).map_err(Failure::defects)
}
