//! What each hazard locks or loses, in one line, and what to do instead.

use super::rule::Rule;
use crate::sql::lexer::Dialect;

/// What it locks or loses, and what is better.
pub(super) type Cost = (&'static str, Option<&'static str>);

pub(super) fn of(dialect: Dialect, rule: Rule) -> Cost {
    let (cost, hint) = match dialect {
        Dialect::Postgres => postgres(rule),
        Dialect::Mysql => mysql(rule),
        Dialect::Sqlite => None,
    }
    .unwrap_or_else(|| anywhere(rule));
    (cost, (!hint.is_empty()).then_some(hint))
}

type Words = (&'static str, &'static str);

fn postgres(rule: Rule) -> Option<Words> {
    Some(match rule {
        Rule::AddingNotNullableField => (
            "a column NOT NULL without DEFAULT: fails as soon as the table has a row",
            "give a constant DEFAULT, or add it NULL, fill it, then SET NOT NULL",
        ),
        Rule::VolatileDefault => (
            "a value is computed for each row: the table is rewritten, and nobody reads or writes it meanwhile",
            "add the column without it, fill it in parts, then SET DEFAULT",
        ),
        Rule::SetNotNull => (
            "the whole table is read while nobody else reads or writes it",
            "ADD CHECK (… IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a later change, then SET NOT NULL",
        ),
        Rule::ChangingColumnType => (
            "most changes of type rewrite the table and its indexes, and nobody reads or writes it meanwhile",
            "add a second column, fill it in parts, and change over",
        ),
        Rule::ConstraintMissingNotValid => (
            "every row is checked under the lock: of a foreign key writers of both tables wait, of a CHECK readers too",
            "add it NOT VALID, and VALIDATE CONSTRAINT in a later change",
        ),
        Rule::UniqueConstraintWithoutIndex => (
            "an index is built while nobody reads or writes the table",
            "CREATE UNIQUE INDEX CONCURRENTLY first (mode: journalled), then ADD CONSTRAINT … USING INDEX",
        ),
        Rule::IndexWithoutConcurrently => (
            "writers of the table wait until it is done; of DROP and REINDEX readers too",
            "CONCURRENTLY, in a change with `mode: journalled`",
        ),
        Rule::IndexIfNotExists => (
            "IF NOT EXISTS takes the invalid index that a broken build has left for the one that is meant",
            "without IF NOT EXISTS, and `-- done_when:` asks pg_index.indisvalid",
        ),
        Rule::TableRewrite => {
            ("the whole table is written anew, and nobody reads or writes it meanwhile", "")
        }
        Rule::EnumValue => (
            "refused in a transaction before PostgreSQL 12, and not to be used in the same one since",
            "`mode: journalled`, or a change of its own",
        ),
        Rule::Partition => (
            "the partition is read, and the parent is locked: nobody reads or writes them meanwhile",
            "ATTACH after a CHECK that proves the bounds, DETACH with CONCURRENTLY",
        ),
        _ => return None,
    })
}

fn mysql(rule: Rule) -> Option<Words> {
    Some(match rule {
        Rule::AddingNotNullableField => (
            "a column NOT NULL without DEFAULT: every row gets 0 or an empty text that nobody chose",
            "give a DEFAULT, or add it NULL, fill it, then MODIFY",
        ),
        Rule::ChangingColumnType => (
            "values that do not fit are cut or refused, and what MODIFY does not repeat (DEFAULT, NOT NULL) is lost",
            "say ALGORITHM=INSTANT, or add a second column and change over",
        ),
        Rule::AlterTableCopy => (
            "the whole table is copied: writers wait until it is done, and it cannot be stopped halfway for nothing",
            "say ALGORITHM=INSTANT or INPLACE with LOCK=NONE, and the server refuses what would copy",
        ),
        Rule::AlgorithmNotNamed => (
            "without ALGORITHM the server copies the whole table where it cannot do without",
            "say ALGORITHM=INSTANT or INPLACE with LOCK=NONE, and the server refuses what would copy",
        ),
        Rule::Partition => ("the whole table may be copied, and writers wait meanwhile", ""),
        _ => return None,
    })
}

fn anywhere(rule: Rule) -> Words {
    match rule {
        Rule::AddingNotNullableField => (
            "a column NOT NULL without DEFAULT: refused by the database",
            "give a constant DEFAULT",
        ),
        Rule::LockTable => ("others wait for the table until the transaction ends", ""),
        Rule::DropTable => {
            ("deletes the table and its rows", "keep the rows in backup.sql, or rename it first")
        }
        Rule::DropColumn => ("deletes the column's values of every row", "keep them in backup.sql"),
        Rule::DropSchema => ("deletes everything in it", ""),
        Rule::DropObject => ("whoever uses it fails from now on", ""),
        Rule::DropConstraint => ("what it kept right is kept right no longer", ""),
        Rule::DropCascade => (
            "CASCADE drops whatever depends on it, also what is not named here",
            "name what is to go",
        ),
        Rule::Truncate => (
            "deletes every row without counting them, and nobody else reads the table meanwhile",
            "DELETE with a WHERE is counted and held to `rows:`",
        ),
        Rule::TruncateCascade => (
            "CASCADE empties every table that refers to this one, also those that are not named here",
            "name the tables",
        ),
        Rule::Renaming => ("programs that use the old name fail from now on", ""),
        Rule::DisablesChecks => ("rows that break triggers or foreign keys get in unseen", ""),
        Rule::ChangesRights => ("other people or programs may do other things from now on", ""),
        Rule::ServerSettings => {
            ("holds for everybody on the server, and is not undone by a ROLLBACK", "")
        }
        Rule::ServerFile => ("reads or writes a file of the database server", ""),
        Rule::OpaqueCode => (
            "code that is not looked into here: whatever it does is not checked",
            "write the statements themselves",
        ),
        _ => ("", ""),
    }
}
