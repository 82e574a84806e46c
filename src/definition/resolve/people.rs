//! `people.yaml` → people.

use std::collections::BTreeMap;

use super::known::Known;
use super::settings::{check_address, text};
use crate::definition::defect::Finding;
use crate::definition::places::{FilePlace, Places};
use crate::definition::raw::{Field, Names};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::Person;
use crate::types::PersonId;

pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
    places: &mut Places,
) -> BTreeMap<PersonId, Person> {
    let mut people = BTreeMap::new();
    let Some(sheet) = &sheets.people else { return people };
    let mut found = Vec::new();
    let mut accounts: BTreeMap<&str, &PersonId> = BTreeMap::new();
    let raw = sheet.raw.as_ref().and_then(|raw| raw.people.get());
    for (id, record) in raw.into_iter().flat_map(Names::good) {
        match &record.mail {
            Field::Given(mail) => check_address(mail, &mut found),
            Field::Absent if record.webhook.is_absent() => {
                let what =
                    format!("`{}` has no mail address, so no mail reaches this person", id.value);
                found.push(Finding::warning(id.at, what));
            }
            Field::Absent | Field::Bad(_) => {}
        }
        if let Some(webhook) = record.webhook.given() {
            known.check(&known.webhooks, webhook, &mut found);
        }
        if let Some(account) = record.unix_user.given()
            && let Some(other) = accounts.insert(&account.value.0, &id.value)
        {
            let what = format!("the account `{}` is also that of `{other}`", account.value.0);
            found.push(Finding::error(account.at, what).hint("an account speaks for one person"));
        }
        let roles =
            record.roles.get().map(|roles| roles.0.iter().map(|role| role.value.clone()).collect());
        let person = Person {
            name: text(&record.name, &record.name_zh),
            language: record.language.get().copied(),
            mail: record.mail.get().map(|mail| mail.0.clone()),
            phone: record.phone.get().cloned(),
            webhook: record.webhook.get().cloned(),
            team: record.team.get().cloned(),
            roles: roles.unwrap_or_default(),
            unix_user: record.unix_user.get().map(|user| user.0.clone()),
        };
        places.people.insert(id.value.clone(), FilePlace { file: sheet.file.clone(), at: id.at });
        people.insert(id.value.clone(), person);
    }
    findings.add(&sheet.file, found);
    people
}
