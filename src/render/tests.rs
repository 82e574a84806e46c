//! What the pages say, in both languages, as snapshots; and what HTML must never do.

use std::collections::BTreeSet;

use super::mail::Reader;
use super::sample::{bad_night, fault, good_night, in_both, job, li_wei, running_night};
use super::{incident_mail, mail, report, report_html, report_text};
use crate::core::night::Notice;
use crate::definition::site::ReportFormat;
use crate::types::{Lang, PersonId, Text};
use crate::view::job::JobState;
use crate::view::report::ReportView;

#[test]
fn report_of_a_good_night() {
    insta::assert_snapshot!(in_both(|lang| report_text::text(lang, &good_night())));
}

#[test]
fn report_of_a_bad_night() {
    insta::assert_snapshot!(in_both(|lang| report_text::text(lang, &bad_night())));
}

#[test]
fn a_trial_says_so_everywhere() {
    let mut night = bad_night();
    night.head.trial = true;
    let mut fault = fault();
    fault.head.as_mut().unwrap().trial = true;
    let to = PersonId::new("li-wei").unwrap();
    for (lang, mark) in [(Lang::En, "Trial run"), (Lang::Zh, "试运行")] {
        let mail = incident_mail::mail(lang, &fault, &Notice::Opened, Reader::Person(&to)).unwrap();
        let report = mail::report(lang, &night, false).unwrap();
        for subject in [&mail.subject, &report.subject] {
            assert!(subject.to_lowercase().contains(if lang == Lang::En { "trial" } else { mark }));
        }
        let page = report_html::page(lang, &night).unwrap();
        for text in [&mail.text, &mail.html, &report.text, &report.html, &page] {
            assert!(text.contains(mark), "{text}");
        }
    }
}

/// So many jobs that ended well, and between them two that did not.
fn large(jobs: usize) -> ReportView {
    let mut night = good_night();
    let line = night.jobs[0].clone();
    night.jobs = (0..jobs)
        .map(|n| {
            let mut line = line.clone();
            line.name = crate::types::JobName::new(&format!("j{n}")).unwrap();
            line.on_critical_path = false;
            line
        })
        .collect();
    let last = jobs - 1;
    night.jobs[last].state = JobState::Failed;
    night.jobs[last - 1].on_critical_path = true;
    night.totals = crate::view::run::Totals::of(&night.jobs);
    night
}

#[test]
fn a_page_of_a_large_night_shows_what_matters_and_where_all_is() {
    let named = |text: &str| -> BTreeSet<usize> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words.filter_map(|word| word.strip_prefix('j')?.parse().ok()).collect()
    };
    // What failed, what stands on the critical path, and of what is all alike the first.
    let shown: BTreeSet<usize> = (0..998).chain([1_198, 1_199]).collect();
    for lang in Lang::ALL {
        let night = large(1_200);
        let mail = mail::report(lang, &night, false).unwrap();
        let page = report_html::page(lang, &night).unwrap();
        for text in [&mail.text, &mail.html, &page] {
            assert_eq!(named(text), shown);
            assert!(text.contains("nightrun report"), "{text}");
        }
        let whole = report_text::text(lang, &night);
        assert_eq!(named(&whole), (0..1_200).collect());
        assert!(!whole.contains("nightrun report"));
        let page = report_html::page(lang, &large(1_000)).unwrap();
        assert_eq!(named(&page), (0..1_000).collect());
        assert!(!page.contains("nightrun report"));
    }
}

#[test]
fn points_of_a_night_that_went_wrong_all_over_are_counted_beyond_a_hundred() {
    let mut night = large(300);
    night.jobs.iter_mut().for_each(|job| job.state = JobState::Failed);
    for lang in Lang::ALL {
        let page = report_html::page(lang, &night).unwrap();
        assert_eq!(page.matches("<article class=\"trouble").count(), 100);
        let mail = mail::report(lang, &night, false).unwrap();
        for text in [&page, &mail.text, &mail.html] {
            assert!(text.contains(if lang == Lang::En { "+200 more" } else { "另有 200 项" }));
        }
        assert!(!report_text::text(lang, &night).contains("200 more"));
    }
}

#[test]
fn a_mail_shows_the_picture_that_it_brings_along_and_no_other() {
    let night = good_night();
    for lang in Lang::ALL {
        let without = mail::report(lang, &night, false).unwrap().html;
        assert!(!without.contains("<img"));
        let html = mail::report(lang, &night, true).unwrap().html;
        assert_eq!(html.matches("<img").count(), 1);
        assert!(html.contains(&format!("<img src=\"cid:{}\"", report::PICTURE)), "{html}");
    }
}

