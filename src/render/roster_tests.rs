//! Rosters as people, calendars and spreadsheets get them.

use jiff::civil::date;

use super::*;
use crate::definition::site::Site;
use crate::definition::source::{SourceFile, SourceTree};
use crate::definition::starter::{self, House};
use crate::definition::{load, roster_csv};
use crate::types::PersonId;
use crate::view::{roster_feed, roster_sheet};

/// House H in November: leave, a swap, an override, and a night that nobody has.
fn november() -> Site {
    let more = "leave:\n  - {person: li-wei, from: 2026-11-02, to: 2026-11-04}\n  \
                - {person: wu-hao, from: 2026-11-14, to: 2026-11-15}\n\
                swaps:\n  - {shift: day, from: 2026-11-05, gives: li-wei, takes: he-min}\n\
                overrides:\n  - {shift: night, date: 2026-11-12, people: [li-wei, he-min], reason: ill, by: lin-tao}\n";
    let mut tree = SourceTree::default();
    for (path, text) in starter::FILES.iter().copied().chain(House::H.roster_rules()) {
        let text = match path {
            "roster.yaml" => format!("{text}{more}"),
            "people.yaml" => {
                text.replace("mail: li.wei", "phone: \"+86 21 5555 0101\"\n    mail: li.wei")
            }
            _ => text.to_owned(),
        };
        tree.insert(path, SourceFile::Content(text.into_bytes()));
    }
    let loaded = load(&tree);
    loaded.site.unwrap_or_else(|| panic!("{:#?}", loaded.defects))
}

#[test]
fn a_month_as_a_table() {
    let site = november();
    let sheet = roster_sheet::of(&site, (date(2026, 11, 1), date(2026, 11, 30)));
    let tables = Lang::ALL.map(|lang| super::super::roster_sheet::text(lang, &site.zone, &sheet));
    for table in &tables {
        let widest = table.lines().map(unicode_width::UnicodeWidthStr::width).max();
        assert!(widest.is_some_and(|widest| widest <= 100), "{widest:?}\n{table}");
    }
    insta::assert_snapshot!(tables.join("\n\n----\n\n"));
}

#[test]
fn who_is_on_shift_and_what_is_open() {
    let site = november();
    let at = "2026-11-12T12:00:00Z".parse().unwrap();
    let view = crate::view::roster::of(&site, at);
    let gaps = roster_sheet::gaps_of(&site, (date(2026, 11, 10), date(2026, 12, 1))).unwrap();
    let mut other = november();
    other.duty.rules = None;
    let unruled = roster_sheet::gaps_of(&other, (gaps.from, gaps.to)).unwrap();
    let none = roster_sheet::gaps_of(&site, (date(2026, 12, 1), date(2026, 12, 2))).unwrap();
    let pages = Lang::ALL.map(|lang| {
        let open = [&gaps, &none, &unruled];
        let open = open.map(|view| super::super::roster_sheet::gaps(lang, &site.zone, view));
        format!("{}\n\n{}", text(lang, &site.zone, &view), open.join("\n\n"))
    });
    insta::assert_snapshot!(pages.join("\n\n----\n\n"));
}

#[test]
fn shifts_as_a_calendar() {
    let site = november();
    let dates = (date(2026, 11, 2), date(2026, 11, 5));
    let feed = |who: Option<&str>| {
        let who = who.map(|id| PersonId::new(id).unwrap());
        let events = roster_feed::of(&site, dates, who.as_ref());
        let of = (date(2026, 11, 3), who.as_ref());
        super::super::roster_feed::of_site(&site, of, &events)
    };
    let (own, all) = (feed(Some("li-wei")), feed(None));
    for text in [&own, &all] {
        assert!(text.ends_with("END:VCALENDAR\r\n") && !text.replace("\r\n", "").contains('\n'));
        assert!(text.split("\r\n").all(|line| line.len() <= 75), "{text}");
        let ids: Vec<&str> = text.lines().filter(|line| line.starts_with("UID:")).collect();
        let once: std::collections::BTreeSet<&&str> = ids.iter().collect();
        assert!(ids.len() == once.len() && !ids.is_empty(), "{ids:?}");
    }
    // The swap of the 5th: one has it, and it is over for the other.
    let day = all.split("BEGIN:VEVENT").filter(|event| event.contains("2026-11-05.day."));
    let day: Vec<bool> = day.map(|event| event.contains("STATUS:CANCELLED")).collect();
    assert_eq!(day.iter().filter(|cancelled| **cancelled).count(), 1, "{all}");
    assert_eq!(day.len(), 2, "{all}");
    insta::assert_snapshot!(own.replace("\r\n", "\n"));
}

/// In London the clocks go forward on the 28th: both midnights are on that day of UTC.
#[test]
fn versions_in_a_calendar_rise_from_day_to_day_in_every_zone() {
    for zone in ["Europe/London", "Asia/Shanghai", "America/New_York", "Atlantic/Azores"] {
        let site = Site { zone: Zone::named(zone).unwrap(), ..november() };
        let events = roster_feed::of(&site, (date(2026, 11, 2), date(2026, 11, 5)), None);
        let least_and_most = |today| {
            let text = super::super::roster_feed::of_site(&site, (today, None), &events);
            let numbers = text.lines().filter_map(|line| line.strip_prefix("SEQUENCE:"));
            let numbers: Vec<i64> = numbers.map(|number| number.parse().unwrap()).collect();
            (*numbers.iter().min().unwrap(), *numbers.iter().max().unwrap())
        };
        for day in 26..31 {
            let (_, today) = least_and_most(date(2027, 3, day));
            let (tomorrow, _) = least_and_most(date(2027, 3, day + 1));
            assert!(tomorrow > today, "{zone} {day}: {tomorrow} {today}");
        }
    }
}

#[test]
fn what_is_exported_is_read_again_as_it_was() {
    let site = november();
    let sheet = roster_sheet::of(&site, (date(2026, 11, 1), date(2026, 11, 30)));
    let list = super::super::roster_sheet::csv(Lang::Zh, &sheet);
    let by_day = super::super::roster_sheet::csv_by_day(&sheet);
    assert!(list.starts_with("\u{feff}date,shift,person,name\r\n2026-11-01,day,"), "{list}");
    assert!(by_day.starts_with("\u{feff}person,2026-11-01,"), "{by_day}");
    let mut again = november();
    let (one, other) = (roster_csv::read(&site, &list), roster_csv::read(&site, &by_day));
    assert_eq!(one, other);
    let duty = &mut again.duty;
    duty.roster = one.unwrap();
    (duty.rotations, duty.leave, duty.swaps, duty.overrides) = Default::default();
    let read = roster_sheet::of(&again, (date(2026, 11, 1), date(2026, 11, 30)));
    let held = |sheet: &roster_sheet::RosterSheet| {
        let days = sheet.people.iter().flat_map(|row| row.days.iter().map(move |day| (row, day)));
        let held = days.flat_map(|(row, day)| {
            day.shifts.iter().map(|held| (day.date, held.shift.clone(), row.who.id.clone()))
        });
        held.collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(held(&read), held(&sheet));
    assert!(held(&read).len() > 100);
}
