//! The hand-over of a shift, a bulletin, and the lists of a week.

use super::at;
use crate::core::bulletin::Bulletin;
use crate::core::change::{WeeklyNotice, WeeklyTold, WeeklyWhat};
use crate::core::fact::Fact;
use crate::core::hand_over::{Draft, HandOverStep, Moved, Note, Opened};
use crate::types::{HandOverId, PersonId, ShiftName};

pub(super) fn facts() -> Vec<Fact> {
    let hand_over: HandOverId = "night@2026-10-30".parse().unwrap();
    let (li, zhang) = (PersonId::new("li-wei").unwrap(), PersonId::new("zhang-min").unwrap());
    let (on, text) = ("eod@2026-10-30#1 load".to_owned(), "汇率已核对".to_owned());
    let note = Note { at: at(), by: li.clone(), on, text };
    let draft = Box::new(Draft { notes: vec![note], ..Draft::default() });
    vec![
        Fact::HandOverOpened(Box::new(Opened {
            hand_over: hand_over.clone(),
            to: vec![ShiftName::new("early").unwrap()],
            began: at(),
            ends: at() + std::time::Duration::from_secs(3_600),
            outgoing: vec![li.clone()],
            incoming: vec![zhang.clone()],
            notify: vec![li],
        })),
        Fact::HandOverMoved(Box::new(Moved {
            hand_over,
            number: 1,
            by: Some(zhang),
            words: "收到".into(),
            step: HandOverStep::Accepted { draft },
        })),
        Fact::BulletinTold(Box::new(Bulletin {
            slot: at(),
            from: at() - std::time::Duration::from_secs(86_400),
            to: at(),
            people: vec![PersonId::new("li-wei").unwrap()],
        })),
        Fact::WeeklyTold(Box::new(WeeklyTold {
            until: at(),
            notices: vec![WeeklyNotice {
                title: crate::types::Text::en("First sign-off"),
                list: Some("uat".into()),
                what: WeeklyWhat::Posted,
                at: at(),
                people: vec![PersonId::new("li-wei").unwrap()],
            }],
        })),
    ]
}

pub(super) fn forgotten() -> Vec<Fact> {
    vec![Fact::HandOverForgotten { hand_over: "night@2026-10-30".parse().unwrap(), steps: 1 }]
}
