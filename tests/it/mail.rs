//! Mail: what is composed reads back as meant, and a server may do what it likes without stopping the night.

use std::fs;
use std::time::{Duration, Instant};

use mail_parser::{MessageParser, MimeHeaders};
use nightrun::definition::site::{Smtp, Tls};
use nightrun::driver::mail::{FolderMailer, LIMIT, SmtpMailer, compose};
use nightrun::journal::OutgoingMail;
use nightrun::port::{Attachment, Letter, Mailer, Party, Picture, SendError};

use crate::journal_writer::time;
use crate::smtp_sink::{Behaviour, Encryption, Sink, certificate};

/// A limit that a test can wait for, and long enough to get as far as the server lets it.
const SHORT: Duration = Duration::from_secs(1);

fn letter() -> Letter {
    Letter {
        from: Party {
            name: Some("示例银行 夜间跑批".into()),
            address: "nightrun@bank.example".into(),
        },
        to: Party { name: Some("李伟".into()), address: "li.wei@bank.example".into() },
        subject: format!("INC-7 eod.load 失败{}", "：日终批次载入汇率失败".repeat(8)),
        message_id: "<eod.2026-10-30.1.inc-7.li-wei@bank.example>".into(),
        thread: "<inc-7@bank.example>".into(),
        date: time("2026-10-30T20:31:07Z"),
        text: "作业 load 失败\n.\n看操作手册\n".into(),
        html: "<p>作业 <b>load</b> 失败</p>".into(),
        pictures: Vec::new(),
        attachments: vec![Attachment {
            file_name: "日终报告.html".into(),
            content_type: "text/html; charset=utf-8".into(),
            bytes: "<h1>日终</h1>".into(),
        }],
    }
}

fn mail() -> OutgoingMail {
    compose(&letter(), time("2025-11-23T02:00:00Z")).unwrap()
}

fn smtp(port: u16, tls: Tls) -> Smtp {
    Smtp { host: "127.0.0.1".into(), port, tls, ca: None, user: None, password_file: None }
}

async fn send(mailer: &impl Mailer) -> Result<String, SendError> {
    mailer.send(&mail()).await
}

fn later(sent: Result<String, SendError>) -> String {
    match sent {
        Err(SendError::Later(why)) => why,
        other => panic!("should be tried again: {other:?}"),
    }
}

#[test]
fn a_message_reads_back_as_it_was_meant() {
    let letter = letter();
    let mail = mail();
    assert_eq!(mail.not_before, time("2025-11-23T02:00:00Z"));
    assert!(mail.bytes.is_ascii(), "a server without 8BITMIME takes it");
    let text = String::from_utf8(mail.bytes.clone()).unwrap();
    for line in text.split("\r\n") {
        assert!(line.len() <= 78 && !line.contains(['\r', '\n']), "{line}");
    }
    let message = MessageParser::default().parse(&mail.bytes).unwrap();
    assert_eq!(message.subject(), Some(letter.subject.as_str()));
    assert_eq!(message.message_id(), Some("eod.2026-10-30.1.inc-7.li-wei@bank.example"));
    assert_eq!(message.references().as_text(), Some("inc-7@bank.example"));
    assert_eq!(message.in_reply_to().as_text(), Some("inc-7@bank.example"));
    assert_eq!(message.date().unwrap().to_rfc3339(), "2026-10-30T20:31:07Z");
    assert_eq!(message.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    for (party, read) in [(&letter.from, message.from()), (&letter.to, message.to())] {
        let read = read.unwrap().first().unwrap();
        assert_eq!(read.name(), party.name.as_deref());
        assert_eq!(read.address(), Some(party.address.as_str()));
    }
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), letter.text);
    assert_eq!(message.body_html(0).unwrap().trim_end(), letter.html);
    let attached = message.attachment(0).unwrap();
    assert_eq!(attached.attachment_name(), Some("日终报告.html"));
    assert_eq!(attached.contents(), letter.attachments[0].bytes);
}

