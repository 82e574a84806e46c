//! The morning report on paper: what the page says, in its order.

use super::clock::{Clock, took};
use super::gantt;
use super::paper::{self, Block, Cell, Grid, Ink, NoDocument, Sheets};
use super::phrase;
use super::report_html::Tone;
use super::report_parts::{self, Part};
use super::report_text::{self, blocks, facts, rows_left_out, totals, troubled};
use super::words::{Fault, Label, Verdict, aside, list, pair, remarks};
use crate::types::Lang;
use crate::view::job::JobLine;
use crate::view::report::{ChangeLine, ReportView, Shortened};

/// The report as PDF, of a large night as much as the page has.
///
/// # Errors
/// The night cannot be drawn, or the document not be written.
pub fn pdf(lang: Lang, view: &ReportView) -> Result<Vec<u8>, NoDocument> {
    let head = &view.head;
    let title = format!("{} {}", head.title.get(lang), head.business_date);
    let site = pair(lang, head.site.get(lang), Label::ReportTitle.say(lang));
    let journal = view.journal_head.as_ref();
    let journal = journal.map(|hash| format!("{} {hash}", Label::JournalHead.say(lang)));
    let made = Clock::of_run(head).full(view.generated_at);
    let below = [journal, Some(format!("{} {made}", Label::GeneratedAt.say(lang)))];
    let below: Vec<String> = below.into_iter().flatten().collect();
    paper::pdf(&Sheets {
        lang,
        title: format!("{title} – {}", Label::ReportTitle.say(lang)),
        above: (site, head.run.to_string()),
        below: below.join("   "),
        blocks: Page { lang, clock: Clock::of_run(head), view }.blocks(title),
    })
}

struct Page<'a> {
    lang: Lang,
    clock: Clock<'a>,
    view: &'a ReportView,
}

fn ink(tone: Tone) -> Ink {
    match tone.class {
        "ok" => Ink::Good,
        "bad" => Ink::Bad,
        "warn" => Ink::Warn,
        "run" => Ink::Run,
        "odd" => Ink::Odd,
        _ => Ink::Soft,
    }
}

