//! Which jobs of the night a page lists, and in which order: what is red first, then what runs, then what is next.

use jiff::Timestamp;

use super::job::{JobLine, StateWord};
use super::status::{StatusPage, StatusView};
use crate::types::{BatchId, TeamName};

/// Rows of one page: more are not read, and each is redrawn while the night goes on.
const PAGE: usize = 200;

/// What a page asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Wanted {
    pub group: Group,
    pub batch: Option<BatchId>,
    pub team: Option<TeamName>,
    /// Part of a job's name or title, or of its batch's name; whatever the case.
    pub text: String,
    /// From 0.
    pub page: usize,
}

/// Jobs by what somebody wants to know of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Group {
    #[default]
    All,
    /// Somebody should look: failed, unknown, blocked, held, late, or tried again.
    Trouble,
    Running,
    Waiting,
    /// Over, and no trouble.
    Done,
}

impl Group {
    pub const ALL: [Self; 5] = [Self::All, Self::Trouble, Self::Running, Self::Waiting, Self::Done];

    /// As it stands in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Trouble => "trouble",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Done => "done",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|group| group.word() == word)
    }

    fn has(self, job: &JobLine) -> bool {
        self == Self::All || self == Self::of(job)
    }

    fn of(job: &JobLine) -> Self {
        match job.state.word() {
            StateWord::Unknown
            | StateWord::Failed
            | StateWord::Blocked
            | StateWord::Held
            | StateWord::RetryWait => Self::Trouble,
            _ if !job.late.is_empty() => Self::Trouble,
            StateWord::Running | StateWord::Starting => Self::Running,
            StateWord::Waiting => Self::Waiting,
            StateWord::Succeeded
            | StateWord::Skipped
            | StateWord::Forced
            | StateWord::Cancelled
            | StateWord::NotScheduled => Self::Done,
        }
    }
}

/// The rows of one page.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    pub rows: Vec<(&'a StatusView, &'a JobLine)>,
    /// Jobs of each group that the rest of what was asked for leaves, in the order of [`Group::ALL`].
    pub counts: [usize; 5],
    /// From 0; the last where a later one was asked for.
    pub page: usize,
    /// At least one.
    pub pages: usize,
}

/// Where a job stands in the list: the lower, the sooner somebody should see it.
fn rank(job: &JobLine) -> u8 {
    match job.state.word() {
        StateWord::Running | StateWord::Starting if !job.late.is_empty() => {
            StateWord::Held.urgency(job.critical)
        }
        word => word.urgency(job.critical),
    }
}

/// Within a rank: what is next or was last comes first.
fn within(job: &JobLine) -> (Option<Timestamp>, std::cmp::Reverse<Option<Timestamp>>) {
    let ahead = matches!(job.state.word(), StateWord::Waiting);
    let next = job.expected_start.or(job.planned_start).filter(|_| ahead);
    // What cannot be forecast is after what can.
    let next = if ahead { next.or(Some(Timestamp::MAX)) } else { None };
    (next, std::cmp::Reverse(job.ended.or(job.started)))
}

/// The rows that are asked for.
pub fn rows<'a>(night: &'a StatusPage, wanted: &Wanted) -> Rows<'a> {
    let text = wanted.text.to_lowercase();
    let of_run = |run: &&StatusView| {
        wanted.batch.as_ref().is_none_or(|batch| *batch == run.head.batch)
            && wanted.team.as_ref().is_none_or(|team| Some(team) == run.head.team.as_ref())
    };
    let told = |run: &StatusView, job: &JobLine| {
        let has = |words: &str| words.to_lowercase().contains(&text);
        text.is_empty()
            || has(job.name.as_str())
            || has(run.head.batch.as_str())
            || crate::types::Lang::ALL.into_iter().any(|lang| has(job.title.get(lang)))
    };
    let mut counts = [0; 5];
    let mut found = Vec::new();
    for run in night.runs.iter().filter(of_run) {
        for job in run.jobs.iter().filter(|job| told(run, job)) {
            for (count, group) in counts.iter_mut().zip(Group::ALL) {
                *count += usize::from(group.has(job));
            }
            if wanted.group.has(job) {
                found.push((run, job));
            }
        }
    }
    found.sort_by_key(|(_, job)| (rank(job), within(job)));
    let pages = found.len().div_ceil(PAGE).max(1);
    let page = wanted.page.min(pages - 1);
    let rows = found.into_iter().skip(page * PAGE).take(PAGE).collect();
    Rows { rows, counts, page, pages }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_night::Night;
    use crate::core::test_site::job;
    use crate::view::of_job::Around;
    use crate::view::of_run;

    /// `bad` has failed and blocks `after`; `long` runs; `last` waits for it; `good` is over.
    fn night() -> StatusPage {
        let mut last = job("last", &["long"]);
        last.title.zh = Some("最后".to_owned());
        let jobs = [job("good", &[]), job("bad", &[]), job("after", &["bad"]), job("long", &[])];
        let mut night = Night::of([jobs.to_vec(), vec![last]].concat());
        night.good("good");
        night.bad("bad");
        let now = night.now;
        let run = of_run::status(&night.core, &night.run_id(), now, Around::nothing()).unwrap();
        let zone = run.head.zone.clone();
        let (runs, incidents) = (vec![run], Vec::new());
        StatusPage { runs, incidents, next: None, now: now.wall, zone, trouble: None }
    }

    fn names(night: &StatusPage, wanted: &Wanted) -> Vec<String> {
        rows(night, wanted).rows.iter().map(|(_, job)| job.name.to_string()).collect()
    }

    #[test]
    fn what_is_red_comes_first_then_what_runs_then_what_is_next() {
        let night = night();
        assert_eq!(names(&night, &Wanted::default()), ["bad", "after", "long", "last", "good"]);
    }

    #[test]
    fn a_group_a_text_and_a_batch_leave_out_the_others_and_are_counted() {
        let night = night();
        let of = |group| Wanted { group, ..Wanted::default() };
        for (group, expected) in [
            (Group::Trouble, ["bad", "after"].as_slice()),
            (Group::Running, &["long"]),
            (Group::Waiting, &["last"]),
            (Group::Done, &["good"]),
        ] {
            assert_eq!(names(&night, &of(group)), expected, "{group:?}");
        }
        assert_eq!(rows(&night, &of(Group::Done)).counts, [5, 2, 1, 1, 1]);
        let text = |text: &str| Wanted { text: text.to_owned(), ..Wanted::default() };
        assert_eq!(names(&night, &text("LA")), ["last"]);
        assert_eq!(names(&night, &text("最后")), ["last"]);
        assert_eq!(rows(&night, &text("LA")).counts, [1, 0, 0, 1, 0]);
        let other = Wanted { batch: Some("other".parse().unwrap()), ..Wanted::default() };
        assert!(names(&night, &other).is_empty());
        let team = Wanted { team: Some("ops".parse().unwrap()), ..Wanted::default() };
        assert!(names(&night, &team).is_empty());
    }

    #[test]
    fn a_large_night_comes_in_pages_and_one_that_is_not_there_is_the_last() {
        let mut night = night();
        let job = night.runs[0].jobs[0].clone();
        night.runs[0].jobs = vec![job; 2 * PAGE + 1];
        let page = |page| rows(&night, &Wanted { page, ..Wanted::default() });
        assert_eq!((page(0).rows.len(), page(0).pages), (PAGE, 3));
        assert_eq!(page(2).rows.len(), 1);
        assert_eq!((page(9).page, page(9).rows.len()), (2, 1));
    }
}
