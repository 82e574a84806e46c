//! From a fault to its mail at the mail server, and many faults at once.
//!
//! ```text
//! cargo bench --bench alerts [-- ROUNDS FAULTS]                                       10 and 1000 by default
//! ```
//!
//! - A job fails, and its mail is taken by a server that answers at once. Beside it: one commit of a row in a bare SQLite
//!   (WAL, FULL), and one send of the same mail with lettre over a new connection to the same server.
//! - So many independent jobs fail in one run: each has an incident and a mail of its own. Beside it: as many sends of one
//!   of these mails over one connection, from a bare loop that records nothing.
//! - The server is away until the run is over, and what waits leaves with `nightrun mail flush`.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use lettre::address::Envelope;
use lettre::transport::smtp::client::SmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use site::House;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let numbers = std::env::args().skip(1).filter_map(|word| word.parse().ok());
    let numbers: Vec<usize> = numbers.collect();
    let rounds = numbers.first().copied().unwrap_or(10);
    let faults = numbers.get(1).copied().unwrap_or(1_000);
    one_fault(rounds);
    many_faults(faults);
    away(faults);
}

/// A mail that the server has taken.
#[derive(Clone)]
struct Taken {
    at: SystemTime,
    id: String,
    /// Of an incident, not the report of the run.
    of_incident: bool,
    text: String,
}

