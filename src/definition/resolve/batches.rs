//! Batch files → batches, and what can be seen only when all of them are there.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Time;

use super::changes::values;
use super::days::{self, Usual};
use super::jobs::JobResolver;
use super::known::{Known, NameSet};
use super::placement;
use super::settings::text;
use crate::definition::cron_text;
use crate::definition::cycles;
use crate::definition::day_words::business_days;
use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::places::{BatchPlaces, Places};
use crate::definition::raw::batch::{BatchFile, ScheduleRecord};
use crate::definition::raw::{At, Field, MissedWord, Names, Word};
use crate::definition::sheets::{Findings, Sheet, Sheets};
use crate::definition::site::{
    Batch, BusinessDateRule, ChangeList, ChangeRules, FoldPolicy, GapPolicy, Missed, NeedOf,
    Schedule, ScheduleRule,
};
use crate::definition::source::SourceTree;
use crate::types::{BatchId, HostName, JobName};

pub(super) fn resolve(
    tree: &SourceTree,
    sheets: &Sheets,
    (known, rules): (&Known<'_>, Option<&ChangeRules>),
    findings: &mut Findings,
    places: &mut Places,
) -> BTreeMap<BatchId, Arc<Batch>> {
    let mut batches = BTreeMap::new();
    let mut first: BTreeMap<&BatchId, (&PathBuf, Place)> = BTreeMap::new();
    for sheet in &sheets.batches {
        let Some(raw) = &sheet.raw else { continue };
        let mut found = Vec::new();
        let list = list(sheets, raw, rules, &mut found);
        let resolved = batch(tree, sheet, raw, known, &mut found)
            .map(|(batch, places)| (Batch { list, ..batch }, places));
        if let Some(id) = raw.batch.given() {
            if let Some((file, at)) = first.get(&id.value) {
                let what = format!(
                    "the batch `{}` is declared twice, first in {}:{}",
                    id.value,
                    file.display(),
                    at.line
                );
                found.push(Finding::error(id.at, what));
            } else {
                first.insert(&id.value, (&sheet.file, id.at));
                if let Some((batch, batch_places)) = resolved {
                    batches.insert(id.value.clone(), Arc::new(batch));
                    places.batches.insert(id.value.clone(), batch_places);
                }
            }
        }
        findings.add(&sheet.file, found);
    }
    report_circles(&batches, places, findings);
    batches
}

fn batch(
    tree: &SourceTree,
    sheet: &Sheet<BatchFile>,
    raw: &BatchFile,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<(Batch, BatchPlaces)> {
    if let Some(calendar) = raw.calendar.given() {
        known.check(&known.calendars, calendar, found);
    }
    if let Some(window) = raw.window.given() {
        known.check(&known.windows, window, found);
    }
    if let Some(policy) = raw.escalation.given() {
        known.check(&known.policies, policy, found);
    }
    let usual = Usual::of_batch(&raw.calendar, known);
    let schedule =
        raw.schedule.given().and_then(|schedule| self::schedule(schedule, usual, known, found));
    let business_date = business_date(&raw.business_date, usual, found);
    let (jobs, job_places) = jobs(tree, sheet, raw, known, usual, found);
    let id = raw.batch.given()?;
    let zone = schedule.as_ref().map_or(&known.zone, |schedule| &schedule.zone).clone();
    let parameters = raw.parameters.get().into_iter().flat_map(Names::good);
    let batch = Batch {
        id: id.value.clone(),
        title: text(&raw.title, &raw.title_zh),
        team: raw.team.get().cloned(),
        file: sheet.file.clone(),
        calendar: usual.calendar.cloned(),
        since: raw.since.get().copied(),
        schedule,
        on_event: raw.on_event.get().cloned(),
        business_date,
        zone,
        window: raw.window.get().cloned(),
        must_start_by: raw.must_start_by.get().copied(),
        must_complete_by: raw.must_complete_by.get().copied(),
        severity: raw.severity.get().copied(),
        escalation: raw.escalation.get().cloned(),
        parameters: parameters
            .map(|(name, default)| (name.value.0.clone(), default.0.clone()))
            .collect(),
        jobs,
        list: None,
    };
    let places = BatchPlaces {
        file: sheet.file.clone(),
        at: id.at,
        schedule: raw.schedule.at(),
        jobs: job_places,
    };
    Some((batch, places))
}

/// A batch has jobs or takes changes for jobs; these go by the rules of the house.
fn list(
    sheets: &Sheets,
    raw: &BatchFile,
    rules: Option<&ChangeRules>,
    found: &mut Vec<Finding>,
) -> Option<ChangeList> {
    if raw.changes.is_absent() {
        if let (true, Some(id)) = (raw.jobs.is_absent(), raw.batch.given()) {
            let what = format!("the batch `{}` has neither `jobs` nor `changes`", id.value);
            let hint = "`jobs:` declares what it runs, `changes:` takes what is on a list";
            found.push(Finding::error(id.at, what).hint(hint));
        }
        return None;
    }
    if let (Some(jobs), Some(at)) = (raw.jobs.at(), raw.changes.at()) {
        let what = "a batch has `jobs` or `changes`, not both";
        let place = if at.line > jobs.line { at } else { jobs };
        let hint = "a change beside other jobs is a job of its own: `change: ID`";
        found.push(Finding::error(Place { length: 1, ..place }, what).hint(hint));
    }
    let list = raw.changes.given()?;
    if let Some(at) = raw.host.at() {
        let finding = Finding::error(at, "changes of a list are executed from `local`");
        found.push(finding.hint("a change that is executed elsewhere is a job: `change: ID`"));
    }
    let environment = list.value.environment.given();
    if sheets.change_rules.is_none() {
        let what = "a list goes by the rules of changes, and there is no change-rules.yaml";
        let hint = "`nightrun init --change-rules h` writes one";
        found.push(Finding::error(Place { length: 1, ..list.at }, what).hint(hint));
    } else if let (Some(rules), Some(named)) = (rules, environment)
        && !rules.environments.contains(&named.value)
    {
        let what = format!("`{}` is not among `environments` of change-rules.yaml", named.value);
        let names = rules.environments.iter().map(String::as_str);
        let hint = nearest::hint(&named.value, names);
        found.push(Finding::error(named.at, what).maybe_hint(hint));
    }
    Some(ChangeList {
        environment: environment?.value.clone(),
        classes: values(&list.value.classes),
        kinds: values(&list.value.kinds),
    })
}

type Jobs =
    (Vec<crate::definition::site::Job>, BTreeMap<JobName, crate::definition::places::JobPlaces>);

fn jobs(
    tree: &SourceTree,
    sheet: &Sheet<BatchFile>,
    raw: &BatchFile,
    known: &Known<'_>,
    calendar: Usual<'_>,
    found: &mut Vec<Finding>,
) -> Jobs {
    let names = raw.jobs.get().map_or(&[][..], |jobs| &jobs.0);
    if let Some(jobs) = raw.jobs.given()
        && jobs.value.0.is_empty()
    {
        found.push(Finding::error(jobs.at, "this batch has no jobs"));
    }
    let host = raw.host.given().and_then(|host| placement::placement(host, None, known, found));
    let host = host.unwrap_or_else(|| HostName::local().into());
    let parameters = raw.parameters.get().into_iter().flat_map(|names| &names.0);
    let mut resolver = JobResolver {
        known,
        tree,
        folder: sheet.folder(),
        batch: raw.batch.get(),
        calendar,
        window: raw.window.get(),
        parameters: parameters.map(|named| named.key.value.0.as_str()).collect(),
        jobs: NameSet::all("job", names.iter().map(|named| named.key.value.clone())),
        host,
        found,
    };
    let mut jobs = Vec::with_capacity(names.len());
    let mut places = BTreeMap::new();
    for named in names {
        let Some(record) = named.value.get() else { continue };
        if let Some((job, job_places)) = resolver.job(&named.key, record) {
            places.insert(job.name.clone(), job_places);
            jobs.push(job);
        }
    }
    placement::check(names, &jobs, known, found);
    (jobs, places)
}

/// `same day`, `-1bd`.
fn business_date(
    field: &Field<Word>,
    usual: Usual<'_>,
    found: &mut Vec<Finding>,
) -> BusinessDateRule {
    let Some(text) = field.given().filter(|text| text.value.0 != "same day") else {
        return BusinessDateRule::default();
    };
    let Some(offset) = business_days(&text.value.0) else {
        let finding =
            Finding::error(text.at, format!("`{}` is not a business-date rule", text.value.0));
        found.push(finding.hint("write `same day`, `-1bd`, `+1bd`"));
        return BusinessDateRule::default();
    };
    if offset != 0 {
        usual.need(text.at, "this", found);
    }
    BusinessDateRule { offset }
}

fn schedule(
    schedule: &At<ScheduleRecord>,
    usual: Usual<'_>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<Schedule> {
    let raw = &schedule.value;
    let rule = rule(schedule, usual, known, found);
    let missed = missed(raw, found);
    Some(Schedule {
        rule: rule?,
        zone: raw.zone.get().unwrap_or(&known.zone).clone(),
        gap: raw.gap.or(GapPolicy::default()),
        fold: raw.fold.or(FoldPolicy::default()),
        missed,
    })
}

fn rule(
    schedule: &At<ScheduleRecord>,
    usual: Usual<'_>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<ScheduleRule> {
    let raw = &schedule.value;
    let forms = "write `on:` with `at:`, or `cron:`";
    if let Some(cron) = raw.cron.given() {
        check_cron(cron, found);
        for (key, at) in [("on", raw.on.at()), ("at", raw.at.at())] {
            if let Some(at) = at {
                let what = format!("a schedule has both `cron` and `{key}`");
                found.push(Finding::error(at, what).hint(forms));
            }
        }
        return Some(ScheduleRule::Cron(cron.value.0.clone()));
    }
    if matches!(raw.cron, Field::Bad(_)) {
        return None;
    }
    match (&raw.on, &raw.at) {
        (Field::Absent, Field::Absent) => {
            found.push(Finding::error(schedule.at, "this schedule says no time").hint(forms));
        }
        (Field::Absent, at) => {
            let at = at.at().unwrap_or(schedule.at);
            found.push(
                Finding::error(at, "`at` needs `on:`").hint("such as `on: every business day`"),
            );
        }
        (on, Field::Absent) => {
            let at = on.at().unwrap_or(schedule.at);
            found.push(Finding::error(at, "`on` needs `at:`").hint("such as `at: [\"21:30\"]`"));
        }
        _ => {}
    }
    let times = times(raw, found);
    let on = days::rule(raw.on.given()?, &Field::Absent, usual, known, found);
    Some(ScheduleRule::Days { on, at: times? })
}

fn times(raw: &ScheduleRecord, found: &mut Vec<Finding>) -> Option<Vec<Time>> {
    let list = raw.at.given()?;
    let mut times: Vec<Time> = Vec::new();
    if list.value.0.is_empty() {
        found.push(Finding::error(list.at, "no time is given").hint("such as `at: [\"21:30\"]`"));
    }
    for time in &list.value.0 {
        if times.contains(&time.value) {
            found.push(Finding::error(time.at, "this time stands here twice"));
        }
        times.push(time.value);
    }
    times.sort();
    Some(times)
}

fn check_cron(cron: &At<Word>, found: &mut Vec<Finding>) {
    let text = &cron.value.0;
    if let Err(error) = cron_text::check(text) {
        let at = if error.part == (0..text.len()) {
            cron.at
        } else {
            cron.part(text, error.part.clone())
        };
        found.push(Finding::error(at, error.what).hint(error.hint));
    }
}

fn missed(raw: &ScheduleRecord, found: &mut Vec<Finding>) -> Missed {
    let word = raw.missed.or(MissedWord::None);
    match (word, &raw.missed_limit) {
        (MissedWord::None, Field::Given(limit)) if !matches!(raw.missed, Field::Bad(_)) => {
            let what = "`missed_limit` has no meaning without `missed: latest` or `missed: all`";
            found.push(Finding::error(limit.at, what));
        }
        (MissedWord::Latest | MissedWord::All, Field::Absent) => {
            let at = raw.missed.at().unwrap_or_default();
            let finding =
                Finding::error(at, "missed starts are made up, but `missed_limit` is missing");
            found.push(finding.hint("say how old a start may be, such as `missed_limit: 6h`"));
        }
        _ => {}
    }
    let limit = raw.missed_limit.get().copied().unwrap_or_default();
    match word {
        MissedWord::None => Missed::None,
        MissedWord::Latest => Missed::Latest { limit },
        MissedWord::All => Missed::All { limit },
    }
}

/// Jobs of a circle that are named.
const LONGEST_PATH: usize = 20;

/// Jobs of the same business date that need each other, through one batch or several.
fn report_circles(
    batches: &BTreeMap<BatchId, Arc<Batch>>,
    places: &Places,
    findings: &mut Findings,
) {
    let jobs: Vec<(&BatchId, usize)> = batches
        .iter()
        .flat_map(|(id, batch)| (0..batch.jobs.len()).map(move |n| (id, n)))
        .collect();
    let index: HashMap<(&BatchId, &JobName), usize> = jobs
        .iter()
        .enumerate()
        .map(|(node, (id, n))| ((*id, &batches[*id].jobs[*n].name), node))
        .collect();
    // Of each edge the number of the need that it stands for.
    let mut edges: Vec<(usize, usize)> = Vec::new();
    let mut by_edge: HashMap<(usize, usize), usize> = HashMap::new();
    for (node, (id, n)) in jobs.iter().enumerate() {
        for (number, need) in batches[*id].jobs[*n].needs.iter().enumerate() {
            let to = match &need.of {
                NeedOf::Job(job) => index.get(&(*id, job)),
                NeedOf::Across { job, offset: 0 } => index.get(&(&job.batch, &job.job)),
                NeedOf::Across { .. } => None,
            };
            if let Some(to) = to {
                edges.push((node, *to));
                by_edge.entry((node, *to)).or_insert(number);
            }
        }
    }
    let Err(circles) = cycles::order(jobs.len(), &edges) else { return };
    for circle in circles {
        let next = circle.get(1).unwrap_or(&circle[0]);
        let (id, n) = jobs[circle[0]];
        let one_batch = circle.iter().all(|node| jobs[*node].0 == id);
        let named = |node: &usize| {
            let (id, n) = jobs[*node];
            let job = &batches[id].jobs[n].name;
            if one_batch { job.to_string() } else { format!("{id}.{job}") }
        };
        let mut path: Vec<String> = circle.iter().chain([&circle[0]]).map(named).collect();
        if path.len() > LONGEST_PATH {
            let left_out = format!("… {} more …", path.len() - LONGEST_PATH);
            path.splice(LONGEST_PATH / 2..path.len() - LONGEST_PATH / 2, [left_out]);
        }
        let what = format!("jobs need each other in a circle: {}", path.join(" → "));
        let batch = &places.batches[id];
        let number = by_edge.get(&(circle[0], *next)).copied().unwrap_or_default();
        let job = batch.jobs.get(&batches[id].jobs[n].name);
        let at = job.map_or(batch.at, |job| job.needs.get(number).copied().unwrap_or(job.at));
        let hint = "`a → b` means that a needs b; take one of these needs away";
        findings.add(&batch.file, [Finding::error(at, what).hint(hint)]);
    }
}
