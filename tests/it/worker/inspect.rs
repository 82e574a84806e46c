//! The `inspect` task, against real things: a file system, the kernel's word, listeners, databases, a log that is rotated.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream};

use super::*;
use nightrun::definition::site::{InspectCheck, Look, MemoryOf};
use nightrun::types::{CheckName, CheckVerdict, Reading, Span, Thresholds, Unit, Worse};
use nightrun::wire::{Checked, InspectTask};

use CheckVerdict::{Fail, Ok as Well, Warn};

/// A check, and what is expected of it: its verdict, its unit, and its value where that is known.
type Row<'a> = (&'a str, Look, Thresholds, CheckVerdict, Unit, Option<&'a str>);

fn limits(warn: Option<f64>, fail: Option<f64>, worse: Worse) -> Thresholds {
    let reading = |value: f64| Reading::new(value).unwrap();
    Thresholds { warn: warn.map(reading), fail: fail.map(reading), worse }
}

fn none() -> Thresholds {
    Thresholds::default()
}

fn check(name: &str, look: Look, thresholds: Thresholds) -> InspectCheck {
    let limit = Span::seconds(20);
    InspectCheck { name: CheckName::new(name).unwrap(), look, thresholds, limit }
}

fn task(engine: Option<Engine>, checks: Vec<InspectCheck>, memory: Option<PathBuf>) -> Task {
    Task::Inspect(Box::new(InspectTask { engine, checks, memory }))
}

fn checks(left: &Left) -> &[Checked] {
    match &left.work {
        Some(Work::Inspect { checks }) => checks,
        other => panic!("no results: {other:?}\n{}{}", left.out, left.err),
    }
}

fn command(script: &str) -> Look {
    Look::Command { argv: ["sh", "-c", script].map(str::to_owned).to_vec() }
}

fn http(port: u16, path: &str, status: Option<u16>) -> Look {
    Look::Http { url: format!("http://127.0.0.1:{port}{path}"), status, ca: None }
}

/// Answers each question with the status that its path names, until the test is over.
fn web() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 1024];
            let read = stream.read(&mut asked).unwrap_or(0);
            let text = String::from_utf8_lossy(&asked[..read]).into_owned();
            let status = text.split(['/', ' ']).nth(2).unwrap_or("500").to_owned();
            let _ = write!(stream, "HTTP/1.1 {status} As Asked\r\ncontent-length: 0\r\n\r\n");
        }
    });
    port
}

