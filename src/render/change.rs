//! The life of a change as lines.

use jiff::Timestamp;

use super::change_papers;
use super::change_rehearsal::{self, Again};
use super::table::{Table, harmless};
use super::words::{ChangeWord, Label, Stepped, list};
use crate::core::change::{ChangeStep, InGit, Stage, WindowDecision};
use crate::definition::site::ChangeKind;
use crate::types::{Lang, PersonId, Role, Zone};
use crate::view::Who;
use crate::view::change::{ChangeLine, ChangePage, PlaceLine};
use crate::view::change_diff::ChangeDiff;
use crate::wire::{ChangeState, CutDecision, Progress};

/// One step in words; times are of the zone.
pub fn step(lang: Lang, zone: &Zone, step: &ChangeStep) -> String {
    let at = |at: Timestamp| at.to_zoned(zone.tz().clone()).strftime("%m-%d %H:%M").to_string();
    let noted = |mut text: String, stands_in: bool, ticked: &[String]| {
        if stands_in {
            text.push_str(&Stepped::StandsIn.say(lang));
        }
        if !ticked.is_empty() {
            text.push_str(&Stepped::Ticked { names: &list(lang, ticked) }.say(lang));
        }
        text
    };
    match step {
        ChangeStep::Created { request, .. } => Stepped::Created { title: &request.title }.say(lang),
        ChangeStep::Assigned { to } => Stepped::Assigned { to: to.as_str() }.say(lang),
        ChangeStep::Submitted { content, environment, in_git, .. } => {
            let digest = head(content);
            let told = match environment {
                Some(environment) => Stepped::SubmittedFor { digest, environment }.say(lang),
                None => Stepped::Submitted { digest }.say(lang),
            };
            let names = list(lang, in_git.iter().map(named_in_git));
            told + &match names.as_str() {
                "" => names,
                names => Stepped::InGit { names }.say(lang),
            }
        }
        ChangeStep::Reviewed { role, stands_in, ticked, .. } => {
            noted(Stepped::Reviewed { role: role.as_str() }.say(lang), *stands_in, ticked)
        }
        ChangeStep::Approved { environment, role, stands_in, ticked, .. } => {
            let text = Stepped::Approved { environment, role: role.as_str() }.say(lang);
            noted(text, *stands_in, ticked)
        }
        ChangeStep::Confirmed { environment, item, role, .. } => {
            let (item, role) = (item.as_str(), role.as_ref().map(Role::as_str));
            match (environment.as_deref(), role) {
                (Some(environment), Some(role)) => Stepped::Confirmed { environment, item, role },
                (Some(environment), None) => Stepped::Configured { environment, item },
                (None, role) => Stepped::Handled { item, role: role.unwrap_or_default() },
            }
            .say(lang)
        }
        ChangeStep::Scheduled { environment, opens, closes, .. } => match opens.zip(*closes) {
            Some((opens, closes)) => {
                let window = &format!("{} - {}", at(opens), at(closes));
                Stepped::ScheduledFor { environment, window }.say(lang)
            }
            None => Stepped::Scheduled { environment }.say(lang),
        },
        ChangeStep::Began { began } => {
            let mut text = Stepped::Began { environment: &began.environment }.say(lang);
            match &began.window {
                Some(WindowDecision::Emergency) => {
                    text.push_str(&Stepped::BeganEmergency.say(lang))
                }
                Some(WindowDecision::Late { by }) => {
                    text.push_str(&Stepped::BeganLate { who: by.as_str() }.say(lang));
                }
                Some(WindowDecision::Overridden { by }) => {
                    text.push_str(&Stepped::BeganOverridden { who: by.as_str() }.say(lang));
                }
                Some(WindowDecision::Open { .. } | WindowDecision::Unlimited) | None => {}
            }
            text
        }
        ChangeStep::Ended { ended } => {
            let told = Stepped::Ended {
                environment: &ended.environment,
                state: Label::of_change(Some(ended.state)).say(lang),
                rows: ended.rows,
                good: ended.good,
                checks: ended.checks,
            };
            let came = ended.progress.map(|Progress { done, of }| match ended.state {
                ChangeState::RollbackFailed => Stepped::WentBack { done, of },
                _ => Stepped::Came { done, of },
            });
            let rehearsal = change_rehearsal::words(lang, zone, &ended.rehearsal, Again::of(ended));
            let rehearsal = rehearsal.map(|what| Stepped::Rehearsed { what: &what }.say(lang));
            let more = [came.map(|came| came.say(lang)), rehearsal];
            told.say(lang) + &more.into_iter().flatten().collect::<String>()
        }
        ChangeStep::Decided { environment, accepted: true, .. } => {
            Stepped::Accepted { environment }.say(lang)
        }
        ChangeStep::GoesOn { environment, how: CutDecision::Continue, .. } => {
            Stepped::Continued { environment }.say(lang)
        }
        ChangeStep::GoesOn { environment, how: CutDecision::RollBack, .. } => {
            Stepped::TakenBack { environment }.say(lang)
        }
        ChangeStep::Decided { environment, applied: true, .. } => {
            Stepped::Applied { environment }.say(lang)
        }
        ChangeStep::Decided { environment, applied: false, .. } => {
            Stepped::NotApplied { environment }.say(lang)
        }
        ChangeStep::Lost { environment, complete: false, .. } => {
            Stepped::LostToOne { environment }.say(lang)
        }
        ChangeStep::Lost { environment, complete: true, .. } => {
            Stepped::Lost { environment }.say(lang)
        }
        ChangeStep::FedBack => Stepped::FedBack.say(lang),
        ChangeStep::Closed => Stepped::Closed.say(lang),
        ChangeStep::Archived => Stepped::Archived.say(lang),
        ChangeStep::Returned => Stepped::Returned.say(lang),
        ChangeStep::Withdrawn => Stepped::Withdrawn.say(lang),
    }
}

