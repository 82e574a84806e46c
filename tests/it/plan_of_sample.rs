//! The plan of the sample site, against what its files say.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::{Date, date};
use nightrun::definition::load;
use nightrun::definition::site::Site;
use nightrun::driver::files::read_site;
use nightrun::types::BatchId;
use nightrun::view::job::LeftOut;
use nightrun::view::of_plan::{Wanted, plan};
use nightrun::view::plan::{BatchLeftOutWhy, Gate, PlanView};

fn sample() -> Arc<Site> {
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs");
    Arc::new(load(&read_site(&jobs).unwrap()).site.expect("the sample site has no defects"))
}

fn planned(from: Date, to: Date) -> PlanView {
    let eod = BatchId::new("eod").unwrap();
    let expected = BTreeMap::new();
    let wanted =
        Wanted { batch: Some(&eod), from, to, today: from, expected: &expected, lives: None };
    plan(&sample(), "d", wanted).unwrap()
}

#[test]
fn the_last_business_day_of_october_has_a_whole_night() {
    let view = planned(date(2026, 10, 29), date(2026, 11, 2));
    let dates: Vec<(String, usize)> =
        view.days.iter().map(|day| (day.date.to_string(), day.starts.len())).collect();
    let wanted = [("29", 1), ("30", 1), ("31", 0), ("01", 0), ("02", 1)];
    for ((found, starts), (day, wanted)) in dates.iter().zip(wanted) {
        assert!(found.ends_with(day) && *starts == wanted, "{dates:?}");
    }
    let saturday = &view.days[2].left_out[0];
    assert!(
        matches!(&saturday.why, BatchLeftOutWhy::NoBusinessDay { name: Some(name), .. } if name == "Saturday")
    );
    let night = &view.days[1].starts[0];
    assert_eq!(night.at.to_string(), "2026-10-30T20:30:00Z", "21:30 in Berlin, in winter time");
    assert!(night.expected_end.is_some_and(|end| end < night.must_complete_by.unwrap()));
    assert!(night.jobs.iter().all(|job| job.start.is_some()), "every job starts");
    let in_window = |gate: &Gate| matches!(gate, Gate::Window { .. });
    assert!(night.jobs.iter().any(|job| job.gates.iter().any(in_window)), "the night's change");
}

#[test]
fn month_end_jobs_are_left_out_on_other_days() {
    let view = planned(date(2026, 10, 29), date(2026, 10, 30));
    let left_out = |day: usize| {
        let own = view.days[day].starts[0].left_out.iter();
        own.filter(|job| matches!(job.why, LeftOut::NotItsDay(_))).count()
    };
    assert!(left_out(0) > 0);
    assert_eq!(left_out(1), 0);
}

#[test]
fn the_roster_names_who_is_on_shift_in_the_night() {
    let site = sample();
    let on = |at: &str| {
        let view = nightrun::view::roster::of(&site, at.parse().unwrap());
        let line = |line: &nightrun::view::roster::ShiftLine| {
            let people: Vec<&str> =
                line.people.iter().map(|who| who.contact.who.id.as_str()).collect();
            format!("{} {}", line.shift, people.join(" "))
        };
        view.on.iter().map(line).collect::<Vec<_>>()
    };
    let night = ["phone marta-kowalska", "night li-wei"];
    assert_eq!(on("2026-10-30T21:00:00Z"), night);
    // Saturday: the night begins at 17:30.
    assert_eq!(on("2026-10-31T16:30:00Z"), night);
    assert_eq!(on("2026-10-31T16:29:00Z"), ["phone marta-kowalska"]);
    assert_eq!(
        on("2026-11-02T07:29:00Z").len(),
        2,
        "the night of Sunday, and the day has not begun"
    );
    // Every hour of E1 is there.
    assert_eq!(site.duty.shifts.len(), 8);
    let calendars = nightrun::core::calendar::Calendars::new(&site.calendars);
    assert_eq!(nightrun::core::roster_check::check(&site, &calendars, date(2026, 10, 26)), []);
}
