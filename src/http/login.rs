//! Who comes in over the network, with a password or a token: each login is told to the supervisor, which records it, and
//! too many tries have to wait.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Api;
use super::caller::{End, unknown};
use super::page::{Form, Sent};
use super::problem::Problem;
use crate::core::access::rights_of;
use crate::core::login::{LoginHow, LoginTrouble, Tries};
use crate::driver::clock::HostClock;
use crate::driver::{password, token};
use crate::port::control::{Caller, House, Reply, Request};
use crate::port::credentials::CredentialOrder;
use crate::port::{Clock, StoreReader};
use crate::types::{Now, PersonId, Rights, TokenHash, TokenId};

/// How long a login is good.
const SESSION: Duration = Duration::from_secs(12 * 3_600);
/// The name that the token of a login has.
const SESSION_NAME: &str = "login";
/// Of an address that goes on trying too often one entry is enough.
const TOLD_AGAIN: Duration = Duration::from_secs(60);
const COOKIE: &str = "nightrun_session";
/// Tokens and addresses that are remembered, so that only the first use of each is recorded.
const MOST_SEEN: usize = 10_000;

/// What has been tried lately, and which tokens have come from where.
#[derive(Debug, Default)]
pub(super) struct Logins {
    tries: Mutex<Tries>,
    seen: Mutex<BTreeSet<(TokenId, IpAddr)>>,
    /// When it was recorded, by the time since boot, that an address tries too often.
    told: Mutex<BTreeMap<IpAddr, Duration>>,
}

/// A login.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginBody {
    pub(super) person: PersonId,
    pub(super) password: String,
}

/// Who has logged in.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct Session {
    person: PersonId,
    /// What the person may do now.
    rights: Rights,
    expires: Timestamp,
}

