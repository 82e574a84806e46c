//! 400 days of made-up rosters in zones that change their clocks at night, at midnight and never, against a roster that is
//! kept day by day.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::{Time, date, time};
use proptest::prelude::*;

use super::tests::{entry, person, shift, site};
use super::*;
use crate::core::roster_gaps::gaps;
use crate::core::staffing::Holder;
use crate::definition::site::{
    DutyDays, Leave, Override, RosterRules, Rotation, Swap, TurnLength, Weight,
};

/// The last two set their clocks at midnight.
const ZONES: [&str; 5] =
    ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Africa/Cairo", "America/Havana"];

const DAYS: i32 = 400;
const PEOPLE: [&str; 5] = ["a", "b", "c", "d", "e"];

/// What happens to a shift: kind, which shift, first day, how many more, who, and who else.
type Happens = (u8, usize, i32, i32, usize, usize);

fn first() -> Date {
    date(2026, 1, 5)
}

/// Shifts that follow each other round the clock, each had in turn by five people in weeks; and what happens to that.
fn made(zone: &str, starts: &[Time], happens: &[Happens]) -> Site {
    let names = ["p", "q", "r", "s"];
    let shifts: Vec<(&str, Shift)> = (0..starts.len())
        .map(|n| (names[n], shift(starts[n], starts[(n + 1) % starts.len()])))
        .collect();
    let mut site =
        site(zone, &shifts, vec![entry("p", plus(first(), 500), plus(first(), 500), &["a"])]);
    let name = |n: usize| ShiftName::new(names[n % starts.len()]).unwrap();
    site.duty.rotations = (0..starts.len())
        .map(|n| Rotation {
            shift: name(n),
            from: first(),
            to: None,
            every: TurnLength::Days(u32::try_from(n).unwrap() * 2 + 1),
            days: DutyDays::Every,
            skip: Vec::new(),
            groups: (0..PEOPLE.len())
                .map(|at| vec![person(PEOPLE[(at + n) % PEOPLE.len()])])
                .collect(),
        })
        .collect();
    site.duty.pairs = vec![[person("a"), person("b")], [person("c"), person("d")]];
    for (kind, which, day, more, who, other) in happens {
        let (from, to) = (plus(first(), *day), plus(first(), day + more));
        let (who, other) = (person(PEOPLE[*who]), person(PEOPLE[*other]));
        match kind {
            0 => site.duty.leave.push(Leave { person: who, from, to, notice: Default::default() }),
            1 => site.duty.swaps.push(Swap {
                shift: name(*which),
                from,
                to,
                gives: who,
                takes: other,
                notice: Default::default(),
            }),
            _ => site.duty.overrides.push(Override {
                shift: name(*which),
                date: from,
                people: vec![who],
                reason: "x".to_owned(),
                by: other,
            }),
        }
    }
    // The loader takes one for a shift and date.
    let mut once = std::collections::BTreeSet::new();
    site.duty.overrides.retain(|set| once.insert((set.shift.clone(), set.date)));
    site
}

/// Who has a shift of a date, told in another way: by walking turns from the first day on, and by one person's place.
fn by_hand(site: &Site, shift: &ShiftName, date: Date) -> Option<PersonId> {
    let duty = &site.duty;
    let rotation = duty.rotations.iter().find(|rotation| rotation.shift == *shift)?;
    let TurnLength::Days(length) = rotation.every else { return None };
    let (mut group, mut left, mut day) = (0, length, rotation.from);
    while day < date {
        left -= 1;
        if left == 0 {
            (group, left) = ((group + 1) % rotation.groups.len(), length);
        }
        day = plus(day, 1);
    }
    let planned = &rotation.groups[group][0];
    let away = |who: &PersonId| {
        duty.leave
            .iter()
            .any(|leave| leave.person == *who && leave.from <= date && date <= leave.to)
    };
    let partner = |who: &PersonId| -> Option<PersonId> {
        let pair = duty.pairs.iter().find(|pair| pair.contains(who))?;
        pair.iter().find(|other| *other != who).cloned()
    };
    let mut has = match away(planned) {
        false => Some(planned.clone()),
        true => partner(planned).filter(|other| !away(other)),
    };
    for swap in &duty.swaps {
        let on = swap.shift == *shift && swap.from <= date && date <= swap.to;
        let theirs = has.as_ref() == Some(&swap.gives);
        // The place of whoever is on leave is theirs to give, until somebody was given it.
        let given = duty.swaps.iter().take_while(|other| !std::ptr::eq(*other, swap));
        let untouched = given
            .filter(|other| other.shift == *shift && other.from <= date && date <= other.to)
            .count()
            == 0;
        let of_leave = away(planned) && *planned == swap.gives && untouched;
        if on && (theirs || of_leave) && has.as_ref() != Some(&swap.takes) {
            has = Some(swap.takes.clone());
        }
    }
    let set = duty.overrides.iter().find(|set| set.shift == *shift && set.date == date);
    set.map(|set| set.people[0].clone()).or(has)
}

