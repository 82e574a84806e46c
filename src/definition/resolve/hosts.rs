//! `hosts.yaml` → the hosts that jobs run on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::settings::text;
use crate::definition::defect::Finding;
use crate::definition::raw::hosts::HostRecord;
use crate::definition::raw::{At, Field, List, Names, Word};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{Host, Ssh};
use crate::types::HostName;

pub(super) fn resolve(sheets: &Sheets, findings: &mut Findings) -> BTreeMap<HostName, Host> {
    let mut hosts = BTreeMap::from([(HostName::local(), Host::default())]);
    let Some(sheet) = &sheets.hosts else { return hosts };
    let mut found = Vec::new();
    let raw = sheet.raw.as_ref().and_then(|raw| raw.hosts.get());
    for (name, record) in raw.into_iter().flat_map(Names::good) {
        hosts.insert(name.value.clone(), host(name, record, &mut found));
    }
    findings.add(&sheet.file, found);
    hosts
}

fn host(name: &At<HostName>, raw: &HostRecord, found: &mut Vec<Finding>) -> Host {
    let local = name.value.is_local();
    if local {
        refuse_link(raw, found);
    }
    if let (Field::Absent, Field::Given(title)) = (&raw.title, &raw.title_zh) {
        found.push(Finding::error(title.at, "`title_zh` needs `title`"));
    }
    if let Some(folder) = raw.folder.given().filter(|given| given.value.0.starts_with('~')) {
        let finding = Finding::error(folder.at, "`~` means nothing here");
        found.push(finding.hint("a relative folder lies beneath the home of the user there"));
    }
    let pools = raw.pools.get().into_iter().flat_map(Names::good);
    Host {
        title: raw.title.get().map(|_| text(&raw.title, &raw.title_zh)),
        ssh: (!local).then(|| ssh(&name.value, raw, found)),
        folder: PathBuf::from(raw.folder.get().map_or(Host::FOLDER, |folder| &folder.0)),
        labels: items(&raw.labels).cloned().collect(),
        max_running: raw.max_running.get().map_or(Host::MAX_RUNNING, |most| most.to_u32()),
        pools: pools.map(|(name, size)| (name.value.clone(), size.to_u32())).collect(),
        users: items(&raw.users).map(|user| user.0.clone()).collect(),
        trial: raw.trial.or(false),
        away_after: raw.away_after.or(Host::AWAY_AFTER),
    }
}

/// Nothing leads from the supervisor's host to itself.
fn refuse_link(raw: &HostRecord, found: &mut Vec<Finding>) {
    for (key, at) in [
        ("address", raw.address.at()),
        ("user", raw.user.at()),
        ("port", raw.port.at()),
        ("ssh", raw.ssh.at()),
        ("folder", raw.folder.at()),
    ] {
        if let Some(at) = at {
            let what =
                format!("`{}` is the supervisor's own host and takes no `{key}`", HostName::LOCAL);
            found
                .push(Finding::error(at, what).hint("leave it out, or give the host another name"));
        }
    }
}

fn ssh(name: &HostName, raw: &HostRecord, found: &mut Vec<Finding>) -> Ssh {
    for word in [&raw.address, &raw.user] {
        found.extend(word.given().and_then(no_word_of_ssh));
    }
    Ssh {
        address: raw.address.get().map_or_else(|| name.to_string(), |address| address.0.clone()),
        user: raw.user.get().map(|user| user.0.clone()),
        port: raw.port.get().and_then(|port| u16::try_from(port.0).ok()),
        options: items(&raw.ssh).map(|word| word.0.clone()).collect(),
    }
}

/// What ssh would take for something else.
fn no_word_of_ssh(given: &At<Word>) -> Option<Finding> {
    let text = &given.value.0;
    if text.starts_with('-') {
        let what = format!("`{}` would be an option of ssh", text.escape_debug());
        return Some(Finding::error(given.at, what).hint("options stand in `ssh`"));
    }
    let odd = text.chars().find(|c| c.is_whitespace() || c.is_control())?;
    let what = format!("no host or user of ssh has `{}` in its name", odd.escape_debug());
    Some(Finding::error(given.at, what))
}

fn items<T>(list: &Field<List<T>>) -> impl Iterator<Item = &T> {
    list.get().into_iter().flat_map(|list| list.0.iter().map(|item| &item.value))
}
