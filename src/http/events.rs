//! What changes, as it becomes durable: server-sent events, read from the journal. The number of an entry is the id of
//! its event, so that whoever resumes after one, here or at the supervisor that leads next, misses nothing and sees
//! nothing twice.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Api;
use super::page::{Asked, Form, Named};
use super::problem::Problem;
use super::runs::at_hand;
use super::store_pages::find;
use crate::core::access::is_of_audit;
use crate::core::calendar::Calendars;
use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::driver::store::StateReader;
use crate::journal::Sealed;
use crate::port::control::Caller;
use crate::port::{Published, StoreReader};
use crate::render;
use crate::supervisor::{Fatal, allow, definition};
use crate::types::{Lang, Now, Right, RunId};
use crate::view::event::EventLine;
use crate::view::{self, of_job::Around};

/// Entries read at a time.
const PIECE: u32 = 500;
/// How often the store is looked at where nobody tells that it has changed: on a host that stands by.
const LOOK: Duration = Duration::from_secs(1);
/// How long a stream lasts: a right that was taken away, or a token that is over, ends it by then.
const LONGEST: Duration = Duration::from_secs(300);
/// Entries that come together are read together.
const MOMENT: Duration = Duration::from_millis(20);

/// Where a stream begins.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    /// The last entry that was seen; the header `Last-Event-ID` goes before it. Where neither is given a stream of the
    /// whole site begins with what happens next, one of a run with the run.
    #[schemars(range(min = 0, max = 9_223_372_036_854_775_807_u64))]
    after: Option<u64>,
}

/// An event of a followed run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct RunEvent {
    run: RunId,
    /// The same in words.
    text: String,
    #[serde(flatten)]
    event: EventLine,
}

/// The end of the journal, watched.
struct Tail {
    reader: StateReader,
    published: watch::Receiver<Published>,
    /// The last entry that was read.
    seq: u64,
    read: VecDeque<Sealed>,
    ended: bool,
    /// When it ends by itself: whoever resumes is asked once more whether he may.
    until: Instant,
}

impl Tail {
    async fn of(api: &Api, after: u64) -> Result<Self, Problem> {
        let (reader, published) = (api.reader().await?.clone(), api.0.wiring.published.clone());
        let (read, until) = (VecDeque::new(), Instant::now() + LONGEST);
        Ok(Self { reader, published, seq: after, read, ended: false, until })
    }

    /// The next entry, as soon as there is one; `None` when the supervisor has ended, or the store cannot be read: whoever
    /// listens asks again then.
    async fn next(&mut self) -> Option<Sealed> {
        loop {
            if let Some(sealed) = self.read.pop_front() {
                self.seq = sealed.seq;
                return Some(sealed);
            }
            // However much there is to read: a busy night must not keep it open.
            if Instant::now() >= self.until {
                return None;
            }
            // Before the look: what is added after it wakes.
            self.published.mark_unchanged();
            self.read = self.reader.all_entries(self.seq, PIECE).await.ok()?.into();
            if !self.read.is_empty() {
                continue;
            }
            if self.ended {
                return None;
            }
            match tokio::time::timeout(LOOK, self.published.changed()).await {
                // What it did last is read first.
                Ok(Err(_)) => self.ended = true,
                Ok(Ok(())) => {
                    let never = std::future::pending::<()>();
                    let _ = tokio::time::timeout(MOMENT, never).await;
                }
                Err(_) => {}
            }
        }
    }
}

