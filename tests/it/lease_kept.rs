//! The lead on PostgreSQL is kept for a supervisor whose loop turns, and not for one that hangs.

use std::time::{Duration, Instant};

use nightrun::driver::store::postgres::{LeaseTimes, PostgresStore};
use nightrun::port::{Store, StoreError};

use crate::postgres_server::Server;

const LASTS: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_supervisor_that_hangs_loses_the_lead_and_one_that_turns_keeps_it() {
    let server = Server::shared();
    let address = server.address(&server.database().await);
    let times = LeaseTimes { lasts: LASTS, renewed: LASTS / 4 };
    let open = |who: &'static str| PostgresStore::open(&address, who.to_owned(), times);
    let mut first = open("first").await.unwrap();
    let mut second = open("second").await.unwrap();
    let led = first.claim_epoch().await.unwrap();
    let pulse = first.pulse().unwrap();
    // Longer than one that hangs keeps it.
    let begun = Instant::now();
    while begun.elapsed() < LASTS * 30 {
        pulse.beat();
        let claimed = tokio::time::timeout(LASTS / 2, second.claim_epoch()).await;
        assert!(!matches!(claimed, Ok(Ok(_))), "taken from one that turns");
    }
    // Now its loop stands still; process and keeper live.
    let begun = Instant::now();
    let next = loop {
        match second.claim_epoch().await {
            Ok(epoch) => break epoch,
            Err(StoreError::InUse(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
        assert!(begun.elapsed() < LASTS * 60, "the one that hangs keeps the lead");
    };
    assert!(next > led && begun.elapsed() > LASTS * 20, "{:?}", begun.elapsed());
    pulse.beat();
    let lost = tokio::time::timeout(LASTS * 30, first.overtaken()).await.unwrap();
    assert!(matches!(lost, StoreError::Overtaken(_)), "{lost:?}");
}
