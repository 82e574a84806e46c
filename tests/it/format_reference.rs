//! The format reference against the loader: its examples are a site without defects, and it names every key.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::date;
use nightrun::app;
use nightrun::definition::{Styles, schema};
use nightrun::sql::lint::Rule;

const REFERENCE: &str = include_str!("../../src/docs/format.md");

/// Fenced blocks whose first line is a comment with the path of the file that they show.
fn examples() -> Vec<(&'static str, &'static str)> {
    let blocks = REFERENCE.split("\n```").skip(1).step_by(2);
    let examples: Vec<_> = blocks
        .filter_map(|block| {
            let (language, body) = block.split_once('\n')?;
            let comment = if language == "sql" { "-- " } else { "# " };
            let (first, rest) = body.split_once('\n')?;
            let path = first.strip_prefix(comment).filter(|path| !path.contains(' '))?;
            // The CSV form has no comments.
            Some((path, if language == "csv" { rest } else { body }))
        })
        .collect();
    assert!(examples.iter().any(|(path, _)| *path == "site.yaml"), "no examples were found");
    examples
}

#[test]
fn the_examples_are_a_site_without_defects() {
    let site = tempfile::tempdir().unwrap();
    let put = |path: &str, text: &str| {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    for (path, text) in examples() {
        put(path, text);
    }
    for script in ["eod/scripts/deliver.sh", "eod/scripts/load.sh", "kinds/scripts/fetch.sh"] {
        put(script, "exit 0\n");
    }
    let checked = app::check(site.path(), date(2026, 10, 1)).unwrap();
    let defects: Vec<String> =
        checked.defects.iter().map(|d| d.text(Path::new(""), Styles::plain())).collect();
    assert_eq!(defects.concat(), "");
    assert_eq!(checked.site.unwrap().batches.len(), 4);
}

#[test]
fn every_rule_of_the_lint_is_in_a_table_of_the_reference() {
    let cells = REFERENCE.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let named: BTreeSet<&str> =
        cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`')).collect();
    let unnamed: Vec<&str> =
        Rule::ALL.iter().map(|rule| rule.name()).filter(|name| !named.contains(name)).collect();
    assert_eq!(unnamed, Vec::<&str>::new());
}

/// Keys of the schema's records; what is named by the site itself (a pool, a person) is none.
fn keys(schema: &serde_json::Value, found: &mut BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(map) => {
            if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                found.extend(properties.keys().cloned());
            }
            map.values().for_each(|inner| keys(inner, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|inner| keys(inner, found)),
        _ => {}
    }
}

#[test]
fn every_key_is_in_the_reference() {
    let mut known = BTreeSet::new();
    keys(&schema::schema_of_all(), &mut known);
    assert!(known.contains("must_complete_by"), "the schema was not read");
    let named = |key: &str| {
        REFERENCE.match_indices(key).any(|(at, _)| {
            let before = REFERENCE[..at].chars().next_back().unwrap_or(' ');
            let after = REFERENCE[at + key.len()..].chars().next().unwrap_or(' ');
            let inside = |c: char| c.is_alphanumeric() || c == '_';
            !inside(before) && (after == ':' || (before == '`' && after == '`'))
        })
    };
    // The Chinese form of a text is described once for all of them.
    let unnamed: Vec<&String> =
        known.iter().filter(|key| !key.ends_with("_zh") && !named(key)).collect();
    assert_eq!(unnamed, Vec::<&String>::new());
}
