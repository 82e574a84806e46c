//! `engine: slurm` of a job → what Slurm is asked for.

use super::jobs::JobResolver;
use crate::definition::defect::Finding;
use crate::definition::raw::job::JobRecord;
use crate::definition::raw::{At, Word};
use crate::definition::site::{EndingKind, Slurm};

/// Options of `sbatch` that are nightrun's own, each with what to write instead.
const OWN: [(&str, &str); 20] = [
    ("--job-name", "the attempt's id is the job's name, by which it is found again"),
    ("--comment", "the attempt's id is the job's comment, by which people find it"),
    ("--output", "the output goes to the attempt's log"),
    ("--error", "the output goes to the attempt's log"),
    ("--open-mode", "the output goes to the attempt's log"),
    ("--array", "write `array:` beside `options:`"),
    ("--partition", "write `partition:` beside `options:`"),
    ("--account", "write `account:` beside `options:`"),
    ("--ntasks", "write `tasks:` beside `options:`"),
    ("--mem", "write `memory:` beside `options:`"),
    ("--time", "write `time_limit:` of the job"),
    ("--chdir", "write `dir:` of the job"),
    ("--export", "write `env:` of the job"),
    ("--export-file", "write `env:` of the job"),
    ("--dependency", "write `needs:` of the job"),
    ("--requeue", "write `retry:` of the job"),
    ("--no-requeue", "Slurm is never let start it a second time"),
    ("--wait", "nightrun follows the job by itself"),
    ("--wrap", "the program is `run:` or `shell:` of the job"),
    ("--test-only", "a job is submitted to be run"),
];

impl JobResolver<'_, '_> {
    /// What its `engine:` says; `None` where it has none. What is wrong is reported.
    pub(super) fn slurm(&mut self, raw: &JobRecord) -> Option<Slurm> {
        let record = &raw.engine.get()?.0;
        self.check_beside_slurm(raw);
        self.positive(&record.every, "every");
        self.positive(&record.patience, "patience");
        if let Some(array) = record.array.given()
            && Slurm::array_tasks(&array.value.0).is_none()
        {
            let what = format!("`{}` is no array of tasks", array.value.0);
            let hint = format!(
                "write numbers as Slurm does, such as `0-9`, `1,3,7`, `0-20:5` or `0-99%4`, at most {} of them",
                Slurm::MOST
            );
            self.found.push(Finding::error(array.at, what).hint(hint));
        }
        let options = record.options.get().map_or(&[][..], |options| &options.0);
        for option in options {
            self.check_option(option);
        }
        let text = |word: Option<&Word>| word.map(|word| word.0.clone());
        Some(Slurm {
            partition: text(record.partition.get()),
            account: text(record.account.get()),
            tasks: record.tasks.get().map(|tasks| tasks.to_u32()),
            memory: record.memory.get().map(|memory| memory.0),
            array: text(record.array.get()),
            options: options.iter().map(|option| option.value.0.clone()).collect(),
            every: record.every.or(Slurm::EVERY),
            patience: record.patience.or(Slurm::PATIENCE),
        })
    }

    /// Keys that mean nothing on another host's processes.
    fn check_beside_slurm(&mut self, raw: &JobRecord) {
        let besides = [
            ("user", raw.user.at(), "Slurm runs it as the account that submits it, the agent's"),
            ("survivors", raw.survivors.at(), "Slurm ends what a job leaves behind"),
        ];
        for (key, at, why) in besides {
            if let Some(at) = at {
                let what = format!("`{key}` has no meaning with `engine: slurm`");
                self.found.push(Finding::error(at, what).hint(why));
            }
        }
        let on = raw.retry.get().and_then(|retry| retry.on.get());
        for ending in on.map_or(&[][..], |on| &on.0) {
            if ending.value == EndingKind::Unknown {
                let what = "a job that Slurm has forgotten is not tried again by itself";
                let hint = "leave `unknown` out: it may still run, and people decide";
                self.found.push(Finding::error(ending.at, what).hint(hint));
            }
        }
    }

    /// Nothing but an option in its long form: a word of its own would be taken for the script.
    fn check_option(&mut self, option: &At<Word>) {
        let text = &option.value.0;
        let name = text.split_once('=').map_or(text.as_str(), |(name, _)| name);
        let bytes = name.strip_prefix("--").unwrap_or_default().as_bytes();
        let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        if bytes.is_empty() || !bytes.iter().all(plain) {
            let what = format!("`{text}` is no option of sbatch in its long form");
            self.found
                .push(Finding::error(option.at, what).hint("write `--name=value` as one word"));
            return;
        }
        // sbatch takes any beginning of a name that only one option has.
        let own =
            OWN.iter().find(|(own, _)| own.starts_with(name) && name.len() > 3 || *own == name);
        if let Some((own, instead)) = own {
            let what = format!("`{own}` is set by nightrun itself");
            self.found.push(Finding::error(option.at, what).hint(*instead));
        }
    }
}
