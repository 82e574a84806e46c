//! The pages for browsers, as a browser asks for them; what scripts make of them is looked at in a browser
//! (`browser`).

use super::incident_page::{browse, failed_night, sign_in};

const NIGHT: &str = "/runs/night@2026-10-30%231";

#[test]
fn who_is_not_signed_in_is_led_to_the_sign_in_and_then_to_the_page() {
    let (served, _server) = failed_night();
    let page = format!("{NIGHT}/jobs/a");
    let unsigned = browse(&served, ("GET", &page), &[], None);
    let sign_in_page = "../../../login?to=runs/night@2026-10-30%25231/jobs/a";
    assert_eq!((unsigned.status, unsigned.headers["location"].as_str()), (303, sign_in_page));
    let form = browse(&served, ("GET", &sign_in_page[8..]), &[], None).ok();
    let wanted = "name=\"to\" value=\"runs/night@2026-10-30%231/jobs/a\"";
    assert!(form.body.contains(wanted), "{}", form.body);
    // A script that follows a page is told by the status.
    let part = browse(&served, ("GET", &page), &[("x-part", "main")], None);
    assert_eq!(
        (part.status, part.headers["content-type"].as_str()),
        (401, "application/problem+json")
    );
    // What it asks for behind the `?` comes back with it.
    let filtered = browse(&served, ("GET", &format!("{NIGHT}?show=trouble&q=a+b")), &[], None);
    let sign_in_page = filtered.headers["location"].strip_prefix("..").unwrap();
    let form = browse(&served, ("GET", sign_in_page), &[], None).ok().body;
    let wanted = "runs/night@2026-10-30%231?show=trouble&#38;q=a+b";
    assert!(form.contains(&format!("name=\"to\" value=\"{wanted}\"")), "{form}");
    let wanted = wanted.replace("&#38;", "%26").replace("?", "%3F").replace("%231", "%25231");
    let wanted = format!("person=ann&password=a+long+night&to={}", wanted.replace('+', "%2B"));
    let signed = browse(&served, ("POST", "/login"), &[], Some(&wanted));
    assert_eq!(signed.headers["location"], format!(".{NIGHT}?show=trouble&q=a+b"));
    let elsewhere = "person=ann&password=a+long+night&to=%2F%2Fevil.example";
    let signed = browse(&served, ("POST", "/login"), &[], Some(elsewhere));
    assert_eq!((signed.status, signed.headers["location"].as_str()), (303, "./"));
    served.night.kill();
}

#[test]
fn the_night_shows_what_is_red_and_is_sent_once() {
    let (served, _server) = failed_night();
    let ann = sign_in(&served, "ann");
    let with = [("cookie", ann.as_str())];
    let page = browse(&served, ("GET", "/"), &with, None).ok();
    // Markup of titles and of output is text; nothing is loaded from elsewhere, no script stands in the page.
    assert!(page.body.contains("A &#60;b&#62;bold"), "{}", page.body);
    let loads = ["<script>", "src=\"http", "href=\"http", "url(http"];
    assert!(!loads.iter().any(|word| page.body.contains(word)), "{}", page.body);
    let policy = &page.headers["content-security-policy"];
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    for part in ["incidents/INC-1", "runs/night@2026-10-30%231/jobs/a", "Nobody has acknowledged"] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    // The middle alone, and only where it is another.
    let part = browse(&served, ("GET", "/?q=a"), &[with[0], ("x-part", "main")], None).ok();
    assert!(!part.body.contains("<html") && part.body.contains("jobs/a\""), "{}", part.body);
    let known = ("if-none-match", part.headers["etag"].as_str());
    let again = browse(&served, ("GET", "/?q=a"), &[with[0], ("x-part", "main"), known], None);
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let none = browse(&served, ("GET", "/?q=nothing-is-called-so&page=7"), &with, None).ok();
    assert!(none.body.contains("No job is as asked for."), "{}", none.body);
    for name in ["css", "js"] {
        let at =
            page.body.split("/assets/").find(|part| part.contains(&format!(".{name}\""))).unwrap();
        let asset = format!("/assets/{}", at.split('"').next().unwrap());
        let asset = browse(&served, ("GET", &asset), &[], None).ok();
        assert!(asset.headers["cache-control"].contains("immutable"), "{asset:?}");
    }
    // Another language shows the same of it.
    let filtered = browse(&served, ("GET", "/?show=trouble"), &with, None).ok().body;
    assert!(filtered.contains("name=\"to\" value=\"?show=trouble\""), "{filtered}");
    // In this browser's own language and theme, without anything being recorded.
    let before = served.house.journal();
    let form = "lang=zh-CN&to=runs%2Fnight%402026-10-30%25231";
    let own = browse(&served, ("POST", "/own"), &[], Some(form));
    assert_eq!((own.status, own.headers["location"].as_str()), (303, &*format!(".{NIGHT}")));
    let chinese = [("cookie", &*format!("{ann}; nightrun_lang=zh-CN; nightrun_theme=light"))];
    let page = browse(&served, ("GET", NIGHT), &chinese, None).ok();
    assert!(page.body.contains("lang=\"zh-CN\" class=\"light\""), "{}", page.body);
    assert_eq!(served.house.journal(), before);
    served.night.kill();
}

