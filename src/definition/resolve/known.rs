//! The names that files may refer to, taken from all files before any of them is resolved.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::raw::change::ChangeFile;
use crate::definition::raw::site::SiteFile;
use crate::definition::raw::{At, Field, Names};
use crate::definition::sheets::{Sheet, Sheets};
use crate::definition::site::Host;
use crate::sql::Dialect;
use crate::types::{
    BatchId, CalendarName, ChangeId, ChannelName, HostName, JobName, Label, PersonId, PolicyName,
    PoolName, Role, ShiftName, TargetName, TeamName, WindowClass, Zone,
};

/// Names of one kind.
pub(super) struct NameSet<N> {
    kind: &'static str,
    names: BTreeSet<N>,
    /// Whether these are all: not where the file that declares them could not be read.
    complete: bool,
}

pub(super) struct Known<'r> {
    /// The site's zone; UTC where site.yaml does not give a good one.
    pub zone: Zone,
    pub calendar: Option<CalendarName>,
    /// Whether site.yaml could be read, so that what it lacks is lacking.
    pub settings_read: bool,
    pub calendars: NameSet<CalendarName>,
    pub windows: NameSet<WindowClass>,
    pub pools: NameSet<PoolName>,
    pub pool_sizes: BTreeMap<&'r PoolName, u32>,
    pub hosts: NameSet<HostName>,
    pub declared_hosts: &'r BTreeMap<HostName, Host>,
    /// Labels that some host has.
    pub labels: NameSet<Label>,
    /// Pools that some host has for itself.
    pub host_pools: BTreeSet<PoolName>,
    pub targets: NameSet<TargetName>,
    /// What each target that is declared speaks.
    dialects: BTreeMap<&'r TargetName, Dialect>,
    pub webhooks: NameSet<ChannelName>,
    pub people: NameSet<PersonId>,
    pub teams: NameSet<TeamName>,
    pub shifts: NameSet<ShiftName>,
    pub policies: NameSet<PolicyName>,
    /// Roles that somebody has.
    pub roles: NameSet<Role>,
    pub changes: NameSet<ChangeId>,
    pub change_files: BTreeMap<&'r ChangeId, &'r ChangeFile>,
    /// The environment of each target that could be read.
    pub environments: BTreeMap<&'r TargetName, &'r str>,
    pub batches: NameSet<BatchId>,
    /// The jobs of each batch that is declared once; of others the first.
    pub jobs: BTreeMap<&'r BatchId, NameSet<JobName>>,
    compared: Cell<usize>,
}

/// Names that may be compared in search of the nearest one: whoever has mistyped thousands will not miss the last hints.
const MOST_COMPARED: usize = 500_000;

