//! The morning report as plain text: for the terminal and for the text part of its mail, 100 columns wide.

use std::fmt::Write as _;

use crate::render::clock::{Clock, took};
use crate::render::incident_words;
use crate::render::inspection;
use crate::render::phrase;
use crate::render::report_parts::{self, Part};
use crate::render::table::{PAGE, Table, one_line, wrap};
use crate::render::words::{Fault, Inspections, Label, Verdict, aside, list, pair, remarks};
use crate::types::Lang;
use crate::view::job::{JobLine, StateWord};
use crate::view::report::{ChangeLine, ReportView, Shortened};
use crate::view::run::{RunHead, Totals};
use crate::wire::Check;

/// The whole report: each job, however many there are.
pub fn text(lang: Lang, view: &ReportView) -> String {
    write(lang, view, true)
}

/// As a mail has it: of a large night what matters most.
pub(super) fn shortened(lang: Lang, view: &ReportView) -> String {
    write(lang, view, false)
}

fn write(lang: Lang, view: &ReportView, whole: bool) -> String {
    let page = Page { lang, clock: Clock::of_run(&view.head), view, whole };
    let mut out = String::new();
    page.head(&mut out);
    page.attention(&mut out);
    page.changes(&mut out);
    page.parts(&mut out, report_parts::before_jobs(lang, view));
    page.jobs(&mut out);
    page.incidents(&mut out);
    page.parts(&mut out, report_parts::after_jobs(lang, view));
    page.inspections(&mut out);
    page.foot(&mut out);
    out
}

/// Label and value of each fact about the run that the head of a page shows.
pub(super) fn facts(lang: Lang, head: &RunHead) -> Vec<(String, String)> {
    let clock = Clock::of_run(head);
    let mut facts = vec![
        (Label::Run.say(lang), head.run.to_string()),
        (Label::BusinessDate.say(lang), head.business_date.to_string()),
        (Label::Opened.say(lang), clock.full(head.opened)),
    ];
    if head.anchor != head.opened {
        let at = clock.full(head.anchor);
        let late = head.late.as_ref().map(|late| super::starts::late(lang, late));
        let words = late.map_or_else(|| at.clone(), |late| aside(lang, &at, &late));
        facts.push((Label::Scheduled.say(lang), words));
    }
    match (head.ended, head.expected_end) {
        (Some(ended), _) => facts.push((Label::Ended.say(lang), clock.full(ended))),
        (None, end) => {
            facts.push((Label::AsOf.say(lang), clock.full(head.now)));
            facts.extend(end.map(|end| (Label::ExpectedEnd.say(lang), clock.full(end))));
        }
    }
    if let Some(due) = head.must_complete_by {
        facts.push((Label::MustCompleteBy.say(lang), clock.full(due)));
    }
    facts.push((Label::Zone.say(lang), head.zone.to_string()));
    let facts = facts.into_iter().map(|(label, value)| (label.to_owned(), value));
    let list = head.list.iter().flat_map(|view| super::list::facts(lang, &clock, view));
    facts.chain(list).collect()
}

/// Label and number of each total; those that are zero only where they are always shown.
pub(super) fn totals(lang: Lang, totals: &Totals) -> Vec<(Label, &'static str, u32)> {
    let always = [
        (Label::OnTime, totals.on_time),
        (Label::Late, totals.late),
        (Label::Failed, totals.failed),
        (Label::Skipped, totals.skipped),
        (Label::Forced, totals.forced),
        (Label::NotScheduled, totals.not_scheduled),
    ];
    let sometimes = [
        (Label::Blocked, totals.blocked),
        (Label::Cancelled, totals.cancelled),
        (Label::Unknown, totals.unknown),
        (Label::Held, totals.held),
        (Label::Running, totals.running),
        (Label::Waiting, totals.waiting),
        (Label::Retried, totals.retried),
    ];
    let sometimes = sometimes.into_iter().filter(|(_, n)| *n > 0);
    always.into_iter().chain(sometimes).map(|(label, n)| (label, label.say(lang), n)).collect()
}

