//! How a job stands, from what those who can be asked have said of it.

use std::collections::BTreeMap;

use super::said::Row;
use crate::wire::SlurmEnd;

/// What one of those who can be asked said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// All that it has of the job; nothing: it does not know it.
    Rows(Vec<Row>),
    /// It could not be asked.
    Away(String),
}

impl Told {
    fn rows(&self) -> &[Row] {
        match self {
            Self::Rows(rows) => rows,
            Self::Away(_) => &[],
        }
    }
}

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// The controller has it: one of its rows that are not final.
    Lives(Row),
    /// Every part of it is over.
    Over,
    /// Somebody could not be asked, and nobody else knows enough.
    Away(String),
    /// All were asked, and nobody can say that all of it is over or that it lives.
    NotKnown,
}

/// A job that is followed: what of it is known to be over.
#[derive(Debug, Clone, Default)]
pub(super) struct Job {
    /// Slurm's number for it, once it is known.
    pub(super) number: Option<u64>,
    /// The tasks of an array, or nothing.
    expected: Vec<u32>,
    ended: BTreeMap<Option<u32>, Row>,
}

impl Job {
    /// `tasks`: those of an array, or nothing.
    pub(super) fn new(tasks: Vec<u32>) -> Self {
        Self { number: None, expected: tasks, ended: BTreeMap::new() }
    }

    /// Takes in what was said of it. `accounting`: `None` where it was not asked, because the cluster keeps none or because the
    /// controller was enough; `asked` says which.
    pub(super) fn take(&mut self, controller: &Told, accounting: Option<&Told>) -> Standing {
        let (queue, accounts) = (controller.rows(), accounting.map_or(&[][..], Told::rows));
        let Some(number) = self.number.or_else(|| Self::number_in(queue, accounts)) else {
            return nobody_knows(controller, accounting);
        };
        self.number = Some(number);
        let of_it = |row: &&Row| row.job == number;
        let live = queue.iter().filter(of_it).find(|row| !row.is_final());
        for row in queue.iter().chain(accounts).filter(of_it).filter(|row| row.is_final()) {
            self.ended.entry(row.task).or_insert_with(|| row.clone());
        }
        match live {
            Some(row) => Standing::Lives(row.clone()),
            None if self.is_over() => Standing::Over,
            None => nobody_knows(controller, accounting),
        }
    }

    /// Of several of its name one runs at the most: the others find that it has begun, and end at once.
    fn number_in(queue: &[Row], accounts: &[Row]) -> Option<u64> {
        let live = queue.iter().find(|row| !row.is_final());
        let well = queue.iter().chain(accounts).find(|row| row.state == "COMPLETED");
        let any = live.or(well).or(queue.first()).or(accounts.first());
        any.map(|row| row.job)
    }

    fn is_over(&self) -> bool {
        if self.expected.is_empty() {
            return self.ended.contains_key(&None);
        }
        // Cancelled before its tasks were told apart: one row stands for those that have none.
        let rest = self.ended.contains_key(&None);
        rest || self.expected.iter().all(|task| self.ended.contains_key(&Some(*task)))
    }

    /// How it came out: as the task of it that went worst.
    pub(super) fn end(&self) -> Option<SlurmEnd> {
        let worst = self.ended.values().min_by_key(|row| badness(row))?;
        let well = self.ended.values().filter(|row| row.state == "COMPLETED").count();
        let tasks = self.expected.len().max(1);
        let number = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Some(SlurmEnd::Over {
            state: worst.state.clone(),
            code: worst.code,
            signal: worst.signal,
            reason: worst.reason.clone(),
            nodes: worst.nodes.clone(),
            elapsed: worst.elapsed.clone(),
            tasks: number(tasks),
            well: number(well),
            task: worst.task,
        })
    }
}

/// What is least certain first, what went well last.
fn badness(row: &Row) -> u8 {
    match row.state.as_str() {
        "NODE_FAIL" => 0,
        "COMPLETED" => 3,
        "FAILED" => 2,
        _ => 1,
    }
}

fn nobody_knows(controller: &Told, accounting: Option<&Told>) -> Standing {
    let away = [Some(controller), accounting].into_iter().flatten().find_map(|told| match told {
        Told::Away(why) => Some(why.clone()),
        Told::Rows(_) => None,
    });
    away.map_or(Standing::NotKnown, Standing::Away)
}

