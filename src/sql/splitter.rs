//! A script as the statements that a database would run, one by one.

use std::ops::Range;

use super::lexer::{Dialect, Kind, Lexer, Token};

/// A script, split. The ranges of the statements and then `tail` lie end to end and cover the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script<'a> {
    pub dialect: Dialect,
    pub source: &'a str,
    pub statements: Vec<Statement<'a>>,
    /// What follows the last statement: blanks, comments, stray ends.
    pub tail: Range<usize>,
}

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Counted from 1.
    pub number: u32,
    /// Line of its first word, from 1.
    pub line: u32,
    /// Bytes of the script that belong to it: the blanks and comments before it and the `;` after it included.
    pub range: Range<usize>,
    /// Byte of its first word.
    pub start: usize,
    /// From its first word to its last, comments between them included, without the `;`.
    pub text: &'a str,
}

impl<'a> Statement<'a> {
    /// Its words without blanks and comments.
    pub fn code(&self, dialect: Dialect) -> Vec<Token<'a>> {
        // Offsets and lines are those within the statement; line 1 is `self.line`.
        Lexer::new(dialect, self.text).filter(|token| token.kind.is_code()).collect()
    }
}

/// Splits a script; never fails: what does not close runs to the end of the text, and the database will say so.
pub fn split(dialect: Dialect, source: &str) -> Script<'_> {
    let mut statements: Vec<Statement<'_>> = Vec::new();
    let mut begin = 0;
    // First and last word of the statement being read.
    let mut first: Option<Token<'_>> = None;
    let mut last = 0;
    let mut body = Body::default();
    let mut push = |first: Token<'_>, last: usize, range: Range<usize>| {
        let number = u32::try_from(statements.len() + 1).unwrap_or(u32::MAX);
        let text = &source[first.start..last];
        statements.push(Statement { number, line: first.line, range, start: first.start, text });
    };
    for token in Lexer::new(dialect, source) {
        if !token.kind.is_code() {
            continue;
        }
        if token.kind == Kind::End && first.is_none() {
            continue;
        }
        if token.kind == Kind::End && body.may_end(dialect, token.text) {
            if let Some(first) = first.take() {
                push(first, last, begin..token.end());
            }
            begin = token.end();
            body = Body::default();
            continue;
        }
        body.read(dialect, &token);
        first.get_or_insert(token);
        last = token.end();
    }
    if let Some(first) = first {
        push(first, last, begin..last);
        begin = last;
    }
    Script { dialect, source, statements, tail: begin..source.len() }
}

/// Where in a statement the splitter is: inside some bodies a `;` ends only a part of it.
#[derive(Default)]
struct Body {
    /// The statement's first words in lower case, as far as they decide what it is.
    head: Vec<String>,
    /// Words of the current part of a trigger's body: none, only END, or something else.
    part: Part,
    /// PostgreSQL, MySQL: open parentheses, and BEGIN/CASE without their END.
    parens: u32,
    blocks: u32,
    /// MySQL: the word before was an END that closed a block, as long as no IF or LOOP follows it.
    ended: bool,
}

#[derive(Default, PartialEq)]
enum Part {
    #[default]
    Empty,
    OnlyEnd,
    Else,
}

impl Body {
    fn read(&mut self, dialect: Dialect, token: &Token<'_>) {
        if self.head.len() < 8 && token.kind == Kind::Word {
            self.head.push(token.text.to_ascii_lowercase());
        } else if self.head.is_empty() {
            self.head.push(String::new());
        }
        match dialect {
            Dialect::Sqlite => {
                self.part = match (token.kind, &self.part) {
                    (Kind::End, _) => Part::Empty,
                    (_, Part::Empty) if token.is("end") => Part::OnlyEnd,
                    _ => Part::Else,
                };
            }
            Dialect::Postgres => self.read_blocks(token),
            Dialect::Mysql => self.read_compound(token),
        }
    }

    /// MySQL's own parser finds where a body ends, so a script without DELIMITER has whole bodies too.
    fn read_compound(&mut self, token: &Token<'_>) {
        let ended = std::mem::take(&mut self.ended);
        if token.kind != Kind::Word || !self.is_routine() {
            return;
        }
        if self.blocks == 0 && token.is("atomic") && self.head.first().is_some_and(|w| w == "begin")
        {
            // MariaDB's BEGIN NOT ATOMIC begins a body and no transaction.
            self.blocks = 1;
            return;
        }
        let closes_other = ["if", "loop", "while", "repeat", "for"].iter().any(|w| token.is(w));
        if ended && closes_other {
            // It was END IF or END LOOP, which closes no BEGIN.
            self.blocks += 1;
        } else if token.is("begin") || (token.is("case") && self.blocks > 0 && !ended) {
            self.blocks += 1;
        } else if token.is("end") && self.blocks > 0 {
            self.blocks -= 1;
            self.ended = true;
        }
    }

