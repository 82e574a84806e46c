//! That the supervisor's loop turns, for whoever keeps something up for it from another thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Beats once a turn. Who looks at it twice and sees the same has a supervisor that hangs.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Beats until now.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
