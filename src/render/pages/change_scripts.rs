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
    /// Class and text of each line that differs, and of those around it.
    pub(super) diff: Option<(String, Vec<(&'static str, String)>)>,
    /// What is looked at first.
    pub(super) open: bool,
}

/// `diff`: with what was approved last, or handed in where nothing was approved.
pub fn of(
    lang: Lang,
    dialect: Dialect,
    (diff, since): (&ChangeDiff, Since),
    texts: &Texts,
) -> Scripts {
    let script = |of: &ScriptDiff| script((lang, dialect), (diff, since), of, texts);
    Scripts { scripts: diff.scripts.iter().map(script).collect() }
}

fn script(
    (lang, dialect): (Lang, Dialect),
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
    let mut lines = text.map(|text| inked(dialect, text)).unwrap_or_default();
    let cut =
        (lines.len() > LINES).then(|| ChangePages::CutScript { lines: LINES as u32 }.say(lang));
    lines.truncate(LINES);
    // What was never handed in has nothing to differ from.
    let differs = diff.submitted.is_some() && of.submitted != of.now;
    Script {
        name: of.script.clone(),
        title: title.say(lang),
        same: diff.submitted.map(|_| said(lang, since, differs)),
        none,
        lines,
        cut,
        diff: of.unified.as_deref().filter(|_| differs).map(|text| {
            let head = match since {
                Since::Submission => ChangePages::SinceSubmitted,
                Since::Approval => ChangePages::SinceApproved,
            };
            (head.say(lang), marked(text))
        }),
        open: open || differs,
    }
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
    lines.take(LINES).map(|line| (class(line), line.to_owned())).collect()
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
}