#[test]
fn a_picture_comes_within_the_page_that_shows_it_and_the_text_stays_whole() {
    let mut letter = letter();
    letter.html = "<p>日终</p><img src=\"cid:timeline\">".into();
    letter.pictures =
        vec![Picture { id: "timeline".into(), bytes: b"\x89PNG\r\n\x1a\n..".to_vec() }];
    let mail = compose(&letter, letter.date).unwrap();
    let message = MessageParser::default().parse(&mail.bytes).unwrap();
    let types: Vec<String> = message
        .parts
        .iter()
        .map(|part| {
            let kind = part.content_type().unwrap();
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
        })
        .collect();
    let nested = [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "text/html",
    ];
    assert_eq!(types, nested);
    let picture = &message.parts[5];
    assert_eq!(picture.content_id(), Some("timeline"));
    assert_eq!(picture.content_disposition().unwrap().ctype(), "inline");
    assert_eq!(picture.contents(), letter.pictures[0].bytes);
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), letter.text);
    assert_eq!(message.body_html(0).unwrap().trim_end(), letter.html);
}

#[test]
fn the_same_letter_gives_the_same_bytes() {
    assert_eq!(mail(), mail());
}

#[test]
fn nothing_in_a_letter_becomes_a_header_of_its_own() {
    let mut evil = letter();
    evil.subject = "load\r\nBcc: all@bank.example\r\n\r\nbody".into();
    evil.from.name = Some("night\r\nBcc: all@bank.example".into());
    let mail = compose(&evil, evil.date).unwrap();
    let message = MessageParser::default().parse(&mail.bytes).unwrap();
    assert!(message.bcc().is_none());
    assert_eq!(message.subject(), Some("load Bcc: all@bank.example body"));

    for id in ["<a@b>\r\nBcc: c@d", "a@b", "<a>", "<@b>", "<a b@c>", "<a@b><c@d>"] {
        let why = compose(&Letter { message_id: id.into(), ..letter() }, evil.date).unwrap_err();
        assert!(why.to_string().contains("message id"), "{id}: {why}");
    }
    let mut nobody = letter();
    nobody.to.address = "li wei".into();
    let why = compose(&nobody, nobody.date).unwrap_err().to_string();
    assert!(why.contains("`li wei`"), "{why}");
}

#[tokio::test]
async fn a_folder_keeps_each_message_once_in_order() {
    let state = tempfile::tempdir().unwrap();
    let folder = state.path().join("mail");
    let mailer = FolderMailer::new(folder.clone());
    let first = mail();
    let second = Letter { message_id: "<b/2@bank.example>".into(), ..letter() };
    let second = compose(&second, second.date).unwrap();
    for mail in [&first, &second, &first] {
        mailer.send(mail).await.unwrap();
    }
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(
        files,
        ["000001-eod.2026-10-30.1.inc-7.li-wei@bank.example.eml", "000002-b%2f2@bank.example.eml"]
    );
    assert_eq!(fs::read(folder.join(&files[0])).unwrap(), first.bytes);

    let in_the_way = state.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let why = later(send(&FolderMailer::new(in_the_way.clone())).await);
    assert!(why.contains(in_the_way.to_str().unwrap()), "{why}");
}

#[tokio::test]
async fn a_server_takes_the_message_as_it_is() {
    let sink = Sink::listen(&[Behaviour::Accept]).await;
    let answer = send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await.unwrap();
    assert_eq!(answer, "250 2.0.0 queued as 4711");
    let heard = sink.heard().remove(0);
    assert!(heard.commands.contains(&"MAIL FROM:<nightrun@bank.example>".to_owned()));
    assert!(heard.commands.contains(&"RCPT TO:<li.wei@bank.example>".to_owned()));
    assert_eq!(heard.message, String::from_utf8(mail().bytes).ok());
}

