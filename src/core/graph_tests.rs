use std::collections::HashSet;

use proptest::prelude::*;

use super::super::test_site::{batch, job};
use super::*;

fn graph(jobs: &[(&str, &[&str])]) -> Graph {
    let jobs = jobs.iter().map(|(name, needs)| job(name, needs)).collect();
    Graph::new(&batch("eod", None, jobs))
}

fn names<'a>(jobs: impl IntoIterator<Item = &'a JobName>) -> Vec<&'a str> {
    jobs.into_iter().map(JobName::as_str).collect()
}

/// A small night: the loads, the posting after both, reports, and a repair that runs when the posting failed.
fn night() -> Graph {
    graph(&[
        ("report", &["post", "archive:ended"]),
        ("rates", &[]),
        ("trades", &["eod.post@-1bd"]),
        ("post", &["trades", "rates", "trades:ended"]),
        ("archive", &["post:ended"]),
        ("repair", &["post:failed"]),
        ("mail", &["report"]),
        ("loose", &["nowhere"]),
    ])
}

#[test]
fn jobs_know_their_neighbours_in_the_order_of_the_file() {
    let night = night();
    let at = |name: &str| night.index(&JobName::new(name).unwrap()).unwrap();
    assert_eq!(night.len(), 8);
    assert_eq!(night.name(3).as_str(), "post");
    let needs: Vec<_> = night.predecessors(at("post")).collect();
    assert_eq!(needs, [(2, Condition::Ok), (1, Condition::Ok), (2, Condition::Ended)]);
    let needed: Vec<_> = night.successors(at("post")).collect();
    assert_eq!(needed, [(0, Condition::Ok), (4, Condition::Ended), (5, Condition::Failed)]);
    assert_eq!(night.predecessors(at("loose")).count(), 0);
    let order = night.order().unwrap().iter().map(|number| night.name(*number));
    let expected = ["rates", "trades", "loose", "post", "archive", "repair", "report", "mail"];
    assert_eq!(names(order), expected);
}

#[test]
fn a_failure_blocks_what_needs_its_success_however_far() {
    let night = night();
    let blocks = |name: &str| night.blocks(&JobName::new(name).unwrap());
    assert_eq!(names(&blocks("rates")), ["report", "post", "mail"]);
    assert_eq!(names(&blocks("archive")), Vec::<&str>::new(), "the report only waits for its end");
    assert_eq!(names(&blocks("nowhere")), Vec::<&str>::new());
}

#[test]
fn the_critical_path_is_the_longest_chain_of_a_night_that_goes_well() {
    let night = night();
    let minutes = |number: usize| {
        let minutes = match night.name(number).as_str() {
            "rates" => 10,
            "trades" => 25,
            "post" => 5,
            "archive" => 60,
            "report" => 2,
            "repair" => 600,
            _ => 1,
        };
        Duration::from_secs(minutes * 60)
    };
    let path = night.critical_path(minutes);
    assert_eq!(
        names(path.iter().map(|step| &step.job)),
        ["trades", "post", "archive", "report", "mail"]
    );
    assert_eq!(path[2].start, Duration::from_secs(30 * 60));
    assert_eq!(path[4].finish, Duration::from_secs(93 * 60));
    let times = night.times(minutes);
    let rates = night.index(&JobName::new("rates").unwrap()).unwrap();
    assert_eq!(times[rates], (Duration::ZERO, Duration::from_secs(600)));
    assert_eq!(graph(&[]).critical_path(|_| Duration::ZERO), []);
}

#[test]
fn a_circle_is_named_from_the_job_that_comes_first_in_the_file() {
    let circle = graph(&[
        ("after", &["c"]),
        ("b", &["start", "a"]),
        ("start", &[]),
        ("a", &["c:ended"]),
        ("c", &["b"]),
    ]);
    let error = circle.order().unwrap_err();
    assert_eq!(names(&error.0), ["b", "a", "c"]);
    assert_eq!(
        error.to_string(),
        "these jobs need each other in a circle: b needs a needs c needs b"
    );
    assert_eq!(graph(&[("a", &["a"])]).order().unwrap_err().0.len(), 1);
    assert!(circle.critical_path(|_| Duration::from_secs(1)).is_empty());
}

