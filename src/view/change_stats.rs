//! Changes in numbers (D14): how many, how many went wrong, how many came in a hurry, and which come again and again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::change::{ChangeLife, ChangeStep, WindowDecision};
use crate::core::state::Standing;
use crate::definition::copy::CHANGE_SCRIPTS;
use crate::definition::site::{ChangeClass, ChangeKind, Site, StatisticsRule};
use crate::sql::{Dialect, Fingerprint};
use crate::types::{ChangeId, Span, TeamName};
use crate::wire::ChangeState;

/// By what changes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StatsBy {
    /// The team that asked for it.
    #[default]
    Team,
    /// The teams of whoever wrote the scripts.
    AuthorTeam,
    Class,
    /// Of its end, in the site's zone.
    Month,
}

impl StatsBy {
    pub const ALL: [Self; 4] = [Self::Team, Self::AuthorTeam, Self::Class, Self::Month];

    /// As commands and the API write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::AuthorTeam => "author-team",
            Self::Class => "class",
            Self::Month => "month",
        }
    }
}

/// Which time, and by what.
#[derive(Debug, Clone)]
pub struct StatsAsked {
    pub from: Timestamp,
    /// Not included.
    pub to: Timestamp,
    pub by: StatsBy,
    pub environment: Option<String>,
    pub limits: StatisticsRule,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeStats {
    pub from: Timestamp,
    pub to: Timestamp,
    pub by: StatsBy,
    pub environment: Option<String>,
    pub total: StatsLine,
    /// An execution whose authors are of two teams counts for both.
    pub lines: Vec<StatsLine>,
    /// Data changes that come again, the most time first.
    pub recurring: Vec<Recurring>,
    /// Data changes whose script is not kept, so that nobody can tell whether they came before.
    pub unknown_scripts: u32,
}

/// Executions: a change in one environment in one run, by how its last attempt ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct StatsLine {
    /// `None`: nobody's, or all.
    pub name: Option<String>,
    pub executed: u32,
    /// Failed, half done, rolled back, in doubt, or put right by an emergency soon after it.
    pub abnormal: u32,
    /// Of what was executed, to a tenth; `None` where nothing was.
    pub abnormal_percent: Option<f64>,
    /// Proven that nothing was applied, or a guard refused.
    pub failed: u32,
    pub partial: u32,
    /// Also those whose rollback failed.
    pub rolled_back: u32,
    pub in_doubt: u32,
    /// Done, and put right soon after it, by an emergency that names it in `fixes:`.
    pub fixed: u32,
    pub emergencies: u32,
    pub emergency_percent: Option<f64>,
    /// Emergencies outside of their window.
    pub outside: u32,
    /// Normal changes that ran after their window, as somebody let them.
    pub late: u32,
    pub rows: u64,
    pub seconds: u64,
}

/// A data change that was executed so often within so long a time as the rules of changes say, with other values or the
/// same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Recurring {
    pub environment: String,
    /// SHA-256 of its statements without values.
    pub fingerprint: String,
    pub statements: String,
    /// How often it was done, also in as long a time before the one that is asked about.
    pub times: u32,
    /// Time spent executing it, tries that failed among it.
    pub seconds: u64,
    pub changes: Vec<ChangeId>,
    pub teams: Vec<TeamName>,
    pub first: Timestamp,
    pub last: Timestamp,
}

/// A change in one environment in one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Execution {
    pub change: ChangeId,
    pub class: Option<ChangeClass>,
    pub kind: ChangeKind,
    pub team: Option<TeamName>,
    pub author_teams: BTreeSet<TeamName>,
    /// Changes that it puts right.
    pub fixes: Vec<ChangeId>,
    pub environment: String,
    pub window: Option<WindowDecision>,
    pub began: Timestamp,
    pub ended: Timestamp,
    /// As it is counted: what had stopped half way stays so, even where it went on and was done, unless worse came.
    pub state: ChangeState,
    /// Its last attempt was done.
    pub done: bool,
    pub rows: u64,
    pub seconds: u64,
    /// SHA-256 of its `change.sql`, and what reads it.
    pub script: Option<(String, Dialect)>,
}

