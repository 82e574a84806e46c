//! What operators have ordered for the whole site, as lines of the status, and the list of freezes.

use super::clock::Clock;
use super::words::{Stands, list};
use crate::definition::site::FreezeScope;
use crate::types::Lang;
use crate::view::standing::{FreezeLine, StandingView};

/// One line each; none on most nights.
pub fn lines(lang: Lang, clock: &Clock<'_>, view: &StandingView) -> Vec<String> {
    let freezes = view.freezes.iter().map(|freeze| freeze_line(lang, clock, freeze));
    let pools = view.pools.iter().map(|line| {
        Stands::Pool {
            pool: line.pool.as_str(),
            size: line.size,
            until: &clock.full(line.until),
            who: line.by.name.get(lang),
            reason: &line.reason,
        }
        .say(lang)
    });
    let drains = view.drains.iter().map(|line| {
        Stands::Drain {
            host: line.host.as_str(),
            since: &clock.full(line.since),
            who: line.by.name.get(lang),
            reason: &line.reason,
        }
        .say(lang)
    });
    let requests = view.requests.iter().map(|asked| {
        Stands::WaitsForSecond {
            request: &asked.id.to_string(),
            on: &asked.on,
            until: &clock.minute(asked.until),
            who: asked.by.name.get(lang),
            reason: &asked.reason,
        }
        .say(lang)
    });
    freezes.chain(pools).chain(drains).chain(requests).collect()
}

/// `F-1  10-30 22:00 - 10-31 06:00  batch=eod  by Li Wei: release day`.
pub fn freeze_line(lang: Lang, clock: &Clock<'_>, freeze: &FreezeLine) -> String {
    let id = freeze.id.map(|id| id.to_string()).unwrap_or_else(|| Stands::Declared.say(lang));
    let (from, to) = (&clock.full(freeze.from), &clock.full(freeze.to));
    let (scope, reason) = (&scope(lang, &freeze.scope), freeze.reason.get(lang));
    match &freeze.by {
        Some(by) => {
            let who = by.name.get(lang);
            Stands::Freeze { id: &id, from, to, scope, who, reason }.say(lang)
        }
        None => Stands::FreezeDeclared { id: &id, from, to, scope, reason }.say(lang),
    }
}

fn scope(lang: Lang, scope: &FreezeScope) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(scope.batches.iter().map(|name| format!("batch={name}")));
    parts.extend(scope.windows.iter().map(|name| format!("class={name}")));
    parts.extend(scope.targets.iter().map(|name| format!("target={name}")));
    parts.extend(scope.hosts.iter().map(|name| format!("host={name}")));
    if parts.is_empty() { Stands::WholeSite.say(lang) } else { list(lang, parts) }
}
