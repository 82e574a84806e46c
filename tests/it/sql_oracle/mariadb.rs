//! MariaDB.

use futures_util::TryStreamExt;
use nightrun::sql::Dialect;
use nightrun::sql::lint::Rule;
use sqlx::{AssertSqlSafe, Either, Executor, MySqlConnection, Row};

use super::{hazards, refused_by, scripts_hold};
use crate::mariadb_server::MariaServer;

/// Whole statements that MariaDB takes in any order and number, with everything that could mislead a splitter.
const MARIADB: [&str; 16] = [
    "select 1",
    "SELECT ';', \"a;\", 'it''s; \\'', \"\\\";\" FROM t",
    "select `a;`, 5--1 from t # x; y\n",
    "select 1 /* ; */ -- ;'\n + 2",
    "insert into t values (1, ';'), (2, x'3b'), (3, _utf8mb4'\\\\')",
    "update t set b = case when `a;` > 1 then ';' else 'end;' end where `a;` = 2",
    "create or replace procedure p() begin select ';'; if 1 then select 2; end if; end",
    "create or replace definer=root@localhost function f(a int) returns int begin\n\
     declare b int default 0; l: loop set b = b + 1; if b > a then leave l; end if; end loop;\n\
     case a when 1 then begin end; else set b = case when 1 then 2 end; end case; return b; END",
    "create or replace trigger g before insert on t for each row begin set new.b = ';'; -- end;\n end",
    "create or replace trigger h before insert on u for each row set new.a = 1",
    "create or replace procedure q(n int) begin while n > 0 do set n = n - 1; end while;\n\
     repeat set n = n + 1; until n > 3 end repeat; for i in 1..2 do select i; end for; end",
    "begin not atomic declare x int; set x = 1; end",
    "create or replace view v as select ';' as `begin`",
    "create or replace event e on schedule every 1 day do begin select 1; end",
    "set @a = 'begin; end;'",
    "with w as (select 1 as x) select * from w where x = ';'",
];

async fn bank_of_mariadb() -> MySqlConnection {
    let server = MariaServer::shared();
    server.connect(&server.database().await).await
}

#[test]
fn mariadb_runs_as_many_statements_as_the_splitter_finds() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut db = runtime.block_on(bank_of_mariadb());
    let tables = "create table t (`a;` int, b text); create table u (a int)";
    runtime.block_on(async { run!(db, tables) }).unwrap();
    let counted = |text: &str| runtime.block_on(async { counted!(db, text) });
    scripts_hold(&MARIADB, counted, Dialect::Mysql);
}

#[tokio::test]
async fn mariadb_commits_by_the_way_where_the_lint_says_so() {
    let mut db = bank_of_mariadb().await;
    let made =
        "create table marker (a int); create table t (a int, b int); insert into t values (1, 1);
        create user clerk; create view v as select 1 as a; create sequence q;
        create procedure p() begin end; prepare s from 'select 1'";
    run!(db, made).unwrap();
    for statement in [
        "insert into t values (2, 2)",
        "update t set a = 1 where b = 2",
        "select * from t for update",
        "replace into t values (3, 3)",
        "create temporary table w (a int)",
        "drop temporary table w",
        "create table u (a int)",
        "create or replace table u (a int, b int)",
        "create index i on t (a)",
        "drop index i on t",
        "alter table t add c int, algorithm=instant",
        "rename table u to x",
        "drop table x",
        "truncate t",
        "create or replace view v as select 2 as a",
        "drop view v",
        "create trigger g before insert on t for each row set new.a = 1",
        "drop trigger g",
        "create function f() returns int return 1",
        "drop function f",
        "alter sequence q restart 5",
        "create database if not exists other",
        "drop database if exists other",
        "grant select on t to clerk",
        "revoke select on t from clerk",
        "set password for clerk = ''",
        "alter user clerk account unlock",
        "rename user clerk to porter",
        "drop user porter",
        "analyze table t",
        "check table t",
        "optimize table t",
        "repair table t",
        "flush tables",
        "flush status",
        "lock tables marker write",
        "set autocommit = 1",
        "start transaction",
        "begin",
        "commit",
        "savepoint s",
        "set @a = 1",
        "set foreign_key_checks = 0",
        "set session sql_mode = ''",
        "call p()",
        "execute s",
        "drop prepare s",
        "do 1",
        "explain select * from t",
        "show tables",
        "describe t",
    ] {
        run!(
            db,
            "unlock tables; start transaction; delete from marker; insert into marker values (1)"
        )
        .unwrap();
        // Only a session that does not commit by itself is told so by SET.
        run!(db, "commit; set autocommit = 0; start transaction; insert into marker values (2)")
            .unwrap();
        run!(db, statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
        run!(db, "rollback; unlock tables").unwrap();
        let rows = db.fetch_all("select a from marker").await.unwrap();
        let commits = rows.iter().any(|row| row.get::<i32, _>(0) == 2);
        // SAVEPOINT is refused too, and commits nothing.
        let refused = refused_by(Dialect::Mysql, statement, Rule::ImplicitCommit)
            || refused_by(Dialect::Mysql, statement, Rule::TransactionControl)
                && !statement.starts_with("savepoint");
        assert_eq!(refused, commits, "{statement}");
    }
}

#[tokio::test]
async fn what_mariadb_copies_the_lint_calls_a_hazard() {
    let mut db = bank_of_mariadb().await;
    let made = "create table u (a int primary key) engine=InnoDB;
        create table t (a int primary key, b varchar(9), c int, key k (c), foreign key l (c) references u (a)) engine=InnoDB";
    run!(db, made).unwrap();
    let mut seen = 0;
    for action in [
        "add x int",
        "add x int not null default 7",
        "drop column b",
        "rename column b to z",
        "rename index k to z",
        "add index z (b)",
        "add unique index z (b)",
        "drop foreign key l",
        "alter b set default 'x'",
        "modify b int",
        "change b z int",
        "convert to character set latin1",
        "drop primary key",
        "add x int as (a * 2) stored",
        "add constraint z foreign key (c) references u (a)",
        "engine=InnoDB",
        "force",
        "add fulltext index z (b)",
    ] {
        let rules = hazards(Dialect::Mysql, &format!("alter table t {action}"));
        let told = rules.contains(&Rule::AlterTableCopy);
        // The server refuses what would copy; what it takes is undone by making the table anew.
        let answer = run!(db, format!("alter table t {action}, algorithm=nocopy"));
        run!(db, format!("drop table t; drop table u; {made}")).unwrap();
        let code = answer.err().and_then(|why| {
            let why =
                why.as_database_error()?.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()?;
            Some(why.number())
        });
        // 1845, 1846: ALGORITHM is not supported, try COPY or INPLACE (which rebuilds).
        let copies = matches!(code, Some(1845 | 1846));
        assert!(copies || code.is_none(), "{action}: {code:?}");
        assert!(told || !copies, "{action} copies");
        seen += usize::from(copies);
    }
    assert!(seen > 5, "the server was to copy some");
}
