//! Messages over HTTP against a server that takes, refuses, puts off, hangs and is away.

use std::fs;
use std::time::Duration;

use nightrun::definition::site::{Webhook, WebhookFormat, WebhookUrl};
use nightrun::driver::webhook::{WebhookSender, examine};
use nightrun::journal::{OutgoingMail, WebhookPost};
use nightrun::port::{Mailer, SendError};
use serde_json::json;

use crate::webhook_sink::{Behaviour, WebhookSink};

/// Longer than this host takes for anything here; what hangs is given up after [`SHORT`].
const LIMIT: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_secs(1);

const KEY: &str = "0123456789abcdef";
const TAKEN: Behaviour = Behaviour::Answer(200, r#"{"errcode":0,"errmsg":"ok","code":0}"#);

fn webhook(format: WebhookFormat, port: u16) -> Webhook {
    Webhook {
        format,
        url: WebhookUrl::Url(format!("http://127.0.0.1:{port}/send?key={KEY}")),
        secret_file: None,
        ca: None,
        language: None,
        output: false,
    }
}

fn message(webhook: &Webhook) -> OutgoingMail {
    let post = WebhookPost { webhook: webhook.clone(), body: json!({ "text": "批次失败" }) };
    let id = ("<a@bank.example>".to_owned(), "nightrun@bank.example".to_owned());
    let at = "2026-10-30T22:00:00Z".parse().unwrap();
    OutgoingMail::to_webhook(id, &"ops".parse().unwrap(), &post, at).unwrap()
}

async fn send(webhook: &Webhook) -> Result<String, SendError> {
    WebhookSender::new(LIMIT).send(&message(webhook)).await
}

#[tokio::test]
async fn an_answer_says_whether_it_was_taken_and_nothing_told_of_it_has_the_address() {
    use WebhookFormat::{Dingtalk, Feishu, Json, Slack, Wecom};
    let refused = r#"{"errcode":93000,"errmsg":"invalid webhook url, key 0123456789abcdef"}"#;
    let moved = "location: http://127.0.0.1:1/elsewhere";
    for (format, behaviour, expected) in [
        (Wecom, TAKEN, "taken"),
        (Wecom, Behaviour::Answer(200, refused), "never"),
        (Dingtalk, Behaviour::Answer(200, r#"{"errcode":130101,"errmsg":"too fast"}"#), "later"),
        (Feishu, Behaviour::Answer(200, r#"{"code":19021,"msg":"sign"}"#), "never"),
        (Slack, Behaviour::Answer(200, "ok"), "taken"),
        (Slack, Behaviour::Answer(429, "slow down"), "later"),
        (Json, Behaviour::Answer(204, ""), "taken"),
        (Json, Behaviour::Answer(503, ""), "later"),
        (Json, Behaviour::Echo(400), "never"),
        (Json, Behaviour::Headed(302, moved), "never"),
        (Json, Behaviour::HangUp, "later"),
    ] {
        let sink = WebhookSink::listen(&[], behaviour).await;
        let sent = send(&webhook(format, sink.port)).await;
        let (kind, words) = match &sent {
            Ok(words) => ("taken", words),
            Err(SendError::Later(words)) => ("later", words),
            Err(SendError::Never(words)) => ("never", words),
        };
        assert_eq!(kind, expected, "{format:?} {behaviour:?}: {words}");
        assert!(!words.contains(KEY) && !words.contains("/send"), "{format:?}: {words}");
        let asked = sink.asked();
        assert_eq!(asked.len(), 1, "one request a try, and none elsewhere");
        assert_eq!(asked[0].line, format!("POST /send?key={KEY}"));
        assert_eq!(asked[0].header("idempotency-key"), Some("<a@bank.example>"));
        assert_eq!(asked[0].json()["text"], "批次失败");
    }
}

#[tokio::test]
async fn a_server_that_hangs_or_is_away_is_asked_again_later() {
    let sink = WebhookSink::listen(&[], Behaviour::Hang).await;
    let (mute, sender) = (webhook(WebhookFormat::Json, sink.port), WebhookSender::new(SHORT));
    let why = sender.send(&message(&mute)).await.unwrap_err();
    assert!(matches!(&why, SendError::Later(why) if why.contains("no answer")), "{why}");

    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let away = webhook(WebhookFormat::Json, port);
    let why = send(&away).await.unwrap_err();
    assert!(matches!(&why, SendError::Later(why) if why.contains("refused")), "{why}");
    let back = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    let sink = WebhookSink::serve(back, &[Behaviour::Answer(500, "")], TAKEN);
    assert!(matches!(send(&away).await, Err(SendError::Later(_))));
    send(&away).await.unwrap();
    let keys: Vec<_> =
        sink.asked().iter().map(|a| a.header("idempotency-key").map(str::to_owned)).collect();
    assert_eq!(keys[0], keys[1], "the same at every try");
}

#[tokio::test]
async fn address_and_secret_come_from_files_that_are_read_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let (url, secret) = (folder.path().join("url"), folder.path().join("secret"));
    let sink = WebhookSink::listen(&[], TAKEN).await;
    let of = |format| Webhook {
        url: WebhookUrl::File(url.clone()),
        secret_file: Some(secret.clone()),
        ..webhook(format, sink.port)
    };
    // Somebody can mend it: the message waits.
    let why = send(&of(WebhookFormat::Json)).await.unwrap_err();
    assert!(matches!(&why, SendError::Later(why) if why.contains("url: ")), "{why}");
    fs::write(&url, "not an address\n").unwrap();
    let why = examine(&of(WebhookFormat::Json)).unwrap_err();
    assert!(why.contains("no address") && !why.contains("not an"), "{why}");
    fs::write(&url, format!("http://127.0.0.1:{}/send?key={KEY}\n", sink.port)).unwrap();
    fs::write(&secret, "this is secret\n").unwrap();
    for format in [WebhookFormat::Dingtalk, WebhookFormat::Feishu, WebhookFormat::Json] {
        examine(&of(format)).unwrap();
        send(&of(format)).await.unwrap();
    }
    let asked = sink.asked();
    assert!(asked[0].line.starts_with(&format!("POST /send?key={KEY}&timestamp=")), "{asked:?}");
    assert!(asked[0].line.contains("&sign="), "{asked:?}");
    let feishu = asked[1].json();
    assert!(feishu["timestamp"].is_string() && feishu["sign"].is_string(), "{feishu}");
    assert!(asked[2].header("nightrun-signature").unwrap().starts_with("t="), "{asked:?}");
    assert!(asked.iter().all(|asked| !asked.body.contains("this is secret")));
}

/// As a folder over the network that hangs: reading a pipe that nobody writes.
#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_holds_nothing_up_but_its_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .unwrap();
    let hung = Webhook { url: WebhookUrl::File(file.clone()), ..webhook(WebhookFormat::Json, 1) };
    let (message, sender) = (message(&hung), WebhookSender::new(SHORT));
    let beats = async {
        for _ in 0..10 {
            tokio::time::sleep(SHORT / 50).await;
        }
    };
    // Both on one thread: the other one goes on meanwhile.
    let sent = tokio::select! {
        biased;
        sent = sender.send(&message) => Some(sent),
        () = beats => None,
    };
    assert!(sent.is_none(), "{sent:?}");
    let why = sender.send(&message).await.unwrap_err();
    assert!(matches!(&why, SendError::Later(why) if why.contains("no answer")), "{why}");
    // Whoever still reads goes.
    drop(fs::OpenOptions::new().write(true).open(&file).unwrap());
}
