use super::*;
use crate::core::change::{Began, Declared, Executed, Taken};
use crate::sql::fingerprint;
use crate::types::{AttemptId, PersonId, TargetName};
use crate::wire::CutDecision;

fn at(text: &str) -> Timestamp {
    format!("{text}:00Z").parse().unwrap()
}

fn done(change: &str, ended: &str) -> Execution {
    Execution {
        change: ChangeId::new(change).unwrap(),
        class: Some(ChangeClass::Data),
        kind: ChangeKind::Normal,
        team: Some(TeamName::new("custody").unwrap()),
        author_teams: BTreeSet::from([TeamName::new("development").unwrap()]),
        fixes: Vec::new(),
        environment: "production".into(),
        window: None,
        began: at(ended),
        ended: at(ended),
        state: ChangeState::Done,
        done: true,
        rows: 2,
        seconds: 30,
        script: None,
    }
}

fn asked(by: StatsBy) -> StatsAsked {
    StatsAsked {
        from: at("2026-10-01T00:00"),
        to: at("2026-11-01T00:00"),
        by,
        environment: None,
        limits: StatisticsRule::default(),
    }
}

fn of(executions: &[Execution], by: StatsBy) -> ChangeStats {
    stats(executions, &BTreeMap::new(), &asked(by), |at| at.strftime("%Y-%m").to_string())
}

#[test]
fn each_end_is_counted_in_its_column_and_what_went_wrong_besides() {
    use ChangeState::{
        Done, FailedClean, FailedGuard, InDoubt, Partial, RollbackFailed, RolledBack,
    };
    let figures = |state| {
        let all = [Execution { state, ..done("a", "2026-10-05T11:00") }];
        let StatsLine { executed, abnormal, failed, partial, rolled_back, in_doubt, .. } =
            of(&all, StatsBy::Team).total;
        [executed, abnormal, failed, partial, rolled_back, in_doubt]
    };
    for (state, expected) in [
        (Done, [1, 0, 0, 0, 0, 0]),
        (FailedClean, [1, 1, 1, 0, 0, 0]),
        (FailedGuard, [1, 1, 1, 0, 0, 0]),
        (Partial, [1, 1, 0, 1, 0, 0]),
        (RolledBack, [1, 1, 0, 0, 1, 0]),
        (RollbackFailed, [1, 1, 0, 0, 1, 0]),
        (InDoubt, [1, 1, 0, 0, 0, 1]),
    ] {
        assert_eq!(figures(state), expected, "{state:?}");
    }
}

#[test]
fn an_emergency_that_puts_it_right_within_a_day_makes_it_abnormal() {
    let fix = |began: &str, kind, fixes: &str, environment: &str| Execution {
        kind,
        fixes: vec![ChangeId::new(fixes).unwrap()],
        environment: environment.into(),
        began: at(began),
        ..done("fix", began)
    };
    let (urgent, normal) = (ChangeKind::Emergency, ChangeKind::Normal);
    for (fix, abnormal) in [
        (fix("2026-10-06T11:00", urgent, "a", "production"), 1),
        (fix("2026-10-06T11:01", urgent, "a", "production"), 0),
        (fix("2026-10-05T10:59", urgent, "a", "production"), 0),
        (fix("2026-10-05T12:00", normal, "a", "production"), 0),
        (fix("2026-10-05T12:00", urgent, "b", "production"), 0),
        (fix("2026-10-05T12:00", urgent, "a", "uat"), 0),
    ] {
        let total = of(&[done("a", "2026-10-05T11:00"), fix.clone()], StatsBy::Team).total;
        assert_eq!(
            (total.executed, total.abnormal, total.fixed),
            (2, abnormal, abnormal),
            "{fix:?}"
        );
    }
}

