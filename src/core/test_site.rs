//! Small jobs, batches and sites for the tests of the time rules and the graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Time;

use crate::definition::site::{
    Batch, BusinessDateRule, DayRule, Days, Duty, FoldPolicy, GapPolicy, Job, Kind, Mail, Missed,
    Need, NeedOf, ReportRules, Retry, Schedule, ScheduleRule, Site, Success, Survivors, Transport,
};
use crate::types::{BatchId, Condition, HostName, JobName, Lang, Role, Span, Text, Zone};

pub(crate) fn job(name: &str, needs: &[&str]) -> Job {
    let needs = needs.iter().map(|text| {
        let (name, when) = match text.split_once(':') {
            Some((name, "ended")) => (name, Condition::Ended),
            Some((name, "failed")) => (name, Condition::Failed),
            _ => (*text, Condition::Ok),
        };
        let (name, offset) = name.split_once('@').unwrap_or((name, "0"));
        let of = match name.parse() {
            Ok(job) => {
                NeedOf::Across { job, offset: offset.trim_end_matches("bd").parse().unwrap() }
            }
            Err(_) => NeedOf::Job(JobName::new(name).unwrap()),
        };
        Need { of, when }
    });
    Job {
        name: JobName::new(name).unwrap(),
        title: Text::en(name),
        kind: Kind::Shell { script: "true".to_owned() },
        slurm: None,
        needs: needs.collect(),
        critical: true,
        severity: None,
        retry: Retry { max: 0, wait: Span::default(), growth: 1.0, on: Vec::new() },
        time_limit: None,
        grace: Span::seconds(10),
        output_limit: 1 << 20,
        log_masks: Vec::new(),
        must_start_by: None,
        must_complete_by: None,
        expected: None,
        pools: BTreeMap::new(),
        priority: 0,
        env: BTreeMap::new(),
        dir: None,
        user: None,
        host: HostName::local().into(),
        runbook: None,
        runbook_reviewed: None,
        contain: None,
        success: Success { exit_codes: vec![0], line: None },
        days: None,
        window: None,
        survivors: Survivors::Kill,
    }
}

pub(crate) fn batch(id: &str, schedule: Option<Schedule>, jobs: Vec<Job>) -> Batch {
    Batch {
        id: BatchId::new(id).unwrap(),
        title: Text::en(id),
        team: None,
        file: format!("{id}.yaml").into(),
        calendar: None,
        since: None,
        zone: schedule.as_ref().map_or(Zone::utc(), |schedule| schedule.zone.clone()),
        schedule,
        on_event: None,
        business_date: BusinessDateRule::default(),
        window: None,
        must_start_by: None,
        must_complete_by: None,
        severity: None,
        escalation: None,
        parameters: BTreeMap::new(),
        jobs,
        list: None,
    }
}

pub(crate) fn schedule(rule: ScheduleRule, zone: &str) -> Schedule {
    Schedule {
        rule,
        zone: Zone::named(zone).unwrap(),
        gap: GapPolicy::Shift,
        fold: FoldPolicy::First,
        missed: Missed::None,
    }
}

pub(crate) fn cron(text: &str, zone: &str) -> Schedule {
    schedule(ScheduleRule::Cron(text.to_owned()), zone)
}

pub(crate) fn rule(days: Days, offset: i32) -> DayRule {
    DayRule { days, offset, calendar: None }
}

pub(crate) fn on_days(days: Days, at: &[Time], zone: &str) -> Schedule {
    schedule(ScheduleRule::Days { on: rule(days, 0), at: at.to_vec() }, zone)
}

pub(crate) fn site(batches: Vec<Batch>) -> Site {
    Site {
        title: Text::en("Test"),
        zone: Zone::utc(),
        language: Lang::En,
        calendar: None,
        mail: Mail {
            from: "nightrun@bank.example".to_owned(),
            transport: Transport::Folder("mail".into()),
            failures_to: Role::new("duty").unwrap(),
            report_to: Role::new("report").unwrap(),
            give_up_after: Mail::GIVE_UP_AFTER,
        },
        webhooks: BTreeMap::new(),
        url: None,
        life_sign: None,
        reports: ReportRules::default(),
        inspections: None,
        pools: BTreeMap::new(),
        hosts: BTreeMap::new(),
        targets: BTreeMap::new(),
        people: BTreeMap::new(),
        calendars: BTreeMap::new(),
        windows: BTreeMap::new(),
        freezes: Vec::new(),
        second_person: Vec::new(),
        rights: BTreeMap::new(),
        duty: Duty::default(),
        escalation: None,
        service_levels: None,
        changes: BTreeMap::new(),
        change_rules: None,
        batches: batches.into_iter().map(|b| (b.id.clone(), Arc::new(b))).collect(),
    }
}