#[test]
fn a_hundred_thousand_jobs_are_no_trouble() {
    // One chain, so that anything recursive or quadratic shows: a stack overflow or minutes.
    let count = 100_000;
    let name = |n: usize| JobName::new(&format!("j{n}")).unwrap();
    let mut jobs = vec![job("j0", &[])];
    jobs.extend((1..count).map(|n| job(&format!("j{n}"), &[&format!("j{}", n - 1)])));
    let mut night = batch("eod", None, jobs);
    let graph = Graph::new(&night);
    assert_eq!(graph.order().unwrap().len(), count);
    assert_eq!(graph.blocks(&name(0)).len(), count - 1);
    let path = graph.critical_path(|_| Duration::from_secs(1));
    assert_eq!(path[count - 1].finish, Duration::from_secs(count as u64));
    night.jobs[0].needs = job("x", &[&format!("j{}", count - 1)]).needs;
    assert_eq!(Graph::new(&night).order().unwrap_err().0.len(), count);
}

proptest! {
    #[test]
    fn orders_paths_and_blocks_hold_on_any_graph(
        edges in prop::collection::vec((0_usize..30, 0_usize..30, any::<bool>()), 0..80),
        seconds in prop::collection::vec(0_u64..100, 30),
    ) {
        let needs = |n: usize| -> Vec<String> {
            edges.iter().filter(|(from, to, _)| *to == n && from != to)
                .map(|(from, _, ok)| format!("j{from}{}", if *ok { "" } else { ":ended" })).collect()
        };
        let jobs = (0..30).map(|n| {
            let needs = needs(n);
            job(&format!("j{n}"), &needs.iter().map(String::as_str).collect::<Vec<_>>())
        }).collect();
        let graph = Graph::new(&batch("eod", None, jobs));
        match graph.order() {
            Err(Cycle(circle)) => {
                // Each needs the next, the last the first, and none comes twice.
                for (place, job) in circle.iter().enumerate() {
                    let next = graph.index(&circle[(place + 1) % circle.len()]).unwrap();
                    let number = graph.index(job).unwrap();
                    prop_assert!(graph.predecessors(number).any(|(needed, _)| needed == next));
                }
                prop_assert_eq!(circle.iter().collect::<HashSet<_>>().len(), circle.len());
            }
            Ok(order) => {
                let mut done = HashSet::new();
                for number in order {
                    prop_assert!(graph.predecessors(*number).all(|(needed, _)| done.contains(&needed)));
                    done.insert(*number);
                }
                prop_assert_eq!(done.len(), 30);
                let takes = |number: usize| Duration::from_secs(seconds[number]);
                let path = graph.critical_path(takes);
                let end = graph.times(takes).iter().map(|(_, finish)| *finish).max().unwrap();
                prop_assert_eq!(path.last().map(|step| step.finish), Some(end));
                prop_assert_eq!(path[0].start, Duration::ZERO);
                prop_assert!(path.windows(2).all(|pair| pair[0].finish == pair[1].start));
            }
        }
        for number in 0..30 {
            // The same by repeating until nothing is added.
            let mut blocked = HashSet::new();
            loop {
                let before = blocked.len();
                for other in 0..30 {
                    let hit = graph.predecessors(other).any(|(needed, when)| {
                        when == Condition::Ok && (needed == number || blocked.contains(&needed))
                    });
                    if hit { blocked.insert(other); }
                }
                if blocked.len() == before { break; }
            }
            blocked.remove(&number);
            let got: HashSet<usize> =
                graph.blocks(graph.name(number)).iter().map(|job| graph.index(job).unwrap()).collect();
            prop_assert_eq!(got, blocked);
        }
    }
}
