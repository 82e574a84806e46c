//! `engine: slurm`: what a file may say, and what it may not.

use super::{load, sound, texts};
use crate::definition::site::{Job, Slurm};
use crate::types::Span;

fn batch(job: &str) -> String {
    format!("version: 1\nbatch: sim\ntitle: Sim\njobs:\n  a:\n    title: A\n{job}")
}

fn job(job: &str) -> Job {
    let text = batch(job);
    let loaded = load(&sound(&[("sim.yaml", &text)]));
    assert_eq!(texts(&loaded), "");
    let site = loaded.site.unwrap();
    let batch = site.batches.values().find(|batch| batch.id.as_str() == "sim").unwrap();
    batch.jobs[0].clone()
}

#[test]
fn all_of_it_may_be_left_out() {
    let plain = job("    shell: 'true'\n    engine: slurm\n");
    let slurm = plain.slurm.unwrap();
    assert_eq!((slurm.every, slurm.patience), (Slurm::EVERY, Slurm::PATIENCE));
    assert_eq!(plain.grace, Slurm::GRACE);
    let empty = job("    shell: 'true'\n    grace: 5s\n    engine: {slurm: }\n");
    assert_eq!((empty.slurm, empty.grace), (Some(slurm), Span::seconds(5)));
    let full = job(
        "    run: [sim]\n    engine: {slurm: {partition: main, account: eod, tasks: 4, memory: 2GiB, \
         array: 0-9%2, options: [--qos=night, --exclusive], every: 30s, patience: 1h}}\n",
    );
    let slurm = full.slurm.unwrap();
    assert_eq!((slurm.tasks, slurm.memory), (Some(4), Some(2 << 30)));
    assert_eq!(slurm.options, ["--qos=night", "--exclusive"]);
    assert_eq!(job("    shell: 'true'\n").slurm, None);
}

#[test]
fn what_makes_no_sense_is_a_defect_at_its_place() {
    let text = batch(
        "    shell: 'true'
    user: batch
    survivors: leave
    retry: {max: 1, on: [exit, unknown]}
    engine:
      slurm:
        array: 3-1
        every: 0s
        options: [-p main, main, --jo=x, --time=5, --dependency=afterok:1, '--Q=x', --qos=night]
  b:
    title: B
    wait: {until: \"22:00\"}
    engine: slurm
  c:
    title: C
    shell: 'true'
    engine: slurn
",
    );
    insta::assert_snapshot!(texts(&load(&sound(&[("sim.yaml", &text)]))));
}
