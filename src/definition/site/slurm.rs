//! What Slurm is asked for where it runs a job.

use serde::{Deserialize, Serialize};

use crate::types::Span;

/// How Slurm runs a job (`engine: slurm`): what is given to `sbatch`, and how it is followed. What is absent is as the
/// cluster has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slurm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// Bytes on each node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Numbers of the tasks of an array, as Slurm writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<String>,
    /// Further options of `sbatch`, each `--name` or `--name=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// The longest time between two questions to Slurm.
    pub every: Span,
    /// How long nobody may know of a job that was submitted until it counts as unknown, and how long it may wait for what
    /// never comes by itself until it counts as refused.
    pub patience: Span,
}

impl Slurm {
    pub const EVERY: Span = Span::seconds(10);
    pub const PATIENCE: Span = Span::seconds(300);
    /// Between TERM and KILL of a job that says nothing: longer than Slurm's own `KillWait`.
    pub const GRACE: Span = Span::seconds(60);
    /// Tasks of one array.
    pub const MOST: usize = 10_000;

    /// The numbers of the tasks of an array, such as `0-9`, `1,3,7`, `0-20:5` or `0-99%4`, in ascending order; `None`: the text is
    /// none, or has a number twice, or more than [`Slurm::MOST`] of them.
    pub fn array_tasks(text: &str) -> Option<Vec<u32>> {
        let number = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse::<u32>().ok()).flatten()
        };
        let list = match text.split_once('%') {
            Some((list, at_once)) => {
                number(at_once).filter(|most| *most > 0)?;
                list
            }
            None => text,
        };
        let mut tasks = Vec::new();
        for part in list.split(',') {
            let (range, step) = match part.split_once(':') {
                Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
                None => (part, 1),
            };
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None if range.len() == part.len() => (number(range)?, number(range)?),
                None => return None,
            };
            if last < first || ((last - first) / step) as usize >= Self::MOST {
                return None;
            }
            tasks.extend((first..=last).step_by(step as usize));
            if tasks.len() > Self::MOST {
                return None;
            }
        }
        tasks.sort_unstable();
        let all = tasks.len();
        tasks.dedup();
        (tasks.len() == all).then_some(tasks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_is_written_as_slurm_has_it() {
        let tasks = Slurm::array_tasks;
        assert_eq!(tasks("0-3"), Some(vec![0, 1, 2, 3]));
        assert_eq!(tasks("7,1,3"), Some(vec![1, 3, 7]));
        assert_eq!(tasks("0-20:10,5%2"), Some(vec![0, 5, 10, 20]));
        assert_eq!(tasks("4"), Some(vec![4]));
        for bad in [
            "",
            "-",
            "3-1",
            "a",
            "1,",
            "0-3%",
            "0-3%0",
            "0-4:0",
            "4:2",
            "+1",
            " 1",
            "1-2-3",
            "1,1",
            "0-10000",
            "4294967296",
            "0-1 --wrap=x",
        ] {
            assert_eq!(tasks(bad), None, "{bad}");
        }
    }
}
