use proptest::prelude::*;

use super::*;

const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql];

#[test]
fn it_says_what_is_done_without_values() {
    for (source, expected) in [
        (
            "UPDATE Fee SET rate = -30.5, note='it''s'\n where Day in (1, 2,3) AND account = 'a';",
            "update fee set note = ? , rate = ? where account = ? and day = ?",
        ),
        (
            "delete from t where a between 1 and 2 and b is null",
            "delete from t where a between ? and ? and b is null",
        ),
        (
            "insert into t (a, b) values (1, 'x'), (2, null);",
            "insert into t ( a , b ) values ( ? , ? )",
        ),
        ("delete from t where a = 1 or b = 2", "delete from t where a = ? or b = ?"),
        (
            "delete from t where a = 1; delete from t where a = 2;\n-- end\n",
            "delete from t where a = ?",
        ),
        (
            "update t set a = b - 1 where c > date '2026-10-30'",
            "update t set a = b - ? where c > ?",
        ),
        (
            "insert into u select a from t where x in (select y from z where q = 1 and p = 2)",
            "insert into u select a from t where x in ( select y from z where q = ? and p = ? )",
        ),
    ] {
        for dialect in DIALECTS {
            assert_eq!(fingerprint(dialect, source).text(), expected, "{dialect:?}");
        }
    }
    let found = fingerprint(Dialect::Postgres, "delete from \"Fee\" where \"id\" = 1");
    assert_eq!(found.text(), "delete from \"Fee\" where id = ?");
    // Held for ever: what is stored by it must be found again.
    let fee = fingerprint(Dialect::Sqlite, "update fee set rate = 30 where rate = 25;");
    assert_eq!(fee.hex(), "a88ce0c820503e52a48d241fba72ab949f3e88a9b5383d9ab151cad16c95d377");
    assert_eq!(fee.to_string(), fee.hex());
}

#[test]
fn another_table_column_or_comparison_is_another_change() {
    let texts = [
        "update fee set rate = 1 where id = 2",
        "update fees set rate = 1 where id = 2",
        "update x.fee set rate = 1 where id = 2",
        "update fee set rat = 1 where id = 2",
        "update fee set rate = 1 where ids = 2",
        "update fee set rate = 1 where id > 2",
        "update fee set rate = 1 where id is null",
        "update fee set rate = 1 where id is not null",
        "update fee set rate = 1, id = 3 where id = 2",
        "update fee set rate = 1 where id = 2 and day = 3",
        "update fee set rate = 1 where id = 2 or day = 3",
        "update fee set rate = id where id = 2",
        "delete from fee where id = 2",
        "delete from fee where id = 2; delete from rate where id = 2",
        "insert into fee (id, rate) values (1, 2)",
        "insert into fee values (1, 2, 3)",
    ];
    for dialect in DIALECTS {
        let found: BTreeSet<_> = texts.iter().map(|text| fingerprint(dialect, text)).collect();
        assert_eq!(found.len(), texts.len(), "{dialect:?}");
    }
}

/// A value of SQL.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i32>().prop_map(|n| n.to_string()),
        (any::<u16>(), any::<u16>()).prop_map(|(a, b)| format!("{a}.{b}")),
        "[a-z ;,()=-]{0,9}('')?[a-z]{0,3}".prop_map(|text| format!("'{text}'")),
        Just("null".to_owned()),
        Just("TRUE".to_owned()),
    ]
}

/// What may stand between two words.
fn blank() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![" ", "\n", "\t ", "\r\n", " /* and ; = 'x */ ", " -- set a = 'b;\n"])
}

/// A change of two tables: its words, with `?` for a value and `*` for a list of values.
const WORDS: &str = "update fee set rate = ? , note = ? where id in ( * ) and day = ? and kind <> ? ; \
     delete from old_fee where day between ? and ? ; insert into log ( a , b ) values ( ? , ? ) ;";

fn written(values: &[String], blanks: &[&str], upper: bool) -> String {
    let mut values = values.iter().cycle();
    let mut next = || values.next().unwrap().clone();
    let mut text = String::new();
    for (at, word) in WORDS.split_whitespace().enumerate() {
        match word {
            "?" => text.push_str(&next()),
            "*" => {
                text.push_str(&(0..=blanks.len() % 4).map(|_| next()).collect::<Vec<_>>().join(","))
            }
            word if upper => text.push_str(&word.to_uppercase()),
            word => text.push_str(word),
        }
        text.push_str(blanks[at % blanks.len()]);
    }
    text
}

proptest! {
    #[test]
    fn values_blanks_comments_and_case_are_nothing_to_it(
        values in prop::collection::vec(value(), 1..9),
        blanks in prop::collection::vec(blank(), 1..9),
        upper in any::<bool>(),
    ) {
        let plain = written(&["1".to_owned()], &[" "], false);
        let other = written(&values, &blanks, upper);
        for dialect in DIALECTS {
            prop_assert_eq!(
                fingerprint(dialect, &plain), fingerprint(dialect, &other), "{}", other
            );
        }
    }

    #[test]
    fn a_name_is_everything_to_it(at in 0..10_usize, letter in "[a-z]") {
        let plain = written(&["1".to_owned()], &[" "], false);
        let names = ["fee ", "rate ", "note ", "id ", "day ", "kind ", "old_fee ", "log ", "a ", "b "];
        let other = plain.replace(names[at], &format!("{}{letter} ", names[at].trim()));
        for dialect in DIALECTS {
            prop_assert_ne!(fingerprint(dialect, &plain), fingerprint(dialect, &other));
        }
    }
}
