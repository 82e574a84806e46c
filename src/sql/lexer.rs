//! One lexer for the three dialects. Every byte of a text belongs to exactly one token, whatever the text is.

/// Whose lexical rules apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    Postgres,
    Mysql,
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Space,
    Comment,
    /// A keyword or a bare name.
    Word,
    Number,
    /// A string, quotes included.
    Text,
    /// A quoted name, quotes included.
    Name,
    /// A place for a bound value: `?1`, `:x`, `@x`, `$x`; in PostgreSQL `$1`.
    Variable,
    /// Ends a statement: `;`, or what MySQL's DELIMITER set.
    End,
    Open,
    Close,
    Comma,
    /// A line for the client program and not for the server: MySQL's DELIMITER, psql's backslash commands.
    Client,
    Other,
}

impl Kind {
    /// Whether a database would see it: neither blank nor comment.
    pub fn is_code(self) -> bool {
        !matches!(self, Self::Space | Self::Comment | Self::Client)
    }
}

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    /// Byte offset in the text.
    pub start: usize,
    /// Line of its first byte, from 1.
    pub line: u32,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword, in whatever case.
    pub fn is(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    /// A bare or quoted name without its quotes; `None` for anything else.
    pub fn name(&self) -> Option<String> {
        match self.kind {
            Kind::Word => Some(self.text.to_owned()),
            Kind::Name => {
                let quote = self.text.chars().next()?;
                let close = if quote == '[' { ']' } else { quote };
                let inner = self.text.strip_prefix(quote)?;
                let inner = inner.strip_suffix(close).unwrap_or(inner);
                Some(inner.replace(&format!("{close}{close}"), &close.to_string()))
            }
            _ => None,
        }
    }
}

/// The tokens of a text, in order and without gaps.
pub struct Lexer<'a> {
    dialect: Dialect,
    text: &'a str,
    at: usize,
    line: u32,
    /// What ends a statement; only MySQL's DELIMITER changes it.
    delimiter: &'a str,
    /// Only blanks and comments since the last end of a statement, so a DELIMITER line may stand here.
    fresh: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(dialect: Dialect, text: &'a str) -> Self {
        Self { dialect, text, at: 0, line: 1, delimiter: ";", fresh: true }
    }

    /// Length in bytes and kind of the token at `rest`, which is not empty.
    fn measure(&mut self, rest: &'a str) -> (usize, Kind) {
        let (length, kind) = self.measure_uncut(rest);
        // `END$$` ends where the delimiter `$$` begins, though `$` may be part of a word.
        let cut = matches!(kind, Kind::Word | Kind::Number) && self.dialect == Dialect::Mysql;
        let end = rest[..length].find(self.delimiter).filter(|_| cut).unwrap_or(length);
        (end, kind)
    }

    fn measure_uncut(&mut self, rest: &'a str) -> (usize, Kind) {
        let bytes = rest.as_bytes();
        let second = bytes.get(1).copied().unwrap_or(0);
        if rest.starts_with(self.delimiter) {
            return (self.delimiter.len(), Kind::End);
        }
        if self.dialect == Dialect::Mysql
            && self.fresh
            && let Some((length, delimiter)) = delimiter_line(rest)
        {
            self.delimiter = delimiter;
            return (length, Kind::Client);
        }
        // A byte order mark is a blank to SQLite, and nobody means it as a name anywhere else.
        if rest.starts_with('\u{feff}') {
            return ('\u{feff}'.len_utf8(), Kind::Space);
        }
        match bytes[0] {
            b if is_space(b) => (run(bytes, is_space), Kind::Space),
            b'-' if second == b'-' && self.dash_comment(bytes) => (line_end(bytes), Kind::Comment),
            b'#' if self.dialect == Dialect::Mysql => (line_end(bytes), Kind::Comment),
            b'/' if second == b'*' => self.block(rest),
            b'\'' => (quoted(bytes, 0, b'\'', self.dialect == Dialect::Mysql), Kind::Text),
            b'"' if self.dialect == Dialect::Mysql => (quoted(bytes, 0, b'"', true), Kind::Text),
            b'"' => (quoted(bytes, 0, b'"', false), Kind::Name),
            b'`' if self.dialect != Dialect::Postgres => {
                (quoted(bytes, 0, b'`', false), Kind::Name)
            }
            b'[' if self.dialect == Dialect::Sqlite => {
                (rest.find(']').map_or(rest.len(), |end| end + 1), Kind::Name)
            }
            b'e' | b'E' if second == b'\'' && self.dialect == Dialect::Postgres => {
                (quoted(bytes, 1, b'\'', true), Kind::Text)
            }
            b'$' if self.dialect == Dialect::Postgres => dollar(rest),
            // No operator of PostgreSQL has a backslash; psql reads on to the end of the line.
            b'\\' if self.dialect == Dialect::Postgres => (line_end(bytes), Kind::Client),
            b'?' | b'$' | b'@' | b':' | b'#' if self.dialect == Dialect::Sqlite => variable(bytes),
            b'0'..=b'9' => (run(bytes, is_word), Kind::Number),
            b if is_word(b) && b != b'$' => (run(bytes, is_word), Kind::Word),
            b'(' => (1, Kind::Open),
            b')' => (1, Kind::Close),
            b',' => (1, Kind::Comma),
            // ASCII here: every byte from 0x80 on is part of a word.
            _ => (1, Kind::Other),
        }
    }

    /// MySQL wants a blank after `--`; there `5--1` is six.
    fn dash_comment(&self, bytes: &[u8]) -> bool {
        self.dialect != Dialect::Mysql || bytes.get(2).is_none_or(|b| *b <= b' ')
    }

    fn block(&self, rest: &str) -> (usize, Kind) {
        match self.dialect {
            // SQLite reads a `/*` at the very end as two operators.
            Dialect::Sqlite if rest.len() == 2 => (1, Kind::Other),
            Dialect::Postgres => (nested_comment(rest.as_bytes()), Kind::Comment),
            Dialect::Sqlite | Dialect::Mysql => {
                let end = rest[2..].find("*/").map_or(rest.len(), |end| end + 4);
                // `/*! … */` is a comment to everyone but the MySQL server, which runs it.
                let runs = self.dialect == Dialect::Mysql
                    && (rest.starts_with("/*!") || rest.starts_with("/*M!"));
                (end, if runs { Kind::Other } else { Kind::Comment })
            }
        }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (length, kind) = self.measure(rest);
        let token = Token { kind, text: &rest[..length], start: self.at, line: self.line };
        self.at += length;
        self.line += token.text.bytes().filter(|b| *b == b'\n').count() as u32;
        self.fresh = kind == Kind::End || (self.fresh && !kind.is_code());
        Some(token)
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'$' || b >= 0x80
}

