//! When the work has to end: the worker is told to (TERM), or the time that it has is over.

use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Told to all who wait for something.
#[derive(Clone)]
pub(super) struct Halt {
    why: watch::Receiver<Option<&'static str>>,
    until: Option<Instant>,
}

/// A limit of the work, and what is said when it is reached.
pub(super) type Limit = (Duration, &'static str);

impl Halt {
    /// From now on TERM asks to end, and no longer ends by itself. Needs the runtime.
    #[expect(clippy::disallowed_methods, reason = "a limit of this process, in its own time")]
    pub(super) fn watch(limits: &[Limit]) -> std::io::Result<Self> {
        let mut term = signal(SignalKind::terminate())?;
        let (tell, why) = watch::channel(None);
        let first = limits.iter().min_by_key(|(limit, _)| *limit).copied();
        tokio::spawn(async move {
            let (limit, words) = first.unwrap_or((Duration::MAX, "the limit is reached"));
            let words = match tokio::time::timeout(limit, term.recv()).await {
                Ok(_) => "it was told to end (TERM)",
                Err(_) => words,
            };
            tell.send_replace(Some(words));
            // The receivers hear of it for as long as they are there.
            tell.closed().await;
        });
        let until = first.and_then(|(limit, _)| Instant::now().checked_add(limit));
        Ok(Self { why, until })
    }

    /// Never asks.
    pub(super) fn never() -> Self {
        Self { why: watch::channel(None).1, until: None }
    }

    /// Why the work has to end, once it has to.
    pub(super) fn asked(&self) -> Option<&'static str> {
        *self.why.borrow()
    }

    /// Comes when the work has to end.
    pub(super) async fn comes(&self) -> &'static str {
        let mut why = self.why.clone();
        let asked = match why.wait_for(Option::is_some).await {
            Ok(asked) => *asked,
            // Nobody is there to ask.
            Err(_) => None,
        };
        match asked {
            Some(words) => words,
            None => std::future::pending().await,
        }
    }

    /// What is left until the limit; `None`: there is none.
    #[expect(clippy::disallowed_methods, reason = "a limit of this process, in its own time")]
    pub(super) fn left(&self) -> Option<Duration> {
        self.until.map(|until| until.saturating_duration_since(Instant::now()))
    }
}