/// `POST /api/v1/login`: a session in a cookie.
pub(super) async fn login(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    form: Form,
    Sent(body): Sent<LoginBody>,
) -> Result<Response, Problem> {
    let LoginBody { person, password } = body;
    let (session, cookie) = log_in(&api, &end, (Some(person), password)).await?;
    let mut response = form.page(&session, |_| format!("{} has logged in", session.person))?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Lets a person in; each try is recorded, and too many have to wait. `person`: `None` where what was given can be nobody's.
pub(super) async fn log_in(
    api: &Api,
    end: &End,
    (person, password): (Option<PersonId>, String),
) -> Result<(Session, HeaderValue), Problem> {
    let (from, now) = (from(end), now()?);
    let site = api.once_begun().await?.site;
    if site.is_none() {
        return Err(Problem::not_now("no job files were taken over yet, and they name the people"));
    }
    let known = site.as_ref().zip(person).filter(|(site, id)| site.people.contains_key(id));
    let person = known.map(|(_, person)| person);
    begin(api, person.as_ref(), from, now).await?;
    let kept = match &person {
        Some(person) => api.reader().await?.password_of(person).await?,
        None => None,
    };
    let trouble = match (&person, &kept) {
        (None, _) => LoginTrouble::UnknownPerson,
        (Some(_), None) => LoginTrouble::NoPassword,
        (Some(_), Some(_)) => LoginTrouble::WrongPassword,
    };
    // Takes as long for a person who has none.
    let is_right = password::verify(password, kept.map(|kept| kept.hash)).await;
    let person = match person {
        Some(person) if is_right => person,
        person => {
            refuse(api, person, from, trouble).await?;
            let detail = "that is not the person's password";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
        }
    };
    lock(&api.0.logins.tries).succeeded(&person, from);
    let rights = site.map_or(Rights::NONE, |site| rights_of(&site, &person));
    let expires = now.wall.checked_add(SESSION).map_err(Problem::failed)?;
    let secret = make_session(api, &person, (rights, expires)).await?;
    let how = LoginHow::Password;
    let logged_in =
        CredentialOrder::LoggedIn { person: person.clone(), how, from: from.to_string() };
    tell(api, logged_in).await?;
    let cookie = cookie(end, &secret, SESSION)?;
    Ok((Session { person, rights, expires }, cookie))
}

/// The cookie of a session; with an age of nothing a browser forgets the one that it has.
fn cookie(end: &End, secret: &str, age: Duration) -> Result<HeaderValue, Problem> {
    let secure = if matches!(end, End::Network { tls: true, .. }) { "; Secure" } else { "" };
    let age = age.as_secs();
    let cookie =
        format!("{COOKIE}={secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::from_str(&cookie).map_err(Problem::failed)
}

/// For the answer to whoever asks with the cookie of a session, where that is over: a browser that kept it would be counted
/// as a failed try with each page. `None`: it asks with something else.
pub(super) fn forgotten(headers: &HeaderMap, end: &End) -> Result<Option<HeaderValue>, Problem> {
    let by_session = !headers.contains_key(header::AUTHORIZATION) && session(headers).is_some();
    by_session.then(|| cookie(end, "", Duration::ZERO)).transpose()
}

/// A token in the person's name, which the person may end before its time.
async fn make_session(
    api: &Api,
    person: &PersonId,
    (rights, expires): (Rights, Timestamp),
) -> Result<String, Problem> {
    let (secret, hash) = token::new().map_err(Problem::failed)?;
    let order = CredentialOrder::MakeToken {
        person: person.clone(),
        name: SESSION_NAME.to_owned(),
        rights,
        expires,
        hash,
    };
    let caller = Caller::Person { person: person.clone(), within: Rights::ALL };
    match api.ask(caller, house(order)).await? {
        Reply::Done(_) => Ok(secret),
        other => Err(Problem::of(other)),
    }
}

/// `POST /api/v1/logout`: ends the token that it was asked with.
pub(super) async fn logout(
    State(api): State<Api>,
    axum::Extension(end): axum::Extension<End>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let over = log_out(&api, &end, caller, &headers).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(header::SET_COOKIE, over);
    Ok(response)
}

/// Ends the token that was asked with; gives the cookie with which a browser forgets it.
pub(super) async fn log_out(
    api: &Api,
    end: &End,
    caller: Caller,
    headers: &HeaderMap,
) -> Result<HeaderValue, Problem> {
    let secret = secret(headers).ok_or_else(unknown)?;
    let row = api.reader().await?.good_token(&token::hash_of(secret), now()?.wall).await?;
    let row = row.ok_or_else(unknown)?;
    let order = CredentialOrder::RevokeToken { token: row.token };
    match api.ask(caller, house(order)).await? {
        Reply::Done(_) => cookie(end, "", Duration::ZERO),
        other => Err(Problem::of(other)),
    }
}

/// Who a token stands for. `basic`: it may also be the password of HTTP Basic.
pub(super) async fn by_token(
    api: &Api,
    (headers, basic): (&HeaderMap, bool),
    from: IpAddr,
) -> Result<Caller, Problem> {
    let password = if basic { password_of(headers) } else { None };
    let secret = password.as_deref().or_else(|| secret(headers)).ok_or_else(unknown)?;
    let now = now()?;
    let row = api.reader().await?.good_token(&token::hash_of(secret), now.wall).await?;
    let Some(row) = row else {
        begin(api, None, from, now).await?;
        refuse(api, None, from, LoginTrouble::WrongToken).await?;
        return Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "there is no such token, or it is over",
        ));
    };
    if row.name != SESSION_NAME && is_first_use(api, row.token, from) {
        // Whoever closes the connection at once is recorded all the same.
        tokio::spawn(record_use(api.clone(), row.token, row.person.clone(), from));
    }
    Ok(Caller::Person { person: row.person, within: row.rights })
}

/// Records the first use of a token from an address. One that stands by records nothing, and the next use is the first.
async fn record_use(api: Api, token: TokenId, person: PersonId, from: IpAddr) {
    let logged_in =
        CredentialOrder::LoggedIn { person, how: LoginHow::Token, from: from.to_string() };
    if tell(&api, logged_in).await.is_err() {
        lock(&api.0.logins.seen).remove(&(token, from));
    }
}