/// The person, else the address, with the commit.
fn named_in_git(named: &InGit) -> String {
    let who = named.person.as_ref().map_or(named.mail.as_str(), PersonId::as_str);
    // An address of a commit may be anything.
    format!("{} ({})", harmless(who), head(&named.commit))
}

/// The first letters of a digest, enough to tell it from others by eye.
pub(super) fn head(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

/// Where a change is in its life.
pub fn stage(lang: Lang, stage: Stage) -> String {
    match stage {
        Stage::Draft => ChangeWord::Draft,
        Stage::Created => ChangeWord::StageCreated,
        Stage::Assigned => ChangeWord::StageAssigned,
        Stage::Written => ChangeWord::StageWritten,
        Stage::Reviewed => ChangeWord::StageReviewed,
        Stage::Approved => ChangeWord::StageApproved,
        Stage::Scheduled => ChangeWord::StageScheduled,
        Stage::Executing => ChangeWord::StageExecuting,
        Stage::Executed => ChangeWord::StageExecuted,
        Stage::Failed => ChangeWord::StageFailed,
        Stage::RolledBack => ChangeWord::StageRolledBack,
        Stage::InDoubt => ChangeWord::StageInDoubt,
        Stage::FedBack => ChangeWord::StageFedBack,
        Stage::Closed => ChangeWord::StageClosed,
        Stage::Archived => ChangeWord::StageArchived,
        Stage::Returned => ChangeWord::StageReturned,
        Stage::Withdrawn => ChangeWord::StageWithdrawn,
    }
    .say(lang)
}

/// Changes, one a line.
pub fn list_text(lang: Lang, zone: &Zone, lines: &[ChangeLine]) -> String {
    if lines.is_empty() {
        return ChangeWord::Nothing.say(lang) + "\n";
    }
    let heads = [
        ChangeWord::Change,
        ChangeWord::Stage,
        ChangeWord::Class,
        ChangeWord::Environments,
        ChangeWord::Team,
        ChangeWord::Since,
        ChangeWord::Title,
    ];
    let heads: Vec<String> = heads.iter().map(|head| head.say(lang)).collect();
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    let mut table = Table::new(&heads, &[], 0);
    for line in lines {
        table.row(vec![
            line.id.to_string(),
            stage(lang, line.stage),
            class(lang, line),
            list(lang, &line.environments),
            line.team.as_ref().map(ToString::to_string).unwrap_or_default(),
            line.since.map(|at| minute(zone, at)).unwrap_or_default(),
            line.title.get(lang).to_owned(),
        ]);
    }
    let mut text = String::new();
    table.write(&mut text);
    text
}

/// `data`, or `data, emergency`.
pub(super) fn class(lang: Lang, line: &ChangeLine) -> String {
    let class = line.class.map(|class| Label::of_class(class).say(lang).to_owned());
    let emergency = (line.kind == ChangeKind::Emergency).then(|| ChangeWord::Emergency.say(lang));
    list(lang, class.into_iter().chain(emergency))
}

pub(super) fn minute(zone: &Zone, at: Timestamp) -> String {
    at.to_zoned(zone.tz().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A change with its life.
pub fn page_text(lang: Lang, zone: &Zone, page: &ChangePage) -> String {
    let line = &page.line;
    let mut text = format!("{}  {}\n\n", line.id, line.title.get(lang));
    let who = |who: &Option<Who>| who.as_ref().map(|who| who.name.get(lang).to_owned());
    let word = |text: &Option<String>| text.clone();
    let team = line.team.as_ref().map(ToString::to_string);
    let authors: Vec<&str> = page.authors.iter().map(|who| who.name.get(lang)).collect();
    let rows = [
        (ChangeWord::Stage, Some(stage(lang, line.stage))),
        (ChangeWord::Class, Some(class(lang, line))),
        (ChangeWord::Reason, page.reason.as_ref().map(|reason| reason.get(lang).to_owned())),
        (ChangeWord::Requester, who(&line.requester)),
        (ChangeWord::Team, team),
        (ChangeWord::Ticket, word(&line.ticket)),
        (ChangeWord::Governance, word(&page.governance)),
        (ChangeWord::Handler, who(&page.handler)),
        (ChangeWord::Authors, Some(list(lang, authors))),
        (ChangeWord::Contact, who(&page.verification_contact)),
        (ChangeWord::Warnings, Some(list(lang, &page.hazards))),
    ];
    let mut table = Table::new(&["", ""], &[], 0);
    for (head, value) in rows {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            table.row(vec![head.say(lang), value]);
        }
    }
    for (head, value) in page.papers.iter().flat_map(|papers| change_papers::rows(lang, papers)) {
        table.row(vec![head, value]);
    }
    table.write(&mut text);
    if !line.folder {
        text.push_str(&format!("\n{}\n", ChangeWord::NoFolder.say(lang)));
    }
    for place in &page.places {
        text.push_str(&place_text(lang, zone, place));
    }
    if !page.steps.is_empty() {
        text.push_str(&format!("\n{}\n", ChangeWord::Life.say(lang)));
        let mut table = Table::new(&["", "", "", ""], &[], 2);
        for taken in &page.steps {
            let second = taken.second.as_ref().map(|second| second.name.get(lang));
            let people: Vec<&str> =
                std::iter::once(taken.by.name.get(lang)).chain(second).collect();
            let what = step(lang, zone, &taken.step);
            table.row(vec![minute(zone, taken.at), people.join(" + "), what, taken.reason.clone()]);
        }
        table.write(&mut text);
    }
    text
}

fn place_text(lang: Lang, zone: &Zone, place: &PlaceLine) -> String {
    let mut text = format!("\n{}  {}\n", place.environment, place.target);
    let mut table = Table::new(&["", ""], &[], 2);
    let digest = (!place.digest.is_empty()).then(|| head(&place.digest).to_owned());
    let state = place.state.map(|state| Label::of_change(Some(state)).say(lang).to_owned());
    let window =
        place.window.map(|(from, to)| format!("{} - {}", minute(zone, from), minute(zone, to)));
    let rehearsal = change_rehearsal::words(lang, zone, &place.rehearsal, None);
    for (head, value) in [
        (ChangeWord::Digest, digest),
        (ChangeWord::Outcome, state),
        (ChangeWord::Rehearsal, rehearsal),
        (ChangeWord::Window, window),
    ] {
        if let Some(value) = value {
            table.row(vec![head.say(lang), value]);
        }
    }
    for missing in &place.missing {
        let what = format!("{} ({})", missing.what, missing.rule);
        table.row(vec![ChangeWord::Missing.say(lang), what]);
    }
    if place.missing.is_empty() {
        table.row(vec![ChangeWord::Cleared.say(lang), String::new()]);
    }
    for missing in &place.to_close {
        let what = format!("{} ({})", missing.what, missing.rule);
        table.row(vec![ChangeWord::ToClose.say(lang), what]);
    }
    table.write(&mut text);
    text
}

/// What is not as it was.
pub fn diff_text(lang: Lang, zone: &Zone, diff: &ChangeDiff) -> String {
    let same = |same: bool| match same {
        true => ChangeWord::Same.say(lang),
        false => ChangeWord::Differs.say(lang),
    };
    let mut text = match &diff.with {
        Some(with) => format!("{} - {with}\n", diff.change),
        None => format!("{}\n", diff.change),
    };
    let mut table = Table::new(&["", "", "", ""], &[], 2);
    let short = |digest: &Option<String>| digest.as_deref().map_or("-", head).to_owned();
    for script in &diff.scripts {
        let told = same(script.submitted == script.now);
        table.row(vec![script.script.clone(), short(&script.submitted), short(&script.now), told]);
    }
    if diff.with.is_none() {
        table.row(vec![
            ChangeWord::Submission.say(lang),
            diff.submitted.map(|at| minute(zone, at)).unwrap_or_else(|| "-".to_owned()),
            String::new(),
            same(diff.same),
        ]);
    }
    table.write(&mut text);
    let mut table = Table::new(&["", "", "", ""], &[], 2);
    for approval in &diff.approvals {
        let who = format!("{} ({})", approval.by.name.get(lang), approval.role);
        let holds = approval.now.as_ref() == Some(&approval.bound);
        table.row(vec![approval.environment.clone(), who, minute(zone, approval.at), same(holds)]);
    }
    table.write(&mut text);
    for script in &diff.scripts {
        if let Some(lines) = &script.unified {
            // A control character of a script does nothing to a terminal.
            text.push_str(&format!("\n{}", harmless(lines)));
        } else if script.is_unknown() {
            let script = &script.script;
            text.push_str(&format!("\n{}\n", ChangeWord::NotKept { script }.say(lang)));
        }
    }
    text
}
