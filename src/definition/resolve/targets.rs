//! `targets:` of site.yaml → databases.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::settings::text;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::site::{ClientRecord, ServerRecord, SiteFile, TargetRecord};
use crate::definition::raw::{At, Field, List, Names, Word};
use crate::definition::site::{Client, ClientIdentity, Engine, Server, ServerTls, Target};
use crate::types::TargetName;

pub(super) fn resolve(raw: &SiteFile, found: &mut Vec<Finding>) -> BTreeMap<TargetName, Target> {
    let mut targets = BTreeMap::new();
    let mut places: BTreeMap<String, TargetName> = BTreeMap::new();
    for (name, record) in raw.targets.get().into_iter().flat_map(Names::good) {
        let Some((engine, at)) = engine(record, name.at, found) else { continue };
        if let Some(other) = places.insert(engine.place(), name.value.clone()) {
            let what = format!("the target `{other}` is the same database");
            found.push(
                Finding::error(at, what)
                    .hint("give one database one name: its connections are counted by it"),
            );
        }
        let Some(environment) = record.environment.get() else { continue };
        let target = Target {
            title: text(&record.title, &record.title_zh),
            engine,
            environment: environment.0.clone(),
            trial: record.trial.or(false),
            connections: record.connections.get().map_or(1, |most| most.to_u32()),
        };
        targets.insert(name.value.clone(), target);
    }
    targets
}

/// What it runs on, and where that is declared.
fn engine(record: &TargetRecord, name: Place, found: &mut Vec<Finding>) -> Option<(Engine, Place)> {
    let ways = [
        ("sqlite", record.sqlite.at()),
        ("postgres", record.postgres.at()),
        ("mysql", record.mysql.at()),
        ("client", record.client.at()),
    ];
    let given: Vec<(&str, Place)> =
        ways.into_iter().filter_map(|(way, at)| Some((way, at?))).collect();
    let [(way, at), more @ ..] = given.as_slice() else {
        let what = "a target needs one of `sqlite`, `postgres`, `mysql`, `client`";
        found.push(Finding::error(name, what));
        return None;
    };
    if let [(other, at), ..] = more {
        found.push(Finding::error(*at, format!("the target has both `{way}` and `{other}`")));
        return None;
    }
    if let (Some(connections), "sqlite") = (record.connections.at(), *way) {
        let what = "`connections` has no meaning with `sqlite`: a file has one writer";
        found.push(Finding::error(connections, what));
    }
    let engine = match *way {
        "sqlite" => {
            let path: PathBuf = PathBuf::from(&record.sqlite.get()?.0).components().collect();
            Engine::Sqlite { path }
        }
        "postgres" => Engine::Postgres(server(record.postgres.get()?, 5432, found)?),
        "mysql" => Engine::Mysql(server(record.mysql.get()?, 3306, found)?),
        _ => Engine::Client(client(record.client.get()?, found)?),
    };
    Some((engine, *at))
}

fn client(raw: &ClientRecord, found: &mut Vec<Finding>) -> Option<Client> {
    let words = |list: &[At<Word>]| list.iter().map(|word| word.value.0.clone()).collect();
    let mut command = |field: &Field<List<Word>>| {
        let given = field.given()?;
        if given.value.0.is_empty() {
            found.push(Finding::error(given.at, "a command names its program"));
        }
        Some(words(&given.value.0))
    };
    let identity = match &raw.identity {
        Field::Absent => None,
        identity => {
            let identity = identity.get()?;
            let says = identity.says.get()?.0.trim().to_owned();
            Some(ClientIdentity { command: command(&identity.command)?, says })
        }
    };
    let command = command(&raw.command)?;
    let rows = raw.rows.get().into_iter().flat_map(|rows| &rows.0);
    for pattern in rows.clone().filter(|row| row.value.0.matches("{n}").count() != 1) {
        let what = "`rows` is a line of output with `{n}` once, in the place of the number";
        found.push(Finding::error(pattern.at, what).hint("such as `UPDATE {n}`"));
    }
    Some(Client { command, rows: rows.map(|row| row.value.0.clone()).collect(), identity })
}

fn server(raw: &ServerRecord, usual: u16, found: &mut Vec<Finding>) -> Option<Server> {
    let tls = raw.tls.or(ServerTls::Require);
    if let (Field::Given(ca), ServerTls::None) = (&raw.ca, tls) {
        found.push(Finding::error(ca.at, "`ca` needs `tls: require`"));
    }
    let host = raw.host.given()?;
    let here = ["localhost", "127.0.0.1", "::1"].contains(&host.value.0.as_str());
    if let (ServerTls::None, false) = (tls, here) {
        let what = "what is sent to this database goes over the network in the clear";
        found.push(Finding::warning(host.at, what).hint("use `tls: require`"));
    }
    Some(Server {
        host: host.value.0.clone(),
        port: raw.port.get().and_then(|port| u16::try_from(port.0).ok()).unwrap_or(usual),
        database: raw.database.get()?.0.clone(),
        user: raw.user.get()?.0.clone(),
        password_file: file(&raw.password_file, found),
        tls,
        ca: file(&raw.ca, found),
        identity: raw.identity.get().map(|identity| identity.0.clone()),
    })
}

/// Whoever reads it has no folder of its own to begin from.
pub(in crate::definition) fn file(path: &Field<Word>, found: &mut Vec<Finding>) -> Option<PathBuf> {
    let given = path.given()?;
    if !Path::new(&given.value.0).is_absolute() {
        let what = format!("`{}` is no absolute path", given.value.0);
        found.push(Finding::error(given.at, what));
    }
    Some(PathBuf::from(&given.value.0))
}
