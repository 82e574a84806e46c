//! What people did, as a table or as CSV, with the proof that nothing of it was altered: `nightrun audit`.

use jiff::Timestamp;

use super::csv::row;
use super::table::Table;
use super::words::{Access, Audited, list};
use super::{change, hand_over, incident_words, phrase};
use crate::core::fact::{Action, LoginTrouble, Proposed};
use crate::types::{Lang, Zone};
use crate::view::audit::{AccessOf, AuditLine, Did, Point, Proof};
use crate::view::report::Act;

/// The table, and the proof in a sentence.
pub fn text(lang: Lang, zone: &Zone, lines: &[AuditLine], proof: &Proof) -> String {
    let mut text = String::new();
    if lines.is_empty() {
        text.push_str(&Access::Nothing.say(lang));
        text.push('\n');
    } else {
        let heads = [Access::Entry, Access::Time, Access::Person, Access::Did, Access::Why];
        let heads: Vec<String> = heads.iter().map(|head| head.say(lang)).collect();
        let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
        let mut table = Table::new(&heads, &[0], 0);
        for line in lines {
            table.row(vec![
                line.seq.to_string(),
                second(zone, line.at),
                who(line),
                what(lang, zone, &line.did),
                line.reason.clone(),
            ]);
        }
        table.write(&mut text);
    }
    text.push('\n');
    text.push_str(&proven(lang, proof));
    if proof.unread_runs > 0 {
        text.push('\n');
        text.push_str(&Access::UnreadRuns { runs: proof.unread_runs }.say(lang));
    }
    text
}

/// RFC 4180, the first row a head; the proof follows in rows that begin with `#`.
pub fn csv(lang: Lang, lines: &[AuditLine], proof: &Proof) -> String {
    let mut text = row(&["time", "person", "second", "what", "reason", "entry", "hash"]);
    for line in lines {
        let name = |person: &Option<_>| person.as_ref().map_or(String::new(), ToString::to_string);
        let person: String = name(&line.person);
        let second: String = name(&line.second);
        let utc = Zone::utc();
        let what = what(lang, &utc, &line.did);
        let (at, seq) = (line.at.to_string(), line.seq.to_string());
        text.push_str(&row(&[&at, &person, &second, &what, &line.reason, &seq, &line.hash]));
    }
    let point = |name: &str, point: Option<&Point>| match point {
        Some(point) => row(&[name, "", "", "", "", &point.seq.to_string(), &point.hash]),
        None => String::new(),
    };
    text.push_str(&point("# first entry of that time", proof.first.as_ref()));
    text.push_str(&point("# last entry of that time", proof.last.as_ref()));
    text.push_str(&point("# head; the chain is whole", Some(&proof.head)));
    if proof.unread_runs > 0 {
        let what = format!("# archived runs that are not told here: {}", proof.unread_runs);
        text.push_str(&row(&[&what, "", "", "", "", "", ""]));
    }
    text
}

fn proven(lang: Lang, proof: &Proof) -> String {
    let point = |point: &Point| format!("{} ({})", point.seq, point.hash);
    let head = &point(&proof.head);
    match (&proof.first, &proof.last) {
        (Some(first), Some(last)) => {
            Access::Proof { first: &point(first), last: &point(last), head }.say(lang)
        }
        _ => Access::NoProof { head }.say(lang),
    }
}

fn who(line: &AuditLine) -> String {
    let person = line.person.as_ref().map(ToString::to_string).unwrap_or_default();
    match &line.second {
        Some(second) => format!("{person} + {second}"),
        None => person,
    }
}