/// A port at which nobody listens.
fn silent() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn each_kind_of_check_is_made_and_judged() {
    let bench = Bench::new();
    bench.execute("create table account (id, open)");
    bench.execute("insert into account values (1, 'no'), (2, '0'), (3, null)");
    let here = bench.path("").to_string_lossy().into_owned();
    let disk = || Look::Disk { path: here.clone() };
    let sql = |query: &str| Look::Sql { query: query.to_owned() };
    let (web, silent) = (web(), silent());
    let tcp = |port: u16| Look::Tcp { address: format!("127.0.0.1:{port}") };
    let count = || sql("select count(*) from account");
    let hour = limits(Some(3.6e6), Some(7.2e6), Worse::More);
    let table: Vec<Row> = vec![
        ("disk-well", disk(), limits(None, Some(101.0), Worse::More), Well, Unit::Percent, None),
        (
            "disk-warn",
            disk(),
            limits(Some(0.0), Some(101.0), Worse::More),
            Warn,
            Unit::Percent,
            None,
        ),
        ("disk-fail", disk(), limits(None, Some(0.0), Worse::More), Fail, Unit::Percent, None),
        (
            "disk-none",
            Look::Disk { path: format!("{here}/none") },
            hour,
            Fail,
            Unit::Percent,
            Some("-"),
        ),
        (
            "cpu",
            Look::Cpu { during: Span::of(Duration::from_millis(200)) },
            limits(None, Some(101.0), Worse::More),
            Well,
            Unit::Percent,
            None,
        ),
        (
            "ram",
            Look::Memory { of: MemoryOf::Ram },
            limits(None, Some(0.0), Worse::Less),
            Well,
            Unit::Percent,
            None,
        ),
        (
            "swap",
            Look::Memory { of: MemoryOf::Swap },
            limits(None, Some(101.0), Worse::More),
            Well,
            Unit::Percent,
            None,
        ),
        ("web", http(web, "/200", None), hour, Well, Unit::Milliseconds, None),
        (
            "web-slow",
            http(web, "/204", None),
            limits(Some(0.0), None, Worse::More),
            Warn,
            Unit::Milliseconds,
            None,
        ),
        ("web-broken", http(web, "/503", None), none(), Fail, Unit::Milliseconds, None),
        ("web-moved", http(web, "/302", None), none(), Fail, Unit::Milliseconds, None),
        ("web-as-meant", http(web, "/302", Some(302)), none(), Well, Unit::Milliseconds, None),
        ("web-away", http(silent, "/200", None), none(), Fail, Unit::Milliseconds, Some("-")),
        ("tcp", tcp(web), hour, Well, Unit::Milliseconds, None),
        ("tcp-away", tcp(silent), none(), Fail, Unit::Milliseconds, Some("-")),
        (
            "accounts",
            count(),
            limits(Some(2.0), Some(0.0), Worse::Less),
            Well,
            Unit::Number,
            Some("3"),
        ),
        (
            "accounts-few",
            count(),
            limits(Some(3.0), Some(0.0), Worse::Less),
            Warn,
            Unit::Number,
            Some("3"),
        ),
        (
            "open",
            sql("select open from account where id = 1"),
            none(),
            Well,
            Unit::Number,
            Some("-"),
        ),
        (
            "not-open",
            sql("select open from account where id = 2"),
            none(),
            Fail,
            Unit::Number,
            Some("0"),
        ),
        ("null", sql("select open from account where id = 3"), hour, Fail, Unit::Number, Some("-")),
        ("no-row", sql("select 1 where 1 = 0"), none(), Fail, Unit::Number, Some("-")),
        ("no-table", sql("select x from nothing"), none(), Fail, Unit::Number, Some("-")),
        ("writes", sql("delete from account"), none(), Fail, Unit::Number, Some("-")),
        ("code-0", command("exit 0"), none(), Well, Unit::ExitCode, Some("0")),
        ("code-1", command("exit 1"), none(), Warn, Unit::ExitCode, Some("1")),
        ("code-2", command("exit 2"), none(), Fail, Unit::ExitCode, Some("2")),
        ("signal", command("kill -9 $$"), none(), Fail, Unit::ExitCode, Some("-")),
        (
            "sessions",
            command("echo 1 of many; echo 412 sessions; echo"),
            limits(Some(400.0), Some(500.0), Worse::More),
            Warn,
            Unit::Number,
            Some("412"),
        ),
        ("sessions-broken", command("echo 1; exit 1"), hour, Fail, Unit::Number, Some("-")),
        ("sessions-unsaid", command("echo many"), hour, Fail, Unit::Number, Some("-")),
        (
            "no-program",
            Look::Command { argv: vec!["/no/such/program".to_owned()] },
            none(),
            Fail,
            Unit::ExitCode,
            Some("-"),
        ),
    ];
    let all = table.iter().map(|(name, look, limits, ..)| check(name, look.clone(), *limits));
    let left = bench.run(&task(Some(bench.engine()), all.collect(), None));
    let found = checks(&left);
    assert_eq!(found.len(), table.len());
    for ((name, _, thresholds, verdict, unit, measured), found) in table.iter().zip(found) {
        let told = (found.name.as_str(), found.verdict, found.unit, found.thresholds);
        assert_eq!(told, (*name, *verdict, *unit, *thresholds), "{found:?}");
        match measured {
            Some(measured) => assert_eq!(found.measured(), *measured, "{found:?}"),
            None => assert!(found.value.is_some(), "{found:?}"),
        }
        // What fails is told where the alert looks for it.
        let place = if *verdict == Fail { &left.err } else { &left.out };
        assert!(place.contains(&format!("{name}: {}", verdict.name())), "{name}: {place}");
    }
    assert_eq!(left.code, Some(1));
    assert_eq!(bench.row("select count(*) from account"), "3");
}

