//! The jobs of a run and what each needs of the others.

use std::collections::{BTreeMap, BTreeSet};

use super::folding::{Folding, groups};
use super::job::{JobLine, StateWord};
use super::of_job::{critical_path, word};
use crate::core::state::Run;
use crate::definition::site::NeedOf;
use crate::types::{JobName, Text};

/// Boxes that a drawing has at the most; of a larger batch it is asked for a part.
pub const MOST: usize = 250;

#[derive(Debug, Clone, PartialEq)]
pub struct GraphView {
    /// In the order of the file; a folded group where its first job would stand.
    pub nodes: Vec<Node>,
    /// From a box to one that needs it, by their places in `nodes`.
    pub edges: Vec<(usize, usize)>,
    /// Jobs that are left out.
    pub left_out: usize,
    /// Groups that its jobs have, by name, with how many jobs each has.
    pub groups: BTreeMap<String, usize>,
    /// Which of them are folded.
    pub folding: Folding,
}

/// A box of the drawing: a job, or the jobs of a folded group.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Of the job, or of the group.
    pub name: String,
    /// `None`: it is a group.
    pub title: Option<Text>,
    pub jobs: Vec<JobName>,
    /// Of a group: that of its jobs which somebody should see first.
    pub state: StateWord,
    pub critical: bool,
    pub on_critical_path: bool,
    /// The one that was asked for.
    pub wanted: bool,
}

/// Which part of a large batch: everything on the way to a job and from it, or of a whole batch what is in trouble, runs,
/// or is on the critical path before the rest. A job that is asked for is no part of a group.
pub fn of(run: &Run, wanted: Option<&JobName>, folding: Folding) -> GraphView {
    let all = edges(run);
    let wanted = wanted.and_then(|job| run.index(job));
    let shown: Vec<usize> = match wanted {
        Some(job) => around(job, run.jobs.len(), &all).into_iter().collect(),
        None => (0..run.jobs.len()).collect(),
    };
    let folding = folding.settled(shown.len() > MOST);
    let names: Vec<&JobName> = (0..run.jobs.len()).map(|index| &run.job(index).name).collect();
    let group_of = groups(&names);
    let folded = |index: usize| {
        let group = group_of.get(index).and_then(Option::as_deref);
        group.filter(|group| Some(index) != wanted && folding.folds(group))
    };
    let mut boxes: Vec<Vec<usize>> = Vec::new();
    let mut of_group: BTreeMap<&str, usize> = BTreeMap::new();
    for index in &shown {
        let known = folded(*index).map(|group| *of_group.entry(group).or_insert(boxes.len()));
        match known.and_then(|at| boxes.get_mut(at)) {
            Some(jobs) => jobs.push(*index),
            None => boxes.push(vec![*index]),
        }
    }
    let critical = critical_path(run);
    let mut nodes: Vec<(Vec<usize>, Node)> = boxes
        .into_iter()
        .map(|jobs| {
            // One that stands for a single job is that job.
            let group = jobs.first().and_then(|first| folded(*first)).filter(|_| jobs.len() > 1);
            let is_wanted = jobs.iter().any(|job| Some(*job) == wanted);
            let node = Node { wanted: is_wanted, ..node(run, &critical, &jobs, group) };
            (jobs, node)
        })
        .collect();
    nodes.sort_by_key(|(_, node)| (!node.wanted, !node.on_critical_path, node.urgency()));
    nodes.truncate(MOST);
    nodes.sort_by(|(a, _), (b, _)| a.cmp(b));
    let places: BTreeMap<usize, usize> = nodes
        .iter()
        .enumerate()
        .flat_map(|(place, (jobs, _))| jobs.iter().map(move |job| (*job, place)))
        .collect();
    let place = |index: &usize| places.get(index).copied();
    // Of jobs in two groups there may be many.
    let edges: BTreeSet<(usize, usize)> =
        all.iter().filter_map(|(need, job)| Some((place(need)?, place(job)?))).collect();
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let in_groups = shown.iter().filter(|index| Some(**index) != wanted);
    for group in in_groups.filter_map(|index| group_of.get(*index)?.clone()) {
        *sizes.entry(group).or_default() += 1;
    }
    sizes.retain(|_, jobs| *jobs > 1);
    GraphView {
        left_out: run.jobs.len() - places.len(),
        nodes: nodes.into_iter().map(|(_, node)| node).collect(),
        edges: edges.into_iter().filter(|(need, job)| need != job).collect(),
        groups: sizes,
        folding,
    }
}