/// What was done, in words; times are of the zone.
fn what(lang: Lang, zone: &Zone, did: &Did) -> String {
    let at = |at: &Timestamp| second(zone, *at);
    match did {
        Did::Order { run, window_override: false } => {
            Audited::Order { run: &run.to_string() }.say(lang)
        }
        Did::Order { run, window_override: true } => {
            Audited::Override { run: &run.to_string() }.say(lang)
        }
        Did::Resume { run } => Audited::Resume { run: &run.to_string() }.say(lang),
        Did::Stop { run } => Audited::Stop { run: &run.to_string() }.say(lang),
        Did::Act { run, action } => {
            Audited::Act { run: &run.to_string(), deed: &deed(lang, action) }.say(lang)
        }
        Did::Freeze { freeze, from, to } => {
            Audited::Freeze { freeze, from: &at(from), to: &at(to) }.say(lang)
        }
        Did::Unfreeze { freeze } => Audited::Unfreeze { freeze }.say(lang),
        Did::SizePool { pool, size, until } => {
            Audited::Pool { pool, size: *size, until: &at(until) }.say(lang)
        }
        Did::Drain { host } => Audited::Drain { host: host.as_str() }.say(lang),
        Did::Undrain { host } => Audited::Undrain { host: host.as_str() }.say(lang),
        Did::AskSecond { request, what } => {
            Audited::AskSecond { request, what: &proposed(lang, what) }.say(lang)
        }
        Did::GiveSecond { request } => Audited::GiveSecond { request }.say(lang),
        Did::MoveChange { change: of, step } => {
            let step = &change::step(lang, zone, step);
            Audited::Change { change: of.as_str(), step }.say(lang)
        }
        Did::OpenIncident { incident, title } => {
            Audited::OpenIncident { incident: &incident.to_string(), title }.say(lang)
        }
        Did::MoveIncident { incident, step } => {
            let step = &incident_words::deed(lang, zone, step);
            Audited::Incident { incident: &incident.to_string(), step }.say(lang)
        }
        Did::MoveHandOver { hand_over, step } => {
            let step = &hand_over::deed(lang, *step);
            Audited::HandOver { hand_over: &hand_over.to_string(), step }.say(lang)
        }
        Did::EnterFigure { figure, period, value, parts } => {
            let parts = parts.iter().map(|(part, count)| format!("{part}={count}"));
            let parts = &list(lang, parts);
            let (figure, period, value) =
                (figure.as_str(), &period.to_string(), &value.to_string());
            Audited::Figure { figure, period, value, parts }.say(lang)
        }
        Did::TellEvent { name, business_date, key } => Audited::Event {
            event: name.as_str(),
            date: &business_date.to_string(),
            key: key.as_str(),
        }
        .say(lang),
        Did::SetPassword { of } => Audited::Password { whose: of.as_str() }.say(lang),
        Did::MakeToken { token, of, rights, expires } => {
            let (rights, until) = (&list(lang, rights.iter()), &at(expires));
            Audited::Token { token, whose: of.as_str(), rights, until }.say(lang)
        }
        Did::RevokeToken { token } => Audited::Revoke { token }.say(lang),
        Did::LogIn { from, .. } => Audited::LogIn { from }.say(lang),
        Did::LoginRefused { from, why } => {
            Audited::LoginRefused { from, why: &trouble(lang, *why) }.say(lang)
        }
        Did::TakeDefinitions { commit, author } => {
            Audited::Definitions { commit, author }.say(lang)
        }
        Did::Access { of, before, after } => {
            access(lang, of.as_str(), (before.as_ref(), after.as_ref()))
        }
    }
}

fn deed(lang: Lang, action: &Action) -> String {
    phrase::deed(lang, &Act::Do(action.clone()))
}

fn proposed(lang: Lang, what: &Proposed) -> String {
    match what {
        Proposed::Acts { run, actions } => {
            let deeds = actions.iter().map(|action| deed(lang, action));
            Audited::Act { run: &run.to_string(), deed: &list(lang, deeds) }.say(lang)
        }
        Proposed::Unfreeze { freeze } => {
            Audited::Unfreeze { freeze: &freeze.to_string() }.say(lang)
        }
        Proposed::Order { order } => Audited::Override { run: order.batch.as_str() }.say(lang),
        Proposed::Change { change, .. } => Audited::Decide { change: change.as_str() }.say(lang),
    }
}

fn trouble(lang: Lang, why: LoginTrouble) -> String {
    match why {
        LoginTrouble::UnknownPerson => Audited::UnknownPerson,
        LoginTrouble::NoPassword => Audited::NoPassword,
        LoginTrouble::WrongPassword => Audited::WrongPassword,
        LoginTrouble::WrongToken => Audited::WrongToken,
        LoginTrouble::TooOften => Audited::TooOften,
    }
    .say(lang)
}

fn access(lang: Lang, whose: &str, change: (Option<&AccessOf>, Option<&AccessOf>)) -> String {
    let of = |access: &AccessOf| {
        let (roles, rights) = (&list(lang, &access.roles), &list(lang, access.rights.iter()));
        let mut parts = vec![Audited::RolesAndRights { roles, rights }.say(lang)];
        let team = access.team.as_ref();
        parts.extend(team.map(|team| Audited::TeamOf { team: team.as_str() }.say(lang)));
        let account = access.unix_user.as_ref();
        parts.extend(account.map(|account| Audited::Account { account }.say(lang)));
        list(lang, parts)
    };
    match change {
        (Some(was), Some(now)) => {
            Audited::Changed { whose, was: &of(was), now: &of(now) }.say(lang)
        }
        (None, Some(now)) => Audited::Joined { whose, now: &of(now) }.say(lang),
        (Some(was), None) => Audited::Left { whose, was: &of(was) }.say(lang),
        (None, None) => String::new(),
    }
}

/// `2026-10-30 21:30:07 CET`.
fn second(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}