/// Answers over TLS as [`web`] does, with a certificate for 127.0.0.1 that a certificate authority of the test has signed. Its
/// port, and the authority's certificate.
fn secure_web() -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let own_key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let own = own.signed_by(&own_key, &issuer).unwrap();
    let private = PrivateKeyDer::try_from(own_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream.unwrap();
            let mut secure = Stream::new(&mut session, &mut stream);
            // Whoever does not trust it goes away.
            if secure.read(&mut [0; 1024]).is_ok() {
                let _ = write!(secure, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        }
    });
    (port, certificate)
}

#[test]
fn over_https_whoever_answers_must_be_known_to_the_host_or_to_the_file_that_is_named() {
    let bench = Bench::new();
    let ((port, own), (_, foreign)) = (secure_web(), secure_web());
    let file = |name: &str, text: &str| {
        std::fs::write(bench.path(name), text).unwrap();
        Some(bench.path(name).to_string_lossy().into_owned())
    };
    let (own, foreign) = (file("own.pem", &own), file("foreign.pem", &foreign));
    let gone = Some(bench.path("gone.pem").to_string_lossy().into_owned());
    let at = |host: &str, ca: &Option<String>| Look::Http {
        url: format!("https://{host}:{port}/health"),
        status: None,
        ca: ca.clone(),
    };
    let asked = vec![
        check("known", at("127.0.0.1", &own), none()),
        check("unknown", at("127.0.0.1", &None), none()),
        check("foreign", at("127.0.0.1", &foreign), none()),
        check("other-name", at("localhost", &own), none()),
        check("gone", at("127.0.0.1", &gone), none()),
    ];
    let left = bench.run(&task(None, asked, None));
    let found = checks(&left);
    let verdicts: Vec<CheckVerdict> = found.iter().map(|check| check.verdict).collect();
    assert_eq!(verdicts, [Well, Fail, Fail, Fail, Fail], "{}", left.err);
    assert_eq!(found[0].words, "HTTP 200");
    let says = ["UnknownIssuer", "invalid peer certificate", "not valid for name", "gone.pem"];
    for (check, words) in found[1..].iter().zip(says) {
        assert!(check.words.contains(words), "{words}: {check:?}");
    }
}

#[test]
fn one_that_does_not_answer_is_given_up_and_the_others_are_made() {
    let bench = Bench::new();
    // It takes connections, and says nothing.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let short = Span::of(Duration::from_millis(200));
    let slow = [
        http(mute.local_addr().unwrap().port(), "/200", None),
        command("echo began; exec sleep 600"),
        Look::Cpu { during: Span::seconds(600) },
    ];
    let slow = slow.into_iter().enumerate().map(|(n, look)| InspectCheck {
        limit: short,
        ..check(&format!("slow-{n}"), look, limits(Some(1.0), None, Worse::More))
    });
    let last = check("last", command("true"), none());
    let left = bench.run(&task(None, slow.chain([last]).collect(), None));
    let verdicts: Vec<CheckVerdict> = checks(&left).iter().map(|check| check.verdict).collect();
    assert_eq!(verdicts, [Fail, Fail, Fail, Well]);
    assert!(checks(&left)[..3].iter().all(|c| c.words == "no answer within 200ms"), "{}", left.err);
}

