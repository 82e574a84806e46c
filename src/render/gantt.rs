//! The night as a drawing (SVG): for each job what was planned, what is forecast, and every attempt as it was, with the
//! critical path, the limit and now, windows and freezes. Layout here, drawing in `templates/gantt.svg`, colours in
//! `templates/gantt.css`.
//!
//! Nothing is said by colour alone: failed attempts are striped and crossed, the critical path has a diamond, the
//! forecast is hollow.

use askama::Template;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::render::clock::{Clock, took};
use crate::render::phrase;
use crate::render::table::cut;
use crate::render::words::{Fault, Label, Reported, list};
use crate::types::Lang;
use crate::view::bands::Band;
use crate::view::job::{JobLine, StateWord};
use crate::view::run::RunHead;

/// More rows than this are not read; the rest is counted in a last line.
const MOST_ROWS: usize = 150;
/// Units of the drawing: the left column of names, the chart, the whole.
const NAMES: f64 = 200.0;
const CHART: f64 = 880.0;
const WIDTH: f64 = NAMES + CHART + 20.0;
/// Room for the axis above the rows.
const TOP: f64 = 52.0;
/// Height of the lane of a window or a freeze, and their number at the most: what is left out stands with the job.
const LANE: f64 = 15.0;
const MOST_LANES: usize = 12;
/// A bar of a job that took no time is still seen.
const THINNEST: f64 = 5.0;
/// Units that a character of a label takes, about.
const LETTER: f64 = 6.0;

#[derive(Template)]
#[template(path = "gantt.svg")]
struct Drawing {
    label: String,
    width: f64,
    height: f64,
    names: f64,
    right: f64,
    rows_end: f64,
    font: f64,
    /// Whether the colours come with it.
    styled: bool,
    ticks: Vec<Tick>,
    lanes: Vec<Lane>,
    rows: Vec<Row>,
    lines: Vec<Line>,
    more: Option<String>,
    /// What the whole drawing is, where that is not a run that was.
    mark: Option<&'static str>,
}

struct Tick {
    x: f64,
    text: String,
}

/// The limit and now.
struct Line {
    x: f64,
    class: &'static str,
    text: String,
    anchor: &'static str,
    /// Of the label: each line's at a height of its own.
    y: f64,
}

/// A window or a freeze.
struct Lane {
    y: f64,
    name: String,
    tip: String,
    class: &'static str,
    /// Where it is open, or closed by the freeze; x and width.
    spans: Vec<(f64, f64)>,
    /// What of it falls on the jobs below: nothing starts there.
    shut: Vec<(f64, f64)>,
}