#[derive(Clone, Default)]
struct Server {
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Server {
    /// Serves on this address from now on, each connection on a thread of its own.
    fn serve(listener: TcpListener) -> Self {
        let server = Self::default();
        let keep = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let keep = keep.clone();
                // Whoever hangs up has nothing more to say.
                std::thread::spawn(move || drop(keep.connection(stream)));
            }
        });
        server
    }

    fn connection(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut to = stream.try_clone()?;
        let mut lines = BufReader::new(stream);
        to.write_all(b"220 bench ESMTP\r\n")?;
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            let answer = match line.get(..4).unwrap_or_default() {
                "DATA" => {
                    to.write_all(b"354 go on\r\n")?;
                    self.message(&mut lines)?;
                    "250 taken\r\n"
                }
                "QUIT" => return to.write_all(b"221 bye\r\n"),
                _ => "250 bench\r\n",
            };
            to.write_all(answer.as_bytes())?;
            line.clear();
        }
        Ok(())
    }

    fn message(&self, lines: &mut impl BufRead) -> std::io::Result<()> {
        let (mut text, mut line) = (String::new(), String::new());
        while lines.read_line(&mut line)? > 0 && line != ".\r\n" {
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            line.clear();
        }
        let header = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name));
            found.unwrap_or_default().trim().to_owned()
        };
        let (id, of_incident) = (header("Message-ID:"), header("Message-ID:").starts_with("<INC-"));
        let taken = Taken { at: SystemTime::now(), id, of_incident, text };
        self.taken.lock().unwrap().push(taken);
        Ok(())
    }

    fn of_incidents(&self) -> Vec<Taken> {
        let taken = self.taken.lock().unwrap();
        taken.iter().filter(|taken| taken.of_incident).cloned().collect()
    }

    /// Waits until so many different mails of incidents are there.
    fn wait_for(&self, count: usize) -> Vec<Taken> {
        let begun = Instant::now();
        loop {
            let taken = self.of_incidents();
            let ids: BTreeSet<&str> = taken.iter().map(|taken| taken.id.as_str()).collect();
            if ids.len() >= count {
                return taken;
            }
            assert!(begun.elapsed() < PATIENCE, "{} of {count} mails came", ids.len());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn house(port: u16, jobs: &str) -> House {
    let house = House::new(16, jobs);
    let path = house.path("site/site.yaml");
    let site = std::fs::read_to_string(&path).unwrap();
    let smtp = format!("smtp: {{host: 127.0.0.1, port: {port}, tls: none}}");
    std::fs::write(path, site.replace("folder: mail", &smtp)).unwrap();
    let people = "version: 1\npeople:\n  ann: {name: Ann, mail: ann@bank.example, roles: [duty]}\n";
    std::fs::write(house.path("site/people.yaml"), people).unwrap();
    house
}

fn bound() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn one_fault(rounds: usize) {
    let (listener, port) = bound();
    let server = Server::serve(listener);
    let jobs = "  fails: {title: F, shell: 'date +%s%N > HERE/failed; exit 1'}\n";
    let house = house(port, jobs);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut yardstick = runtime.block_on(store(&house.path("yardstick.db")));
    let (mut nightrun, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let date =
            jiff::civil::date(2026, 1, 1).saturating_add(jiff::Span::new().days(round as i64));
        let status = house.nightrun(&["run", "bench", "--date", &date.to_string()]).status();
        assert_eq!(status.unwrap().code(), Some(1));
        let taken = server.wait_for(round + 1).pop().unwrap();
        let failed = std::fs::read_to_string(house.path("failed")).unwrap();
        let failed = Duration::from_nanos(failed.trim().parse().unwrap());
        let at = taken.at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        nightrun.push(milliseconds(at.saturating_sub(failed)));
        let begun = Instant::now();
        runtime.block_on(commit(&mut yardstick, &taken.text));
        send(&mut connect(port), &taken.text);
        bare.push(milliseconds(begun.elapsed()));
    }
    let (nightrun, bare) = (median(nightrun), median(bare));
    println!("one fault, median of {rounds}: its program says so -> the server has its mail");
    println!(
        "  nightrun {nightrun:.1} ms, one commit and one send {bare:.1} ms: × {:.1}",
        nightrun / bare
    );
}

fn failing(faults: usize) -> String {
    (0..faults).map(|n| format!("  f{n}: {{title: F, run: [/bin/false]}}\n")).collect()
}

fn many_faults(faults: usize) {
    let (listener, port) = bound();
    let server = Server::serve(listener);
    let house = house(port, &failing(faults));
    let begun = SystemTime::now();
    house.nightrun(&["run", "bench", "--date", "2026-01-01"]).status().unwrap();
    flush(&house);
    let taken = server.wait_for(faults);
    let twice = counted(faults, &taken);
    let first = taken.iter().map(|taken| taken.at).min().unwrap();
    let last = taken.iter().map(|taken| taken.at).max().unwrap();
    let all = last.duration_since(begun).unwrap();
    let sending = last.duration_since(first).unwrap();
    let mut connection = connect(port);
    let bare = Instant::now();
    taken.iter().for_each(|taken| send(&mut connection, &taken.text));
    let bare = bare.elapsed();
    println!("{faults} faults at once, an incident and a mail each; {twice} mails came twice");
    let times = |time: Duration| time.as_secs_f64() / bare.as_secs_f64();
    println!(
        "  from the start of the run to the last mail {:.0} ms: × {:.1}; from the first mail to the last {:.0} ms: × {:.1}; \
         as many bare sends over one connection {:.0} ms",
        milliseconds(all),
        times(all),
        milliseconds(sending),
        times(sending),
        milliseconds(bare)
    );
}

/// The command goes when its patience is over, and is given again until nothing is left.
fn flush(house: &House) {
    while !house.nightrun(&["mail", "flush"]).status().unwrap().success() {}
}

/// Nobody listens until the run is over.
fn away(faults: usize) {
    let (listener, port) = bound();
    drop(listener);
    let house = house(port, &failing(faults));
    // It says of each try that it came to nothing.
    let mut run = house.nightrun(&["run", "bench", "--date", "2026-01-01"]);
    run.stderr(std::process::Stdio::null()).status().unwrap();
    let server = Server::serve(TcpListener::bind(("127.0.0.1", port)).unwrap());
    let begun = Instant::now();
    flush(&house);
    let flushed = milliseconds(begun.elapsed());
    let taken = server.wait_for(faults);
    let twice = counted(faults, &taken);
    println!(
        "the server was away until the run was over: {faults} mails of incidents in {flushed:.0} ms; {twice} came twice"
    );
}

/// All of them; how many came twice, as one that is under way when its process ends is sent again by the next.
fn counted(faults: usize, taken: &[Taken]) -> usize {
    let ids: BTreeSet<&str> = taken.iter().map(|taken| taken.id.as_str()).collect();
    assert_eq!(ids.len(), faults, "each fault has its mail");
    taken.len() - ids.len()
}

async fn store(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let table = "create table outbox (id integer primary key, bytes text not null)";
    sqlx::query(table).execute(&mut connection).await.unwrap();
    connection
}

async fn commit(connection: &mut SqliteConnection, text: &str) {
    let insert = sqlx::query("insert into outbox (bytes) values (?)").bind(text);
    insert.execute(connection).await.unwrap();
}

fn connect(port: u16) -> SmtpConnection {
    let hello = ClientId::Domain("bench".to_owned());
    let limit = Some(Duration::from_secs(10));
    SmtpConnection::connect(("127.0.0.1", port), limit, &hello, None, None).unwrap()
}

fn send(connection: &mut SmtpConnection, text: &str) {
    let from = "nightrun@bank.example".parse().unwrap();
    let to = vec!["ann@bank.example".parse().unwrap()];
    let envelope = Envelope::new(Some(from), to).unwrap();
    connection.send(&envelope, text.as_bytes()).unwrap();
}
