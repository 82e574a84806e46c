//! Mails about changes: what came of one, and that an emergency is approved.

use jiff::Timestamp;

use super::change::stage;
use super::change_rehearsal::{self, Again};
use super::mail::MailText;
use super::notice::Notice;
use super::words::{ChangeWord, Label, list};
use crate::core::change::Executed;
use crate::types::Lang;
use crate::view::change::ChangeTold;
use crate::wire::ChangeState;

/// What came of an attempt of a change, to whoever asked for it.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn feedback(
    lang: Lang,
    told: &ChangeTold,
    executed: &Executed,
) -> Result<MailText, askama::Error> {
    let at = |at: Timestamp| {
        at.to_zoned(told.zone.tz().clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    };
    let state = Label::of_change(Some(executed.state)).say(lang);
    let (change, environment) = (told.line.id.as_str(), told.environment.as_str());
    let checks = ChangeWord::ChecksGood { good: executed.good, checks: executed.checks };
    let rehearsal =
        change_rehearsal::words(lang, &told.zone, &executed.rehearsal, Again::of(executed));
    let lines = lines(
        lang,
        told,
        [
            (ChangeWord::Outcome, Some(state.to_owned())),
            (ChangeWord::Rows, Some(executed.rows.to_string())),
            (ChangeWord::BackupRows, Some(executed.backup_rows.to_string())),
            (ChangeWord::Started, executed.started.map(at)),
            (ChangeWord::EndedAt, Some(at(executed.ended))),
            (ChangeWord::Verification, Some(checks.say(lang))),
            (ChangeWord::Rehearsal, rehearsal),
            (ChangeWord::Why, executed.why.clone()),
            (ChangeWord::Contact, told.contact.as_ref().map(|who| who.name.get(lang).to_owned())),
        ],
    );
    let urgent = matches!(executed.state, ChangeState::InDoubt | ChangeState::RollbackFailed);
    Notice {
        lang,
        mark: if urgent { "[P1] " } else { "" },
        title: ChangeWord::Feedback { change, environment, state }.say(lang),
        lead: ChangeWord::FeedbackLead.say(lang),
        lines,
        said: String::new(),
        advice: Vec::new(),
        site: told.site.get(lang).to_owned(),
    }
    .mail()
}

/// An emergency has all of its approvals.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn emergency(lang: Lang, told: &ChangeTold) -> Result<MailText, askama::Error> {
    let (change, environment) = (told.line.id.as_str(), told.environment.as_str());
    let approvers: Vec<&str> = told.approvers.iter().map(|who| who.name.get(lang)).collect();
    let lines = lines(
        lang,
        told,
        [
            (ChangeWord::Stage, Some(stage(lang, told.line.stage))),
            (ChangeWord::Approvers, Some(list(lang, approvers))),
        ],
    );
    Notice {
        lang,
        mark: "[P1] ",
        title: ChangeWord::EmergencySubject { change, environment }.say(lang),
        lead: ChangeWord::EmergencyLead.say(lang),
        lines,
        said: String::new(),
        advice: Vec::new(),
        site: told.site.get(lang).to_owned(),
    }
    .mail()
}

/// What every mail says of a change, and what one says besides.
fn lines<'w, const N: usize>(
    lang: Lang,
    told: &ChangeTold,
    more: [(ChangeWord<'w>, Option<String>); N],
) -> Vec<String> {
    let name = |who: &crate::view::Who| who.name.get(lang).to_owned();
    let of_all = [
        (ChangeWord::Title, Some(told.line.title.get(lang).to_owned())),
        (ChangeWord::Reason, told.reason.as_ref().map(|reason| reason.get(lang).to_owned())),
        (ChangeWord::Requester, told.line.requester.as_ref().map(name)),
        (ChangeWord::Ticket, told.line.ticket.clone()),
        (ChangeWord::Target, told.target.as_ref().map(ToString::to_string)),
    ];
    let colon = if lang == Lang::Zh { "：" } else { ": " };
    let all = of_all.into_iter().chain(more);
    all.filter_map(|(head, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some(format!("{}{colon}{value}", head.say(lang)))
    })
    .collect()
}
