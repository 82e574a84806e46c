//! The pages of changes: whom a change waits for, what each person is shown and may do, and that markup of it is text.

use rustix::process::Signal;

use super::incident_page::{browse, sign_in, token_of};
use super::office::{CHANGE, PEOPLE, SQL, folder, house};
use super::{Response, Served};
use crate::night::facts::eventually;
use crate::night::house::House;

const RIGHTS: &str = "
rights:
  business: [read]
  duty: [read, logs]
  developer: [read, logs, changes]
  dba: [read, logs, changes, second]
  dev-lead: [read, logs, changes]
  operations: [read, logs, changes, second]
";

/// With rights by roles, and an author who has the role of an approver too.
pub(crate) fn release_house() -> House {
    let house = house();
    let site = std::fs::read_to_string(house.site().join("site.yaml")).unwrap();
    house.write("site.yaml", &(site + RIGHTS));
    house.write(
        "people.yaml",
        &PEOPLE.replace("roles: [developer]", "roles: [developer, dev-lead]"),
    );
    folder(&house, "rate", "structure", &format!("-- <script>alert(1)</script>\n{SQL}"));
    let paper = CHANGE.replace("CLASS", "structure").replace("Correct the", "'Correct <b>the</b>");
    let paper = paper.replace("rate\ntitle_zh", "rate'\ntitle_zh");
    let more =
        "ticket: https://tickets.bank.example/CHG-4711\nrelated: ['<img src=x> of custody']\n";
    house.write("changes/rate/change.yaml", &(paper + more));
    house
}

struct Desk {
    served: Served,
}

impl Desk {
    fn of(house: House) -> Self {
        let served = Served::of(house, "");
        for person in ["wei", "asker", "dba", "dev", "ops", "ann"] {
            served.password(person, "a long night");
        }
        Self { served }
    }

    fn sign_in(&self, person: &str) -> Person<'_> {
        Person { served: &self.served, cookie: sign_in(&self.served, person) }
    }
}

struct Person<'a> {
    served: &'a Served,
    cookie: String,
}

impl Person<'_> {
    fn ask(&self, question: (&str, &str), form: Option<&str>) -> Response {
        browse(self.served, question, &[("cookie", &self.cookie)], form)
    }

    fn page(&self, path: &str) -> String {
        self.ask(("GET", path), None).ok().body
    }

    /// Opens the form of a step, and sends it with what it takes besides a reason.
    fn take(&self, place: &str, more: &str) -> Response {
        let (step, query) = place.split_once('?').unwrap_or((place, ""));
        let signs = ["review", "approve"].iter().any(|word| step.ends_with(word));
        let seen = if signs { format!("&seen={}", self.read()) } else { String::new() };
        let asked = self.page(&format!("/changes/{step}?{query}{seen}"));
        let path = format!("/changes/{step}");
        let form = format!("token={}&reason=as+agreed{more}{seen}", token_of(&asked));
        self.ask(("POST", &path), Some(&form))
    }

    /// The digest of the scripts on the page of the change, for whoever is to sign them.
    fn read(&self) -> String {
        let page = self.page("/changes/rate");
        let seen = page.split("seen=").nth(1).unwrap().split('"').next().unwrap();
        seen.to_owned()
    }

    #[track_caller]
    fn done(&self, place: &str, more: &str) {
        let answer = self.take(place, more);
        assert_eq!(
            (answer.status, answer.headers["location"].as_str()),
            (303, "../rate"),
            "{answer:?}"
        );
    }
}