impl<'r> Known<'r> {
    pub(super) fn of(sheets: &'r Sheets, declared_hosts: &'r BTreeMap<HostName, Host>) -> Self {
        let site = sheets.site.as_ref().and_then(|sheet| sheet.raw.as_ref());
        let windows = raw(sheets.windows.as_ref());
        let people = raw(sheets.people.as_ref());
        let mut pools = declared("pool", site.map(|s| &s.pools), site.is_some());
        let of_hosts = declared_hosts.values().flat_map(|host| host.pools.keys().cloned());
        let host_pools: BTreeSet<PoolName> = of_hosts.collect();
        pools.names.extend(host_pools.iter().cloned());
        let hosts_read = sheets.hosts.as_ref().is_none_or(|sheet| sheet.raw.is_some())
            && site.is_none_or(|s| s.hosts.is_absent());
        let mut hosts = declared("host", raw(sheets.hosts.as_ref()).map(|f| &f.hosts), hosts_read);
        hosts.names.insert(HostName::local());
        pools.complete &= hosts_read;
        let labels = NameSet {
            kind: "label",
            names: declared_hosts.values().flat_map(|host| host.labels.iter().cloned()).collect(),
            complete: hosts.complete,
        };
        let roles: BTreeSet<Role> = people
            .and_then(|file| file.people.get())
            .into_iter()
            .flat_map(Names::good)
            .filter_map(|(_, person)| person.roles.get())
            .flat_map(|roles| roles.0.iter().map(|role| role.value.clone()))
            .collect();
        let windows_read = sheets.windows.as_ref().is_none_or(|sheet| sheet.raw.is_some());
        let shifts = raw(sheets.shifts.as_ref());
        let shifts_read = sheets.shifts.as_ref().is_none_or(|sheet| sheet.raw.is_some());
        let people_read = sheets.people.as_ref().is_none_or(|sheet| sheet.raw.is_some());
        let (batches, jobs) = batches(sheets);
        Self {
            zone: site.and_then(|s| s.zone.get()).cloned().unwrap_or_else(Zone::utc),
            calendar: site.and_then(|s| s.calendar.get()).cloned(),
            settings_read: site.is_some_and(|s| !matches!(s.calendar, Field::Bad(_))),
            calendars: NameSet::all("calendar", sheets.calendars.keys().cloned()),
            windows: declared("window class", windows.map(|f| &f.windows), windows_read),
            pool_sizes: pool_sizes(site.and_then(|s| s.pools.get())),
            pools,
            hosts,
            declared_hosts,
            labels,
            host_pools,
            targets: declared("target", site.map(|s| &s.targets), site.is_some()),
            dialects: dialects(site),
            webhooks: declared("webhook", site.map(|s| &s.webhooks), site.is_some()),
            people: declared("person", people.map(|f| &f.people), people_read),
            teams: declared("team", people.map(|f| &f.teams), people_read),
            shifts: declared("shift", shifts.map(|f| &f.shifts), shifts_read),
            policies: declared(
                "policy",
                raw(sheets.escalation.as_ref()).map(|f| &f.policies),
                sheets.escalation.as_ref().is_none_or(|sheet| sheet.raw.is_some()),
            ),
            roles: NameSet { kind: "role", names: roles, complete: people_read },
            changes: NameSet::all("change", sheets.changes.keys().cloned()),
            change_files: sheets
                .changes
                .iter()
                .filter_map(|(id, sheet)| Some((id, sheet.raw.as_ref()?)))
                .collect(),
            environments: site
                .and_then(|s| s.targets.get())
                .into_iter()
                .flat_map(Names::good)
                .filter_map(|(name, target)| {
                    Some((&name.value, target.environment.get()?.0.as_str()))
                })
                .collect(),
            batches,
            jobs,
            compared: Cell::new(0),
        }
    }

    /// Whether scripts for a target are given to a client program, which alone can read them.
    pub(super) fn is_client(&self, target: Option<&TargetName>) -> bool {
        target.is_some_and(|target| {
            self.targets.contains(target) && !self.dialects.contains_key(target)
        })
    }

    /// How the scripts of a target are read. Where it is not known, which is reported by itself, as for a file.
    pub(super) fn dialect(&self, target: Option<&TargetName>) -> Dialect {
        target.and_then(|target| self.dialects.get(target)).copied().unwrap_or(Dialect::Sqlite)
    }

    /// Warns of a role that nobody has: most often a slip of the pen.
    pub(super) fn somebody_has(&self, role: &At<Role>, found: &mut Vec<Finding>) {
        if self.roles.is_complete() && !self.roles.contains(&role.value) {
            let what = format!("nobody in people.yaml has the role `{}`", role.value);
            let hint = self.hint(&self.roles, role.value.as_str());
            found.push(Finding::warning(role.at, what).maybe_hint(hint));
        }
    }

    /// Reports a name that is not known.
    pub(super) fn check<N: Ord + Display>(
        &self,
        set: &NameSet<N>,
        name: &At<N>,
        found: &mut Vec<Finding>,
    ) {
        found.extend(self.unknown(set, &name.value, name.at));
    }

