//! Asking the API of the supervisor that is at work, and no longer than it makes sense to wait: it may stand still
//! (SIGSTOP, a disk that hangs) while its socket takes whatever is sent to it.

use hyper::Method;
use serde::Serialize;
use serde_json::Value;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use crate::driver::api_client::{Answer, Ask, Client, Event, Events};
use crate::http::Problem;
use crate::types::{RunId, Span};

/// For what only looks.
const LOOK: Span = Span::seconds(10);
/// For what decides something: a commit may wait for a disk.
const ACT: Span = Span::seconds(30);
/// Silence of a followed run after which its supervisor is asked whether it still answers.
const SILENCE: Span = Span::seconds(60);

/// A question, in the form and language that the command was asked for.
pub(super) fn get(context: &Context, path: String) -> Ask {
    let accept = match context.format {
        Format::Text => "text/plain",
        Format::Json => "application/json",
    };
    let language = context.lang.tag();
    Ask { method: Method::GET, path, accept, language, body: None, after: None }
}

/// Something to be done.
pub(super) fn post(context: &Context, path: String, body: &impl Serialize) -> Result<Ask, Failure> {
    let body = Some(serde_json::to_value(body).map_err(Failure::failed)?);
    Ok(Ask { method: Method::POST, body, ..get(context, path) })
}

/// A piece of a path, as it must be written in one.
pub(super) fn in_path(piece: &impl ToString) -> String {
    piece.to_string().replace('%', "%25").replace('#', "%23").replace('+', "%2B")
}

/// Asks, and waits for the answer as long as the question is worth, or as `--answer-within` says. `None`: the supervisor
/// has gone.
pub(super) async fn ask(
    context: &Context,
    client: &mut Client,
    ask: &Ask,
) -> Result<Option<Answer>, Failure> {
    let decides = ask.method != Method::GET;
    let limit = context.answer_within.unwrap_or(if decides { ACT } else { LOOK });
    match tokio::time::timeout(limit.get(), client.ask(ask)).await {
        Ok(answered) => answered.map_err(Failure::failed).map(|answer| answer.filter(is_there)),
        Err(_) => Err(Failure::unanswered(unanswered(limit, client.pid(), decides))),
    }
}

/// Whether whoever answered goes on: one that ends says so, and has done nothing.
fn is_there(answer: &Answer) -> bool {
    answer.status != 502
}

/// As [`ask`], for an order, whose answer may take as long as a night's copy takes to be laid: it is asked meanwhile
/// whether the supervisor still answers.
pub(super) async fn ask_patiently(
    context: &Context,
    client: &mut Client,
    ask: &Ask,
) -> Result<Option<Answer>, Failure> {
    let asked = async { client.ask(ask).await.map_err(Failure::failed) };
    Ok(wait(context, asked).await?.filter(is_there))
}

/// Prints an answer as it came.
pub(super) fn print(context: &Context, answer: Option<Answer>) -> Result<u8, Failure> {
    let answer = good(answer)?;
    match context.format {
        Format::Text => print_line!("{}", answer.body.trim_end())?,
        Format::Json => {
            let data: Value = serde_json::from_str(&answer.body).map_err(Failure::failed)?;
            let pretty = serde_json::to_string_pretty(&data).map_err(Failure::failed)?;
            print_line!("{pretty}")?;
        }
    }
    Ok(WELL)
}

/// As [`print`], on one line: for what a program reads line by line.
pub(super) fn print_line(context: &Context, answer: Option<Answer>) -> Result<u8, Failure> {
    let answer = good(answer)?;
    match context.format {
        Format::Text => print_line!("{}", answer.body.trim_end())?,
        Format::Json => print_line!("{}", answer.body)?,
    }
    Ok(WELL)
}

/// The answer, where it is what was asked for.
pub(super) fn good(answer: Option<Answer>) -> Result<Answer, Failure> {
    match answer {
        Some(answer) if (200..300).contains(&answer.status) => Ok(answer),
        Some(answer) => Err(refusal(&answer)),
        None => Err(gone()),
    }
}