#[track_caller]
fn has(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[track_caller]
fn has_not(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(!page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_change_is_signed_by_its_pages_by_whom_it_waits_for_and_by_nobody_else() {
    let desk = Desk::of(release_house());
    let (wei, asker) = (desk.sign_in("wei"), desk.sign_in("asker"));
    let (dba, dev) = (desk.sign_in("dba"), desk.sign_in("dev"));
    // Whoever may only look sees neither scripts nor anything to press; markup is text wherever it comes from.
    let seen = asker.page("/changes/rate");
    has(
        &seen,
        &["The scripts of changes are not for you.", "Correct &#60;b&#62;the&#60;/b&#62; rate"],
    );
    has(
        &seen,
        &["&#60;img src=x&#62; of custody", "href=\"https://tickets.bank.example/CHG-4711\""],
    );
    has_not(&seen, &["rate/submit", "class=\"k\"", "<b>the", "<img"]);
    let seen = desk.sign_in("ann").page("/changes/rate");
    has(&seen, &["<span class=\"k\">update</span> fee"]);
    has_not(&seen, &["rate/submit", "rate/withdraw", "rate/return"]);
    let seen = wei.page("/changes/rate");
    has(
        &seen,
        &["rate/submit", "<span class=\"k\">update</span> fee", "<span class=\"n\">30</span>"],
    );
    has(&seen, &["&#60;script&#62;alert(1)", "its scripts to be handed in", "Wei Author"]);
    has_not(&seen, &["<script>alert", "class=\"diff\""]);
    has(&wei.page("/changes"), &["Waiting for you", "href=\"./changes/rate\""]);
    has_not(&asker.page("/changes"), &["Waiting for you"]);

    let before = desk.served.house.journal();
    assert_eq!(asker.ask(("GET", "/changes/rate/submit"), None).status, 403);
    assert_eq!(asker.ask(("POST", "/changes/rate/submit"), Some("token=x&reason=x")).status, 403);
    has(
        &wei.page("/changes/rate/submit"),
        &["It is written then.", "review of its scripts", "Dba"],
    );
    assert_eq!(desk.served.house.journal(), before, "to look changes nothing");
    wei.done("rate/submit", "");
    has(
        &asker.page("/changes/rate"),
        &["review of its scripts", "<span class=\"soft\">Dba (dba)</span>"],
    );
    has(&dba.page("/changes?show=mine"), &["changes/rate"]);
    has_not(&dev.page("/changes?show=mine"), &["changes/rate"]);
    dba.done("rate/review", "");

    // Its author has the role for it, and is kept from it in words.
    let seen = wei.page("/changes/rate");
    has(&seen, &["You have a part in it: author.", "as it was handed in"]);
    has_not(&seen, &["rate/approve"]);
    let seen = dev.read();
    let approve = &format!("/changes/rate/approve?environment=uat&seen={seen}");
    let refused = wei.ask(("GET", approve), None);
    assert_eq!(refused.status, 409);
    has(&refused.body, &["wei has a part in rate as author already, and cannot be its approver"]);
    has(&refused.body, &["href=\"../../changes/rate\">Back"]);
    // Only by its own form.
    let before = desk.served.house.journal();
    let token = token_of(&dev.page(approve));
    let good = format!("token={token}&environment=uat&seen={seen}&reason=it+is+right");
    // Nor without a word of which scripts were read: who asks for the form so is led to them.
    let led = dev.ask(("GET", "/changes/rate/approve?environment=uat"), None);
    assert_eq!((led.status, led.headers["location"].as_str()), (303, "../rate"));
    let unread = format!("token={token}&environment=uat&reason=x");
    let refused = dev.ask(("POST", "/changes/rate/approve"), Some(&unread));
    assert_eq!(refused.status, 400);
    has(&refused.body, &["the digest of the scripts that were read"]);
    for (form, status) in [
        ("reason=x&environment=uat", 403),
        ("token=00&reason=x&environment=uat", 403),
        (&format!("token={token}&environment=uat&seen={seen}&reason=+"), 400),
        (&format!("token={token}&environment=nowhere&seen={seen}&reason=x"), 404),
        (&format!("token={token}&environment=uat&seen={seen}&how=sideways&reason=x"), 400),
    ] {
        let answer = dev.ask(("POST", "/changes/rate/approve"), Some(form));
        assert_eq!(answer.status, status, "{form}: {answer:?}");
    }
    let cross = [("cookie", dev.cookie.as_str()), ("sec-fetch-site", "cross-site")];
    let path = ("POST", "/changes/rate/approve");
    assert_eq!(browse(&desk.served, path, &cross, Some(&good)).status, 403);
    assert_eq!(desk.served.house.journal(), before);
    // A session that is over by then is opened on the page of the change, not at the form without what it was about.
    let out = browse(&desk.served, path, &[], Some(&good));
    assert_eq!(out.status, 401);
    has(&out.body, &["value=\"changes/rate\""]);
    has_not(&out.body, &["changes/rate/approve"]);
    assert_eq!(dev.ask(path, Some(&good)).status, 303);
    let last = desk.served.house.facts("change-moved").pop().unwrap();
    assert_eq!((&last["by"], &last["reason"]), (&"dev".into(), &"it is right".into()));
    assert_eq!(last["step"]["environment"], "uat");
    let seen = asker.page("/changes/rate");
    has(&seen, &["Dev Lead (20", "its start in uat", "it is right"]);
    // What is no step, and what is no change.
    assert_eq!(dev.ask(("GET", "/changes/rate/explode"), None).status, 400);
    assert_eq!(dev.ask(("GET", "/changes/nothing"), None).status, 404);
    desk.served.night.kill();
}

#[test]
fn what_was_altered_after_its_approval_is_void_and_shown_line_by_line() {
    let desk = Desk::of(release_house());
    let (wei, dba, dev, ops) =
        (desk.sign_in("wei"), desk.sign_in("dba"), desk.sign_in("dev"), desk.sign_in("ops"));
    wei.done("rate/submit", "");
    dba.done("rate/review", "");
    dev.done("rate/approve?environment=uat", "&environment=uat");
    let seen = dev.page("/changes/rate");
    has(&seen, &["as it was approved", "rate/approve?environment=production&#38;seen="]);
    let read = dev.read();
    let form = dev.page(&format!("/changes/rate/approve?environment=production&seen={read}"));
    has(&form, &[&format!("name=\"seen\" value=\"{read}\"")]);
    let house = &desk.served.house;
    house.write("changes/rate/change.sql", &SQL.replace("30", "31"));
    desk.served.night.signal(Signal::HUP);
    let void = "reviews and approvals are void";
    eventually("the changed files", || dev.page("/changes/rate").contains(void));
    let seen = dev.page("/changes/rate");
    has(&seen, &["not as it was approved", "What has changed since it was approved"]);
    has(&seen, &["<span class=\"line del\">-update fee set rate = 30 where id = 1;"]);
    has(&seen, &["<span class=\"line add\">+update fee set rate = 31 where id = 1;"]);
    has(&seen, &["its scripts to be handed in", "</span> void</span> rate"]);
    has(&dev.page("/changes"), &["</span> void</span>"]);
    has_not(&seen, &["rate/approve", "rate/schedule"]);
    // Handed in and reviewed anew it may be approved, but not by who has read what it was before.
    wei.done("rate/submit", "");
    dba.done("rate/review", "");
    let before = house.journal();
    let old = format!("token={}&environment=production&seen={read}&reason=x", token_of(&form));
    let refused = dev.ask(("POST", "/changes/rate/approve"), Some(&old));
    assert_eq!(refused.status, 409);
    has(&refused.body, &["are not those that you were shown"]);
    let late = format!("/changes/rate/approve?environment=production&seen={read}");
    assert_eq!(dev.ask(("GET", &late), None).status, 409);
    assert_eq!(house.journal(), before);
    dev.done("rate/approve?environment=production", "&environment=production");
    has(&ops.page("/changes/rate/return"), &["everything that was signed is void"]);
    ops.done("rate/return", "");
    has(&ops.page("/changes/rate"), &["sent back"]);
    // Both languages; what is not there is not asked for.
    let chinese = format!("{}; nightrun_lang=zh-CN", ops.cookie);
    let page = browse(&desk.served, ("GET", "/changes/rate"), &[("cookie", &chinese)], None).ok();
    has(&page.body, &["已退回", "提交脚本", "变更脚本", "与审批时一致"]);
    desk.served.night.kill();
}

#[test]
fn changes_are_found_by_what_is_asked_for_and_old_ones_are_paged() {
    let house = release_house();
    for number in 0..60 {
        folder(&house, &format!("fee-{number:02}"), "data", SQL);
    }
    let desk = Desk::of(house);
    let ops = desk.sign_in("ops");
    let rows = |path: &str| ops.page(path).matches("<tr data-key=").count();
    assert_eq!(rows("/changes"), 50);
    assert_eq!(rows("/changes?page=2"), 11);
    // A page that is not there is the last.
    assert_eq!(rows("/changes?page=99"), 11);
    assert_eq!(rows("/changes?class=structure"), 1);
    assert_eq!(rows("/changes?q=FEE-1"), 10);
    assert_eq!(rows("/changes?q=chg-4711"), 1);
    assert_eq!(rows("/changes?environment=uat&team=custody&class=data&q=fee-59"), 1);
    assert_eq!(rows("/changes?team=nobody"), 0);
    assert_eq!(rows("/changes?stage=written"), 0);
    assert_eq!(rows("/changes?show=over"), 0);
    let wei = desk.sign_in("wei");
    wei.done("rate/submit", "");
    ops.done("rate/withdraw", "");
    assert_eq!(rows("/changes?show=over"), 1);
    assert_eq!(rows("/changes?q=rate"), 50, "they all correct a rate");
    has(&ops.page("/changes?show=over"), &["withdrawn"]);
    // The meetings.
    has(&ops.page("/changes/lists"), &["Release plan: uat", "List of production"]);
    assert_eq!(ops.ask(("GET", "/changes/lists?environment=nowhere"), None).status, 404);
    desk.served.night.kill();
}
