//! How attempts run and end under an agent: every ending told apart, limits, ends that reach everything, what a job is
//! given and what it leaves.

use std::os::unix::fs::PermissionsExt;

use nightrun::definition::site::Survivors;
use nightrun::types::{Ending, Epoch, Span};
use nightrun::wire::{FromAgent, Program, Start, ToAgent};

use crate::agent_house::{
    House, exited, gone, is_there, read_fifo, release, sleeps_without_end, why,
};

fn argv(start: Start, words: &[&str]) -> Start {
    let program = Program::Argv(words.iter().map(|word| (*word).to_owned()).collect());
    Start { program, ..start }
}

#[test]
fn a_program_that_ends_by_itself_is_told_with_its_code_or_signal() {
    let house = House::with_agent();
    let mut line = house.hello();
    for (job, script, ending) in [
        ("well", "exit 0", exited(0)),
        ("code", "exit 7", exited(7)),
        ("stops-at-first-error", "false; exit 0", exited(1)),
        ("signal", "kill -9 $$", Ending::Signalled { signal: 9 }),
        ("term", "kill -15 $$", Ending::Signalled { signal: 15 }),
        ("pipe", "kill -13 $$", Ending::Signalled { signal: 13 }),
    ] {
        let ended = line.through(&house.shell(job, script));
        assert_eq!(ended.ending, ending, "{job}");
        assert!(ended.started.unwrap() <= ended.ended && ended.notes.is_empty(), "{ended:?}");
        assert!(ended.line_found);
    }
}

#[test]
fn what_could_not_be_started_is_told_in_words() {
    let house = House::with_agent();
    let mut line = house.hello();
    std::fs::write(house.path("plain"), "x").unwrap();
    std::fs::write(house.path("script"), "#!/no/such/interpreter\n").unwrap();
    std::fs::write(house.path("text"), "words\n").unwrap();
    for name in ["script", "text"] {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(house.path(name), mode).unwrap();
    }
    let base = |job| house.shell(job, "exit 0");
    let cases = [
        (argv(base("no-program"), &["no-such-program"]), "no such program `no-such-program`"),
        (argv(base("no-path"), &["./no-such"]), "no such program `./no-such`"),
        (argv(base("not-executable"), &["./plain"]), "`./plain` is not executable"),
        (argv(base("no-interpreter"), &["./script"]), "interpreter"),
        (argv(base("no-binary"), &["./text"]), "begins with #!"),
        (argv(base("empty"), &[]), "the command is empty"),
        (
            Start { dir: "/no/such/dir".into(), ..base("no-folder") },
            "no such folder `/no/such/dir`",
        ),
        (Start { dir: house.path("plain"), ..base("no-dir") }, "is not a folder"),
        (
            Start { user: Some("no-such-user".into()), ..base("no-user") },
            "no such user `no-such-user`",
        ),
        (Start { user: Some("nobody".into()), ..base("refused") }, "`nobody` is not allowed"),
    ];
    for (start, words) in cases {
        let ended = line.through(&start);
        assert!(why(&ended.ending).contains(words), "{ended:?}");
        assert!(matches!(ended.ending, Ending::CouldNotStart { .. }) && ended.started.is_none());
    }
}

#[test]
fn output_values_line_and_use_come_with_the_ending() {
    let house = House::with_agent();
    let mut line = house.hello();
    let script =
        "echo one; echo two >&2; echo 'A=1' >> \"$NIGHTRUN_OUT\"; echo bad >> \"$NIGHTRUN_OUT\"
        i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; echo loaded 5 rows; exit $CODE";
    let mut start = house.shell("good", script);
    start.env.insert("CODE".to_owned(), "0".to_owned());
    start.success_line = Some("loaded 5".to_owned());
    let ended = line.through(&start);
    assert_eq!(ended.ending, exited(0));
    assert_eq!(ended.tail, ["one", "loaded 5 rows"]);
    assert!(ended.line_found);
    assert_eq!(ended.output_bytes, 22);
    assert_eq!(ended.values.into_iter().collect::<Vec<_>>(), [("A".to_owned(), "1".to_owned())]);
    assert!(ended.notes[0].starts_with("value refused, line 2"), "{:?}", ended.notes);
    assert!(ended.usage.cpu().as_micros() > 0 && ended.usage.max_rss_kib > 0);
    assert_eq!(ended.work, None);

    let mut failing = house.shell("bad", script);
    failing.env.insert("CODE".to_owned(), "3".to_owned());
    failing.success_line = Some("loaded 6".to_owned());
    let ended = line.through(&failing);
    assert_eq!(ended.ending, exited(3));
    assert_eq!(ended.tail, ["one", "loaded 5 rows", "two"]);
    assert!(!ended.line_found);
}

