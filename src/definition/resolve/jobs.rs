//! A job of a batch → the job as it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::days::{self, Usual};
use super::known::{Known, NameSet};
use super::placement::placement;
use super::settings::text;
use crate::definition::byte_size::ByteSize;
use crate::definition::defect::Finding;
use crate::definition::places::JobPlaces;
use crate::definition::raw::job::{JobRecord, RetryRecord, SuccessRecord};
use crate::definition::raw::{At, Field, Growth, List, Names, Word};
use crate::definition::site::{EndingKind, Job, Kind, Placement, Retry, Slurm, Success, Survivors};
use crate::definition::source::SourceTree;
use crate::types::{BatchId, JobName, PoolName, Span, WindowClass};

/// Resolves the jobs of one batch.
pub(super) struct JobResolver<'a, 'r> {
    pub known: &'a Known<'r>,
    pub tree: &'a SourceTree,
    /// The batch file's folder.
    pub folder: &'a Path,
    pub batch: Option<&'a BatchId>,
    pub calendar: Usual<'a>,
    pub window: Option<&'a WindowClass>,
    pub parameters: Vec<&'a str>,
    pub jobs: NameSet<JobName>,
    /// Of jobs that say nothing.
    pub host: Placement,
    pub found: &'a mut Vec<Finding>,
}

impl JobResolver<'_, '_> {
    /// The job with its places; `None` where too much is wrong with it, which has been reported.
    pub(super) fn job(&mut self, name: &At<JobName>, raw: &JobRecord) -> Option<(Job, JobPlaces)> {
        let kind = self.kind(name, raw);
        let needs = raw.needs.get().map_or(&[][..], |needs| &needs.0);
        let (needs, need_places) = self.needs(&name.value, needs);
        self.check_expected(name, raw);
        self.positive(&raw.time_limit, "time_limit");
        let host = match raw.host.given() {
            Some(host) => placement(host, Some(&self.jobs), self.known, self.found),
            None => None,
        };
        if let Some(window) = raw.window.given() {
            self.known.check(&self.known.windows, window, self.found);
        }
        if let Some(dir) = raw.dir.given() {
            self.check_words(&dir.value.0, dir);
        }
        let retry =
            raw.retry.get().map_or_else(Retry::default, |retry| self.retry(retry, kind.as_ref()));
        let days = raw
            .days
            .given()
            .map(|words| days::rule(words, &raw.calendar, self.calendar, self.known, self.found));
        let places = JobPlaces { at: name.at, days: raw.days.at(), needs: need_places };
        let slurm = self.slurm(raw);
        let grace = if slurm.is_some() { Slurm::GRACE } else { Job::GRACE };
        let pools = self.pools(raw);
        let env = self.env(raw);
        let job = Job {
            name: name.value.clone(),
            title: text(&raw.title, &raw.title_zh),
            kind: kind?,
            slurm,
            needs,
            critical: raw.critical.or(true),
            severity: raw.severity.get().copied(),
            retry,
            time_limit: raw.time_limit.get().copied(),
            grace: raw.grace.or(grace),
            output_limit: raw.output_limit.or(ByteSize(Job::OUTPUT_LIMIT)).0,
            log_masks: raw.log_masks.get().map(words).unwrap_or_default(),
            must_start_by: raw.must_start_by.get().copied(),
            must_complete_by: raw.must_complete_by.get().copied(),
            expected: self.expected(raw),
            pools,
            priority: raw.priority.get().map_or(0, |priority| priority.to_i32()),
            env,
            dir: raw.dir.get().map(|dir| PathBuf::from(&dir.0)),
            user: raw.user.get().map(|user| user.0.clone()),
            host: host.unwrap_or_else(|| self.host.clone()),
            runbook: raw.runbook.get().map(|_| text(&raw.runbook, &raw.runbook_zh)),
            runbook_reviewed: raw.runbook_reviewed.get().copied(),
            contain: raw.contain.get().map(|named| named.0.iter().map(|what| what.value).collect()),
            success: raw.success.get().map_or_else(Success::default, success),
            days,
            window: raw.window.get().cloned(),
            survivors: raw.survivors.or(Survivors::Kill),
        };
        Some((job, places))
    }

