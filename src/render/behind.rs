//! What a restored store lacks, in words.

use crate::render::clock::Clock;
use crate::render::phrase;
use crate::render::words::{Restored, list};
use crate::types::{Ending, Lang, Zone};
use crate::view::behind::{Behind, Unknown};

/// Every attempt, run and start, a line each.
pub fn text(lang: Lang, zone: &Zone, view: &Behind) -> String {
    let clock = Clock::new(zone, view.made);
    let say = |words: Restored<'_>| words.say(lang);
    let mut lines = vec![say(Restored::Knows { until: &clock.full(view.made) })];
    if view.obeyed > view.given {
        lines.push(say(Restored::Epoch { given: view.given, obeyed: view.obeyed }));
    }
    if !view.attempts.is_empty() {
        lines.push(say(Restored::Attempts { count: view.attempts.len() as u64 }));
        lines.extend(view.attempts.iter().map(|unknown| attempt(lang, &clock, unknown)));
    }
    for lost in &view.runs {
        let run = &lost.run.to_string();
        lines.push(say(Restored::Run { run, attempts: lost.attempts.len() as u64 }));
        lines.extend(lost.attempts.iter().map(|unknown| attempt(lang, &clock, unknown)));
    }
    for starts in &view.starts {
        let (first, last) = (&clock.full(starts.first), &clock.full(starts.last));
        let batch = starts.batch.as_str();
        lines.push(say(Restored::Starts { batch, count: starts.count, first, last }));
    }
    if view.attempts.is_empty() && view.runs.is_empty() && view.starts.is_empty() {
        lines.push(say(Restored::Nothing));
    }
    if view.other_spool {
        lines.push(say(Restored::OtherSpool));
    }
    lines.extend(
        view.unread
            .iter()
            .map(|unread| say(Restored::Unread { target: &unread.target, why: &unread.why })),
    );
    lines.push(say(Restored::Advice));
    lines.join("\n")
}

fn attempt(lang: Lang, clock: &Clock<'_>, unknown: &Unknown) -> String {
    let name = unknown.attempt.to_string();
    let mut words = match (&unknown.ending, unknown.ended) {
        (Some(how), Some(at)) => {
            let good = *how == Ending::Exited { code: 0 };
            let how = &phrase::ending(lang, how, good);
            Restored::Ended { attempt: &name, at: &clock.full(at), how }.say(lang)
        }
        _ if unknown.marked.is_empty() => Restored::Runs { attempt: &name }.say(lang),
        _ => Restored::OnlyMarked { attempt: &name }.say(lang),
    };
    if !unknown.marked.is_empty() {
        let targets = &list(lang, &unknown.marked);
        words.push_str(&Restored::Marked { targets }.say(lang));
    }
    format!("  {words}")
}
