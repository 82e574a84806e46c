//! Who is told of the incidents of a made-up site, and until when what is done about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BadSite, operator, watcher};
use crate::definition::site::{Clocks, Escalation, Limit, Policy, Rung, Site, Tell};
use crate::simulate::dice::Dice;
use crate::types::{ClockKind, PolicyName, Role, Span, Text};

/// Of most sites: whoever is on duty is told, and not again that night. Limits are declared by none of them.
pub(super) fn quiet() -> Result<Escalation, BadSite> {
    let policy = PolicyName::new("quiet")?;
    let tell = Tell { roles: vec![Role::new("duty")?], ..Tell::default() };
    let rungs = vec![Rung { after: Span::default(), tell }];
    let quiet = Policy { title: Text::en("Quiet"), rungs, remind: minutes(30 * 24 * 60) };
    Ok(Escalation {
        policies: BTreeMap::from([(policy.clone(), quiet)]),
        policy,
        severities: BTreeMap::new(),
        clocks: Vec::new(),
        warn_before: Span::default(),
        overlap: Span::default(),
    })
}

/// Few steps, short waits, some that find nobody.
pub(super) fn lay(dice: &mut Dice, site: &mut Site) -> Result<(), BadSite> {
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
        rungs.push(Rung { after: minutes(dice.of(0..20)), tell });
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
    site.escalation = Some(Arc::new(Escalation {
        policies: BTreeMap::from([(policy.clone(), made)]),
        policy,
        severities: BTreeMap::new(),
        clocks: vec![Clocks { kinds: Vec::new(), severities: Vec::new(), limits }],
        warn_before: minutes(dice.of(0..10)),
        overlap: minutes(15),
    }));
    Ok(())
}

fn minutes(minutes: u64) -> Span {
    Span::seconds(minutes * 60)
}