    fn read_blocks(&mut self, token: &Token<'_>) {
        match token.kind {
            Kind::Open => self.parens += 1,
            Kind::Close => self.parens = self.parens.saturating_sub(1),
            Kind::Word if self.parens == 0 && self.is_routine() => {
                if token.is("begin") || (token.is("case") && self.blocks > 0) {
                    self.blocks += 1;
                } else if token.is("end") {
                    self.blocks = self.blocks.saturating_sub(1);
                }
            }
            _ => {}
        }
    }

    /// Whether a `;` here ends the statement.
    fn may_end(&self, dialect: Dialect, end: &str) -> bool {
        match dialect {
            // A trigger's last part is the word END alone.
            Dialect::Sqlite => !self.is_trigger() || self.part == Part::OnlyEnd,
            Dialect::Postgres => self.parens == 0 && self.blocks == 0,
            // A DELIMITER says where; without one the body does.
            Dialect::Mysql => self.blocks == 0 || end != ";",
        }
    }

    fn is_trigger(&self) -> bool {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let head = match head.as_slice() {
            ["explain", "query", "plan", rest @ ..] | ["explain", rest @ ..] => rest,
            all => all,
        };
        matches!(head, ["create", "trigger", ..] | ["create", "temp" | "temporary", "trigger", ..])
    }