/// Markup wherever a file or a job can put text.
fn hostile() -> ReportView {
    let evil = "<script>alert(1)</script><img src=x onerror=alert(2)> & \"'";
    let mut night = bad_night();
    for line in &mut night.jobs {
        line.title = Text::en(evil);
        line.runbook = Some(Text::en(evil));
        line.tail = vec![evil.into(), "</pre></svg>".into()];
    }
    job(&mut night.jobs, "charge-fees").state =
        JobState::Forced { by: li_wei(), reason: evil.into() };
    night.head.title = Text::en(evil);
    night.head.site = Text::en(evil);
    for change in &mut night.changes {
        change.title = Text::en(evil);
        change.why = Some(evil.into());
        change.after[0].detail = evil.into();
    }
    for action in &mut night.actions {
        action.reason = evil.into();
    }
    night
}

#[test]
fn html_escapes_what_files_and_jobs_say_and_loads_nothing() {
    let night = hostile();
    let to = PersonId::new("li-wei").unwrap();
    let mut fault = fault();
    fault.job = night.jobs.iter().find(|job| job.name.as_str() == "post-ledger").cloned();
    fault.head.as_mut().unwrap().title = night.head.title.clone();
    // The link to its page is the one address that a mail may have.
    fault.incident.page = None;
    for lang in Lang::ALL {
        let pages = [
            report_html::page(lang, &night).unwrap(),
            mail::report(lang, &night, false).unwrap().html,
            incident_mail::mail(lang, &fault, &Notice::Opened, Reader::Person(&to)).unwrap().html,
        ];
        for page in pages {
            assert!(page.contains("&#60;script&#62;") || page.contains("&lt;script&gt;"), "{page}");
            for never in
                ["<script", "<img", "</pre></svg>", "src=x onerror=alert(2)>", "@import", "<link"]
            {
                assert!(!page.contains(never), "{never}");
            }
            // The only address is the name of a namespace; nothing is loaded from anywhere.
            let bare = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            for never in ["http://", "https://", "url(http", "url(//", "url(data"] {
                assert!(!bare.contains(never), "{never}");
            }
            for tag in bare.split('<').skip(1).filter_map(|part| part.split('>').next()) {
                for never in [" src=", " href=", " on", "javascript:"] {
                    assert!(!tag.contains(never), "{tag}");
                }
            }
            assert!(page.contains(&format!("<html lang=\"{}\">", lang.tag())));
        }
    }
}

/// The pages as files, to be looked at in a browser: `NIGHTRUN_SAMPLE_PAGES=dir`, else a throwaway folder.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test writes files; the code under test does not")]
fn sample_pages_are_written() {
    let throwaway = tempfile::tempdir().unwrap();
    let dir = std::env::var_os("NIGHTRUN_SAMPLE_PAGES")
        .map_or_else(|| throwaway.path().to_owned(), std::path::PathBuf::from);
    let to = PersonId::new("li-wei").unwrap();
    let mut trial = good_night();
    trial.head.trial = true;
    for lang in Lang::ALL {
        for (page, night) in
            [("good", trial.clone()), ("bad", bad_night()), ("running", running_night())]
        {
            let path = dir.join(format!("{page}-{}.html", lang.tag()));
            std::fs::write(&path, report_html::page(lang, &night).unwrap()).unwrap();
            let mail = mail::report(lang, &night, true).unwrap();
            // A browser shows the picture that a mail brings along from beside the page.
            let picture = format!("{page}-{}.png", lang.tag());
            let html = mail.html.replace("cid:timeline", &picture);
            std::fs::write(dir.join(format!("mail-{page}-{}.html", lang.tag())), html).unwrap();
            let bytes = report::picture(lang, &night).unwrap().unwrap();
            std::fs::write(dir.join(picture), bytes).unwrap();
            for format in [ReportFormat::Pdf, ReportFormat::Xlsx] {
                let path = dir.join(format!("{page}-{}.{}", lang.tag(), format.ending()));
                std::fs::write(path, report::file(lang, &night, format).unwrap()).unwrap();
            }
        }
        let mail =
            incident_mail::mail(lang, &fault(), &Notice::Opened, Reader::Person(&to)).unwrap();
        let path = dir.join(format!("failure-{}.html", lang.tag()));
        std::fs::write(&path, mail.html).unwrap();
        assert!(path.metadata().unwrap().len() > 1_000);
    }
}
