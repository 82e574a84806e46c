//! Further hosts with labels and pools of their own, and jobs that ask for one of several.

use std::sync::Arc;

use crate::definition::site::{Choose, Host, NeedOf, Placement, Site};
use crate::simulate::dice::Dice;
use crate::types::{HostName, InvalidName, JobName, Label, PoolName};

const LABELS: [&str; 2] = ["fast", "near"];

/// One to three hosts more; half of the jobs go elsewhere than they would have.
pub(super) fn lay(dice: &mut Dice, site: &mut Site) -> Result<(), InvalidName> {
    let labels = [Label::new(LABELS[0])?, Label::new(LABELS[1])?];
    for number in 0..=dice.of(0..3) {
        let mut host = Host { trial: true, max_running: dice.of(1..5) as u32, ..Host::default() };
        // The first has every label, so that none is without a host.
        host.labels = labels.iter().filter(|_| number == 0 || dice.percent(60)).cloned().collect();
        let pools: Vec<(&PoolName, &u32)> = site.pools.iter().collect();
        if let Some((pool, size)) = dice.pick(&pools)
            && dice.percent(60)
        {
            host.pools.insert((*pool).clone(), **size);
        }
        site.hosts.insert(HostName::new(&format!("more{number}"))?, host);
    }
    for (name, host) in &mut site.hosts {
        if !name.is_local() && dice.percent(50) {
            host.labels.insert(labels[0].clone());
        }
    }
    for batch in site.batches.values_mut() {
        for job in &mut Arc::make_mut(batch).jobs {
            let needed: Vec<&JobName> = job
                .needs
                .iter()
                .filter_map(|need| match &need.of {
                    NeedOf::Job(name) => Some(name),
                    NeedOf::Across { .. } => None,
                })
                .collect();
            match dice.of(0..10) {
                0..4 => {
                    let ways = [Choose::LeastBusy, Choose::RoundRobin];
                    let way = ways[dice.of(0..2) as usize];
                    let label = labels[dice.of(0..2) as usize].clone();
                    job.host = Placement::Among { label, choose: way };
                }
                4..7 => {
                    if let Some(other) = dice.pick(&needed) {
                        job.host = Placement::SameAs { job: (*other).clone() };
                    }
                }
                _ => {}
            }
        }
    }
    Ok(())
}
