//! `change`: the life of database changes. Each step through the supervisor at work; else the store is taken for it, and
//! left again.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::act::{act, answered};
use super::arguments::{ActArguments, Format, WhyArguments};
use super::asking;
use super::change_check::{self, CheckArguments, ExportArguments};
use super::change_evidence::{self, EvidenceArguments};
use super::change_execute::{self, ExecuteArguments};
use super::change_records::{self, DiffArguments, ProofArguments, StatsArguments};
use super::change_show::{self, ListArguments};
use super::context::Context;
use super::exit::{Failure, WELL};
use super::run::led_for_site;
use crate::agent::worker::ledger;
use crate::app::own_account;
use crate::core::change::{ChangeRequest, HalfDone, Wish};
use crate::core::select::Deed;
use crate::definition::site::{ChangeClass, ChangeKind};
use crate::driver::api_client::Answer;
use crate::http::{CreateBody, StepBody};
use crate::port::control::ChangeAsked;
use crate::types::{ChangeId, CheckName, EventKey, PersonId, Role, TargetName, TeamName};

#[derive(Debug, Subcommand)]
pub(super) enum ChangeCommand {
    /// Print what an administrator runs once on a target's server, before the first change there
    ///
    /// It makes the table nightrun_change_run, which says which changes were applied, and lets the account that executes
    /// changes read it and add to it. Nothing is done by this command itself.
    Ledger {
        /// A target of site.yaml
        target: TargetName,
    },
    /// Changes and where they stand
    List(ListArguments),
    /// The lists of the sign-off meetings: what is on them, what drops out, who has signed
    Lists {
        /// Only that of this environment
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// Write a page to be printed to this file
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// One change: its life, and what it lacks
    Show {
        /// Such as fee-correction
        change: ChangeId,
    },
    /// What of a change is not as it was submitted and approved, line by line; or how two changes differ
    Diff(DiffArguments),
    /// What is known of its last attempt, looked at now without writing anything: for people who decide about a doubt
    Evidence(EvidenceArguments),
    /// Whether targets still hold what was done there: one that was restored from an older copy has lost marker and data
    Check(CheckArguments),
    /// Write the records of a time into a folder: lists and figures (CSV, JSON) and the proofs (HTML)
    Export(ExportArguments),
    /// Executed changes in numbers, and data changes that come again
    Stats(StatsArguments),
    /// The proof of a change: request, approvals, execution, what its target says now, and the journal's entries
    ///
    /// The exit code is 1 where something of it is missing, or the target says otherwise than the journal.
    Proof(ProofArguments),
    /// Make a change known; its folder may come later
    Create(CreateArguments),
    /// Say who sees to it
    Assign {
        /// Such as fee-correction
        change: ChangeId,
        /// Such as li-wei
        #[arg(long)]
        to: PersonId,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Hand its scripts in
    Submit {
        /// Such as fee-correction
        change: ChangeId,
        /// For this environment only
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// The day on which it was accepted
        #[arg(long, value_name = "DATE")]
        accepted: Option<Date>,
        /// What the rules want confirmed with it; may be given several times
        #[arg(long, value_name = "ITEM")]
        confirm: Vec<CheckName>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Say that its scripts were read
    Review {
        /// Such as fee-correction
        change: ChangeId,
        /// A warning of the check that was seen, by name; may be given several times
        #[arg(long, value_name = "RULE")]
        tick: Vec<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Approve it for an environment
    Approve {
        /// Such as fee-correction
        change: ChangeId,
        /// Its only one by default
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// As this role, where you have several
        #[arg(long)]
        role: Option<Role>,
        /// A warning of the check that was seen, by name; may be given several times
        #[arg(long, value_name = "RULE")]
        tick: Vec<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Put it on the list of its environment, and open that list now: for an emergency, which waits for no window
    Execute(ExecuteArguments),
    /// Let the changes of a run start: by the person on shift
    Release(ActArguments),
    /// Watch the changes of a run, as the second person
    Watch(ActArguments),
    /// Confirm an item of the checklist, `late` or `acceptance`
    Confirm {
        /// Such as fee-correction
        change: ChangeId,
        /// Such as people-present
        item: CheckName,
        /// Its only one by default
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Put it on the list of the first window that takes it, or of a day
    Schedule {
        /// Such as fee-correction
        change: ChangeId,
        /// Its only one by default
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        /// The day of its window
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Say what became of a change in doubt, or how one that stopped half way goes on; another person says yes with
    /// `nightrun second`
    Decide {
        /// Such as fee-correction
        change: ChangeId,
        /// What was found at the target; of one that stopped half way also: do the rest, roll back, or take it as applied
        #[arg(value_parser = ["applied", "not-applied", "continue", "roll-back", "accept"])]
        found: String,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Say of a change that was done that its target does not hold it any more, such as after a restore; takes two people
    Lost {
        /// Such as fee-correction
        change: ChangeId,
        /// Where it was done; may be left out where that is one only
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
        #[command(flatten)]
        why: WhyArguments,
    },
    /// Say that the requester knows the outcome
    FeedBack(StepArguments),
    /// Close it
    Close(StepArguments),
    /// Put it away
    Archive(StepArguments),
    /// Send it back: it starts again
    Return(StepArguments),
    /// Give it up before it was executed
    Withdraw(StepArguments),
}

#[derive(Debug, Args)]
pub(super) struct CreateArguments {
    /// The name of its folder, such as fee-correction
    change: ChangeId,
    /// What it is
    #[arg(long)]
    title: String,
    /// data, structure, parameter, bug-fix or release
    #[arg(long, value_parser = class)]
    class: ChangeClass,
    /// An emergency
    #[arg(long)]
    emergency: bool,
    /// Who asks for it
    #[arg(long)]
    requester: Option<PersonId>,
    /// Whose it is
    #[arg(long)]
    team: Option<TeamName>,
    /// Reference of another system's ticket
    #[arg(long)]
    ticket: Option<String>,
    /// Number of the governance record
    #[arg(long)]
    governance: Option<String>,
    /// The branch office that asks for it
    #[arg(long)]
    branch: Option<String>,
    /// What makes it one and the same: the same key again creates nothing
    #[arg(long)]
    key: Option<EventKey>,
    #[command(flatten)]
    why: WhyArguments,
}

#[derive(Debug, Args)]
pub(super) struct StepArguments {
    /// Such as fee-correction
    change: ChangeId,
    #[command(flatten)]
    why: WhyArguments,
}

pub(super) fn class(text: &str) -> Result<ChangeClass, String> {
    let known = ChangeClass::ALL.into_iter().find(|class| class.name() == text);
    known.ok_or_else(|| format!("one of: {}", ChangeClass::ALL.map(ChangeClass::name).join(", ")))
}

pub(super) async fn change(context: &Context, command: ChangeCommand) -> Result<u8, Failure> {
    let (change, step_name, why, body) = match command {
        ChangeCommand::Ledger { target } => return ledger(context, &target),
        ChangeCommand::List(which) => return change_show::list(context, which).await,
        ChangeCommand::Execute(asked) => return change_execute::execute(context, asked).await,
        ChangeCommand::Lists { environment, html } => {
            return change_show::lists(context, environment, html).await;
        }
        ChangeCommand::Show { change } => return change_show::show(context, change).await,
        ChangeCommand::Diff(asked) => return change_records::diff(context, asked).await,
        ChangeCommand::Evidence(asked) => return change_evidence::evidence(context, asked).await,
        ChangeCommand::Check(asked) => return change_check::check(context, asked).await,
        ChangeCommand::Export(asked) => return change_check::export(context, asked).await,
        ChangeCommand::Stats(asked) => return change_records::stats(context, asked).await,
        ChangeCommand::Proof(arguments) => return change_records::proof(context, arguments).await,
        ChangeCommand::Create(arguments) => return create(context, arguments).await,
        ChangeCommand::Release(on) => {
            return act(context, on, Deed::ReleaseChanges { shifts: Vec::new() }).await;
        }
        ChangeCommand::Watch(on) => return act(context, on, Deed::WatchChanges).await,
        ChangeCommand::Assign { change, to, why } => {
            (change, "assign", why, StepBody { to: Some(to), ..StepBody::default() })
        }
        ChangeCommand::Submit { change, environment, accepted, confirm, why } => {
            let confirm = Some(confirm);
            (
                change,
                "submit",
                why,
                StepBody { environment, accepted, confirm, ..StepBody::default() },
            )
        }
        ChangeCommand::Review { change, tick, why } => {
            (change, "review", why, StepBody { tick: Some(tick), ..StepBody::default() })
        }
        ChangeCommand::Approve { change, environment, role, tick, why } => {
            let tick = Some(tick);
            (change, "approve", why, StepBody { environment, role, tick, ..StepBody::default() })
        }
        ChangeCommand::Confirm { change, item, environment, why } => {
            let item = Some(item);
            (change, "confirm", why, StepBody { environment, item, ..StepBody::default() })
        }
        ChangeCommand::Schedule { change, environment, on, why } => {
            (change, "schedule", why, StepBody { environment, on, ..StepBody::default() })
        }
        ChangeCommand::Decide { change, found, why } => {
            if !why.dry_run {
                change_evidence::shown_before(context, &change).await;
            }
            let (applied, how) = match found.as_str() {
                "continue" => (None, Some(HalfDone::Continue)),
                "roll-back" => (None, Some(HalfDone::RollBack)),
                "accept" => (None, Some(HalfDone::Accept)),
                found => (Some(found == "applied"), None),
            };
            (change, "decide", why, StepBody { applied, how, ..StepBody::default() })
        }
        ChangeCommand::Lost { change, environment, why } => {
            (change, "lost", why, StepBody { environment, ..StepBody::default() })
        }
        ChangeCommand::FeedBack(plain) => {
            (plain.change, "feed-back", plain.why, StepBody::default())
        }
        ChangeCommand::Close(plain) => (plain.change, "close", plain.why, StepBody::default()),
        ChangeCommand::Archive(plain) => (plain.change, "archive", plain.why, StepBody::default()),
        ChangeCommand::Return(plain) => (plain.change, "return", plain.why, StepBody::default()),
        ChangeCommand::Withdraw(plain) => {
            (plain.change, "withdraw", plain.why, StepBody::default())
        }
    };
    step(context, (change, step_name), (body, why), asking::print).await
}

/// How the answer of the supervisor at work is printed.
type Print = fn(&Context, Option<Answer>) -> Result<u8, Failure>;

/// A step that the supervisor at work takes, or the store where there is none.
pub(super) async fn step(
    context: &Context,
    (change, step): (ChangeId, &str),
    (body, why): (StepBody, WhyArguments),
    print: Print,
) -> Result<u8, Failure> {
    let WhyArguments { reason, dry_run } = why;
    let body = StepBody { reason: reason.clone(), dry_run, ..body };
    let wish = body.wish(step).map_err(Failure::failed)?;
    let path = format!("/api/v1/changes/{change}/{step}");
    let asked = ChangeAsked { change, wish, key: None };
    // What is left out of a body when a wish is made of it is said to the API.
    let mut sent = serde_json::to_value(&body).map_err(Failure::failed)?;
    if let Some(fields) = sent.as_object_mut() {
        fields.insert("reason".to_owned(), reason.clone().into());
        fields.insert("dry_run".to_owned(), dry_run.into());
    }
    answered(context, carry_out(context, asked, (path, sent), (reason, dry_run), print).await)
}

fn ledger(context: &Context, target: &TargetName) -> Result<u8, Failure> {
    let site = context.site()?;
    let known = site
        .targets
        .get(target)
        .ok_or_else(|| Failure::refused(format!("the site declares no target {target}")))?;
    match ledger::statements(&known.engine) {
        Some(statements) => print_line!("{}", statements.trim_end())?,
        None => {
            print_line!("-- a SQLite file needs nothing: the table comes with its first change")?
        }
    }
    Ok(WELL)
}

async fn create(context: &Context, arguments: CreateArguments) -> Result<u8, Failure> {
    let CreateArguments {
        change,
        title,
        class,
        emergency,
        requester,
        team,
        ticket,
        governance,
        branch,
        key,
        why,
    } = arguments;
    let kind = if emergency { ChangeKind::Emergency } else { ChangeKind::Normal };
    let request = ChangeRequest { title, class, kind, requester, team, ticket, governance, branch };
    let WhyArguments { reason, dry_run } = why;
    let body = CreateBody {
        change: change.clone(),
        key: key.clone(),
        request: request.clone(),
        reason: reason.clone(),
        dry_run,
    };
    let sent = serde_json::to_value(&body).map_err(Failure::failed)?;
    let asked = ChangeAsked { change, wish: Wish::Create { request: Box::new(request) }, key };
    let question = ("/api/v1/changes".to_owned(), sent);
    answered(context, carry_out(context, asked, question, (reason, dry_run), asking::print).await)
}

/// Through the supervisor that is at work; else the store is taken, and left again. Prints what was done.
async fn carry_out(
    context: &Context,
    asked: ChangeAsked,
    (path, body): (String, serde_json::Value),
    (reason, dry_run): (String, bool),
    print: Print,
) -> Result<u8, Failure> {
    if let Some(mut client) = context.client().await? {
        let question = asking::post(context, path, &body)?;
        return print(context, asking::ask(context, &mut client, &question).await?);
    }
    if dry_run {
        return Err(Failure::refused("no supervisor is at work here, so nothing would come of it"));
    }
    let (mut led, site) = led_for_site(context).await?;
    let said = led.supervisor.change(&own_account(), &site, asked, reason).await;
    led.supervisor.leave().await;
    let said = said.map_err(Failure::failed)?.map_err(|refused| Failure::by_rule(&refused))?;
    match context.format {
        Format::Text => print_line!("{said}")?,
        Format::Json => print_line!("{}", serde_json::json!({ "done": said }))?,
    }
    Ok(WELL)
}

pub(super) async fn ask(context: &Context, path: String) -> Result<u8, Failure> {
    let Some(mut client) = context.client().await? else {
        return Err(Failure::refused("nobody answers"));
    };
    let question = asking::get(context, path);
    asking::print(context, asking::ask(context, &mut client, &question).await?)
}
