//! Who may do what, as tables: `nightrun people list`, `nightrun people tokens`, `nightrun audit --access`.

use jiff::Timestamp;

use super::table::Table;
use super::words::{Access, list};
use crate::types::{Lang, Zone};
use crate::view::access::{AccessLine, TokenLine};

/// People, one a row.
pub fn people(lang: Lang, zone: &Zone, lines: &[AccessLine]) -> String {
    if lines.is_empty() {
        return Access::Nobody.say(lang) + "\n";
    }
    let heads = [
        Access::Person,
        Access::Name,
        Access::Team,
        Access::Account,
        Access::Password,
        Access::Tokens,
        Access::LastLogin,
        Access::Roles,
        Access::Rights,
    ];
    written(
        lang,
        &heads,
        lines.iter().map(|line| {
            vec![
                line.id.to_string(),
                line.name.get(lang).to_owned(),
                line.team.as_ref().map(ToString::to_string).unwrap_or_default(),
                line.unix_user.clone().unwrap_or_default(),
                if line.password { Access::Has.say(lang) } else { String::new() },
                list(lang, line.tokens.iter().map(|token| &token.id)),
                line.last_login.map(|at| minute(zone, at)).unwrap_or_default(),
                list(lang, &line.roles),
                list(lang, line.rights.iter()),
            ]
        }),
    )
}

/// Tokens, one a row.
pub fn tokens(lang: Lang, zone: &Zone, lines: &[TokenLine]) -> String {
    if lines.is_empty() {
        return Access::NoTokens.say(lang) + "\n";
    }
    let heads = [
        Access::Token,
        Access::Person,
        Access::For,
        Access::Rights,
        Access::Until,
        Access::MadeBy,
        Access::Good,
    ];
    written(
        lang,
        &heads,
        lines.iter().map(|line| {
            let standing = match (line.good, line.revoked) {
                (true, _) => Access::Good,
                (false, Some(_)) => Access::Revoked,
                (false, None) => Access::Over,
            };
            vec![
                line.id.clone(),
                line.person.to_string(),
                line.name.clone(),
                list(lang, line.rights.iter()),
                minute(zone, line.expires),
                line.by.to_string(),
                standing.say(lang),
            ]
        }),
    )
}

pub(super) fn written(
    lang: Lang,
    heads: &[Access<'_>],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let heads: Vec<String> = heads.iter().map(|head| head.say(lang)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[], 0);
    rows.for_each(|row| table.row(row));
    let mut text = String::new();
    table.write(&mut text);
    text
}

/// `2026-10-30 21:30`, of the site's zone.
pub(super) fn minute(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}
