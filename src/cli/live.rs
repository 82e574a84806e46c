//! The live display of a run on a terminal: what has happened scrolls by above, what runs now stands below.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::lines;
use crate::core::fact::Fact;
use crate::core::forecast::{self, Forecast};
use crate::core::night::Core;
use crate::driver::log_files::LogFiles;
use crate::render;
use crate::supervisor::Observer;
use crate::types::{AttemptId, Lang, Now};
use crate::view::{self, job::StateWord, of_job::Around, status::StatusView};

/// Running jobs that are shown; of the others the number is told.
const SHOWN: usize = 12;
/// Between two looks at the clock and at what jobs print.
const REFRESH: Duration = Duration::from_millis(250);
/// Between two forecasts, for each job of the open runs: many times what a forecast takes for it, so that looking ahead
/// does not hold up the night that it looks at.
const FORECAST_PAUSE: Duration = Duration::from_micros(500);

/// Between two looks at all jobs, for each job of the open runs, and at the least: many times what a look takes.
const LOOK_PAUSE: Duration = Duration::from_micros(100);
const LOOK_PAUSE_AT_LEAST: Duration = Duration::from_millis(50);

/// Draws the block below, again whenever something happens, and four times a second while something runs.
pub(super) struct Display {
    lang: Lang,
    screen: Arc<Mutex<Screen>>,
    ahead: Forecast,
    /// Since boot.
    forecast_due: Duration,
    /// Since boot: when the jobs are looked at again.
    look_due: Duration,
    /// Whether something has happened since they were.
    behind: bool,
}

/// What stands on the terminal.
struct Screen {
    lang: Lang,
    logs: LogFiles,
    pages: Vec<Page>,
    /// Columns of each line of the block that is drawn now.
    drawn: Vec<usize>,
}

struct Page {
    status: StatusView,
    /// With whether the last line of its log may be shown.
    running: Vec<(AttemptId, bool)>,
    /// The run's clock when the page was made, and the host's.
    made: (Timestamp, Duration),
}

impl Display {
    pub(super) fn new(lang: Lang, agent: PathBuf) -> Self {
        let logs = LogFiles::new(agent);
        let screen = Screen { lang, logs, pages: Vec::new(), drawn: Vec::new() };
        let screen = Arc::new(Mutex::new(screen));
        tokio::spawn(refresh(Arc::clone(&screen)));
        Self {
            lang,
            screen,
            ahead: Forecast::default(),
            forecast_due: Duration::ZERO,
            look_due: Duration::ZERO,
            behind: false,
        }
    }
}

/// Ends with the runtime.
async fn refresh(screen: Arc<Mutex<Screen>>) {
    let mut ticks = tokio::time::interval(REFRESH);
    loop {
        ticks.tick().await;
        let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
        if screen.pages.iter().any(|page| !page.running.is_empty()) {
            screen.draw(&[]);
        }
    }
}

impl Observer for Display {
    fn turn(&mut self, core: &Core, now: Now, facts: &[(Timestamp, Fact)]) {
        let above: Vec<String> = lines::events(core, now, facts)
            .iter()
            .map(|(head, event)| render::event::line(self.lang, head, event))
            .collect();
        if now.since_boot < self.look_due {
            self.behind = true;
            let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
            if !above.is_empty() {
                screen.draw(&above);
            }
            return;
        }
        let open = core.state().runs.values().filter(|run| run.result.is_none());
        let jobs: usize = open.clone().map(|run| run.jobs.len()).sum();
        let jobs = u32::try_from(jobs).unwrap_or(u32::MAX);
        self.behind = false;
        let pause = LOOK_PAUSE.saturating_mul(jobs).max(LOOK_PAUSE_AT_LEAST);
        self.look_due = now.since_boot + pause;
        if now.since_boot >= self.forecast_due {
            self.ahead = forecast::of_night(core, now).unwrap_or_default();
            self.forecast_due = now.since_boot + FORECAST_PAUSE.saturating_mul(jobs);
        }
        let pages = open
            .filter_map(|run| {
                let around = Around { ahead: self.ahead.runs.get(run.id()), ..Around::nothing() };
                let status = view::of_run::status(core, run.id(), now, around).ok()?;
                let running = run.flying().map(|(index, a)| {
                    // Of a line that is not whole nobody knows what is to be left out.
                    (run.attempt_id(index, a.number), run.job(index).log_masks.is_empty())
                });
                let running = running.collect();
                Some(Page { status, running, made: (now.wall, now.since_boot) })
            })
            .collect();
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.pages = pages;
        screen.draw(&above);
    }

