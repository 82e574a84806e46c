//! Coming to a PostgreSQL server: TLS, who it is, that nothing stands in between; and ending what does not yield.

use std::time::Duration;

use tokio::sync::watch;
use tokio_postgres::config::SslMode;
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::super::answer::DbError;
use super::super::secret::password;
use super::super::{ANSWER, Access, CONNECT, SessionId};
use super::said;
use crate::agent::worker::log::say;
use crate::agent::worker::tls;
use crate::definition::site::{Server, ServerTls};

/// How to come to a server once more, and the word that the connection has ended.
pub(super) struct Connected {
    config: Config,
    tls: Tls,
    token: CancelToken,
    ended: watch::Receiver<bool>,
}

#[derive(Clone)]
enum Tls {
    None,
    Require(Box<MakeRustlsConnect>),
}

/// What a pooler does not hand on.
const CANARY: &str = "nightrun.session";

pub(super) async fn connect(
    server: &Server,
    session: &str,
    access: Access,
) -> Result<(Client, Connected), DbError> {
    let tls = tls(server)?;
    let mut config = Config::new();
    config
        .host(&server.host)
        .port(server.port)
        .dbname(&server.database)
        .user(&server.user)
        .application_name(session)
        .connect_timeout(CONNECT)
        .tcp_user_timeout(Duration::from_secs(60))
        .keepalives_idle(Duration::from_secs(30))
        .ssl_mode(match &tls {
            Tls::None => SslMode::Disable,
            Tls::Require(_) => SslMode::Require,
        });
    if let Some(password) = password(server)? {
        config.password(password);
    }
    let read_only =
        if access == Access::Read { " -c default_transaction_read_only=on" } else { "" };
    let mut first = config.clone();
    first.options(format!("-c {CANARY}={}{read_only}", canary()));
    let (client, ended) = timely(enter(&first, &tls)).await?;
    let token = client.cancel_token();
    let connected = Connected { config, tls, token, ended };
    Ok((client, connected))
}

