//! A table whose rows are kept, as the catalog has it, and the SQL that keeps, compares and puts back its rows.

use sha2::{Digest, Sha256};

use crate::agent::worker::db::{Db, DbError};
use crate::definition::site::BackupTable;
use crate::sql::{Dialect, backup};

/// Where servers have the kept rows.
pub(super) const SCHEMA: &str = "nightrun_backup";

/// The column of a row's image.
const IMAGE: &str = "nightrun_image";

/// All names are SQL.
#[derive(Debug, Clone)]
pub(super) struct Table {
    dialect: Dialect,
    pub(super) name: String,
    condition: String,
    /// All that hold values, in their order; computed ones follow by themselves.
    columns: Vec<String>,
    /// Of these, those that tell rows apart.
    key: Vec<String>,
    /// Whether the catalog says that they do.
    pub(super) is_primary: bool,
    /// MySQL: FLOAT, of whose values text has six digits, too few to tell them apart.
    coarse: Vec<String>,
    /// PostgreSQL: GENERATED ALWAYS AS IDENTITY, which no UPDATE may set.
    fixed: Vec<String>,
    pub(super) kept_in: String,
    pub(super) image_in: String,
}

/// A column of the catalog.
struct Column {
    name: String,
    primary: bool,
    coarse: bool,
    fixed: bool,
}

/// Columns that hold values, whether they belong to the primary key, and what else the engine has of its own.
async fn columns(db: &mut Db, table: &str) -> Result<Vec<Column>, DbError> {
    const POSTGRES: &str = "SELECT a.attname::text, (EXISTS (SELECT 1 FROM pg_index i \
         WHERE i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)))::int::text, '0', \
         (a.attidentity = 'a')::int::text FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 \
         AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum";
    const MYSQL: &str = "SELECT COLUMN_NAME, IF(COLUMN_KEY = 'PRI', '1', '0'), \
         IF(DATA_TYPE = 'float', '1', '0'), '0' \
         FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? \
         AND EXTRA NOT LIKE '%VIRTUAL GENERATED%' AND EXTRA NOT LIKE '%STORED GENERATED%' \
         ORDER BY ORDINAL_POSITION";
    const SQLITE: &str =
        "SELECT name, CAST(pk > 0 AS text), '0', '0' FROM pragma_table_xinfo($1) WHERE hidden = 0";
    let parts = backup::path(db.dialect(), table).unwrap_or_default();
    let last = parts.last().map(String::as_str);
    let schema = (parts.len() > 1).then(|| parts[0].as_str());
    let rows = match db.dialect() {
        Dialect::Postgres => db.ask(POSTGRES, &[Some(table)]).await?,
        Dialect::Mysql => db.ask(MYSQL, &[schema, last]).await?,
        Dialect::Sqlite => db.ask(SQLITE, &[last]).await?,
    };
    let column = |row: Vec<Option<String>>| {
        let [name, primary, coarse, fixed] = row.try_into().ok()?;
        let is = |cell: Option<String>| cell.as_deref() == Some("1");
        let (name, primary, coarse, fixed) = (name?, is(primary), is(coarse), is(fixed));
        Some(Column { name, primary, coarse, fixed })
    };
    Ok(rows.into_iter().filter_map(column).collect())
}

