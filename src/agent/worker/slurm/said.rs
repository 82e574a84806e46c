//! What Slurm's commands print, read.

/// Fields of `squeue`, each ended by `|`. Reason and name may hold anything else but that.
pub(super) const QUEUE: &str =
    "ArrayJobID:|,ArrayTaskID:|,State:|,exit_code:|,NodeList:|,TimeUsed:|,Name:|,Reason:|";
/// Fields of `sacct -P`.
pub(super) const ACCOUNTING: &str = "JobID,State,ExitCode,NodeList,Elapsed,JobName,Reason";

/// A job, or a task of an array, as Slurm has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// That of the whole array, where it is a task.
    pub(super) job: u64,
    /// `None`: it is no task, or stands for tasks that have not begun.
    pub(super) task: Option<u32>,
    pub(super) state: String,
    pub(super) code: i32,
    pub(super) signal: i32,
    pub(super) nodes: String,
    pub(super) elapsed: String,
    pub(super) name: String,
    pub(super) reason: String,
}

/// States after which nothing of a job runs any more.
const FINAL: [&str; 9] = [
    "BOOT_FAIL",
    "CANCELLED",
    "COMPLETED",
    "DEADLINE",
    "FAILED",
    "NODE_FAIL",
    "OUT_OF_MEMORY",
    "PREEMPTED",
    "TIMEOUT",
];
/// Reasons of a pending job that only an edit of the job or of the cluster takes away.
const NEVER: [&str; 3] = ["BadConstraints", "DependencyNeverSatisfied", "PartitionConfig"];

impl Row {
    /// A state that is not known here is none that is final.
    pub(super) fn is_final(&self) -> bool {
        FINAL.contains(&self.state.as_str())
    }

    /// Whether Slurm will not start it as things are.
    pub(super) fn waits_for_ever(&self) -> bool {
        self.state == "PENDING" && NEVER.contains(&self.reason.as_str())
    }

    /// `PENDING (Resources)`, `RUNNING on n03`.
    pub(super) fn words(&self) -> String {
        let state = &self.state;
        match (self.reason.as_str(), self.nodes.as_str()) {
            ("" | "None", "") => state.clone(),
            ("" | "None", nodes) => format!("{state} on {nodes}"),
            (reason, _) => format!("{state} ({reason})"),
        }
    }
}

/// The lines of `squeue -h -r -O` with the fields [`QUEUE`]. `None`: one of them cannot be read.
pub(super) fn queue(text: &str) -> Option<Vec<Row>> {
    lines(text).map(queue_line).collect()
}

fn queue_line(line: &str) -> Option<Row> {
    let mut fields = line.splitn(8, '|');
    let (job, task, state) = (fields.next()?, fields.next()?, fields.next()?);
    let (status, nodes, elapsed) = (fields.next()?, fields.next()?, fields.next()?);
    let (name, reason) = (fields.next()?, fields.next()?);
    // As wait(2) has it.
    let status: i32 = status.trim().parse().ok()?;
    Some(Row {
        job: job.trim().parse().ok()?,
        task: task.trim().parse().ok(),
        state: state.trim().to_owned(),
        code: (status >> 8) & 0xff,
        signal: status & 0x7f,
        nodes: plain(nodes),
        elapsed: elapsed.trim().to_owned(),
        name: name.trim().to_owned(),
        reason: plain(reason.strip_suffix('|')?),
    })
}

/// The lines of `sacct -X -n -P` with the fields [`ACCOUNTING`]. `None`: one of them cannot be read.
pub(super) fn accounting(text: &str) -> Option<Vec<Row>> {
    lines(text).map(accounting_line).collect()
}

