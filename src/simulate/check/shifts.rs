//! No shift is left lying: an own reading of when both sides must have been told of a hand-over, from its steps alone.

use jiff::{SignedDuration, Timestamp};

use super::Violation;
use crate::core::hand_over::{HandOver, HandOverStep};
use crate::core::incident::Fault;
use crate::core::night::Core;
use crate::types::{HandOverId, Now};

/// Right after a step: every hand-over of a shift that has ended is accepted, or both sides were told of it no longer ago
/// than the rules have it, or an incident is open about it.
pub(super) fn look(core: &Core, now: Now, impatient: bool) -> Result<(), Violation> {
    let Some(on_call) = core.on_call() else { return Ok(()) };
    let Some(rules) = &on_call.site.duty.hand_over else { return Ok(()) };
    let wait = signed(rules.remind.get()) / if impatient { 2 } else { 1 };
    let limit = signed(rules.limit.get());
    let open = core.state().standing.hand_overs.iter().filter(|(_, known)| known.is_open());
    for (id, known) in open {
        let lies = |why: &str| Err(Violation::LeftLying(id.to_string(), why.to_owned()));
        let since = now.wall.duration_since(known.what.ends);
        if known.late.is_none() && since >= limit {
            return lies("its limit has passed");
        }
        if since.is_negative() || is_told_by_incident(core, id) {
            continue;
        }
        if core.hand_over_next(known).is_none_or(|next| next <= now.wall) {
            return lies("it has no next time");
        }
        if now.wall.duration_since(last_told(known)) >= wait {
            return lies("nobody was told for too long");
        }
    }
    Ok(())
}

fn is_told_by_incident(core: &Core, id: &HandOverId) -> bool {
    core.state().unfinished().any(|incident| match &incident.what.fault {
        Fault::HandOver { hand_over, .. } => hand_over == id && incident.is_open(),
        _ => false,
    })
}

fn last_told(known: &HandOver) -> Timestamp {
    let told = |step: &HandOverStep| matches!(step, HandOverStep::Told { .. });
    let last = known.steps.iter().rev().find(|taken| told(&taken.step));
    last.map_or(known.opened, |taken| taken.at)
}

fn signed(span: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX)
}
