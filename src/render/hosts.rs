//! The hosts that jobs run on: a line each, and beneath it what else is to be said.

use super::clock::Clock;
use super::table::{one_line, wrap};
use super::words::{Hosts, list};
use crate::types::{ClockDifference, Lang};
use crate::view::hosts::{HostLine, HostsPage, Link};

/// In columns of a terminal: of a page, and of a line beside the longest name at the least.
const WIDTH: usize = 80;
const LEAST: usize = 28;

/// `nightrun host list`.
pub fn text(lang: Lang, page: &HostsPage) -> String {
    let clock = Clock::new(&page.zone, page.now);
    let widest = page.items.iter().map(|line| line.host.as_str().len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for host in &page.items {
        let head = [
            link(lang, &clock, &host.link),
            Hosts::Running { running: host.running, most: host.max_running }.say(lang),
        ];
        let pools = host.pools.iter().map(|pool| {
            Hosts::Pool { pool: pool.pool.as_str(), used: pool.used, size: pool.size }.say(lang)
        });
        let head = list(lang, head.into_iter().chain(pools));
        let width = WIDTH.saturating_sub(widest + 2).max(LEAST);
        let said = std::iter::once(head).chain(beneath(lang, &clock, host));
        let broken = said.flat_map(|line| wrap(&line, width));
        lines.extend(broken.enumerate().map(|(number, line)| {
            let name = if number == 0 { host.host.as_str() } else { "" };
            format!("{name:<widest$}  {line}")
        }));
    }
    lines.join("\n")
}

fn beneath(lang: Lang, clock: &Clock<'_>, host: &HostLine) -> impl Iterator<Item = String> {
    let title = host.title.as_ref().map(|title| title.get(lang).to_owned());
    let about = title.into_iter().chain(host.reached_by.clone());
    let about = about.collect::<Vec<_>>().join(" · ");
    let labels = list(lang, &host.labels);
    let draining = host.draining.as_ref().map(|drain| {
        let since = &clock.full(drain.since);
        let who = drain.by.name.get(lang);
        Hosts::Draining { since, who, reason: &drain.reason }.say(lang)
    });
    let off = host.clock.map(|off| clock_off(lang, off));
    [Some(about), Some(labels), off, draining]
        .into_iter()
        .flatten()
        .filter(|line| !line.is_empty())
        .map(|line| one_line(&line))
}

/// What its clock is off by.
pub(super) fn clock_off(lang: Lang, off: ClockDifference) -> String {
    let within = off.within_ms as f64 / 1_000.0;
    let off = off.ahead_ms as f64 / 1_000.0;
    Hosts::Clock { off: &format!("{off:.2} s"), within: &format!("{within:.2} s") }.say(lang)
}

fn link(lang: Lang, clock: &Clock<'_>, link: &Link) -> String {
    match link {
        Link::Up { since: Some(since), .. } => {
            Hosts::UpSince { since: &clock.full(*since) }.say(lang)
        }
        Link::Up { since: None, .. } => Hosts::Up.say(lang),
        Link::Away { since } => Hosts::AwaySince { since: &clock.full(*since) }.say(lang),
        Link::NotSought => Hosts::NotSought.say(lang),
    }
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;
    use crate::render::sample::{after, both, head, zhang_min};
    use crate::view::hosts::{Draining, HostPool};

    #[test]
    fn hosts_are_told_in_two_languages_and_fit_into_eighty_columns() {
        let line = |name: &str, link| HostLine {
            host: name.parse().unwrap(),
            title: None,
            labels: Vec::new(),
            reached_by: None,
            link,
            clock: None,
            trial: true,
            draining: None,
            running: 2,
            max_running: 16,
            pools: Vec::new(),
        };
        let db1 = HostLine {
            title: Some(both("Database host of the back office", "后台数据库主机")),
            labels: vec!["reporting".parse().unwrap(), "eu".parse().unwrap()],
            reached_by: Some("batch@db1.bank.example:2222".to_owned()),
            draining: Some(Draining {
                by: zhang_min(),
                reason: "new disks".to_owned(),
                since: after(30.0),
            }),
            clock: Some(ClockDifference { ahead_ms: -1_250, within_ms: 20 }),
            pools: vec![HostPool { pool: "tape".parse().unwrap(), used: 1, size: 1 }],
            ..line("db1", Link::Away { since: after(12.0) })
        };
        let up = Link::Up { since: Some(after(0.0)), boot: "b".to_owned() };
        let items = vec![db1, line("db2", Link::NotSought), line("local", up)];
        let page = HostsPage { items, now: after(60.0), zone: head().zone };
        let both = [Lang::En, Lang::Zh].map(|lang| text(lang, &page));
        assert!(both.iter().flat_map(|text| text.lines()).all(|line| line.width() <= 80));
        insta::assert_snapshot!(both.join("\n\n"));
    }
}