#[test]
fn lines_are_by_what_was_asked_and_rates_are_of_their_own_line() {
    let ops = || Some(TeamName::new("ops").unwrap());
    let all = [
        done("a", "2026-09-30T23:59"),
        done("a", "2026-10-01T00:00"),
        Execution { state: ChangeState::FailedGuard, ..done("b", "2026-10-20T11:00") },
        Execution {
            team: ops(),
            kind: ChangeKind::Emergency,
            class: Some(ChangeClass::Parameter),
            window: Some(WindowDecision::Emergency),
            author_teams: BTreeSet::from([ops().unwrap(), TeamName::new("development").unwrap()]),
            ..done("c", "2026-10-31T23:59")
        },
        Execution {
            team: None,
            author_teams: BTreeSet::new(),
            window: Some(WindowDecision::Late { by: PersonId::new("dev").unwrap() }),
            ..done("d", "2026-10-21T11:00")
        },
        done("e", "2026-11-01T00:00"),
    ];
    let short = |line: &StatsLine| {
        let name = line.name.clone().unwrap_or_default();
        (name, line.executed, line.abnormal_percent.unwrap(), line.emergency_percent.unwrap())
    };
    let lines = |by| of(&all, by).lines.iter().map(short).collect::<Vec<_>>();
    let line = |name: &str, executed, abnormal, emergency| {
        (name.to_owned(), executed, abnormal, emergency)
    };
    let total = of(&all, StatsBy::Team).total;
    assert_eq!(short(&total), line("", 4, 25.0, 25.0));
    assert_eq!((total.outside, total.late, total.rows, total.seconds), (1, 1, 8, 120));
    assert_eq!(
        lines(StatsBy::Team),
        [line("", 1, 0.0, 0.0), line("custody", 2, 50.0, 0.0), line("ops", 1, 0.0, 100.0)]
    );
    assert_eq!(
        lines(StatsBy::AuthorTeam),
        [line("", 1, 0.0, 0.0), line("development", 3, 33.3, 33.3), line("ops", 1, 0.0, 100.0)]
    );
    assert_eq!(
        lines(StatsBy::Class),
        [line("data", 3, 33.3, 0.0), line("parameter", 1, 0.0, 100.0)]
    );
    assert_eq!(lines(StatsBy::Month), [line("2026-10", 4, 25.0, 25.0)]);
    assert_eq!(of(&[], StatsBy::Team).total.abnormal_percent, None);
    let uat = StatsAsked { environment: Some("uat".into()), ..asked(StatsBy::Team) };
    assert_eq!(stats(&all, &BTreeMap::new(), &uat, |_| String::new()).total.executed, 0);
}

#[test]
fn a_data_change_that_comes_again_within_thirty_days_is_found_whatever_its_values() {
    let print = |sql: &str| fingerprint(Dialect::Sqlite, sql);
    let prints: BTreeMap<String, Fingerprint> = [
        ("s1", "update fee set rate = 30 where id = 1"),
        ("s2", "update fee set rate = 31 where id = 77"),
        ("s3", "delete from fee where id = 1"),
    ]
    .map(|(name, sql)| (name.to_owned(), print(sql)))
    .into();
    let with = |change: &str, script: &str, ended: &str| Execution {
        script: Some((script.into(), Dialect::Sqlite)),
        ..done(change, ended)
    };
    let found = |all: &[Execution]| {
        let stats = stats(all, &prints, &asked(StatsBy::Team), |_| String::new());
        let times = stats.recurring.iter().map(|it| (it.times, it.seconds, it.changes.len()));
        (times.collect::<Vec<_>>(), stats.unknown_scripts)
    };
    let first = || with("a", "s1", "2026-10-02T11:00");
    let later = |ended| with("b", "s2", ended);
    assert_eq!(found(&[first(), later("2026-10-20T11:00")]), (vec![(2, 60, 2)], 0));
    // The former one may lie in the 30 days before.
    let before = with("a", "s1", "2026-09-25T11:00");
    assert_eq!(found(&[before.clone(), later("2026-10-20T11:00")]), (vec![(2, 60, 2)], 0));
    assert_eq!(found(&[before, later("2026-10-25T11:01")]), (vec![], 0));
    // Three times are needed where the rules say so; a try that failed is no time, and its time is spent all the same.
    let thrice = |all: &[Execution]| {
        let limits = StatisticsRule { recurs: 3, ..StatisticsRule::default() };
        let asked = StatsAsked { limits, ..asked(StatsBy::Team) };
        let stats = stats(all, &prints, &asked, |_| String::new());
        stats.recurring.iter().map(|it| (it.times, it.seconds)).collect::<Vec<_>>()
    };
    let failed =
        Execution { state: ChangeState::FailedClean, done: false, ..later("2026-10-10T11:00") };
    let two = [first(), failed, later("2026-10-20T11:00")];
    assert_eq!(thrice(&two), []);
    assert_eq!(found(&two), (vec![(2, 90, 2)], 0));
    assert_eq!(thrice(&[&two[..], &[later("2026-10-21T11:00")]].concat()), [(3, 120)]);
    // Once, another kind, another environment, one that failed, one of another class, one whose script is not kept.
    let now = || later("2026-10-20T11:00");
    for other in [
        with("b", "s3", "2026-10-20T11:00"),
        Execution { environment: "uat".into(), ..now() },
        Execution { state: ChangeState::FailedClean, done: false, ..now() },
        Execution { class: Some(ChangeClass::Structure), ..now() },
    ] {
        assert_eq!(found(&[first(), other.clone()]), (vec![], 0), "{other:?}");
    }
    assert_eq!(found(&[first(), with("b", "s9", "2026-10-20T11:00")]), (vec![], 1));
}

