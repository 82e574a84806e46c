//! Parts of a report that are tables, the same for page, text, mail and files.

use std::time::Duration;

use super::clock::{Clock, between, day, took};
use super::incident_words;
use super::phrase;
use super::roster::holder;
use super::words::{Label, OnDuty, Reported, aside, list, paragraph};
use crate::core::fact::{Action, Deadline, RunResult};
use crate::types::{JobName, Lang};
use crate::view::incident::IncidentLine;
use crate::view::report::{
    Act, ActionLine, DeadlineLine, Former, LimitLine, ReportView, Shortened,
};
use crate::view::roster::ShiftLine;

/// A heading, a sentence, a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name in a page.
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) lead: Option<String>,
    pub(super) head: Vec<String>,
    pub(super) rows: Shortened<Vec<String>>,
    /// Columns that stand to the right.
    pub(super) right: &'static [usize],
}

impl Part {
    pub(super) fn new(
        id: &'static str,
        title: String,
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    ) -> Self {
        let rows = Shortened { shown: rows, left_out: 0 };
        Self { id, title, lead: None, head, rows, right: &[] }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lead.is_none() && self.rows.shown.is_empty()
    }

    /// As a page and a mail have it: the first rows.
    pub(super) fn shortened(self) -> Self {
        Self { rows: Shortened::points(self.rows.shown), ..self }
    }
}

/// Those that belong before the table of all jobs; none is empty.
pub(super) fn before_jobs(lang: Lang, view: &ReportView) -> Vec<Part> {
    let parts = view.week_before.iter().map(|former| week(lang, view, former));
    let more = [deadlines(lang, view), long(lang, view)];
    parts.chain(more).filter(|part| !part.is_empty()).collect()
}

/// Those that belong behind it and behind the incidents; none is empty.
pub(super) fn after_jobs(lang: Lang, view: &ReportView) -> Vec<Part> {
    let actions = actions(lang, view, ("actions", Label::Actions.say(lang)), &view.actions);
    let exceptions = Reported::HeadExceptions.say(lang);
    let exceptions = self::actions(lang, view, ("exceptions", &exceptions), view.exceptions());
    let parts = [limits(lang, view), exceptions, actions, shifts(lang, view)];
    parts.into_iter().filter(|part| !part.is_empty()).collect()
}

/// Who has signed it, or that nobody has who should; nothing while it runs, and of a trial.
pub(super) fn signatures(lang: Lang, view: &ReportView) -> Vec<String> {
    let clock = Clock::of_run(&view.head);
    let signed: Vec<String> = view.signatures().map(|line| signature(lang, &clock, line)).collect();
    let over = matches!(view.head.result, Some(result) if result != RunResult::Stopped);
    if signed.is_empty() && over && !view.head.trial {
        return vec![Reported::NotSigned.say(lang)];
    }
    signed
}

fn signature(lang: Lang, clock: &Clock<'_>, line: &ActionLine) -> String {
    let (who, at, words) = (line.by.name.get(lang), &clock.full(line.at), line.reason.as_str());
    match &line.act {
        Act::Do(Action::Sign { shifts }) if !shifts.is_empty() => {
            let shifts = &list(lang, shifts);
            Reported::SignedOn { who, shifts, at, words }.say(lang)
        }
        _ => Reported::Signed { who, at, words }.say(lang),
    }
}

fn said(lang: Lang, labels: &[Label]) -> Vec<String> {
    labels.iter().map(|label| label.say(lang).to_owned()).collect()
}

fn week(lang: Lang, view: &ReportView, former: &Former) -> Part {
    let head = vec![
        Label::Job.say(lang).to_owned(),
        Label::Title.say(lang).to_owned(),
        Reported::HeadNow.say(lang),
        Reported::HeadBefore.say(lang),
        Reported::HeadDifference.say(lang),
    ];
    let row = |both: crate::view::report::Compared<'_>| {
        vec![
            both.job.name.to_string(),
            both.job.title.get(lang).to_owned(),
            took(lang, both.now),
            took(lang, both.before),
            difference(lang, both.now, both.before),
        ]
    };
    let rows = view.compared().into_iter().map(row).collect();
    let part = Part::new("week", Reported::HeadWeek.say(lang), head, rows);
    Part { lead: Some(former_words(lang, view, former)), right: &[2, 3, 4], ..part }
}