    fn looks_at(&self) -> Option<Duration> {
        self.behind.then_some(self.look_due)
    }

    fn notice(&mut self, _: Timestamp, text: &str) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.draw(&[format!("! {text}")]);
    }
}

impl Screen {
    /// Takes the block away, prints what has happened, and puts the block below it again.
    fn draw(&mut self, above: &[String]) {
        let width = rustix::termios::tcgetwinsize(std::io::stdout())
            .map_or(80, |size| usize::from(size.ws_col).max(20));
        let mut text = String::new();
        // A terminal that has become narrower has broken the lines that stand on it.
        let rows: usize = self.drawn.iter().map(|columns| columns.div_ceil(width).max(1)).sum();
        if rows > 0 {
            // To the first column too: a `^C` that the terminal shows stands after the block.
            text.push_str(&format!("\r\x1b[{rows}A\x1b[J"));
        }
        for line in above {
            text.push_str(line);
            text.push('\n');
        }
        let block: Vec<String> = self.block().iter().map(|line| cut(line, width - 1)).collect();
        self.drawn = block.iter().map(|line| line.width()).collect();
        for line in block {
            text.push_str(&line);
            text.push('\n');
        }
        let mut out = std::io::stdout().lock();
        // A terminal that has gone away takes the display with it, not the night.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    fn block(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for page in &self.pages {
            lines.push(String::new());
            lines.push(render::progress::standing(self.lang, &page.status));
            let now = page.now();
            let jobs = &page.status.jobs;
            let running: Vec<_> = page
                .running
                .iter()
                .filter_map(|of| Some((of, jobs.iter().find(|job| job.name == of.0.job)?)))
                .collect();
            let waiting: Vec<_> =
                jobs.iter().filter(|job| job.state.word() == StateWord::RetryWait).collect();
            let names = running.iter().map(|(_, job)| *job).chain(waiting.iter().copied());
            let width = names.take(SHOWN).map(|job| job.name.as_str().len()).max().unwrap_or(0);
            for ((id, shown), job) in running.iter().take(SHOWN) {
                let said = if *shown {
                    self.logs.last_line(id).unwrap_or_default()
                } else {
                    String::new()
                };
                lines.push(render::progress::running(self.lang, job, now, &said, width));
            }
            let room = SHOWN.saturating_sub(running.len());
            for job in waiting.iter().take(room) {
                let head = &page.status.head;
                lines.push(render::progress::between_tries(self.lang, head, job, width));
            }
            let more = (running.len() + waiting.len()).saturating_sub(SHOWN);
            if more > 0 {
                lines.push(format!("  +{more}"));
            }
        }
        lines
    }
}

impl Page {
    /// The run's clock now: it goes on as the host's time since boot does.
    fn now(&self) -> Timestamp {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let since = Duration::new(
            u64::try_from(since.tv_sec).unwrap_or(0),
            u32::try_from(since.tv_nsec).unwrap_or(0),
        );
        let gone = since.saturating_sub(self.made.1);
        self.made.0.saturating_add(gone).unwrap_or(self.made.0)
    }
}

/// As much of a line as fits into so many columns.
fn cut(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let mut used = 0;
    let mut kept: String = line
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used < columns
        })
        .collect();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_is_cut_by_columns_not_by_characters() {
        assert_eq!(super::cut("abc", 3), "abc");
        assert_eq!(super::cut("abcd", 3), "ab…");
        assert_eq!(super::cut("载入参考汇率", 7), "载入参…");
    }
}
