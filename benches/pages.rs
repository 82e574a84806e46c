//! What the page of a large night costs: the service for each who looks, and a browser.
//!
//! ```text
//! NIGHTRUN_BROWSER_PYTHON=target/browser-…/bin/python cargo bench --bench pages [-- MINUTES JOBS]     1 and 10,000 by default
//! ```
//!
//! A night of 10,000 jobs that run one after the other, as fast as the minutes allow: about 50 entries of the journal a second
//! in one minute. First the service: processor time while nobody looks, one, a hundred; each holds a stream and asks for the
//! page again when it is told, once a second at the most, as the script of the pages does. Then a tab of Chromium, driven by
//! `benches/pages/tab.py`: first paint and frames with Playwright, as the tests install it, and memory over the minutes without. The yardstick is a
//! process of its own that answers the same bytes and tells of nothing.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, starts programs, and stops at the first surprise"
)]

#[path = "house/process.rs"]
mod process;
#[path = "house/site.rs"]
mod site;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use process::ticks;
use site::House;
use tokio::net::TcpStream;

const VIEWERS: usize = 100;
/// How long the service is looked at with so many viewers.
const ROUND: Duration = Duration::from_secs(20);
/// A page asks so often at the most.
const APART: Duration = Duration::from_secs(1);
/// Entries that a job of such a night makes.
const ENTRIES: f64 = 4.0;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [mode, port, folder] = &words[..]
        && mode == "answer"
    {
        return answer(port.parse().unwrap(), Path::new(folder));
    }
    let mut numbers = words.iter().filter_map(|word| word.parse::<usize>().ok());
    let (minutes, jobs) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(10_000));
    let lasts = Duration::from_secs(240 + 60 * minutes as u64);
    // Starting it and recording it takes a while too.
    let each = (lasts.as_secs_f64() / jobs as f64).max(ENTRIES / 50.0) - 0.01;
    let house = House::new(4, &night(jobs, each));
    let (port, still) = (free_port(), free_port());
    let mut service = serve(&house, port);
    let mut ordered = house.nightrun(&["run", "bench"]).stderr(Stdio::null()).spawn().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cookie = runtime.block_on(signed_in(port));
    let mut other = runtime.block_on(yardstick(&house, (port, still), &cookie));
    let browser = ("http://127.0.0.1", port, still);
    runtime.block_on(viewers(service.id(), other.id(), (port, still), &cookie));
    tab(browser, &cookie, minutes);
    for process in [&mut ordered, &mut service, &mut other] {
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn night(jobs: usize, seconds: f64) -> String {
    let mut text = String::new();
    for n in 0..jobs {
        let needs = n.checked_sub(1).map(|n| format!("close-{n}")).unwrap_or_default();
        let run = format!("run: [sleep, '{seconds:.3}'], needs: [{needs}]");
        writeln!(text, "  close-{n}: {{title: Closes the accounts of branch {n}, {run}}}").unwrap();
    }
    text
}

fn serve(house: &House, port: u16) -> Child {
    let site = house.path("site");
    let people = "version: 1\npeople:\n  ann: {name: Ann Duty, roles: [duty]}\n";
    std::fs::write(site.join("people.yaml"), people).unwrap();
    let mut settings = std::fs::read_to_string(site.join("site.yaml")).unwrap();
    settings.push_str("rights: {duty: [read, logs, respond, operate]}\n");
    std::fs::write(site.join("site.yaml"), settings).unwrap();
    let api = format!("version: 1\napi: {{listen: '127.0.0.1:{port}'}}\n");
    std::fs::write(house.path("settings.yaml"), api).unwrap();
    let mut service = house.nightrun(&["serve", "--settings", "settings.yaml"]);
    let service = service.stderr(Stdio::null()).spawn().unwrap();
    while !house.path("state/api.sock").exists() {
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut password = house.nightrun(&["people", "password", "ann"]);
    let mut password = password.stdin(Stdio::piped()).spawn().unwrap();
    password.stdin.take().unwrap().write_all(b"a long night\n").unwrap();
    assert!(password.wait().unwrap().success());
    service
}

/// The cookie of a session.
async fn signed_in(port: u16) -> String {
    let form = "person=ann&password=a+long+night";
    let request = Request::post("/login")
        .header("host", "bench")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(http_body_util::Full::new(Bytes::from(form)))
        .unwrap();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.status(), 204);
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

/// A process that answers what the service answers now: the page, its middle, its style sheet and script.
async fn yardstick(house: &House, (port, still): (u16, u16), cookie: &str) -> Child {
    let folder = house.path("still");
    std::fs::create_dir_all(folder.join("assets")).unwrap();
    let mut connection = Connection::to(port, cookie).await;
    let begun = Instant::now();
    let page = loop {
        let page = connection.get("/", &[]).await.1;
        // The night is there, and its beginning is over.
        if String::from_utf8_lossy(&page).contains("close-") && begun.elapsed().as_secs() > 5 {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let text = String::from_utf8(page.to_vec()).unwrap();
    for name in text.split("assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        let asset = connection.get(&format!("/assets/{name}"), &[]).await.1;
        println!("{name:24} {:9} B", asset.len());
        std::fs::write(folder.join("assets").join(name), asset).unwrap();
    }
    let middle = connection.get("/", &[("x-part", "main")]).await.1;
    println!("{:24} {:9} B\n{:24} {:9} B", "page", page.len(), "its middle", middle.len());
    std::fs::write(folder.join("page"), page).unwrap();
    std::fs::write(folder.join("middle"), middle).unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap());
    let other = other.args(["answer".as_ref(), still.to_string().as_ref(), folder.as_os_str()]);
    let other = other.spawn().unwrap();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, still)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    other
}

/// What was seen in a round.
struct Round {
    /// Milliseconds of processor time a second.
    took: f64,
    /// Middles that were sent a second, and those that were known already.
    sent: f64,
    same: f64,
    /// Entries of the journal a second.
    entries: f64,
}

async fn viewers(service: u32, other: u32, (port, still): (u16, u16), cookie: &str) {
    println!(
        "{:24} {:>12} {:>10} {:>10} {:>10}",
        "viewers", "CPU ms/s", "entries/s", "sent/s", "known/s"
    );
    let mut nobody = Vec::new();
    let tell = |name: &str, round: &Round| {
        let Round { took, sent, same, entries } = round;
        println!("{name:24} {took:12.1} {entries:10.1} {sent:10.1} {same:10.1}");
    };
    let mut rounds = Vec::new();
    for many in [0, 1, VIEWERS, 0] {
        let round = round(service, port, many, cookie).await;
        tell(&many.to_string(), &round);
        match many {
            0 => nobody.push(round.took),
            many => rounds.push((many, round)),
        }
    }
    // As many answers as the hundred had, with the same bytes.
    let begun = ticks(other);
    let still = asked(still, rounds.last().unwrap().1.sent).await;
    let still_took = (ticks(other) - begun) as f64 * 10.0 / ROUND.as_secs_f64();
    let still = Round { took: still_took, sent: still, same: 0.0, entries: 0.0 };
    tell("static, as many answers", &still);
    let nobody = nobody.iter().sum::<f64>() / nobody.len() as f64;
    for (many, round) in rounds {
        let each = (round.took - nobody) / many as f64;
        let answers = (round.took - nobody) / (round.sent + round.same);
        let ratio = answers / (still.took / still.sent);
        println!(
            "each of {many:3} viewers: {:.2} % of a processor; an answer {ratio:.2} × static",
            each / 10.0
        );
    }
}

/// The service for a while, with so many who look.
async fn round(service: u32, port: u16, viewers: usize, cookie: &str) -> Round {
    let counted = Arc::new([const { AtomicU64::new(0) }; 2]);
    let until = Instant::now() + ROUND;
    let first = head(port, cookie).await;
    let (begun, before) = (Instant::now(), ticks(service));
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..viewers {
        all.spawn(view(port, cookie.to_owned(), until, Arc::clone(&counted)));
    }
    tokio::time::sleep_until(until.into()).await;
    let (took, seconds) = (ticks(service) - before, begun.elapsed().as_secs_f64());
    let entries = head(port, cookie).await - first;
    all.join_all().await;
    let [sent, same] = [0, 1].map(|n| counted[n].load(Ordering::Relaxed) as f64 / seconds);
    Round { took: took as f64 * 10.0 / seconds, sent, same, entries: entries as f64 / seconds }
}

/// The number of the journal's last entry, as pages are told it.
async fn head(port: u16, cookie: &str) -> u64 {
    let mut stream = Connection::to(port, cookie).await.ask("/live", &[]).await;
    next_head(&mut stream).await.unwrap()
}

/// `None`: the stream has ended.
async fn next_head(stream: &mut Response<Incoming>) -> Option<u64> {
    loop {
        let frame = stream.body_mut().frame().await?.ok()?;
        let text = String::from_utf8(frame.into_data().ok()?.to_vec()).ok()?;
        if let Some(number) = text.lines().find_map(|line| line.strip_prefix("data:")) {
            return number.trim().parse().ok();
        }
    }
}

/// What the script of the pages does.
async fn view(port: u16, cookie: String, until: Instant, counted: Arc<[AtomicU64; 2]>) {
    let mut pages = Connection::to(port, &cookie).await;
    let mut stream = Connection::to(port, &cookie).await.ask("/live", &[]).await;
    let mut tag = String::new();
    while Instant::now() < until {
        let told = tokio::time::timeout_at(until.into(), next_head(&mut stream)).await;
        if !matches!(told, Ok(Some(_))) {
            return;
        }
        let wanted = [("x-part", "main"), ("if-none-match", tag.as_str())];
        let asked = Instant::now();
        let (status, body, new) = pages.get("/", &wanted).await;
        let which = match status {
            200 => &counted[0],
            304 => &counted[1],
            other => panic!("{other}: {}", String::from_utf8_lossy(&body)),
        };
        which.fetch_add(1, Ordering::Relaxed);
        tag = new;
        tokio::time::sleep_until((asked + APART).into()).await;
    }
}

/// So many answers a second over as many connections as there are viewers; how many there were.
async fn asked(port: u16, wanted: f64) -> f64 {
    let pause = Duration::from_secs_f64(VIEWERS as f64 / wanted.max(1.0));
    let until = Instant::now() + ROUND;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..VIEWERS {
        all.spawn(async move {
            let mut connection = Connection::to(port, "").await;
            let mut answers = 0.0;
            while Instant::now() < until {
                let begun = Instant::now();
                assert_eq!(connection.get("/middle", &[]).await.0, 200);
                answers += 1.0;
                tokio::time::sleep_until((begun + pause).into()).await;
            }
            answers
        });
    }
    all.join_all().await.into_iter().sum::<f64>() / ROUND.as_secs_f64()
}

/// A connection that stays open.
struct Connection {
    sender: hyper::client::conn::http1::SendRequest<Empty<Bytes>>,
    cookie: String,
}

impl Connection {
    async fn to(port: u16, cookie: &str) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender, cookie: cookie.to_owned() }
    }

    async fn ask(&mut self, path: &str, headers: &[(&str, &str)]) -> Response<Incoming> {
        let mut request = Request::get(path).header("host", "bench").header("accept", "text/html");
        for (name, value) in headers.iter().chain(&[("cookie", self.cookie.as_str())]) {
            request = request.header(*name, *value);
        }
        self.sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap()
    }

    /// Status, body and entity tag.
    async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> (u16, Bytes, String) {
        let response = self.ask(path, headers).await;
        let status = response.status().as_u16();
        let tag = response.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, body, tag.unwrap_or_default())
    }
}

