//! What a supervisor lets those know who only read: how far the journal goes, and whether it can go on.

use std::sync::Arc;

use prometheus_client::metrics::histogram::Histogram;

use crate::definition::site::Site;
use crate::types::{Epoch, LifeSign};

/// As of the last commit, or of the last try of one.
#[derive(Debug, Clone)]
pub struct Published {
    pub stage: Stage,
    /// The number of the last entry of the journal.
    pub head: u64,
    /// Why the store does not take what is decided.
    pub trouble: Option<String>,
    /// The site by which people are known; `None` where this supervisor has none in hand.
    pub site: Option<Arc<Site>>,
    /// The last life sign that was given; it stays while this supervisor leads and is to give any.
    pub sign: Option<LifeSign>,
}

/// What a supervisor is here for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// It is not known yet, or it takes up what was under way; whoever asks waits.
    Begins,
    Leads {
        epoch: Epoch,
    },
    /// Another one leads; in words.
    StandsBy {
        why: String,
    },
}

impl Published {
    /// Before it is known who leads.
    pub fn nothing() -> Self {
        Self { stage: Stage::Begins, head: 0, trouble: None, site: None, sign: None }
    }
}

/// What is measured of turns; seconds.
#[derive(Debug, Clone)]
pub struct Meters {
    /// From the first event that was taken to the last answer.
    pub turn: Histogram,
    /// Until the store has taken what a turn decided.
    pub commit: Histogram,
}

/// Seconds: a turn is a matter of one fdatasync, and of minutes while the store is in trouble.
const BOUNDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 120.0];

impl Default for Meters {
    fn default() -> Self {
        Self { turn: Histogram::new(BOUNDS), commit: Histogram::new(BOUNDS) }
    }
}
