//! Where the times of a simulated night come from, in words.

use crate::render::rehearsal::names;
use crate::render::words::{Rehearsed, pair, sentence};
use crate::types::{JobName, Lang};
use crate::view::rehearsal::TakesFrom;

/// One paragraph; `drawn`: each night's times from history, and not their median.
pub(super) fn times(lang: Lang, jobs: &[(&JobName, TakesFrom)], drawn: bool) -> String {
    let of = |wanted: fn(TakesFrom) -> bool| -> Vec<&JobName> {
        jobs.iter().filter(|(_, from)| wanted(*from)).map(|(name, _)| *name).collect()
    };
    let history = of(|from| matches!(from, TakesFrom::History { .. }));
    let some = |jobs: &[&JobName], said: fn(u32, &str) -> Rehearsed<'_>| {
        let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        (count > 0).then(|| said(count, &names(lang, jobs)).say(lang))
    };
    let parts = [
        some(
            &history,
            match drawn {
                true => |jobs, _| Rehearsed::TimesDrawn { jobs },
                false => |jobs, _| Rehearsed::TimesHistory { jobs },
            },
        ),
        some(&of(|from| from == TakesFrom::Given), |jobs, list| Rehearsed::TimesGiven {
            jobs,
            list,
        }),
        some(&of(|from| from == TakesFrom::Declared), |jobs, list| Rehearsed::TimesDeclared {
            jobs,
            list,
        }),
        some(&of(|from| from == TakesFrom::Nothing), |jobs, list| Rehearsed::TimesUnknown {
            jobs,
            list,
        }),
    ];
    let mut parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return String::new();
    }
    let work: Vec<&JobName> = of(|from| from != TakesFrom::NoAttempt);
    if of(|from| from == TakesFrom::Declared).len() == work.len() {
        parts = vec![Rehearsed::TimesAllDeclared.say(lang)];
    }
    pair(lang, &Rehearsed::Times.say(lang), &sentence(lang, &parts))
}
