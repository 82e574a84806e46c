//! The morning report as a workbook: a sheet for the run, its jobs, changes, incidents and actions, with times, lengths and
//! numbers that can be reckoned with. Every job is in it, however many there are.

use rust_xlsxwriter::XlsxError;

use super::clock::{Clock, between};
use super::incident_words;
use super::phrase;
use super::report_parts::{deadline_name, kept, signatures};
use super::report_text::totals;
use super::table::one_line;
use super::words::{Label, Operations, Reported, list, remarks};
use super::workbook::{self, About, Sheet, Value};
use crate::types::{JobName, Lang};
use crate::view::incident::IncidentLine;
use crate::view::job::JobLine;
use crate::view::report::{ActionLine, ChangeLine, DeadlineLine, LimitLine, ReportView};

/// The report as a workbook (XLSX).
///
/// # Errors
/// What cannot be written into one.
pub fn xlsx(lang: Lang, view: &ReportView) -> Result<Vec<u8>, XlsxError> {
    let book = Book { lang, view, clock: Clock::of_run(&view.head) };
    let head = &view.head;
    let about = About {
        title: format!("{} {}", head.title.get(lang), head.business_date),
        author: head.site.get(lang).to_owned(),
        made: head.zone.tz().to_datetime(view.generated_at),
    };
    let sheets = [
        book.run(),
        book.jobs(),
        book.changes(),
        book.incidents(),
        book.limits(),
        book.deadlines(),
        book.actions(),
    ];
    workbook::xlsx(&about, &sheets)
}

struct Book<'a> {
    lang: Lang,
    view: &'a ReportView,
    clock: Clock<'a>,
}

