//! Rules of changes on some sites, and the people who have a part in them.

use std::sync::Arc;

use super::{BadSite, jobs};
use crate::definition::site::{
    ApprovalRule, Before, ChangeKind, ChangeRules, ChangeScope, CheckRule, EmergencyRule,
    EndingKind, Kind, Person, Quorum, Site, WindowRule,
};
use crate::simulate::dice::Dice;
use crate::types::{ChangeId, CheckName, PersonId, Role, Span, Text};

/// The one environment of all made-up databases.
pub(super) const ENVIRONMENT: &str = "sample";

const WRITES: &str = "developer";
pub(super) const REVIEWS: &str = "reviewer";
pub(super) const LEADS: &str = "dev-lead";
pub(super) const SITS: &str = "ccb";
pub(super) const OPERATES: &str = "operations-lead";

pub(super) const AUTHOR: &str = "li-wei";

/// Who has which of these roles. Nobody has two, so that everybody can do their own part.
const PEOPLE: [(&str, &str); 9] = [
    (AUTHOR, WRITES),
    ("zhou-min", WRITES),
    ("wang-fang", REVIEWS),
    ("chen-jie", REVIEWS),
    ("liu-yang", LEADS),
    ("zhao-lei", SITS),
    ("sun-hui", SITS),
    ("wu-tao", SITS),
    ("xu-lan", OPERATES),
];

/// Gives a site rules for its changes: other sites of the same dice are as they were.
pub(super) fn lay(dice: &mut Dice, site: &mut Site) -> Result<(), BadSite> {
    for (id, role) in PEOPLE {
        let person = Person {
            name: Text::en(id),
            language: None,
            mail: Some(format!("{id}@bank.example")),
            phone: None,
            webhook: None,
            team: None,
            roles: vec![Role::new(role)?],
            unix_user: None,
        };
        site.people.insert(PersonId::new(id)?, person);
    }
    more_changes(dice, site)?;
    let author = PersonId::new(AUTHOR)?;
    for change in site.changes.values_mut() {
        if dice.percent(25) {
            change.kind = ChangeKind::Emergency;
        }
        if dice.percent(50) {
            change.papers.authors.push(author.clone());
        }
        if dice.percent(30) {
            change.expected = Some(Span::seconds(dice.of(1..1_200)));
        }
    }
    site.change_rules = Some(Arc::new(rules(dice, site)?));
    Ok(())
}

/// Some of its programs are changes: what the night is about here.
fn more_changes(dice: &mut Dice, site: &mut Site) -> Result<(), BadSite> {
    for batch in site.batches.values_mut() {
        let batch = Arc::make_mut(batch);
        for index in 0..batch.jobs.len() {
            let job = &mut batch.jobs[index];
            if !matches!(job.kind, Kind::Run { .. } | Kind::Shell { .. }) || !dice.percent(25) {
                continue;
            }
            let change = ChangeId::new(&format!("{}-{}", batch.id, job.name))?;
            job.kind = Kind::Change { change, environment: None };
            job.retry.on.retain(|on| !matches!(on, EndingKind::Lost | EndingKind::Unknown));
            site.changes.extend(jobs::change_of(dice, batch, &batch.jobs[index])?);
        }
    }
    Ok(())
}

fn rules(dice: &mut Dice, site: &Site) -> Result<ChangeRules, BadSite> {
    let quorum = |role: &str, people| {
        Ok::<_, BadSite>(Quorum { role: Role::new(role)?, people, asks: Vec::new() })
    };
    let emergency = ApprovalRule {
        scope: ChangeScope { kinds: vec![ChangeKind::Emergency], ..ChangeScope::default() },
        review: None,
        roles: vec![quorum(LEADS, 1)?, quorum(SITS, 1 + dice.of(0..3) as u32)?],
    };
    let normal = ApprovalRule {
        scope: ChangeScope::default(),
        review: Some(quorum(REVIEWS, 1 + dice.of(0..2) as u32)?),
        roles: vec![quorum(LEADS, 1)?, quorum(OPERATES, 1)?],
    };
    let present = CheckRule {
        title: Text::en("People are present"),
        scope: ChangeScope::default(),
        role: Role::new(OPERATES)?,
        markets: Vec::new(),
        branches: false,
        before: Before::Start,
        after: None,
        within: None,
        from: None,
        until: None,
    };
    let checklist = [(CheckName::new("people-present")?, present)];
    // One more beside those of a job and its batch might leave it no time.
    let free = site.batches.values().all(|batch| {
        let mut changes = batch.jobs.iter().filter(|job| matches!(job.kind, Kind::Change { .. }));
        changes.all(|job| batch.window.is_none() && job.window.is_none())
    });
    let classes: Vec<_> = site.windows.keys().cloned().collect();
    let window = if free && dice.percent(80) { dice.pick(&classes).cloned() } else { None };
    let bound = |window| WindowRule { scope: ChangeScope::default(), window };
    Ok(ChangeRules {
        title: Text::en("Made up"),
        zone: site.zone.clone(),
        environments: vec![ENVIRONMENT.to_owned()],
        refreshed: Vec::new(),
        deputies: [(Role::new(OPERATES)?, vec![Role::new("duty")?])].into(),
        steps: Default::default(),
        approvals: vec![emergency, normal],
        questions: Default::default(),
        approvals_hold: dice.percent(40).then(|| Span::seconds(dice.of(7_200..40_000))),
        distinct: Vec::new(),
        promotion: None,
        rehearsal: Vec::new(),
        submission: None,
        intake: Vec::new(),
        windows: window.into_iter().map(bound).collect(),
        markets: Default::default(),
        checklist: checklist.into_iter().filter(|_| dice.percent(50)).collect(),
        weekly: Vec::new(),
        emergency: EmergencyRule { board: Some(Role::new(SITS)?), ..EmergencyRule::default() },
        product_lines: Default::default(),
        statistics: Default::default(),
        seal_mail: Vec::new(),
        late: if dice.percent(50) { Some(Role::new(LEADS)?) } else { None },
    })
}
