//! The mail of a list of the week, in both languages.

use super::*;
use crate::core::change::Stage;
use crate::definition::site::{ChangeClass, ChangeKind};
use crate::types::{ChangeId, CheckName, PersonId, Role, TargetName, TeamName, Text};
use crate::view::Who;
use crate::view::change::{ChangeLine, PlaceLine};

fn at(text: &str) -> Timestamp {
    format!("2026-10-{text}:00+08:00").parse().unwrap()
}

fn li() -> Who {
    let name = Text { en: "Li Wei".into(), zh: Some("李伟".into()) };
    Who { id: PersonId::new("li-wei").unwrap(), name }
}

fn of_change() -> SignOffLine {
    let signature = |signs, title: Option<Text>, role: &str, signed| SignatureLine {
        signs,
        title,
        role: Role::new(role).unwrap(),
        people: 1,
        signed,
    };
    let item = Signs::Item { item: CheckName::new("dba-signature").unwrap() };
    let title = Text { en: "Signed by the DBA".into(), zh: Some("DBA 已签字".into()) };
    SignOffLine {
        line: ChangeLine {
            id: ChangeId::new("add-tier").unwrap(),
            title: Text { en: "A column for the tier".into(), zh: Some("新增等级列".into()) },
            class: Some(ChangeClass::Structure),
            kind: ChangeKind::Normal,
            stage: Stage::Written,
            environments: vec!["uat".into(), "production".into()],
            team: TeamName::new("custody").ok(),
            requester: Some(li()),
            ticket: Some("CHG-4711".into()),
            since: Some(at("22T11:00")),
            folder: true,
        },
        place: PlaceLine {
            environment: "uat".into(),
            target: TargetName::new("bank-uat").unwrap(),
            digest: "d".repeat(64),
            state: None,
            rehearsal: Vec::new(),
            window: None,
            missing: Vec::new(),
            to_close: Vec::new(),
            lacks: Vec::new(),
            unclosed: Vec::new(),
        },
        after_due: true,
        signatures: vec![
            signature(
                Signs::Review,
                None,
                "dba",
                vec![SignedLine { by: li(), at: at("22T12:00") }],
            ),
            signature(Signs::Approval, None, "dev-lead", Vec::new()),
            signature(item, Some(title), "dba", Vec::new()),
        ],
    }
}

fn page() -> SignOffPage {
    let title = Text { en: "Old rates".into(), zh: Some("清理旧费率".into()) };
    let dropped = DroppedLine {
        change: ChangeId::new("old-rates").unwrap(),
        title,
        reasons: vec![Dropped::NotApproved { environment: "uat".into() }],
    };
    SignOffPage {
        site: Text { en: "Sample bank".into(), zh: Some("示例银行".into()) },
        title: Text::en("Rules"),
        zone: Zone::named("Asia/Shanghai").unwrap(),
        now: at("23T18:00"),
        weekly: Vec::new(),
        lists: vec![SignOffList {
            environment: "uat".into(),
            first: true,
            weekly: Vec::new(),
            changes: vec![of_change()],
            dropped: vec![dropped],
        }],
    }
}

fn told(what: WeeklyWhat, time: &str) -> WeeklyNotice {
    WeeklyNotice {
        title: Text {
            en: "First sign-off, the release plan".into(),
            zh: Some("第一次会签：版本计划".into()),
        },
        list: Some("uat".into()),
        what,
        at: at(time),
        people: Vec::new(),
    }
}

/// As files too, to be looked at in a browser: `NIGHTRUN_SAMPLE_PAGES=dir`.
#[test]
#[expect(clippy::disallowed_methods, reason = "a test writes files; the code under test does not")]
fn a_list_of_the_week_as_mail() {
    let mut site = crate::core::test_site::site(Vec::new());
    site.title = page().site;
    site.zone = page().zone;
    let mut all = String::new();
    for lang in Lang::ALL {
        let plan = WeeklyNotice { list: None, ..told(WeeklyWhat::Posted, "26T10:00") };
        let posted = (told(WeeklyWhat::Posted, "23T18:00"), Some(page()));
        let reminded = (told(WeeklyWhat::Reminded, "23T00:00"), Some(page()));
        for (name, (told, page)) in
            [("posted", posted), ("reminded", reminded), ("plan", (plan, None))]
        {
            let mail = mail(lang, &site, &told, page.as_ref()).unwrap();
            let _ = writeln!(all, "Subject: {}\n\n{}\n-----\n", mail.subject, mail.text);
            if let Some(dir) = std::env::var_os("NIGHTRUN_SAMPLE_PAGES") {
                let file = format!("weekly-{name}-{}.html", lang.tag());
                std::fs::write(std::path::Path::new(&dir).join(file), mail.html).unwrap();
            }
        }
    }
    insta::assert_snapshot!(all);
}