/// Waits no longer for a server than it may take to let somebody in.
async fn timely<T>(
    enters: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, DbError> {
    let entered = tokio::time::timeout(CONNECT, enters).await;
    let entered = entered.map_err(|_| {
        DbError::refused(format!(
            "the server did not let nightrun in within {} s",
            CONNECT.as_secs()
        ))
    })?;
    entered.map_err(|error| {
        let why = said(error);
        // What pgbouncer says to settings that it does not know.
        let pooler = why.words.contains("unsupported startup parameter");
        let words = if pooler { format!("{POOLER} ({})", why.words) } else { why.words };
        DbError::refused(words)
    })
}

const POOLER: &str = "a connection pooler stands in front of this database: name the server itself, \
    because nightrun must know which session does its work";

/// A word of this process alone.
fn canary() -> String {
    format!("p{}", std::process::id())
}

async fn enter(
    config: &Config,
    tls: &Tls,
) -> Result<(Client, watch::Receiver<bool>), tokio_postgres::Error> {
    match tls {
        Tls::None => {
            let (client, connection) = config.connect(NoTls).await?;
            Ok((client, carry(connection)))
        }
        Tls::Require(tls) => {
            let (client, connection) = config.connect((**tls).clone()).await?;
            Ok((client, carry(connection)))
        }
    }
}

/// Carries what is said to and fro. What the server tells by itself (RAISE NOTICE) goes into the log.
fn carry<S>(mut connection: tokio_postgres::Connection<Socket, S>) -> watch::Receiver<bool>
where
    S: tokio_postgres::tls::TlsStream + Unpin + Send + 'static,
{
    let (tell, ended) = watch::channel(false);
    tokio::spawn(async move {
        while let Some(message) =
            std::future::poll_fn(|context| connection.poll_message(context)).await
        {
            match message {
                Ok(AsyncMessage::Notice(notice)) => {
                    say!("      {}: {}", notice.severity(), notice.message());
                }
                Ok(_) => {}
                // Whoever waits for an answer is told.
                Err(_) => break,
            }
        }
        tell.send_replace(true);
    });
    ended
}

fn tls(server: &Server) -> Result<Tls, DbError> {
    if server.tls == ServerTls::None {
        return Ok(Tls::None);
    }
    let config = tls::trusting(server.ca.as_deref()).map_err(DbError::refused)?;
    Ok(Tls::Require(Box::new(MakeRustlsConnect::new(config))))
}

/// Who is at the other end: the session and the database, by their own word. Refuses a pooler, and another database than
/// the site names.
pub(super) async fn introduce(
    client: &Client,
    server: &Server,
) -> Result<(SessionId, String), DbError> {
    const SESSION: &str = "SELECT pg_backend_pid()::text, \
         (SELECT extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()), \
         current_setting('nightrun.session', true)";
    let mut seen = Vec::new();
    // Two transactions: a pooler may give each to another session.
    for _ in 0..2 {
        let row = texts(client, SESSION).await?;
        let [Some(pid), Some(began), told] = row.as_slice() else {
            return Err(DbError::refused("the server does not say which session this is"));
        };
        if told.as_deref() != Some(&canary()) {
            return Err(DbError::refused(POOLER));
        }
        seen.push((pid.clone(), began.clone()));
    }
    if seen.first() != seen.last() {
        return Err(DbError::refused(POOLER));
    }
    let (pid, began) = seen.pop().unwrap_or_default();
    let number = pid.parse().map_err(|_| DbError::refused(format!("{pid} is no session")))?;
    let identity = identity(client).await?;
    if let Some(wanted) = server.identity.as_ref().filter(|wanted| **wanted != identity) {
        return Err(DbError::refused(format!(
            "this is the database {identity}, and site.yaml names {wanted}"
        )));
    }
    Ok((SessionId { number, began }, identity))
}

/// `<system identifier>/<oid of the database>`; without the right to ask for the first, what else tells servers apart.
async fn identity(client: &Client) -> Result<String, DbError> {
    const SYSTEM: &str = "SELECT (SELECT system_identifier::text FROM pg_control_system()) || '/' || \
         (SELECT oid::text FROM pg_database WHERE datname = current_database())";
    const OTHERWISE: &str = "SELECT coalesce(host(inet_server_addr()), 'local') || ':' || \
         current_setting('port') || '/' || current_database() || '/' || \
         (SELECT oid::text FROM pg_database WHERE datname = current_database())";
    let first = match texts(client, SYSTEM).await {
        Ok(row) => row,
        Err(_) => texts(client, OTHERWISE).await?,
    };
    first
        .into_iter()
        .next()
        .flatten()
        .ok_or_else(|| DbError::refused("the server does not say which database this is"))
}

/// The first row of a question; all of its columns are text.
async fn texts(client: &Client, sql: &str) -> Result<Vec<Option<String>>, DbError> {
    let asked = tokio::time::timeout(ANSWER, client.query_typed(sql, &[])).await;
    let rows = asked.map_err(|_| DbError::lost(super::late()))?.map_err(said)?;
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    (0..row.len()).map(|at| row.try_get(at).map_err(said)).collect()
}

impl Connected {
    /// Asks the server to end what this session does. It may come too late, and nothing answers.
    pub(super) async fn cancel(&self) {
        let asked = async {
            match &self.tls {
                Tls::None => self.token.cancel_query(NoTls).await,
                Tls::Require(tls) => self.token.cancel_query((**tls).clone()).await,
            }
        };
        match tokio::time::timeout(CONNECT, asked).await {
            Ok(Ok(())) => say!("the statement is being cancelled"),
            Ok(Err(why)) => say!("the statement could not be cancelled: {why}"),
            Err(_) => say!("the statement could not be cancelled: the server does not answer"),
        }
    }

    /// Ends the session itself, from another one; told apart by when it began from a later one of the same number.
    pub(super) async fn terminate(&self, id: &SessionId) {
        const END: &str = "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
             WHERE pid = $1::text::int AND extract(epoch FROM backend_start)::text = $2";
        let ended = async {
            let (client, _) = timely(enter(&self.config, &self.tls)).await?;
            let number = id.number.to_string();
            let text = tokio_postgres::types::Type::TEXT;
            client
                .query_typed(END, &[(&number, text.clone()), (&id.began, text)])
                .await
                .map_err(said)
        };
        match tokio::time::timeout(ANSWER, ended).await {
            Ok(Ok(_)) => say!("the session {} is being ended", id.number),
            Ok(Err(why)) => say!("the session {} could not be ended: {why}", id.number),
            Err(_) => say!("the session {} could not be ended: no answer", id.number),
        }
    }

    /// Waits for the end of the connection; false where it does not come.
    pub(super) async fn closed(mut self) -> bool {
        let ended = self.ended.wait_for(|ended| *ended);
        tokio::time::timeout(Duration::from_secs(5), ended).await.is_ok()
    }
}
