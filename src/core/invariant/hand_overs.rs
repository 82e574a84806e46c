//! What must be true of the facts of bulletins and weekly lists, each of which comes once, and of hand-overs: each begins
//! once, its steps count on, nobody accepts his own shift while it is another one's, and it is forgotten once it is over.

use crate::core::fact::Fact;
use crate::core::hand_over::{HandOverStep, Moved, Opened};
use crate::core::state::State;
use crate::types::{HandOverId, PersonId};

/// What it is about, and why it must not be.
type Not = (String, String);

pub(super) fn may(state: &State, fact: &Fact) -> Result<(), Not> {
    let (of, why) = match fact {
        Fact::HandOverOpened(opened) => (&opened.hand_over, may_open(state, opened)),
        Fact::HandOverMoved(moved) => (&moved.hand_over, may_move(state, moved)),
        Fact::HandOverForgotten { hand_over, steps } => {
            (hand_over, may_forget(state, hand_over, *steps))
        }
        Fact::BulletinTold(told) => {
            let last = state.standing.bulletin.as_ref();
            // A clock that was far ahead has told of times that are yet to come.
            let set_back = told.begins_anew() && last.is_some_and(|last| told.slot < last.slot);
            return match set_back || last.is_none_or(|last| last.slot < told.slot) {
                true => Ok(()),
                false => Err(("a bulletin".to_owned(), "it was told before".to_owned())),
            };
        }
        Fact::WeeklyTold(told) => {
            let last = state.standing.weekly;
            return match told.notices.is_empty() || last.is_some_and(|last| last < told.until) {
                true => Ok(()),
                false => Err(("a list of the week".to_owned(), "it was told before".to_owned())),
            };
        }
        _ => return Ok(()),
    };
    why.map_err(|why| (of.to_string(), why.to_owned()))
}

fn may_open(state: &State, opened: &Opened) -> Result<(), &'static str> {
    if state.standing.hand_overs.contains_key(&opened.hand_over) {
        return Err("it has begun before");
    }
    if opened.outgoing.is_empty() || opened.ends <= opened.began {
        return Err("nobody has that shift");
    }
    Ok(())
}

fn may_forget(state: &State, hand_over: &HandOverId, steps: u32) -> Result<(), &'static str> {
    let known = state.standing.hand_overs.get(hand_over).ok_or("there is no such one")?;
    if known.is_open() {
        return Err("nobody has accepted it");
    }
    match usize::try_from(steps).ok() == Some(known.steps.len()) {
        true => Ok(()),
        false => Err("it has other steps"),
    }
}

fn may_move(state: &State, moved: &Moved) -> Result<(), &'static str> {
    let known = state.standing.hand_overs.get(&moved.hand_over).ok_or("there is no such one")?;
    if usize::try_from(moved.number).ok() != Some(known.steps.len() + 1) {
        return Err("its number is not the next one");
    }
    if !known.is_open() {
        return Err("it is over");
    }
    let of_nightrun =
        matches!(moved.step, HandOverStep::Told { .. } | HandOverStep::Same | HandOverStep::Late);
    if of_nightrun != moved.by.is_none() {
        return Err("it is not known whose step it is");
    }
    let other = |who: &PersonId| !known.what.outgoing.contains(who);
    let own = moved.by.as_ref().is_some_and(|by| !other(by));
    let others = known.what.incoming.iter().any(other);
    match &moved.step {
        HandOverStep::Accepted { .. } if own && others => Err("it is another one's to accept"),
        HandOverStep::Given if known.given.is_some() => Err("it was given before"),
        HandOverStep::Late if known.late.is_some() => Err("that was counted before"),
        HandOverStep::Same if others => Err("somebody has to be told"),
        _ => Ok(()),
    }
}