fn difference(lang: Lang, now: Duration, before: Duration) -> String {
    let sign = if now >= before { "+" } else { "-" };
    format!("{sign}{}", took(lang, now.abs_diff(before)))
}

fn former_words(lang: Lang, view: &ReportView, former: &Former) -> String {
    let clock = Clock::new(&view.head.zone, former.opened);
    let (day, run) = (&day(lang, former.business_date.0), &former.run.to_string());
    let Some(ended) = former.ended else { return Reported::WeekOpen { day, run }.say(lang) };
    let length = between(former.opened, ended);
    let (result, end) = (Label::of_result(former.result).say(lang), &clock.exactly(ended));
    let mut words =
        vec![Reported::Week { day, run, result, end, took: &took(lang, length) }.say(lang)];
    // What failed or was stopped took the time that it took.
    let well = [former.result, view.head.result].iter().all(|r| *r == Some(RunResult::Well));
    if let Some(ended) = view.head.ended.filter(|_| well) {
        let now = between(view.head.opened, ended);
        let by = &took(lang, now.abs_diff(length));
        words.push(match now >= length {
            true => Reported::Longer { by }.say(lang),
            false => Reported::Shorter { by }.say(lang),
        });
    }
    paragraph(lang, &words)
}

fn deadlines(lang: Lang, view: &ReportView) -> Part {
    let clock = Clock::of_run(&view.head);
    let head = vec![
        Label::Job.say(lang).to_owned(),
        Reported::HeadLimit.say(lang),
        Reported::HeadDue.say(lang),
        Reported::HeadMet.say(lang),
        Label::State.say(lang).to_owned(),
    ];
    let row = |line: &DeadlineLine| {
        let job = line.job.as_ref().map(JobName::to_string);
        vec![
            job.unwrap_or_else(|| Reported::OfBatch.say(lang)),
            deadline_name(lang, line.deadline).to_owned(),
            clock.minute(line.due),
            line.met.map(|at| clock.exactly(at)).unwrap_or_default(),
            kept(line.missed, line.met.is_some()).say(lang),
        ]
    };
    let rows: Vec<Vec<String>> = view.deadlines.iter().map(row).collect();
    let count = |wanted: Reported<'_>| {
        let of = |line: &&DeadlineLine| kept(line.missed, line.met.is_some()) == wanted;
        u32::try_from(view.deadlines.iter().filter(of).count()).unwrap_or(u32::MAX)
    };
    let lead = Reported::DeadlinesKept {
        kept: count(Reported::Kept),
        missed: count(Reported::Missed),
        open: count(Reported::NotYet),
    };
    let lead = (!rows.is_empty()).then(|| lead.say(lang));
    Part { lead, ..Part::new("deadlines", Reported::HeadDeadlines.say(lang), head, rows) }
}

pub(super) fn deadline_name(lang: Lang, deadline: Deadline) -> &'static str {
    match deadline {
        Deadline::MustStartBy => Label::MustStartBy.say(lang),
        Deadline::MustCompleteBy => Label::MustCompleteBy.say(lang),
    }
}

/// How a deadline or a limit stands.
pub(super) fn kept(missed: bool, met: bool) -> Reported<'static> {
    match (missed, met) {
        (true, _) => Reported::Missed,
        (false, true) => Reported::Kept,
        (false, false) => Reported::NotYet,
    }
}

