//! The operations report of a week, a month or a quarter (E6), in each form that the report of a run has.

use std::fmt::Write as _;

use askama::Template;

use super::change_stats::line_name;
use super::clock::{Clock, day, took};
use super::incident_words::{self, clock_name};
use super::paper::{self, Block, Cell, Grid, Ink, Sheets};
use super::report::NoForm;
use super::report_parts::Part;
use super::service_levels;
use super::table::{PAGE, Table, harmless, one_line, wrap};
use super::words::{Counted, Label, Operations, Reported, list, pair};
use super::workbook::{self, Sheet, Value};
use crate::definition::site::ReportFormat;
use crate::types::{Lang, Span, Zone};
use crate::view::availability::ServiceFigures;
use crate::view::bulletin::IncidentTold;
use crate::view::change_stats::{Recurring, StatsBy, StatsLine};
use crate::view::operations::{
    BatchFigures, LimitFigures, OperationsView, RoundFigures, SeverityFigures,
};

/// The bytes of a file of the report.
///
/// # Errors
/// See [`NoForm`].
pub fn file(lang: Lang, view: &OperationsView, format: ReportFormat) -> Result<Vec<u8>, NoForm> {
    let report = Report::of(lang, view);
    Ok(match format {
        ReportFormat::Html => html(lang, view)?.into_bytes(),
        ReportFormat::Text => report.text().into_bytes(),
        ReportFormat::Pdf => paper::pdf(&report.sheets())?,
        ReportFormat::Xlsx => workbook::xlsx(&report.about(), &report.workbook(view))?,
    })
}

/// As a browser shows it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn html(lang: Lang, view: &OperationsView) -> Result<String, askama::Error> {
    Ok(harmless(&Report::of(lang, view).render()?))
}

/// As a terminal shows it.
pub fn text(lang: Lang, view: &OperationsView) -> String {
    Report::of(lang, view).text()
}

#[derive(Template)]
#[template(path = "operations.html")]
struct Report {
    lang: Lang,
    title: String,
    site: String,
    until: String,
    /// What it is told until, by the clock of the site.
    made: jiff::civil::DateTime,
    parts: Vec<Part>,
}

impl Report {
    fn of(lang: Lang, view: &OperationsView) -> Self {
        let (from, to) = (&day(lang, view.from), &day(lang, view.to));
        let until = Clock::new(&view.zone, view.until).full(view.until);
        let levels = view.service_levels.as_ref();
        let levels = levels.map(|levels| service_levels::parts(lang, &view.zone, levels));
        let parts = [
            batches(lang, view),
            severities(lang, view),
            limits(lang, view),
            services(lang, view),
            rounds(lang, view),
            changes(lang, view),
            recurring(lang, view),
            incidents(lang, view),
        ];
        Self {
            lang,
            title: Operations::Title { from, to }.say(lang),
            site: view.site.get(lang).to_owned(),
            made: view.zone.tz().to_datetime(view.until),
            until: Operations::Until { until: &until }.say(lang),
            parts: levels
                .into_iter()
                .flatten()
                .chain(parts)
                .filter(|part| !part.is_empty())
                .collect(),
        }
    }

    fn and_more<T>(&self, of: &crate::view::report::Shortened<T>) -> String {
        super::report_text::and_more(self.lang, of).unwrap_or_default()
    }

    fn text(&self) -> String {
        let mut out = format!("{}\n{}\n", pair(self.lang, &self.site, &self.title), self.until);
        for part in &self.parts {
            let _ = writeln!(out, "\n{}", part.title);
            for line in part.lead.iter().flat_map(|lead| wrap(&one_line(lead), PAGE - 2)) {
                let _ = writeln!(out, "  {line}");
            }
            if part.rows.shown.is_empty() {
                continue;
            }
            let head: Vec<&str> = part.head.iter().map(String::as_str).collect();
            let mut table = Table::new(&head, part.right, 2);
            part.rows.shown.iter().for_each(|row| table.row(row.clone()));
            table.write(&mut out);
        }
        out
    }

    fn sheets(&self) -> Sheets {
        let mut blocks =
            vec![Block::Title(self.title.clone()), Block::Words(Ink::Soft, self.until.clone())];
        for part in &self.parts {
            blocks.push(Block::Heading(part.title.clone()));
            blocks.extend(part.lead.iter().map(|lead| Block::Words(Ink::Plain, lead.clone())));
            if !part.rows.shown.is_empty() {
                let rows = part.rows.shown.iter();
                let rows = rows.map(|row| row.iter().map(Cell::from).collect()).collect();
                let (head, right) = (part.head.clone(), part.right.to_vec());
                blocks.push(Block::Grid(Grid { head, rows, right }));
            }
        }
        Sheets {
            lang: self.lang,
            title: self.title.clone(),
            above: (self.site.clone(), self.title.clone()),
            below: self.until.clone(),
            blocks,
        }
    }

