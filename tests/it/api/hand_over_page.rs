//! The page of shift hand-overs: what each side is offered, and how a shift goes from one to the other on it.

use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Served;
use super::incident_page::{browse, token_of};
use crate::night::facts::eventually;
use crate::night::house::{House, SITE};

const PEOPLE: &str = "
version: 1
people:
  ann: {name: Ann Duty, mail: ann@bank.example, roles: [duty]}
  wei: {name: Wei Duty, name_zh: 魏值班, mail: wei@bank.example, language: zh, roles: [duty]}
  vera: {name: Vera Viewer, roles: [viewer]}
";

pub(crate) const RIGHTS: &str = "rights: {duty: [read, logs, respond, operate], viewer: [read]}\n";

/// Ann has the shift of now, which ends in an hour, and Wei the next one; the hand-over has begun.
pub(crate) fn in_shifts(house: &House) {
    let now = Timestamp::now().in_tz("Europe/Berlin").unwrap();
    let at = |hours: i64| {
        let at = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
        at.strftime("%H:%M").to_string()
    };
    let (from, between, to) = (at(-2), at(1), at(3));
    house.write(
        "shifts.yaml",
        &format!(
            "version: 1\nshifts:\n  night: {{title: Night, title_zh: 夜班, from: '{from}', to: '{between}'}}\n  \
             early: {{title: Early, title_zh: 早班, from: '{between}', to: '{to}'}}\n\
             hand_over: {{between: [{{from: night, to: [early]}}], prepare: 12h}}\n"
        ),
    );
    let (first, last) = (now.date() - 2.days(), now.date() + 2.days());
    let line = |shift, who| {
        format!("  - {{shift: {shift}, from: {first}, to: {last}, people: [{who}]}}\n")
    };
    let lines = [line("night", "ann"), line("early", "wei")].concat();
    house.write("roster.yaml", &format!("version: 1\nroster:\n{lines}"));
}

fn signed_in(served: &Served, person: &str) -> String {
    served.password(person, "a long night");
    let form = format!("person={person}&password=a+long+night&to=hand-overs");
    let signed = browse(served, ("POST", "/login"), &[], Some(&form));
    assert_eq!(signed.headers["location"], "./hand-overs");
    signed.headers["set-cookie"].split(';').next().unwrap().to_owned()
}

#[test]
fn a_shift_is_given_and_accepted_on_its_page_each_step_by_whose_turn_it_is() {
    let house = House::new("  a: {title: A, run: ['true']}\n");
    house.write("people.yaml", PEOPLE);
    house.write("site.yaml", &(SITE.to_owned() + RIGHTS));
    in_shifts(&house);
    let served = Served::of(house, "");
    eventually("the hand-over", || !served.house.facts("hand-over-opened").is_empty());
    let id = served.house.facts("hand-over-opened")[0]["hand_over"].as_str().unwrap().to_owned();
    let people = ["ann", "wei", "vera"].map(|person| signed_in(&served, person));
    let [ann, wei, vera] = people.each_ref().map(String::as_str);
    let page = |cookie: &str| {
        browse(&served, ("GET", "/hand-overs"), &[("cookie", cookie)], None).ok().body
    };
    let offers = |cookie: &str| {
        let page = page(cookie);
        let steps = ["note", "give", "accept"];
        let offered = |step: &&str| page.contains(&format!("action=\"./hand-overs/{id}/{step}\""));
        steps.into_iter().filter(offered).collect::<Vec<_>>()
    };
    assert_eq!((offers(ann), offers(wei), offers(vera)), (vec!["note", "give"], vec![], vec![]));
    for place in ["/", "/incidents"] {
        let page = browse(&served, ("GET", place), &[("cookie", ann)], None).ok().body;
        assert!(page.contains("href=\"./hand-overs\""), "{place}: {page}");
    }

    let send = |cookie: &str, step: &str, form: &str| {
        let path = format!("/hand-overs/{id}/{step}");
        browse(&served, ("POST", &path), &[("cookie", cookie)], Some(form))
    };
    let token = token_of(&page(ann));
    let before = served.house.journal();
    let words = "rates+come+by+%3Cb%3Ehand";
    assert_eq!(send(vera, "note", &format!("token={token}&words=x")).status, 403);
    assert_eq!(send(ann, "note", "token=00&words=x").status, 403);
    assert_eq!(send(ann, "note", &format!("token={token}&words=+")).status, 400);
    assert_eq!(send(ann, "explode", &format!("token={token}&words=x")).status, 404);
    let token_of_wei = token_of(&page(wei));
    assert_eq!(send(wei, "accept", &format!("token={token_of_wei}")).status, 409);
    assert_eq!(served.house.journal(), before);
    for (cookie, step, form) in [
        (ann, "note", format!("token={token}&words={words}")),
        (ann, "give", format!("token={token}&words=")),
        (wei, "accept", format!("token={token_of_wei}&words=")),
    ] {
        if step == "accept" {
            assert_eq!((offers(ann), offers(wei)), (vec!["note"], vec!["accept"]));
        }
        let done = send(cookie, step, &form);
        let to = done.headers.get("location").map(String::as_str);
        assert_eq!((done.status, to), (303, Some(&*format!("../{id}"))), "{step}: {done:?}");
    }
    let moved = served.house.facts("hand-over-moved");
    let steps: Vec<_> = moved.iter().map(|fact| (&fact["by"], &fact["step"]["step"])).collect();
    assert_eq!(
        steps,
        [
            (&"ann".into(), &"noted".into()),
            (&"ann".into(), &"given".into()),
            (&"wei".into(), &"accepted".into())
        ]
    );
    // It is over: none is due, and what was handed over stays to be read.
    assert!(page(ann).contains("No hand-over is open."));
    let path = format!("/hand-overs/{id}");
    let kept = browse(&served, ("GET", &path), &[("cookie", ann)], None).ok().body;
    assert!(kept.contains("rates come by &#60;b&#62;hand") && !kept.contains("boxed"), "{kept}");
    let nothing = browse(&served, ("GET", "/hand-overs/x@2020-01-01"), &[("cookie", ann)], None);
    assert_eq!(nothing.status, 404);
    served.night.kill();
}