/// `GET /api/v1/events`: every entry of the journal.
pub(super) async fn all(
    State(api): State<Api>,
    Asked(from): Asked<From>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    let site = api.published().site;
    let may = |right| allow(site.as_deref(), &api.0.wiring.own, &caller, right).is_ok();
    let (audits, sees_output) = (may(Right::Admin), may(Right::Logs));
    let after = match begin(&headers, &from)? {
        Some(after) => after,
        None => api.reader().await?.head().await?.seq,
    };
    let tail = Tail::of(&api, after).await?;
    let events = unfold(tail, move |mut tail| async move {
        let mut sealed = tail.next().await?;
        while !audits && is_of_audit(&sealed.kind) {
            sealed = tail.next().await?;
        }
        let body = match sees_output {
            true => sealed.body,
            false => without_output(&sealed).ok()?,
        };
        let event = Sent::default().id(sealed.seq.to_string()).event(sealed.kind).data(body);
        Some((Ok(event), tail))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// What of an attempt's ending comes from its program: its last lines, its values, what a database has said.
const OUTPUT: [&str; 3] = ["tail", "values", "work"];

/// An entry without what a program has said. One whose content is in an archive says nothing.
fn without_output(sealed: &Sealed) -> Result<String, serde_json::Error> {
    let body = sealed.body.clone();
    if sealed.is_archived() {
        return Ok(body);
    }
    let mut entry: serde_json::Value = serde_json::from_str(&body)?;
    let ended = entry.pointer_mut("/fact/ended").and_then(serde_json::Value::as_object_mut);
    let Some(ended) = ended else { return Ok(body) };
    ended.retain(|name, _| !OUTPUT.contains(&name.as_str()));
    serde_json::to_string(&entry)
}

/// A run that is followed.
struct Followed {
    tail: Tail,
    run: RunId,
    core: Core,
    lang: Lang,
    /// Read already, and not told yet.
    before: VecDeque<Sent>,
    over: bool,
}

/// `GET /api/v1/runs/{run}/events`: the lines of one run, until it is over.
pub(super) async fn of_run(
    State(api): State<Api>,
    Named(run): Named<RunId>,
    Asked(from): Asked<From>,
    form: Form,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Problem> {
    let after = begin(&headers, &from)?.unwrap_or(0);
    let reader = api.reader().await?;
    let unknown = || Problem::unknown(format!("there is no run {run}"));
    let row = find(reader, Some(&run), None, None).await?.ok_or_else(unknown)?;
    at_hand(&row)?;
    let stored = definition(reader, &row.definition).await.map_err(Problem::failed)?;
    let mut core = Core::new(1);
    let (site, calendars) = (stored.copy.site.clone(), Calendars::new(&stored.copy.site.calendars));
    core.define_by(&row.definition, Arc::new(site), Arc::new(calendars));
    let tail = Tail::of(&api, row.opened_seq.saturating_sub(1)).await?;
    let lang = form.lang;
    let mut followed = Followed { tail, run, core, lang, before: VecDeque::new(), over: false };
    followed.replay(after).await.map_err(Problem::failed)?;
    let events = unfold(followed, |mut followed| async move {
        let event = followed.next().await?;
        Some((Ok(event), followed))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Followed {
    /// Takes in what has happened; what came after an entry is told.
    async fn replay(&mut self, after: u64) -> Result<(), Fatal> {
        for sealed in self.tail.reader.entries(&self.run).await? {
            self.tail.seq = self.tail.seq.max(sealed.seq);
            let told = self.take_in(&sealed)?;
            if sealed.seq > after && !self.over {
                self.before.extend(told);
                self.over = sealed.kind == "run-ended";
            }
        }
        let run = self.core.state().run(&self.run)?;
        self.over |= run.result.is_some() && self.before.is_empty();
        Ok(())
    }

    async fn next(&mut self) -> Option<Sent> {
        loop {
            if let Some(event) = self.before.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            let sealed = self.tail.next().await?;
            let of_another = sealed.run.as_ref().is_some_and(|run| !self.run.is_written(run));
            if of_another {
                continue;
            }
            let told = self.take_in(&sealed).ok()?;
            self.over = told.is_some() && sealed.kind == "run-ended";
            self.before.extend(told);
        }
    }

    fn take_in(&mut self, sealed: &Sealed) -> Result<Option<Sent>, Fatal> {
        let entry = sealed.open()?;
        self.core.replay(entry.at, &entry.fact)?;
        if entry.fact.run() != Some(&self.run) {
            return Ok(None);
        }
        Ok(self.line(sealed, entry.at, &entry.fact))
    }

    fn line(&self, sealed: &Sealed, at: jiff::Timestamp, fact: &Fact) -> Option<Sent> {
        let state = self.core.state();
        let event = view::of_fact::event(state, at, fact)?;
        let now = Now { wall: at, since_boot: Duration::ZERO };
        let head = view::of_run::head(state.runs.get(&self.run)?, now, Around::nothing());
        let text = render::event::line(self.lang, &head, &event);
        let event = RunEvent { run: self.run.clone(), text, event };
        let data = serde_json::to_string(&event).ok()?;
        Some(Sent::default().id(sealed.seq.to_string()).event(&sealed.kind).data(data))
    }
}

fn begin(headers: &HeaderMap, from: &From) -> Result<Option<u64>, Problem> {
    let Some(last) = headers.get("last-event-id") else { return Ok(from.after) };
    let last = last.to_str().ok().and_then(|last| last.parse().ok());
    let unreadable = || Problem::unreadable("Last-Event-ID: the number of an entry");
    last.map(Some).ok_or_else(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Epoch;

    fn sealed(body: &str) -> Sealed {
        let (run, kind) = (None, "attempt-ended".into());
        let (body, hash) = (body.to_owned(), String::new());
        Sealed { seq: 1, run, at: 0, epoch: Epoch(1), kind, body, hash }
    }

    #[test]
    fn output_is_taken_from_an_entry_and_one_without_content_is_passed_by() {
        let body = r#"{"seq":1,"fact":{"ended":{"ended":"now","tail":["x"],"values":{"A":"x"},"work":null}}}"#;
        let told = without_output(&sealed(body)).unwrap();
        assert_eq!(told, r#"{"fact":{"ended":{"ended":"now"}},"seq":1}"#);
        let other = r#"{"seq":1,"fact":{"job":"a"}}"#;
        assert_eq!(without_output(&sealed(other)).unwrap(), other);
        // Whoever reads on from before an archive comes past it.
        assert_eq!(without_output(&sealed("")).unwrap(), "");
    }
}
