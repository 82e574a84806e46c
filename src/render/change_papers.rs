//! What the folder of a change says of it, as rows of a head and its value.

use super::words::{PaperWord, list};
use crate::definition::site::{ChangeMode, RowLimits};
use crate::types::{Lang, Span};
use crate::view::Who;
use crate::view::change_papers::ChangePapers;

/// Those that it says nothing of are left out.
pub(super) fn rows(lang: Lang, papers: &ChangePapers) -> Vec<(String, String)> {
    let name = |who: &Option<Who>| {
        who.as_ref().map(|who| who.name.get(lang).to_owned()).unwrap_or_default()
    };
    let names = |people: &[Who]| list(lang, people.iter().map(|who| who.name.get(lang)));
    let RowLimits { min, max } = papers.rows;
    let takes = |word: PaperWord<'_>, time: Span| (word.say(lang), time.to_string());
    let permissions = papers
        .permissions
        .iter()
        .map(|one| PaperWord::Permission { what: &one.what, by: one.by.name.get(lang) }.say(lang));
    let rows = [
        (PaperWord::Mode.say(lang), mode(lang, papers.mode)),
        (PaperWord::Rows.say(lang), PaperWord::Between { min, max }.say(lang)),
        (
            PaperWord::Expected.say(lang),
            papers.expected.map(|time| time.to_string()).unwrap_or_default(),
        ),
        takes(PaperWord::VerifyTakes, papers.verify_takes),
        takes(PaperWord::RollbackTakes, papers.rollback_takes),
        (PaperWord::Needs.say(lang), list(lang, &papers.needs)),
        (
            PaperWord::Window.say(lang),
            papers.window.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        (PaperWord::Fixes.say(lang), list(lang, &papers.fixes)),
        (PaperWord::Branch.say(lang), papers.branch.clone().unwrap_or_default()),
        (
            PaperWord::ProductLine.say(lang),
            papers.product_line.as_ref().map(ToString::to_string).unwrap_or_default(),
        ),
        (PaperWord::Markets.say(lang), list(lang, &papers.markets)),
        (PaperWord::ProductManager.say(lang), name(&papers.product_manager)),
        (PaperWord::Testers.say(lang), names(&papers.testers)),
        (PaperWord::Related.say(lang), list(lang, &papers.related)),
        (PaperWord::Permissions.say(lang), list(lang, permissions)),
        (PaperWord::Attachments.say(lang), list(lang, &papers.attachments)),
        (PaperWord::CodeReview.say(lang), papers.review.clone().unwrap_or_default()),
        (PaperWord::ReviewedBy.say(lang), names(&papers.reviewed_by)),
    ];
    rows.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn mode(lang: Lang, mode: ChangeMode) -> String {
    match mode {
        ChangeMode::Transactional => PaperWord::Transactional,
        ChangeMode::Journalled => PaperWord::Journalled,
    }
    .say(lang)
}
