//! The suite's case about what other systems tell.

use nightrun::core::fact::{Fact, Received};
use nightrun::port::{Store, StoreReader};
use nightrun::types::{EventKey, EventName, PersonId};

use crate::journal_writer::Writer;

pub(crate) async fn an_event_stands_until_it_is_forgotten<S: Store>(store: S) {
    let mut writer = Writer::lead(store).await;
    let key = |key: &str| EventKey::new(key).unwrap();
    let received = |of: &str| {
        Fact::EventReceived(Box::new(Received {
            key: key(of),
            event: EventName::new("positions-delivered").unwrap(),
            business_date: "2026-10-30".parse().unwrap(),
            parameters: Default::default(),
            by: PersonId::new("max").unwrap(),
            reason: String::new(),
            runs: Vec::new(),
            jobs: Vec::new(),
        }))
    };
    let forgotten = |of: &str| Fact::EventForgotten { key: key(of) };
    let (one, other) = ("日终 'x' \"y\" \\ {z} %", "b");
    writer.write(&[received(one), received(other)]).await.unwrap();
    let stands = async |writer: &Writer<S>| -> Vec<Fact> {
        let standing = writer.store.reader().standing().await.unwrap();
        standing.iter().map(|sealed| sealed.open().unwrap().fact).collect()
    };
    assert_eq!(stands(&writer).await, [received(one), received(other)]);
    writer.write(&[forgotten(one)]).await.unwrap();
    assert_eq!(stands(&writer).await, [received(other)]);
    // Within one commit, whichever comes last.
    writer.write(&[forgotten(other), received(other), forgotten(other)]).await.unwrap();
    assert_eq!(stands(&writer).await, []);
    writer.write(&[received(one), forgotten(one), received(one)]).await.unwrap();
    assert_eq!(stands(&writer).await, [received(one)]);
    assert_eq!(writer.store.reader().verify().await.unwrap(), *writer.chain.head());
}
