//! What was made a moment ago for somebody who looks, for others who look at the same: a few things, each until something
//! has happened or a second is over.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Api;
use super::page::Body;
use super::problem::Problem;
use crate::core::state::Standing;
use crate::types::{JobName, RunId};
use crate::view::one_job::JobView;

/// How old it may be though nothing has happened: it says for how long jobs have been running.
const AGE: Duration = Duration::from_secs(1);
/// Things that are kept of one kind.
const KEPT: usize = 32;

/// Jobs, whole middles of pages by what was asked for, and what stands beyond any run.
#[derive(Debug, Default)]
pub(super) struct Recent {
    pub(super) jobs: Few<(RunId, JobName), JobView>,
    pub(super) bodies: Few<String, Body>,
    pub(super) standing: Few<(), Arc<Standing>>,
}

/// Those of one kind, the oldest first.
#[derive(Debug)]
pub(super) struct Few<K, V>(Mutex<VecDeque<(K, As, V)>>);

/// As of when.
#[derive(Debug, Clone, Copy)]
struct As {
    head: u64,
    trouble: bool,
    acted: u64,
    at: Instant,
}

impl As {
    fn now(api: &Api) -> Self {
        let published = api.0.wiring.published.borrow();
        let (head, trouble) = (published.head, published.trouble.is_some());
        Self { head, trouble, acted: api.0.acted.load(Ordering::Relaxed), at: Instant::now() }
    }

    fn is_still(&self, now: &Self) -> bool {
        let same = (self.head, self.trouble, self.acted) == (now.head, now.trouble, now.acted);
        same && now.at.duration_since(self.at) < AGE
    }
}

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: PartialEq, V: Clone> Few<K, V> {
    /// What was made a moment ago, or is made now.
    pub(super) async fn kept(
        &self,
        api: &Api,
        key: K,
        make: impl AsyncFnOnce() -> Result<V, Problem>,
    ) -> Result<V, Problem> {
        // As of before it is made: what happens meanwhile may not be in it.
        let before = As::now(api);
        if let Some(value) = self.get(&before, &key) {
            return Ok(value);
        }
        let value = make().await?;
        self.put(before, key, value.clone());
        Ok(value)
    }

    fn get(&self, now: &As, key: &K) -> Option<V> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(of, made, _)| of == key && made.is_still(now));
        found.map(|(.., value)| value.clone())
    }

    fn put(&self, now: As, key: K, value: V) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(of, made, _)| *of != key && made.is_still(&now));
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back((key, now, value));
    }
}
