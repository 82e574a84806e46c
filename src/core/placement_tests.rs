use super::*;
use crate::core::fact::{Action, Fact};
use crate::core::night::{Command, Event};
use crate::core::obstacle::Obstacle;
use crate::core::state::Drain;
use crate::core::test_night::{self, Night, boot, li_wei, name};
use crate::core::test_site::job;
use crate::definition::site::{Freeze, FreezeScope, Host, Job, Site, Slurm};
use crate::types::{Ending, Text};
use crate::wire::{Ended, SlurmEnd, SlurmWork, Work};

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn reporting() -> Label {
    Label::new("reporting").unwrap()
}

fn among(mut job: Job, choose: Choose) -> Job {
    job.host = Placement::Among { label: reporting(), choose };
    job
}

/// Three hosts with the label, of two places each.
fn site(jobs: Vec<Job>) -> Site {
    let mut site = test_night::site(jobs);
    for name in ["db1", "db2", "db3"] {
        let labels = [reporting()].into();
        site.hosts.insert(host(name), Host { labels, max_running: 2, ..Host::default() });
    }
    site
}

fn slurm() -> Slurm {
    Slurm {
        partition: None,
        account: None,
        tasks: None,
        memory: None,
        array: None,
        options: Vec::new(),
        every: Slurm::EVERY,
        patience: Slurm::PATIENCE,
    }
}

fn jobs(count: usize, choose: Choose) -> Vec<Job> {
    (0..count).map(|n| among(job(&format!("j{n}"), &[]), choose)).collect()
}

/// The night with these hosts up, and its run opened.
fn night(site: Site, up: &[&str]) -> Night {
    let mut night = Night::new(site);
    for name in up {
        night.must(Event::HostUp { host: host(name), boot: boot() });
    }
    let opened = test_night::opened("eod", night.now.wall);
    night.open(opened, Vec::new());
    night
}

const ALL: [&str; 3] = ["db1", "db2", "db3"];

/// Where each attempt was meant to run, in the order of their intents.
fn placed(night: &Night) -> Vec<String> {
    let of = |fact: &Fact| match fact {
        Fact::AttemptIntended { attempt, host, .. } => Some(format!("{} {host}", attempt.job)),
        _ => None,
    };
    night.facts.iter().filter_map(|(_, fact)| of(fact)).collect()
}

fn drain(night: &mut Night, name: &str, drain: bool) -> bool {
    let (by, reason) = (li_wei(), "new disks".to_owned());
    night.step(Event::Drain { host: host(name), drain, by, reason }).is_ok()
}

fn obstacles(night: &Night, job: &str) -> Vec<Obstacle> {
    night.core.obstacles(&night.run_id(), night.index(job), night.now).unwrap()
}

#[test]
fn the_least_busy_host_takes_a_job_by_what_each_may_run_and_then_by_name() {
    let mut site = site(jobs(6, Choose::LeastBusy));
    // One of four is less than one of two.
    site.hosts.get_mut(&host("db3")).unwrap().max_running = 4;
    let night = night(site, &ALL);
    assert_eq!(placed(&night), ["j0 db1", "j1 db2", "j2 db3", "j3 db3", "j4 db1", "j5 db2"]);
}

#[test]
fn round_robin_goes_on_after_the_host_that_was_chosen_last_for_the_label() {
    let night = night(site(jobs(5, Choose::RoundRobin)), &ALL);
    assert_eq!(placed(&night), ["j0 db1", "j1 db2", "j2 db3", "j3 db1", "j4 db2"]);
    assert_eq!(night.core.state().placed.get(&reporting()), Some(&host("db2")));
    // What the journal tells leads to the same.
    let mut again = Core::new(1);
    again.define("d", std::sync::Arc::clone(&night.site));
    for (at, fact) in &night.facts {
        again.replay(*at, fact).unwrap();
    }
    assert_eq!(again.state().placed, night.core.state().placed);
}

#[test]
fn a_job_waits_where_no_host_takes_it_and_says_of_each_why() {
    let mut site = site(jobs(3, Choose::LeastBusy));
    site.hosts.get_mut(&host("db3")).unwrap().max_running = 1;
    let mut night = Night::new(site);
    for name in ["db2", "db3"] {
        night.must(Event::HostUp { host: host(name), boot: boot() });
    }
    assert!(drain(&mut night, "db2", true));
    let opened = test_night::opened("eod", night.now.wall);
    night.open(opened, Vec::new());
    assert_eq!(placed(&night), ["j0 db3"]);
    let hosts =
        vec![(host("db1"), Shut::Away), (host("db2"), Shut::Draining), (host("db3"), Shut::Full)];
    assert_eq!(obstacles(&night, "j1"), [Obstacle::NoHost { label: Some(reporting()), hosts }]);
    // Whichever comes up first takes it.
    night.must(Event::HostUp { host: host("db1"), boot: boot() });
    assert_eq!(placed(&night)[1..], ["j1 db1", "j2 db1"]);
}

