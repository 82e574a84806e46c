//! `people`: who may do what, passwords and tokens.

use clap::Subcommand;
use serde_json::json;

use super::arguments::Format;
use super::context::Context;
use super::exit::{Failure, WELL};
use super::house;
use super::remote;
use super::show::host_now;
use crate::driver::{password, prompt, token};
use crate::http::store_access;
use crate::port::StoreReader;
use crate::port::control::House;
use crate::port::credentials::CredentialOrder;
use crate::types::{PersonId, Right, Rights, Span, TokenId};
use crate::view::access::Known;
use crate::{render, view};

#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// People with their teams, roles and rights
    List,
    /// Set somebody's password: your own, or with the right `admin` anybody's
    ///
    /// It is asked for twice at a terminal, else read from the first line of standard input: 12 characters at least.
    Password {
        /// Such as li-wei
        person: PersonId,
        /// Why; recorded with your name
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Make a token of the API; its secret is printed once and kept nowhere
    Token {
        /// Whose: it can never do more than this person may at the time
        person: PersonId,
        /// What it is for
        #[arg(long)]
        name: String,
        /// What it may do: read (default), logs, operate, order, house, second, events, changes, admin; may be given several times
        #[arg(long = "right", value_name = "RIGHT", default_value = "read")]
        rights: Vec<Right>,
        /// How long it is good, 366d at the most
        #[arg(long, value_name = "LENGTH", default_value = "30d")]
        expires: Span,
        /// Why; recorded with your name
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Tokens that were made
    Tokens,
    /// End a token before its time
    Revoke {
        /// Such as T-1
        token: TokenId,
        /// Why; recorded with your name
        #[arg(long, default_value = "")]
        reason: String,
    },
}

pub(super) async fn people(context: &Context, command: PeopleCommand) -> Result<u8, Failure> {
    match command {
        PeopleCommand::List => list(context).await,
        PeopleCommand::Tokens => tokens(context).await,
        PeopleCommand::Password { person, reason } => {
            known(context, &person)?;
            let hash = password::hash(asked_for(&person)?).await;
            let hash = hash.map_err(Failure::defects)?;
            order(context, CredentialOrder::SetPassword { person, hash }, reason).await
        }
        PeopleCommand::Token { person, name, rights, expires, reason } => {
            known(context, &person)?;
            let rights = rights.into_iter().collect();
            make_token(context, person, (name, rights, expires), reason).await
        }
        PeopleCommand::Revoke { token, reason } => {
            order(context, CredentialOrder::RevokeToken { token }, reason).await
        }
    }
}

/// Said before a password is typed.
fn known(context: &Context, person: &PersonId) -> Result<(), Failure> {
    let site = context.site()?;
    match site.people.contains_key(person) {
        true => Ok(()),
        false => {
            Err(house::unknown("person", person.as_str(), site.people.keys().map(PersonId::as_str)))
        }
    }
}

fn asked_for(person: &PersonId) -> Result<String, Failure> {
    let ask = |question: &str| prompt::secret(question).map_err(Failure::failed);
    let first = ask(&format!("New password of {person}"))?;
    if prompt::is_person() && ask("Once more")? != first {
        return Err(Failure::defects("the two are not the same; nothing was set"));
    }
    Ok(first)
}

async fn order(context: &Context, what: CredentialOrder, reason: String) -> Result<u8, Failure> {
    let order = House::Credential { what: Box::new(what) };
    house::carry_out(context, order, reason, false).await
}

async fn make_token(
    context: &Context,
    person: PersonId,
    (name, rights, length): (String, Rights, Span),
    reason: String,
) -> Result<u8, Failure> {
    let now = host_now()?.wall;
    let expires = now.checked_add(length.get()).map_err(Failure::defects)?;
    let (secret, hash) = token::new().map_err(Failure::failed)?;
    let kept = hash.clone();
    let what = CredentialOrder::MakeToken { person, name, rights, expires, hash };
    let order = House::Credential { what: Box::new(what) };
    let (said, _) = house::done(context, order, reason, false).await?;
    match context.format {
        Format::Text => {
            print_line!("{said}")?;
            print_line!("{secret}")?;
            notice_line!("  this is its only showing: keep it where only its user can read it");
        }
        Format::Json => {
            let reader = context.reader().await?;
            let row = reader.good_token(&kept, now).await.map_err(Failure::failed)?;
            let id = row.map(|row| row.token.to_string());
            print_line!("{}", json!({ "token": id, "secret": secret, "expires": expires }))?;
        }
    }
    Ok(WELL)
}

async fn list(context: &Context) -> Result<u8, Failure> {
    if context.remote.is_some() {
        return remote::people(context).await;
    }
    let site = context.site()?;
    let now = host_now()?.wall;
    let known = match context.reader_if_any().await? {
        Some(reader) => store_access::known(&reader, now).await.map_err(Failure::failed)?,
        None => Known::default(),
    };
    let lines = view::access::of(&site, &known, now);
    match context.format {
        Format::Json => print_line!("{}", json!(lines))?,
        Format::Text => {
            let text = render::access::people(context.lang, &site.zone, &lines);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}

async fn tokens(context: &Context) -> Result<u8, Failure> {
    let now = host_now()?.wall;
    let rows = match context.reader_if_any().await? {
        Some(reader) => reader.tokens().await.map_err(Failure::failed)?,
        None => Vec::new(),
    };
    let lines: Vec<_> = rows.iter().map(|row| view::access::TokenLine::of(row, now)).collect();
    match context.format {
        Format::Json => print_line!("{}", json!(lines))?,
        Format::Text => {
            let text = render::access::tokens(context.lang, &context.zone(), &lines);
            print_line!("{}", text.trim_end())?;
        }
    }
    Ok(WELL)
}