    /// The finding where a name is not known; `None` where it is, or where that cannot be told.
    pub(super) fn unknown<N: Ord + Display>(
        &self,
        set: &NameSet<N>,
        name: &N,
        at: Place,
    ) -> Option<Finding> {
        if set.names.contains(name) || !set.complete {
            return None;
        }
        let what = format!("unknown {} `{name}`", set.kind);
        Some(Finding::error(at, what).maybe_hint(self.hint(set, &name.to_string())))
    }

    /// Counts a search among so many names; false when there have been enough.
    pub(super) fn may_compare(&self, names: usize) -> bool {
        let compared = self.compared.get().saturating_add(names);
        self.compared.set(compared);
        compared <= MOST_COMPARED
    }

    pub(super) fn hint<N: Display>(&self, set: &NameSet<N>, name: &str) -> Option<String> {
        if !self.may_compare(set.names.len()) {
            return None;
        }
        let names: Vec<String> = set.names.iter().map(ToString::to_string).collect();
        nearest::hint(name, names.iter().map(String::as_str)).or_else(|| match names.len() {
            0 => Some(format!("no {} is declared", set.kind)),
            1..=8 => Some(format!("known: {}", names.join(", "))),
            _ => None,
        })
    }
}

fn dialects(site: Option<&SiteFile>) -> BTreeMap<&TargetName, Dialect> {
    let targets = site.and_then(|site| site.targets.get()).into_iter().flat_map(Names::good);
    targets
        .filter_map(|(name, record)| {
            let of = [
                (&record.sqlite.at(), Dialect::Sqlite),
                (&record.postgres.at(), Dialect::Postgres),
                (&record.mysql.at(), Dialect::Mysql),
            ];
            let dialect = of.into_iter().find(|(at, _)| at.is_some())?.1;
            Some((&name.value, dialect))
        })
        .collect()
}

impl<N: Ord> NameSet<N> {
    pub(super) fn all(kind: &'static str, names: impl IntoIterator<Item = N>) -> Self {
        Self { kind, names: names.into_iter().collect(), complete: true }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn contains(&self, name: &N) -> bool {
        self.names.contains(name)
    }

    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

fn raw<T>(sheet: Option<&Sheet<T>>) -> Option<&T> {
    sheet.and_then(|sheet| sheet.raw.as_ref())
}

fn declared<N: Clone + Ord, V>(
    kind: &'static str,
    field: Option<&Field<Names<N, V>>>,
    read: bool,
) -> NameSet<N> {
    let names = field.and_then(Field::get).into_iter().flat_map(|names| &names.0);
    NameSet {
        kind,
        names: names.map(|named| named.key.value.clone()).collect(),
        complete: read && !matches!(field, Some(Field::Bad(_))),
    }
}

fn pool_sizes<const LEAST: i64, const MOST: i64>(
    pools: Option<&Names<PoolName, crate::definition::raw::Whole<LEAST, MOST>>>,
) -> BTreeMap<&PoolName, u32> {
    let pools = pools.into_iter().flat_map(Names::good);
    pools.map(|(name, size)| (&name.value, size.to_u32())).collect()
}

type Jobs<'r> = BTreeMap<&'r BatchId, NameSet<JobName>>;

fn batches(sheets: &Sheets) -> (NameSet<BatchId>, Jobs<'_>) {
    let mut complete = true;
    let mut jobs = Jobs::new();
    for sheet in &sheets.batches {
        match sheet.raw.as_ref().and_then(|raw| Some((raw, raw.batch.get()?))) {
            Some((raw, id)) => {
                jobs.entry(id).or_insert_with(|| {
                    let read = !raw.jobs.is_absent() || !raw.changes.is_absent();
                    declared("job", Some(&raw.jobs), read)
                });
            }
            None => complete = false,
        }
    }
    let names = jobs.keys().map(|id| (*id).clone()).collect();
    (NameSet { kind: "batch", names, complete }, jobs)
}
