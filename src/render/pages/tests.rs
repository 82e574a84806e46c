//! Pages that are written to be looked at, and what markup in names, output and words of people becomes on them.

use super::*;
use crate::core::hand_over::HandOverWish;
use crate::core::select::Deed;
use crate::render::hand_over::tests::{accepted, busy};
use crate::render::incident_page::{self, Asker};
use crate::render::sample::{
    bad_night, fault, inspections, li_wei, name, running_night, worked_on,
};
use crate::types::{IncidentId, Text};
use crate::view::incident::{IncidentView, Which};
use crate::view::job::StateWord;
use crate::view::night_rows::Wanted;
use crate::view::one_job::{JobView, NeedLine, Neighbour, PastAttempt};
use crate::view::report::ReportView;
use crate::view::roster::RosterView;
use crate::view::status::{StatusPage, StatusView};
use crate::view::tried::Tried;

const EVIL: &str = "<script>alert(1)</script><img src=x onerror=alert(2)> \"'&</pre></main>";

/// No tag of a page is one that acts by itself, and the markup that was put in is there as text.
pub(crate) fn only_text(page: &str) {
    let lower = page.to_lowercase();
    for tag in lower.split('<').skip(1).filter_map(|part| part.split('>').next()) {
        // What stands in quotes is text.
        let bare: String = tag.split('"').step_by(2).collect();
        for word in ["script", "img", "frame", " src=", " on", "http-equiv"] {
            assert!(!bare.contains(word), "{word}: {tag}");
        }
    }
    assert!(page.contains("&#60;script&#62;"), "{page}");
    assert_eq!(lower.matches("</pre>").count(), lower.matches("<pre").count());
}

fn status(night: ReportView) -> StatusView {
    StatusView {
        head: night.head,
        totals: night.totals,
        jobs: night.jobs,
        incidents: bad_night().incidents,
        stopping: None,
        unsent_mail: 0,
        standing: Default::default(),
    }
}

fn night() -> StatusPage {
    let run = status(running_night());
    let (now, zone) = (run.head.now, run.head.zone.clone());
    let (runs, incidents) = (vec![run], vec![worked_on().line]);
    StatusPage { runs, incidents, next: Some(Vec::new()), now, zone, trouble: None }
}

fn nobody(night: &StatusPage) -> RosterView {
    RosterView {
        at: night.now,
        on: Vec::new(),
        next_change: None,
        next: Vec::new(),
        unknown: Vec::new(),
    }
}

fn one_job() -> JobView {
    let run = status(bad_night());
    let job = run.jobs.iter().find(|job| !job.tail.is_empty()).unwrap().clone();
    JobView {
        needs: vec![NeedLine::Same {
            job: Neighbour { name: name("wait-rates"), state: StateWord::Succeeded },
            when: crate::types::Condition::Ok,
        }],
        followers: vec![Neighbour { name: name("post-ledger"), state: StateWord::Blocked }],
        deeds: vec![Deed::Retry, Deed::Skip, Deed::Force],
        reasons: Vec::new(),
        host: crate::types::HostName::local(),
        placement: "local".to_owned(),
        log_masks: Vec::new(),
        head: run.head,
        job,
    }
}

fn handed_over(view: crate::view::hand_over::HandOverView) -> hand_over::Shown {
    let bulletin = crate::render::bulletin::tests::busy();
    let token = Some("f0".to_owned());
    let steps = HandOverWish::ALL.to_vec();
    hand_over::Shown {
        bulletin: view.line.closed.is_none().then_some(bulletin),
        inspections: inspections(),
        asker: hand_over::Asker { steps, token, stands_by: None },
        view,
    }
}

fn hand_over_page(lang: Lang, shown: Option<&hand_over::Shown>) -> String {
    let lines = [busy().line, accepted().line];
    let lines: Vec<_> = lines.iter().cycle().take(hand_over::MOST + 2).cloned().collect();
    let others = hand_over::Others { lines: &lines, declared: true };
    let zone = &busy().zone;
    hand_over::middle((lang, "./"), (zone, busy().line.ends), shown, others).unwrap()
}

fn former(job: &JobView) -> Vec<PastAttempt> {
    let attempt = |minutes: u64| PastAttempt {
        run: job.head.run.clone(),
        business_date: job.head.business_date,
        took: crate::types::Span::seconds(minutes * 60),
        good: minutes != 9,
    };
    [3, 4, 3, 9, 4].map(attempt).into()
}