    fn about(&self) -> workbook::About {
        workbook::About { title: self.title.clone(), author: self.site.clone(), made: self.made }
    }

    /// A sheet for each part; incidents and service levels with times and figures that can be reckoned with.
    fn workbook(&self, view: &OperationsView) -> Vec<Sheet> {
        let sheet = |part: &Part| {
            let levels = view.service_levels.as_ref();
            let rows = match (part.id, levels) {
                ("incidents", _) => {
                    view.incidents.iter().map(|line| self.incident(view, line)).collect()
                }
                (service_levels::TABLE, Some(levels)) => service_levels::rows(self.lang, levels),
                (service_levels::ENTERED, Some(levels)) => {
                    service_levels::entered(self.lang, levels)
                }
                _ => part.rows.shown.iter().map(|row| values(row)).collect(),
            };
            let columns = part.head.iter().map(|head| (head.clone(), 22.0)).collect();
            Sheet { name: part.title.clone(), zone: view.zone.clone(), columns, rows }
        };
        self.parts.iter().map(sheet).collect()
    }

    fn incident(&self, view: &OperationsView, line: &IncidentTold) -> Vec<Value> {
        let lang = self.lang;
        let length = |span: Option<Span>| Value::length(span.map(Span::get));
        vec![
            Value::text(line.incident.to_string()),
            Value::text(line.severity.name().to_uppercase()),
            Value::Text(what(lang, &view.zone, line)),
            Value::Time(line.opened),
            Value::time(line.closed),
            length(line.response),
            length(line.solution),
            Value::Text(list(lang, line.missed.iter().map(|kind| clock_name(lang, *kind)))),
            line.owner.as_ref().map_or(Value::Nothing, |who| Value::text(who.name.get(lang))),
        ]
    }
}

/// Numbers as numbers.
fn values(row: &[String]) -> Vec<Value> {
    let value = |text: &String| match text.parse::<u32>() {
        Ok(number) => Value::Number(number.into()),
        Err(_) => Value::text(text.as_str()),
    };
    row.iter().map(value).collect()
}

fn span(lang: Lang, span: Option<Span>) -> String {
    span.map(|span| took(lang, span.get())).unwrap_or_default()
}