struct Row {
    y: f64,
    height: f64,
    text_y: f64,
    middle: f64,
    name: String,
    tip: String,
    critical: bool,
    shaded: bool,
    /// From the first attempt to the last: what lies between is waiting.
    thread: Option<(f64, f64)>,
    bars: Vec<Bar>,
    /// When it started and what it took, beside the bars: where, at which of their sides, what.
    note: Option<(f64, &'static str, String)>,
}

struct Bar {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
    class: &'static str,
    /// Where a sign stands, and which.
    sign: Option<(f64, &'static str)>,
}

/// The colours, for a page that has them in a stylesheet of its own and takes the [`bare`] drawing. Variables of the page
/// (`--ink`, `--ok`, …) take precedence.
pub const STYLE: &str = include_str!("templates/gantt.css");

/// The drawing of a run; `None` where no job has a time.
pub fn svg(lang: Lang, head: &RunHead, jobs: &[JobLine]) -> Option<String> {
    draw(lang, head, jobs, Look { mark: None, styled: true })
}

/// As [`svg`], without its colours: a page that allows no style within itself has [`STYLE`] in its stylesheet.
pub fn bare(lang: Lang, head: &RunHead, jobs: &[JobLine]) -> Option<String> {
    draw(lang, head, jobs, Look { mark: None, styled: false })
}

/// As [`svg`], of a run that was only played, and marked so.
pub fn simulated(lang: Lang, head: &RunHead, jobs: &[JobLine]) -> Option<String> {
    draw(lang, head, jobs, Look { mark: Some(Label::SimulatedMark.say(lang)), styled: true })
}

#[derive(Clone, Copy)]
struct Look {
    mark: Option<&'static str>,
    styled: bool,
}

fn draw(lang: Lang, head: &RunHead, jobs: &[JobLine], look: Look) -> Option<String> {
    let timed: Vec<&JobLine> = jobs.iter().filter(|job| !instants(head, job).is_empty()).collect();
    let scale = Scale::of(head, &timed)?;
    let (shown, hidden) = choose(&timed);
    let height = match shown.len() {
        0..=40 => 24.0,
        41..=80 => 18.0,
        _ => 13.0,
    };
    let clock = Clock::of_run(head);
    let lanes = lanes(lang, head, &clock, &scale);
    let top = TOP + LANE * lanes.len() as f64;
    let rows: Vec<Row> = shown
        .iter()
        .enumerate()
        .map(|(i, job)| {
            let y = top + i as f64 * height;
            Row { shaded: i % 2 == 1, ..row(lang, head, &clock, &scale, job, (y, height)) }
        })
        .collect();
    let rows_end = top + height * rows.len() as f64;
    let more = (hidden > 0)
        .then(|| Fault::AndMore { more: u32::try_from(hidden).unwrap_or(u32::MAX) }.say(lang));
    let drawing = Drawing {
        label: format!("{}: {}", Label::Timeline.say(lang), head.run),
        width: WIDTH,
        height: rows_end + if more.is_some() { 24.0 } else { 8.0 },
        names: NAMES,
        right: NAMES + CHART,
        rows_end,
        font: (height * 0.52).clamp(8.5, 12.0),
        styled: look.styled,
        ticks: scale.ticks(&clock),
        lanes,
        rows,
        lines: lines(lang, head, &clock, &scale),
        more,
        mark: look.mark,
    };
    drawing.render().ok()
}

/// Every instant that a job's row shows.
fn instants(head: &RunHead, job: &JobLine) -> Vec<Timestamp> {
    let mut all: Vec<Timestamp> =
        [job.planned_start, job.planned_end].into_iter().flatten().collect();
    for attempt in &job.attempts {
        all.extend(attempt.started);
        all.extend(attempt.started.and(Some(attempt.ended.unwrap_or(head.now))));
    }
    if job.attempts.is_empty() {
        all.extend(phrase::ended(job));
    }
    if is_ahead(job) {
        all.extend(job.expected_start);
        all.extend(job.expected_end);
    }
    all
}

/// Whether its forecast is drawn: it is not over.
fn is_ahead(job: &JobLine) -> bool {
    matches!(
        job.state.word(),
        StateWord::Waiting | StateWord::Starting | StateWord::Running | StateWord::RetryWait
    )
}

/// At most [`MOST_ROWS`] jobs: those in trouble and on the critical path before the others, drawn in the order of their
/// starts.
fn choose<'a>(jobs: &[&'a JobLine]) -> (Vec<&'a JobLine>, usize) {
    let weight = |job: &JobLine| match job.state.word() {
        StateWord::Failed | StateWord::Unknown | StateWord::Running => 0,
        _ if job.on_critical_path || job.ran_long.is_some() || !job.late.is_empty() => 1,
        StateWord::NotScheduled => 3,
        _ => 2,
    };
    let mut shown = jobs.to_vec();
    shown.sort_by_key(|job| weight(job));
    let hidden = shown.len().saturating_sub(MOST_ROWS);
    shown.truncate(MOST_ROWS);
    shown.sort_by_key(|job| job.started.or(job.expected_start).or(job.planned_start));
    (shown, hidden)
}

/// From instants to the drawing's units.
struct Scale {
    from: Timestamp,
    to: Timestamp,
}

impl Scale {
    fn of(head: &RunHead, jobs: &[&JobLine]) -> Option<Self> {
        let all = || jobs.iter().flat_map(|job| instants(head, job));
        let (from, mut to) = (all().min()?, all().max()?);
        if head.result.is_none() {
            to = to.max(head.now);
        }
        // A limit far off would press the night into a corner; then it is only named at the edge.
        if let Some(due) = head.must_complete_by {
            let span = to.duration_since(from).as_millis();
            if due > to && due.duration_since(from).as_millis() * 10 <= span * 16 {
                to = due;
            }
        }
        let least = from + jiff::SignedDuration::from_secs(1);
        Some(Self { from, to: to.max(least) })
    }

    fn x(&self, at: Timestamp) -> f64 {
        let span = self.to.duration_since(self.from).as_secs_f64();
        let part = at.duration_since(self.from).as_secs_f64() / span;
        // Tenths are finer than any screen; more digits only make the page larger.
        ((NAMES + 4.0 + part.clamp(0.0, 1.0) * (CHART - 8.0)) * 10.0).round() / 10.0
    }