fn output() -> job::Output {
    job::Output { attempt: 1, text: "loaded\n".to_owned(), ended: true, ..job::Output::default() }
}

/// Every page of made-up nights, by name.
fn all(lang: Lang) -> Vec<(&'static str, String)> {
    let night = night();
    let view = one_job();
    let incidents: Vec<IncidentView> = vec![worked_on(), fault().incident];
    let asker = Asker {
        steps: vec![crate::core::incident::Wanted::Acknowledge],
        token: Some(String::new()),
        sees_output: true,
        stands_by: None,
    };
    let former = former(&view);
    let told = trouble::Trouble { up: "./", place: "", detail: None, sign_in: true };
    let old = status(bad_night());
    vec![
        (
            "tonight",
            tonight::middle(
                (lang, "./"),
                &night,
                tonight::About::Night { duty: Some(&nobody(&night)), hands_over: true },
                &Wanted::default(),
            )
            .unwrap(),
        ),
        ("job", job::middle(lang, &view, &former, job::Written::Here(output()), None).unwrap()),
        (
            "on-call",
            on_call::middle(
                (lang, "./", night.now),
                Which::All,
                (&incidents, 107),
                &on_call::Duty {
                    roster: &nobody(&night),
                    hands_over: true,
                    hand_overs: &[busy().line],
                },
                &night.zone,
            )
            .unwrap(),
        ),
        ("compare", compare::middle((lang, "./"), [&night.runs[0], &old]).unwrap()),
        ("hand-over", hand_over_page(lang, Some(&handed_over(busy())))),
        ("hand-overs", hand_over_page(lang, None)),
        ("incident", incident_page::middle(lang, &fault(), &asker).unwrap()),
        ("trouble", trouble::middle(lang, told).unwrap()),
    ]
}

/// Where `NIGHTRUN_SAMPLE_PAGES` names a folder they stay there, to be looked at.
#[test]
#[expect(clippy::disallowed_methods, reason = "writes pages that are looked at")]
fn pages_are_whole_in_both_languages() {
    let throwaway = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("NIGHTRUN_SAMPLE_PAGES")
        .map_or_else(|| throwaway.path().to_owned(), std::path::PathBuf::from);
    let assets = AssetNames { style: "pages.css".to_owned(), script: "pages.js".to_owned() };
    std::fs::create_dir_all(dir.join("assets")).unwrap();
    std::fs::write(dir.join("assets/pages.css"), STYLE.as_str()).unwrap();
    std::fs::write(dir.join("assets/pages.js"), SCRIPT).unwrap();
    for lang in Lang::ALL {
        let looker = Looker {
            lang,
            theme: Theme::Dark,
            name: Some(li_wei().name.get(lang).to_owned()),
            token: Some(String::new()),
        };
        for (page, middle) in all(lang) {
            let frame = Frame {
                looker: &looker,
                assets: &assets,
                up: "./",
                place: "",
                section: Some(Section::Tonight),
                site: "Sample Bank",
                zone: None,
                title: page,
                tag: "\"1\"",
                live: true,
            };
            let whole = framed(&frame, &middle).unwrap();
            for tag in ["main", "section", "table", "ul", "form", "div", "p"] {
                let opened = whole.matches(&format!("<{tag}>")).count()
                    + whole.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, whole.matches(&format!("</{tag}>")).count(), "{page}: {tag}");
            }
            std::fs::write(dir.join(format!("{page}-{}.html", lang.tag())), whole).unwrap();
        }
    }
}

