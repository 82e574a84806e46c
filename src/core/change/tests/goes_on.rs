//! A change that stopped half way, and what may be done until its next attempt begins.

use std::sync::Arc;

use super::house::{approve, change, person};
use super::night::Night;
use crate::core::change::HalfDone::{self, Accept, Continue, RollBack};
use crate::core::change::{ChangeOrder, Stage, Wish};
use crate::core::containment::{Decision, Found, Offer, of_job};
use crate::core::launch::cut;
use crate::core::night::{Event, StepError};
use crate::core::phase::Phase;
use crate::core::refused::Rule;
use crate::core::select::Deed;
use crate::core::test_night::name;
use crate::types::{Ending, Outcome, RequestId, Span};
use crate::wire::{ChangeState, ChangeWork, CutDecision, Ended, Progress, Work};

const PROD: &str = "class: data\ntarget: prod";

/// Its first attempt stopped half way at 11:01, and its window is open again from 16:00 on.
fn half_done(hold: Option<Span>) -> Night {
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]);
    let rules = night.house.site.change_rules.as_mut().unwrap();
    Arc::make_mut(rules).approvals_hold = hold;
    let mut night = night.open("11:00");
    night.manned();
    assert_eq!(night.started(), ["a"]);
    night.at("11:01");
    let progress = Some(Progress { done: 1, of: 3 });
    let work = ChangeWork { progress, ..ChangeWork::none(ChangeState::Partial) };
    night.ends(Ending::Exited { code: 1 }, Some(work));
    assert!(matches!(night.phase(), Phase::InDoubt { .. }));
    night
}

impl Night {
    /// The last attempt of the job ends.
    fn ends(&mut self, ending: Ending, work: Option<ChangeWork>) {
        let run = self.core.state().run(&self.run()).unwrap().clone();
        let index = run.index(&name("a")).unwrap();
        let number = run.jobs[index].attempts.last().unwrap().number;
        let began = !matches!(ending, Ending::TakenBack { .. });
        self.must(Event::Ended(Box::new(Ended {
            attempt: run.attempt_id(index, number),
            ending,
            started: began.then_some(self.now.wall),
            ended: self.now.wall,
            usage: Default::default(),
            line_found: true,
            output_bytes: 0,
            tail: Vec::new(),
            values: Default::default(),
            notes: Vec::new(),
            work: work.map(Work::Change),
        })));
    }

    fn wish(&mut self, by: &str, wish: Wish) -> Option<Rule> {
        let site = Arc::new(self.house.site.clone());
        let order = ChangeOrder { change: change("a"), wish, key: None, site, named: Vec::new() };
        let (by, reason) = (person(by), "because".to_owned());
        match self.step(Event::Change { by, reason, order: Box::new(order) }) {
            Ok(_) => None,
            Err(StepError::Refused(refused)) => Some(refused.rule.expect("a rule with a name")),
            Err(defect) => panic!("{defect}"),
        }
    }

    /// Two people say how it goes on, or what they found.
    fn decided(&mut self, request: u64, applied: Option<bool>, how: Option<HalfDone>) {
        assert_eq!(self.wish("ops", Wish::Decide { applied, how }), None);
        let reason = "seen".to_owned();
        let (request, by) = (RequestId(request), person("dba-too"));
        self.must(Event::Second { request, by, known: true, reason });
    }

    fn phase(&self) -> Phase {
        let run = self.core.state().run(&self.run()).unwrap();
        run.jobs[run.index(&name("a")).unwrap()].phase.clone()
    }

    fn stage(&self) -> Stage {
        self.core.state().standing.changes[&change("a")].stage()
    }

    /// What its last attempt is told to go on with.
    fn cut(&self) -> Option<CutDecision> {
        let run = self.core.state().run(&self.run()).unwrap();
        cut(self.core.state(), run, run.job(run.index(&name("a")).unwrap()))
    }
}

#[test]
fn approvals_that_lapsed_meanwhile_are_given_anew() {
    // They were given on the day before at 09:00.
    let mut night = half_done(Some(Span::seconds(28 * 3_600)));
    night.at("12:30").decided(1, None, Some(Continue));
    assert_eq!(night.lacks("a"), ["2026-10-27T16:00:00"]);
    night.at("16:00");
    assert_eq!(night.lacks("a"), ["lapsed", "lapsed"]);
    assert_eq!(night.started(), [""; 0]);
    for by in ["dev", "ops"] {
        assert_eq!(night.wish(by, approve("production")), None, "{by}");
    }
    assert_eq!((night.started(), night.stage()), (vec!["a".to_owned()], Stage::Executing));
    assert_eq!(night.cut(), Some(CutDecision::Continue));
}

