//! What people did: actions, orders, overrides, freezes, second persons, incidents, hand-overs of shifts, logins, credentials,
//! and who came to have which rights. Each line with its entry of the journal.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::hand_over::HandOverDeed;
use crate::core::access::rights_of;
use crate::core::fact::{Action, ChangeStep, Fact, LoginHow, LoginTrouble, Proposed};
use crate::core::incident::{Fault, IncidentStep};
use crate::definition::site::Site;
use crate::types::{
    Amount, BusinessDate, ChangeId, EventKey, EventName, FigureName, HandOverId, HostName,
    IncidentId, Period, PersonId, Rights, Role, RunId, TeamName,
};

/// The person that starts of schedules are made by.
const SCHEDULE: &str = "schedule";

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct AuditLine {
    /// The host's real time.
    pub at: Timestamp,
    /// Nobody: it came with other job files, or with a login that was refused.
    pub person: Option<PersonId>,
    /// Who said yes to it, where it took two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<PersonId>,
    #[serde(flatten)]
    pub did: Did,
    pub reason: String,
    /// Its entry in the journal.
    pub seq: u64,
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "did")]
pub enum Did {
    Order {
        run: RunId,
        window_override: bool,
    },
    Resume {
        run: RunId,
    },
    Stop {
        run: RunId,
    },
    Act {
        run: RunId,
        action: Action,
    },
    Freeze {
        freeze: String,
        from: Timestamp,
        to: Timestamp,
    },
    Unfreeze {
        freeze: String,
    },
    SizePool {
        pool: String,
        size: u32,
        until: Timestamp,
    },
    Drain {
        host: HostName,
    },
    Undrain {
        host: HostName,
    },
    AskSecond {
        request: String,
        what: Proposed,
    },
    GiveSecond {
        request: String,
    },
    MoveChange {
        change: ChangeId,
        step: ChangeStep,
    },
    OpenIncident {
        incident: IncidentId,
        title: String,
    },
    MoveIncident {
        incident: IncidentId,
        step: IncidentStep,
    },
    MoveHandOver {
        hand_over: HandOverId,
        step: HandOverDeed,
    },
    EnterFigure {
        figure: FigureName,
        period: Period,
        value: Amount,
        /// What it was reckoned from.
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        parts: BTreeMap<FigureName, u32>,
    },
    TellEvent {
        name: EventName,
        business_date: BusinessDate,
        key: EventKey,
    },
    SetPassword {
        of: PersonId,
    },
    MakeToken {
        token: String,
        of: PersonId,
        rights: Rights,
        expires: Timestamp,
    },
    RevokeToken {
        token: String,
    },
    LogIn {
        how: LoginHow,
        from: String,
    },
    LoginRefused {
        from: String,
        why: LoginTrouble,
    },
    /// Other job files than before.
    TakeDefinitions {
        commit: String,
        author: String,
    },
    /// Somebody came to have other roles or rights, or is there no more.
    Access {
        of: PersonId,
        before: Option<AccessOf>,
        after: Option<AccessOf>,
    },
}

/// What a person was allowed by the job files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct AccessOf {
    pub team: Option<TeamName>,
    pub roles: Vec<Role>,
    pub rights: Rights,
    pub unix_user: Option<String>,
}

pub type AccessTable = BTreeMap<PersonId, AccessOf>;

/// The proof that comes with an audit: the whole chain was walked, from its first entry to its head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Proof {
    /// Of the entries of that time, whatever they are about.
    pub first: Option<Point>,
    pub last: Option<Point>,
    /// Of the whole journal.
    pub head: Point,
    /// Runs whose entries are in archives that were not at hand: what was done in them is not told here.
    pub unread_runs: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Point {
    pub seq: u64,
    pub hash: String,
}

/// An entry of the journal, as far as an audit asks.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// The host's real time.
    pub at: Timestamp,
    pub seq: u64,
    pub hash: &'a str,
    pub fact: &'a Fact,
}