pub(super) fn gone() -> Failure {
    Failure::failed("the supervisor has gone; `nightrun resume` goes on")
}

/// What could not be done, with the exit code that says so.
pub(super) fn refusal(answer: &Answer) -> Failure {
    let Ok(problem) = serde_json::from_str::<Problem>(&answer.body) else {
        let what = format!("the supervisor answered {}: {}", answer.status, answer.body);
        return Failure::failed(what);
    };
    match problem.status {
        401 | 403 | 404 | 409 | 410 => {
            Failure { rule: problem.rule, ..Failure::refused(problem.detail) }
        }
        400 | 413 | 415 | 422 => Failure::defects(problem.detail),
        _ => Failure::failed(problem.detail),
    }
}

/// Follows a run from an entry of the journal on.
pub(super) async fn follow(
    context: &Context,
    client: &mut Client,
    (run, after): (&RunId, u64),
) -> Result<Option<Events>, Failure> {
    let path = format!("/api/v1/runs/{}/events", in_path(run));
    let ask = Ask { accept: "text/event-stream", after: Some(after), ..get(context, path) };
    match client.listen(&ask).await.map_err(Failure::failed)? {
        Some(Ok(events)) => Ok(Some(events)),
        Some(Err(answer)) => Err(refusal(&answer)),
        None => Ok(None),
    }
}

/// The next event of a followed run, however long that takes. Says so where the supervisor does not answer any more.
pub(super) async fn next(context: &Context, events: &mut Events) -> Result<Option<Event>, Failure> {
    wait(context, async { events.next().await.map_err(Failure::failed) }).await
}

async fn wait<T>(
    context: &Context,
    awaited: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let mut awaited = std::pin::pin!(awaited);
    let mut told = None;
    loop {
        let silence = context.answer_within.unwrap_or(SILENCE).get();
        if let Ok(done) = tokio::time::timeout(silence, &mut awaited).await {
            return done;
        }
        let trouble = trouble(context).await;
        if trouble != told {
            match &trouble {
                Some(what) => notice_line!("nightrun: {what}\n  this command goes on waiting"),
                None => notice_line!("nightrun: the supervisor answers again"),
            }
        }
        told = trouble;
    }
}

/// Why the supervisor at work cannot go on, as far as it can be asked. One that has gone is told by its connection.
async fn trouble(context: &Context) -> Option<String> {
    let mut client = context.client().await.ok()??;
    let question = Ask { accept: "application/json", ..get(context, "/healthz".to_owned()) };
    match ask(context, &mut client, &question).await {
        Ok(Some(answer)) if answer.status == 200 => {
            let health: Value = serde_json::from_str(&answer.body).ok()?;
            health.get("note")?.as_str().map(str::to_owned)
        }
        Ok(Some(answer)) => Some(refusal(&answer).what),
        Ok(None) => None,
        Err(failure) => Some(failure.what),
    }
}

fn unanswered(limit: Span, pid: Option<i32>, decides: bool) -> String {
    let (process, look) = match pid {
        Some(pid) => (
            format!(" (process {pid})"),
            format!(
                "`ps -o stat= -p {pid}` shows T where it was stopped (`kill -CONT {pid}`), D where a disk hangs"
            ),
        ),
        None => (String::new(), "look whether it was stopped, or waits for a disk".to_owned()),
    };
    let asked = if decides {
        "\n  What you asked for is not confirmed: it may still be carried out. `nightrun journal show --last 50` reads the store \
         without the supervisor and has it once it was; ask again only when it answers"
    } else {
        "\n  `nightrun runs`, `report`, `log` and `journal show` read the store without it"
    };
    format!(
        "the supervisor at work{process} has not answered for {limit}; what runs goes on under its agent\n  {look}{asked}; \
         --answer-within gives it longer"
    )
}
