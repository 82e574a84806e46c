//! `host:` of a job → where it runs, and whether what it asks for is there.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{Known, NameSet};
use crate::definition::defect::Finding;
use crate::definition::raw::job::JobRecord;
use crate::definition::raw::placement::{Placed, WhereRecord};
use crate::definition::raw::{At, Named, Names};
use crate::definition::site::{Host, Job, NeedOf, Placement};
use crate::types::{HostName, JobName, PoolName};

/// `None`: it names nothing that is there, which has been reported. `jobs`: those of the batch, where it may name one.
pub(super) fn placement(
    given: &At<Placed>,
    jobs: Option<&NameSet<JobName>>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<Placement> {
    let record = match &given.value {
        Placed::On(host) => {
            found.extend(known.unknown(&known.hosts, host, given.at));
            return Some(Placement::On(host.clone()));
        }
        Placed::Where(record) => record,
    };
    let WhereRecord { label, choose, same_as } = &**record;
    if label.is_absent() == same_as.is_absent() {
        let finding = Finding::error(given.at, "it has exactly one of `label` and `same_as`");
        found.push(finding.hint("such as `host: {label: reporting}`"));
        return None;
    }
    if let Some(label) = label.given() {
        known.check(&known.labels, label, found);
        let (label, choose) = (label.value.clone(), choose.or_default());
        return Some(Placement::Among { label, choose });
    }
    if let Some(at) = choose.at() {
        found.push(Finding::error(at, "`choose` goes with `label`, which is not here"));
    }
    let job = same_as.given()?;
    let Some(jobs) = jobs else {
        let finding = Finding::error(job.at, "what all jobs have by default names none of them");
        found.push(finding.hint("give `same_as` to the jobs that it is for"));
        return None;
    };
    known.check(jobs, job, found);
    Some(Placement::SameAs { job: job.value.clone() })
}

type Jobs<'a> = BTreeMap<&'a JobName, &'a Job>;

/// What can be told only of all jobs of a batch together.
pub(super) fn check(
    records: &[Named<JobName, JobRecord>],
    jobs: &[Job],
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) {
    let jobs: Jobs<'_> = jobs.iter().map(|job| (&job.name, job)).collect();
    for Named { key, value } in records {
        let (Some(raw), Some(job)) = (value.get(), jobs.get(&key.value)) else { continue };
        if let (Placement::SameAs { job: other }, Some(host)) = (&job.host, raw.host.given())
            && jobs.contains_key(other)
            && !needs(&jobs, job, other)
        {
            let what = format!("`{}` runs where `{other}` ran, and does not need it", job.name);
            let hint = format!("add `{other}` to its `needs`");
            found.push(Finding::error(host.at, what).hint(hint));
            continue;
        }
        let hosts = hosts(&jobs, job, known);
        if let Some(user) = raw.user.given() {
            let refuses = |(name, host): &&(&HostName, &Host)| {
                !name.is_local() && !host.users.contains(&user.value.0)
            };
            let refusing: Vec<&str> =
                hosts.iter().filter(refuses).map(|(name, _)| name.as_str()).collect();
            if !refusing.is_empty() {
                let (user_name, names) = (&user.value.0, refusing.join(", "));
                let what = format!("`{user_name}` is no account that jobs may become on {names}");
                let hint = "add it to `users` of that host in hosts.yaml";
                found.push(Finding::error(user.at, what).hint(hint));
            }
        }
        for (pool, units) in raw.pools.get().into_iter().flat_map(Names::good) {
            found.extend(without_units(pool, units.to_u32(), &hosts, known));
        }
    }
}

/// A host's own pool takes the place of the site's. Where some host that it may run on has none of either, or none has
/// enough, that is a defect.
fn without_units(
    pool: &At<PoolName>,
    units: u32,
    hosts: &[(&HostName, &Host)],
    known: &Known<'_>,
) -> Option<Finding> {
    if !known.host_pools.contains(&pool.value) {
        return None;
    }
    let site = known.pool_sizes.get(&pool.value).copied();
    let size = |host: &Host| host.pools.get(&pool.value).copied().or(site);
    if let Some((name, _)) = hosts.iter().find(|(_, host)| size(host).is_none()) {
        let what =
            format!("it may run on {name}, which has no pool `{}`, nor has the site", pool.value);
        let hint = "declare the pool there, or give the job another `host`";
        return Some(Finding::error(pool.at, what).hint(hint));
    }
    let most = hosts.iter().filter_map(|(_, host)| size(host)).max()?;
    (units > most).then(|| {
        let what = format!(
            "takes {units} of the pool `{}`, which has {most}: it could never start",
            pool.value
        );
        Finding::error(pool.at, what)
    })
}

/// Hosts that it may run on, as far as they are declared.
fn hosts<'a>(jobs: &Jobs<'a>, job: &'a Job, known: &'a Known<'_>) -> Vec<(&'a HostName, &'a Host)> {
    let mut job = job;
    for _ in 0..=jobs.len() {
        match &job.host {
            Placement::On(host) => {
                return known.declared_hosts.get_key_value(host).into_iter().collect();
            }
            Placement::Among { label, .. } => {
                let hosts = known.declared_hosts.iter();
                return hosts.filter(|(_, host)| host.labels.contains(label)).collect();
            }
            Placement::SameAs { job: other } => match jobs.get(other) {
                Some(other) => job = other,
                None => break,
            },
        }
    }
    Vec::new()
}

/// Whether a job needs another one of its batch, directly or through others.
fn needs<'a>(jobs: &Jobs<'a>, job: &'a Job, other: &JobName) -> bool {
    let mut seen: BTreeSet<&JobName> = BTreeSet::new();
    let mut next = vec![job];
    while let Some(job) = next.pop() {
        for need in &job.needs {
            let NeedOf::Job(name) = &need.of else { continue };
            if name == other {
                return true;
            }
            if seen.insert(name) {
                next.extend(jobs.get(name));
            }
        }
    }
    false
}
