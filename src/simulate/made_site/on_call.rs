//! Who is told of the incidents of a made-up site, until when what is done about them, and its shifts.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Time};

use super::{BadSite, operator, watcher};
use crate::definition::site::{
    Assignment, Clocks, Drill, Escalation, HandOverRule, HandOverRules, Hours, Limit, Policy, Rung,
    Shift, Site, Tell,
};
use crate::simulate::dice::Dice;
use crate::types::{ClockKind, DrillName, PolicyName, Role, Severity, ShiftName, Span, Text};

/// Of most sites: whoever is on duty is told, and not again that night. Limits are declared by none of them.
pub(super) fn quiet() -> Result<Escalation, BadSite> {
    let policy = PolicyName::new("quiet")?;
    let tell = Tell { roles: vec![Role::new("duty")?], ..Tell::default() };
    let rungs = vec![Rung { after: Span::default(), tell, by: Vec::new() }];
    let quiet = Policy { title: Text::en("Quiet"), rungs, remind: minutes(30 * 24 * 60) };
    Ok(Escalation {
        policies: BTreeMap::from([(policy.clone(), quiet)]),
        policy,
        severities: BTreeMap::new(),
        clocks: Vec::new(),
        drills: BTreeMap::new(),
        review_runbooks: None,
        warn_before: Span::default(),
        overlap: Span::default(),
    })
}

/// Few steps, short waits, some that find nobody.
pub(super) fn lay(dice: &mut Dice, site: &mut Site, date: Date) -> Result<(), BadSite> {
    for (id, person) in &mut site.people {
        person.mail = dice.percent(90).then(|| format!("{id}@bank.example"));
    }
    let tells = [
        Tell { people: vec![operator()?], ..Tell::default() },
        Tell { roles: vec![Role::new("duty")?], ..Tell::default() },
        Tell { people: vec![watcher()?], ..Tell::default() },
        Tell { on_shift: true, deputies: true, leads: true, ..Tell::default() },
    ];
    let mut rungs = Vec::new();
    for _ in 0..dice.of(1..4) {
        let tell = dice.pick(&tells).cloned().unwrap_or_default();
        rungs.push(Rung { after: minutes(dice.of(0..20)), tell, by: Vec::new() });
    }
    let remind = minutes(dice.of(5..90));
    let policy = PolicyName::new("made-up")?;
    let made = Policy { title: Text::en("Made up"), rungs, remind };
    let mut limits = BTreeMap::new();
    for kind in ClockKind::ALL {
        if dice.percent(70) {
            limits.insert(*kind, Limit::After(minutes(dice.of(5..240))));
        }
    }
    let drill = Drill {
        title: Text::en("Made up"),
        every: 1,
        // Overdue in the morning, unless somebody answers one before.
        from: date.checked_sub(jiff::Span::new().days(1))?,
        policy: None,
        severity: Severity::P2,
        runbook: None,
        people: vec![watcher()?],
        teams: Vec::new(),
    };
    let drills = BTreeMap::from([(DrillName::new("made-up")?, drill)]);
    site.escalation = Some(Arc::new(Escalation {
        drills,
        policies: BTreeMap::from([(policy.clone(), made)]),
        policy,
        severities: BTreeMap::new(),
        clocks: vec![Clocks { kinds: Vec::new(), severities: Vec::new(), limits }],
        review_runbooks: None,
        warn_before: minutes(dice.of(0..10)),
        overlap: minutes(15),
    }));
    Ok(())
}

/// Three shifts around the clock for some days, one person each or nobody, that hand over to each other.
pub(super) fn shifts(dice: &mut Dice, site: &mut Site, date: Date) -> Result<(), BadSite> {
    let names = [ShiftName::new("one")?, ShiftName::new("two")?, ShiftName::new("three")?];
    let first = dice.of(0..8) as i8;
    let minute = dice.of(0..60) as i8;
    for (n, name) in (0i8..).zip(&names) {
        let at = |n: i8| Time::new((first + 8 * n) % 24, minute, 0, 0);
        let hours = Hours { from: at(n)?, to: at(n + 1)? };
        let title = Text::en(name.as_str());
        let shift = Shift { title, hours, days_off: None, calendar: None, on_call: false };
        site.duty.shifts.insert(name.clone(), shift);
    }
    let people = [operator()?, watcher()?];
    for day in -1..3 {
        let date = date.checked_add(jiff::Span::new().days(day))?;
        for name in &names {
            let Some(who) = dice.pick(&people).filter(|_| dice.percent(85)).cloned() else {
                continue;
            };
            let (shift, from, to) = (name.clone(), date, date);
            site.duty.roster.push(Assignment { shift, from, to, people: vec![who] });
        }
    }
    let next = names.iter().cycle().skip(1);
    let rule = |(from, to): (&ShiftName, &ShiftName)| HandOverRule {
        from: from.clone(),
        to: vec![to.clone()],
    };
    site.duty.hand_over = Some(HandOverRules {
        between: names.iter().zip(next).map(rule).collect(),
        prepare: minutes(dice.of(0..40)),
        remind: minutes(dice.of(5..60)),
        limit: minutes(dice.of(10..120)),
        severity: Severity::P3,
    });
    Ok(())
}

fn minutes(minutes: u64) -> Span {
    Span::seconds(minutes * 60)
}