/// Everybody of a site, with what each is allowed.
pub fn access_table(site: &Site) -> AccessTable {
    let of = |(id, person): (&PersonId, &crate::definition::site::Person)| {
        let access = AccessOf {
            team: person.team.clone(),
            roles: person.roles.clone(),
            rights: rights_of(site, id),
            unix_user: person.unix_user.clone(),
        };
        (id.clone(), access)
    };
    site.people.iter().map(of).collect()
}

/// What an entry says that somebody did; `None` where it is nobody's doing.
pub fn line(entry: Recorded<'_>) -> Option<AuditLine> {
    let (person, did, reason) = by_whom(entry.fact)?;
    Some(AuditLine {
        at: entry.at,
        person,
        second: second_of(entry.fact),
        did,
        reason,
        seq: entry.seq,
        hash: entry.hash.to_owned(),
    })
}

/// Whether somebody did it, said yes to it, or had it done to the own access.
pub fn is_about(line: &AuditLine, person: &PersonId) -> bool {
    let of = match &line.did {
        Did::SetPassword { of } | Did::MakeToken { of, .. } | Did::Access { of, .. } => Some(of),
        _ => None,
    };
    [line.person.as_ref(), line.second.as_ref(), of].contains(&Some(person))
}

/// Differences between what people were and are allowed, which came into force with the entry at `point`.
pub fn changes(
    before: &AccessTable,
    after: &AccessTable,
    at: Timestamp,
    point: &Point,
) -> Vec<AuditLine> {
    let ids: std::collections::BTreeSet<&PersonId> = before.keys().chain(after.keys()).collect();
    let differs = ids.into_iter().filter(|id| before.get(*id) != after.get(*id));
    let line = |id: &PersonId| AuditLine {
        at,
        person: None,
        second: None,
        did: Did::Access {
            of: id.clone(),
            before: before.get(id).cloned(),
            after: after.get(id).cloned(),
        },
        reason: String::new(),
        seq: point.seq,
        hash: point.hash.clone(),
    };
    differs.map(line).collect()
}

fn second_of(fact: &Fact) -> Option<PersonId> {
    match fact {
        Fact::Acted { second, .. }
        | Fact::Unfrozen { second, .. }
        | Fact::ChangeMoved { second, .. } => second.clone(),
        Fact::RunOpened(opened) => opened.second.clone(),
        _ => None,
    }
}

fn by_whom(fact: &Fact) -> Option<(Option<PersonId>, Did, String)> {
    let (person, did, reason) = match fact {
        Fact::RunOpened(opened) => {
            if opened.by.as_str() == SCHEDULE {
                return None;
            }
            let window_override = opened.window_override.is_some();
            let did = Did::Order { run: opened.run.clone(), window_override };
            (&opened.by, did, opened.window_override.clone().unwrap_or_default())
        }
        Fact::RunResumed { run, by, .. } => (by, Did::Resume { run: run.clone() }, String::new()),
        Fact::Stopping { run, by, .. } => (by, Did::Stop { run: run.clone() }, String::new()),
        Fact::Acted { run, by, reason, action, .. } => {
            (by, Did::Act { run: run.clone(), action: action.clone() }, reason.clone())
        }
        Fact::Frozen { freeze, by, what, .. } => {
            let did = Did::Freeze { freeze: freeze.to_string(), from: what.from, to: what.to };
            (by, did, what.reason.en.clone())
        }
        Fact::Unfrozen { freeze, by, reason, .. } => {
            (by, Did::Unfreeze { freeze: freeze.to_string() }, reason.clone())
        }
        Fact::PoolSized { pool, size, until, by, reason } => {
            let did = Did::SizePool { pool: pool.to_string(), size: *size, until: *until };
            (by, did, reason.clone())
        }
        Fact::HostDrained { host, by, reason } => {
            (by, Did::Drain { host: host.clone() }, reason.clone())
        }
        Fact::HostUndrained { host, by, reason } => {
            (by, Did::Undrain { host: host.clone() }, reason.clone())
        }
        Fact::SecondAsked { request, by, reason, what, .. } => {
            let did = Did::AskSecond { request: request.to_string(), what: what.clone() };
            (by, did, reason.clone())
        }
        Fact::SecondGiven { request, by, reason, .. } => {
            (by, Did::GiveSecond { request: request.to_string() }, reason.clone())
        }
        // What was observed is nobody's doing.
        Fact::ChangeMoved { step, .. }
            if matches!(**step, ChangeStep::Began { .. } | ChangeStep::Ended { .. }) =>
        {
            return None;
        }
        Fact::ChangeMoved { change, by, reason, step, .. } => {
            let (change, step) = (change.clone(), (**step).clone());
            (by, Did::MoveChange { change, step }, reason.clone())
        }
        Fact::EventReceived(received) => {
            let (name, key) = (received.event.clone(), received.key.clone());
            let did = Did::TellEvent { name, business_date: received.business_date, key };
            (&received.by, did, received.reason.clone())
        }
        Fact::FigureEntered(entered) => {
            let (figure, period) = (entered.figure.clone(), entered.period);
            let (value, parts) = (entered.value, entered.parts.clone());
            (&entered.by, Did::EnterFigure { figure, period, value, parts }, entered.source.clone())
        }
        other => return of_duty(other).or_else(|| of_credentials(other)),
    };
    Some((Some(person.clone()), did, reason))
}