/// Jobs that an operator must see to, the critical first.
pub(super) fn troubled(view: &ReportView) -> Vec<&JobLine> {
    let mut jobs: Vec<&JobLine> = view
        .jobs
        .iter()
        .filter(|job| matches!(job.state.word(), StateWord::Failed | StateWord::Unknown))
        .collect();
    jobs.sort_by_key(|job| !job.critical);
    jobs
}

struct Page<'a> {
    lang: Lang,
    clock: Clock<'a>,
    view: &'a ReportView,
    whole: bool,
}

impl Page<'_> {
    /// All of them, or the first.
    fn points<T>(&self, points: Vec<T>) -> Shortened<T> {
        if self.whole {
            Shortened { shown: points, left_out: 0 }
        } else {
            Shortened::points(points)
        }
    }

    fn and_more<T>(&self, out: &mut String, indent: usize, points: &Shortened<T>) {
        if let Some(more) = and_more(self.lang, points) {
            self.paragraph(out, indent, &more);
        }
    }

    fn heading(&self, out: &mut String, label: Label) {
        let _ = writeln!(out, "\n{}", label.say(self.lang));
    }

    fn paragraph(&self, out: &mut String, indent: usize, text: &str) {
        for line in wrap(&one_line(text), PAGE - indent) {
            let _ = writeln!(out, "{:indent$}{line}", "");
        }
    }

    fn head(&self, out: &mut String) {
        let (lang, head) = (self.lang, &self.view.head);
        self.paragraph(out, 0, &phrase::verdict(lang, head, &self.view.totals));
        if head.trial {
            self.paragraph(out, 0, &Verdict::Trial.say(lang));
        }
        for signed in report_parts::signatures(lang, self.view) {
            self.paragraph(out, 0, &signed);
        }
        let title = aside(lang, head.title.get(lang), head.batch.as_str());
        let _ = writeln!(out, "\n{}", pair(lang, head.site.get(lang), &title));
        let mut table = Table::new(&["", ""], &[], 2);
        for (label, value) in facts(lang, head) {
            table.row(vec![label, value]);
        }
        table.write(out);
        self.heading(out, Label::Totals);
        let totals: Vec<String> = totals(lang, &self.view.totals)
            .into_iter()
            .map(|(_, label, n)| format!("{label} {n}"))
            .collect();
        self.paragraph(out, 2, &totals.join("  "));
    }

    fn attention(&self, out: &mut String) {
        let troubled = self.points(troubled(self.view));
        let open = self.points(self.view.open_points());
        self.heading(out, Label::Attention);
        if troubled.shown.is_empty() && open.shown.is_empty() {
            let _ = writeln!(out, "  {}", Label::NothingToDo.say(self.lang));
        }
        for job in &troubled.shown {
            self.trouble(out, job);
        }
        self.and_more(out, 2, &troubled);
        if !open.shown.is_empty() {
            let _ = writeln!(out, "  {}", Label::OpenPoints.say(self.lang));
            for point in &open.shown {
                self.paragraph(
                    out,
                    4,
                    &format!("- {}", phrase::open_point(self.lang, &self.clock, point)),
                );
            }
            self.and_more(out, 4, &open);
        }
    }

    fn trouble(&self, out: &mut String, job: &JobLine) {
        let lang = self.lang;
        let weight = if job.critical { Label::Critical } else { Label::NotCritical };
        let state = Label::of_state(job.state.word()).say(lang);
        let state = list(lang, [state, weight.say(lang)]);
        let title = aside(lang, job.title.get(lang), &state);
        self.paragraph(out, 2, &format!("{}  {title}", job.name));
        self.paragraph(out, 4, &phrase::trouble(lang, &self.clock, &self.view.head, job));
        self.paragraph(out, 4, &blocks(lang, job));
        if !job.tail.is_empty() {
            let _ = writeln!(out, "    {}", Label::LastOutput.say(lang));
            for line in &job.tail {
                let _ = writeln!(out, "      | {}", one_line(line));
            }
        }
        if let Some(runbook) = &job.runbook {
            let _ = writeln!(out, "    {}", Label::Runbook.say(lang));
            runbook.get(lang).lines().for_each(|line| self.paragraph(out, 6, line));
        }
    }

    fn changes(&self, out: &mut String) {
        if self.view.changes.is_empty() {
            return;
        }
        self.heading(out, Label::Changes);
        for change in &self.view.changes {
            self.change(out, change);
        }
    }

    fn change(&self, out: &mut String, change: &ChangeLine) {
        let lang = self.lang;
        let state = Label::of_change(change.state).say(lang);
        let class = Label::of_class(change.class).say(lang);
        let title = aside(lang, change.title.get(lang), state);
        self.paragraph(out, 2, &format!("{}  {title}", change.id));
        let rows = Fault::ChangeRows { rows: change.rows, backup: change.backup_rows }.say(lang);
        let target = format!("{} {}", Label::Target.say(lang), change.target);
        self.paragraph(out, 4, &remarks(lang, &[class.to_owned(), target, rows]));
        self.paragraph(out, 4, &pair(lang, Label::Reason.say(lang), change.reason.get(lang)));
        if let Some(why) = &change.why {
            self.paragraph(out, 4, why);
        }
        let head = [Label::Check, Label::Before, Label::After, Label::Detail].map(|l| l.say(lang));
        let mut table = Table::new(&head, &[], 4);
        for check in checks(change) {
            let word = |ok: Option<bool>| match ok {
                Some(true) => Label::Passed.say(lang).to_owned(),
                Some(false) => Label::NotPassed.say(lang).to_owned(),
                None => "-".to_owned(),
            };
            table.row(vec![check.name, word(check.before), word(check.after), check.detail]);
        }
        table.write(out);
    }

    fn parts(&self, out: &mut String, parts: Vec<Part>) {
        for part in parts {
            let _ = writeln!(out, "\n{}", part.title);
            if let Some(lead) = &part.lead {
                self.paragraph(out, 2, lead);
            }
            let rows = self.points(part.rows.shown);
            if !rows.shown.is_empty() {
                let head: Vec<&str> = part.head.iter().map(String::as_str).collect();
                let mut table = Table::new(&head, part.right, 2);
                rows.shown.iter().for_each(|row| table.row(row.clone()));
                table.write(out);
            }
            self.and_more(out, 2, &rows);
        }
    }

    fn jobs(&self, out: &mut String) {
        self.heading(out, Label::AllJobs);
        let head = &self.view.head;
        if self.whole {
            return job_table(self.lang, &self.clock, head, &self.view.jobs).write(out);
        }
        let rows = self.view.rows();
        if let Some(left_out) = rows_left_out(self.lang, head, &rows) {
            self.paragraph(out, 2, &left_out);
        }
        job_table(self.lang, &self.clock, head, rows.shown).write(out);
    }

    fn incidents(&self, out: &mut String) {
        if self.view.incidents.is_empty() {
            return;
        }
        let lang = self.lang;
        self.heading(out, Label::Incidents);
        let incidents = self.points(self.view.incidents.iter().collect());
        for incident in &incidents.shown {
            let told = phrase::people(lang, &incident.told);
            let opened =
                Fault::IncidentOpened { at: &self.clock.exactly(incident.opened), told: &told };
            let mut parts = vec![opened.say(lang)];
            parts.extend(
                incident
                    .closed
                    .map(|at| Fault::IncidentClosed { at: &self.clock.exactly(at) }.say(lang)),
            );
            let words = pair(
                lang,
                &incident_words::of_run(lang, &self.clock, incident),
                &remarks(lang, &parts),
            );
            self.paragraph(out, 2, &format!("{}  {words}", incident.id));
        }
        self.and_more(out, 2, &incidents);
    }

    fn inspections(&self, out: &mut String) {
        let Some(view) = &self.view.inspections else { return };
        let lang = self.lang;
        let _ = writeln!(out, "\n{}", Inspections::HeadRounds.say(lang));
        for day in inspection::parts(lang, view) {
            self.paragraph(out, 2, &day.heading);
            for round in day.rounds {
                self.paragraph(out, 4, &format!("{}  {}", round.at, round.sum));
                round.findings.iter().for_each(|found| self.paragraph(out, 6, found));
            }
        }
    }

    fn foot(&self, out: &mut String) {
        let lang = self.lang;
        out.push('\n');
        if let Some(head) = &self.view.journal_head {
            let _ = writeln!(out, "{}  {head}", Label::JournalHead.say(lang));
        }
        let generated = self.clock.full(self.view.generated_at);
        let _ = writeln!(out, "{}  {generated}", Label::GeneratedAt.say(lang));
    }
}

