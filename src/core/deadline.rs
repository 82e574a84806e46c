//! Deadlines by the clock.

use jiff::Timestamp;
use jiff::civil::Time;

use crate::types::Zone;

/// The first instant at or after `anchor` at which the zone's clock shows `time`.
pub fn first_at_or_after(_anchor: Timestamp, _time: Time, _zone: &Zone) -> Timestamp {
    todo!()
}
