//! The jobs of one batch and what needs what.

use std::collections::HashMap;
use std::time::Duration;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, EdgeFiltered, EdgeRef};
use petgraph::{Direction, Incoming, Outgoing};

use crate::definition::site::{Batch, NeedOf};
use crate::types::{Condition, JobName};

/// The DAG of a batch. Jobs are numbered as the batch lists them; needs of other batches are no part of it.
#[derive(Debug, Clone)]
pub struct Graph {
    /// An edge leads from a job to one that needs it.
    jobs: DiGraph<JobName, Condition, u32>,
    numbers: HashMap<JobName, usize>,
    order: Result<Vec<usize>, Cycle>,
}

/// A job of the critical path; times count from the start of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub job: JobName,
    pub start: Duration,
    pub finish: Duration,
}

/// Jobs that need each other: each needs the next, the last needs the first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("these jobs need each other in a circle: {}", circle(.0))]
pub struct Cycle(pub Vec<JobName>);

impl Graph {
    pub fn new(batch: &Batch) -> Self {
        let mut jobs = DiGraph::with_capacity(batch.jobs.len(), batch.jobs.len() * 2);
        let mut numbers = HashMap::with_capacity(batch.jobs.len());
        for job in &batch.jobs {
            let at = jobs.add_node(job.name.clone());
            numbers.insert(job.name.clone(), at.index());
        }
        // Neighbours come back latest first; so the last of the file goes in first.
        for (number, job) in batch.jobs.iter().enumerate().rev() {
            for need in job.needs.iter().rev() {
                let NeedOf::Job(name) = &need.of else { continue };
                if let Some(needed) = numbers.get(name) {
                    jobs.add_edge(NodeIndex::new(*needed), NodeIndex::new(number), need.when);
                }
            }
        }
        let mut graph = Self { jobs, numbers, order: Ok(Vec::new()) };
        graph.order = graph.sorted();
        graph
    }

    pub fn len(&self) -> usize {
        self.jobs.node_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A job's number: its place in `Batch::jobs`.
    pub fn index(&self, job: &JobName) -> Option<usize> {
        self.numbers.get(job).copied()
    }

    /// The name of a job by its number, which must be below [`len`](Self::len).
    pub fn name(&self, number: usize) -> &JobName {
        &self.jobs[NodeIndex::new(number)]
    }

    /// What the job needs within the batch, in the order of its `needs`.
    pub fn predecessors(&self, number: usize) -> impl Iterator<Item = (usize, Condition)> + '_ {
        self.neighbours(number, Incoming)
    }

    /// What needs the job within the batch, in the order of the file.
    pub fn successors(&self, number: usize) -> impl Iterator<Item = (usize, Condition)> + '_ {
        self.neighbours(number, Outgoing)
    }

    fn neighbours(
        &self,
        number: usize,
        side: Direction,
    ) -> impl Iterator<Item = (usize, Condition)> + '_ {
        self.jobs.edges_directed(NodeIndex::new(number), side).map(move |edge| {
            let other = if side == Incoming { edge.source() } else { edge.target() };
            (other.index(), *edge.weight())
        })
    }

    /// Every job after all that it needs; the same for the same file.
    pub fn order(&self) -> Result<&[usize], &Cycle> {
        self.order.as_deref()
    }

    fn sorted(&self) -> Result<Vec<usize>, Cycle> {
        let mut open: Vec<usize> =
            (0..self.len()).map(|number| self.predecessors(number).count()).collect();
        let mut order: Vec<usize> = (0..self.len()).filter(|number| open[*number] == 0).collect();
        let mut next = 0;
        while let Some(done) = order.get(next).copied() {
            next += 1;
            for (number, _) in self.successors(done) {
                open[number] -= 1;
                if open[number] == 0 {
                    order.push(number);
                }
            }
        }
        match open.iter().position(|open| *open > 0) {
            None => Ok(order),
            Some(stuck) => Err(self.circle_before(stuck, &open)),
        }
    }

    /// A circle among the jobs with open needs: each of those has one among them, so walking back must repeat itself.
    fn circle_before(&self, stuck: usize, open: &[usize]) -> Cycle {
        let mut place = vec![usize::MAX; self.len()];
        let mut walked = Vec::new();
        let mut at = stuck;
        while place[at] == usize::MAX {
            place[at] = walked.len();
            walked.push(at);
            match self.predecessors(at).find(|(needed, _)| open[*needed] > 0) {
                Some((needed, _)) => at = needed,
                None => break,
            }
        }
        let circle = &mut walked[place[at]..];
        let first = circle.iter().enumerate().min_by_key(|(_, number)| **number);
        circle.rotate_left(first.map_or(0, |(place, _)| place));
        Cycle(circle.iter().map(|number| self.name(*number).clone()).collect())
    }

    /// The earliest start and finish of every job by number, from what each takes. Empty where there is a circle.
    ///
    /// A job that waits for another's failure is no part of a night that goes well: it takes no time here.
    pub fn times(&self, takes: impl Fn(usize) -> Duration) -> Vec<(Duration, Duration)> {
        let Ok(order) = self.order() else { return Vec::new() };
        let mut times = vec![(Duration::ZERO, Duration::ZERO); self.len()];
        for &number in order {
            let mut start = Duration::ZERO;
            let mut runs = true;
            for (needed, when) in self.predecessors(number) {
                start = start.max(times[needed].1);
                runs &= when != Condition::Failed;
            }
            let takes = if runs { takes(number) } else { Duration::ZERO };
            times[number] = (start, start.saturating_add(takes));
        }
        times
    }

    /// The chain of jobs that the end of the batch waits for, in the order of their starts; of equals the first of
    /// the file. Empty where there is a circle.
    pub fn critical_path(&self, takes: impl Fn(usize) -> Duration) -> Vec<Step> {
        let times = self.times(takes);
        let latest = |best: Option<usize>, number: usize| match best {
            Some(best) if times[best].1 >= times[number].1 => Some(best),
            _ => Some(number),
        };
        let mut path = Vec::new();
        let mut at = (0..times.len()).fold(None, latest);
        while let Some(number) = at {
            let (start, finish) = times[number];
            path.push(Step { job: self.name(number).clone(), start, finish });
            at = self.predecessors(number).map(|(needed, _)| needed).fold(None, latest);
        }
        path.reverse();
        path
    }

    /// Every job that cannot start while this one has not ended well, in the order of the file.
    pub fn blocks(&self, job: &JobName) -> Vec<JobName> {
        let Some(number) = self.index(job) else { return Vec::new() };
        let by_success = EdgeFiltered::from_fn(&self.jobs, |edge| *edge.weight() == Condition::Ok);
        let mut walk = Dfs::new(&by_success, NodeIndex::new(number));
        let mut blocked: Vec<usize> = Vec::new();
        while let Some(at) = walk.next(&by_success) {
            if at.index() != number {
                blocked.push(at.index());
            }
        }
        blocked.sort_unstable();
        blocked.into_iter().map(|number| self.name(number).clone()).collect()
    }
}

fn circle(jobs: &[JobName]) -> String {
    let names = jobs.iter().chain(jobs.first()).map(JobName::as_str);
    names.collect::<Vec<_>>().join(" needs ")
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