#[test]
fn an_attempt_that_its_host_took_back_leaves_it_as_it_was() {
    let mut night = half_done(None);
    night.decided(1, None, Some(RollBack));
    assert_eq!(night.started(), ["a"]);
    night.ends(Ending::TakenBack { why: "no room".to_owned() }, None);
    night.at("11:02");
    assert_eq!(night.started(), ["a"]);
    assert_eq!(night.cut(), Some(CutDecision::RollBack));
    let life = &night.core.state().standing.changes[&change("a")];
    let (state, ended) = life.executions("production").next().unwrap();
    assert_eq!((state, ended.progress), (ChangeState::Partial, Some(Progress { done: 1, of: 3 })));
}

#[test]
fn until_it_goes_on_something_else_may_be_decided() {
    let mut night = half_done(None);
    night.at("12:30").decided(1, None, Some(Continue));
    assert_eq!((night.phase(), night.stage()), (Phase::Waiting, Stage::InDoubt));
    night.decided(2, None, Some(RollBack));
    night.at("16:00");
    assert_eq!((night.started(), night.cut()), (vec!["a".to_owned()], Some(CutDecision::RollBack)));
    // It is under way now.
    let accept = Wish::Decide { applied: None, how: Some(Accept) };
    assert_eq!(night.wish("ops", accept), Some(Rule::WrongStage));

    for (applied, how, outcome, stage) in [
        (None, Some(Accept), Outcome::Forced, Stage::Executed),
        (Some(true), None, Outcome::Forced, Stage::Executed),
        (Some(false), None, Outcome::Failed, Stage::Failed),
    ] {
        let mut night = half_done(None);
        night.at("12:30").decided(1, None, Some(Continue));
        night.decided(2, applied, how);
        let told = (night.outcome("a"), night.stage());
        assert_eq!(told, (Some(outcome), stage), "{applied:?} {how:?}");
        night.at("16:00");
        assert_eq!(night.started(), [""; 0]);
    }
}

#[test]
fn the_incident_of_a_change_in_doubt_offers_each_decision_that_two_people_may_take() {
    let all = [
        (Decision::Found(Found::Applied), Some(true), None),
        (Decision::Found(Found::NotApplied), Some(false), None),
        (Decision::HalfDone(Continue), None, Some(Continue)),
        (Decision::HalfDone(RollBack), None, Some(RollBack)),
        (Decision::HalfDone(Accept), None, Some(Accept)),
    ];
    for (state, count) in
        [(ChangeState::Partial, 5), (ChangeState::RollbackFailed, 3), (ChangeState::InDoubt, 2)]
    {
        let doubtful = || {
            let mut night =
                Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("11:00");
            night.manned();
            night.at("11:01");
            night.ends(Ending::Exited { code: 1 }, Some(ChangeWork::none(state)));
            if !matches!(night.phase(), Phase::InDoubt { .. }) {
                // It is looked at once more first, and that tells nothing.
                night.ends(Ending::Exited { code: 1 }, Some(ChangeWork::none(state)));
            }
            assert!(matches!(night.phase(), Phase::InDoubt { .. }), "{state:?}");
            night
        };
        let night = doubtful();
        let run = night.core.state().run(&night.run()).unwrap();
        let offers = of_job(night.core.state(), run, run.index(&name("a")).unwrap());
        let offered: Vec<Decision> = offers
            .iter()
            .filter_map(|offer| match offer {
                Offer::Decide { decision, .. } => Some(*decision),
                Offer::Act { .. } => None,
            })
            .collect();
        assert_eq!((offered.len(), offers.len()), (count, count), "{state:?}: {offers:?}");
        for (decision, applied, how) in all {
            let refused = doubtful().wish("ops", Wish::Decide { applied, how });
            assert_eq!(refused.is_none(), offered.contains(&decision), "{state:?} {decision:?}");
        }
    }
}

#[test]
fn a_change_that_waits_for_people_offers_to_let_it_start_and_to_watch_it() {
    let mut night = Night::of(&[("a", PROD, "")]).approved("a", &["dev", "ops"]).open("11:00");
    let of = |night: &Night| {
        let run = night.core.state().run(&night.run()).unwrap();
        let offers = of_job(night.core.state(), run, run.index(&name("a")).unwrap());
        let acts = offers.into_iter().filter_map(|offer| match offer {
            Offer::Act { jobs: None, action } => Some(action),
            _ => None,
        });
        acts.collect::<Vec<Deed>>()
    };
    assert_eq!(of(&night), [Deed::ReleaseChanges { shifts: Vec::new() }, Deed::WatchChanges]);
    night.manned();
    assert_eq!(of(&night), []);
}