/// `Blocks 3 jobs: a, b, c.`
pub(super) fn blocks(lang: Lang, job: &JobLine) -> String {
    if job.blocks.is_empty() {
        return Fault::BlocksNothing.say(lang);
    }
    let count = u32::try_from(job.blocks.len()).unwrap_or(u32::MAX);
    Fault::Blocks { count, list: &list(lang, &job.blocks) }.say(lang)
}

/// One check of a change, before and after.
pub(super) struct CheckRow {
    pub(super) name: String,
    pub(super) before: Option<bool>,
    pub(super) after: Option<bool>,
    /// Of the answer after the change, else of the one before it.
    pub(super) detail: String,
}

/// The checks of both verifications by name, in the order of the one before the change.
pub(super) fn checks(change: &ChangeLine) -> Vec<CheckRow> {
    check_rows(&change.before, &change.after)
}

pub(super) fn check_rows(before: &[Check], after: &[Check]) -> Vec<CheckRow> {
    let mut rows: Vec<CheckRow> = before
        .iter()
        .map(|check| CheckRow {
            name: check.name.clone(),
            before: Some(check.ok),
            after: None,
            detail: check.detail.clone(),
        })
        .collect();
    for check in after {
        match rows.iter_mut().find(|row| row.name == check.name) {
            Some(row) => {
                row.after = Some(check.ok);
                row.detail.clone_from(&check.detail);
            }
            None => rows.push(CheckRow {
                name: check.name.clone(),
                before: None,
                after: Some(check.ok),
                detail: check.detail.clone(),
            }),
        }
    }
    rows
}

