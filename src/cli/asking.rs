//! Asking the supervisor that is at work, and no longer than it makes sense to wait: it may stand still (SIGSTOP, a disk
//! that hangs) while its socket takes whatever is sent to it.

use super::context::Context;
use super::exit::Failure;
use crate::driver::control::Client;
use crate::port::control::{Reply, Request};
use crate::types::Span;

/// For what only looks.
const LOOK: Span = Span::seconds(10);
/// For what decides something: a commit may wait for a disk.
const ACT: Span = Span::seconds(30);
/// Silence of a followed run after which its supervisor is asked whether it still answers.
const SILENCE: Span = Span::seconds(60);

/// Asks, and waits for the first answer as long as the request is worth, or as `--answer-within` says. `None`: the
/// supervisor has gone.
pub(super) async fn ask(
    context: &Context,
    client: &mut Client,
    request: Request,
) -> Result<Option<Reply>, Failure> {
    let decides = matches!(request, Request::Act { .. } | Request::House { .. });
    let limit = context.answer_within.unwrap_or(if decides { ACT } else { LOOK });
    let pid = client.pid();
    let answered = async {
        client.ask(request).await?;
        client.reply().await
    };
    match tokio::time::timeout(limit.get(), answered).await {
        Ok(answered) => answered.map_err(Failure::failed),
        Err(_) => Err(Failure::unanswered(unanswered(limit, pid, decides))),
    }
}

/// The next answer about a followed run, however long that takes. Says so where the supervisor does not answer any more.
pub(super) async fn next(context: &Context, client: &mut Client) -> Result<Option<Reply>, Failure> {
    let mut next = std::pin::pin!(client.reply());
    let mut told = None;
    loop {
        let silence = context.answer_within.unwrap_or(SILENCE).get();
        if let Ok(reply) = tokio::time::timeout(silence, &mut next).await {
            return reply.map_err(Failure::failed);
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
    let state = context.existing_state().ok()?;
    let mut client = Client::connect(state.root()).await.ok()??;
    match ask(context, &mut client, Request::Alive).await {
        Ok(Some(Reply::Failed { what, .. })) => Some(what),
        Ok(_) => None,
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