#[tokio::test]
async fn a_server_that_refuses_for_now_gets_the_same_message_again() {
    let busy = Behaviour::Recipient("451 4.7.1 greylisted");
    let sink = Sink::listen(&[busy, Behaviour::HangAfterDot, Behaviour::Accept]).await;
    let mailer = |limit| SmtpMailer::new(smtp(sink.port, Tls::None), limit);
    let why = later(send(&mailer(LIMIT)).await);
    assert!(why.contains("greylisted"), "{why}");
    let why = later(send(&mailer(SHORT)).await);
    assert!(why.contains("may have been taken"), "{why}");
    send(&mailer(LIMIT)).await.unwrap();
    let heard = sink.heard();
    assert_eq!(heard[0].message, None);
    // The one that may have arrived and the one that did are the same to whoever gets both.
    assert_eq!(heard[1].message, heard[2].message);
    assert_eq!(heard[2].message, String::from_utf8(mail().bytes).ok());
}

/// Whatever is said to the message itself, before it is handed over or after: 4xx is later, 5xx is never.
#[tokio::test]
async fn an_answer_to_the_message_is_believed() {
    for later_words in ["451 4.3.0 try again", "421 4.3.2 closing", "452 4.2.2 mailbox full"] {
        for behaviour in [Behaviour::Data(later_words), Behaviour::Dot(later_words)] {
            let sink = Sink::listen(&[behaviour]).await;
            let why = later(send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await);
            assert!(why.contains(&later_words[4..]), "{behaviour:?}: {why}");
        }
    }
    for behaviour in [Behaviour::Data("554 5.7.1 no"), Behaviour::Dot("552 5.3.4 too large")] {
        let sink = Sink::listen(&[behaviour]).await;
        let sent = send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await;
        assert!(matches!(sent, Err(SendError::Never(_))), "{behaviour:?}: {sent:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_dot_is_later() {
    let sink = Sink::listen(&[Behaviour::CloseAfterDot]).await;
    let mailer = SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT);
    later(send(&mailer).await);
    send(&mailer).await.unwrap();
    let messages = sink.messages();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0], messages[1], "the same message, under the same id");
}

/// Words that come slowly are waited for as long as the whole takes no longer than its limit.
#[tokio::test]
async fn a_slow_server_gets_its_time_and_no_more() {
    let sink = Sink::listen(&[Behaviour::Trickle(1), Behaviour::Trickle(200)]).await;
    send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await.unwrap();
    let begun = Instant::now();
    let why = later(send(&SmtpMailer::new(smtp(sink.port, Tls::None), SHORT)).await);
    assert!(begun.elapsed() < LIMIT && why.contains("did not answer in 1s"), "{why}");
    assert_eq!(sink.messages().len(), 1);
}

#[tokio::test]
async fn a_server_whose_certificate_is_trusted_gets_the_message_encrypted() {
    let folder = tempfile::tempdir().unwrap();
    let tls = certificate(folder.path());
    let offered = Sink::encrypted(&[], Encryption::Offered(tls.clone())).await;
    let implicit = Sink::encrypted(&[], Encryption::FromTheStart(tls)).await;
    for (sink, kind) in [(&offered, Tls::StartTls), (&implicit, Tls::Implicit)] {
        let plain = smtp(sink.port, kind);
        let trusting = Smtp { ca: Some(folder.path().join("ca.pem")), ..plain.clone() };
        let answer = send(&SmtpMailer::new(trusting.clone(), LIMIT)).await.unwrap();
        assert_eq!(answer, "250 2.0.0 queued as 4711");
        let heard = sink.heard().remove(0);
        assert!(heard.encrypted, "{kind:?}: {heard:?}");
        assert_eq!(heard.message, String::from_utf8(mail().bytes).ok());

        // Nobody vouches for it, or not under this name: nothing is said to it.
        let why = later(send(&SmtpMailer::new(plain, LIMIT)).await);
        assert!(why.contains("certificate"), "{kind:?}: {why}");
        let other_name = Smtp { host: "localhost".into(), ..trusting.clone() };
        let why = later(send(&SmtpMailer::new(other_name, LIMIT)).await);
        assert!(why.contains("certificate"), "{kind:?}: {why}");
        assert_eq!(sink.messages().len(), 1, "{kind:?}");

        let missing = Smtp { ca: Some(folder.path().join("gone.pem")), ..trusting };
        let why = later(send(&SmtpMailer::new(missing, LIMIT)).await);
        assert!(why.contains("gone.pem"), "{kind:?}: {why}");
    }
}