fn heads(lang: Lang, heads: &[Operations<'_>]) -> Vec<String> {
    heads.iter().map(|head| head.say(lang)).collect()
}

fn batches(lang: Lang, view: &OperationsView) -> Part {
    let head = heads(
        lang,
        &[
            Operations::Batch,
            Operations::Runs,
            Operations::Well,
            Operations::Failed,
            Operations::Otherwise,
            Operations::UnderWay,
            Operations::Mean,
            Operations::Longest,
        ],
    );
    let row = |line: &BatchFigures| {
        vec![
            line.batch.to_string(),
            line.runs.to_string(),
            line.well.to_string(),
            line.failed.to_string(),
            line.otherwise.to_string(),
            line.under_way.to_string(),
            span(lang, line.mean),
            span(lang, line.longest),
        ]
    };
    let rows = view.batches.iter().map(row).collect();
    let part = Part::new("batches", Operations::HeadBatches.say(lang), head, rows);
    let missed = view.missed_starts;
    let lead = (missed > 0).then(|| Operations::MissedStarts { count: missed }.say(lang));
    Part { lead, right: &[1, 2, 3, 4, 5, 6, 7], ..part }
}

fn severities(lang: Lang, view: &OperationsView) -> Part {
    let head = heads(
        lang,
        &[
            Operations::Severity,
            Operations::Opened,
            Operations::Over,
            Operations::Response,
            Operations::Solution,
        ],
    );
    let row = |line: &SeverityFigures| {
        vec![
            line.severity.name().to_uppercase(),
            line.opened.to_string(),
            line.over.to_string(),
            span(lang, line.response),
            span(lang, line.solution),
        ]
    };
    let rows = view.severities.iter().map(row).collect();
    let part = Part::new("severities", Operations::HeadSeverities.say(lang), head, rows);
    Part { right: &[1, 2, 3, 4], ..part }
}

fn limits(lang: Lang, view: &OperationsView) -> Part {
    let mut head = heads(lang, &[Operations::Kind]);
    head.push(Reported::HeadLimit.say(lang));
    head.extend(heads(lang, &[Operations::Watched, Operations::Missed, Operations::MissedBy]));
    let row = |line: &LimitFigures| {
        vec![
            incident_words::kind(lang, line.kind),
            clock_name(lang, line.clock),
            line.watched.to_string(),
            line.missed.to_string(),
            span(lang, Some(line.over).filter(|_| line.missed > 0)),
        ]
    };
    let rows = view.limits.iter().map(row).collect();
    let part = Part::new("limits", Reported::HeadLimits.say(lang), head, rows);
    Part { right: &[2, 3, 4], ..part }
}

fn services(lang: Lang, view: &OperationsView) -> Part {
    let head = heads(
        lang,
        &[
            Operations::Service,
            Operations::Interruptions,
            Operations::Interrupted,
            Operations::Outside,
            Operations::Available,
        ],
    );
    let row = |line: &ServiceFigures| {
        vec![
            line.service.clone(),
            line.interruptions.to_string(),
            took(lang, line.interrupted.get()),
            span(lang, Some(line.outside).filter(|outside| !outside.get().is_zero())),
            format!("{} %", line.available_percent),
        ]
    };
    let rows = view.services.iter().map(row).collect();
    let part = Part::new("services", Operations::HeadServices.say(lang), head, rows);
    Part { right: &[1, 2, 3, 4], ..part }
}

fn rounds(lang: Lang, view: &OperationsView) -> Part {
    let head = heads(
        lang,
        &[Operations::Batch, Operations::Wanted, Operations::Done, Operations::MissedRounds],
    );
    let row = |line: &RoundFigures| {
        vec![
            line.batch.to_string(),
            line.wanted.to_string(),
            line.done.to_string(),
            line.missed.to_string(),
        ]
    };
    let rows = view.rounds.iter().map(row).collect();
    let part = Part::new("rounds", Operations::HeadRounds.say(lang), head, rows);
    Part { right: &[1, 2, 3], ..part }
}

fn changes(lang: Lang, view: &OperationsView) -> Part {
    let head = [
        Counted::Team,
        Counted::Executed,
        Counted::Abnormal,
        Counted::AbnormalRate,
        Counted::Emergencies,
        Counted::Outside,
        Counted::Late,
    ];
    let row = |name: String, line: &StatsLine| {
        let percent = line.abnormal_percent.map(|rate| format!("{rate:.1} %"));
        vec![
            name,
            line.executed.to_string(),
            line.abnormal.to_string(),
            percent.unwrap_or_default(),
            line.emergencies.to_string(),
            line.outside.to_string(),
            line.late.to_string(),
        ]
    };
    let stats = &view.changes;
    let teams = stats.lines.iter().map(|line| row(line_name(lang, StatsBy::Team, line), line));
    let all = std::iter::once(row(Counted::All.say(lang), &stats.total));
    let rows = if stats.total.executed > 0 { teams.chain(all).collect() } else { Vec::new() };
    let head = head.iter().map(|head| head.say(lang)).collect();
    let part = Part::new("changes", Label::Changes.say(lang).to_owned(), head, rows);
    Part { right: &[1, 2, 3, 4, 5, 6], ..part }
}

fn recurring(lang: Lang, view: &OperationsView) -> Part {
    let mut head = vec![Label::Change.say(lang).to_owned()];
    head.extend(heads(lang, &[Operations::Times, Operations::Environment, Operations::Statements]));
    let row = |again: &Recurring| {
        vec![
            list(lang, &again.changes),
            again.times.to_string(),
            again.environment.clone(),
            one_line(&again.statements),
        ]
    };
    let rows = view.changes.recurring.iter().map(row).collect();
    let part = Part::new("recurring", Operations::HeadRecurring.say(lang), head, rows);
    Part { right: &[1], ..part }
}

fn what(lang: Lang, zone: &Zone, line: &IncidentTold) -> String {
    let batch = line.run.as_ref().map(|run| &run.batch);
    let what = incident_words::about(batch, line.job.as_ref());
    incident_words::headline(lang, &Clock::new(zone, line.opened), &what, &line.fault)
}

fn incidents(lang: Lang, view: &OperationsView) -> Part {
    let mut head = vec![Label::Incident.say(lang).to_owned()];
    head.extend(heads(lang, &[Operations::Severity]));
    head.push(Reported::HeadFault.say(lang));
    head.extend([Label::Started, Label::End].map(|label| label.say(lang).to_owned()));
    head.extend(heads(lang, &[Operations::Response, Operations::Solution, Operations::Missed]));
    head.push(Reported::HeadOwner.say(lang));
    let row = |line: &IncidentTold| {
        let clock = Clock::new(&view.zone, line.opened);
        let full = |at| clock.full(at);
        vec![
            line.incident.to_string(),
            line.severity.name().to_uppercase(),
            what(lang, &view.zone, line),
            full(line.opened),
            line.closed.map(full).unwrap_or_default(),
            span(lang, line.response),
            span(lang, line.solution),
            list(lang, line.missed.iter().map(|kind| clock_name(lang, *kind))),
            line.owner.as_ref().map(|who| who.name.get(lang).to_owned()).unwrap_or_default(),
        ]
    };
    let rows = view.incidents.iter().map(row).collect();
    let part = Part::new("incidents", Label::Incidents.say(lang).to_owned(), head, rows);
    Part { right: &[5, 6], ..part }
}
