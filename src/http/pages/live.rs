//! Tells the pages that something has happened; each asks then for what it shows.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{Stream, unfold};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::driver::store::StateReader;
use crate::http::Api;
use crate::http::problem::Problem;
use crate::port::{Published, Stage, StoreReader};

/// However much happens, a page is told of it so often at the most.
const APART: Duration = Duration::from_millis(500);
/// How often the store is looked at on a host that stands by.
const LOOK: Duration = Duration::from_secs(1);
/// How long a stream lasts: whoever resumes is asked once more whether he may look.
const LONGEST: Duration = Duration::from_secs(300);

struct Watched {
    reader: StateReader,
    published: watch::Receiver<Published>,
    /// What was told last.
    told: Option<(u64, bool)>,
    until: Instant,
}

impl Watched {
    /// What is to be told next; `None`: the supervisor has ended, or the stream has lasted long enough.
    async fn next(&mut self) -> Option<u64> {
        if self.told.is_some() {
            let never = std::future::pending::<()>();
            let _ = timeout(APART, never).await;
        }
        while Instant::now() < self.until {
            let (head, trouble, stands_by) = {
                let published = self.published.borrow_and_update();
                let stands_by = matches!(published.stage, Stage::StandsBy { .. });
                (published.head, published.trouble.is_some(), stands_by)
            };
            let head = match stands_by {
                true => self.reader.head().await.ok()?.seq,
                false => head,
            };
            if self.told != Some((head, trouble)) {
                self.told = Some((head, trouble));
                return Some(head);
            }
            // An error: the supervisor has ended. Time that is over: the store is looked at again, or the clock.
            if let Ok(Err(_)) = timeout(LOOK, self.published.changed()).await {
                return None;
            }
        }
        None
    }
}

/// `GET /live`: the number of the journal's last entry, each time that it is another.
pub(crate) async fn live(
    State(api): State<Api>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let (reader, published) = (api.reader().await?.clone(), api.0.wiring.published.clone());
    let watched = Watched { reader, published, told: None, until: Instant::now() + LONGEST };
    let events = unfold(watched, |mut watched| async move {
        let head = watched.next().await?;
        let event = Event::default().event("head").retry(Duration::from_secs(1));
        Some((Ok(event.data(head.to_string())), watched))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