/// What a browser says of both.
fn tab((host, port, still): (&str, u16, u16), cookie: &str, minutes: usize) {
    let python = std::env::var("NIGHTRUN_BROWSER_PYTHON").unwrap_or("python3".to_owned());
    let told = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/pages/tab.py"))
        .args([format!("{host}:{port}"), format!("{host}:{still}"), cookie.to_owned()])
        .arg(minutes.to_string())
        .status();
    assert!(told.unwrap().success(), "pip install playwright; apt-get install chromium");
}

/// The yardstick: what lies in the folder, from memory, and a stream that tells nothing.
fn answer(port: u16, folder: &Path) {
    use axum::extract::Path as Named;
    use axum::routing::get;
    let read = |name: &str| Bytes::from(std::fs::read(folder.join(name)).unwrap());
    let html =
        |body: Bytes| get(async move || ([("content-type", "text/html; charset=utf-8")], body));
    let assets: Vec<(String, Bytes)> = std::fs::read_dir(folder.join("assets"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| (name.clone(), read(&format!("assets/{name}"))))
        .collect();
    let asset = async move |Named(name): Named<String>| {
        let kind = if name.ends_with("css") { "text/css" } else { "text/javascript" };
        let (_, body) = assets.into_iter().find(|(known, _)| *known == name).unwrap();
        ([("content-type", kind)], body)
    };
    let live = get(async || {
        let nothing = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
        ([("content-type", "text/event-stream")], axum::body::Body::from_stream(nothing))
    });
    let router = axum::Router::new()
        .route("/", html(read("page")))
        .route("/middle", html(read("middle")))
        .route("/assets/{name}", get(asset))
        .route("/live", live);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        axum::serve(listener, router).await.unwrap();
    });
}