    /// A job of a change that says nothing takes as long as its change says.
    fn expected(&self, raw: &JobRecord) -> Option<Span> {
        let of_change = || self.known.change_files.get(raw.change.get()?)?.expected.get();
        raw.expected.get().or_else(of_change).copied()
    }

    /// What belongs to a window class must say how long it takes, or nobody can tell whether it fits.
    fn check_expected(&mut self, name: &At<JobName>, raw: &JobRecord) {
        let Some(window) = raw.window.get().or(self.window) else { return };
        if raw.expected.is_absent() && self.expected(raw).is_none() {
            let what = format!(
                "`{}` belongs to the window class `{window}` and has no `expected:`",
                name.value
            );
            let hint =
                "say how long it usually takes, such as `expected: 30s`: it starts only if it fits";
            self.found.push(Finding::error(name.at, what).hint(hint));
        }
    }

    pub(super) fn positive(&mut self, field: &Field<Span>, key: &str) {
        if let Some(span) = field.given()
            && span.value == Span::default()
        {
            self.found
                .push(Finding::error(span.at, format!("`{key}` must be longer than nothing")));
        }
    }

    fn retry(&mut self, raw: &RetryRecord, kind: Option<&Kind>) -> Retry {
        let on = match raw.on.get() {
            Some(on) => on.0.iter().map(|ending| ending.value).collect(),
            None => Retry::ON.to_vec(),
        };
        if matches!(kind, Some(Kind::Change { .. })) {
            let endings = raw.on.get().map_or(&[][..], |on| &on.0);
            for ending in endings {
                if matches!(ending.value, EndingKind::Lost | EndingKind::Unknown) {
                    let what = "a change that may be half done is not retried by itself";
                    let hint = "leave `lost` and `unknown` out: people decide";
                    self.found.push(Finding::error(ending.at, what).hint(hint));
                }
            }
        }
        Retry {
            max: raw.max.get().map_or(0, |max| max.to_u32()),
            wait: raw.wait.or(Span::default()),
            growth: raw.growth.or(Growth(1.0)).0,
            on,
        }
    }

    fn pools(&mut self, raw: &JobRecord) -> BTreeMap<PoolName, u32> {
        let mut pools = BTreeMap::new();
        for (name, units) in raw.pools.get().into_iter().flat_map(Names::good) {
            self.known.check(&self.known.pools, name, self.found);
            let units = units.to_u32();
            if !self.known.host_pools.contains(&name.value)
                && let Some(size) = self.known.pool_sizes.get(&name.value)
                && units > *size
            {
                let what = format!(
                    "takes {units} of the pool `{}`, which has {size}: it could never start",
                    name.value
                );
                self.found.push(Finding::error(name.at, what));
            }
            pools.insert(name.value.clone(), units);
        }
        pools
    }

    fn env(&mut self, raw: &JobRecord) -> BTreeMap<String, String> {
        let mut env = BTreeMap::new();
        for named in raw.env.get().into_iter().flat_map(|names| &names.0) {
            if let Some(value) = named.value.given() {
                self.check_words(&value.value, value);
                env.insert(named.key.value.0.clone(), value.value.clone());
            }
        }
        env
    }
}

fn success(raw: &SuccessRecord) -> Success {
    let codes =
        raw.exit_codes.get().map(|codes| codes.0.iter().map(|code| code.value.to_i32()).collect());
    Success {
        exit_codes: codes.unwrap_or_else(|| vec![0]),
        line: raw.line.get().map(|line| line.0.clone()),
    }
}

fn words(list: &List<Word>) -> Vec<String> {
    list.0.iter().map(|word| word.value.0.clone()).collect()
}