#[cfg(test)]
mod tests {
    use super::super::said::queue;
    use super::*;

    fn rows(text: &str) -> Told {
        let lines = text.split_whitespace().map(|word| {
            let [job, task, state] = word.split(':').collect::<Vec<_>>()[..] else { panic!() };
            format!("{job}|{task}|{state}|0|vm|0:01|name|None|\n")
        });
        Told::Rows(queue(&lines.collect::<String>()).unwrap())
    }

    fn away() -> Told {
        Told::Away("no answer".to_owned())
    }

    fn standing(tasks: &[u32], controller: &Told, accounting: Option<&Told>) -> String {
        match Job::new(tasks.to_vec()).take(controller, accounting) {
            Standing::Lives(row) => format!("lives {}", row.state),
            Standing::Over => "over".to_owned(),
            Standing::Away(_) => "away".to_owned(),
            Standing::NotKnown => "not known".to_owned(),
        }
    }

    #[test]
    fn a_job_is_over_only_where_somebody_says_so_and_unknown_only_where_all_were_asked() {
        let (none, running, done) = (rows(""), rows("1:N/A:RUNNING"), rows("1:N/A:COMPLETED"));
        let odd = rows("1:N/A:A_NEW_STATE");
        for (controller, accounting, expected) in [
            (&running, None, "lives RUNNING"),
            (&odd, None, "lives A_NEW_STATE"),
            (&done, None, "over"),
            (&none, None, "not known"),
            (&away(), None, "away"),
            // The controller knows what runs, whatever the accounts say.
            (&running, Some(&done), "lives RUNNING"),
            (&done, Some(&running), "over"),
            (&none, Some(&done), "over"),
            (&none, Some(&none), "not known"),
            // A run-away entry of the accounts keeps nothing alive.
            (&none, Some(&running), "not known"),
            (&none, Some(&away()), "away"),
            (&away(), Some(&done), "over"),
            (&away(), Some(&none), "away"),
            (&away(), Some(&running), "away"),
            (&away(), Some(&away()), "away"),
        ] {
            assert_eq!(
                standing(&[], controller, accounting),
                expected,
                "{controller:?} {accounting:?}"
            );
        }
    }

    #[test]
    fn an_array_is_over_with_the_last_of_its_tasks() {
        let some = rows("1:0:COMPLETED 1:1:FAILED");
        let rest = rows("1:2:COMPLETED");
        assert_eq!(standing(&[0, 1, 2], &some, None), "not known");
        assert_eq!(standing(&[0, 1, 2], &some, Some(&away())), "away");
        assert_eq!(standing(&[0, 1, 2], &some, Some(&rest)), "over");
        assert_eq!(
            standing(&[0, 1, 2], &rows("1:0:COMPLETED 1:N/A:PENDING"), None),
            "lives PENDING"
        );
        assert_eq!(standing(&[0, 1], &rows("1:N/A:CANCELLED"), None), "over");

        // What was seen is not forgotten with the controller.
        let mut job = Job::new(vec![0, 1, 2]);
        assert!(matches!(
            job.take(&rows("1:0:COMPLETED 1:1:FAILED 1:2:RUNNING"), None),
            Standing::Lives(_)
        ));
        assert_eq!(job.take(&rest, None), Standing::Over);
        let Some(SlurmEnd::Over { state, tasks, well, task, .. }) = job.end() else { panic!() };
        assert_eq!((state.as_str(), tasks, well, task), ("FAILED", 3, 2, Some(1)));
    }

    #[test]
    fn what_bears_the_name_and_never_ran_does_not_speak_for_what_did() {
        let both = rows("4:N/A:FAILED 5:N/A:RUNNING");
        let mut job = Job::new(Vec::new());
        assert!(matches!(job.take(&both, None), Standing::Lives(_)));
        assert_eq!(job.number, Some(5));
        let mut job = Job::new(Vec::new());
        assert_eq!(job.take(&rows("4:N/A:FAILED 5:N/A:COMPLETED"), None), Standing::Over);
        assert_eq!(job.number, Some(5));
        // A number that Slurm has given away anew says nothing of the former job.
        let mut job = Job { number: Some(4), ..Job::new(Vec::new()) };
        assert_eq!(job.take(&rows("5:N/A:RUNNING"), None), Standing::NotKnown);
    }
}