    /// Where these times lie in the drawing, and how broad they are; those that lie outside of it are left out.
    fn parts(&self, spans: &[(Timestamp, Timestamp)]) -> Vec<(f64, f64)> {
        let seen = spans.iter().filter(|(from, to)| *from < self.to && *to > self.from);
        let part = |(from, to): &(Timestamp, Timestamp)| {
            let (left, right) = (self.x(*from), self.x(*to));
            (left, ((right - left) * 10.0).round() / 10.0)
        };
        seen.map(part).collect()
    }

    fn covers(&self, at: Timestamp) -> bool {
        (self.from..=self.to).contains(&at)
    }

    /// Marks at round clock times, ten at the most.
    fn ticks(&self, clock: &Clock<'_>) -> Vec<Tick> {
        const STEPS: [i64; 20] = [
            1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600,
            43_200, 86_400, 604_800, 2_592_000,
        ];
        let span = self.to.duration_since(self.from).as_secs();
        let step = STEPS.into_iter().find(|step| span / step < 10).unwrap_or(2_592_000);
        let offset = clock.offset_seconds(self.from);
        let first = (self.from.as_second() + offset).div_euclid(step) * step - offset;
        (0..=11)
            .filter_map(|i| Timestamp::from_second(first + i * step).ok())
            .filter(|at| self.covers(*at))
            .map(|at| Tick {
                x: self.x(at),
                text: if step < 60 { clock.exactly(at) } else { clock.minute(at) },
            })
            .collect()
    }
}

fn row(
    lang: Lang,
    head: &RunHead,
    clock: &Clock<'_>,
    scale: &Scale,
    job: &JobLine,
    (y, height): (f64, f64),
) -> Row {
    let mut bars = Vec::new();
    let mut bar =
        |from: Timestamp, to: Timestamp, class, inset: f64, sign: Option<&'static str>| {
            let (left, right) = (scale.x(from), scale.x(to));
            let width = (right - left).max(THINNEST);
            bars.push(Bar {
                x: left,
                y: y + inset,
                width,
                height: height - 2.0 * inset,
                class,
                sign: sign.map(|sign| (left + width, sign)),
            });
        };
    let thin = height * 0.26;
    if let (Some(from), Some(to)) = (job.planned_start, job.planned_end) {
        bar(from, to, "planned", height * 0.1, None);
    }
    if is_ahead(job)
        && let Some(to) = job.expected_end
    {
        let from = job.started.or(job.expected_start).unwrap_or(head.now);
        bar(from, to, "forecast", thin, None);
    }
    for attempt in &job.attempts {
        let Some(from) = attempt.started else { continue };
        let to = attempt.ended.unwrap_or(head.now);
        let certain = attempt.ending.as_ref().is_none_or(|ending| ending.is_certain());
        let (class, sign) = match (&attempt.ending, attempt.good) {
            (None, _) => ("running", Some("▸")),
            (Some(_), true) => ("well", None),
            (Some(_), false) if certain => ("failed", Some("✗")),
            (Some(_), false) => ("unknown", Some("?")),
        };
        bar(from, to, class, thin, sign);
    }
    if job.attempts.is_empty()
        && let Some(at) = phrase::ended(job)
    {
        bar(at, at, "well", thin, None);
    }
    let starts = || job.attempts.iter().filter_map(|attempt| attempt.started);
    let thread = match (starts().min(), starts().max()) {
        (Some(first), Some(last)) if first < last => Some((scale.x(first), scale.x(last))),
        _ => None,
    };
    Row {
        y,
        height,
        text_y: y + height * 0.68,
        middle: y + height / 2.0,
        name: cut(job.name.as_str(), 27),
        tip: tip(lang, head, clock, job),
        critical: job.on_critical_path,
        shaded: false,
        thread,
        note: note(lang, head, clock, job, &bars),
        bars,
    }
}