#[test]
fn a_job_is_given_its_environment_and_nothing_else() {
    let house = House::with_agent();
    let mut line = house.hello();
    let mut start = argv(house.shell("env", ""), &["env"]);
    start.env.insert("WORDS".to_owned(), "两 words".to_owned());
    line.through(&start);
    let out = house.out(&start);
    let mut seen: Vec<&str> = out.lines().map(|l| l.split('=').next().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["DIR", "NIGHTRUN_OUT", "PATH", "WORDS"]);
    assert!(out.contains("WORDS=两 words\n"));
}

#[test]
fn neither_job_nor_shim_holds_a_descriptor_of_the_agent() {
    passes_no_descriptor_on(House::with_agent());
}

pub(crate) fn passes_no_descriptor_on(house: House) {
    let mut line = house.hello();
    let go = house.fifo("go");
    let start = argv(house.shell("fds", ""), &["cat", "go"]);
    let pid = line.run(&start);
    // Opened once the program has opened it too: it has loaded by then, and waits.
    let held = std::fs::File::options().write(true).open(&go).unwrap();
    let links = |pid: u32| -> Vec<(String, String)> {
        std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .flatten()
            .filter_map(|e| Some((e.file_name(), std::fs::read_link(e.path()).ok()?)))
            .map(|(n, to)| (n.display().to_string(), to.display().to_string()))
            .filter(|(_, to)| !to.ends_with("/go"))
            .collect()
    };
    let mut of_job = links(pid);
    of_job.sort();
    let spool = house.spool_of(&start);
    let file = |name: &str| spool.join(name).display().to_string();
    let expect = [("0", "/dev/null".to_owned()), ("1", file("out")), ("2", file("err"))];
    assert_eq!(of_job, expect.map(|(n, to)| (n.to_owned(), to)));
    let of_agent = links(house.agent_pid());
    let of_shim = links(house.shim_pid(&start));
    let sockets = of_shim.iter().filter(|(_, to)| to.starts_with("socket:"));
    assert_eq!(sockets.count(), 1, "its link to the agent: {of_shim:?}");
    for (_, to) in of_shim.iter().filter(|(_, to)| to != "/dev/null") {
        assert!(!of_agent.iter().any(|(_, its)| its == to), "{to} is the agent's");
    }
    drop(held);
    assert_eq!(line.ended().ending, exited(0));
}

/// A job with a grandchild in its group and a daemon in a session of its own; both tell their pids.
const FAMILY: &str = "sh -c 'echo $$ > child; exec sleep 1000' &
    setsid sh -c 'trap \"\" TERM; echo $$ > daemon; while :; do sleep 1000; done' &
    while [ ! -s child ] || [ ! -s daemon ]; do sleep 0.01; done
    echo x > ready; wait";

fn family(house: &House) -> [u32; 2] {
    ["child", "daemon"]
        .map(|name| std::fs::read_to_string(house.path(name)).unwrap().trim().parse().unwrap())
}

#[test]
fn kill_reaches_grandchildren_and_what_called_setsid() {
    kills_a_family(House::with_agent());
}

pub(crate) fn kills_a_family(house: House) {
    let mut line = house.hello();
    let ready = house.fifo("ready");
    let start = house.shell("family", FAMILY);
    let pid = line.run(&start);
    read_fifo(&ready);
    let family = family(&house);
    assert!(family.iter().all(|pid| is_there(*pid)));
    line.kill(&start, "100ms");
    let ended = line.ended();
    assert_eq!(ended.ending, Ending::Killed);
    assert!(ended.notes.iter().any(|note| note.contains("KILL was needed")), "{:?}", ended.notes);
    assert!(!is_there(pid) && family.iter().all(|pid| !is_there(*pid)));
}

#[test]
fn the_time_limit_reaches_them_too_and_term_alone_is_enough_for_the_willing() {
    let house = House::with_agent();
    let mut line = house.hello();
    let ready = house.fifo("ready");
    let mut start = house.shell("family", FAMILY);
    (start.time_limit, start.grace) = (Some(Span::seconds(2)), "100ms".parse().unwrap());
    line.run(&start);
    read_fifo(&ready);
    assert_eq!(line.ended().ending, Ending::TimedOut);
    assert!(family(&house).iter().all(|pid| !is_there(*pid)));

    let mut willing = house.shell("willing", "trap 'echo cleaned; exit 5' TERM; sleep 1000 & wait");
    willing.time_limit = Some("300ms".parse().unwrap());
    let ended = line.through(&willing);
    assert_eq!((ended.ending, ended.tail), (Ending::TimedOut, vec!["cleaned".to_owned()]));
    assert!(ended.notes[0].contains("ended by itself, with exit code 5"), "{:?}", ended.notes);
}

