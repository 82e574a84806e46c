//! A house with the shipped rules of changes, for tables of who may do what when.

use std::time::Duration;

use jiff::Timestamp;

use crate::core::change::moved::declared;
use crate::core::change::{
    Began, ChangeLife, ChangeStep, Cleared, Crew, Desk, Executed, Lives, Missing, Start, Taken,
    Wish, without_folder,
};
use crate::core::refused::{Refused, Rule};
use crate::core::window::{NONE_ORDERED, Subject, Windows};
use crate::definition::load;
use crate::definition::site::Site;
use crate::definition::source::SourceTree;
use crate::definition::starter;
use crate::types::{AttemptId, BatchId, ChangeId, HostName, PersonId, RunId, TargetName};
use crate::wire::{ChangeState, Did, RehearsalStep};

const SITE: &str = "version: 1
title: Bank
zone: Asia/Shanghai
mail: {from: nightrun@bank.example, folder: mail, failures_to: duty, report_to: duty}
targets:
  uat: {title: UAT, sqlite: uat.db, environment: uat}
  pre: {title: Pre, sqlite: pre.db, environment: pre-production}
  prod: {title: Prod, sqlite: prod.db, environment: production}
";

const PEOPLE: &str = "version: 1
people:
  author: {name: A, roles: [developer]}
  helper: {name: H, roles: [developer]}
  asker: {name: Q, roles: [business]}
  dba: {name: D, roles: [dba]}
  dba-too: {name: D2, roles: [dba]}
  dev: {name: L, roles: [dev-lead]}
  dev-two: {name: L2, roles: [dev-deputy]}
  tester: {name: T, roles: [test-lead]}
  ops: {name: O, roles: [operations-lead]}
  shift: {name: S, roles: [operations, duty]}
  shift-too: {name: S2, roles: [operations]}
  ccb-a: {name: C1, roles: [ccb, product-director]}
  ccb-b: {name: C2, roles: [ccb, project-manager]}
  both: {name: B, roles: [dev-lead, operations-lead]}
  dep: {name: OD, roles: [operations-deputy]}
";

pub(super) struct House {
    pub(super) site: Site,
    pub(super) windows: Windows,
    pub(super) lives: Lives,
    pub(super) at: Timestamp,
}

/// A change of all environments of house H that changes no rows, or what `more` says.
pub(super) fn folder(id: &str, lines: &str, sql: &str) -> Vec<(String, String)> {
    let yaml = format!(
        "version: 1\ntitle: Change {id}\nreason: Because\nrequester: asker\nauthor: author\n\
         rows: {{min: 0, max: 9}}\nexpected: 2m\nverify_takes: 1m\nrollback_takes: 1m\n{lines}\n"
    );
    let file = |name: &str, text: &str| (format!("changes/{id}/{name}"), text.to_owned());
    vec![
        file("change.yaml", &yaml),
        file("backup.sql", "create table b as select * from t;\n"),
        file("change.sql", sql),
        file("verify.sql", "select 'x', count(*) = 1, 'n' from t where y = 2;\n"),
        file("rollback.sql", "update t set y = 1 where x = 1;\n"),
    ]
}

pub(super) const SQL: &str = "update t set y = 2 where x = 1;\n";
pub(super) const ALL: &str = "targets: {uat: uat, pre-production: pre, production: prod}";

impl House {
    pub(super) fn new(house: starter::House, changes: &[(&str, &str)]) -> Self {
        Self::with(house, changes, Vec::new())
    }

    /// With more files besides.
    pub(super) fn with(
        house: starter::House,
        changes: &[(&str, &str)],
        more: Vec<(String, String)>,
    ) -> Self {
        let folders = changes.iter().flat_map(|(id, lines)| folder(id, lines, SQL));
        let folders = folders.chain(more).collect();
        let mut made = Self {
            site: site(house, folders),
            windows: Windows::new(&crate::core::test_site::site(Vec::new())),
            lives: Lives::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        made.windows = Windows::new(&made.site);
        made
    }

    /// The local time of the rules' zone.
    /// The author has a role that others decide with.
    pub(super) fn author_is_a_dba(&mut self) {
        let author = self.site.people.get_mut(&person("author")).unwrap();
        author.roles.push("dba".parse().unwrap());
    }

    pub(super) fn at(&mut self, local: &str) -> &mut Self {
        let zone = self.site.change_rules.as_ref().unwrap().zone.clone();
        let local: jiff::civil::DateTime = local.parse().unwrap();
        self.at = zone.tz().to_timestamp(local).unwrap();
        self
    }

    pub(super) fn desk(&self, id: &ChangeId) -> Desk<'_> {
        Desk::new(&self.site, &self.windows, id, &self.lives).unwrap()
    }

    pub(super) fn life(&self, id: &str) -> ChangeLife {
        self.lives.get(&change(id)).map(|life| (**life).clone()).unwrap_or_default()
    }

    pub(super) fn try_take(&mut self, id: &str, by: &str, wish: Wish) -> Result<(), Refused> {
        let (id, by) = (change(id), person(by));
        let step = if self.site.changes.contains_key(&id) {
            self.desk(&id).take(&by, self.at, wish)?
        } else {
            let life = self.life(id.as_str());
            without_folder(&self.site, &id, &life, &by, wish)?
        };
        self.push(&id, by, step);
        Ok(())
    }

    /// The rule that refuses, if one does.
    pub(super) fn take(&mut self, id: &str, by: &str, wish: Wish) -> Option<Rule> {
        self.try_take(id, by, wish).err().map(|refused| refused.rule.expect("a rule with a name"))
    }

