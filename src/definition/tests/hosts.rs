//! Where jobs run: each form of `host:`, and what cannot be.

use super::{load, sound, texts};
use crate::definition::site::{Choose, Placement};
use crate::types::{BatchId, HostName, JobName, Label};

const HOSTS: &str = "version: 1\nhosts:\n  \
    local: {trial: true}\n  \
    db1: {labels: [reporting], users: [batch, oracle], pools: {tape: 1}}\n  \
    db2: {labels: [reporting], users: [batch], pools: {tape: 2, drum: 1}}\n";

fn batch(rest: &str) -> String {
    format!("version: 1\nbatch: late\ntitle: Late\n{rest}")
}

#[test]
fn a_job_says_where_it_runs_or_its_batch_does() {
    let text = batch(
        "host: {label: reporting, choose: round-robin}\njobs:\n  \
         a: {title: A, shell: \"true\", user: batch}\n  \
         b: {title: B, shell: \"true\", host: local, needs: [a]}\n  \
         c: {title: C, shell: \"true\", host: {label: reporting}, pools: {tape: 2}}\n  \
         d: {title: D, shell: \"true\", host: {same_as: a}, needs: [b]}\n",
    );
    let loaded = load(&sound(&[("hosts.yaml", HOSTS), ("late.yaml", &text)]));
    assert_eq!(texts(&loaded), "");
    let site = loaded.site.unwrap();
    let batch = &site.batches[&BatchId::new("late").unwrap()];
    let label = Label::new("reporting").unwrap();
    let placed = batch.jobs.iter().map(|job| job.host.clone()).collect::<Vec<_>>();
    assert_eq!(
        placed,
        [
            Placement::Among { label: label.clone(), choose: Choose::RoundRobin },
            Placement::On(HostName::local()),
            Placement::Among { label, choose: Choose::LeastBusy },
            Placement::SameAs { job: JobName::new("a").unwrap() },
        ]
    );
    let hosts = site.hosts_of(batch, &batch.jobs[3]);
    assert_eq!(hosts.iter().map(|host| host.as_str()).collect::<Vec<_>>(), ["db1", "db2"]);
}

#[test]
fn every_defect_of_a_placement_has_its_place() {
    let text = batch(
        "host: {same_as: a}\njobs:\n  \
         a: {title: A, shell: \"true\", host: {label: reportin}}\n  \
         b: {title: B, shell: \"true\", host: db3}\n  \
         c: {title: C, shell: \"true\", host: {label: reporting, same_as: a}}\n  \
         d: {title: D, shell: \"true\", host: {}}\n  \
         e: {title: E, shell: \"true\", host: {same_as: a}, needs: [f]}\n  \
         f: {title: F, shell: \"true\", host: {same_as: x, choose: least-busy}}\n  \
         g: {title: G, shell: \"true\", host: {label: reporting, choose: random}}\n  \
         h: {title: H, shell: \"true\", host: {label: reporting}, user: oracle}\n  \
         i: {title: I, shell: \"true\", host: db1, user: root}\n  \
         j: {title: J, shell: \"true\", host: {label: reporting}, pools: {drum: 1}}\n  \
         k: {title: K, shell: \"true\", host: {label: reporting}, pools: {tape: 3}}\n  \
         l: {title: L, shell: \"true\", host: db1, pools: {tape: 2}}\n  \
         m: {title: M, shell: \"true\", host: local, pools: {tape: 1}}\n  \
         n: {title: N, shell: \"true\", host: local, pools: {tap: 1}}\n",
    );
    let loaded = load(&sound(&[("hosts.yaml", HOSTS), ("late.yaml", &text)]));
    assert!(loaded.site.is_none());
    insta::assert_snapshot!(texts(&loaded));
}

#[test]
fn a_list_of_changes_has_no_host_of_its_own() {
    let text = batch("host: db1\nchanges: {environment: uat}\n");
    let said = texts(&load(&sound(&[("hosts.yaml", HOSTS), ("late.yaml", &text)])));
    assert!(
        said.contains("jobs/late.yaml:4:7: changes of a list are executed from `local`"),
        "{said}"
    );
}