#[test]
fn a_shorter_grace_said_later_holds() {
    let house = House::with_agent();
    let mut line = house.hello();
    let ready = house.fifo("ready");
    let start = house.shell("deaf", "trap '' TERM; echo x > ready; while :; do sleep 1000; done");
    line.run(&start);
    read_fifo(&ready);
    line.kill(&start, "1h");
    line.kill(&start, "0s");
    assert_eq!(line.ended().ending, Ending::Killed);
}

#[test]
fn a_job_can_be_killed_though_nothing_can_be_written() {
    let house = House::with_agent();
    let mut line = house.hello();
    let ready = house.fifo("ready");
    let mut start =
        house.shell("full", "trap '' TERM; echo x > ready; while :; do sleep 1000; done");
    start.grace = "50ms".parse().unwrap();
    line.run(&start);
    read_fifo(&ready);
    std::fs::create_dir(house.spool_of(&start).join("kill.json.tmp")).unwrap();
    line.kill(&start, "1h");
    assert_eq!(line.ended().ending, Ending::Killed);
}

#[test]
fn what_a_job_leaves_behind_is_ended_or_left_and_named() {
    let house = House::with_agent();
    let mut line = house.hello();
    let script = "setsid sleep 1000 & echo $! > child; exit 0";
    let pid =
        || -> u32 { std::fs::read_to_string(house.path("child")).unwrap().trim().parse().unwrap() };
    let ended = line.through(&house.shell("ended", script));
    assert_eq!(ended.ending, exited(0));
    assert!(ended.notes[0].starts_with("ended 1 that it left behind: "), "{:?}", ended.notes);
    assert!(!is_there(pid()));

    let mut start = house.shell("left", script);
    start.survivors = Survivors::Leave;
    let ended = line.through(&start);
    assert!(ended.notes[0].starts_with("left 1 running: "), "{:?}", ended.notes);
    assert!(is_there(pid()));
    crate::agent_house::signal(pid(), rustix::process::Signal::KILL);
    gone(pid());
}

#[test]
fn too_much_output_ends_a_job() {
    ends_what_writes_too_much(House::with_agent());
}

pub(crate) fn ends_what_writes_too_much(house: House) {
    let mut line = house.hello();
    let mut start = house.shell("loud", "while :; do echo 0123456789012345678901234567890; done");
    start.output_limit = 100_000;
    let ended = line.through(&start);
    assert_eq!(ended.ending, Ending::OutputLimit);
    assert!(ended.output_bytes > 100_000);
    assert_eq!(ended.tail.len(), 20);
}

#[test]
fn a_shim_is_not_woken_while_its_job_is_silent() {
    let house = House::with_agent();
    let mut line = house.hello();
    let (ready, go) = (house.fifo("ready"), house.fifo("go"));
    let mut start = house.shell(
        "silent",
        "echo said; echo x > ready; read x < go; while :; do echo 0123456789; done",
    );
    start.output_limit = 100_000;
    line.run(&start);
    read_fifo(&ready);
    sleeps_without_end(house.shim_pid(&start));
    release(&go);
    let ended = line.ended();
    assert_eq!(ended.ending, Ending::OutputLimit);
    assert!(ended.output_bytes > 100_000 && ended.notes.is_empty(), "{ended:?}");
}

#[test]
fn a_log_that_is_deleted_while_it_is_written_keeps_its_limit() {
    let house = House::with_agent();
    let mut line = house.hello();
    let go = house.fifo("go");
    let mut start = house.shell("gone", "read x < go; while :; do echo 0123456789; done");
    start.output_limit = 100_000;
    line.run(&start);
    sleeps_without_end(house.shim_pid(&start));
    std::fs::remove_file(house.spool_of(&start).join("out")).unwrap();
    release(&go);
    assert_eq!(line.ended().ending, Ending::OutputLimit);
}

#[test]
fn a_job_that_cuts_its_own_log_is_noted() {
    notes_a_cut_log(House::with_agent());
}

pub(crate) fn notes_a_cut_log(house: House) {
    let mut line = house.hello();
    // The shim looks at the files at least once a second.
    let start = house.shell("cutter", "echo 0123456789; sleep 2; : > /dev/stdout; echo after");
    let ended = line.through(&start);
    assert_eq!(ended.ending, exited(0));
    assert!(ended.notes[0].contains("cut its own stdout: 11 bytes became"), "{:?}", ended.notes);
    assert_eq!((ended.output_bytes, ended.tail), (17, vec!["after".to_owned()]));
}