impl Table {
    /// `of`: what no other attempt at a change of any target has.
    pub(super) async fn read(
        db: &mut Db,
        declared: &BackupTable,
        of: &str,
    ) -> Result<Self, DbError> {
        let dialect = db.dialect();
        let (name, condition) = (declared.table.clone(), declared.r#where.clone());
        let columns = columns(db, &name).await?;
        if columns.is_empty() {
            return Err(DbError::refused(format!(
                "there is no table {name} whose rows could be kept"
            )));
        }
        let same = |wanted: &str, column: &Column| match dialect {
            Dialect::Postgres => wanted == column.name,
            Dialect::Sqlite | Dialect::Mysql => wanted.eq_ignore_ascii_case(&column.name),
        };
        let mut key = Vec::new();
        for written in &declared.key {
            let wanted = backup::path(dialect, written).and_then(|mut parts| parts.pop());
            let found = columns.iter().find(|c| wanted.as_deref().is_some_and(|w| same(w, c)));
            let column = found.ok_or_else(|| {
                DbError::refused(format!("the table {name} has no column {written} for its `key`"))
            })?;
            key.push(backup::quoted(dialect, &column.name));
        }
        let those = |are: fn(&Column) -> bool| -> Vec<String> {
            let chosen = columns.iter().filter(|column| are(column));
            chosen.map(|column| backup::quoted(dialect, &column.name)).collect()
        };
        let primary = those(|column| column.primary);
        if key.is_empty() {
            key.clone_from(&primary);
        }
        if key.is_empty() {
            return Err(DbError::refused(format!(
                "the table {name} has no primary key: name the columns that tell its rows apart, with `key:`"
            )));
        }
        let is_primary = !primary.is_empty() && primary.iter().all(|column| key.contains(column));
        let (coarse, fixed) = (those(|column| column.coarse), those(|column| column.fixed));
        let columns = those(|_| true);
        let kept_in = place(dialect, &name, of);
        let image_in = image_of(&kept_in);
        Ok(Self {
            dialect,
            name,
            condition,
            columns,
            key,
            is_primary,
            coarse,
            fixed,
            kept_in,
            image_in,
        })
    }

    /// Another place than its name would be told by: that of a server that was another one then.
    pub(super) fn lies_in(&mut self, kept_in: &str) {
        self.kept_in = kept_in.to_owned();
        self.image_in = image_of(kept_in);
    }

    fn list(&self, names: &[String], of: &str) -> String {
        let dot = if of.is_empty() { "" } else { "." };
        let all: Vec<String> = names.iter().map(|name| format!("{of}{dot}{name}")).collect();
        all.join(", ")
    }

    /// Same key, of two relations.
    fn same_key(&self, a: &str, b: &str) -> String {
        let each: Vec<String> = self.key.iter().map(|k| format!("{a}.{k} = {b}.{k}")).collect();
        each.join(" AND ")
    }

    /// All values of a row as one text, which is another one where any value is.
    fn values(&self, of: &str) -> String {
        let dot = if of.is_empty() { "" } else { "." };
        let column = |name: &String| {
            let exact = if self.coarse.contains(name) { " + 0e0" } else { "" };
            format!("{of}{dot}{name}{exact}")
        };
        let each = self.columns.iter().map(column);
        match self.dialect {
            Dialect::Postgres => format!("ROW({})::text", each.collect::<Vec<_>>().join(", ")),
            // As bytes: names of characters and their order differ from column to column.
            Dialect::Mysql => {
                let each: Vec<String> =
                    each.map(|c| format!("CAST(QUOTE({c}) AS BINARY)")).collect();
                format!("CONCAT_WS(',', {})", each.join(", "))
            }
            Dialect::Sqlite => {
                let each: Vec<String> = each.map(|c| format!("quote({c})")).collect();
                each.join(" || ',' || ")
            }
        }
    }

    /// What is remembered of a row: its values, where the engine can, hashed.
    fn image(&self, of: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => self.values(of),
            Dialect::Postgres | Dialect::Mysql => format!("md5({})", self.values(of)),
        }
    }

    /// Rows as they are declared to be kept.
    fn declared(&self) -> String {
        format!("{} WHERE (\n{}\n)", self.name, self.condition)
    }

    /// MySQL: the two tables, empty, before the transaction begins, because to make them ends it.
    pub(super) fn make(&self) -> [String; 2] {
        let (columns, key) = (self.list(&self.columns, ""), self.list(&self.key, ""));
        let Self { name, kept_in, image_in, .. } = self;
        [
            format!(
                "CREATE TABLE {kept_in} ENGINE = InnoDB AS SELECT {columns} FROM {name} WHERE FALSE"
            ),
            format!(
                "CREATE TABLE {image_in} (PRIMARY KEY ({key})) ENGINE = InnoDB AS \
                 SELECT {key}, CAST(NULL AS CHAR(32)) AS {IMAGE} FROM {name} WHERE FALSE"
            ),
        ]
    }

    pub(super) fn drop(&self) -> String {
        format!("DROP TABLE IF EXISTS {}, {}", self.kept_in, self.image_in)
    }

