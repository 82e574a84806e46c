//! PostgreSQL 15.

use futures_util::TryStreamExt;
use nightrun::sql::Dialect;
use nightrun::sql::lint::Rule;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, Row};

use super::{hazards, refused_by, scripts_hold};
use crate::postgres_server::Server;

/// Whole statements that PostgreSQL takes in any order and number, with everything that could mislead a splitter.
const POSTGRES: [&str; 16] = [
    "select 1",
    "SELECT ';' || \"a;\" FROM t",
    "select 'it''s; \\', E'it\\'s; \\\\', e'\\\\', U&'\\0041;' /* ; /* ; */ ' */",
    "select $$;'$$, $a$ $$; $b$ $a$, $é$;$é$",
    "insert into t values (1, B'1'::text || ';'), (2, x'1f'::text)",
    "update t set b = case when \"a;\" > 1 then ';' else 'end;' end where \"a;\" = 2",
    "create or replace function f(a int) returns int language sql begin atomic\n\
     select case when a > 1 then 2 end; -- end;\nselect ';' is null; /* ; */\nselect 1; END",
    "create or replace function g() returns int language plpgsql as $$ begin return 1; end; $$",
    "create or replace procedure h() as 'begin; end;' language sql",
    "create or replace rule r as on delete to u do also (delete from t where false; delete from t where false)",
    "do $do$ begin perform ';'; end $do$",
    "with w as (delete from t where false returning *) select * from w -- x; y\n",
    "create temp table if not exists v (a int, \"end\" text default ';')",
    "select (array[1, 2])[1:2], '{\"a\": \";\"}'::jsonb #>> '{a}', 1 operator(pg_catalog.+) 2",
    "comment on table t is 'a; b'\n 'c;'",
    "create or replace trigger k before insert on t for each row execute function tr()",
];
const POSTGRES_TABLES: &str = "create table t (\"a;\" int, b text); create table u (a int);
    create function tr() returns trigger language plpgsql as $$ begin return new; end $$";

async fn bank_of_postgres() -> PgConnection {
    let server = Server::shared();
    server.connect(&server.database().await).await
}

#[test]
fn postgres_runs_as_many_statements_as_the_splitter_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut db = runtime.block_on(bank_of_postgres());
    runtime.block_on(async { run!(db, POSTGRES_TABLES) }).unwrap();
    let counted = |text: &str| runtime.block_on(async { counted!(db, text) });
    scripts_hold(&POSTGRES, counted, Dialect::Postgres);
}

#[tokio::test]
async fn postgres_refuses_in_a_transaction_what_the_lint_does() {
    let mut db = bank_of_postgres().await;
    let made = "create table t (a int primary key); create index i on t (a);
        create table p (a int) partition by list (a); create table p1 partition of p for values in (1);
        create materialized view v as select 1 as a; create unique index on v (a);
        create type mood as enum ('a'); create role clerk";
    run!(db, made).unwrap();
    for statement in [
        "vacuum t",
        "vacuum (full) t",
        "analyze t",
        "create index concurrently j on t (a)",
        "create unique index concurrently j on t (a)",
        "create index j on t (a)",
        "drop index concurrently i",
        "drop index i",
        "reindex table t",
        "reindex table concurrently t",
        "reindex (concurrently, verbose) index i",
        "reindex (verbose) schema public",
        "reindex schema public",
        "reindex database \"bank\"",
        "reindex system postgres",
        "cluster t using i",
        "cluster verbose",
        "cluster",
        "create database x",
        "drop database if exists x",
        "create tablespace x location '/x'",
        "drop tablespace if exists x",
        "alter system set work_mem = '8MB'",
        "alter database postgres set tablespace pg_default",
        "alter database postgres set work_mem = '8MB'",
        "alter table p detach partition p1 concurrently",
        "alter table p detach partition p1",
        "create subscription s connection 'host=x' publication p",
        "refresh materialized view concurrently v",
        "alter type mood add value 'b'",
        "truncate t",
        "create table u as select 1",
        "grant select on t to clerk",
        "set constraints all deferred",
        "lock table t",
        "drop table t cascade",
        "do $$ begin end $$",
    ] {
        run!(db, "begin").unwrap();
        let answer = run!(db, statement);
        run!(db, "rollback").unwrap();
        let code = answer.err().and_then(|why| Some(why.as_database_error()?.code()?.into_owned()));
        let refused = code.as_deref() == Some("25001");
        assert_eq!(
            refused_by(Dialect::Postgres, statement, Rule::RefusesTransaction),
            refused,
            "{statement}: {code:?}"
        );
    }
}

#[tokio::test]
async fn what_postgres_rewrites_the_lint_calls_a_hazard() {
    let mut db = bank_of_postgres().await;
    run!(
        db,
        "create table t (a int not null, b varchar(9), c timestamp, d timestamptz default now())"
    )
    .unwrap();
    run!(
        db,
        "insert into t values (1, 'x', now()); create index i on t (a); alter table t cluster on i"
    )
    .unwrap();
    const REWRITES: [Rule; 3] =
        [Rule::VolatileDefault, Rule::ChangingColumnType, Rule::TableRewrite];
    // The lint cannot know the types that a column has: it calls each change of type a hazard.
    let wider = ["alter table t alter b type varchar(20)", "alter table t alter b type text"];
    for statement in [
        "alter table t add x int",
        "alter table t add x int not null default 7",
        "alter table t add x timestamptz default now()",
        "alter table t add x timestamptz default current_timestamp",
        "alter table t add x numeric(10, 2) default 1.5::numeric(10, 2)",
        "alter table t add x text default 'a' || 'b'",
        "alter table t add x uuid default gen_random_uuid()",
        "alter table t add x timestamptz default clock_timestamp()",
        "alter table t add x float default random()",
        "alter table t add x serial",
        "alter table t add x int generated always as identity",
        "alter table t add x int generated always as (a * 2) stored",
        "alter table t alter a set default 3",
        "alter table t alter b set not null",
        "alter table t alter a type bigint",
        "alter table t alter b set data type int using 1",
        "alter table t alter c type date, alter a drop not null",
        wider[0],
        wider[1],
        "alter table t add constraint k check (a > 0)",
        "alter table t add unique (a)",
        "alter table t set unlogged",
        "alter table t set (fillfactor = 70)",
        "alter table t set without cluster",
        "alter table t rename a to z",
        "alter table t drop column a",
        "cluster t",
        "create index on t (a)",
        "truncate t",
    ] {
        let file = "select pg_relation_filenode('t')::text";
        let before: String = db.fetch_one(file).await.unwrap().get(0);
        run!(db, "begin").unwrap();
        run!(db, statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
        let after: String = db.fetch_one(file).await.unwrap().get(0);
        run!(db, "rollback").unwrap();
        // TRUNCATE makes a new file too; what it loses is another hazard.
        let rewritten = before != after && statement != "truncate t" || wider.contains(&statement);
        let told = hazards(Dialect::Postgres, statement).iter().any(|rule| REWRITES.contains(rule));
        assert_eq!(told, rewritten, "{statement}");
    }
}
