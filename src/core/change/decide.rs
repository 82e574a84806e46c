//! What two people say of a change that was tried: what became of one in doubt, how one that stopped half way goes on, and
//! that one which was done is not there any more.

use super::approvals::Crew;
use super::desk::Desk;
use super::life::ChangeLife;
use super::step::{ChangeStep, Executed};
use super::take::HalfDone;
use crate::core::refused::{Refused, Rule};
use crate::definition::site::Part;
use crate::types::{ChangeId, PersonId};
use crate::wire::{ChangeState, CutDecision};

/// One of two people says that a change which was done is lost. Neither is its author. Its folder may be gone by then.
pub(super) fn lost(
    id: &ChangeId,
    life: &ChangeLife,
    by: &PersonId,
    environment: Option<&str>,
) -> Result<ChangeStep, Refused> {
    let done = done_somewhere(life);
    let named = |ended: &&Executed| environment.is_none_or(|named| named == ended.environment);
    let ended = match done.iter().copied().filter(named).collect::<Vec<_>>().as_slice() {
        [only] => *only,
        [] => {
            let place = environment.map(|named| format!(" in `{named}`")).unwrap_or_default();
            return Err(Refused::by(Rule::WrongStage, format!("{id} is not done{place}")));
        }
        several => {
            let known: Vec<&str> = several.iter().map(|of| of.environment.as_str()).collect();
            let what = format!("{id} is done in several environments");
            let hint = format!("`environment` is one of: {}", known.join(", "));
            return Err(Refused::by(Rule::NoSuchThing, what).hint(hint));
        }
    };
    if life.writers().any(|writer| writer == by) {
        return Err(own_work(id, by));
    }
    let said: Vec<&PersonId> = life
        .steps
        .iter()
        .filter(|taken| {
            matches!(&taken.step, ChangeStep::Lost { attempt, .. } if *attempt == ended.attempt)
        })
        .map(|taken| &taken.by)
        .collect();
    if said.contains(&by) {
        let what = format!("{by} has said so, and it takes another person");
        return Err(Refused::by(Rule::SecondPerson, what));
    }
    let (environment, attempt) = (ended.environment.clone(), ended.attempt.clone());
    Ok(ChangeStep::Lost { environment, attempt, complete: !said.is_empty() })
}

/// Where it is done, each environment once.
fn done_somewhere(life: &ChangeLife) -> Vec<&Executed> {
    let mut done: Vec<&Executed> = Vec::new();
    for taken in &life.steps {
        let ChangeStep::Ended { ended } = &taken.step else { continue };
        if done.iter().all(|known| known.environment != ended.environment) {
            done.extend(life.done_in(&ended.environment));
        }
    }
    done
}

/// What authors do not say of their own change.
pub(super) fn own_work(id: &ChangeId, by: &PersonId) -> Refused {
    Refused::by(Rule::OwnWork, format!("{by} is an author of {id}"))
        .hint("it takes people who had no hand in it")
}

impl Desk<'_> {
    /// What is wished of a change in doubt.
    pub(super) fn decide(
        &self,
        by: &PersonId,
        applied: Option<bool>,
        how: Option<HalfDone>,
    ) -> Result<ChangeStep, Refused> {
        let Some(doubt) = self.life.doubt() else {
            let what = format!("{} is not in doubt", self.change.id);
            return Err(Refused::by(Rule::WrongStage, what));
        };
        if self.people(Part::Author, &Crew::default()).contains(by) {
            return Err(own_work(&self.change.id, by));
        }
        let environment = doubt.environment.clone();
        let goes_on = |how| ChangeStep::GoesOn {
            environment: doubt.environment.clone(),
            attempt: doubt.attempt.clone(),
            how,
        };
        match (applied, how, doubt.state) {
            (Some(applied), None, _) => {
                Ok(ChangeStep::Decided { environment, applied, accepted: false })
            }
            (None, Some(HalfDone::Continue), ChangeState::Partial) => {
                Ok(goes_on(CutDecision::Continue))
            }
            (
                None,
                Some(HalfDone::RollBack),
                ChangeState::Partial | ChangeState::RollbackFailed,
            ) => Ok(goes_on(CutDecision::RollBack)),
            (None, Some(HalfDone::Accept), ChangeState::Partial) => {
                Ok(ChangeStep::Decided { environment, applied: true, accepted: true })
            }
            (None, Some(_), _) => {
                let what = format!("{} did not stop half way", self.change.id);
                Err(Refused::by(Rule::WrongStage, what)
                    .hint("say what was found at the target: applied or not-applied"))
            }
            _ => Err(Refused::new("it is decided by one of `applied` and `how`")),
        }
    }
}
