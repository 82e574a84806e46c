//! The page that mails of incidents lead to: what a mail scanner does to it, and how a person answers there.

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::time::Duration;

use super::{Response, Served, send};
use crate::night::facts::eventually;
use crate::night::house::{House, SITE};
use crate::night::post::sink;
use crate::smtp_sink::Sink;

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty]}
  wei: {name: Wei Duty, name_zh: 魏值班, mail: wei@bank.example, language: zh, roles: [duty]}
  vera: {name: Vera Viewer, roles: [viewer]}
  rob: {name: Rob Report, mail: rob@bank.example, roles: [report]}
rights: {}
";

const PASSWORD: &str = "a long night";
const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

/// A night that fails, with markup in what its job prints, and the mails that tell of it.
pub(super) fn failed_night() -> (Served, Sink) {
    let house = House::new(
        "  a: {title: 'A <b>bold</b>', shell: \"echo '<script>alert(1)</script>'; exit 1\"}\n  b: {title: B, run: [sh, job.sh], needs: [a]}\n",
    );
    house.write("people.yaml", &PEOPLE.replace("rights: {}\n", ""));
    let server = sink(&[]);
    let smtp = format!("smtp: {{host: 127.0.0.1, port: {}, tls: none}}", server.port);
    let url = "url: https://night.bank.example:8420\n\
               rights: {duty: [read, logs, respond, operate], viewer: [read], report: [read]}\n";
    house.write("site.yaml", &(SITE.replace("folder: mail", &smtp) + url));
    let served = Served::of(house, "");
    for person in ["ann", "vera"] {
        served.password(person, PASSWORD);
    }
    served.house.run(&["run", "night", "--date", "2026-10-30"]).code(1);
    eventually("two mails of the incident and the report", || server.messages().len() == 3);
    eventually("that all is known to be sent", || unsent(&served.house).is_empty());
    (served, server)
}

fn unsent(house: &House) -> String {
    house.run(&["mail", "list", "--format", "json"]).code(0).out
}