/// Of many at once only one is the first.
fn is_first_use(api: &Api, token: TokenId, from: IpAddr) -> bool {
    let mut seen = lock(&api.0.logins.seen);
    if seen.len() >= MOST_SEEN {
        seen.clear();
    }
    seen.insert((token, from))
}

/// The password of HTTP Basic; who it says that asks is not looked at, as the token says whose it is.
fn password_of(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let decoded = BASE64_STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(_, password)| password.to_owned())
}

/// The secret of a token: of the header, or of the session's cookie.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = value.and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| session(headers)).map(str::trim)
}

fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?.split(';');
    let mut named = cookies.filter_map(|cookie| cookie.trim().split_once('='));
    named.find(|(name, _)| *name == COOKIE).map(|(_, secret)| secret)
}

/// What a form of a page sends back, so that no page of another site can send it in the name of whoever looks: nobody else
/// can make it from the secret that the request came with. `None`: it came with none, as from this host.
pub(super) fn form_token(headers: &HeaderMap) -> Option<TokenHash> {
    secret(headers).map(|secret| token::hash_of(&format!("form {secret}")))
}

async fn begin(
    api: &Api,
    person: Option<&PersonId>,
    from: IpAddr,
    now: Now,
) -> Result<(), Problem> {
    let begun = lock(&api.0.logins.tries).begin(person, from, now.since_boot);
    let Err(wait) = begun else { return Ok(()) };
    let is_first = {
        let mut told = lock(&api.0.logins.told);
        told.retain(|_, at| now.since_boot.saturating_sub(*at) < TOLD_AGAIN);
        let is_first = !told.contains_key(&from);
        if is_first {
            told.insert(from, now.since_boot);
        }
        is_first
    };
    if is_first {
        refuse(api, person.cloned(), from, LoginTrouble::TooOften).await?;
    }
    let seconds = wait.as_secs() + 1;
    let detail = format!("too many tries; the next one in {seconds} s");
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, detail))
}

async fn refuse(
    api: &Api,
    person: Option<PersonId>,
    from: IpAddr,
    why: LoginTrouble,
) -> Result<(), Problem> {
    tell(api, CredentialOrder::LoginRefused { person, from: from.to_string(), why }).await
}

/// In the name of this process, which may tell of everybody's logins.
async fn tell(api: &Api, what: CredentialOrder) -> Result<(), Problem> {
    let own = Caller::Account(api.0.wiring.own.clone());
    match api.ask(own, house(what)).await? {
        Reply::Done(_) => Ok(()),
        other => Err(Problem::of(other)),
    }
}

fn house(what: CredentialOrder) -> Request {
    let order = House::Credential { what: Box::new(what) };
    Request::House { order, reason: String::new(), dry_run: false }
}

fn from(end: &End) -> IpAddr {
    match end {
        End::Host(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        End::Network { from, .. } => *from,
    }
}

fn now() -> Result<Now, Problem> {
    Ok(HostClock::new().map_err(Problem::failed)?.now())
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A password or a token of oneself, or with the right `admin` of others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialBody {
    /// Hashed by whoever asks: the secret itself does not travel.
    pub credential: CredentialOrder,
    #[serde(default)]
    pub reason: String,
}

/// `POST /api/v1/credentials`.
pub(super) async fn credentials(
    State(api): State<Api>,
    caller: Caller,
    form: Form,
    Sent(CredentialBody { credential, reason }): Sent<CredentialBody>,
) -> Result<Response, Problem> {
    if let CredentialOrder::LoggedIn { .. } | CredentialOrder::LoginRefused { .. } = credential {
        return Err(Problem::unreadable("credential: logins are told by whoever lets people in"));
    }
    let order = House::Credential { what: Box::new(credential) };
    let request = Request::House { order, reason, dry_run: false };
    super::act::answer(api.ask(caller, request).await?, &form)
}
