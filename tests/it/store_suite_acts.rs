//! The suite's case about what people did to runs.

use jiff::SignedDuration;
use nightrun::core::fact::{Action, Fact};
use nightrun::port::{Store, StoreReader};
use nightrun::types::{PersonId, RunId};

use crate::journal_writer::{Writer, note, opened, run};

fn noted(run: &RunId, text: &str) -> Fact {
    let action = Action::Note { job: None, text: text.to_owned() };
    let by = PersonId::new("li-wei").unwrap();
    Fact::Acted { run: run.clone(), by, reason: text.to_owned(), action, second: None }
}

pub(crate) async fn what_people_did_since_an_instant_is_found_whatever_run_it_is_about<S: Store>(
    store: S,
) {
    let mut writer = Writer::lead(store).await;
    let (old, new, trial) =
        (run("eod@2026-10-01#1"), run("eod@2026-10-30#1"), run("eod@2026-10-30#2"));
    writer.write(&[opened(&old, "2026-10-01", false), noted(&old, "before")]).await.unwrap();
    // A run of weeks ago is noted about in a shift of today.
    writer.at += SignedDuration::from_hours(24 * 29);
    let since = writer.at;
    let of_now = [
        opened(&new, "2026-10-30", false),
        opened(&trial, "2026-10-30", true),
        noted(&new, "one"),
        note(&new),
        noted(&trial, "played"),
        noted(&old, "two"),
    ];
    writer.write(&of_now).await.unwrap();
    let reader = writer.store.reader();
    let found = async |since| -> Vec<Fact> {
        let acts = reader.acts_since(since).await.unwrap();
        acts.iter().map(|sealed| sealed.open().unwrap().fact).collect()
    };
    assert_eq!(found(since).await, [noted(&new, "one"), noted(&old, "two")]);
    assert_eq!(found(since + SignedDuration::from_secs(6)).await, [noted(&old, "two")]);
    assert_eq!(found(since - SignedDuration::from_hours(24 * 30)).await.len(), 3);
    assert_eq!(found(since + SignedDuration::from_secs(7)).await, []);
}