/// As a browser asks: `form` is what its form sends.
pub(super) fn browse(
    served: &Served,
    question: (&str, &str),
    headers: &[(&str, &str)],
    form: Option<&str>,
) -> Response {
    let stream = TcpStream::connect(("127.0.0.1", served.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let form = form.map(|form| ("application/x-www-form-urlencoded", form.to_owned()));
    send(stream, question, &[&[HTML], headers].concat(), form)
}

pub(super) fn sign_in(served: &Served, person: &str) -> String {
    let form =
        format!("person={person}&password={}&to=incidents%2FINC-1", PASSWORD.replace(' ', "+"));
    let signed_in = browse(served, ("POST", "/login"), &[], Some(&form));
    assert_eq!(
        (signed_in.status, signed_in.headers["location"].as_str()),
        (303, "./incidents/INC-1")
    );
    let cookie = &signed_in.headers["set-cookie"];
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    cookie.split(';').next().unwrap().to_owned()
}

/// What the forms of a page send back.
pub(super) fn token_of(page: &str) -> String {
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
    token.split('"').next().unwrap().to_owned()
}

/// Every address in all parts of a message.
fn links(message: &str) -> BTreeSet<String> {
    let parsed = mail_parser::MessageParser::default().parse(message.as_bytes()).unwrap();
    let bodies = [parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap()];
    let texts =
        bodies.iter().flat_map(|body| body.match_indices("http").map(|(at, _)| &body[at..]));
    let ends = |c: char| c.is_whitespace() || "\"'<>".contains(c);
    texts.map(|text| text.split(ends).next().unwrap().to_owned()).collect()
}

#[test]
fn whoever_presses_every_link_of_every_mail_changes_nothing() {
    let (served, server) = failed_night();
    let mut all = BTreeSet::new();
    for message in server.messages() {
        all.extend(links(&message));
    }
    let page = "https://night.bank.example:8420/incidents/INC-1".to_owned();
    assert_eq!(all, BTreeSet::from([page]), "only the page of the incident");
    let session = sign_in(&served, "ann");
    let house = &served.house;
    let before = (house.journal(), unsent(house), server.messages().len());
    for link in &all {
        let path = link.strip_prefix("https://night.bank.example:8420").unwrap();
        for method in ["GET", "HEAD"] {
            let unsigned = browse(&served, (method, path), &[], None);
            let to = unsigned.headers["location"].as_str();
            assert_eq!((unsigned.status, to), (303, "../login?to=incidents/INC-1"));
            let form = browse(&served, (method, "/login?to=incidents/INC-1"), &[], None).ok();
            assert!(method == "HEAD" || form.body.contains("action=\"./login\""), "{form:?}");
            // Without saying what it takes, and with a page that it keeps from before.
            assert_eq!(served.ask((method, path), &[], None).status, 401);
            let signed = browse(&served, (method, path), &[("cookie", &session)], None);
            assert_eq!(signed.status, 200, "{signed:?}");
            // Nor does one that also tries what the forms of the page name.
            for step in ["ack", "take-over", "note", "mute", "resolve", "hand-in"] {
                let pressed = browse(
                    &served,
                    (method, &format!("{path}/{step}")),
                    &[("cookie", &session)],
                    None,
                );
                assert_eq!(pressed.status, 405, "{pressed:?}");
            }
        }
    }
    assert_eq!((house.journal(), unsent(house), server.messages().len()), before);
    served.night.kill();
}

#[test]
fn a_person_answers_on_the_page_and_nothing_else_can_in_that_name() {
    let (served, _server) = failed_night();
    let page = ("GET", "/incidents/INC-1");
    let sign_in_page = ("GET", "/login?to=incidents/INC-1");
    let unsigned = browse(&served, sign_in_page, &[("accept-language", "zh-CN")], None).ok();
    assert!(unsigned.body.contains("请登录"), "{unsigned:?}");
    let wrong = browse(
        &served,
        ("POST", "/login"),
        &[],
        Some("person=ann&password=x&to=incidents%2FINC-1"),
    );
    assert!(wrong.status == 401 && wrong.body.contains("not the person"), "{wrong:?}");
    assert!(wrong.body.contains("action=\"./login\""));
    assert!(wrong.body.contains("value=\"incidents/INC-1\""), "{wrong:?}");
    // What can be nobody's id is told as a wrong password is, and recorded.
    let nobody =
        format!("person=Ann+Duty&password={}&to=incidents%2FINC-1", PASSWORD.replace(' ', "+"));
    let nobody = browse(&served, ("POST", "/login"), &[], Some(&nobody));
    assert_eq!((nobody.status, nobody.body), (401, wrong.body));
    assert_eq!(served.house.facts("login-refused")[1]["why"], "unknown-person");

    // As the keyboard of a phone writes it.
    let ann = sign_in(&served, "Ann+");
    let shown = browse(&served, page, &[("cookie", &ann)], None).ok();
    for header in ["content-security-policy", "x-frame-options", "x-content-type-options"] {
        assert!(shown.headers.contains_key(header), "{header}: {shown:?}");
    }
    assert_eq!(shown.headers["cache-control"], "no-store");
    // Markup of a title and of what a job has printed is text.
    assert!(!shown.body.contains("<script>") && !shown.body.contains("<b>bold"), "{}", shown.body);
    assert!(shown.body.contains("&#60;script&#62;alert(1)"), "{}", shown.body);
    assert!(shown.body.contains("Nobody has acknowledged it"), "{}", shown.body);
    // What can be done first, as commands, and as data for programs.
    let retry = "nightrun retry night.a --date 2026-10-30 --reason";
    assert!(shown.body.contains(retry), "{}", shown.body);
    assert!(served.house.run(&["incident", "show", "INC-1"]).code(0).out.contains(retry));
    let data = super::get(&served.house, "/api/v1/incidents/INC-1").ok().json();
    let offer = serde_json::json!({ "offer": "act", "jobs": "a", "action": { "do": "retry" } });
    assert_eq!(data["offers"][0], offer, "{data}");
    let token = token_of(&shown.body);

    // Others of the house: who may only look sees neither the output nor a form but the way out.
    let vera = sign_in(&served, "vera");
    let looks = browse(&served, page, &[("cookie", &vera)], None).ok();
    assert!(!looks.body.contains("alert(1)"), "{}", looks.body);
    let forms: Vec<&str> = looks.body.split("<form class=\"boxed\"").skip(1).collect();
    assert!(forms.is_empty(), "{}", looks.body);
    let ack = ("POST", "/incidents/INC-1/ack");
    let good = format!("token={token}&reason=on+it");
    let refuses = |headers: &[(&str, &str)], form: &str, status: u16| {
        let answer = browse(&served, ack, headers, Some(form));
        assert_eq!(answer.status, status, "{headers:?} {form}: {answer:?}");
        assert!(answer.headers["content-type"].starts_with("text/html"), "{answer:?}");
        assert!(answer.body.contains("../../incidents/INC-1") || status == 401, "{answer:?}");
    };
    refuses(&[], &good, 401);
    refuses(&[("cookie", &vera)], &good, 403);
    refuses(&[("cookie", &ann)], "reason=x", 422);
    refuses(&[("cookie", &ann)], "token=00&reason=x", 403);
    refuses(&[("cookie", &ann), ("sec-fetch-site", "cross-site")], &good, 403);
    refuses(&[("cookie", &ann)], "{\"reason\": \"x\"}", 422);
    assert!(served.house.facts("incident-moved").is_empty());

    let with = [("cookie", ann.as_str()), ("sec-fetch-site", "same-origin")];
    let done = browse(&served, ack, &with, Some(&good));
    assert_eq!((done.status, done.headers["location"].as_str()), (303, "../INC-1"), "{done:?}");
    let moved = served.house.facts("incident-moved");
    assert_eq!(
        (moved.len(), &moved[0]["by"], &moved[0]["reason"]),
        (1, &"ann".into(), &"on it".into())
    );
    let again = browse(&served, ack, &with, Some(&good));
    assert!(again.status == 409 && again.body.contains("takes care of INC-1 already"), "{again:?}");
    let empty =
        browse(&served, ("POST", "/incidents/INC-1/note"), &with, Some(&format!("token={token}")));
    assert_eq!(empty.status, 400, "{empty:?}");
    let note = format!("token={token}&reason=%3Ci%3Ecalled%3C%2Fi%3E+the+vendor");
    assert_eq!(browse(&served, ("POST", "/incidents/INC-1/note"), &with, Some(&note)).status, 303);
    let shown = browse(&served, page, &[("cookie", &ann)], None).ok().body;
    assert!(
        shown.contains("Ann Duty takes care of it") && shown.contains("&#60;i&#62;called"),
        "{shown}"
    );
    assert!(!shown.contains("/ack\""), "{shown}");
    let unknown = browse(&served, ("GET", "/incidents/INC-99"), &[("cookie", &ann)], None);
    assert!(unknown.status == 404 && unknown.body.contains("<h1>"), "{unknown:?}");
    served.night.kill();
}

/// The steps that a page has forms for.
fn offered(page: &str) -> Vec<&str> {
    let actions = page.split("action=\"INC-1/").skip(1);
    actions.map(|action| action.split('"').next().unwrap()).collect()
}

#[test]
fn every_step_that_the_page_offers_can_be_taken_there_and_the_session_ended() {
    let (served, _server) = failed_night();
    let ann = sign_in(&served, "ann");
    let with = [("cookie", ann.as_str()), ("sec-fetch-site", "same-origin")];
    let page = |form: Option<(&str, &str)>| match form {
        None => browse(&served, ("GET", "/incidents/INC-1"), &with, None),
        Some((path, form)) => browse(&served, ("POST", path), &with, Some(form)),
    };
    let token = token_of(&page(None).ok().body);
    let take = |step: &str, words: &str| {
        let form = format!("token={token}&{words}");
        page(Some((&format!("/incidents/INC-1/{step}"), &form)))
    };
    let open = ["note", "resolve", "on-site", "third-party", "mute", "grade", "interruption"];
    assert_eq!(offered(&page(None).ok().body), [&["ack"], &open[..]].concat());
    // What is blank, or no time, or longer than a day, is told on a page, and nothing is done.
    for (step, words, status) in [
        ("third-party", "whom=+&reason=", 400),
        ("resolve", "cause=a+disk&measure=", 400),
        ("mute", "lasts=2d&reason=x", 409),
        ("mute", "lasts=soon&reason=x", 422),
        ("interruption", "service=clearing&from=yesterday&to=2026-10-30T22:00", 422),
        ("interruption", "service=clearing&from=2026-10-30T22:10&to=2026-10-30T22:00", 409),
    ] {
        let refused = take(step, words);
        assert_eq!(refused.status, status, "{step} {words}: {refused:?}");
        assert!(refused.body.contains("href=\"../../incidents/INC-1\""), "{refused:?}");
    }
    assert!(served.house.facts("incident-moved").is_empty());
    for (step, words) in [
        ("ack", "reason="),
        ("on-site", "reason="),
        ("third-party", "whom=the+vendor&reason=disk"),
        ("mute", "lasts=30m&reason=we+are+on+it"),
        ("unmute", "reason="),
        ("grade", "severity=p2&reason=clearing+goes+on"),
        ("interruption", "service=clearing&from=2026-10-30T22:00&to=2026-10-30T22:10"),
        ("resolve", "cause=a+disk&measure=another+disk"),
        ("hand-in", "reason="),
    ] {
        assert!(offered(&page(None).ok().body).contains(&step), "{step}");
        let done = take(step, words);
        assert_eq!(done.status, 303, "{step}: {done:?}");
        assert_eq!(done.headers["location"], "../INC-1");
    }
    let moved = served.house.facts("incident-moved");
    let step =
        |word: &str| &moved.iter().find(|fact| fact["step"]["step"] == word).unwrap()["step"];
    assert_eq!(step("third-party")["whom"], "the vendor");
    assert_eq!(step("resolved")["measure"], "another disk");
    // By the clock of the site, which is in Berlin.
    assert_eq!(step("interruption")["from"], "2026-10-30T21:00:00Z");
    let over = page(None).ok().body;
    assert_eq!(offered(&over), ["note", "interruption"], "it is resolved, and its report is there");

    // No page of another site signs somebody out; the form does.
    let out = |headers: &[(&str, &str)], token: &str| {
        let form = format!("token={token}");
        browse(&served, ("POST", "/logout"), headers, Some(&form))
    };
    assert_eq!(out(&with, "00").status, 403);
    let foreign = [("cookie", ann.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(out(&foreign, &token).status, 403);
    let done = out(&with, &token);
    assert_eq!((done.status, done.headers["location"].as_str()), (303, "./"));
    assert!(done.headers["set-cookie"].contains("Max-Age=0"), "{done:?}");
    let after = page(None);
    assert_eq!(after.headers["location"], "../login?to=incidents/INC-1", "{after:?}");
    // Once more, from a page that was left open: the sign-in, and not a word of a mistake.
    let again = out(&[], &token);
    assert!(again.status == 401 && again.body.contains("action=\"./login\""), "{again:?}");
    assert!(!again.body.contains("token"), "{again:?}");
    served.night.kill();
}
