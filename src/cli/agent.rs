//! `agent`: what a person tells the agent of this host. The agent itself begins at the top of `main`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use crate::driver::agent_link::{AgentStart, bridge};
use crate::driver::agent_upgrade::upgrade;
use crate::driver::clock::HostClock;
use crate::driver::host_setup::digest_of;
use crate::driver::logs;
use crate::port::Clock;
use crate::render::health;
use crate::render::words::Label;
use crate::view::far_host::{HostLook, Said, UserThere};
use crate::wire::{program_path, release};
use crate::{agent, app};

/// For the agent to begin anew: it looks through what runs.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Subcommand)]
pub(super) enum AgentCommand {
    /// Let the agent go on as another program: what runs goes on, and nothing starts twice
    ///
    /// A supervisor of another release does this by itself.
    Upgrade {
        /// The nightrun that it becomes; by default what stands now where its own program stood
        #[arg(long, value_name = "PROGRAM")]
        to: Option<PathBuf>,
    },
    /// Pass words between this and the agent of a folder; what a supervisor on another host starts over ssh
    #[command(hide = true)]
    Bridge {
        #[arg(long)]
        dir: PathBuf,
    },
    /// Say what is found of this host, as one document; what `nightrun host check` asks over ssh
    #[command(hide = true)]
    Look {
        #[arg(long)]
        dir: PathBuf,
        #[arg(long)]
        user: Vec<String>,
    },
    /// Answer for logs beneath the folder of an agent; what a supervisor on another host starts over ssh
    #[command(hide = true)]
    Logs {
        #[arg(long)]
        dir: PathBuf,
    },
}

pub(super) async fn agent(context: &Context, command: AgentCommand) -> Result<u8, Failure> {
    let to = match command {
        AgentCommand::Upgrade { to } => to,
        AgentCommand::Bridge { dir } => return pass_words(dir).await,
        AgentCommand::Look { dir, user } => return look(context, &dir, &user).await,
        AgentCommand::Logs { dir } => {
            return logs::serve(dir).map(|()| WELL).map_err(Failure::failed);
        }
    };
    // The agent has a working folder of its own.
    let to = to.map(std::path::absolute).transpose().map_err(Failure::failed)?;
    let agent = context.shared().join("agent");
    let done = upgrade(&agent, to, LIMIT).await.map_err(Failure::failed)?;
    match context.format {
        Format::Text => anstream::println!(
            "agent {} goes on as release {} ({}); it was release {}",
            done.pid,
            done.is,
            done.program.display(),
            done.was
        ),
        Format::Json => anstream::println!(
            "{}",
            serde_json::json!({
                "pid": done.pid, "release": done.is, "program": done.program, "was": done.was,
            })
        ),
    }
    Ok(WELL)
}

async fn pass_words(dir: PathBuf) -> Result<u8, Failure> {
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let start = AgentStart { program: program_path(program), starts: true };
    bridge(dir, start).await.map_err(Failure::failed)?;
    // Standard input is read by a thread of its own, which nothing can wake: waiting for it would keep this process.
    std::process::exit(WELL.into())
}

async fn look(context: &Context, dir: &Path, users: &[String]) -> Result<u8, Failure> {
    let program = std::env::current_exe().map_err(Failure::failed)?;
    let digest = digest_of(&program).map_err(Failure::failed)?;
    let folder = std::path::absolute(dir.parent().unwrap_or(dir)).map_err(Failure::failed)?;
    let found = app::examine_host(&folder).await;
    let found = found.iter().map(|finding| Said {
        grade: finding.grade(),
        part: Label::of_part(finding.part()).say(context.lang).to_string(),
        text: health::words(context.lang, finding),
    });
    let user = |name: &String| UserThere {
        name: name.clone(),
        why_not: agent::may_become(dir, name).err(),
    };
    let look = HostLook {
        release: release().to_owned(),
        digest,
        account: app::host_account().name,
        users: users.iter().map(user).collect(),
        found: found.collect(),
        // Last: what was looked at has taken its time.
        at: HostClock::new().map_err(Failure::failed)?.now().wall,
    };
    anstream::println!("{}", serde_json::to_string(&look).map_err(Failure::failed)?);
    Ok(WELL)
}