/// Everything that was executed and has come to an end, in the order of its end.
pub fn executions(site: &Site, standing: &Standing) -> Vec<Execution> {
    let lives = standing.changes.iter();
    let mut all: Vec<Execution> = lives.flat_map(|(id, life)| of_life(site, id, life)).collect();
    all.sort_by(|a, b| (a.ended, &a.change).cmp(&(b.ended, &b.change)));
    all
}

fn of_life(site: &Site, id: &ChangeId, life: &ChangeLife) -> Vec<Execution> {
    let (declared, request) = (site.changes.get(id), life.request());
    let person_team = |person: &_| site.people.get(person)?.team.clone();
    let requester = declared.and_then(|change| change.requester.as_ref());
    let requester = requester.or_else(|| request?.requester.as_ref());
    let team = declared.and_then(|change| change.papers.team.clone());
    let team = team.or_else(|| request?.team.clone());
    let team = team.or_else(|| person_team(requester?));
    let mut written: BTreeMap<&str, (&[String], BTreeSet<TeamName>)> = BTreeMap::new();
    let mut known: BTreeMap<String, Execution> = BTreeMap::new();
    let mut order = Vec::new();
    let mut stopped: BTreeMap<String, ChangeState> = BTreeMap::new();
    for taken in &life.steps {
        match &taken.step {
            ChangeStep::Submitted { content, scripts, authors, .. } => {
                let teams = authors.iter().chain([&taken.by]).filter_map(person_team);
                written.insert(content, (scripts, teams.collect()));
            }
            ChangeStep::Began { began } => {
                let of = began.attempt.run.to_string() + began.attempt.job.as_str();
                let engine = site.targets.get(&began.target).map(|it| it.engine.dialect());
                let (scripts, author_teams) =
                    written.get(began.content.as_str()).cloned().unwrap_or_default();
                let at = CHANGE_SCRIPTS.iter().position(|script| *script == "change.sql");
                let script = at.and_then(|at| scripts.get(at)).cloned().zip(engine);
                let then = began.declared.as_ref();
                let fresh = Execution {
                    change: id.clone(),
                    class: then
                        .map(|it| it.class)
                        .or_else(|| Some(declared?.class))
                        .or_else(|| Some(request?.class)),
                    kind: then
                        .map(|it| it.kind)
                        .or_else(|| Some(declared?.kind))
                        .or_else(|| Some(request?.kind))
                        .unwrap_or_default(),
                    team: then.and_then(|it| it.team.clone()).or_else(|| team.clone()),
                    author_teams,
                    fixes: then
                        .map(|it| &it.fixes)
                        .or_else(|| Some(&declared?.papers.fixes))
                        .cloned()
                        .unwrap_or_default(),
                    environment: began.environment.clone(),
                    window: began.window.clone(),
                    began: taken.at,
                    ended: taken.at,
                    state: ChangeState::InDoubt,
                    done: false,
                    rows: 0,
                    seconds: 0,
                    script,
                };
                known.entry(of).or_insert(fresh);
            }
            ChangeStep::Ended { ended } => {
                let of = ended.attempt.run.to_string() + ended.attempt.job.as_str();
                let Some(execution) = known.get_mut(&of) else { continue };
                let took = ended.started.map(|from| ended.ended.duration_since(from).as_secs());
                execution.seconds += took.and_then(|took| u64::try_from(took).ok()).unwrap_or(0);
                execution.ended = ended.ended;
                let before = stopped.get(&of).copied();
                let before = before.filter(|before| weight(*before) > weight(ended.state));
                execution.state = before.unwrap_or(ended.state);
                execution.done = ended.state == ChangeState::Done;
                execution.rows = ended.rows;
                if !order.contains(&of) {
                    order.push(of);
                }
            }
            ChangeStep::GoesOn { attempt, .. } => {
                let of = attempt.run.to_string() + attempt.job.as_str();
                if let Some(execution) = known.get(&of) {
                    stopped.insert(of, execution.state);
                }
            }
            _ => {}
        }
    }
    order.into_iter().filter_map(|of| known.remove(&of)).collect()
}

