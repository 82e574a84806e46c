//! A statement in SQL that each database understands as it is, and whoever can answer it.

use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{Database, Encode, Type};

use super::open::SqliteReader;
use super::text::{Columns, int};
use super::trouble::trouble;
use crate::port::StoreError;

/// SQL with its values, and what it is asked for, said in errors.
#[derive(Debug)]
pub struct Statement {
    pub(super) doing: &'static str,
    text: &'static str,
    values: Vec<Value>,
}

#[derive(Debug)]
enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl Statement {
    pub(super) fn new(doing: &'static str, text: &'static str) -> Self {
        Self { doing, text, values: Vec::new() }
    }

    pub(super) fn text(self, value: impl Into<String>) -> Self {
        self.maybe_text(Some(value.into()))
    }

    pub(super) fn maybe_text(mut self, value: Option<String>) -> Self {
        self.values.push(Value::Text(value));
        self
    }

    pub(super) fn number(mut self, value: impl Into<Option<i64>>) -> Self {
        self.values.push(Value::Number(value.into()));
        self
    }

    pub(super) fn count(self, value: u64) -> Self {
        self.number(int(value))
    }

    pub(super) fn query<DB>(self) -> Query<'static, DB, DB::Arguments>
    where
        DB: Database,
        Option<String>: for<'q> Encode<'q, DB> + Type<DB>,
        Option<i64>: for<'q> Encode<'q, DB> + Type<DB>,
    {
        let query = sqlx::query(self.text);
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Number(number) => query.bind(number),
        })
    }
}

/// Answers statements row by row.
pub trait Asks: Sync {
    type Row: Columns + Send;

    fn stream(&self, statement: Statement) -> BoxStream<'_, Result<Self::Row, StoreError>>;

    fn ask(
        &self,
        statement: Statement,
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send {
        self.stream(statement).try_collect()
    }

    /// The only row, or the first.
    fn ask_one(
        &self,
        statement: Statement,
    ) -> impl Future<Output = Result<Option<Self::Row>, StoreError>> + Send {
        async move { Ok(self.ask(statement).await?.into_iter().next()) }
    }
}

impl Asks for SqliteReader {
    type Row = SqliteRow;

    fn stream(&self, statement: Statement) -> BoxStream<'_, Result<SqliteRow, StoreError>> {
        let doing = statement.doing;
        Box::pin(statement.query::<Sqlite>().fetch(&self.pool).map_err(trouble(doing)))
    }
}
