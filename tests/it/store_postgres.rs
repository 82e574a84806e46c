//! The store on PostgreSQL: the suite, on a real server, and what only a database that is shared can suffer.

use std::time::Duration;

use nightrun::driver::store::SqliteStore;
use nightrun::driver::store::postgres::{
    Lease, LeaseTimes, PostgresAddress, PostgresReader, PostgresStore, Taken,
};
use nightrun::port::{Commit, Store, StoreError, StoreReader};
use nightrun::types::Epoch;

use crate::journal_writer::{Writer, ended, mail, note, opened, run};
use crate::postgres_server::Server;
use crate::smtp_sink::certificate;
use crate::tcp_wire::{Way, Wire};

async fn open() -> (&'static Server, PostgresStore) {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    (server, store(&address).await)
}

crate::store_suite!(open);

async fn store(address: &PostgresAddress) -> PostgresStore {
    PostgresStore::open(address, "here".to_owned(), LeaseTimes::default()).await.unwrap()
}

/// One whose lease is not renewed, as that of a process that is stopped.
async fn stopped(address: &PostgresAddress, lasts: Duration) -> PostgresStore {
    let times = LeaseTimes { lasts, renewed: Duration::from_secs(3_600) };
    PostgresStore::open(address, "the stopped one".to_owned(), times).await.unwrap()
}

const SHORT: Duration = Duration::from_millis(600);

async fn refused(address: &PostgresAddress) -> StoreError {
    let opened = PostgresStore::open(address, "here".to_owned(), LeaseTimes::default()).await;
    opened.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again_and_for_who_only_reads() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    assert!(PostgresReader::open(&address).await.unwrap().is_none(), "there is no store yet");
    let mut first = Writer::lead(store(&address).await).await;
    let eod = run("eod@2026-10-30#1");
    first.write(&[opened(&eod, "2026-10-30", false), note(&eod)]).await.unwrap();
    let reader = PostgresReader::open(&address).await.unwrap().unwrap();
    assert_eq!(reader.verify().await.unwrap(), *first.chain.head());
    first.store.close().await;

    let mut second = Writer::lead(store(&address).await).await;
    assert_eq!(second.epoch, Epoch(2));
    second.write(&[ended(&eod)]).await.unwrap();
    assert_eq!(reader.check_end().await.unwrap(), (6, second.chain.head().clone()));
    assert_eq!(reader.open_runs().await.unwrap(), []);
}

#[tokio::test]
async fn two_that_make_the_store_at_once_make_one() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let (first, second) = tokio::join!(store(&address), store(&address));
    let mut first = Writer::lead(first).await;
    first.write(&[note(&run("eod@2026-10-30#1"))]).await.unwrap();
    assert_eq!(second.reader().head().await.unwrap(), *first.chain.head());
}

#[tokio::test]
async fn a_database_that_is_another_programs_or_newer_is_left_as_it_is() {
    let server = Server::shared();
    let database = server.database().await;
    server.meddle(&database, "CREATE TABLE fee (id int)").await;
    let why = refused(&server.address(&database)).await;
    assert!(matches!(why, StoreError::Trouble(_)), "{why:?}");
    assert!(why.to_string().contains("tables of another program"), "{why}");
    server.meddle(&database, "DROP TABLE fee").await;
    store(&server.address(&database)).await;

    let newer = "INSERT INTO _sqlx_migrations SELECT 99, 'later', now(), true, checksum, 0
                 FROM _sqlx_migrations WHERE version = 1";
    server.meddle(&database, newer).await;
    let why = refused(&server.address(&database)).await;
    assert!(matches!(&why, StoreError::Newer(what) if what.contains("99")), "{why:?}");
    let why = PostgresReader::open(&server.address(&database)).await.map(|_| ()).unwrap_err();
    assert!(matches!(why, StoreError::Newer(_)), "{why:?}");

    let nowhere = refused(&server.address("nowhere")).await;
    assert!(matches!(&nowhere, StoreError::Trouble(why) if why.contains("nowhere")), "{nowhere:?}");
}

