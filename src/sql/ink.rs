//! A script as it is shown: lines of pieces, each of one look.

use super::lexer::{Dialect, Kind, Lexer, Token};

/// How a piece of a script looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ink {
    Plain,
    /// A word of the language, or a line for the client program.
    Keyword,
    Number,
    /// A string, quotes included.
    Text,
    /// A quoted name, or a place for a bound value.
    Name,
    Comment,
}

/// What the three dialects have in common, as far as scripts of changes use it; in the order of the alphabet.
const KEYWORDS: [&str; 129] = [
    "add",
    "after",
    "all",
    "alter",
    "analyze",
    "and",
    "any",
    "as",
    "asc",
    "before",
    "begin",
    "between",
    "bigint",
    "boolean",
    "by",
    "call",
    "cascade",
    "case",
    "cast",
    "char",
    "check",
    "collate",
    "column",
    "comment",
    "commit",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_timestamp",
    "database",
    "date",
    "decimal",
    "declare",
    "default",
    "delete",
    "desc",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exists",
    "explain",
    "false",
    "for",
    "foreign",
    "from",
    "full",
    "function",
    "grant",
    "group",
    "having",
    "if",
    "in",
    "index",
    "inner",
    "insert",
    "int",
    "integer",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "language",
    "left",
    "like",
    "limit",
    "lock",
    "materialized",
    "modify",
    "natural",
    "not",
    "nothing",
    "null",
    "numeric",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "primary",
    "procedure",
    "real",
    "recursive",
    "references",
    "rename",
    "replace",
    "restrict",
    "returning",
    "returns",
    "revoke",
    "right",
    "rollback",
    "row",
    "savepoint",
    "schema",
    "select",
    "sequence",
    "set",
    "some",
    "table",
    "temporary",
    "text",
    "then",
    "time",
    "timestamp",
    "to",
    "transaction",
    "trigger",
    "true",
    "truncate",
    "union",
    "unique",
    "update",
    "using",
    "values",
    "varchar",
    "view",
    "when",
    "where",
    "with",
];

impl Ink {
    fn of(token: &Token<'_>) -> Self {
        match token.kind {
            Kind::Comment => Self::Comment,
            Kind::Number => Self::Number,
            Kind::Text => Self::Text,
            Kind::Name | Kind::Variable => Self::Name,
            Kind::Client => Self::Keyword,
            Kind::Word if is_keyword(token.text) => Self::Keyword,
            Kind::Word
            | Kind::Space
            | Kind::End
            | Kind::Open
            | Kind::Close
            | Kind::Comma
            | Kind::Other => Self::Plain,
        }
    }
}

fn is_keyword(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    KEYWORDS.binary_search(&word.as_str()).is_ok()
}

/// The lines of a script without their ends, in pieces; together they are the text.
pub fn lines(dialect: Dialect, text: &str) -> Vec<Vec<(Ink, &str)>> {
    let mut lines: Vec<Vec<(Ink, &str)>> = vec![Vec::new()];
    for token in Lexer::new(dialect, text) {
        let ink = Ink::of(&token);
        for (nth, piece) in token.text.split('\n').enumerate() {
            if nth > 0 {
                lines.push(Vec::new());
            }
            let piece = piece.strip_suffix('\r').unwrap_or(piece);
            let Some(line) = lines.last_mut().filter(|_| !piece.is_empty()) else { continue };
            line.push((ink, piece));
        }
    }
    // What ends with a line end has no line after it.
    lines.pop_if(|last| last.is_empty());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_can_be_looked_up() {
        assert!(KEYWORDS.is_sorted());
    }

    #[test]
    fn each_piece_has_the_look_of_what_it_is() {
        let text = "-- the rate\r\nUpdate \"fee\" set rate = 30\nwhere id = :id and x = 'a\nb';\n";
        let shown = lines(Dialect::Sqlite, text);
        let of = |ink| -> Vec<&str> {
            let pieces = shown.iter().flatten().filter(|(of, _)| *of == ink);
            pieces.map(|(_, piece)| *piece).collect()
        };
        assert_eq!(of(Ink::Comment), ["-- the rate"]);
        assert_eq!(of(Ink::Keyword), ["Update", "set", "where", "and"]);
        assert_eq!(of(Ink::Name), ["\"fee\"", ":id"]);
        assert_eq!(of(Ink::Number), ["30"]);
        // A string over two lines looks the same on both.
        assert_eq!(of(Ink::Text), ["'a", "b'"]);
        assert_eq!(shown.len(), 4);
        assert_eq!(lines(Dialect::Mysql, ""), Vec::<Vec<(Ink, &str)>>::new());
    }

    #[test]
    fn nothing_of_a_script_is_left_out() {
        for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
            for text in
                ["'open\n\n/* and", "\\copy x\n$a$ b\n$a$;", "a\n\nb", "<b>\u{feff}数据</b>"]
            {
                let lines = lines(dialect, text);
                let whole = |line: &Vec<(Ink, &str)>| -> String {
                    line.iter().map(|(_, piece)| *piece).collect()
                };
                let shown: Vec<String> = lines.iter().map(whole).collect();
                assert_eq!(shown.join("\n"), text, "{dialect:?}");
            }
        }
    }
}
