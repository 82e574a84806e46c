//! `webhooks:` of site.yaml → where messages are told over HTTP.

use std::collections::BTreeMap;

use super::targets::file;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::site::SiteFile;
use crate::definition::raw::webhook::WebhookRecord;
use crate::definition::raw::{At, Field, Names, Word};
use crate::definition::site::{Webhook, WebhookFormat, WebhookUrl};
use crate::types::ChannelName;

pub(super) fn resolve(raw: &SiteFile, found: &mut Vec<Finding>) -> BTreeMap<ChannelName, Webhook> {
    let records = raw.webhooks.get().into_iter().flat_map(Names::good);
    records
        .filter_map(|(name, record)| Some((name.value.clone(), webhook(record, name.at, found)?)))
        .collect()
}

pub(in crate::definition) fn webhook(
    raw: &WebhookRecord,
    name: Place,
    found: &mut Vec<Finding>,
) -> Option<Webhook> {
    let format = *raw.format.get()?;
    let url = match (&raw.url_file, &raw.url) {
        (Field::Absent, Field::Absent) => {
            let finding = Finding::error(name, "a webhook has an address");
            found.push(finding.hint("name the file that holds it: `url_file: /etc/nightrun/…`"));
            return None;
        }
        (given, Field::Absent) => WebhookUrl::File({
            let path = file(given, found);
            path?
        }),
        (Field::Absent, given) => WebhookUrl::Url(address(given.given()?, format, found)),
        (_, given) => {
            let at = given.at().unwrap_or(name);
            found.push(Finding::error(at, "a webhook has both `url_file` and `url`"));
            return None;
        }
    };
    if let Some(secret) = raw.secret_file.given().filter(|_| !format.signs()) {
        let what =
            format!("messages to {} are not signed: its address is its secret", format.word());
        found.push(Finding::error(secret.at, what).hint("leave `secret_file` out"));
    }
    Some(Webhook {
        format,
        url,
        secret_file: file(&raw.secret_file, found),
        ca: file(&raw.ca, found),
        language: raw.language.get().copied(),
        output: raw.output.or(false),
    })
}

/// One that stands in the job files.
fn address(given: &At<Word>, format: WebhookFormat, found: &mut Vec<Finding>) -> String {
    let text = &given.value.0;
    if format != WebhookFormat::Json {
        let what = format!("the address of a {} room is its password", format.word());
        let hint = "write it into a file that only nightrun reads, and name that: `url_file:`";
        found.push(Finding::error(given.at, what).hint(hint));
    }
    over_http(given, "https://alarms.bank.example/nightrun", found);
    text.clone()
}

/// Whether it is an address at all; in the clear it is one for this host only. `such_as`: one that would be right.
pub(in crate::definition) fn over_http(
    given: &At<Word>,
    such_as: &str,
    found: &mut Vec<Finding>,
) -> bool {
    let text = &given.value.0;
    let host = |rest: &str| rest.split(['/', ':', '?']).next().unwrap_or_default().to_owned();
    match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) if !host(rest).is_empty() => true,
        (_, Some(rest)) if !host(rest).is_empty() => {
            if !["localhost", "127.0.0.1", "[::1]"].contains(&host(rest).as_str()) {
                let what = "what is sent there goes over the network in the clear";
                found.push(Finding::warning(given.at, what).hint("use https://"));
            }
            true
        }
        _ => {
            let what = format!("`{}` is no address", text.escape_debug());
            found.push(Finding::error(given.at, what).hint(format!("such as {such_as}")));
            false
        }
    }
}