fn accounting_line(line: &str) -> Option<Row> {
    let fields: Vec<&str> = line.split('|').collect();
    let [id, state, exit, nodes, elapsed, name, reason] = fields.as_slice() else { return None };
    let (job, task) = match id.split_once('_') {
        // `17_[5-9]`: tasks that have not begun.
        Some((job, task)) => (job, task.parse().ok()),
        None => (*id, None),
    };
    let (code, signal) = exit.split_once(':')?;
    Some(Row {
        job: job.parse().ok()?,
        task,
        // `CANCELLED by 0`.
        state: state.split(' ').next()?.to_owned(),
        code: code.parse().ok()?,
        signal: signal.parse().ok()?,
        nodes: plain(nodes),
        elapsed: (*elapsed).to_owned(),
        name: (*name).to_owned(),
        reason: plain(reason),
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

/// Without Slurm's words for nothing.
fn plain(text: &str) -> String {
    match text.trim() {
        "(null)" | "None assigned" | "N/A" => String::new(),
        text => text.to_owned(),
    }
}

/// The number that `sbatch --parsable` prints: `17`, or `17;cluster`.
pub(super) fn submitted(text: &str) -> Option<u64> {
    text.lines().last()?.split(';').next()?.trim().parse().ok()
}

/// Whether what `scontrol show config` prints says that the cluster keeps accounts. `None`: it does not tell.
pub(super) fn keeps_accounts(text: &str) -> Option<bool> {
    let line = text.lines().find(|line| line.starts_with("AccountingStorageType"))?;
    Some(line.split_once('=')?.1.trim() != "accounting_storage/none")
}

/// Whether what `sbatch` complains of leaves open whether Slurm has taken the job: it was not refused, it was not heard.
pub(super) fn is_unheard(complaint: &str) -> bool {
    const UNHEARD: [&str; 6] = [
        "Unable to contact slurm controller",
        "Socket timed out",
        "Zero Bytes were transmitted",
        "Communication connection failure",
        "Connection refused",
        "Transport endpoint",
    ];
    UNHEARD.iter().any(|words| complaint.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_queue_are_read() {
        let rows = queue(
            "3|2|FAILED|512|vm|0:02|a@b#1/load/2|NonZeroExitCode|\n\
             1|N/A|RUNNING|0|vm|0:01|eod@2026-10-30#1/load/1|None|\n\
             9|N/A|PENDING|0||0:00|x|Nodes required for job are DOWN, DRAINED or reserved|\n\
             4|N/A|FAILED|9|vm|0:01|x|JobLaunchFailure|\n",
        )
        .unwrap();
        let [array, running, pending, killed] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((array.job, array.task, array.code, array.signal), (3, Some(2), 2, 0));
        assert_eq!(array.name, "a@b#1/load/2");
        assert_eq!((running.task, running.words()), (None, "RUNNING on vm".to_owned()));
        assert!(!running.is_final() && !pending.is_final() && killed.is_final());
        assert!(pending.words().contains("DRAINED"));
        assert_eq!((killed.code, killed.signal), (0, 9));
        assert_eq!(queue(""), Some(Vec::new()));
        for bad in ["slurm_load_jobs error: x", "3|2|FAILED|512|vm|0:02|name", "x|N/A|R|0|||n||"] {
            assert_eq!(queue(bad), None, "{bad}");
        }
    }

    #[test]
    fn lines_of_the_accounting_are_read() {
        let rows = accounting(
            "17|CANCELLED by 0|0:15|vm|00:00:04|a|None\n\
             18_1|OUT_OF_MEMORY|0:125|n[01-02]|00:00:04|a|\n\
             18_[2-4]|PENDING|0:0|None assigned|00:00:00|a|None\n",
        )
        .unwrap();
        let [cancelled, task, pending] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((cancelled.state.as_str(), cancelled.signal), ("CANCELLED", 15));
        assert_eq!((task.job, task.task, task.signal), (18, Some(1), 125));
        assert_eq!((pending.task, pending.nodes.as_str(), pending.is_final()), (None, "", false));
        assert_eq!(accounting("17|COMPLETED|0:0|vm"), None);
    }

    #[test]
    fn only_a_state_that_is_known_to_be_final_is() {
        let row = |state: &str| Row {
            state: state.to_owned(),
            ..queue("1|N/A|X|0|vm|0:01|n|None|").unwrap().remove(0)
        };
        for state in [
            "PENDING",
            "RUNNING",
            "COMPLETING",
            "CONFIGURING",
            "SUSPENDED",
            "REQUEUED",
            "REQUEUE_HOLD",
            "SPECIAL_EXIT",
            "STAGE_OUT",
            "SIGNALING",
            "STOPPED",
            "RESIZING",
            "REVOKED",
            "A_STATE_OF_A_LATER_SLURM",
            "",
        ] {
            assert!(!row(state).is_final(), "{state}");
        }
        assert!(FINAL.iter().all(|state| row(state).is_final()));
        let pending = |reason: &str| Row { reason: reason.to_owned(), ..row("PENDING") };
        assert!(pending("PartitionConfig").waits_for_ever());
        assert!(
            !pending("Resources").waits_for_ever() && !pending("JobHeldAdmin").waits_for_ever()
        );
    }

    #[test]
    fn short_answers_are_read() {
        assert_eq!(submitted("17\n"), Some(17));
        assert_eq!(submitted("17;main\n"), Some(17));
        assert_eq!(submitted("Submitted batch job 17\n"), None);
        let config = |kind: &str| format!("BOOT_TIME = x\nAccountingStorageType   = {kind}\n");
        assert_eq!(keeps_accounts(&config("accounting_storage/none")), Some(false));
        assert_eq!(keeps_accounts(&config("accounting_storage/slurmdbd")), Some(true));
        assert_eq!(keeps_accounts("error"), None);
        let failed = |why: &str| format!("sbatch: error: Batch job submission failed: {why}");
        assert!(is_unheard(&failed("Socket timed out on send/recv operation")));
        assert!(is_unheard(&failed("Unable to contact slurm controller (connect failure)")));
        assert!(!is_unheard(&failed("Invalid partition name specified")));
    }
}
