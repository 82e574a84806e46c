//! An end and a person's decision about it that reach the supervisor in one turn.

use nightrun::core::select::Deed;
use nightrun::driver::api_client::{Ask, Client};
use nightrun::http::ActBody;
use rustix::process::Signal;

use crate::night::house::House;

/// The run ends badly, is set going again, and ends well; whether all that was one turn.
async fn ends_twice() -> bool {
    let house = House::new("  a: {title: A, run: [sh, job.sh, wait]}\n");
    house.gates(&["a"]);
    let mut night = house.spawn(&["run", "night", "--date", "2026-10-30"]);
    night.started("a");
    let mut client = Client::connect(&house.state()).await.unwrap().unwrap();
    // Answered behind it: the connection has been taken.
    house.run(&["status"]).code(0);
    night.signal(Signal::STOP);
    house.say("a", "no");
    house.ended_unwatched("a", 1);
    // The agent passes it on meanwhile.
    house.run(&["journal", "verify"]).code(0);
    let body = ActBody {
        jobs: Some("a".to_owned()),
        action: Deed::Force,
        reason: "done by hand".to_owned(),
        dry_run: false,
    };
    let ask = Ask {
        method: hyper::Method::POST,
        path: "/api/v1/batches/night/actions".to_owned(),
        accept: "application/json",
        language: "en",
        body: Some(serde_json::to_value(body).unwrap()),
        after: None,
    };
    let mut asking = std::pin::pin!(client.ask(&ask));
    // Sent, and not answered: the supervisor stands still.
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), &mut asking).await;
    assert!(early.is_err(), "{early:?}");
    night.signal(Signal::CONT);
    let done = asking.await.unwrap();
    let over = night.over();
    house.nothing_is_lost();
    let recorded = |kind: &str| {
        let journal = house.journal();
        let of_kind = journal.iter().filter(|entry| entry["fact"]["fact"] == kind);
        of_kind.map(|entry| entry["recorded"].clone()).collect::<Vec<_>>()
    };
    let (ends, acts) = (recorded("run-ended"), recorded("acted"));
    let together = ends.len() == 2 && ends[0] == ends[1] && acts == ends[..1];
    if together {
        assert_eq!(over.code, Some(0), "{done:?} {:?}", over.err);
        let reports = house.mails().into_iter().filter(|mail| mail.to == "rob@bank.example");
        assert_eq!(reports.count(), 1);
    }
    assert!(matches!(over.code, Some(0 | 1)), "{:?}", over.err);
    assert!(!over.err.iter().any(|line| line.contains("contradiction")), "{:?}", over.err);
    together
}

#[tokio::test]
async fn a_run_that_ends_twice_in_one_turn_is_reported_once() {
    let mut together = false;
    for _ in 0..5 {
        together |= ends_twice().await;
    }
    assert!(together, "the two never came in one turn");
}