#[test]
fn a_drained_host_ends_what_it_runs_and_begins_nothing_until_it_is_undrained() {
    let on = |n: usize| {
        let mut job = job(&format!("j{n}"), if n == 0 { &[] } else { &["j0"] });
        job.host = host("db1").into();
        job
    };
    let mut night = night(site(vec![on(0), on(1)]), &["db1"]);
    assert!(drain(&mut night, "db1", true));
    assert!(!drain(&mut night, "db1", true), "it is drained already");
    assert!(!drain(&mut night, "nowhere", true), "there is no such host");
    night.good("j0");
    assert_eq!(placed(&night), ["j0 db1"]);
    let (by, reason) = (li_wei(), "new disks".to_owned());
    assert_eq!(
        obstacles(&night, "j1"),
        [Obstacle::HostDraining { host: host("db1"), by: by.clone(), reason: reason.clone() }]
    );
    let at = night.now.wall;
    assert_eq!(night.core.state().standing.drains[&host("db1")], Drain { by, reason, at });
    assert!(drain(&mut night, "db1", false));
    assert_eq!(placed(&night), ["j0 db1", "j1 db1"]);
}

#[test]
fn a_freeze_of_one_host_leaves_the_others_of_the_label() {
    let mut site = site(jobs(5, Choose::LeastBusy));
    let freeze = |name: &str, from: &str, to: &str| Freeze {
        reason: Text::en("new disks"),
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        scope: FreezeScope { hosts: vec![host(name)], ..FreezeScope::default() },
    };
    site.freezes = vec![
        freeze("db1", "2026-10-30T21:00:00Z", "2026-10-30T22:00:00Z"),
        freeze("db2", "2026-10-30T21:00:00Z", "2026-10-30T21:45:00Z"),
        freeze("db3", "2026-10-30T23:00:00Z", "2026-10-30T23:30:00Z"),
    ];
    let mut night = night(site, &ALL);
    assert_eq!(placed(&night), ["j0 db3", "j1 db3"], "of three only one is open");
    let hosts =
        vec![(host("db1"), Shut::Closed), (host("db2"), Shut::Closed), (host("db3"), Shut::Full)];
    assert_eq!(obstacles(&night, "j2"), [Obstacle::NoHost { label: Some(reporting()), hosts }]);
    // It is looked at again when the first of the closed ones opens.
    let due = night.core.next_move().wall;
    assert_eq!(due, Some("2026-10-30T21:45:00Z".parse().unwrap()));
    night.pass(15 * 60);
    assert_eq!(placed(&night)[2..], ["j2 db2", "j3 db2"]);
}

#[test]
fn a_job_runs_where_another_one_ran_last() {
    let mut first = among(job("load", &[]), Choose::RoundRobin);
    first.retry = crate::definition::site::Retry {
        max: 1,
        on: crate::definition::site::Retry::ON.to_vec(),
        ..Default::default()
    };
    let mut then = job("report", &["load"]);
    then.host = Placement::SameAs { job: name("load") };
    let mut night = night(site(vec![first, then]), &ALL);
    night.bad("load");
    night.good("load");
    // The second try had the next host.
    assert_eq!(placed(&night), ["load db1", "load db2", "report db2"]);
    let index = night.index("report");
    assert_eq!(hosts(night.run(), index), [&host("db2")]);
}

#[test]
fn where_the_other_one_never_ran_its_own_hosts_are_asked() {
    let mut then = job("report", &["load"]);
    then.host = Placement::SameAs { job: name("load") };
    let site = site(vec![among(job("load", &[]), Choose::LeastBusy), then]);
    // No host is there yet, and somebody leaves the first job out.
    let mut night = night(site, &[]);
    let (run, by, reason) = (night.run_id(), li_wei(), "not today".to_owned());
    let action = Action::Skip { job: name("load") };
    night.must(Event::Act { run, by, reason, action });
    for name in ALL {
        night.must(Event::HostUp { host: host(name), boot: boot() });
    }
    assert_eq!(placed(&night), ["report db1"]);
}

#[test]
fn a_pool_of_a_host_is_its_own_and_takes_the_place_of_the_sites() {
    let tape = PoolName::new("tape").unwrap();
    let mut all = jobs(4, Choose::LeastBusy);
    all.iter_mut().for_each(|job| job.pools = [(tape.clone(), 1)].into());
    let mut site = site(all);
    site.pools.insert(tape.clone(), 1);
    site.hosts.get_mut(&host("db1")).unwrap().pools.insert(tape.clone(), 1);
    let mut night = night(site, &ALL);
    // One unit of its own on the first, one of the site's for the two others.
    assert_eq!(placed(&night), ["j0 db1", "j1 db2"]);
    let own = Resource::HostPool(host("db1"), tape.clone());
    assert_eq!(night.core.used(&own), 1);
    let hosts = ALL.map(|name| (host(name), Shut::Pool(tape.clone()))).to_vec();
    assert_eq!(obstacles(&night, "j2"), [Obstacle::NoHost { label: Some(reporting()), hosts }]);
    night.good("j1");
    assert_eq!(placed(&night)[2..], ["j2 db2"]);
    night.good("j0");
    assert_eq!(placed(&night)[3..], ["j3 db1"]);
}

