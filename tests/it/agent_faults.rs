//! Agent and shim killed at each of their points, and the agent started again: what is told of the attempt is what
//! happened to it, and it happened at most once.

use nightrun::types::Ending;
use nightrun::wire::{FromAgent, Start, ToAgent};

use crate::agent_house::{House, attempt, exited, gone};

/// Each job adds a line to a file, and ends with this code.
const CODE: i32 = 3;

/// What may be told of an attempt, and how often its job may have run then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    /// It exited with its code; it ran once.
    Ended,
    /// It could not start; it did not run.
    NotBegun,
    /// Lost or unknown; it may have run, once.
    InDoubt,
}

impl Truth {
    fn of(ending: &Ending) -> Self {
        match ending {
            Ending::Exited { code } if *code == CODE => Self::Ended,
            Ending::CouldNotStart { .. } => Self::NotBegun,
            Ending::Lost { .. } | Ending::Unknown { .. } => Self::InDoubt,
            other => panic!("{other:?}"),
        }
    }

    fn allows(self, ran: usize) -> bool {
        match self {
            Self::Ended => ran == 1,
            Self::NotBegun => ran == 0,
            Self::InDoubt => ran <= 1,
        }
    }
}

fn ran(house: &House) -> usize {
    std::fs::read_to_string(house.path("count")).map_or(0, |text| text.lines().count())
}

/// Orders the attempt and stays until its ending is heard and recorded, or the agent is gone.
fn order(house: &House, start: &Start) {
    let mut line = house.hello();
    line.start(start);
    while let Some(what) = line.hear_or_end() {
        match what {
            FromAgent::Ended(ended) => {
                assert!(Truth::of(&ended.ending).allows(ran(house)), "{ended:?}");
                // Answered after the first is carried out, or never; in one write, since the agent may die of the first.
                let attempts = vec![start.attempt.clone()];
                let words =
                    [ToAgent::Recorded { attempts: attempts.clone() }, ToAgent::Ask { attempts }];
                let lines = words.map(|word| serde_json::to_string(&word).unwrap());
                line.say_raw(&lines.join("\n"));
                line.hear_or_end();
                return;
            }
            FromAgent::Started { attempt, .. } => assert_eq!(attempt, start.attempt),
            other => panic!("{other:?}"),
        }
    }
}

/// What the next agent says of it, asked as a supervisor does that has just come back, and told that it is recorded.
fn learn(house: &House, start: &Start) -> Ending {
    let mut line = house.hello();
    line.say(&ToAgent::Ask { attempts: vec![start.attempt.clone()] });
    let ended = line.ended();
    assert_eq!(ended.attempt, start.attempt);
    line.say(&ToAgent::Recorded { attempts: vec![start.attempt.clone()] });
    line.say(&ToAgent::Ask { attempts: vec![attempt("never")] });
    // It may have been told twice, by itself and on demand.
    while !matches!(line.hear(), FromAgent::NotKnown { .. }) {}
    ended.ending
}

#[track_caller]
fn killed_at(point: &str, truths: &[Truth]) {
    let mut house = House::killed_at(point);
    let start = house.shell("once", &format!("echo x >> count; exit {CODE}"));
    order(&house, &start);
    assert!(house.was_killed(), "{point} was not passed");
    house.kill_agent();
    let former = house.processes();

    house.start_agent(&[]);
    let ending = learn(&house, &start);
    let truth = Truth::of(&ending);
    assert!(truths.contains(&truth), "{point}: {ending:?}");
    // No shim waits for an agent that is no more; none begins now what it had not begun.
    former.into_iter().for_each(gone);
    assert!(truth.allows(ran(&house)), "{point}: {ending:?}, and it ran {} times", ran(&house));
    // It stays so, whoever orders it again; and the house is at work.
    let mut line = house.hello();
    assert_eq!(line.through(&start).ending, ending, "{point}");
    assert_eq!(line.through(&house.shell("next", "exit 0")).ending, exited(0), "{point}");
    assert!(truth.allows(ran(&house)), "{point}: {ending:?}, and it ran {} times", ran(&house));
}

#[test]
fn an_agent_that_is_killed_at_any_point_loses_nothing_and_starts_nothing_twice() {
    use Truth::{Ended, NotBegun};
    killed_at("agent.claimed", &[NotBegun]);
    // The shim had the order, and began it before the next agent asked, or found that it was too late.
    killed_at("agent.ordered", &[Ended, NotBegun]);
    killed_at("agent.heard-end", &[Ended]);
    killed_at("agent.forgot", &[Ended]);
}

#[test]
fn a_shim_that_is_killed_at_any_point_is_told_honestly() {
    use Truth::{Ended, InDoubt, NotBegun};
    killed_at("shim.ordered", &[NotBegun]);
    killed_at("shim.locked", &[NotBegun]);
    // Only the shim knew whether it had come to start the program.
    killed_at("shim.recorded", &[InDoubt]);
    killed_at("shim.launched", &[InDoubt]);
    killed_at("shim.running", &[InDoubt]);
    killed_at("shim.ended", &[InDoubt]);
    killed_at("shim.kept", &[Ended]);
}

mod without {
    //! The cases on which the agent's promises rest, with the ways beside what the kernel may lack.

    use crate::agent_house::House;
    use crate::{agent, agent_outlives};

    fn house() -> House {
        House::without("pidfd,close_range,dnotify")
    }

    #[test]
    fn a_killed_agent_loses_no_job() {
        agent_outlives::loses_no_job(house());
    }

    #[test]
    fn an_adopted_job_can_be_killed() {
        agent_outlives::kills_an_adopted_job(house());
    }

    #[test]
    fn an_end_that_nobody_watched_is_learned_with_its_time() {
        agent_outlives::learns_an_unwatched_end(house());
    }

    #[test]
    fn an_id_is_started_once() {
        agent_outlives::starts_once(house());
    }

    #[test]
    fn a_killed_shim_is_told_honestly() {
        agent_outlives::tells_of_killed_shims(house());
    }

    #[test]
    fn a_shim_that_was_adopted_and_killed_is_told_honestly() {
        agent_outlives::tells_of_a_killed_adopted_shim(house());
    }

    #[test]
    fn neither_job_nor_shim_holds_a_descriptor_of_the_agent() {
        agent::passes_no_descriptor_on(house());
    }

    #[test]
    fn kill_reaches_grandchildren_and_what_called_setsid() {
        agent::kills_a_family(house());
    }

    #[test]
    fn too_much_output_ends_a_job() {
        agent::ends_what_writes_too_much(house());
    }

    #[test]
    fn a_job_that_cuts_its_own_log_is_noted() {
        agent::notes_a_cut_log(house());
    }

    #[test]
    fn many_at_once_are_all_told_once_and_in_order() {
        agent::runs_many(house());
    }
}