    pub(super) fn keep(&self) -> String {
        let (columns, declared) = (self.list(&self.columns, ""), self.declared());
        match self.dialect {
            // Read as they are now and locked, so that nobody gets in between.
            Dialect::Mysql => format!(
                "INSERT INTO {} ({columns}) SELECT {columns} FROM {declared} FOR UPDATE",
                self.kept_in
            ),
            Dialect::Postgres | Dialect::Sqlite => {
                format!("CREATE TABLE {} AS SELECT {columns} FROM {declared}", self.kept_in)
            }
        }
    }

    /// What the kept rows are now: values hashed, or nothing where a row is gone.
    pub(super) fn remember(&self) -> String {
        let (key, first) = (self.list(&self.key, "k"), &self.key[0]);
        let select = format!(
            "SELECT {key}, CASE WHEN t.{first} IS NULL THEN NULL ELSE {} END AS {IMAGE} \
             FROM {} AS k LEFT JOIN {} AS t ON {}",
            self.image("t"),
            self.kept_in,
            self.name,
            self.same_key("t", "k")
        );
        match self.dialect {
            Dialect::Mysql => format!("INSERT INTO {} {select}", self.image_in),
            Dialect::Postgres | Dialect::Sqlite => {
                format!("CREATE TABLE {} AS {select}", self.image_in)
            }
        }
    }

    /// Names of the two tables for [`Db::filled`].
    pub(super) fn kept_path(&self) -> Vec<String> {
        backup::path(self.dialect, &self.kept_in).unwrap_or_default()
    }

    pub(super) fn image_path(&self) -> Vec<String> {
        backup::path(self.dialect, &self.image_in).unwrap_or_default()
    }

    pub(super) fn images(&self) -> String {
        format!("SELECT count(*) FROM {}", self.image_in)
    }

    pub(super) fn gone(&self) -> String {
        format!("SELECT count(*) FROM {} WHERE {IMAGE} IS NULL", self.image_in)
    }

    /// Kept rows whose key is missing or not theirs alone.
    pub(super) fn not_told_apart(&self) -> String {
        let missing: Vec<String> = self.key.iter().map(|k| format!("{k} IS NULL")).collect();
        format!(
            "SELECT (SELECT count(*) FROM {kept} WHERE {}) + (SELECT count(*) FROM \
             (SELECT 1 AS one FROM {kept} GROUP BY {} HAVING count(*) > 1) AS twice)",
            missing.join(" OR "),
            self.list(&self.key, ""),
            kept = self.kept_in
        )
    }

    /// Number and checksum of the rows that are declared to be kept.
    pub(super) fn sum_declared(&self) -> String {
        let locked = if self.dialect == Dialect::Mysql { " FOR UPDATE" } else { "" };
        format!("{}{locked}", self.sum("", &self.declared()))
    }

    pub(super) fn sum_kept(&self) -> String {
        self.sum("", &self.kept_in)
    }

    /// Of the kept rows as they are in their table now.
    pub(super) fn sum_now(&self) -> String {
        let now =
            format!("{} AS t JOIN {} AS k ON {}", self.name, self.kept_in, self.same_key("t", "k"));
        self.sum("t", &now)
    }

    fn sum(&self, of: &str, from: &str) -> String {
        let values = self.values(of);
        match self.dialect {
            Dialect::Postgres => format!(
                "SELECT count(*)::text, coalesce(sum(hashtextextended({values}, 0)::numeric), 0)::text FROM {from}"
            ),
            Dialect::Mysql => format!(
                "SELECT CAST(count(*) AS CHAR), CAST(COALESCE(SUM(CAST(CONV(LEFT(MD5({values}), 16), 16, 10) AS UNSIGNED)), 0) AS CHAR) FROM {from}"
            ),
            // It has no hashes: the worker makes them.
            Dialect::Sqlite => {
                format!("SELECT {values} FROM {from} ORDER BY {}", self.list(&self.key, of))
            }
        }
    }