#[test]
fn servers_are_asked_as_files_are() {
    for place in [on(Place::postgres()), on(Place::maria())] {
        let bench = servers::bench(place);
        let sql = |query: &str| Look::Sql { query: query.to_owned() };
        let asked = vec![
            check(
                "fees",
                sql("select count(*) from fee"),
                limits(Some(4.0), Some(5.0), Worse::More),
            ),
            check("mean", sql("select avg(rate) from fee"), limits(None, Some(28.0), Worse::More)),
            check("some", sql("select exists (select 1 from fee)"), none()),
        ];
        let left = bench.run(&task(Some(bench.engine()), asked, None));
        let found: Vec<(CheckVerdict, String)> =
            checks(&left).iter().map(|check| (check.verdict, check.measured())).collect();
        assert_eq!(found[0], (Warn, "4".to_owned()), "{}", left.err);
        assert_eq!((found[1].0, found[1].1.as_str()), (Fail, "28.75"), "{}", left.err);
        assert_eq!(found[2].0, Well, "{}", left.err);
    }
}

#[test]
fn a_log_is_counted_once_across_its_rotation() {
    let bench = Bench::new();
    let log = bench.path("core.log");
    let memory = bench.path("work/inspections/i.host.json");
    let put = |text: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let look = || Look::Log {
        path: log.to_string_lossy().into_owned(),
        lines: vec!["ERROR".to_owned(), "FATAL".to_owned()],
    };
    let round = |attempt: &str, memory: Option<&PathBuf>| {
        let judged = limits(None, Some(1.0), Worse::More);
        let task = task(None, vec![check("errors", look(), judged)], memory.cloned());
        let left = bench.run_as(&task, attempt);
        let found = checks(&left)[0].clone();
        (found.measured(), left.code.unwrap(), found.words)
    };
    let kept = Some(&memory);
    let number = |run: u32, attempt: u32| format!("i@20261030T0{run}0000Z#1/host/{attempt}");

    assert_eq!(round(&number(1, 1), kept).0, "-", "there is no log yet");
    put("ERROR of old times\n");
    assert_eq!(
        round(&number(1, 1), kept),
        ("0".into(), 0, "the first look: lines count from here on".into())
    );
    put("all is well\nERROR one\n");
    // Another attempt of the same run begins where the run began, and its first look was there.
    assert_eq!(round(&number(1, 2), kept).0, "1");
    assert_eq!(round(&number(1, 3), kept).0, "1");
    put("a FATAL one\nERROR that is being wri");
    assert_eq!(round(&number(2, 1), kept), ("1".into(), 1, String::new()));
    // A trial sees what is new and keeps nothing.
    assert_eq!(round(&number(3, 1), None).0, "0");
    put("tten\n");
    assert_eq!(round(&number(3, 1), kept).0, "1");
    assert_eq!(round(&number(4, 1), kept), ("0".into(), 0, String::new()));

    // Rotated: the end of the former file counts, and a line that was left open in it.
    put("ERROR before\nERROR open");
    std::fs::rename(&log, bench.path("core.log.1")).unwrap();
    put("fine\nERROR after\n");
    assert_eq!(round(&number(5, 1), kept), ("3".into(), 1, String::new()));
    // Rotated and compressed: what is gone is said.
    std::fs::remove_file(bench.path("core.log.1")).unwrap();
    std::fs::rename(&log, bench.path("other")).unwrap();
    put("ERROR new\n");
    std::fs::remove_file(bench.path("other")).unwrap();
    let (count, _, words) = round(&number(6, 1), kept);
    assert_eq!(count, "1");
    assert!(words.contains("the end of the former one is gone"), "{words}");
    // Emptied in place.
    std::fs::write(&log, "ERROR\n").unwrap();
    let (count, _, words) = round(&number(7, 1), kept);
    assert_eq!(count, "1");
    assert!(words.contains("was emptied"), "{words}");
    // Where nobody knows how far it was read, nothing is guessed.
    std::fs::write(&memory, "{").unwrap();
    assert_eq!(round(&number(8, 1), kept).1, 1);
}