#[test]
fn markup_of_jobs_and_people_is_text_on_every_page() {
    let mut night = night();
    let run = &mut night.runs[0];
    run.head.title = Text::en(EVIL);
    for job in &mut run.jobs {
        job.title = Text::en(EVIL);
    }
    let mut view = one_job();
    view.job.title = Text::en(EVIL);
    view.job.runbook = Some(Text::en(EVIL));
    let mut incident = worked_on();
    incident.line.fault = crate::core::incident::Fault::Told { title: EVIL.to_owned() };
    incident.line.id = IncidentId(7);
    let mut given = handed_over(busy());
    given.asker = hand_over::Asker { stands_by: Some(EVIL.to_owned()), ..given.asker };
    given.view.line.shift = Text::en(EVIL);
    for line in &mut given.view.steps {
        line.words = EVIL.to_owned();
    }
    let draft = &mut given.view.draft;
    draft.doubts[0].why = EVIL.to_owned();
    draft.holds[0].reason = EVIL.to_owned();
    draft.notes[0].text = EVIL.to_owned();
    let output = job::Output { text: EVIL.to_owned(), errors: EVIL.to_owned(), ..output() };
    let tried = Tried {
        events: Vec::new(),
        site_wide: Vec::new(),
        starts: Vec::new(),
        left: vec![crate::view::tried::NotAllowed { what: EVIL.to_owned(), rule: None }],
        runs: Vec::new(),
        ends: Vec::new(),
    };
    let told = trouble::Trouble { up: "./", place: EVIL, detail: Some(EVIL), sign_in: true };
    let wanted = Wanted { text: EVIL.to_owned(), ..Wanted::default() };
    for lang in Lang::ALL {
        let duty = nobody(&night);
        let zone = &night.zone;
        for page in [
            tonight::middle(
                (lang, "./"),
                &night,
                tonight::About::Night { duty: Some(&duty), hands_over: true },
                &Wanted::default(),
            )
            .unwrap(),
            tonight::middle((lang, "./"), &night, tonight::About::Run { title: EVIL }, &wanted)
                .unwrap(),
            job::middle(lang, &view, &[], job::Written::Here(output.clone()), None).unwrap(),
            act::middle(lang, (&name("close"), &Deed::Skip), &tried, EVIL).unwrap(),
            on_call::middle(
                (lang, "./", night.now),
                Which::All,
                (&[incident.clone()], 1),
                &on_call::Duty {
                    roster: &duty,
                    hands_over: true,
                    hand_overs: &[given.view.line.clone()],
                },
                zone,
            )
            .unwrap(),
            hand_over_page(lang, Some(&given)),
            compare::middle((lang, "./"), [&night.runs[0], &night.runs[0]]).unwrap(),
            trouble::middle(lang, told).unwrap(),
        ] {
            only_text(&page);
        }
    }
}

#[test]
fn a_hand_over_has_a_form_for_each_step_that_is_offered_and_links_to_what_is_open() {
    for lang in Lang::ALL {
        let mut shown = handed_over(busy());
        let page = hand_over_page(lang, Some(&shown));
        for step in HandOverWish::ALL {
            let action = format!("action=\"./hand-overs/night@2026-10-30/{}\"", step.word());
            assert_eq!(page.matches(&action).count(), 1, "{page}");
        }
        assert_eq!(page.matches("name=\"token\" value=\"f0\"").count(), 3, "{page}");
        for part in [
            "<a href=\"./incidents/INC-3\">INC-3</a>",
            "<a href=\"./runs/eod@2026-10-30%231\">eod@2026-10-30#1</a>",
            "rates come by hand at ten",
            "INC-4",
            "aria-current=\"true\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        // Thirty are listed of all, and the page says how many are not.
        assert_eq!(page.matches("<tr data-key=").count(), hand_over::MOST, "{page}");
        // Who is offered nothing, who cannot send, and where nobody can, there is no form.
        let token = shown.asker.token.take();
        assert!(!hand_over_page(lang, Some(&shown)).contains("<form"));
        shown.asker.token = token;
        shown.asker.stands_by = Some("another supervisor leads".to_owned());
        let page = hand_over_page(lang, Some(&shown));
        assert!(!page.contains("<form") && page.contains("another supervisor leads"), "{page}");
        shown.asker = hand_over::Asker::default();
        assert!(!hand_over_page(lang, Some(&shown)).contains("<form"));
        // What was accepted shows no bulletin of now.
        assert!(!hand_over_page(lang, Some(&handed_over(accepted()))).contains("INC-4"));
    }
}

#[test]
fn a_job_says_where_its_output_is_and_who_leads() {
    let mut view = one_job();
    let of = |view: &JobView, written, by| job::middle(Lang::En, view, &[], written, by).unwrap();
    let page = of(&view, job::Written::Elsewhere { attempt: 2 }, None);
    assert!(page.contains("attempt 2 has written is not on this host"), "{page}");
    view.host = crate::types::HostName::new("etl").unwrap();
    let page = of(&view, job::Written::Elsewhere { attempt: 2 }, None);
    assert!(page.contains("is on host etl, not here"), "{page}");
    let page = of(&view, job::Written::NotReached { why: "Connection <refused>".to_owned() }, None);
    assert!(
        page.contains("lies on etl, which cannot be reached now: Connection &#60;refused"),
        "{page}"
    );
    view.deeds.clear();
    let page = of(&view, job::Written::Nothing, Some("another supervisor leads: two"));
    assert!(page.contains("stands by (another supervisor leads: two)"), "{page}");
    assert!(page.contains("Nothing was written."), "{page}");
}
