//! A job in Slurm whose worker is lost: nothing is submitted before it is known what became of it.

use super::fact::Action;
use super::phase::Phase;
use super::slurm;
use super::test_night::{Night, boot, name};
use super::test_site::job;
use crate::definition::site::{EndingKind, Job, Slurm};
use crate::types::{Ending, Outcome};
use crate::wire::{Program, SlurmEnd, SlurmTask, SlurmWork, Task, Work};

fn load(retries: u32) -> Job {
    let mut job = job("load", &[]);
    job.retry.max = retries;
    job.retry.on = vec![EndingKind::Exit, EndingKind::Lost];
    job.slurm = Some(Slurm {
        partition: None,
        account: None,
        tasks: None,
        memory: None,
        array: None,
        options: Vec::new(),
        every: Slurm::EVERY,
        patience: Slurm::PATIENCE,
    });
    job
}

fn over(state: &str, code: i32) -> SlurmEnd {
    SlurmEnd::Over {
        state: state.to_owned(),
        code,
        signal: 0,
        reason: "None".to_owned(),
        nodes: "n03".to_owned(),
        elapsed: "0:04".to_owned(),
        tasks: 1,
        well: u32::from(code == 0),
        task: None,
    }
}

/// The worker of the latest attempt leaves this.
fn left(night: &mut Night, end: SlurmEnd) {
    let work = SlurmWork { job: Some(17), end };
    let mut ended = night.ended("load", work.ending(Ending::Exited { code: 1 }));
    ended.work = Some(Work::Slurm(work));
    night.must(super::night::Event::Ended(Box::new(ended)));
}

fn lost(night: &mut Night) {
    night.end("load", Ending::Lost { why: "its watcher was killed".to_owned() });
}

/// The order of the latest attempt.
fn order(night: &Night) -> SlurmTask {
    let (run, index) = (night.run(), night.index("load"));
    let attempt = night.attempt("load");
    let job = run.job(index);
    let program = slurm::worker(
        Program::Shell("true".to_owned()),
        job.slurm.as_ref().unwrap(),
        job,
        (&attempt, &run.jobs[index].attempts),
        std::path::Path::new("/work"),
    );
    let Program::Worker(task) = program else { panic!("no worker") };
    let Task::Slurm(task) = *task else { panic!("{task:?}") };
    *task
}

/// Numbers of the attempts that are taken up, those that people have given up with a `!`.
fn before(night: &Night) -> Vec<String> {
    let earlier = order(night).before;
    let text = |it: &crate::wire::Earlier| {
        format!("{}{}", it.attempt.number, if it.given_up { "!" } else { "" })
    };
    earlier.iter().map(text).collect()
}

#[test]
fn a_lost_worker_is_followed_by_an_attempt_that_takes_its_job_up() {
    let mut night = Night::of(vec![load(0)]);
    assert_eq!(night.started(), ["load/1"]);
    assert!(order(&night).before.is_empty());
    lost(&mut night);
    night.pass(1);
    assert_eq!(night.started(), ["load/2"], "it has had no try, so that none is left over");
    assert_eq!((before(&night), order(&night).anew), (vec!["1".to_owned()], false));
    // Killed by a signal that nobody here sent, it has said nothing either.
    night.end("load", Ending::Signalled { signal: 9 });
    night.pass(1);
    assert_eq!(before(&night), ["1", "2"]);
    left(&mut night, over("COMPLETED", 0));
    assert_eq!(night.outcome("load"), Some(Outcome::Succeeded));
    night.restart(&boot());
}

#[test]
fn what_was_found_failed_is_tried_again_as_the_file_says_and_taken_up_no_more() {
    let mut night = Night::of(vec![load(1)]);
    lost(&mut night);
    night.pass(1);
    left(&mut night, over("FAILED", 7));
    night.pass(0);
    assert_eq!(night.started(), ["load/1", "load/2", "load/3"]);
    assert!(order(&night).before.is_empty(), "its end is known");
    left(&mut night, over("FAILED", 7));
    assert_eq!(night.outcome("load"), Some(Outcome::Failed));
}

#[test]
fn what_slurm_lost_before_it_began_is_ordered_again() {
    let mut night = Night::of(vec![load(0)]);
    left(&mut night, SlurmEnd::NeverRan { why: "forgotten".to_owned() });
    night.pass(1);
    assert_eq!(night.started(), ["load/1", "load/2"]);
    assert_eq!(before(&night), ["1"], "it is looked for once more");
}

#[test]
fn workers_that_are_lost_again_and_again_are_peoples_matter() {
    let mut night = Night::of(vec![load(9)]);
    for _ in 0..2 {
        lost(&mut night);
        night.pass(1);
    }
    lost(&mut night);
    night.pass(60);
    assert!(matches!(night.phase("load"), Phase::InDoubt { .. }));
    assert_eq!(night.started().len(), 3);
    night.act(Action::Retry { job: name("load") }).unwrap();
    assert_eq!(
        (before(&night), order(&night).anew),
        (["1", "2", "3"].map(str::to_owned).to_vec(), true)
    );
}

#[test]
fn what_nobody_knows_of_any_more_goes_on_only_by_a_persons_word() {
    let mut night = Night::of(vec![load(9)]);
    lost(&mut night);
    night.pass(1);
    left(&mut night, SlurmEnd::Forgotten { why: "nobody knows".to_owned() });
    night.pass(3600);
    assert!(matches!(night.phase("load"), Phase::InDoubt { .. }));
    assert_eq!(night.started(), ["load/1", "load/2"]);
    night.act(Action::Retry { job: name("load") }).unwrap();
    assert_eq!(night.started(), ["load/3"]);
    let both = ["1!", "2!"].map(str::to_owned).to_vec();
    assert_eq!((before(&night), order(&night).anew), (both, true));
    // What is lost from then on nobody was told of.
    lost(&mut night);
    night.pass(1);
    assert_eq!(before(&night), ["1!", "2!", "3"]);
}

#[test]
fn an_end_that_slurm_has_not_confirmed_is_none() {
    for own in [Ending::Killed, Ending::TimedOut, Ending::OutputLimit] {
        let mut night = Night::of(vec![load(9)]);
        night.end("load", own.clone());
        assert!(matches!(night.phase("load"), Phase::InDoubt { .. }), "{own}");
        let mut night = Night::of(vec![load(0)]);
        let mut ended = night.ended("load", own.clone());
        ended.work = Some(Work::Slurm(SlurmWork { job: Some(17), end: over("CANCELLED", 0) }));
        night.must(super::night::Event::Ended(Box::new(ended)));
        assert_eq!(night.outcome("load"), Some(Outcome::Failed), "{own}");
    }
    // A worker that says nothing has not ended well, whatever its exit code.
    let mut night = Night::of(vec![load(0)]);
    night.good("load");
    assert_eq!(night.outcome("load"), None);
}

#[test]
fn a_node_that_failed_is_a_doubt_unless_the_file_takes_it_for_none() {
    for (retries, started) in [(1, 2), (0, 1)] {
        let mut night = Night::of(vec![load(retries)]);
        left(&mut night, over("NODE_FAIL", 1));
        night.pass(0);
        assert_eq!(night.started().len(), started);
        assert_eq!(matches!(night.phase("load"), Phase::InDoubt { .. }), started == 1);
    }
}
