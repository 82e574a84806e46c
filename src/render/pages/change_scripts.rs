//! The scripts of a change: each with its lines as they are now, and with what differs from what was signed.

use crate::render::words::ChangePages;
use crate::sql::Dialect;
use crate::sql::ink::{self, Ink};
use crate::types::Lang;
use crate::view::change_diff::{ChangeDiff, ScriptDiff, Since, Texts};

/// Lines of a script that a page shows; who reads more opens the file.
const LINES: usize = 2_000;

/// All of them.
#[derive(Debug, Clone)]
pub struct Scripts {
    pub(super) scripts: Vec<Script>,
}

#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) name: String,
    pub(super) title: String,
    /// Whether it is as it was signed, in words.
    pub(super) same: Option<(&'static str, String)>,
    /// Where there is nothing to show.
    pub(super) none: Option<String>,
    /// Class and text of the pieces of each line.
    pub(super) lines: Vec<Vec<(&'static str, String)>>,
    pub(super) cut: Option<String>,
    pub(super) diff: Option<Diff>,
    /// What is looked at first.
    pub(super) open: bool,
}

/// What of a script is not as it was.
#[derive(Debug, Clone)]
pub(super) struct Diff {
    pub(super) head: String,
    /// Class and text of each line that differs, and of those around it.
    pub(super) lines: Vec<(&'static str, String)>,
    /// That there are more, and where they are.
    pub(super) cut: Option<(String, String)>,
}

/// `diff`: with what was approved last, or handed in where nothing was approved.
pub fn of(
    (lang, up): (Lang, &str),
    dialect: Dialect,
    (diff, since): (&ChangeDiff, Since),
    texts: &Texts,
) -> Scripts {
    let script = |of: &ScriptDiff| script((lang, up, dialect), (diff, since), of, texts);
    Scripts { scripts: diff.scripts.iter().map(script).collect() }
}

fn script(
    (lang, up, dialect): (Lang, &str, Dialect),
    (diff, since): (&ChangeDiff, Since),
    of: &ScriptDiff,
    texts: &Texts,
) -> Script {
    let (title, open) = match of.script.as_str() {
        "backup.sql" => (ChangePages::BackupScript, false),
        "verify.sql" => (ChangePages::VerifyScript, false),
        "rollback.sql" => (ChangePages::RollbackScript, false),
        _ => (ChangePages::ChangeScript, true),
    };
    // Of a folder that is gone the scripts are shown as they were handed in.
    let shown = of.now.as_ref().or(of.submitted.as_ref());
    let text = shown.and_then(|digest| texts.get(digest));
    let none = match (shown, text) {
        (None, _) => Some(ChangePages::NoScript.say(lang)),
        (Some(_), None) => Some(ChangePages::NotAtHand.say(lang)),
        (Some(_), Some(_)) => None,
    };
    let (shown, more) = text.map(|text| first_lines(text)).unwrap_or_default();
    let lines = inked(dialect, shown);
    let too_long = || ChangePages::CutScript { lines: LINES as u32 }.say(lang);
    // What was never handed in has nothing to differ from.
    let differs = diff.submitted.is_some() && of.submitted != of.now;
    Script {
        name: of.script.clone(),
        title: title.say(lang),
        same: diff.submitted.map(|_| said(lang, since, differs)),
        none,
        lines,
        cut: more.then(too_long),
        diff: of.unified.as_deref().filter(|_| differs).map(|text| {
            let head = match since {
                Since::Submission => ChangePages::SinceSubmitted,
                Since::Approval => ChangePages::SinceApproved,
            };
            let (shown, more) = first_lines(text);
            let cut = more.then(|| (too_long(), address(up, diff, since)));
            Diff { head: head.say(lang), lines: marked(shown), cut }
        }),
        open: open || differs,
    }
}

/// As much of a text as is shown, and whether there is more.
fn first_lines(text: &str) -> (&str, bool) {
    match text.match_indices('\n').nth(LINES - 1) {
        Some((end, _)) if end + 1 < text.len() => (&text[..=end], true),
        _ => (text, false),
    }
}

/// All that differs.
fn address(up: &str, diff: &ChangeDiff, since: Since) -> String {
    let since = match since {
        Since::Submission => "",
        Since::Approval => "?since=approval",
    };
    format!("{up}api/v1/changes/{}/diff{since}", diff.change)
}

fn said(lang: Lang, since: Since, differs: bool) -> (&'static str, String) {
    let (class, words) = match (since, differs) {
        (Since::Submission, false) => ("ok", ChangePages::AsSubmitted),
        (Since::Approval, false) => ("ok", ChangePages::AsApproved),
        (Since::Submission, true) => ("bad", ChangePages::NotAsSubmitted),
        (Since::Approval, true) => ("bad", ChangePages::NotAsApproved),
    };
    (class, words.say(lang))
}

fn inked(dialect: Dialect, text: &str) -> Vec<Vec<(&'static str, String)>> {
    let class = |ink| match ink {
        Ink::Plain => "",
        Ink::Keyword => "k",
        Ink::Number => "n",
        Ink::Text => "t",
        Ink::Name => "i",
        Ink::Comment => "c",
    };
    let line = |line: Vec<(Ink, &str)>| {
        line.into_iter().map(|(ink, piece)| (class(ink), piece.to_owned())).collect()
    };
    ink::lines(dialect, text).into_iter().map(line).collect()
}

/// The lines of `diff -u` without its head.
fn marked(unified: &str) -> Vec<(&'static str, String)> {
    let class = |line: &str| match line.as_bytes().first() {
        Some(b'+') => "add",
        Some(b'-') => "del",
        Some(b'@') => "at",
        _ => "",
    };
    let lines = unified.lines().skip_while(|line| !line.starts_with("@@"));
    lines.map(|line| (class(line), line.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_and_removed_lines_are_told_apart_by_sign_and_class() {
        let text = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n";
        let shown: Vec<(&str, String)> = marked(text);
        let shown: Vec<(&str, &str)> =
            shown.iter().map(|(of, line)| (*of, line.as_str())).collect();
        assert_eq!(shown, [("at", "@@ -1,2 +1,2 @@"), ("", " a"), ("del", "-b"), ("add", "+B")]);
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so_with_the_way_to_the_rest() {
        let script = |lines: usize| "select 1;\n".repeat(lines);
        let diff = |lines: usize| {
            let unified = format!("--- a\n+++ b\n@@ -1 +1 @@\n{}", "+select 1;\n".repeat(lines));
            let of_script = ScriptDiff {
                script: "change.sql".into(),
                submitted: Some("old".into()),
                now: Some("new".into()),
                unified: Some(unified),
            };
            ChangeDiff {
                change: "rate".parse().unwrap(),
                with: None,
                submitted: Some(jiff::Timestamp::UNIX_EPOCH),
                same: false,
                scripts: vec![of_script],
                approvals: Vec::new(),
            }
        };
        let shown = |lines: usize, since| {
            let texts = Texts::from([("new".to_owned(), script(lines))]);
            let all = of((Lang::En, "../"), Dialect::Sqlite, (&diff(lines), since), &texts);
            let [script] = <[Script; 1]>::try_from(all.scripts).unwrap();
            let of_diff = script.diff.unwrap();
            (script.lines.len(), script.cut, of_diff.lines.len(), of_diff.cut)
        };
        assert_eq!(shown(9, Since::Approval), (9, None, 10, None));
        assert_eq!(shown(LINES, Since::Approval).1, None);
        let told = "Only the first 2000 lines are shown.".to_owned();
        let (lines, cut, differ, more) = shown(LINES + 1, Since::Approval);
        assert_eq!((lines, cut), (LINES, Some(told.clone())));
        assert!(differ <= LINES, "{differ}");
        let place = "../api/v1/changes/rate/diff?since=approval".to_owned();
        assert_eq!(more, Some((told, place)));
    }
}