    /// Kept rows that are not what the change has left: their key, and what became of them.
    pub(super) fn changed_since(&self) -> String {
        let first = &self.key[0];
        let image = self.image("t");
        let differs = match self.dialect {
            Dialect::Mysql => format!("NOT (i.{IMAGE} <=> {image})"),
            Dialect::Postgres => format!("i.{IMAGE} IS DISTINCT FROM {image}"),
            Dialect::Sqlite => format!("i.{IMAGE} IS NOT {image}"),
        };
        let key = self.key.iter().map(|k| {
            let label = k.trim_matches(['"', '`']).replace('\'', "''");
            match self.dialect {
                Dialect::Mysql => format!("CONCAT('{label}=', i.{k})"),
                Dialect::Postgres => format!("'{label}=' || i.{k}::text"),
                Dialect::Sqlite => format!("'{label}=' || i.{k}"),
            }
        });
        let key: Vec<String> = key.collect();
        let key = match self.dialect {
            Dialect::Mysql => format!("CONCAT_WS(', ', {})", key.join(", ")),
            Dialect::Postgres | Dialect::Sqlite => key.join(" || ', ' || "),
        };
        let locked = if self.dialect == Dialect::Mysql { " FOR UPDATE" } else { "" };
        format!(
            "SELECT {key}, CASE WHEN t.{first} IS NULL THEN 'gone' WHEN i.{IMAGE} IS NULL THEN 'back' \
             ELSE 'changed' END FROM {} AS i LEFT JOIN {} AS t ON {} \
             WHERE CASE WHEN t.{first} IS NULL THEN i.{IMAGE} IS NOT NULL ELSE {differs} END \
             ORDER BY {}{locked}",
            self.image_in,
            self.name,
            self.same_key("t", "i"),
            self.list(&self.key, "i")
        )
    }

    /// Puts rows back that are gone.
    pub(super) fn insert_back(&self) -> String {
        let columns = self.list(&self.columns, "");
        let own = if self.dialect == Dialect::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
        format!(
            "INSERT INTO {} ({columns}){own} SELECT {} FROM {} AS k \
             WHERE NOT EXISTS (SELECT 1 FROM {} AS t WHERE {})",
            self.name,
            self.list(&self.columns, "k"),
            self.kept_in,
            self.name,
            self.same_key("t", "k")
        )
    }

    /// Number of rows that have other values than those that were kept.
    pub(super) fn differing(&self) -> String {
        let locked = if self.dialect == Dialect::Mysql { " FOR UPDATE" } else { "" };
        format!(
            "SELECT count(*) FROM {} AS t JOIN {} AS k ON {} WHERE {}{locked}",
            self.name,
            self.kept_in,
            self.same_key("t", "k"),
            self.differs()
        )
    }

    fn differs(&self) -> String {
        format!("{} <> {}", self.values("t"), self.values("k"))
    }

    /// Gives rows that have other values their former ones; `None` where there is nothing that may be set.
    pub(super) fn update_back(&self) -> Option<String> {
        let may_set = |c: &&String| !self.key.contains(c) && !self.fixed.contains(c);
        let others: Vec<&String> = self.columns.iter().filter(may_set).collect();
        if others.is_empty() {
            return None;
        }
        let qualified = if self.dialect == Dialect::Mysql { "t." } else { "" };
        let set: Vec<String> = others.iter().map(|c| format!("{qualified}{c} = k.{c}")).collect();
        let (set, key) = (set.join(", "), self.same_key("t", "k"));
        let differs = self.differs();
        let Self { name, kept_in, .. } = self;
        Some(match self.dialect {
            Dialect::Mysql => {
                format!("UPDATE {name} AS t JOIN {kept_in} AS k ON {key} SET {set} WHERE {differs}")
            }
            Dialect::Postgres | Dialect::Sqlite => {
                format!(
                    "UPDATE {name} AS t SET {set} FROM {kept_in} AS k WHERE {key} AND {differs}"
                )
            }
        })
    }
}

fn image_of(kept_in: &str) -> String {
    format!("{kept_in}_after")
}

/// The table that holds the kept rows, as SQL: named so that people find it, and told apart by a digest.
fn place(dialect: Dialect, table: &str, of: &str) -> String {
    let digest = Sha256::digest(format!("{of}\n{table}"));
    let digest: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let last = table.rsplit('.').next().unwrap_or(table).to_lowercase();
    let plain = last.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(30);
    let name = format!("{}_{digest}", plain.collect::<String>());
    match dialect {
        Dialect::Sqlite => format!("{SCHEMA}_{name}"),
        Dialect::Postgres | Dialect::Mysql => format!("{SCHEMA}.t_{name}"),
    }
}
