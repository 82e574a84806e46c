//! Raw → resolved: every name is looked up, every rule that takes more than one value or file is checked.

mod batches;
mod calendar_dates;
mod calendars;
mod change_rules;
mod changes;
mod days;
mod duty;
mod escalation;
mod hosts;
mod inspect;
mod jobs;
mod kinds;
mod known;
mod needs;
mod people;
mod placement;
mod roster;
mod roster_rules;
mod rounds;
mod service_levels;
mod settings;
mod slurm;
mod targets;
mod webhooks;
mod windows;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::places::Places;
use super::sheets::{Findings, Sheets};
use super::site::Site;
use super::source::SourceTree;
use known::Known;
use service_levels::Counts;

pub(super) use settings::{check_address, smtp_server};
pub(super) use targets::file as absolute;
pub(super) use webhooks::{over_http, webhook};

/// A site as far as it can be made; to be used only when nothing of what was found is an error.
pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    findings: &mut Findings,
) -> (Option<Site>, Places) {
    let hosts = hosts::resolve(sheets, findings);
    let known = Known::of(sheets, &hosts);
    let mut places = Places::default();
    let settings = settings::resolve(sheets, &known, findings);
    let people = people::resolve(sheets, &known, findings, &mut places);
    let mut duty = duty::resolve(sheets, &known, findings, &mut places);
    duty.rules = roster_rules::resolve(sheets, &known, findings, &mut places);
    let escalation = escalation::resolve(sheets, &known, findings);
    let inspections = settings.as_ref().and_then(|settings| settings.inspections.as_ref());
    let counts = Counts { escalation: escalation.as_ref(), inspections };
    let service_levels = service_levels::resolve(tree, sheets, counts, findings);
    let calendars = calendars::resolve(tree, sheets, &known, findings, &mut places);
    let (windows, freezes) = windows::resolve(sheets, &known, findings);
    let change_rules = change_rules::resolve(sheets, &known, findings);
    let changes = changes::resolve(tree, sheets, &known, change_rules.as_ref(), findings);
    let batches =
        batches::resolve(tree, sheets, (&known, change_rules.as_ref()), findings, &mut places);
    let site = settings.map(|settings| Site {
        title: settings.title,
        zone: settings.zone,
        language: settings.language,
        calendar: settings.calendar,
        url: settings.url,
        mail: settings.mail,
        webhooks: settings.webhooks,
        life_sign: settings.life_sign,
        reports: settings.reports,
        inspections: settings.inspections,
        pools: settings.pools,
        hosts,
        targets: settings.targets,
        second_person: settings.second_person,
        rights: settings.rights,
        duty,
        escalation: escalation.map(Arc::new),
        service_levels: service_levels.map(Arc::new),
        people,
        calendars,
        windows,
        freezes,
        changes,
        change_rules: change_rules.map(Arc::new),
        batches: batches.into_iter().collect::<BTreeMap<_, _>>(),
    });
    (site, places)
}
