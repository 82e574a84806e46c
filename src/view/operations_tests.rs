use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn times_that_overlap_are_counted_once() {
    let span = |from: &str, to: &str| {
        (at(&format!("2026-10-01T{from}:00Z")), at(&format!("2026-10-01T{to}:00Z")))
    };
    let minutes = |spans: Vec<_>| covered(spans).as_secs() / 60;
    assert_eq!(minutes(vec![]), 0);
    assert_eq!(minutes(vec![span("10:00", "11:00"), span("12:00", "12:30")]), 90);
    assert_eq!(minutes(vec![span("10:30", "12:00"), span("10:00", "11:00")]), 120);
    assert_eq!(minutes(vec![span("10:00", "12:00"), span("10:30", "11:00")]), 120);
}