#[test]
fn a_job_is_operated_from_its_page_by_who_may_and_only_by_its_form() {
    let (served, _server) = failed_night();
    let (ann, vera) = (sign_in(&served, "ann"), sign_in(&served, "vera"));
    let job = format!("{NIGHT}/jobs/a");
    let looks = browse(&served, ("GET", &job), &[("cookie", &vera)], None).ok();
    assert!(!looks.body.contains("a/retry") && !looks.body.contains("alert(1)"), "{}", looks.body);
    let log = format!("{job}/log.txt");
    assert_eq!(browse(&served, ("GET", &log), &[("cookie", &vera)], None).status, 403);
    let shown = browse(&served, ("GET", &job), &[("cookie", &ann)], None).ok().body;
    assert!(shown.contains("a/retry") && shown.contains("&#60;script&#62;alert(1)"), "{shown}");
    let file = browse(&served, ("GET", &log), &[("cookie", &ann)], None).ok();
    assert!(file.body.contains("<script>alert(1)</script>\n"), "{file:?}");
    assert!(file.headers["content-disposition"].starts_with("attachment"), "{file:?}");
    assert_eq!(file.headers["x-content-type-options"], "nosniff");

    let before = served.house.journal();
    let skip = format!("{job}/skip");
    let asked = browse(&served, ("GET", &skip), &[("cookie", &ann)], None).ok().body;
    assert!(asked.contains("b starts at once"), "{asked}");
    let token = asked.split("name=\"token\" value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let good = format!("token={token}&reason=not+needed+tonight");
    let refuses = |cookie: &str, form: &str, status: u16| {
        let answer = browse(&served, ("POST", &skip), &[("cookie", cookie)], Some(form));
        assert_eq!(answer.status, status, "{form}: {answer:?}");
    };
    refuses("", &good, 401);
    refuses(&vera, &good, 403);
    refuses(&ann, "reason=x", 422);
    refuses(&ann, "token=00&reason=x", 403);
    refuses(&ann, &format!("token={token}&reason=+"), 400);
    let cross = [("cookie", ann.as_str()), ("sec-fetch-site", "cross-site")];
    assert_eq!(browse(&served, ("POST", &skip), &cross, Some(&good)).status, 403);
    let unknown = browse(&served, ("GET", &format!("{job}/explode")), &[("cookie", &ann)], None);
    assert_eq!(unknown.status, 404);
    assert_eq!(served.house.journal(), before);
    let done = browse(&served, ("POST", &skip), &[("cookie", &ann)], Some(&good));
    assert_eq!((done.status, done.headers["location"].as_str()), (303, "../a"), "{done:?}");
    let acted = served.house.facts("acted");
    assert_eq!(
        (&acted[0]["by"], &acted[0]["reason"]),
        (&"ann".into(), &"not needed tonight".into())
    );
    // It can be done once.
    let again = browse(&served, ("POST", &skip), &[("cookie", &ann)], Some(&good));
    assert_eq!(again.status, 409, "{again:?}");
    served.night.kill();
}

#[test]
fn a_session_ends_with_the_sign_out_and_no_other_page_can_end_it() {
    let (served, _server) = failed_night();
    let ann = sign_in(&served, "ann");
    let with = [("cookie", ann.as_str())];
    let page = browse(&served, ("GET", "/"), &with, None).ok().body;
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(browse(&served, ("POST", "/logout"), &with, Some("token=00")).status, 403);
    browse(&served, ("GET", "/"), &with, None).ok();
    let out = browse(&served, ("POST", "/logout"), &with, Some(&format!("token={token}")));
    assert_eq!((out.status, out.headers["location"].as_str()), (303, "./"));
    assert!(out.headers["set-cookie"].contains("Max-Age=0"), "{out:?}");
    assert_eq!(browse(&served, ("GET", "/"), &with, None).status, 303);
    served.night.kill();
}

#[test]
fn the_report_of_a_run_is_read_in_a_browser_and_kept_as_a_file() {
    let (served, _server) = failed_night();
    let (ann, vera) = (sign_in(&served, "ann"), sign_in(&served, "vera"));
    let get = |cookie: &str, url: &str| browse(&served, ("GET", url), &[("cookie", cookie)], None);
    let (report, pdf) = (format!("{NIGHT}/report"), format!("{NIGHT}/report/pdf"));
    let (link, run) = (&format!("href=\"..{report}\""), get(&ann, NIGHT).ok().body);
    assert!(run.contains(link.as_str()) && run.contains(&format!("href=\"..{pdf}\"")), "{run}");
    let page = get(&ann, &report).ok();
    // The output is text, and the page may load and run nothing.
    assert!(page.body.contains("&#60;script&#62;alert(1)"), "{}", page.body);
    let policy = &page.headers["content-security-policy"];
    assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline';"), "{policy}");
    let file = get(&ann, &pdf).ok();
    assert!(file.body.starts_with("%PDF-"), "{}", file.body);
    assert_eq!(
        (file.headers["content-type"].as_str(), file.headers["content-disposition"].as_str()),
        ("application/pdf", "attachment; filename=\"night@2026-10-30-1.en.pdf\"")
    );
    assert_eq!(get(&ann, &format!("{NIGHT}/report/doc")).status, 404);
    // Who may not read output reads the report without it.
    let without = get(&vera, &report).ok().body;
    assert!(
        without.contains("Batch completion report") && !without.contains("alert(1)"),
        "{without}"
    );
    served.night.kill();
}