/// `+12 more`, where a list does not hold all.
pub(super) fn and_more<T>(lang: Lang, of: &Shortened<T>) -> Option<String> {
    let more = u32::try_from(of.left_out).unwrap_or(u32::MAX);
    (more > 0).then(|| Fault::AndMore { more }.say(lang))
}

/// Which jobs a table holds that does not hold all, and where all are.
pub(super) fn rows_left_out<T>(lang: Lang, head: &RunHead, rows: &Shortened<T>) -> Option<String> {
    let count = |rows: usize| u32::try_from(rows).unwrap_or(u32::MAX);
    let (shown, all) = (rows.shown.len(), rows.shown.len() + rows.left_out);
    let run = head.run.to_string();
    let words = Fault::RowsLeftOut { shown: count(shown), all: count(all), run: &run };
    (rows.left_out > 0).then(|| words.say(lang))
}

/// The table of jobs; `status` has the same.
pub(super) fn job_table<'a>(
    lang: Lang,
    clock: &Clock<'_>,
    head: &RunHead,
    jobs: impl IntoIterator<Item = &'a JobLine>,
) -> Table {
    let columns = [
        Label::Job,
        Label::State,
        Label::Started,
        Label::End,
        Label::Took,
        Label::Attempts,
        Label::Notes,
    ];
    let mut table = Table::new(&columns.map(|label| label.say(lang)), &[4, 5], 2);
    for job in jobs {
        let instant = |at: Option<_>| at.map(|at| clock.exactly(at)).unwrap_or_default();
        let length = phrase::duration(head, job).map(|length| took(lang, length));
        let attempts = job.attempts.len();
        table.row(vec![
            job.name.to_string(),
            Label::of_state(job.state.word()).say(lang).to_owned(),
            instant(job.started),
            instant(phrase::ended(job)),
            length.unwrap_or_default(),
            if attempts > 0 { attempts.to_string() } else { String::new() },
            remarks(lang, &phrase::remarks(lang, clock, head, job)),
        ]);
    }
    table
}