/// A job, all that it waits for, and all that waits for it.
fn around(job: usize, jobs: usize, edges: &[(usize, usize)]) -> BTreeSet<usize> {
    let (mut before, mut after) = (vec![Vec::new(); jobs], vec![Vec::new(); jobs]);
    for (need, follower) in edges {
        before[*follower].push(*need);
        after[*need].push(*follower);
    }
    reached(job, &before).union(&reached(job, &after)).copied().collect()
}

fn node(run: &Run, path: &BTreeSet<JobName>, jobs: &[usize], group: Option<&str>) -> Node {
    let first = jobs.first().copied().unwrap_or_default();
    let states = jobs.iter().map(|index| (word(run, *index), run.job(*index).critical));
    let (state, critical) = most_urgent(states).unwrap_or((word(run, first), false));
    let names: Vec<JobName> = jobs.iter().map(|index| run.job(*index).name.clone()).collect();
    Node {
        name: group.unwrap_or(run.job(first).name.as_str()).to_owned(),
        title: group.is_none().then(|| run.job(first).title.clone()),
        state,
        critical,
        on_critical_path: names.iter().any(|job| path.contains(job)),
        wanted: false,
        jobs: names,
    }
}

fn most_urgent(states: impl Iterator<Item = (StateWord, bool)>) -> Option<(StateWord, bool)> {
    states.min_by_key(|(state, critical)| state.urgency(*critical))
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

impl Node {
    fn urgency(&self) -> u8 {
        self.state.urgency(self.critical)
    }
}

impl GraphView {
    /// With the states that a newer page has.
    pub fn with_states(mut self, jobs: &[JobLine]) -> Self {
        let known: BTreeMap<&JobName, (StateWord, bool)> =
            jobs.iter().map(|job| (&job.name, (job.state.word(), job.critical))).collect();
        for node in &mut self.nodes {
            let states = node.jobs.iter().filter_map(|job| known.get(job).copied());
            if let Some((state, critical)) = most_urgent(states) {
                (node.state, node.critical) = (state, critical);
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
        let whole = of(night.run(), None, Folding::default());
        assert_eq!(names(&whole), ["a", "b", "c", "d", "e"]);
        assert_eq!(whole.edges, [(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(whole.left_out, 0);
        let part = of(night.run(), Some(&name("b")), Folding::default());
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
        let open = Folding { all: Some(false), ..Folding::default() };
        let view = of(night.run(), None, open);
        assert_eq!((view.nodes.len(), view.left_out), (MOST, 21));
        assert!(names(&view).contains(&"bad"));
        // Where nobody says how, all of it is drawn, folded.
        let view = of(night.run(), None, Folding::default());
        assert_eq!((names(&view).as_slice(), view.left_out), (["j", "bad"].as_slice(), 0));
    }

    #[test]
    fn a_folded_group_is_one_box_in_the_state_that_somebody_should_see_first() {
        let jobs = [
            job("load-eu", &[]),
            job("load-us", &[]),
            job("check", &["load-eu"]),
            job("load-asia", &["check"]),
            job("post", &["load-us", "load-asia"]),
        ];
        let mut night = Night::of(jobs.to_vec());
        night.good("load-eu");
        night.bad("load-us");
        let folded = |wanted: Option<&str>| {
            let all = Folding { all: Some(true), ..Folding::default() };
            of(night.run(), wanted.map(name).as_ref(), all)
        };
        let view = folded(None);
        assert_eq!(names(&view), ["load", "check", "post"]);
        // What is needed of a group and needs it stands in a circle with it.
        assert_eq!(view.edges, [(0, 1), (0, 2), (1, 0)]);
        assert_eq!((view.nodes[0].state, view.nodes[0].jobs.len()), (StateWord::Failed, 3));
        assert_eq!((view.groups.len(), view.groups["load"], view.left_out), (1, 3, 0));
        let others = of(night.run(), None, view.folding.turned("load"));
        assert_eq!(others.nodes.len(), 5);
        // The one that is asked for is told apart.
        let path = folded(Some("load-asia"));
        assert_eq!(names(&path), ["load-eu", "check", "load-asia", "post"]);
        assert!(path.nodes[2].wanted && path.groups.is_empty(), "{path:?}");
    }
}
