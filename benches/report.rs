//! What the report of a night costs beside reading the rows that it is made of.
//!
//! ```text
//! cargo bench --bench report [-- JOBS]        10,000 by default
//! ```
//!
//! A night of `/bin/true` is run; then its entries are read, its report is made of them, and each form of it in both
//! languages, several times, the middle one counts. The yardstick is the reading of the entries.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use nightrun::definition::site::ReportFormat;
use nightrun::driver::store::{StateReader, StoreAddress};
use nightrun::http::store_pages::{Recalled, find};
use nightrun::port::StoreReader;
use nightrun::render::report;
use nightrun::types::Lang;
use site::House;

const TIMES: usize = 5;

fn main() {
    let jobs = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(10_000);
    let mut text = String::new();
    (0..jobs).for_each(|n| writeln!(text, "  j{n}: {{title: J, run: [/bin/true]}}").unwrap());
    let house = House::new(16, &text);
    assert!(house.nightrun(&["run", "bench"]).status().unwrap().success());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&house, jobs));
}

async fn measure(house: &House, jobs: usize) {
    let opened = StateReader::open(&StoreAddress::Folder, &house.path("state")).await;
    let reader = opened.unwrap().unwrap();
    let row = find(&reader, None, None, None).await.unwrap().unwrap();
    let mut reading = Vec::new();
    let mut entries = 0;
    for _ in 0..TIMES {
        let begun = Instant::now();
        entries = reader.entries(&row.run).await.unwrap().len();
        reading.push(begun.elapsed());
    }
    let reading = middle(reading);
    println!("{jobs} jobs, {entries} entries, read in {} ms:", reading.as_millis());
    let tell = |what: &str, took: Duration, bytes: usize| {
        let ratio = took.as_secs_f64() / reading.as_secs_f64();
        println!("{what:28} {:7} ms {ratio:7.2} × reading {bytes:10} B", took.as_millis());
    };
    let mut recalling = Vec::new();
    let mut views = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        let recalled = Recalled::read(&reader, row.clone()).await.unwrap();
        views.push(recalled.report(&reader).await.unwrap());
        recalling.push(begun.elapsed());
    }
    tell("the report (with reading)", middle(recalling), 0);
    let Some(view) = views.pop() else { return };
    for lang in Lang::ALL {
        let forms = [
            ("html", ReportFormat::Html),
            ("text", ReportFormat::Text),
            ("pdf", ReportFormat::Pdf),
            ("xlsx", ReportFormat::Xlsx),
        ];
        for (name, format) in forms {
            let (took, bytes) = times(|| report::file(lang, &view, format).unwrap().len());
            tell(&format!("{name}, {}", lang.tag()), took, bytes);
        }
        let (took, bytes) =
            times(|| report::picture(lang, &view).unwrap().map_or(0, |png| png.len()));
        tell(&format!("picture of the mail, {}", lang.tag()), took, bytes);
    }
}

fn times(make: impl Fn() -> usize) -> (Duration, usize) {
    let mut bytes = 0;
    let taken = (0..TIMES).map(|_| {
        let begun = Instant::now();
        bytes = make();
        begun.elapsed()
    });
    (middle(taken.collect()), bytes)
}

fn middle(mut taken: Vec<Duration>) -> Duration {
    taken.sort();
    taken.get(taken.len() / 2).copied().unwrap_or_default()
}