/// What people on duty did with incidents and with shifts; what nightrun did is nobody's doing.
fn of_duty(fact: &Fact) -> Option<(Option<PersonId>, Did, String)> {
    let (by, did, reason) = match fact {
        Fact::IncidentOpened(opened) => {
            let (title, reason) = match &opened.fault {
                Fault::Told { title } => (title.clone(), String::new()),
                Fault::Drill { drill, terms } => (drill.to_string(), terms.why.clone()),
                _ => return None,
            };
            (&opened.by, Did::OpenIncident { incident: opened.incident, title }, reason)
        }
        Fact::IncidentMoved(moved) => {
            let did = Did::MoveIncident { incident: moved.incident, step: moved.step.clone() };
            (&moved.by, did, moved.reason.clone())
        }
        Fact::HandOverMoved(moved) => {
            let (hand_over, step) = (moved.hand_over.clone(), HandOverDeed::of(&moved.step));
            (&moved.by, Did::MoveHandOver { hand_over, step }, moved.words.clone())
        }
        _ => return None,
    };
    by.as_ref().map(|by| (Some(by.clone()), did, reason))
}

fn of_credentials(fact: &Fact) -> Option<(Option<PersonId>, Did, String)> {
    Some(match fact {
        Fact::PasswordSet { person, by, reason } => {
            (Some(by.clone()), Did::SetPassword { of: person.clone() }, reason.clone())
        }
        Fact::TokenMade { token, person, name, rights, expires, by, reason } => {
            let (token, of) = (token.to_string(), person.clone());
            let did = Did::MakeToken { token, of, rights: *rights, expires: *expires };
            let reason = if reason.is_empty() { name } else { reason };
            (Some(by.clone()), did, reason.clone())
        }
        Fact::TokenRevoked { token, by, reason } => {
            (Some(by.clone()), Did::RevokeToken { token: token.to_string() }, reason.clone())
        }
        Fact::LoggedIn { person, how, from } => {
            (Some(person.clone()), Did::LogIn { how: *how, from: from.clone() }, String::new())
        }
        Fact::LoginRefused { person, from, why } => {
            (person.clone(), Did::LoginRefused { from: from.clone(), why: *why }, String::new())
        }
        Fact::DefinitionsTaken { revision } => {
            let (commit, author) = (revision.commit.clone(), revision.author.clone());
            (None, Did::TakeDefinitions { commit, author }, String::new())
        }
        _ => return None,
    })
}