/// Its steps, as the run `prod@2026-10-30#1` takes them.
fn life(steps: impl IntoIterator<Item = ChangeStep>) -> ChangeLife {
    let taken = |step| Taken {
        at: Timestamp::UNIX_EPOCH,
        by: PersonId::new("ops").unwrap(),
        second: None,
        reason: String::new(),
        step,
    };
    ChangeLife { steps: steps.into_iter().map(taken).collect() }
}

fn attempt(number: u32) -> AttemptId {
    format!("prod@2026-10-30#1/rate/{number}").parse().unwrap()
}

fn began(number: u32) -> ChangeStep {
    let declared = Declared {
        class: ChangeClass::Data,
        kind: ChangeKind::Emergency,
        team: TeamName::new("custody").ok(),
        fixes: vec![ChangeId::new("former").unwrap()],
        markets: None,
        permissions: None,
    };
    let began = Box::new(Began {
        environment: "production".into(),
        target: TargetName::new("prod").unwrap(),
        attempt: attempt(number),
        content: "c1".into(),
        digest: "d1".into(),
        window: None,
        executor: None,
        watcher: None,
        declared: Some(declared),
    });
    ChangeStep::Began { began }
}

fn ended(number: u32, state: ChangeState) -> ChangeStep {
    let ended = Box::new(Executed {
        environment: "production".into(),
        attempt: attempt(number),
        content: "c1".into(),
        state,
        rows: 2,
        backup_rows: 3,
        started: None,
        ended: Timestamp::UNIX_EPOCH,
        checks: 1,
        good: 1,
        why: None,
        progress: None,
        rehearsal: Vec::new(),
    });
    ChangeStep::Ended { ended }
}

#[test]
fn what_stopped_half_way_is_counted_so_also_where_it_went_on() {
    use ChangeState::{Done, FailedClean, InDoubt, Partial, RollbackFailed, RolledBack};
    let site = crate::core::test_site::site(Vec::new());
    let id = ChangeId::new("rate").unwrap();
    let counted = |steps: Vec<ChangeStep>| {
        let all = of_life(&site, &id, &life(steps));
        assert_eq!(all.len(), 1);
        (all[0].state, all[0].done)
    };
    let (environment, how) = ("production".to_owned(), CutDecision::Continue);
    let goes_on = ChangeStep::GoesOn { environment, attempt: attempt(1), how };
    for (first, second, expected) in [
        (Partial, Done, Partial),
        (Partial, FailedClean, Partial),
        (Partial, RolledBack, RolledBack),
        (Partial, InDoubt, InDoubt),
        (RollbackFailed, RolledBack, RollbackFailed),
    ] {
        let (begin, again) = (began(1), began(2));
        let went_on = vec![begin, ended(1, first), goes_on.clone(), again, ended(2, second)];
        assert_eq!(counted(went_on), (expected, second == Done), "{first:?} {second:?}");
    }
    // Nobody had it go on: a look has settled what became of it.
    assert_eq!(counted(vec![began(1), ended(1, InDoubt), ended(2, Done)]), (Done, true));
}

#[test]
fn figures_of_the_past_go_by_what_its_file_said_then() {
    // The site has no such change any more.
    let site = crate::core::test_site::site(Vec::new());
    let steps = [began(1), ended(1, ChangeState::Done)];
    let all = of_life(&site, &ChangeId::new("rate").unwrap(), &life(steps));
    let it = &all[0];
    assert_eq!((it.class, it.kind), (Some(ChangeClass::Data), ChangeKind::Emergency));
    assert_eq!((&it.team, it.fixes.len()), (&TeamName::new("custody").ok(), 1));
}