#[test]
fn another_user_is_become_by_root_alone_and_can_hand_on_values() {
    let mut house = House::new();
    house.start_agent(&["--allow-user", "nobody"]);
    let mut line = house.hello();
    let script =
        "id -un; id -Gn; echo hello >> /dev/stdout; echo WHO=$(id -un) > \"$NIGHTRUN_OUT\"";
    let mut start = house.shell("other", script);
    start.user = Some("nobody".to_owned());
    // The job must reach the folder that it runs in, and the way to its files.
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(house.path(""), mode).unwrap();
    let ended = line.through(&start);
    if rustix::process::geteuid().is_root() {
        assert_eq!(ended.ending, exited(0), "{ended:?}");
        assert_eq!(ended.tail, ["nobody", "nogroup", "hello"]);
        assert_eq!(ended.values["WHO"], "nobody");
    } else {
        assert!(why(&ended.ending).contains("only an agent that is root"), "{ended:?}");
    }
}

#[test]
fn many_at_once_are_all_told_once_and_in_order() {
    runs_many(House::with_agent());
}

pub(crate) fn runs_many(house: House) {
    const MANY: usize = 200;
    let mut line = house.hello();
    for n in 0..MANY {
        line.start(&argv(house.shell(&format!("job{n}"), ""), &["true"]));
    }
    let mut started = std::collections::BTreeSet::new();
    let mut ended = std::collections::BTreeSet::new();
    while ended.len() < MANY {
        match line.hear() {
            FromAgent::Started { attempt, .. } => {
                assert!(!ended.contains(&attempt) && started.insert(attempt));
            }
            FromAgent::Ended(end) => {
                assert_eq!(end.ending, exited(0));
                assert!(started.contains(&end.attempt) && ended.insert(end.attempt));
            }
            other => panic!("{other:?}"),
        }
    }
    let attempts: Vec<_> = ended.into_iter().collect();
    line.say(&ToAgent::Recorded { attempts });
    // Recorded endings are not offered to the next connection; its first answer is to its question.
    let mut next = house.hello();
    let unknown = house.shell("never", "");
    assert_eq!(next.ask(&unknown), FromAgent::NotKnown { attempt: unknown.attempt.clone() });
}

#[test]
fn what_was_archived_goes_and_is_never_started_again() {
    let mut house = House::with_agent();
    let mut line = house.hello();
    let (done, runs) = (house.shell("done", "echo once >> ran"), house.shell("runs", "sleep 60"));
    let ended = line.through(&done);
    let run = done.attempt.run.clone();
    let retire = |logs_only| ToAgent::Retire { runs: vec![run.clone()], logs_only };
    // Not before its ending is recorded, and not while anything of the run goes on.
    line.say(&retire(false));
    assert_eq!(line.hear(), FromAgent::Retired { runs: vec![] });
    line.say(&ToAgent::Recorded { attempts: vec![ended.attempt] });
    line.run(&runs);
    line.say(&retire(false));
    assert_eq!(line.hear(), FromAgent::Retired { runs: vec![] });
    line.kill(&runs, "0s");
    let killed = line.ended();
    line.say(&ToAgent::Recorded { attempts: vec![killed.attempt] });
    line.say(&retire(true));
    assert_eq!(line.hear(), FromAgent::Retired { runs: vec![run.clone()] });
    assert!(house.spool_of(&done).exists() && !house.spool_of(&done).join("out").exists());
    line.say(&retire(false));
    assert_eq!(line.hear(), FromAgent::Retired { runs: vec![run.clone()] });
    assert!(!house.spool_of(&done).exists());
    // The same from the next agent, after a line that was not written to its end.
    for _ in 0..2 {
        line.start(&done);
        let known = line.ended();
        assert!(why(&known.ending).contains("was archived"), "{known:?}");
        assert!(matches!(line.ask(&done), FromAgent::Ended(known) if !known.ending.is_certain()));
        house.kill_agent();
        let file = house.dir().join("retired");
        let torn = std::fs::read_to_string(&file).unwrap() + "eod@2026-1";
        std::fs::write(&file, torn).unwrap();
        house.start_agent(&[]);
        line = house.hello();
    }
    assert!(!house.spool_of(&done).exists());
}

/// What an earlier connection of the same supervisor has said last may be on its way for long.
#[test]
fn a_second_link_of_a_leader_ends_the_first_and_whoever_has_only_a_word_ends_none() {
    let house = House::with_agent();
    let mut links = [house.connect(), house.connect()];
    for link in &mut links {
        link.say(&ToAgent::link(Epoch(1)));
        assert!(matches!(link.hear(), FromAgent::Welcome { .. }));
    }
    let [mut first, mut second] = links;
    assert!(first.is_closed());
    let mut word = house.hello();
    let start = house.shell("once", "true");
    assert!(matches!(second.ask(&start), FromAgent::NotKnown { .. }));
    assert!(matches!(word.ask(&start), FromAgent::NotKnown { .. }));
}