impl Page<'_> {
    fn say(&self, label: Label) -> String {
        label.say(self.lang).to_owned()
    }

    fn blocks(&self, title: String) -> Vec<Block> {
        let (lang, view) = (self.lang, self.view);
        let head = &view.head;
        let tone = Tone::of_run(head.result, head.deadline());
        let verdict = phrase::verdict(lang, head, &view.totals);
        let mut blocks =
            vec![Block::Title(title), Block::Strong(ink(tone), format!("{} {verdict}", tone.sign))];
        if head.trial {
            blocks.push(Block::Strong(Ink::Warn, Verdict::Trial.say(lang)));
        }
        let signed = report_parts::signatures(lang, view);
        blocks.extend(signed.into_iter().map(|line| Block::Words(Ink::Plain, line)));
        blocks.push(Block::Facts(facts(lang, head)));
        let totals = totals(lang, &view.totals).into_iter();
        let totals: Vec<String> = totals.map(|(_, label, n)| format!("{label} {n}")).collect();
        blocks.push(Block::Heading(self.say(Label::Totals)));
        blocks.push(Block::Words(Ink::Plain, totals.join("    ")));
        self.attention(&mut blocks);
        if let Some(svg) = gantt::svg(lang, head, &view.jobs) {
            let (title, words) = (self.say(Label::Timeline), self.legend());
            blocks.push(Block::Drawing { title, words, svg });
        }
        self.changes(&mut blocks);
        self.parts(&mut blocks, report_parts::before_jobs(lang, view));
        self.jobs(&mut blocks);
        if !view.incidents.is_empty() {
            self.parts(&mut blocks, vec![report_parts::incidents(lang, view)]);
        }
        self.parts(&mut blocks, report_parts::after_jobs(lang, view));
        blocks
    }

    /// Of the signs; colours and stripes are named in the drawing's page.
    fn legend(&self) -> String {
        let signs = gantt::legend(self.lang).into_iter().filter(|(_, sign, _)| !sign.is_empty());
        signs.map(|(_, sign, word)| format!("{sign} {word}")).collect::<Vec<_>>().join("    ")
    }

    fn and_more<T>(&self, blocks: &mut Vec<Block>, points: &Shortened<T>) {
        let more = report_text::and_more(self.lang, points);
        blocks.extend(more.map(|more| Block::Words(Ink::Plain, more)));
    }

    fn attention(&self, blocks: &mut Vec<Block>) {
        let troubled = Shortened::points(troubled(self.view));
        let open = Shortened::points(self.view.open_points());
        blocks.push(Block::Heading(self.say(Label::Attention)));
        if troubled.shown.is_empty() && open.shown.is_empty() {
            blocks.push(Block::Words(Ink::Plain, self.say(Label::NothingToDo)));
        }
        for job in &troubled.shown {
            self.trouble(blocks, job);
        }
        self.and_more(blocks, &troubled);
        if open.shown.is_empty() {
            return;
        }
        blocks.push(Block::Strong(Ink::Plain, self.say(Label::OpenPoints)));
        for point in &open.shown {
            let words = phrase::open_point(self.lang, &self.clock, point);
            blocks.push(Block::Words(Ink::Plain, format!("· {words}")));
        }
        self.and_more(blocks, &open);
    }

    fn trouble(&self, blocks: &mut Vec<Block>, job: &JobLine) {
        let lang = self.lang;
        let tone = Tone::of_state(job.state.word(), job.critical);
        let weight = if job.critical { Label::Critical } else { Label::NotCritical };
        let state = list(lang, [Label::of_state(job.state.word()), weight].map(|l| l.say(lang)));
        let title = aside(lang, job.title.get(lang), &state);
        blocks.push(Block::Strong(ink(tone), format!("{} {}  {title}", tone.sign, job.name)));
        let what = phrase::trouble(lang, &self.clock, &self.view.head, job);
        blocks.push(Block::Words(Ink::Plain, format!("{what} {}", self::blocks(lang, job))));
        if !job.tail.is_empty() {
            let tail = pair(lang, Label::LastOutput.say(lang), "");
            blocks.push(Block::Words(Ink::Soft, format!("{tail}\n{}", job.tail.join("\n"))));
        }
        if let Some(runbook) = &job.runbook {
            let runbook = pair(lang, Label::Runbook.say(lang), runbook.get(lang));
            blocks.push(Block::Words(Ink::Plain, runbook));
        }
    }

    fn changes(&self, blocks: &mut Vec<Block>) {
        if self.view.changes.is_empty() {
            return;
        }
        blocks.push(Block::Heading(self.say(Label::Changes)));
        let labels = [
            Label::Change,
            Label::Title,
            Label::State,
            Label::Class,
            Label::Target,
            Label::Rows,
            Label::Reason,
        ];
        let head = labels.map(|label| self.say(label)).to_vec();
        let rows = self.view.changes.iter().map(|change| self.change(change)).collect();
        blocks.push(Block::Grid(Grid { head, rows, right: Vec::new() }));
    }

    fn change(&self, change: &ChangeLine) -> Vec<Cell> {
        let lang = self.lang;
        let good = change.state == Some(crate::wire::ChangeState::Done);
        let state = Label::of_change(change.state).say(lang).to_owned();
        let rows = Fault::ChangeRows { rows: change.rows, backup: change.backup_rows }.say(lang);
        let why = [Some(change.reason.get(lang).to_owned()), change.why.clone()];
        let why: Vec<String> = why.into_iter().flatten().collect();
        vec![
            Cell::from(&change.id),
            Cell::from(change.title.get(lang)),
            Cell { ink: if good { Ink::Good } else { Ink::Bad }, text: state },
            Cell::from(Label::of_class(change.class).say(lang)),
            Cell::from(&change.target),
            Cell::from(rows),
            Cell::from(remarks(lang, &why)),
        ]
    }

    fn parts(&self, blocks: &mut Vec<Block>, parts: Vec<Part>) {
        for part in parts.into_iter().map(Part::shortened) {
            blocks.push(Block::Heading(part.title));
            blocks.extend(part.lead.map(|lead| Block::Words(Ink::Plain, lead)));
            if !part.rows.shown.is_empty() {
                let rows = part.rows.shown.iter();
                let rows = rows.map(|row| row.iter().map(Cell::from).collect()).collect();
                blocks.push(Block::Grid(Grid {
                    head: part.head,
                    rows,
                    right: part.right.to_vec(),
                }));
            }
            self.and_more(blocks, &part.rows);
        }
    }

    fn jobs(&self, blocks: &mut Vec<Block>) {
        let (lang, rows) = (self.lang, self.view.rows());
        blocks.push(Block::Heading(self.say(Label::AllJobs)));
        let left_out = rows_left_out(lang, &self.view.head, &rows);
        blocks.extend(left_out.map(|words| Block::Words(Ink::Soft, words)));
        let labels = [
            Label::Job,
            Label::Title,
            Label::State,
            Label::Started,
            Label::End,
            Label::Took,
            Label::Attempts,
            Label::Notes,
        ];
        let head = labels.map(|label| self.say(label)).to_vec();
        let rows = rows.shown.iter().map(|job| self.job(job)).collect();
        blocks.push(Block::Grid(Grid { head, rows, right: vec![5, 6] }));
    }

    fn job(&self, job: &JobLine) -> Vec<Cell> {
        let (lang, head) = (self.lang, &self.view.head);
        let instant = |at: Option<_>| at.map(|at| self.clock.exactly(at)).unwrap_or_default();
        let tone = Tone::of_state(job.state.word(), job.critical);
        let state = format!("{} {}", tone.sign, Label::of_state(job.state.word()).say(lang));
        let length = phrase::duration(head, job).map(|length| took(lang, length));
        let path = if job.on_critical_path { " ◆" } else { "" };
        let attempts = job.attempts.len();
        vec![
            Cell::from(format!("{}{path}", job.name)),
            Cell::from(job.title.get(lang)),
            Cell { ink: ink(tone), text: state },
            Cell::from(instant(job.started)),
            Cell::from(instant(phrase::ended(job))),
            Cell::from(length.unwrap_or_default()),
            Cell::from(if attempts > 0 { attempts.to_string() } else { String::new() }),
            Cell::from(remarks(lang, &phrase::remarks(lang, &self.clock, head, job))),
        ]
    }
}

#[cfg(test)]
#[path = "report_pdf_tests.rs"]
mod tests;