impl Book<'_> {
    fn label(&self, label: Label) -> String {
        label.say(self.lang).to_owned()
    }

    fn said(&self, said: Reported<'_>) -> String {
        said.say(self.lang)
    }

    /// Facts and numbers of the run, a line each.
    fn run(&self) -> Sheet {
        let (lang, head) = (self.lang, &self.view.head);
        let verdict = phrase::verdict(lang, head, &self.view.totals);
        let length = head.ended.map(|ended| between(head.opened, ended));
        let mut lines = vec![
            (self.label(Label::Result), Value::Text(verdict)),
            (self.label(Label::Run), Value::text(head.run.to_string())),
            (self.label(Label::Title), Value::text(head.title.get(lang))),
            (self.label(Label::BusinessDate), Value::Date(head.business_date.0)),
            (self.label(Label::Opened), Value::Time(head.opened)),
            (self.label(Label::Ended), Value::time(head.ended)),
            (self.label(Label::Took), Value::length(length)),
            (self.label(Label::MustCompleteBy), Value::time(head.must_complete_by)),
            (self.label(Label::Zone), Value::text(head.zone.to_string())),
        ];
        let totals = totals(lang, &self.view.totals).into_iter();
        lines.extend(totals.map(|(_, label, n)| (label.to_owned(), Value::Number(n.into()))));
        if let Some(former) = &self.view.week_before {
            let took = former.ended.map(|ended| between(former.opened, ended));
            let name = format!("{}: {}", self.said(Reported::HeadBefore), former.run);
            lines.push((name, Value::length(took)));
        }
        let signed = signatures(lang, self.view).into_iter();
        lines.extend(signed.map(|line| (String::new(), Value::Text(line))));
        let journal = self.view.journal_head.clone();
        lines.extend(journal.map(|hash| (self.label(Label::JournalHead), Value::Text(hash))));
        lines.push((self.label(Label::GeneratedAt), Value::Time(self.view.generated_at)));
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.label(Label::Run),
            columns: vec![(self.label(Label::ReportTitle), 30.0), (String::new(), 70.0)],
            rows: lines.into_iter().map(|(label, value)| vec![Value::Text(label), value]).collect(),
        }
    }

    fn jobs(&self) -> Sheet {
        let columns = [
            (Label::Job, 24.0),
            (Label::Title, 34.0),
            (Label::State, 16.0),
            (Label::Critical, 12.0),
            (Label::Planned, 20.0),
            (Label::Started, 20.0),
            (Label::End, 20.0),
            (Label::Took, 12.0),
            (Label::Expected, 12.0),
            (Label::Attempts, 10.0),
            (Label::Notes, 60.0),
        ];
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.label(Label::AllJobs),
            columns: columns.map(|(label, breadth)| (self.label(label), breadth)).to_vec(),
            rows: self.view.jobs.iter().map(|job| self.job(job)).collect(),
        }
    }

    fn job(&self, job: &JobLine) -> Vec<Value> {
        let (lang, head) = (self.lang, &self.view.head);
        let mark = |is: bool, label: Label| match is {
            true => Value::Text(self.label(label)),
            false => Value::Nothing,
        };
        vec![
            Value::text(job.name.as_str()),
            Value::text(job.title.get(lang)),
            Value::text(Label::of_state(job.state.word()).say(lang)),
            mark(job.critical, Label::Critical),
            Value::time(job.planned_start),
            Value::time(job.started),
            Value::time(phrase::ended(job)),
            Value::length(phrase::duration(head, job)),
            Value::length(job.expected.map(|span| span.get())),
            Value::from(job.attempts.len()),
            Value::Text(remarks(lang, &phrase::remarks(lang, &self.clock, head, job))),
        ]
    }

    fn changes(&self) -> Sheet {
        let columns = [
            (Label::Change, 24.0),
            (Label::Title, 34.0),
            (Label::Job, 24.0),
            (Label::Class, 14.0),
            (Label::Target, 16.0),
            (Label::State, 16.0),
            (Label::Rows, 10.0),
            (Label::BackupRows, 12.0),
            (Label::Reason, 60.0),
        ];
        let row = |change: &ChangeLine| {
            let lang = self.lang;
            let why = [Some(change.reason.get(lang).to_owned()), change.why.clone()];
            let why: Vec<String> = why.into_iter().flatten().collect();
            vec![
                Value::text(change.id.to_string()),
                Value::text(change.title.get(lang)),
                Value::text(change.job.as_str()),
                Value::text(Label::of_class(change.class).say(lang)),
                Value::text(change.target.as_str()),
                Value::text(Label::of_change(change.state).say(lang)),
                Value::Number(change.rows as f64),
                Value::Number(change.backup_rows as f64),
                Value::Text(remarks(lang, &why)),
            ]
        };
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.label(Label::Changes),
            columns: columns.map(|(label, breadth)| (self.label(label), breadth)).to_vec(),
            rows: self.view.changes.iter().map(row).collect(),
        }
    }

    fn incidents(&self) -> Sheet {
        let columns = [
            (self.label(Label::Incident), 12.0),
            (Operations::Severity.say(self.lang), 10.0),
            (self.said(Reported::HeadFault), 50.0),
            (self.label(Label::Started), 20.0),
            (self.label(Label::End), 20.0),
            (self.label(Label::Took), 12.0),
            (self.said(Reported::HeadOwner), 20.0),
            (self.label(Label::Blocks), 10.0),
            (self.label(Label::Told), 40.0),
        ];
        let row = |incident: &IncidentLine| {
            let owner = incident.owner.as_ref().map(|who| who.name.get(self.lang));
            vec![
                Value::text(incident.id.to_string()),
                Value::text(incident.severity.name().to_uppercase()),
                Value::Text(incident_words::of_run(self.lang, &self.clock, incident)),
                Value::Time(incident.opened),
                Value::time(incident.closed),
                Value::length(incident.closed.map(|at| between(incident.opened, at))),
                owner.map_or(Value::Nothing, Value::text),
                Value::from(incident.blocks.len()),
                Value::Text(list(self.lang, incident.told.iter().map(|w| w.name.get(self.lang)))),
            ]
        };
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.label(Label::Incidents),
            columns: columns.to_vec(),
            rows: self.view.incidents.iter().map(row).collect(),
        }
    }

    fn limits(&self) -> Sheet {
        let columns = [
            (self.label(Label::Incident), 12.0),
            (self.said(Reported::HeadLimit), 24.0),
            (self.said(Reported::HeadDue), 20.0),
            (self.said(Reported::HeadMet), 20.0),
            (self.said(Reported::HeadAfter), 12.0),
            (self.label(Label::State), 12.0),
            (self.said(Reported::HeadOwner), 20.0),
        ];
        let row = |line: &LimitLine| {
            let met = line.clock.met;
            let owner = line.owner.as_ref().map(|who| who.name.get(self.lang));
            vec![
                Value::text(line.incident.to_string()),
                Value::Text(incident_words::clock_name(self.lang, line.clock.kind)),
                Value::Time(line.clock.due),
                Value::time(met),
                Value::length(met.map(|at| between(line.opened, at))),
                Value::Text(self.said(kept(line.clock.missed, met.is_some()))),
                owner.map_or(Value::Nothing, Value::text),
            ]
        };
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.said(Reported::HeadLimits),
            columns: columns.to_vec(),
            rows: self.view.limits.iter().map(row).collect(),
        }
    }

    fn deadlines(&self) -> Sheet {
        let columns = [
            (self.label(Label::Job), 24.0),
            (self.said(Reported::HeadLimit), 24.0),
            (self.said(Reported::HeadDue), 20.0),
            (self.said(Reported::HeadMet), 20.0),
            (self.label(Label::State), 12.0),
        ];
        let row = |line: &DeadlineLine| {
            let job = line.job.as_ref().map(JobName::to_string);
            vec![
                Value::Text(job.unwrap_or_else(|| self.said(Reported::OfBatch))),
                Value::text(deadline_name(self.lang, line.deadline)),
                Value::Time(line.due),
                Value::time(line.met),
                Value::Text(self.said(kept(line.missed, line.met.is_some()))),
            ]
        };
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.said(Reported::HeadDeadlines),
            columns: columns.to_vec(),
            rows: self.view.deadlines.iter().map(row).collect(),
        }
    }

    fn actions(&self) -> Sheet {
        let columns =
            [(Label::Time, 20.0), (Label::Who, 20.0), (Label::What, 50.0), (Label::Reason, 60.0)];
        let row = |action: &ActionLine| {
            vec![
                Value::Time(action.at),
                Value::text(action.by.name.get(self.lang)),
                Value::Text(one_line(&phrase::deed(self.lang, &action.act))),
                Value::text(action.reason.as_str()),
            ]
        };
        Sheet {
            zone: self.view.head.zone.clone(),
            name: self.label(Label::Actions),
            columns: columns.map(|(label, breadth)| (self.label(label), breadth)).to_vec(),
            rows: self.view.actions.iter().map(row).collect(),
        }
    }
}

#[cfg(test)]
#[path = "report_xlsx_tests.rs"]
mod tests;
