//! `status --watch`: the night on a terminal, as it changes.

use std::io::Write;
use std::time::Duration;

use unicode_width::UnicodeWidthChar;

use super::asking;
use super::context::Context;
use super::exit::{Failure, UNANSWERED};
use crate::driver::api_client::{Ask, Events};

/// What a page is made again after, though nothing has happened: it tells the time.
const AGAIN: Duration = Duration::from_secs(1);
/// What comes together is shown together.
const MOMENT: Duration = Duration::from_millis(200);

/// Shows the status whenever it changes, until it is interrupted. Where the output is no terminal each new page follows
/// the one before.
pub(super) async fn watch(context: &Context) -> Result<u8, Failure> {
    let (mut shown, mut events) = (String::new(), None);
    loop {
        let page = page(context).await?;
        if page != shown {
            show(context, &page)?;
            shown = page;
        }
        if events.is_none() {
            events = listen(context).await;
        }
        wait(&mut events).await;
    }
}

/// The status, or why there is none for now.
async fn page(context: &Context) -> Result<String, Failure> {
    let nobody = "no supervisor is at work here; waiting for one";
    let Some(mut client) = context.client().await? else { return Ok(nobody.to_owned()) };
    let question = asking::get(context, "/api/v1/status".to_owned());
    match asking::ask(context, &mut client, &question).await {
        Ok(Some(answer)) if answer.status == 200 => Ok(answer.body),
        Ok(Some(answer)) if answer.status >= 500 => Ok(asking::refusal(&answer).what),
        Ok(Some(answer)) => Err(asking::refusal(&answer)),
        Ok(None) => Ok(nobody.to_owned()),
        Err(silent) if silent.code == UNANSWERED => Ok(silent.what),
        Err(failure) => Err(failure),
    }
}

async fn listen(context: &Context) -> Option<Events> {
    let mut client = context.client().await.ok()??;
    let path = "/api/v1/events".to_owned();
    let ask = Ask { accept: "text/event-stream", ..asking::get(context, path) };
    client.listen(&ask).await.ok()??.ok()
}

/// Until something has happened, or the time to look again has come.
async fn wait(events: &mut Option<Events>) {
    let never = std::future::pending::<()>();
    let Some(stream) = events else {
        let _ = tokio::time::timeout(AGAIN, never).await;
        return;
    };
    match tokio::time::timeout(AGAIN, stream.next()).await {
        Ok(Ok(Some(_))) => {
            let more = async { while let Ok(Some(_)) = stream.next().await {} };
            let _ = tokio::time::timeout(MOMENT, more).await;
        }
        // The supervisor has ended; the next one is listened to.
        Ok(_) => {
            *events = None;
            let _ = tokio::time::timeout(MOMENT, never).await;
        }
        Err(_) => {}
    }
}

fn show(context: &Context, page: &str) -> Result<(), Failure> {
    if !context.terminal {
        print_line!("{}", page.trim_end())?;
        return Ok(());
    }
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    let (rows, columns) = size.map_or((24, 80), |size| (size.ws_row.into(), size.ws_col.into()));
    let text = fitted(page, rows, columns);
    let mut out = std::io::stdout();
    // The cursor goes to the top, and what is left of the former page away.
    let drawn = write!(out, "\x1b[H\x1b[2J{text}").and_then(|()| out.flush());
    drawn.map_err(Failure::failed)
}

/// As much of a page as the terminal has room for.
fn fitted(page: &str, rows: usize, columns: usize) -> String {
    let lines: Vec<&str> = page.trim_end().lines().collect();
    let room = rows.saturating_sub(1).max(1);
    let mut text = String::new();
    let shown = if lines.len() > room { room - 1 } else { lines.len() };
    for line in lines.iter().take(shown) {
        text.push_str(&cut(line, columns));
        text.push('\n');
    }
    if shown < lines.len() {
        text.push_str(&format!("… {} lines more\n", lines.len() - shown));
    }
    text
}

/// A line without what does not fit; a character may take two columns.
fn cut(line: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = line.chars().take_while(|c| {
        used += c.width().unwrap_or(0);
        used <= columns
    });
    fits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_to_the_terminal_and_says_what_is_left_out() {
        assert_eq!(fitted("one\ntwo\nthree\n", 10, 80), "one\ntwo\nthree\n");
        assert_eq!(fitted("one\ntwo\nthree\nfour\n", 4, 80), "one\ntwo\n… 2 lines more\n");
        assert_eq!(fitted("批次执行", 10, 5), "批次\n");
        assert_eq!(fitted("one", 0, 80), "one\n");
    }
}
