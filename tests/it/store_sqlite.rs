//! The store on SQLite: the suite, and what only a file can suffer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nightrun::driver::store::{FILE, SqliteReader, SqliteStore};
use nightrun::journal::Head;
use nightrun::port::{Store, StoreError, StoreReader};
use sqlx::{Connection, Executor, SqliteConnection};
use tempfile::TempDir;

use crate::journal_writer::{Writer, mail, note, opened, run};

async fn open() -> (TempDir, SqliteStore) {
    let state = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(state.path()).await.unwrap();
    (state, store)
}

crate::store_suite!(open);

/// A closed store with a few dozen entries.
async fn written() -> (TempDir, PathBuf, Head) {
    let (state, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    for _ in 0..40 {
        writer.write(&[note(&eod)]).await.unwrap();
    }
    writer.store.close().await;
    let file = state.path().join(FILE);
    assert!(!state.path().join("nightrun.db-wal").exists(), "a closed store is one file");
    (state, file, writer.chain.head().clone())
}

/// Does to the file what no nightrun would.
async fn meddle(file: &Path, sql: &'static str) {
    let mut conn = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
    conn.execute(sql).await.unwrap();
    conn.close().await.unwrap();
}

async fn refused(state: &Path) -> StoreError {
    SqliteStore::open(state).await.map(|_| ()).unwrap_err()
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let (state, file, head) = written().await;
    let store = SqliteStore::open(state.path()).await.unwrap();
    assert_eq!(store.reader().head().await.unwrap(), head);
    let mut writer = Writer::lead(store).await;
    assert_eq!(writer.epoch.0, 2);
    writer.write(&[note(&run("eod@2026-10-30#1"))]).await.unwrap();
    assert_eq!(writer.store.reader().verify().await.unwrap(), *writer.chain.head());
    for name in [FILE, "nightrun.db-wal", "store.lock"] {
        let mode = fs::metadata(state.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(file.exists());
}

#[tokio::test]
async fn a_second_supervisor_is_refused_and_told_who_is_there() {
    let (state, store) = open().await;
    let why = refused(state.path()).await;
    assert!(matches!(why, StoreError::InUse(_)));
    assert!(why.to_string().contains(&format!("process {}", std::process::id())), "{why}");

    // Whoever only reads need not ask.
    let reader = SqliteReader::open(state.path()).await.unwrap().unwrap();
    let mut writer = Writer::lead(store).await;
    writer.write(&[note(&run("eod@2026-10-30#1"))]).await.unwrap();
    assert_eq!(reader.head().await.unwrap(), *writer.chain.head());
    let nobody = tempfile::tempdir().unwrap();
    assert!(SqliteReader::open(nobody.path()).await.unwrap().is_none());
    assert_eq!(fs::read_dir(nobody.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_work_goes_on_when_there_is_room() {
    let (_state, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    writer.store.limit_pages(Some(1)).await.unwrap();
    // A limit below the file's size stands for "as large as it is": small writes fit until the page is full.
    let mut written = 1;
    let why = loop {
        match writer.write(&vec![note(&eod); 8]).await {
            Ok(()) => written += 8,
            Err(why) => break why,
        }
        assert!(written < 10_000, "the limit does not hold");
    };
    assert!(matches!(why, StoreError::Trouble(_)), "{why:?}");
    let reader = writer.store.reader().clone();
    assert_eq!(reader.head().await.unwrap(), *writer.chain.head());
    let again = writer.write(&vec![note(&eod); 64]).await;
    assert!(matches!(again, Err(StoreError::Trouble(_))), "{again:?}");

    writer.store.limit_pages(None).await.unwrap();
    writer.write(&vec![note(&eod); 64]).await.unwrap();
    assert_eq!(reader.all_entries(0, 100_000).await.unwrap().len(), written + 64);
    assert_eq!(reader.verify().await.unwrap(), *writer.chain.head());
}

#[tokio::test]
async fn an_altered_entry_is_named() {
    for (sql, what) in [
        (
            "UPDATE journal SET body = replace(body, 'what', 'whet') WHERE seq = 17",
            "entry 17: its hash does not fit",
        ),
        ("UPDATE journal SET at = at + 1 WHERE seq = 17", "entry 17: column `at`"),
        ("UPDATE journal SET run = 'eod@2026-10-30#2' WHERE seq = 17", "entry 17: column `run`"),
        ("DELETE FROM journal WHERE seq = 17", "entry 18: does not follow entry 16: 17 is missing"),
        ("DELETE FROM journal WHERE seq > 17", "should end with entry 41 and ends with entry 17"),
        (
            "UPDATE journal SET seq = seq + 100 WHERE seq > 17",
            "entry 118: does not follow entry 17: 18 is missing",
        ),
    ] {
        let (state, file, _) = written().await;
        meddle(&file, sql).await;
        let reader = SqliteReader::open(state.path()).await.unwrap().unwrap();
        let why = reader.verify().await.unwrap_err();
        assert!(matches!(why, StoreError::Damaged(_)), "{sql}: {why:?}");
        assert!(why.to_string().contains(what), "{sql}: {why}");
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_file_is_found_at_its_entry() {
    let (state, file, _) = written().await;
    let mut bytes = fs::read(&file).unwrap();
    flip(&mut bytes);
    fs::write(&file, &bytes).unwrap();
    let reader = SqliteReader::open(state.path()).await.unwrap().unwrap();
    let why = reader.verify().await.unwrap_err().to_string();
    assert!(why.contains("journal entry 20:"), "{why}");
}

#[tokio::test]
async fn an_entry_of_a_newer_nightrun_is_not_guessed_at() {
    let (state, file, _) = written().await;
    meddle(&file, r#"UPDATE journal SET body = replace(body, '{"v":1', '{"v":2') WHERE seq = 41"#)
        .await;
    let reader = SqliteReader::open(state.path()).await.unwrap().unwrap();
    let last = reader.all_entries(40, 1).await.unwrap().remove(0);
    let why = last.open().unwrap_err().to_string();
    assert!(why.contains("entry 41") && why.contains("newer nightrun"), "{why}");
}

#[tokio::test]
async fn a_journal_that_lost_its_end_is_refused() {
    for sql in [
        "DELETE FROM journal WHERE seq > 38",
        "UPDATE site_head SET seq = 40, hash = (SELECT hash FROM journal WHERE seq = 40)",
        "UPDATE journal SET body = replace(body, 'what', 'whet') WHERE seq = 41",
        "DELETE FROM site_head",
        "DROP TABLE journal",
    ] {
        let (state, file, _) = written().await;
        meddle(&file, sql).await;
        let why = refused(state.path()).await;
        assert!(matches!(why, StoreError::Damaged(_)), "{sql}: {why:?}");
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_trusted_is_left_as_it_is() {
    let (_keep, file, _) = written().await;
    let whole = fs::read(&file).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let mut not_sqlite = whole.clone();
    not_sqlite[..6].copy_from_slice(b"SQLITE");
    let mut not_ours = whole.clone();
    not_ours[71] ^= 1;
    for (what, bytes) in
        [("cut", cut), ("empty", Vec::new()), ("not SQLite", not_sqlite), ("not ours", not_ours)]
    {
        let state = tempfile::tempdir().unwrap();
        let file = state.path().join(FILE);
        fs::write(&file, &bytes).unwrap();
        let why = refused(state.path()).await;
        assert!(matches!(why, StoreError::Damaged(_)), "{what}: {why:?}");
        assert!(why.to_string().contains(file.to_str().unwrap()), "{what}: {why}");
        assert_eq!(fs::read(&file).unwrap(), bytes, "{what}");
        let reading = SqliteReader::open(state.path()).await.map(|_| ()).unwrap_err();
        assert!(matches!(reading, StoreError::Damaged(_)), "{what}: {reading:?}");
    }
}

/// Flips a bit in the words of the twentieth note; SQLite has no checksums and does not notice.
fn flip(bytes: &mut [u8]) {
    let seq = b"\"seq\":20,";
    let at = bytes.windows(seq.len()).position(|window| window == seq).unwrap();
    let word = bytes[at..].windows(4).position(|window| window == b"what").unwrap();
    bytes[at + word] ^= 1;
}

#[tokio::test]
async fn a_start_proves_the_entries_that_it_goes_by_and_leaves_the_file_and_its_wal() {
    let (state, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
    for _ in 0..40 {
        writer.write(&[note(&eod)]).await.unwrap();
    }
    writer.store.close().await;
    let mut writer = Writer::lead(SqliteStore::open(state.path()).await.unwrap()).await;
    writer.write(&[note(&eod)]).await.unwrap();
    // As a killed supervisor leaves it, and then a bit flips.
    let copy = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(state.path().join(FILE)).unwrap();
    flip(&mut bytes);
    let wal = fs::read(state.path().join("nightrun.db-wal")).unwrap();
    fs::write(copy.path().join(FILE), &bytes).unwrap();
    fs::write(copy.path().join("nightrun.db-wal"), &wal).unwrap();

    let why = refused(copy.path()).await;
    assert!(matches!(why, StoreError::Damaged(_)), "{why:?}");
    assert!(why.to_string().contains("journal entry 20: its hash"), "{why}");
    let reader = SqliteReader::open(copy.path()).await.unwrap().unwrap();
    let why = reader.entries(&eod).await.unwrap_err().to_string();
    assert!(why.contains("journal entry 20: its hash"), "{why}");
    assert_eq!(reader.head().await.unwrap(), *writer.chain.head());
    drop(reader);
    assert!(fs::read(copy.path().join(FILE)).unwrap() == bytes, "the file was written to");
    assert!(
        fs::read(copy.path().join("nightrun.db-wal")).unwrap() == wal,
        "the WAL was written to"
    );
}

/// Nobody may do this while the lock is held; it is found all the same, by the statement that commits.
#[tokio::test]
async fn a_head_that_was_moved_behind_the_back_of_the_supervisor_stops_it() {
    for sql in ["UPDATE site_head SET epoch = epoch + 1", "UPDATE site_head SET seq = seq + 1"] {
        let (state, store) = open().await;
        let mut writer = Writer::lead(store).await;
        let eod = run("eod@2026-10-30#1");
        writer.write(&[opened(&eod, "2026-10-30", false)]).await.unwrap();
        meddle(&state.path().join(FILE), sql).await;
        let why = writer.write(&[note(&eod)]).await.unwrap_err();
        assert!(matches!(why, StoreError::Overtaken(_)), "{sql}: {why:?}");
        assert_eq!(writer.store.reader().all_entries(0, 9).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_commit_that_is_given_up_midway_leaves_nothing_and_the_next_one_goes() {
    let (state, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let eod = run("eod@2026-10-30#1");
    let mut other =
        SqliteConnection::connect(state.path().join(FILE).to_str().unwrap()).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let commit = writer.turn(&[opened(&eod, "2026-10-30", false)]);
    let patience = std::time::Duration::from_millis(50);
    let given_up = tokio::time::timeout(patience, writer.store.commit(&commit)).await;
    assert!(given_up.is_err());
    other.execute("ROLLBACK").await.unwrap();
    // Whether the one that was given up came through or not, the same commit is taken once.
    writer.store.commit(&commit).await.unwrap();
    assert_eq!(writer.store.reader().all_entries(0, 9).await.unwrap().len(), 1);
    assert_eq!(writer.store.reader().verify().await.unwrap(), *writer.chain.head());
}

#[tokio::test]
async fn a_page_that_is_garbage_is_damage_not_trouble() {
    let (state, file, _) = written().await;
    let mut bytes = fs::read(&file).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xa5);
    }
    fs::write(&file, &bytes).unwrap();
    let why = refused(state.path()).await;
    assert!(matches!(why, StoreError::Damaged(_)), "{why:?}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let (state, file, _) = written().await;
    meddle(&file, "PRAGMA user_version = 99").await;
    let bytes = fs::read(&file).unwrap();
    let why = refused(state.path()).await;
    assert!(matches!(why, StoreError::Newer(_)), "{why:?}");
    assert!(why.to_string().contains("99"), "{why}");
    assert_eq!(fs::read(&file).unwrap(), bytes);
}

#[tokio::test]
async fn a_wal_without_its_file_is_not_taken_for_a_new_start() {
    let state = tempfile::tempdir().unwrap();
    fs::write(state.path().join("nightrun.db-wal"), b"the end of a journal").unwrap();
    let why = refused(state.path()).await;
    assert!(matches!(why, StoreError::Damaged(_)), "{why:?}");
    assert!(!state.path().join(FILE).exists());
}

#[tokio::test]
async fn an_interrupted_first_start_is_begun_again() {
    let state = tempfile::tempdir().unwrap();
    let names = ["", "-journal", "-wal", "-shm"].map(|suffix| format!("nightrun.db.new{suffix}"));
    for name in &names {
        fs::write(state.path().join(name), b"half of a file").unwrap();
    }
    SqliteStore::open(state.path()).await.unwrap();
    for name in &names {
        assert!(!state.path().join(name).exists(), "{name}");
    }
}

#[tokio::test]
async fn a_blob_that_was_altered_is_damage() {
    let (state, mut store) = open().await;
    let address = store.blob_put(b"delete from fee where id = 1").await.unwrap();
    store.close().await;
    meddle(&state.path().join(FILE), "UPDATE blob SET content = 'delete from fee'").await;
    let reader = SqliteReader::open(state.path()).await.unwrap().unwrap();
    let why = reader.blob_get(&address).await.unwrap_err();
    assert!(matches!(why, StoreError::Damaged(_)), "{why:?}");
    assert!(why.to_string().contains(&address));
}

#[tokio::test]
async fn what_a_killed_supervisor_committed_is_there() {
    let (state, store) = open().await;
    let mut writer = Writer::lead(store).await;
    let mut commit = writer.turn(&[note(&run("eod@2026-10-30#1"))]);
    commit.mail.push(mail(1, "2026-10-30T21:00:00Z"));
    writer.store.commit(&commit).await.unwrap();
    // As the disk is at this moment, WAL and all, without any closing.
    let copy = tempfile::tempdir().unwrap();
    for name in [FILE, "nightrun.db-wal"] {
        fs::copy(state.path().join(name), copy.path().join(name)).unwrap();
    }
    let store = SqliteStore::open(copy.path()).await.unwrap();
    assert_eq!(store.reader().head().await.unwrap(), *writer.chain.head());
    assert_eq!(store.reader().outbox_unsent().await.unwrap().len(), 1);
}

/// As the first nightrun made it.
#[tokio::test]
async fn a_store_of_the_former_schema_is_brought_up_to_date_by_a_supervisor() {
    let (state, file, head) = written().await;
    let former = "DROP TABLE lease; DROP TABLE relocation; DROP TABLE password; DROP TABLE token;
                  DROP TABLE archive; DROP TABLE restoration;
                  DELETE FROM _sqlx_migrations WHERE version >= 4;
                  PRAGMA user_version = 3";
    meddle(&file, former).await;
    let why = SqliteReader::open(state.path()).await.map(|_| ()).unwrap_err().to_string();
    assert!(why.contains("start the supervisor once"), "{why}");
    let store = SqliteStore::open(state.path()).await.unwrap();
    assert_eq!(store.reader().head().await.unwrap(), head);
    store.close().await;
    assert!(SqliteReader::open(state.path()).await.unwrap().is_some());
}
