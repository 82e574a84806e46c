//! A workbook read back by another program's reader.

use std::io::Cursor;

use calamine::{Data, Range, Reader, Xlsx};

use super::*;
use crate::render::sample::{bad_night, good_night};

fn read(lang: Lang, view: &ReportView) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(xlsx(lang, view).unwrap())).unwrap()
}

fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, label: Label, lang: Lang) -> Range<Data> {
    book.worksheet_range(label.say(lang)).unwrap()
}

#[test]
fn every_job_is_in_the_workbook_with_times_and_lengths_that_can_be_reckoned_with() {
    let night = good_night();
    for lang in Lang::ALL {
        let mut book = read(lang, &night);
        let jobs = sheet(&mut book, Label::AllJobs, lang);
        assert_eq!(jobs.height(), night.jobs.len() + 1);
        for (row, job) in jobs.rows().skip(1).zip(&night.jobs) {
            assert_eq!(row[0], Data::String(job.name.to_string()));
            assert_eq!(row[1], Data::String(job.title.get(lang).to_owned()));
            let (Some(started), Some(ended)) = (job.started, job.ended) else {
                assert_eq!((&row[5], &row[7]), (&Data::Empty, &Data::Empty), "{}", job.name);
                continue;
            };
            let [Data::DateTime(from), Data::DateTime(to), Data::DateTime(length)] = &row[5..8]
            else {
                panic!("{row:?}: no times");
            };
            let took = ended.duration_since(started).as_secs_f64() / 86_400.0;
            assert!((to.as_f64() - from.as_f64() - took).abs() < 1e-6, "{}", job.name);
            assert!(from.is_datetime() && length.is_duration(), "{row:?}");
            let length = length.as_f64();
            assert!((length - took).abs() < 1e-6, "{}: {length} {took}", job.name);
        }
    }
    // 21:30 in the run's zone, not in UTC: day 46325 is 2026-10-30.
    let mut book = read(Lang::En, &night);
    let run = sheet(&mut book, Label::Run, Lang::En);
    let opened = run.rows().find(|row| row[0] == Data::String("Started".to_owned())).unwrap();
    let Data::DateTime(opened) = &opened[1] else { panic!("{opened:?}") };
    assert!((opened.as_f64() - (46_325.0 + 21.5 / 24.0)).abs() < 1e-6, "{}", opened.as_f64());
}

#[test]
fn incidents_changes_and_actions_have_a_sheet_each() {
    let night = bad_night();
    let mut book = read(Lang::Zh, &night);
    let incidents = sheet(&mut book, Label::Incidents, Lang::Zh);
    let row = incidents.rows().nth(1).unwrap();
    assert_eq!((&row[0], &row[1]), (&Data::String("INC-3".into()), &Data::String("P1".into())));
    assert_eq!(row[7], Data::Float(12.0), "what it blocks is a number");
    let changes = sheet(&mut book, Label::Changes, Lang::Zh);
    assert_eq!(changes.rows().nth(1).unwrap()[6], Data::Float(14.0));
    let actions = sheet(&mut book, Label::Actions, Lang::Zh);
    assert_eq!(actions.height(), night.actions.len() + 1);
    assert_eq!(actions.rows().nth(1).unwrap()[1], Data::String("李伟".into()));
    assert!(book.worksheet_range(&Reported::HeadLimits.say(Lang::Zh)).unwrap().height() == 3);
}

#[test]
fn what_people_wrote_is_no_formula() {
    let mut night = bad_night();
    night.actions[0].reason = "=1+1".to_owned();
    let mut book = read(Lang::En, &night);
    let actions = sheet(&mut book, Label::Actions, Lang::En);
    assert_eq!(actions.rows().nth(1).unwrap()[3], Data::String("=1+1".into()));
    assert!(book.worksheet_formula(Label::Actions.say(Lang::En)).unwrap().is_empty());
}