#[tokio::test]
async fn what_a_lead_goes_by_is_proven_before_it_leads() {
    for (sql, words) in [
        ("DELETE FROM journal WHERE seq = 3", "ends with entry 2"),
        ("UPDATE journal SET body = replace(body, 'what', 'whet') WHERE seq = 2", "entry 2"),
    ] {
        let server = Server::shared();
        let database = server.database().await;
        let mut first = Writer::lead(store(&server.address(&database)).await).await;
        let eod = run("eod@2026-10-30#1");
        first.write(&[opened(&eod, "2026-10-30", false), note(&eod), note(&eod)]).await.unwrap();
        first.store.close().await;
        server.meddle(&database, sql).await;
        let mut second = store(&server.address(&database)).await;
        let why = second.claim_epoch().await.unwrap_err();
        assert!(
            matches!(&why, StoreError::Damaged(what) if what.contains(words)),
            "{sql}: {why:?}"
        );
        // It did not keep the lead that it could not use.
        let mut lease = Lease::new(server.address(&database), "x".into(), LeaseTimes::default());
        assert_eq!(lease.try_take().await.unwrap(), Taken::Leads(Epoch(3)), "{sql}");
    }
}

#[tokio::test]
async fn one_has_the_lease_until_it_runs_out_or_is_given_back() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    store(&address).await;
    let times = LeaseTimes { lasts: SHORT, ..LeaseTimes::default() };
    let lease = |who: &str| Lease::new(address.clone(), who.to_owned(), times);
    let (mut first, mut second) = (lease("first"), lease("second"));
    assert_eq!(first.try_take().await.unwrap(), Taken::Leads(Epoch(1)));
    let held = second.try_take().await.unwrap();
    assert!(
        matches!(&held, Taken::Held { by, left, .. } if by == "first" && *left <= SHORT),
        "{held:?}"
    );
    first.renew().await.unwrap();
    // Its own it may take again, as another leadership.
    assert_eq!(first.try_take().await.unwrap(), Taken::Leads(Epoch(2)));

    first.release().await.unwrap();
    assert_eq!(second.try_take().await.unwrap(), Taken::Leads(Epoch(3)));

    // Nobody renews it: the first to ask after its end has it, and the former one learns that.
    let mut taken = first.try_take().await.unwrap();
    while let Taken::Held { left, .. } = taken {
        tokio::time::sleep(left).await;
        taken = first.try_take().await.unwrap();
    }
    assert_eq!(taken, Taken::Leads(Epoch(4)));
    let why = second.renew().await.unwrap_err();
    assert!(matches!(&why, StoreError::Overtaken(what) if what.contains("first leads")), "{why:?}");
}

#[tokio::test]
async fn a_lease_that_has_run_out_is_renewed_if_nobody_has_taken_it() {
    let server = Server::shared();
    let database = server.database().await;
    let address = server.address(&database);
    store(&address).await;
    let times = LeaseTimes::default();
    let mut first = Lease::new(address.clone(), "first".to_owned(), times);
    first.try_take().await.unwrap();
    server.meddle(&database, "UPDATE lease SET expires = 1").await;
    first.renew().await.unwrap();
    let mut second = Lease::new(address.clone(), "second".to_owned(), times);
    assert!(matches!(second.try_take().await.unwrap(), Taken::Held { .. }));

    // The database's clock was set back, or another server with another clock took over: no lease is for years.
    let years = "UPDATE lease SET expires = expires + 100000000000000";
    server.meddle(&database, years).await;
    assert_eq!(second.try_take().await.unwrap(), Taken::Leads(Epoch(2)));
}

#[tokio::test]
async fn a_lead_that_is_renewed_keeps_others_out_and_one_that_ends_lets_them_in_at_once() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let first = Writer::lead(store(&address).await).await;
    let mut second = store(&address).await;
    let why = second.claim_epoch().await.unwrap_err();
    assert!(matches!(&why, StoreError::InUse(who) if who.contains("here leads")), "{why:?}");
    // Dropping it is all that a supervisor does that has met an error.
    drop(first);
    let mut lease = Lease::new(address, "third".to_owned(), LeaseTimes::default());
    assert_eq!(lease.try_take().await.unwrap(), Taken::Leads(Epoch(2)));
}

#[tokio::test]
async fn a_turn_that_takes_longer_than_the_lease_does_not_lose_it() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let times = LeaseTimes { lasts: Duration::from_secs(1), renewed: Duration::from_millis(100) };
    let busy = PostgresStore::open(&address, "the busy one".to_owned(), times).await.unwrap();
    let mut busy = Writer::lead(busy).await;
    // Nothing of this runtime moves meanwhile.
    std::thread::sleep(times.lasts * 2);
    let mut other = Lease::new(address, "other".to_owned(), times);
    let held = other.try_take().await.unwrap();
    assert!(matches!(&held, Taken::Held { by, .. } if by == "the busy one"), "{held:?}");
    busy.write(&[note(&run("eod@2026-10-30#1"))]).await.unwrap();
}