    fn is_routine(&self) -> bool {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let made = match head.as_slice() {
            ["create", "or", "replace", rest @ ..] | ["create", rest @ ..] => rest,
            ["begin", "not", "atomic", ..] => return true,
            _ => return false,
        };
        const BODIES: [&str; 4] = ["function", "procedure", "trigger", "event"];
        let is_body = |word: &&str| BODIES.contains(word);
        match made {
            // `definer = root@localhost`, `definer = 'x'@'y'`: up to two bare words.
            ["definer", rest @ ..] => rest.iter().take(3).any(is_body),
            ["aggregate", rest @ ..] | rest => rest.first().is_some_and(is_body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(dialect: Dialect, source: &str) -> Vec<(u32, &str)> {
        split(dialect, source).statements.iter().map(|s| (s.line, s.text)).collect()
    }

    #[test]
    fn triggers_are_one_statement() {
        let source = "-- head; x\ninsert into a values (';');;\n\
            CREATE TEMP TRIGGER t AFTER UPDATE ON a WHEN new.x > 1 BEGIN\n\
            \x20 update a set x = CASE WHEN 1 THEN 2 END;\n  delete from b; /* ; */ end;\nselect 1";
        let found = texts(Dialect::Sqlite, source);
        assert_eq!(found.iter().map(|s| s.0).collect::<Vec<_>>(), [2, 3, 6]);
        assert_eq!(found[0].1, "insert into a values (';')");
        assert!(found[1].1.ends_with("/* ; */ end"), "{}", found[1].1);
        assert_eq!(found[2].1, "select 1");
        assert_eq!(texts(Dialect::Sqlite, "\r\n ;; -- x\r\n/* ;"), []);
    }

    #[test]
    fn postgres_bodies_and_rules_are_one_statement() {
        let source = "create function f() returns int language sql begin atomic\n\
            select case when true then 1 end; select 2; end;\n\
            create function g() returns int as $$ begin; end; $$ language plpgsql;\n\
            create rule r as on delete to a do also (delete from b; delete from c);\n\
            begin; commit";
        let found = texts(Dialect::Postgres, source);
        assert_eq!(found.iter().map(|s| s.0).collect::<Vec<_>>(), [1, 3, 4, 5, 5]);
    }

    #[test]
    fn mysql_delimiters_are_not_statements() {
        let source = "DELIMITER //\ncreate procedure p() begin select 1; select 2; end//\n\
            DELIMITER ;\nselect 3; select 'a\\';'";
        let found = texts(Dialect::Mysql, source);
        assert_eq!(
            found,
            [
                (2, "create procedure p() begin select 1; select 2; end"),
                (4, "select 3"),
                (4, "select 'a\\';'"),
            ]
        );
    }

    /// The names are those of Atlas's lexer tests (`sql/migrate/testdata/lex*`).
    #[test]
    fn each_of_these_scripts_has_as_many_statements() {
        use Dialect::{Mysql, Postgres, Sqlite};
        for (name, dialect, source, expected) in [
            (
                "delimiter",
                Mysql,
                "DELIMITER $$\ncreate function f() returns int\nbegin\n return 1;\nend;$$\nDELIMITER ;\ncall f();",
                2,
            ),
            (
                "delimiter in a word",
                Mysql,
                "delimiter 'MySQL'\r\nselect * from t1MySQL\r\ndelimiter ;\r\nselect 'End test MySQL';",
                2,
            ),
            (
                "delimiter twice",
                Mysql,
                "delimiter //\ncreate table t2 (a int) //\n\ndelimiter ;\ndelimiter //\ncreate table t3 (a int) //\ndelimiter ;\ndrop table t2, t3;",
                3,
            ),
            (
                "delimiter after a comment",
                Mysql,
                "# Test delimiter :\nselect \"Test delimiter :\" as \" \";\ndelimiter :\nselect * from t1:\n/* Delimiter : */\ndelimiter ;\nselect 'End test :';",
                3,
            ),
            (
                "repeat",
                Mysql,
                "DELIMITER //\nCREATE PROCEDURE p(p1 INT)\nBEGIN SET @x = 0; REPEAT SET @x = @x + 1; UNTIL @x > p1 END REPEAT;\nEND\n//\nDELIMITER ;\nCALL p(100)",
                2,
            ),
            (
                "body without delimiter",
                Mysql,
                "create or replace definer=root@localhost procedure p() begin if 1 then select case when 1 then 2 end; end if; case 1 when 1 then begin end; end case; l: loop leave l; end loop; end; select 1",
                2,
            ),
            (
                "trigger without delimiter",
                Mysql,
                "create trigger t before insert on a for each row begin set new.x = 1; end;\nbegin; select 1; commit;",
                4,
            ),
            (
                "escaped",
                Mysql,
                "create table t (c text default '\\\\');\ncreate table t (c text default \"\\\"\" + '\\'');",
                2,
            ),
            (
                "escaped",
                Postgres,
                "create table t (c text default '\\');\ncreate table t (c text default E'\\\\');\ncreate table t (c text default e'\\\\A\\\\');",
                3,
            ),
            (
                "dollar quote",
                Postgres,
                "create function f(int4) returns text as $$ return \"$2;$1\"; $$ language x;\ncreate function g() returns int as $f$select $$;$$;$f$ language sql;",
                2,
            ),
            (
                "begin atomic",
                Postgres,
                "create function f(x int) returns boolean language sql begin atomic\nselect case when x % 2 = 0 then true else false end; -- tricky;\nselect case when ((x % 2) = 0) then true end as \"case\";\nend;\ncreate function g() returns boolean return false;",
                2,
            ),
            (
                "paren",
                Postgres,
                "alter table only t add constraint n exclude using gist (id with =, cid with -|-);\nselect 1",
                2,
            ),
            (
                "pg expr",
                Postgres,
                "create index i on s.t (((c #>> '{a,b,c}'::text[])));\n/* ; */ select a #>> '{;}' from t;",
                2,
            ),
            (
                "skip comment",
                Mysql,
                "-- c;\ncreate table t1(id int);\n# create table t;\n\nselect * from (select 1 # ;\n) x;",
                2,
            ),
            (
                "trigger",
                Sqlite,
                "create trigger a before insert on t begin select case when (new.a = 4) then raise(ignore) end;\nend;\ncreate trigger b after delete on t for each row\nbegin\n insert into u select 'values (' || old.a || ');';\nend;\ndelete from t;",
                3,
            ),
        ] {
            let found = split(dialect, source);
            assert_eq!(found.statements.len(), expected, "{name}: {found:?}");
        }
    }

    proptest! {
        #[test]
        fn pieces_give_the_script_back(
            source in r#"([a-z \n'"`\[\];$()-]|\PC|create |trigger |begin |case |end|--|/\*|\*/|\$\$|delimiter ;;\n){0,40}"#
        ) {
            for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::Mysql] {
                let script = split(dialect, &source);
                let mut at = 0;
                for (index, statement) in script.statements.iter().enumerate() {
                    prop_assert_eq!(statement.range.start, at);
                    prop_assert_eq!(statement.number as usize, index + 1);
                    prop_assert!(source[statement.range.clone()].contains(statement.text));
                    // A blank of other scripts is none of SQL.
                    prop_assert!(!statement.text.trim_ascii().is_empty());
                    at = statement.range.end;
                }
                prop_assert_eq!(script.tail, at..source.len());
            }
        }
    }
}
