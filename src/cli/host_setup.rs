//! `host add` and `host check`: nightrun is put on other hosts, and they are looked at.

use super::arguments::Format;
use super::context::Context;
use super::exit::{FAILED, Failure, WELL};
use crate::definition::site::{Host, Site};
use crate::driver::host_setup::{Installed, digest_of, install, look};
use crate::driver::ssh::SshWay;
use crate::render::far_host;
use crate::render::words::Far;
use crate::types::HostName;
use crate::view::far_host::{Said, Seen};
use crate::view::health::Grade;
use crate::wire::{program_path, release};

/// The way to a declared host of the site.
fn way(site: &Site, host: &HostName) -> Result<(Host, SshWay), Failure> {
    let declared = site.hosts.get(host).ok_or_else(|| {
        let known: Vec<&str> = site.hosts.keys().map(HostName::as_str).collect();
        Failure::defects(format!(
            "{host} is not declared; hosts.yaml has {}. Add it there: `{host}: {{address: NAME}}`",
            known.join(", ")
        ))
    })?;
    let way = SshWay::to(declared);
    let way = way.ok_or_else(|| {
        Failure::refused(format!("{host} is this host: `nightrun doctor` looks at it"))
    })?;
    Ok((declared.clone(), way))
}

/// `host add`: copies this nightrun to a declared host, and looks at it.
pub(super) async fn add(context: &Context, host: &HostName) -> Result<u8, Failure> {
    let site = context.site()?;
    let (_, way) = way(&site, host)?;
    let program = program_path(std::env::current_exe().map_err(Failure::failed)?);
    let done = install((host, &way), &program).await.map_err(Failure::failed)?;
    if context.format == Format::Text {
        for line in said(context, &done) {
            anstream::println!("{host}: {line}");
        }
    }
    check(context, Some(host)).await
}

fn said(context: &Context, done: &Installed) -> Vec<String> {
    let release = release();
    let first = match done.was_there {
        true => Far::AlreadyThere { release },
        false => Far::Sent {
            release,
            mebibytes: done.bytes / (1024 * 1024),
            digest: done.digest.get(..12).unwrap_or_default(),
        },
    };
    let second = match &done.agent {
        Some(Ok(())) => Far::Upgraded,
        Some(Err(why)) => Far::NotUpgraded { why },
        None => Far::NoAgent,
    };
    [first, second].map(|word| word.say(context.lang).to_string()).to_vec()
}

/// `host check`: looks at one host, or at all that are reached over ssh.
pub(super) async fn check(context: &Context, host: Option<&HostName>) -> Result<u8, Failure> {
    let site = context.site()?;
    let far = site.hosts.iter().filter(|(_, host)| host.ssh.is_some()).map(|(name, _)| name);
    let hosts: Vec<&HostName> = host.map_or_else(|| far.collect(), |host| vec![host]);
    if hosts.is_empty() {
        return Err(Failure::refused("hosts.yaml declares no host that is reached over ssh"));
    }
    let own = program_path(std::env::current_exe().map_err(Failure::failed)?);
    let own = digest_of(&own).map_err(Failure::failed)?;
    let (mut worst, mut documents) = (Grade::Ok, Vec::new());
    for host in hosts {
        let (declared, way) = way(&site, host)?;
        let users: Vec<String> = declared.users.iter().cloned().collect();
        let (seen, said): (Vec<Seen>, Vec<Said>) =
            match look((host, &way), &users, context.lang).await {
                Ok(looked) => {
                    let seen = Seen::of(host, &looked.look, (looked.asked, looked.took), &own);
                    (seen, looked.look.found)
                }
                Err(why) => (vec![Seen::NotReached { host: host.clone(), why }], Vec::new()),
            };
        let grades = seen.iter().map(Seen::grade).chain(said.iter().map(|said| said.grade));
        worst = grades.fold(worst, Grade::max);
        match context.format {
            Format::Text => {
                anstream::print!("{}", far_host::page(context.lang, host, &seen, &said));
            }
            Format::Json => {
                documents.push(serde_json::json!({ "host": host, "seen": seen, "found": said }));
            }
        }
    }
    if context.format == Format::Json {
        let json = serde_json::to_string_pretty(&documents).map_err(Failure::failed)?;
        anstream::println!("{json}");
    }
    Ok(if worst == Grade::Fail { FAILED } else { WELL })
}