#[tokio::test]
async fn who_was_stopped_past_the_lease_writes_nothing_and_is_told() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let mut first = Writer::lead(stopped(&address, SHORT).await).await;
    let eod = run("eod@2026-10-30#1");
    let mut commit = first.turn(&[opened(&eod, "2026-10-30", false)]);
    commit.mail.push(mail(1, "2026-10-30T21:00:00Z"));
    first.store.commit(&commit).await.unwrap();
    first.store.still_leads().await.unwrap();
    let stale = first.turn(&[note(&eod)]);

    let mut second = Writer::lead(store(&address).await).await;
    assert_eq!(second.epoch, Epoch(2));
    second.write(&[note(&eod)]).await.unwrap();

    let why = first.store.commit(&stale).await.unwrap_err();
    assert!(matches!(&why, StoreError::Overtaken(what) if what.contains("epoch 2")), "{why:?}");
    let empty = Commit { epoch: first.epoch, ..Commit::default() };
    let why = first.store.commit(&empty).await.unwrap_err();
    assert!(matches!(why, StoreError::Overtaken(_)), "{why:?}");
    // Nor does it send what is due, or say what became of it.
    let late = [
        first.store.still_leads().await,
        first.store.outbox_sent(1, first.at, "250 OK").await,
        first.store.outbox_failed(1, "451", None).await,
    ];
    assert!(late.iter().all(|late| matches!(late, Err(StoreError::Overtaken(_)))), "{late:?}");
    let unsent = second.store.reader().outbox_unsent().await.unwrap();
    assert_eq!((unsent.len(), unsent[0].tries), (1, 0));
    second.store.outbox_sent(1, second.at, "250 OK").await.unwrap();
    assert_eq!(second.store.reader().verify().await.unwrap(), *second.chain.head());
}

#[tokio::test]
async fn a_lead_that_is_lost_is_told_to_one_that_has_nothing_to_commit() {
    let server = Server::shared();
    let database = server.database().await;
    let address = server.address(&database);
    let first = Writer::lead(store(&address).await).await;
    let told = tokio::spawn(first.store.overtaken());
    // As another supervisor does that finds the lease run out.
    server.meddle(&database, "UPDATE lease SET epoch = 2, holder = 'another', expires = 0").await;
    let why = told.await.unwrap();
    assert!(
        matches!(&why, StoreError::Overtaken(what) if what.contains("another leads")),
        "{why:?}"
    );
}

