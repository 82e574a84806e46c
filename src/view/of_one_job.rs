//! From a run's state to the page of one job.

use super::of_job::{Around, critical_path, line, word};
use super::of_run;
use super::of_why::reasons;
use super::one_job::{JobView, NeedLine, Neighbour};
use crate::core::containment::deeds;
use crate::core::night::Core;
use crate::core::placement;
use crate::core::state::{Run, Unfit};
use crate::definition::site::NeedOf;
use crate::types::{HostName, JobName, Now, RunId};

/// `None`: the run has no such job.
pub fn job(
    core: &Core,
    run: &RunId,
    name: &JobName,
    now: Now,
    around: Around<'_>,
) -> Result<Option<JobView>, Unfit> {
    let run = core.state().run(run)?;
    let Some(index) = run.index(name) else { return Ok(None) };
    let needs = run.job(index).needs.iter().filter_map(|need| {
        Some(match &need.of {
            NeedOf::Job(name) => {
                NeedLine::Same { job: neighbour(run, run.index(name)?), when: need.when }
            }
            NeedOf::Across { job, offset } => {
                NeedLine::Across { across: job.clone(), offset: *offset, when: need.when }
            }
        })
    });
    Ok(Some(JobView {
        head: of_run::head(run, now, around),
        job: line(core, run, index, now, around, &critical_path(run))?,
        reasons: reasons(core, run, index, now, around)?,
        needs: needs.collect(),
        followers: followers(run, name).collect(),
        deeds: deeds(core.state(), run, index),
        host: placement::latest(run, index).cloned().unwrap_or_else(HostName::local),
        placement: run.job(index).host.to_string(),
        log_masks: run.job(index).log_masks.clone(),
    }))
}

fn followers<'a>(run: &'a Run, name: &'a JobName) -> impl Iterator<Item = Neighbour> + 'a {
    let needs = move |index: &usize| {
        let mut needs = run.job(*index).needs.iter();
        needs.any(|need| matches!(&need.of, NeedOf::Job(needed) if needed == name))
    };
    (0..run.jobs.len()).filter(needs).map(|index| neighbour(run, index))
}

fn neighbour(run: &Run, index: usize) -> Neighbour {
    Neighbour { name: run.job(index).name.clone(), state: word(run, index) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::select::Deed;
    use crate::core::test_night::{Night, name};
    use crate::core::test_site::job as declared;
    use crate::view::job::StateWord;

    #[test]
    fn a_job_has_its_neighbours_and_what_its_state_allows() {
        let jobs = [declared("a", &[]), declared("b", &["a"]), declared("c", &["b"])];
        let mut night = Night::of(jobs.to_vec());
        let view = |night: &Night, job: &str| {
            let around = Around::nothing();
            super::job(&night.core, &night.run_id(), &name(job), night.now, around).unwrap()
        };
        let b = view(&night, "b").unwrap();
        assert_eq!((b.needs.len(), b.followers.len()), (1, 1));
        assert_eq!(b.followers[0], Neighbour { name: name("c"), state: StateWord::Waiting });
        assert_eq!(b.deeds, [Deed::Hold, Deed::Skip, Deed::Force]);
        assert_eq!(view(&night, "a").unwrap().deeds, [Deed::Kill]);
        night.bad("a");
        let a = view(&night, "a").unwrap();
        assert_eq!(a.deeds, [Deed::Retry, Deed::Skip, Deed::Force, Deed::Rerun]);
        assert!(view(&night, "none").is_none());
    }
}