fn run(bytes: &[u8], is: fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !is(*b)).unwrap_or(bytes.len())
}

fn line_end(bytes: &[u8]) -> usize {
    bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len())
}

/// Length up to the closing quote, which counts twice when it is doubled; to the end where it never closes.
fn quoted(bytes: &[u8], open: usize, quote: u8, backslash: bool) -> usize {
    let mut at = open + 1;
    while let Some(b) = bytes.get(at) {
        if backslash && *b == b'\\' {
            at += 2;
        } else if *b != quote {
            at += 1;
        } else if bytes.get(at + 1) == Some(&quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    bytes.len()
}

fn nested_comment(bytes: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    bytes.len()
}

/// PostgreSQL's `$`: a parameter, a dollar quote to its closing tag, or a stray character.
fn dollar(rest: &str) -> (usize, Kind) {
    let bytes = rest.as_bytes();
    let digits = run(&bytes[1..], |b| b.is_ascii_digit());
    if digits > 0 {
        return (1 + digits, Kind::Variable);
    }
    let tag = 1 + run(&bytes[1..], |b| is_word(b) && b != b'$');
    if bytes.get(tag) != Some(&b'$') {
        return (1, Kind::Other);
    }
    let quote = &rest[..=tag];
    let body = quote.len();
    (rest[body..].find(quote).map_or(rest.len(), |end| body + end + body), Kind::Text)
}

/// SQLite's bound values, read as its own tokenizer does, `$a::b(c)` included.
fn variable(bytes: &[u8]) -> (usize, Kind) {
    if bytes[0] == b'?' {
        return (1 + run(&bytes[1..], |b| b.is_ascii_digit()), Kind::Variable);
    }
    let mut at = 1;
    let mut named = false;
    while let Some(b) = bytes.get(at).copied() {
        if is_word(b) {
            named = true;
            at += 1;
        } else if b == b'(' && named {
            let end = run(&bytes[at..], |b| !is_space(b) && b != b')');
            at += end + usize::from(bytes.get(at + end) == Some(&b')'));
            break;
        } else if b == b':' && bytes.get(at + 1) == Some(&b':') {
            at += 2;
        } else {
            break;
        }
    }
    if named { (at, Kind::Variable) } else { (1, Kind::Other) }
}

/// `DELIMITER //` as a line of its own: its length without the line break, and the delimiter.
fn delimiter_line(rest: &str) -> Option<(usize, &str)> {
    let line = &rest[..line_end(rest.as_bytes())];
    let word = line.get(..9).filter(|word| word.eq_ignore_ascii_case("delimiter"))?;
    let delimiter = line[word.len()..].strip_prefix([' ', '\t'])?.split_whitespace().next()?;
    let bare = ['\'', '"', '`'].iter().find_map(|quote| {
        let inner = delimiter.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.is_empty()).then_some(inner)
    });
    Some((line.len(), bare.unwrap_or(delimiter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(dialect: Dialect, text: &str) -> Vec<(Kind, &str)> {
        let code = |token: &Token<'_>| token.kind != Kind::Space;
        Lexer::new(dialect, text).filter(code).map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn each_dialect_has_its_own_quotes_and_comments() {
        use Kind::{Close, Comment, End, Name, Number, Open, Other, Text, Variable, Word};
        assert_eq!(
            kinds(Dialect::Sqlite, "a [b;]\"c;\"`d;`'e'';' ?1 :x $y::z(;) -- f;\n/* g; /* */ h"),
            [
                (Word, "a"),
                (Name, "[b;]"),
                (Name, "\"c;\""),
                (Name, "`d;`"),
                (Text, "'e'';'"),
                (Variable, "?1"),
                (Variable, ":x"),
                (Variable, "$y::z(;)"),
                (Comment, "-- f;"),
                (Comment, "/* g; /* */"),
                (Word, "h"),
            ]
        );
        assert_eq!(
            kinds(Dialect::Postgres, "$t$;$x$;$t$ E'\\';' 'a\\' f$1 $2 /* /* ; */ ; */ x[1]"),
            [
                (Text, "$t$;$x$;$t$"),
                (Text, "E'\\';'"),
                (Text, "'a\\'"),
                (Word, "f$1"),
                (Variable, "$2"),
                (Comment, "/* /* ; */ ; */"),
                (Word, "x"),
                (Other, "["),
                (Number, "1"),
                (Other, "]"),
            ]
        );
        assert_eq!(
            kinds(Dialect::Mysql, "f(5--1) # ;\n'\\';' \"a;\" `b;` /*!40101 set x;*/ -- ;"),
            [
                (Word, "f"),
                (Open, "("),
                (Number, "5"),
                (Other, "-"),
                (Other, "-"),
                (Number, "1"),
                (Close, ")"),
                (Comment, "# ;"),
                (Text, "'\\';'"),
                (Text, "\"a;\""),
                (Name, "`b;`"),
                (Other, "/*!40101 set x;*/"),
                (Comment, "-- ;"),
            ]
        );
        assert_eq!(
            kinds(Dialect::Mysql, "delimiter //\na; b//\nDELIMITER ;\nc;"),
            [
                (Kind::Client, "delimiter //"),
                (Word, "a"),
                (Other, ";"),
                (Word, "b"),
                (End, "//"),
                (Kind::Client, "DELIMITER ;"),
                (Word, "c"),
                (End, ";"),
            ]
        );
        assert_eq!(
            kinds(Dialect::Mysql, "delimiter '$$'\r\nend$$ 1$$"),
            [
                (Kind::Client, "delimiter '$$'\r"),
                (Word, "end"),
                (End, "$$"),
                (Number, "1"),
                (End, "$$"),
            ]
        );
        assert_eq!(
            kinds(Dialect::Postgres, "\\c it's;\nselect '\\' \\gx\r\n"),
            [
                (Kind::Client, "\\c it's;"),
                (Word, "select"),
                (Text, "'\\'"),
                (Kind::Client, "\\gx\r")
            ]
        );
    }

    #[test]
    fn names_lose_their_quotes() {
        let names: Vec<_> = Lexer::new(Dialect::Sqlite, r#"a "b""c" [d] `e``f` 'no'"#)
            .filter(|token| token.kind != Kind::Space)
            .map(|token| token.name())
            .collect();
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(names, [some("a"), some("b\"c"), some("d"), some("e`f"), None]);
    }

    proptest! {
        #[test]
        fn tokens_give_the_text_back(
            text in r#"([a-zA-Z0-9 \n'"`\[\];$@:?#/*\\(),.é中-]|\PC|\$x\$|--|/\*|\*/|DELIMITER |\nDELIMITER ;;\n){0,40}"#
        ) {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
                let mut joined = String::new();
                for token in Lexer::new(dialect, &text) {
                    prop_assert_eq!(token.start, joined.len());
                    prop_assert_eq!(token.line as usize, 1 + joined.matches('\n').count());
                    prop_assert!(!token.text.is_empty());
                    joined.push_str(token.text);
                }
                prop_assert_eq!(&joined, &text);
            }
        }
    }
}