#[tokio::test]
async fn only_a_servers_never_is_never() {
    let gone = Behaviour::Recipient("550 5.1.1 no such user");
    let sink = Sink::listen(&[gone]).await;
    let sent = send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await;
    assert!(
        matches!(&sent, Err(SendError::Never(why)) if why.contains("no such user")),
        "{sent:?}"
    );
    // Refused before it was about the message: somebody can mend that.
    for behaviour in [
        Behaviour::Greet("554 5.3.2 no service"),
        Behaviour::Recipient("530 5.7.0 sign in first"),
        Behaviour::Recipient("421 4.3.2 closing"),
    ] {
        let sink = Sink::listen(&[behaviour]).await;
        later(send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await);
    }
}

#[tokio::test]
async fn no_server_is_later() {
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let why = later(send(&SmtpMailer::new(smtp(port, Tls::None), LIMIT)).await);
    assert!(why.contains("refused"), "{why}");
}

#[tokio::test]
async fn a_server_that_says_nothing_holds_nobody_up() {
    let held = async |behaviour, tls| {
        let sink = Sink::listen(&[behaviour]).await;
        let begun = Instant::now();
        let why = later(send(&SmtpMailer::new(smtp(sink.port, tls), SHORT)).await);
        let took = begun.elapsed();
        assert!(took >= SHORT && took < LIMIT, "{behaviour:?} {tls:?}: {took:?}");
        assert!(why.contains("did not answer in 1s"), "{behaviour:?} {tls:?}: {why}");
    };
    tokio::join!(
        held(Behaviour::Mute, Tls::None),
        held(Behaviour::StallInEhlo, Tls::None),
        held(Behaviour::Mute, Tls::Implicit),
        held(Behaviour::StallTls, Tls::StartTls),
        held(Behaviour::HangAfterDot, Tls::None),
    );
    // The message was taken; the farewell is not worth a second message.
    let sink = Sink::listen(&[Behaviour::HangAtQuit]).await;
    send(&SmtpMailer::new(smtp(sink.port, Tls::None), LIMIT)).await.unwrap();
}

#[tokio::test]
async fn nothing_goes_out_in_the_clear_that_should_be_encrypted() {
    let sink = Sink::listen(&[Behaviour::Accept]).await;
    let why = later(send(&SmtpMailer::new(smtp(sink.port, Tls::StartTls), LIMIT)).await);
    assert!(why.contains("STARTTLS"), "{why}");
    let heard = sink.heard().remove(0);
    assert!(heard.commands.iter().all(|command| command.starts_with("EHLO")), "{heard:?}");
}

#[tokio::test]
async fn a_wrong_password_is_later_and_names_the_account() {
    let state = tempfile::tempdir().unwrap();
    let file = state.path().join("password");
    let signed = |port| Smtp {
        user: Some("nightrun".into()),
        password_file: Some(file.clone()),
        ..smtp(port, Tls::None)
    };
    let sink = Sink::listen(&[Behaviour::WrongPassword, Behaviour::WrongPassword]).await;
    let mailer = SmtpMailer::new(signed(sink.port), LIMIT);
    let why = later(send(&mailer).await);
    assert!(why.contains(file.to_str().unwrap()), "{why}");
    fs::write(&file, "secret\n").unwrap();
    let why = later(send(&mailer).await);
    assert!(why.contains("nightrun") && why.contains("wrong password"), "{why}");
    // "\0nightrun\0secret": the line's end is not part of it.
    let heard = sink.heard();
    assert!(heard[1].commands.contains(&"AUTH PLAIN AG5pZ2h0cnVuAHNlY3JldA==".to_owned()));
}
