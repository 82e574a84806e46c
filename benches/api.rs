//! How many questions a second the API of a supervisor answers that has a large night in hand, and how long the slowest of
//! a hundred takes.
//!
//! ```text
//! cargo bench --bench api [-- JOBS]                                                   10000 by default
//! ```
//!
//! A night of which one job runs and all others wait; then one in which 2,000 of them run one after the other (0.02 s each), so
//! that what a page shows is another all the time. Each page is asked for over eight connections that stay open. The
//! yardstick is a process of its own with one axum route that answers the same bytes, in the same runtime, over a socket of
//! the same kind; the two take turns.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustix::fs::{CWD, Mode, mkfifoat};
use site::House;
use tokio::net::UnixStream;

const CONNECTIONS: usize = 8;
const ROUNDS: usize = 5;
/// How long each round of a page lasts.
const ROUND: Duration = Duration::from_millis(1_500);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [mode, socket, body] = &words[..]
        && mode == "answer"
    {
        return answer(Path::new(socket), std::fs::read(body).unwrap());
    }
    let jobs: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(10_000);
    println!("{jobs} jobs, {CONNECTIONS} connections; medians of {ROUNDS} rounds");
    println!(
        "{:46} {:>10} {:>22} {:>22}",
        "", "bytes", "answers/s (× static)", "p99 ms (× static)"
    );
    let jobs_of = "/api/v1/runs/RUN/jobs?limit=50";
    let still = ["/api/v1/status", jobs_of, "/api/v1/runs?limit=50", "/healthz"];
    ask("", &night(jobs, 0), &still);
    ask("moving: ", &night(jobs, MOVING), &["/api/v1/status", jobs_of]);
}

/// Jobs of a night that moves, one after the other.
const MOVING: usize = 2_000;

fn ask(name: &str, night: &str, pages: &[&str]) {
    let house = House::new(4, night);
    let gate = house.path("gate");
    mkfifoat(CWD, &gate, Mode::RUSR | Mode::WUSR).unwrap();
    let _open = OpenOptions::new().read(true).write(true).open(&gate).unwrap();
    let mut command = house.nightrun(&["run", "bench"]);
    let mut night = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let socket = house.path("state/api.sock");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = runtime.block_on(running(&socket));
    for page in pages {
        compare(&runtime, &house, &socket, (name, &page.replace("RUN", &run)));
    }
    night.kill().unwrap();
    night.wait().unwrap();
}

/// One job that waits for the gate, and all others for it, but for those that move.
fn night(jobs: usize, moving: usize) -> String {
    let mut text = "  first: {title: F, shell: read -r word < HERE/gate || true}\n".to_owned();
    for n in 0..moving {
        let needs = n.checked_sub(1).map(|n| format!("m{n}")).unwrap_or_default();
        writeln!(text, "  m{n}: {{title: M, run: [sleep, '0.02'], needs: [{needs}]}}").unwrap();
    }
    for n in 1..jobs - moving {
        writeln!(text, "  w{n}: {{title: W, run: [/bin/true], needs: [first]}}").unwrap();
    }
    text
}

/// The run, once its first job runs.
async fn running(socket: &Path) -> String {
    loop {
        if let Ok(stream) = UnixStream::connect(socket).await {
            let (_, body) = Connection::over(stream).await.get("/api/v1/runs").await;
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
            if let Some(run) = page["items"][0]["run"].as_str() {
                // What it has to do at its beginning is over.
                tokio::time::sleep(Duration::from_secs(3)).await;
                return run.replace('#', "%23");
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn compare(
    runtime: &tokio::runtime::Runtime,
    house: &House,
    socket: &Path,
    (name, page): (&str, &str),
) {
    let body = runtime.block_on(async {
        let stream = UnixStream::connect(socket).await.unwrap();
        let (status, body) = Connection::over(stream).await.get(page).await;
        assert_eq!(status, 200, "{page}");
        body
    });
    let (file, yardstick) = (house.path("body"), house.path("static.sock"));
    std::fs::write(&file, &body).unwrap();
    let _ = std::fs::remove_file(&yardstick);
    let mut other: Child = Command::new(std::env::current_exe().unwrap())
        .args(["answer".as_ref(), yardstick.as_os_str(), file.as_os_str()])
        .spawn()
        .unwrap();
    while !yardstick.exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(runtime.block_on(load(socket, page)));
        theirs.push(runtime.block_on(load(&yardstick, "/")));
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let median = |rounds: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
        let mut values: Vec<f64> = rounds.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let (rate, slow) = (median(&ours, |round| round.0), median(&ours, |round| round.1));
    let (rate_of, slow_of) = (median(&theirs, |round| round.0), median(&theirs, |round| round.1));
    println!(
        "{:46} {:>10} {rate:>12.0} ({:>7.2}) {slow:>12.2} ({:>7.2})",
        format!("{name}{page}"),
        body.len(),
        rate / rate_of,
        slow / slow_of
    );
}

/// Answers a second, and the milliseconds that one of a hundred takes at the least.
async fn load(socket: &Path, page: &str) -> (f64, f64) {
    let begun = Instant::now();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::over(UnixStream::connect(socket).await.unwrap()).await;
        let page = page.to_owned();
        asking.spawn(async move {
            let mut took = Vec::new();
            while begun.elapsed() < ROUND {
                let asked = Instant::now();
                let (status, _) = connection.get(&page).await;
                assert_eq!(status, 200);
                took.push(asked.elapsed().as_secs_f64() * 1_000.0);
            }
            took
        });
    }
    let mut took: Vec<f64> = asking.join_all().await.into_iter().flatten().collect();
    let rate = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    (rate, took[(took.len() - 1) * 99 / 100])
}

/// A connection that stays open.
struct Connection {
    sender: hyper::client::conn::http1::SendRequest<Empty<Bytes>>,
}

impl Connection {
    async fn over(stream: UnixStream) -> Self {
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    async fn get(&mut self, path: &str) -> (u16, Bytes) {
        let request = Request::get(path).header("host", "bench").body(Empty::new()).unwrap();
        let response = self.sender.send_request(request).await.unwrap();
        let status = response.status().as_u16();
        (status, response.into_body().collect().await.unwrap().to_bytes())
    }
}

/// The yardstick: the same bytes from one route.
fn answer(socket: &Path, body: Vec<u8>) {
    let body = Bytes::from(body);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::UnixListener::bind(socket).unwrap();
        let route =
            axum::routing::get(async move || ([("content-type", "application/json")], body));
        axum::serve(listener, axum::Router::new().route("/", route)).await.unwrap();
    });
}