fn long(lang: Lang, view: &ReportView) -> Part {
    let head = said(lang, &[Label::Job, Label::Title, Label::Took, Label::Usual]);
    let rows = view.jobs.iter().filter_map(|job| {
        let ran = job.ran_long?;
        Some(vec![
            job.name.to_string(),
            job.title.get(lang).to_owned(),
            took(lang, ran.actual.get()),
            took(lang, ran.usual_p95.get()),
        ])
    });
    let part = Part::new("long", Label::RanLong.say(lang).to_owned(), head, rows.collect());
    Part { right: &[2, 3], ..part }
}

/// Id, job, opened (and closed), what it blocks, who was told.
pub(super) fn incidents(lang: Lang, view: &ReportView) -> Part {
    let clock = Clock::of_run(&view.head);
    let labels = [Label::Incident, Label::Job, Label::Time, Label::Blocks, Label::Told];
    let row = |incident: &IncidentLine| {
        let mut when = clock.exactly(incident.opened);
        if let Some(at) = incident.closed {
            let closed = super::words::Fault::IncidentClosed { at: &clock.exactly(at) };
            when = list(lang, [when, closed.say(lang)]);
        }
        vec![
            incident.id.to_string(),
            incident_words::of_run(lang, &clock, incident),
            when,
            list(lang, &incident.blocks),
            phrase::people(lang, &incident.told),
        ]
    };
    let rows = view.incidents.iter().map(row).collect();
    Part::new("incidents", Label::Incidents.say(lang).to_owned(), said(lang, &labels), rows)
}

fn limits(lang: Lang, view: &ReportView) -> Part {
    let clock = Clock::of_run(&view.head);
    let head = vec![
        Label::Incident.say(lang).to_owned(),
        Reported::HeadLimit.say(lang),
        Reported::HeadDue.say(lang),
        Reported::HeadMet.say(lang),
        Reported::HeadAfter.say(lang),
        Label::State.say(lang).to_owned(),
        Reported::HeadOwner.say(lang),
    ];
    let row = |line: &LimitLine| {
        let met = line.clock.met;
        vec![
            line.incident.to_string(),
            incident_words::clock_name(lang, line.clock.kind),
            clock.exactly(line.clock.due),
            met.map(|at| clock.exactly(at)).unwrap_or_default(),
            met.map(|at| took(lang, between(line.opened, at))).unwrap_or_default(),
            kept(line.clock.missed, met.is_some()).say(lang),
            line.owner.as_ref().map(|who| who.name.get(lang).to_owned()).unwrap_or_default(),
        ]
    };
    let rows = view.limits.iter().map(row).collect();
    Part { right: &[4], ..Part::new("limits", Reported::HeadLimits.say(lang), head, rows) }
}

fn actions<'a>(
    lang: Lang,
    view: &ReportView,
    (id, title): (&'static str, &str),
    actions: impl IntoIterator<Item = &'a ActionLine>,
) -> Part {
    let clock = Clock::of_run(&view.head);
    let head = said(lang, &[Label::Time, Label::Who, Label::What, Label::Reason]);
    let row = |action: &ActionLine| {
        vec![
            clock.exactly(action.at),
            action.by.name.get(lang).to_owned(),
            phrase::deed(lang, &action.act),
            action.reason.clone(),
        ]
    };
    Part::new(id, title.to_owned(), head, actions.into_iter().map(row).collect())
}

fn shifts(lang: Lang, view: &ReportView) -> Part {
    let clock = Clock::of_run(&view.head);
    let head = vec![
        Reported::HeadShift.say(lang),
        Label::Started.say(lang).to_owned(),
        Label::End.say(lang).to_owned(),
        Label::Who.say(lang).to_owned(),
    ];
    let row = |on: &ShiftLine| {
        let title = on.title.get(lang).to_owned();
        vec![
            if on.on_call { aside(lang, &title, &OnDuty::OnCall.say(lang)) } else { title },
            clock.minute(on.from),
            clock.minute(on.to),
            list(lang, on.people.iter().map(|person| holder(lang, person))),
        ]
    };
    let rows = view.shifts.iter().map(row).collect();
    Part::new("shifts", Reported::HeadShifts.say(lang), head, rows)
}