fn happens() -> impl Strategy<Value = Happens> {
    (0..3_u8, 0..4_usize, 0..DAYS, 0..9_i32, 0..5_usize, 1..5_usize).prop_map(
        |(kind, which, day, more, who, far)| (kind, which, day, more, who, (who + far) % 5),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_instant_of_400_days_is_covered_as_declared(
        zone in 0..ZONES.len(),
        minutes in proptest::collection::btree_set(0..1440_i32, 2..5),
        happened in proptest::collection::vec(happens(), 0..40),
    ) {
        let clock = |minute: i32| time((minute / 60) as i8, (minute % 60) as i8, 0, 0);
        let starts: Vec<Time> = minutes.into_iter().map(clock).collect();
        // One swap a place: what follows another one is the table's.
        let mut happened = happened;
        let mut swapped = std::collections::BTreeSet::new();
        happened.retain(|(kind, which, day, more, ..)| {
            let which = which % starts.len();
            *kind != 1 || (*day..=day + more).all(|day| swapped.insert((which, day)))
        });
        let mut site = made(ZONES[zone], &starts, &happened);
        site.duty.rules =
            Some(RosterRules { around_the_clock: Some(Weight::Defect), ..RosterRules::default() });
        let calendars = Calendars::new(&site.calendars);
        let roster = Roster::new(&site, &calendars);
        let last = plus(first(), DAYS);
        // Each shift begins where the one before it ends, whoever has it.
        let mut hours: Vec<(Timestamp, Timestamp, ShiftName, Date)> = Vec::new();
        for date in days(first(), last) {
            for (name, shift) in &site.duty.shifts {
                let (from, to) = roster.hours((name, shift), date).unwrap();
                // One whose hours the clocks leave out is nobody's.
                if from < to {
                    hours.push((from, to, name.clone(), date));
                }
            }
        }
        hours.sort();
        for two in hours.windows(2) {
            prop_assert_eq!(two[0].1, two[1].0, "{:?} {:?}", &two[0], &two[1]);
        }
        let mut open = Vec::new();
        let mut had: BTreeMap<(ShiftName, Date), Option<PersonId>> = BTreeMap::new();
        for (from, to, name, date) in &hours {
            let who = by_hand(&site, name, *date);
            let staff = roster.staff(name, *date).unwrap();
            let holders: Vec<&PersonId> = staff.holders.iter().map(|holder| &holder.person).collect();
            prop_assert_eq!(holders, who.iter().collect::<Vec<_>>(), "{} {}", name, date);
            // Nobody on leave has a shift that nobody gave him.
            let given = |holder: &Holder| {
                matches!(holder.by, Entry::Swap(_) | Entry::Override(_))
            };
            for holder in &staff.holders {
                prop_assert!(given(holder) || !roster.is_on_leave(&holder.person, *date));
            }
            if who.is_none() {
                open.push((*from, *to));
            }
            had.insert((name.clone(), *date), who);
        }
        // What the roster says of an instant is what it says of the shift that the instant is in.
        let nano = SignedDuration::from_nanos(1);
        for (from, to, name, date) in hours.iter().step_by(7) {
            let middle = *from + to.duration_since(*from) / 2;
            for at in [*from, middle, *to - nano] {
                let on = roster.who(at).unwrap();
                let people: Vec<&PersonId> = on.iter().flat_map(|on| &on.people).collect();
                let expected: Vec<&PersonId> = had[&(name.clone(), *date)].iter().collect();
                prop_assert_eq!(people, expected, "{} {} {}", at, name, date);
            }
        }
        // The gaps are those shifts, joined where they touch.
        let mut joined: Vec<(Timestamp, Timestamp)> = Vec::new();
        for (from, to) in open {
            match joined.last_mut() {
                Some(before) if before.1 == from => before.1 = to,
                _ => joined.push((from, to)),
            }
        }
        let (begin, end) = (hours[0].0, instant(last, Time::midnight(), &site.zone));
        let inside = |(from, to): (Timestamp, Timestamp)| {
            let (from, to) = (from.max(begin), to.min(end));
            (from < to).then_some((from, to))
        };
        let found = gaps(&site, &roster, first(), plus(last, -1)).gaps;
        let found: Vec<_> = found.iter().filter_map(|gap| inside((gap.from, gap.to))).collect();
        prop_assert_eq!(found, joined.into_iter().filter_map(inside).collect::<Vec<_>>());
    }
}