/// The store of a leader that reaches the server over a wire.
async fn over_a_wire(server: &Server) -> (Wire, PostgresAddress, Writer<PostgresStore>) {
    let database = server.database().await;
    let wire = Wire::to(server.port).await;
    let url = server.url(&database).replace(&server.port.to_string(), &wire.port.to_string());
    let leader = Writer::lead(store(&url.parse().unwrap()).await).await;
    (wire, server.address(&database), leader)
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_on_the_way_is_made_once() {
    let server = Server::shared();
    let (wire, address, mut leader) = over_a_wire(server).await;
    let eod = run("eod@2026-10-30#1");
    leader.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();

    let mut commit = leader.turn(&[note(&eod)]);
    commit.mail.push(mail(1, "2026-10-30T21:00:00Z"));
    wire.set(Way::NoAnswers);
    let reader = PostgresReader::open(&address).await.unwrap().unwrap();
    let head = leader.chain.head().clone();
    let cut = async {
        while reader.head().await.unwrap() != head {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        wire.set(Way::Cut);
    };
    let (lost, ()) = tokio::join!(leader.store.commit(&commit), cut);
    assert!(matches!(lost, Err(StoreError::Trouble(_))), "{lost:?}");
    let cut = leader.store.commit(&commit).await;
    assert!(matches!(cut, Err(StoreError::Trouble(_))), "{cut:?}");

    wire.set(Way::Through);
    leader.store.commit(&commit).await.unwrap();
    leader.write(&[ended(&eod)]).await.unwrap();
    assert_eq!(reader.verify().await.unwrap(), *leader.chain.head());
    assert_eq!(reader.outbox_unsent().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_commit_that_is_still_under_way_is_not_made_twice() {
    let server = Server::shared();
    let (_wire, address, mut leader) = over_a_wire(server).await;
    let eod = run("eod@2026-10-30#1");
    leader.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    // Somebody holds the row that says where the journal stands; the commit waits for it at the server.
    let database = address.to_string().rsplit_once('/').unwrap().1.to_owned();
    let mut other = server.connect(&database).await;
    sqlx::raw_sql("BEGIN; SELECT * FROM site_head FOR UPDATE").execute(&mut other).await.unwrap();
    let commit = leader.turn(&[note(&eod)]);
    let patience = Duration::from_millis(100);
    let given_up = tokio::time::timeout(patience, leader.store.commit(&commit)).await;
    assert!(given_up.is_err());
    let free = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        // The one that was given up, and the one that is made now.
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut other).await.unwrap() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    };
    let (done, ()) = tokio::join!(leader.store.commit(&commit), free);
    done.unwrap();
    leader.write(&[ended(&eod)]).await.unwrap();
    assert_eq!(leader.store.reader().verify().await.unwrap(), *leader.chain.head());
    assert_eq!(leader.store.reader().head().await.unwrap().seq, 3);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_trouble_and_not_for_ever() {
    let server = Server::shared();
    let (wire, address, mut leader) = over_a_wire(server).await;
    let eod = run("eod@2026-10-30#1");
    wire.set(Way::Nothing);
    let commit = leader.turn(&[opened(&eod, "2026-10-30", false)]);
    let silent = leader.store.commit(&commit).await;
    let silent = silent.unwrap_err().to_string();
    assert!(silent.contains("the database does not answer"), "{silent}");
    let why = leader.store.reader().head().await.unwrap_err();
    assert!(matches!(why, StoreError::Trouble(_)), "{why:?}");

    // The lease has run out meanwhile: another leads within seconds, and what was held back arrives too late.
    let mut second = Writer::lead(store(&address).await).await;
    second.write(&[note(&eod)]).await.unwrap();
    wire.set(Way::Through);
    let why = leader.store.overtaken().await;
    assert!(matches!(why, StoreError::Overtaken(_)), "{why:?}");
    let late = leader.store.commit(&commit).await.unwrap_err();
    assert!(matches!(late, StoreError::Overtaken(_)), "{late:?}");
    assert_eq!(second.store.reader().verify().await.unwrap(), *second.chain.head());
}

#[tokio::test]
async fn a_server_that_is_restarted_under_load_loses_nothing_that_was_answered() {
    let server = std::sync::Arc::new(Server::start());
    let address = server.address(&server.database().await);
    let mut leader = Writer::lead(store(&address).await).await;
    let eod = run("eod@2026-10-30#1");
    leader.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    let restarts = {
        let server = std::sync::Arc::clone(&server);
        tokio::task::spawn_blocking(move || {
            for how in ["QUIT", "INT", "QUIT"] {
                std::thread::sleep(Duration::from_millis(200));
                server.signal(how);
                server.start_again();
            }
        })
    };
    let (mut commits, mut troubles) = (1, 0);
    while !restarts.is_finished() {
        let mut commit = leader.turn(&[note(&eod)]);
        commits += 1;
        commit.mail.push(mail(commits, "2026-10-30T21:00:00Z"));
        loop {
            match leader.store.commit(&commit).await {
                Ok(()) => break,
                Err(StoreError::Trouble(_)) => troubles += 1,
                Err(other) => panic!("{other:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    restarts.await.unwrap();
    assert!(troubles > 0, "the load has not met a restart");
    let reader = leader.store.reader();
    assert_eq!(reader.verify().await.unwrap(), *leader.chain.head());
    assert_eq!(reader.head().await.unwrap().seq, u64::from(commits));
    assert_eq!(reader.outbox_unsent().await.unwrap().len() as u32, commits - 1);
    assert_eq!(leader.epoch, Epoch(1));
}

#[tokio::test]
async fn a_head_that_was_moved_behind_the_back_of_the_leader_stops_it() {
    for sql in ["UPDATE site_head SET epoch = epoch + 1", "UPDATE site_head SET seq = seq + 1"] {
        let server = Server::shared();
        let database = server.database().await;
        let mut leader = Writer::lead(store(&server.address(&database)).await).await;
        let eod = run("eod@2026-10-30#1");
        leader.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
        server.meddle(&database, sql).await;
        let why = leader.write(&[note(&eod)]).await.unwrap_err();
        assert!(matches!(why, StoreError::Overtaken(_)), "{sql}: {why:?}");
        assert_eq!(leader.store.reader().all_entries(0, 9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn words_that_a_text_cannot_hold_do_not_stop_a_night() {
    let (_server, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let mut commit = writer.turn(&[note(&run("eod@2026-10-30#1"))]);
    commit.mail.push(mail(1, "2026-10-30T21:00:00Z"));
    writer.store.commit(&commit).await.unwrap();
    writer.store.outbox_failed(1, "451 \0 what?", None).await.unwrap();
    let unsent = writer.store.reader().outbox_unsent().await.unwrap();
    assert_eq!(unsent[0].why.as_deref(), Some("451 \u{fffd} what?"));
}

#[tokio::test]
async fn a_password_is_taken_from_its_file_and_shown_nowhere() {
    let server = Server::start_with("host all guarded 127.0.0.1/32 scram-sha-256");
    let database = server.database().await;
    let role = "CREATE ROLE guarded LOGIN PASSWORD 's3cret'";
    server.meddle(&database, role).await;
    server.meddle(&database, &format!("GRANT ALL ON DATABASE {database} TO guarded")).await;
    server.meddle(&database, "GRANT ALL ON SCHEMA public TO guarded").await;
    let folder = tempfile::tempdir().unwrap();
    let house = |password: &str| {
        let file = folder.path().join("pgpass");
        std::fs::write(&file, format!("127.0.0.1:*:*:guarded:{password}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
        let url = server.url(&database).replace("postgres@", "guarded@");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_nightrun"))
            .args(["journal", "verify", "--state"])
            .arg(folder.path())
            .args(["--store", &url])
            .env("PGPASSFILE", &file)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    store(&server.address(&database)).await;
    server.meddle(&database, "GRANT ALL ON ALL TABLES IN SCHEMA public TO guarded").await;
    let (code, said) = house("s3cret");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = house("wr0ng");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("password authentication failed") && !said.contains("wr0ng"), "{said}");
}

#[tokio::test]
async fn a_server_is_spoken_to_under_tls_only_when_its_certificate_is_right() {
    let server = Server::start();
    let database = server.database().await;
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    server.encrypt(folder.path()).await;
    let url = |mode: &str, authority: &str| {
        let authority = folder.path().join(authority);
        format!("{}?sslmode={mode}&sslrootcert={}", server.url(&database), authority.display())
    };
    let right = url("verify-full", "ca.pem").parse().unwrap();
    let mut leader = Writer::lead(store(&right).await).await;
    leader.write(&[note(&run("eod@2026-10-30#1"))]).await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'nightrun' AND NOT ssl";
    let mut conn = server.connect(&database).await;
    let plain: i64 = sqlx::query_scalar(encrypted).fetch_one(&mut conn).await.unwrap();
    assert_eq!(plain, 0);

    certificate(&folder.path().join("other"));
    let wrong = refused(&url("verify-full", "other/ca.pem").parse().unwrap()).await;
    assert!(matches!(&wrong, StoreError::Trouble(why) if why.contains("certificate")), "{wrong:?}");
    // The name counts too.
    let name = url("verify-full", "ca.pem").replace("127.0.0.1", "localhost");
    let wrong = refused(&name.parse().unwrap()).await;
    assert!(matches!(&wrong, StoreError::Trouble(why) if why.contains("certificate")), "{wrong:?}");
}

/// What is written in both: the same commits give the same rows, whichever database they are in.
#[tokio::test]
async fn a_page_reads_the_same_from_either() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, there) = open().await;
    let mut here = Writer::lead(SqliteStore::open(folder.path()).await.unwrap()).await;
    let mut there = Writer::lead(there).await;
    let eod = run("eod@2026-10-30#1");
    let facts = [opened(&eod, "2026-10-30", false), note(&eod), ended(&eod)];
    here.write(&facts).await.unwrap();
    there.write(&facts).await.unwrap();
    let (here, there) = (here.store.reader(), there.store.reader());
    assert_eq!(here.all_entries(0, 9).await.unwrap(), there.all_entries(0, 9).await.unwrap());
    assert_eq!(
        here.runs(&Default::default()).await.unwrap(),
        there.runs(&Default::default()).await.unwrap()
    );
}
