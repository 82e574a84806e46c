//! Incidents of the made-up night.

use super::*;
use crate::core::containment::Offer;
use crate::core::select::Deed;

/// The fault of [`bad_night`] as its mail tells it.
pub(in crate::render) fn fault() -> IncidentMail {
    let night = bad_night();
    let failed = night.jobs.iter().find(|job| job.name.as_str() == "post-ledger").unwrap();
    let title =
        |job: &JobName| night.jobs.iter().find(|line| line.name == *job).unwrap().title.clone();
    let clock = |kind, minutes| ClockLine { kind, due: after(minutes), met: None, missed: false };
    let line = night.incidents[0].clone();
    IncidentMail {
        head: Some(RunHead { result: None, ended: None, now: after(199.0), ..night.head.clone() }),
        blocks: line
            .blocks
            .iter()
            .map(|job| BlockedJob { name: job.clone(), title: title(job) })
            .collect(),
        job: Some(failed.clone()),
        incident: IncidentView {
            zone: night.head.zone.clone(),
            site: night.head.site.clone(),
            page: Some("https://night.bank.example:8420/incidents/INC-3".to_owned()),
            by: None,
            policy: None,
            acknowledged: None,
            at_risk: vec![AtRisk { job: None, due: after(540.0) }],
            clocks: vec![clock(ClockKind::Response, 229.0), clock(ClockKind::Solution, 259.0)],
            muted: None,
            next: Some(after(209.0)),
            steps: Vec::new(),
            business_date: Some(night.head.business_date),
            offers: [Deed::Retry, Deed::Skip, Deed::Force]
                .map(|action| Offer::Act { jobs: Some("post-ledger".to_owned()), action })
                .to_vec(),
            line,
        },
    }
}

/// The same incident after two hours: told on, taken care of, resolved.
pub(in crate::render) fn worked_on() -> IncidentView {
    let mut view = fault().incident;
    let step = |minutes, by: Option<Who>, reason: &str, step, told| StepLine {
        at: after(minutes),
        by,
        reason: reason.to_owned(),
        step,
        told,
    };
    let (li, zhang) = (li_wei(), zhang_min());
    let told = IncidentStep::Told {
        people: vec![zhang.id.clone()],
        rooms: Vec::new(),
        rungs: 2,
        why: Telling::Step,
    };
    let (cause, measure) = ("a missing entry of the sub-ledger", "posted by hand, retried");
    view.steps = vec![
        step(209.0, None, "", told, vec![zhang.clone()]),
        step(
            224.0,
            None,
            "",
            IncidentStep::Warned { clocks: vec![ClockKind::Response] },
            Vec::new(),
        ),
        step(226.0, Some(zhang.clone()), "on the phone", IncidentStep::Acknowledged, Vec::new()),
        step(
            250.0,
            Some(zhang.clone()),
            "",
            IncidentStep::ThirdParty { whom: "the vendor".into() },
            Vec::new(),
        ),
        step(
            259.0,
            None,
            "",
            IncidentStep::Breached { clocks: vec![ClockKind::Solution] },
            Vec::new(),
        ),
        step(
            300.0,
            Some(li),
            "",
            IncidentStep::Interruption {
                service: "clearing".into(),
                from: after(199.0),
                to: after(290.0),
                outside: String::new(),
            },
            Vec::new(),
        ),
        step(
            310.0,
            Some(zhang.clone()),
            "",
            IncidentStep::Resolved { cause: cause.into(), measure: measure.into() },
            Vec::new(),
        ),
    ];
    view.acknowledged = Some(after(226.0));
    view.line.owner = Some(zhang);
    view.line.closed = Some(after(310.0));
    view.clocks[0].met = Some(after(226.0));
    view.clocks[1].met = Some(after(310.0));
    view.clocks[1].missed = true;
    view.next = None;
    view.offers = Vec::new();
    view
}