/// Start and length, to the right of the last bar where there is room, else to the left of the first.
fn note(
    lang: Lang,
    head: &RunHead,
    clock: &Clock<'_>,
    job: &JobLine,
    bars: &[Bar],
) -> Option<(f64, &'static str, String)> {
    let text = match (job.started, phrase::duration(head, job)) {
        (Some(at), Some(length)) => format!("{} · {}", clock.exactly(at), took(lang, length)),
        _ => clock.exactly(phrase::ended(job)?),
    };
    let right = bars.iter().map(|bar| bar.x + bar.width).fold(0.0, f64::max) + 9.0;
    let left = bars.iter().map(|bar| bar.x).fold(f64::MAX, f64::min) - 6.0;
    let length = LETTER * text.width() as f64;
    if right + length < NAMES + CHART {
        Some((right, "start", text))
    } else if left - length > NAMES {
        Some((left, "end", text))
    } else {
        None
    }
}

/// What a pointer over the row, and a screen reader, says.
fn tip(lang: Lang, head: &RunHead, clock: &Clock<'_>, job: &JobLine) -> String {
    let state = Label::of_state(job.state.word()).say(lang);
    let mut parts = vec![format!("{} {}: {state}", job.name, job.title.get(lang))];
    if job.on_critical_path {
        parts.push(Label::OnCriticalPath.say(lang).to_owned());
    }
    if let (Some(from), Some(to)) = (job.planned_start, job.planned_end) {
        let planned = Label::LegendPlanned.say(lang);
        parts.push(format!("{planned} {}-{}", clock.exactly(from), clock.exactly(to)));
    }
    if is_ahead(job)
        && let Some(end) = job.expected_end
    {
        parts.push(format!("{} {}", Label::ExpectedEnd.say(lang), clock.exactly(end)));
    }
    parts.extend(job.attempts.iter().map(|attempt| phrase::attempt(lang, clock, attempt)));
    parts.extend(phrase::remarks(lang, clock, head, job));
    parts.join("\n")
}

/// Windows and freezes, as far as the drawing reaches.
fn lanes(lang: Lang, head: &RunHead, clock: &Clock<'_>, scale: &Scale) -> Vec<Lane> {
    let seen = |band: &Band| band.window.is_some() || !scale.parts(&band.spans).is_empty();
    let bands = head.bands.iter().filter(|band| seen(band)).take(MOST_LANES);
    let lane = |(i, band): (usize, &Band)| {
        let title = band.title.get(lang);
        let (name, class) = match band.window {
            Some(_) => (Reported::Window { title }.say(lang), "open"),
            None => (Reported::Freeze { reason: title }.say(lang), "frozen"),
        };
        let times = band.spans.iter();
        let times =
            times.map(|(from, to)| format!("{}-{}", clock.minute(*from), clock.minute(*to)));
        let spans = scale.parts(&band.spans);
        Lane {
            y: TOP + LANE * i as f64,
            tip: format!("{name}\n{}", list(lang, times)),
            name: cut(&name, 32),
            class,
            shut: if band.window.is_none() { spans.clone() } else { Vec::new() },
            spans,
        }
    };
    bands.enumerate().map(lane).collect()
}

fn lines(lang: Lang, head: &RunHead, clock: &Clock<'_>, scale: &Scale) -> Vec<Line> {
    let line = |at: Timestamp, class, label: Label, y| {
        let x = scale.x(at);
        let text = format!("{} {}", label.say(lang), clock.minute(at));
        let beyond = at > scale.to;
        Line {
            x,
            class: if beyond { "beyond" } else { class },
            text: if beyond { text + " →" } else { text },
            anchor: if x > NAMES + CHART / 2.0 { "end" } else { "start" },
            y,
        }
    };
    let mut lines = Vec::new();
    lines.extend(head.must_complete_by.map(|due| line(due, "limit", Label::LegendLimit, 12.0)));
    if head.result.is_none() {
        lines.push(line(head.now, "now", Label::LegendNow, 25.0));
    }
    lines
}

/// Class of the swatch, sign and word of what the drawing shows.
pub fn legend(lang: Lang) -> Vec<(&'static str, &'static str, &'static str)> {
    [
        ("planned", "", Label::LegendPlanned),
        ("forecast", "", Label::LegendExpected),
        ("well", "", Label::LegendWell),
        ("running", "▸", Label::LegendRunning),
        ("failed", "✗", Label::LegendFailed),
        ("unknown", "?", Label::LegendUnknown),
        ("", "◆", Label::OnCriticalPath),
    ]
    .into_iter()
    .map(|(class, sign, label)| (class, sign, label.say(lang)))
    .collect()
}

#[cfg(test)]
#[path = "gantt_tests.rs"]
mod tests;