#[test]
fn a_trial_runs_only_on_hosts_that_are_marked_for_it() {
    let mut site = site(jobs(2, Choose::RoundRobin));
    site.hosts.get_mut(&host("db2")).unwrap().trial = true;
    let mut night = Night::new(site);
    for name in ALL {
        night.must(Event::HostUp { host: host(name), boot: boot() });
    }
    let mut opened = test_night::opened("eod", night.now.wall);
    opened.trial = true;
    night.open(opened, Vec::new());
    assert_eq!(placed(&night), ["j0 db2", "j1 db2"]);
}

#[test]
fn an_attempt_is_ended_and_asked_after_where_it_runs() {
    let mut night = night(site(jobs(1, Choose::RoundRobin)), &["db2"]);
    assert_eq!(placed(&night), ["j0 db2"]);
    night.commands.clear();
    night.must(Event::HostAway { host: host("db2") });
    night.must(Event::HostUp { host: host("db2"), boot: boot() });
    let asked = night
        .commands
        .iter()
        .any(|command| matches!(command, Command::Ask { host: of, .. } if *of == host("db2")));
    assert!(asked, "{:?}", night.commands);
    night.end("j0", Ending::Exited { code: 0 });
    let recorded = night
        .commands
        .iter()
        .any(|command| matches!(command, Command::Recorded { host: of, .. } if *of == host("db2")));
    assert!(recorded, "{:?}", night.commands);
}

/// A start that no rule of the core would make: on a host that is not among those of the job, or that is drained.
#[test]
fn a_start_elsewhere_is_a_defect() {
    use crate::core::invariant::{Around, Watch};
    for (on, drained, good) in [("db1", false, true), ("db1", true, false), ("local", false, false)]
    {
        let mut night = night(site(jobs(1, Choose::LeastBusy)), &[]);
        if drained {
            assert!(drain(&mut night, on, true));
        }
        night.core.hosts.insert(host(on), boot());
        let attempt = night.run().attempt_id(0, 1);
        let fact = Fact::AttemptIntended { attempt, host: host(on), boot: boot(), examine: false };
        let core = &night.core;
        let around = Around {
            state: &core.state,
            rules: &core.rules,
            hosts: &core.hosts,
            now: night.now,
            people_assumed: false,
        };
        let said = Watch::of(&core.state).check(around, &fact);
        assert_eq!(said.is_ok(), good, "{on} {drained}: {said:?}");
    }
}

#[test]
fn what_slurm_may_still_run_is_taken_up_on_the_host_that_submitted_it() {
    let mut jobs = jobs(1, Choose::RoundRobin);
    jobs[0].slurm = Some(slurm());
    let mut night = night(site(jobs), &ALL);
    night.end("j0", Ending::Lost { why: "its watcher was killed".to_owned() });
    night.must(Event::HostAway { host: host("db1") });
    night.pass(10);
    assert_eq!(placed(&night), ["j0 db1"], "the others know nothing of it");
    night.must(Event::HostUp { host: host("db1"), boot: boot() });
    night.pass(1);
    assert_eq!(placed(&night), ["j0 db1", "j0 db1"]);
}

#[test]
fn what_slurm_has_begun_stays_where_it_is_though_the_job_that_it_goes_by_has_moved() {
    let mut then = job("report", &["load"]);
    then.host = Placement::SameAs { job: name("load") };
    then.slurm = Some(slurm());
    let first = among(job("load", &[]), Choose::RoundRobin);
    let mut night = night(site(vec![first, then, job("other", &[])]), &ALL);
    night.good("load");
    let end = SlurmEnd::Over {
        state: "COMPLETED".to_owned(),
        code: 0,
        signal: 0,
        reason: "None".to_owned(),
        nodes: "n03".to_owned(),
        elapsed: "0:04".to_owned(),
        tasks: 1,
        well: 1,
        task: None,
    };
    let work = Work::Slurm(SlurmWork { job: Some(17), end });
    let ended = night.ended("report", Ending::Exited { code: 0 });
    night.must(Event::Ended(Box::new(Ended { work: Some(work), ..ended })));
    let jobs = vec![name("load"), name("report")];
    night.act(Action::Rerun { jobs }).unwrap();
    night.good("load");
    let of_both = placed(&night).into_iter().filter(|line| !line.starts_with("other"));
    assert_eq!(of_both.collect::<Vec<_>>(), ["load db1", "report db1", "load db2", "report db1"]);
}