/// How bad an end is, as against others of the same execution.
fn weight(state: ChangeState) -> u8 {
    match state {
        ChangeState::Done => 0,
        ChangeState::FailedClean | ChangeState::FailedGuard => 1,
        ChangeState::Partial => 2,
        ChangeState::RolledBack => 3,
        ChangeState::RollbackFailed => 4,
        ChangeState::InDoubt => 5,
    }
}

/// From when on executions count where it is asked which come again.
fn since(asked: &StatsAsked) -> Timestamp {
    asked.from.saturating_sub(length(asked.limits.recurs_within)).unwrap_or(Timestamp::MIN)
}

fn length(span: Span) -> SignedDuration {
    SignedDuration::try_from(span.get()).unwrap_or(SignedDuration::MAX)
}

/// The scripts whose fingerprints [`stats`] asks for.
pub fn scripts(executions: &[Execution], asked: &StatsAsked) -> BTreeMap<String, Dialect> {
    let in_time = |it: &&Execution| since(asked) <= it.ended && it.ended < asked.to;
    let data = executions.iter().filter(in_time);
    let data = data.filter(|it| it.class == Some(ChangeClass::Data));
    data.filter_map(|it| it.script.clone()).collect()
}

/// `prints`: by the SHA-256 of the script. `months`: the month of an instant.
pub fn stats(
    executions: &[Execution],
    prints: &BTreeMap<String, Fingerprint>,
    asked: &StatsAsked,
    month: impl Fn(Timestamp) -> String,
) -> ChangeStats {
    let there = |it: &&Execution| asked.environment.as_ref().is_none_or(|of| *of == it.environment);
    let all: Vec<&Execution> = executions.iter().filter(there).collect();
    let fixes = fixes(&all);
    let mut total = StatsLine::default();
    let mut lines: BTreeMap<Option<String>, StatsLine> = BTreeMap::new();
    let mut unknown_scripts = 0;
    for execution in &all {
        if !(asked.from <= execution.ended && execution.ended < asked.to) {
            continue;
        }
        let fixed = is_fixed(execution, &fixes, length(asked.limits.fixed_within));
        total.add(execution, fixed);
        for name in names(execution, asked.by, &month) {
            let fresh = || StatsLine { name: name.clone(), ..StatsLine::default() };
            lines.entry(name.clone()).or_insert_with(fresh).add(execution, fixed);
        }
        let data = execution.class == Some(ChangeClass::Data);
        let print = execution.script.as_ref().and_then(|(script, _)| prints.get(script));
        unknown_scripts += u32::from(data && print.is_none());
    }
    ChangeStats {
        from: asked.from,
        to: asked.to,
        by: asked.by,
        environment: asked.environment.clone(),
        total: total.rated(),
        lines: lines.into_values().map(StatsLine::rated).collect(),
        recurring: recurring(&all, prints, asked),
        unknown_scripts,
    }
}

fn names(of: &Execution, by: StatsBy, month: impl Fn(Timestamp) -> String) -> Vec<Option<String>> {
    match by {
        StatsBy::Team => vec![of.team.as_ref().map(ToString::to_string)],
        StatsBy::AuthorTeam if of.author_teams.is_empty() => vec![None],
        StatsBy::AuthorTeam => of.author_teams.iter().map(|team| Some(team.to_string())).collect(),
        StatsBy::Class => vec![of.class.map(|class| class.name().to_owned())],
        StatsBy::Month => vec![Some(month(of.ended))],
    }
}

/// When emergencies began, by what they put right and where.
type Fixes<'a> = BTreeMap<(&'a ChangeId, &'a str), Vec<Timestamp>>;

fn fixes<'a>(all: &[&'a Execution]) -> Fixes<'a> {
    let mut found = Fixes::new();
    for fix in all.iter().filter(|it| it.kind == ChangeKind::Emergency) {
        for change in &fix.fixes {
            found.entry((change, &fix.environment)).or_default().push(fix.began);
        }
    }
    found
}