    /// What must go well.
    #[track_caller]
    pub(super) fn done(&mut self, id: &str, by: &str, wish: Wish) -> &mut Self {
        let told = format!("{by}: {wish:?}");
        if let Err(refused) = self.try_take(id, by, wish) {
            panic!("{told}: {refused}");
        }
        self
    }

    pub(super) fn push(&mut self, id: &ChangeId, by: PersonId, step: ChangeStep) {
        let taken = Taken { at: self.at, by, second: None, reason: "r".to_owned(), step };
        std::sync::Arc::make_mut(self.lives.entry(id.clone()).or_default()).steps.push(taken);
    }

    /// As if a run had begun it.
    pub(super) fn began(&mut self, id: &str, environment: &str) {
        let id = change(id);
        let began = Began {
            environment: environment.to_owned(),
            target: TargetName::new("prod").unwrap(),
            attempt: attempt(environment),
            content: self.site.changes[&id].content.clone(),
            digest: String::new(),
            window: None,
            executor: None,
            watcher: None,
            declared: Some(declared(&self.site, &self.site.changes[&id], environment)),
        };
        self.push(&id, person("shift"), ChangeStep::Began { began: Box::new(began) });
    }

    /// As if a run had executed it.
    pub(super) fn executed(
        &mut self,
        id: &str,
        environment: &str,
        state: ChangeState,
    ) -> &mut Self {
        self.ended(id, environment, (state, &[]))
    }

    /// The same, with what was rehearsed before.
    pub(super) fn ended(
        &mut self,
        id: &str,
        environment: &str,
        (state, did): (ChangeState, &[Did]),
    ) -> &mut Self {
        let id = change(id);
        let at = self.at;
        let rehearsal = did.iter().map(|did| RehearsalStep { did: *did, at, rows: 1, checks: 1 });
        let ended = Executed {
            environment: environment.to_owned(),
            attempt: attempt(environment),
            content: self.site.changes[&id].content.clone(),
            state,
            rows: 1,
            backup_rows: 1,
            started: Some(self.at),
            ended: self.at,
            checks: 1,
            good: 1,
            why: None,
            progress: None,
            rehearsal: rehearsal.collect(),
        };
        self.push(&id, person("shift"), ChangeStep::Ended { ended: Box::new(ended) });
        self
    }

    /// Reviewed and approved by one person of each role that house H and C ask for.
    #[track_caller]
    pub(super) fn approved(&mut self, id: &str, environment: &str, by: &[&str]) -> &mut Self {
        for person in by {
            self.done(id, person, approve(environment));
        }
        self
    }

    pub(super) fn clearance(&self, id: &str, environment: &str) -> Result<Cleared, Vec<Missing>> {
        self.clearance_by(id, environment, ("shift", "shift-too"))
    }

    pub(super) fn clearance_by(
        &self,
        id: &str,
        environment: &str,
        crew: (&str, &str),
    ) -> Result<Cleared, Vec<Missing>> {
        self.clearance_in((id, environment), crew, None)
    }

    /// As a job of a run.
    pub(super) fn clearance_in(
        &self,
        (id, environment): (&str, &str),
        (executor, watcher): (&str, &str),
        run: Option<&RunId>,
    ) -> Result<Cleared, Vec<Missing>> {
        let (id, batch) = (change(id), BatchId::new("list").unwrap());
        let named = |name: &str| (!name.is_empty()).then(|| person(name));
        let crew = Crew { executor: named(executor), watcher: named(watcher) };
        let host = HostName::new("local").unwrap();
        let subject = Subject { batch: &batch, target: None, host: &host, ordered: NONE_ORDERED };
        self.desk(&id).clearance(&Start {
            environment,
            at: self.at,
            crew: &crew,
            subject,
            classes: &[],
            needs: Duration::ZERO,
            run,
        })
    }

    /// The rules that keep it from starting.
    pub(super) fn lacks(&self, id: &str, environment: &str) -> Vec<Rule> {
        let missing = self.clearance(id, environment).err().unwrap_or_default();
        missing.iter().map(Missing::rule).collect()
    }
}

fn site(house: starter::House, folders: Vec<(String, String)>) -> Site {
    let [rules, windows, _] = house.change_rules();
    let files = [rules, windows, ("site.yaml", SITE), ("people.yaml", PEOPLE)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let all: Vec<(String, String)> = files.into_iter().chain(folders).collect();
    let tree: SourceTree = all.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let loaded = load(&tree);
    loaded.site.unwrap_or_else(|| panic!("{:#?}", loaded.defects))
}

pub(super) fn change(id: &str) -> ChangeId {
    ChangeId::new(id).unwrap()
}

pub(super) fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

fn attempt(environment: &str) -> AttemptId {
    AttemptId {
        run: "list@2026-10-30#1".parse().unwrap(),
        job: crate::types::JobName::new(environment).unwrap(),
        number: 1,
    }
}

pub(super) fn submit() -> Wish {
    Wish::Submit { environment: None, accepted: None, confirm: Vec::new() }
}

pub(super) fn review() -> Wish {
    Wish::Review { tick: Vec::new() }
}

pub(super) fn approve(environment: &str) -> Wish {
    let asked = [
        "tested",
        "accepted",
        "rollback-plan",
        "teams-told",
        "tests-done",
        "acceptance-passed",
        "regression-done",
        "form-complete",
    ];
    let tick = asked.map(str::to_owned).into();
    Wish::Approve { environment: Some(environment.to_owned()), role: None, tick }
}

pub(super) fn schedule(environment: &str) -> Wish {
    Wish::Schedule { environment: Some(environment.to_owned()), on: None }
}

pub(super) fn confirm(environment: &str, item: &str) -> Wish {
    let item = crate::types::CheckName::new(item).unwrap();
    Wish::Confirm { environment: Some(environment.to_owned()), item }
}
