//! The jobs of a run and what each needs of the others.

use std::collections::BTreeSet;

use super::job::{JobLine, StateWord};
use super::of_job::{critical_path, word};
use crate::core::state::Run;
use crate::definition::site::NeedOf;
use crate::types::{JobName, Text};

/// Jobs that a drawing has at the most; of a larger batch it is asked for a part.
pub const MOST: usize = 250;

#[derive(Debug, Clone, PartialEq)]
pub struct GraphView {
    /// In the order of the file.
    pub nodes: Vec<Node>,
    /// From a job to one that needs it, by their places in `nodes`.
    pub edges: Vec<(usize, usize)>,
    /// Jobs that are left out.
    pub left_out: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    pub name: JobName,
    pub title: Text,
    pub state: StateWord,
    pub critical: bool,
    pub on_critical_path: bool,
    /// The one that was asked for.
    pub wanted: bool,
}

/// Which part of a large batch: everything on the way to a job and from it, or of a whole batch what is in trouble, runs,
/// or is on the critical path before the rest.
pub fn of(run: &Run, wanted: Option<&JobName>) -> GraphView {
    let all: Vec<(usize, usize)> = edges(run);
    let wanted = wanted.and_then(|job| run.index(job));
    let mut kept: Vec<usize> = match wanted {
        Some(job) => {
            let (mut before, mut after) =
                (vec![Vec::new(); run.jobs.len()], vec![Vec::new(); run.jobs.len()]);
            for (need, follower) in &all {
                before[*follower].push(*need);
                after[*need].push(*follower);
            }
            let (before, after) = (reached(job, &before), reached(job, &after));
            before.union(&after).copied().collect()
        }
        None => (0..run.jobs.len()).collect(),
    };
    let critical = critical_path(run);
    let on_path = |index: &usize| critical.contains(&run.job(*index).name);
    kept.sort_by_key(|index| (Some(*index) != wanted, !on_path(index), rank(word(run, *index))));
    let left_out = run.jobs.len() - kept.len().min(MOST);
    kept.truncate(MOST);
    kept.sort_unstable();
    let place = |index: usize| kept.binary_search(&index).ok();
    let edges = all.iter().filter_map(|(need, job)| Some((place(*need)?, place(*job)?)));
    let node = |index: &usize| {
        let job = run.job(*index);
        Node {
            name: job.name.clone(),
            title: job.title.clone(),
            state: word(run, *index),
            critical: job.critical,
            on_critical_path: on_path(index),
            wanted: Some(*index) == wanted,
        }
    };
    GraphView { nodes: kept.iter().map(node).collect(), edges: edges.collect(), left_out }
}

fn edges(run: &Run) -> Vec<(usize, usize)> {
    let of = |index: usize| {
        let needs = run.job(index).needs.iter();
        needs.filter_map(move |need| match &need.of {
            NeedOf::Job(name) => Some((run.index(name)?, index)),
            NeedOf::Across { .. } => None,
        })
    };
    (0..run.jobs.len()).flat_map(of).collect()
}

/// The job, and all that follows it by the lists of each job's next ones.
fn reached(job: usize, next: &[Vec<usize>]) -> BTreeSet<usize> {
    let (mut seen, mut open) = (BTreeSet::from([job]), vec![job]);
    while let Some(at) = open.pop() {
        let next = next.get(at).into_iter().flatten().copied();
        open.extend(next.filter(|next| seen.insert(*next)));
    }
    seen
}

fn rank(word: StateWord) -> u8 {
    match word {
        StateWord::Unknown | StateWord::Failed | StateWord::Blocked => 0,
        StateWord::Running | StateWord::Starting | StateWord::RetryWait | StateWord::Held => 1,
        StateWord::Waiting => 2,
        StateWord::Succeeded | StateWord::Forced | StateWord::Skipped | StateWord::Cancelled => 3,
        StateWord::NotScheduled => 4,
    }
}

impl GraphView {
    /// With the states that a newer page has.
    pub fn with_states(mut self, jobs: &[JobLine]) -> Self {
        for node in &mut self.nodes {
            if let Some(job) = jobs.iter().find(|job| job.name == node.name) {
                node.state = job.state.word();
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::test_night::{Night, name};
    use crate::core::test_site::job;

    fn names(view: &GraphView) -> Vec<&str> {
        view.nodes.iter().map(|node| node.name.as_str()).collect()
    }

    #[test]
    fn a_graph_has_every_need_and_one_job_only_what_is_before_and_after_it() {
        let jobs = [
            job("a", &[]),
            job("b", &["a"]),
            job("c", &["a"]),
            job("d", &["b", "c"]),
            job("e", &[]),
        ];
        let night = Night::of(jobs.to_vec());
        let whole = of(night.run(), None);
        assert_eq!(names(&whole), ["a", "b", "c", "d", "e"]);
        assert_eq!(whole.edges, [(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(whole.left_out, 0);
        let part = of(night.run(), Some(&name("b")));
        assert_eq!(names(&part), ["a", "b", "d"]);
        assert_eq!((part.edges.as_slice(), part.left_out), ([(0, 1), (1, 2)].as_slice(), 2));
        assert!(part.nodes[1].wanted);
    }

    #[test]
    fn of_a_large_batch_what_matters_is_drawn() {
        let mut jobs: Vec<_> = (0..MOST + 20).map(|n| job(&format!("j{n}"), &[])).collect();
        jobs.push(job("bad", &[]));
        let mut night = Night::of(jobs);
        // It is the last of the file, and started when others are over.
        for n in 0..MOST + 20 {
            night.good(&format!("j{n}"));
        }
        night.bad("bad");
        let view = of(night.run(), None);
        assert_eq!((view.nodes.len(), view.left_out), (MOST, 21));
        assert!(names(&view).contains(&"bad"));
    }
}