/// Whether an emergency puts it right so soon after its end.
fn is_fixed(of: &Execution, fixes: &Fixes<'_>, within: SignedDuration) -> bool {
    let began = fixes.get(&(&of.change, of.environment.as_str()));
    let in_time = |began: &Timestamp| {
        let after = began.duration_since(of.ended);
        SignedDuration::ZERO <= after && after <= within
    };
    of.state == ChangeState::Done && began.is_some_and(|began| began.iter().any(in_time))
}

impl StatsLine {
    fn add(&mut self, of: &Execution, fixed: bool) {
        self.executed += 1;
        match of.state {
            ChangeState::Done => self.fixed += u32::from(fixed),
            ChangeState::FailedClean | ChangeState::FailedGuard => self.failed += 1,
            ChangeState::Partial => self.partial += 1,
            ChangeState::RolledBack | ChangeState::RollbackFailed => self.rolled_back += 1,
            ChangeState::InDoubt => self.in_doubt += 1,
        }
        self.abnormal += u32::from(of.state != ChangeState::Done || fixed);
        self.emergencies += u32::from(of.kind == ChangeKind::Emergency);
        self.outside += u32::from(of.window == Some(WindowDecision::Emergency));
        self.late += u32::from(matches!(of.window, Some(WindowDecision::Late { .. })));
        self.rows += of.rows;
        self.seconds += of.seconds;
    }

    fn rated(self) -> Self {
        let percent = |part: u32| {
            let tenths = f64::from(part) * 1_000.0 / f64::from(self.executed);
            (self.executed > 0).then(|| tenths.round() / 10.0)
        };
        Self {
            abnormal_percent: percent(self.abnormal),
            emergency_percent: percent(self.emergencies),
            ..self
        }
    }
}

fn recurring(
    all: &[&Execution],
    prints: &BTreeMap<String, Fingerprint>,
    asked: &StatsAsked,
) -> Vec<Recurring> {
    let since = since(asked);
    let mut alike: BTreeMap<(&str, &Fingerprint), Vec<&Execution>> = BTreeMap::new();
    for execution in all {
        let counts = execution.class == Some(ChangeClass::Data)
            && since <= execution.ended
            && execution.ended < asked.to;
        let print = execution.script.as_ref().and_then(|(script, _)| prints.get(script));
        if let Some(print) = print.filter(|_| counts) {
            alike.entry((&execution.environment, print)).or_default().push(execution);
        }
    }
    let within = length(asked.limits.recurs_within);
    let often = usize::try_from(asked.limits.recurs).unwrap_or(usize::MAX).max(2);
    let again = |of: &[&Execution]| {
        let done: Vec<Timestamp> = of.iter().filter(|it| it.done).map(|it| it.ended).collect();
        done.windows(often).any(|of| match of {
            [first, .., last] => *last >= asked.from && last.duration_since(*first) <= within,
            _ => false,
        })
    };
    let mut found: Vec<Recurring> = alike
        .into_iter()
        .filter(|(_, of)| again(of))
        .filter_map(|((environment, print), of)| {
            let changes: BTreeSet<&ChangeId> = of.iter().map(|it| &it.change).collect();
            let teams: BTreeSet<&TeamName> = of.iter().filter_map(|it| it.team.as_ref()).collect();
            Some(Recurring {
                environment: environment.to_owned(),
                fingerprint: print.hex().to_owned(),
                statements: print.text().to_owned(),
                times: u32::try_from(of.iter().filter(|it| it.done).count()).unwrap_or(u32::MAX),
                seconds: of.iter().map(|it| it.seconds).sum(),
                changes: changes.into_iter().cloned().collect(),
                teams: teams.into_iter().cloned().collect(),
                first: of.iter().find(|it| it.done)?.ended,
                last: of.iter().rfind(|it| it.done)?.ended,
            })
        })
        .collect();
    found.sort_by_key(|it| std::cmp::Reverse((it.seconds, it.times)));
    found
}

#[cfg(test)]
mod tests;
