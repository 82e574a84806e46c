//! Whose turn it is with a change, and what may be done with it, in words.

use crate::core::change::{Awaits, HalfDone, Stage, Wish};
use crate::definition::site::Part;
use crate::render::change;
use crate::render::report_html::Tone;
use crate::render::words::{ChangePages, Fault, aside, list};
use crate::types::{Lang, Role, Text};
use crate::view::change_desk::TurnLine;

use super::in_query;

/// What scripts somebody has seen who signs them: their digest goes from page to page by this name.
pub const SEEN: &str = "seen";

/// People who are named of all whose turn it is.
const NAMED: usize = 6;

/// The stage of a change, as a badge. What is void is not what its stage says.
pub(super) fn badge(lang: Lang, stage: Stage, void: bool) -> (Tone, String) {
    match void {
        true => (Tone::BAD, ChangePages::VoidStage.say(lang)),
        false => (Tone::of_stage(stage), change::stage(lang, stage)),
    }
}

/// What it waits for, and who that is.
pub(super) fn turn(lang: Lang, turn: &TurnLine) -> (String, String) {
    let title = turn.title.as_ref();
    let what = match &turn.awaits {
        Awaits::Assignment => ChangePages::Assignment,
        Awaits::Submission => ChangePages::Submission,
        Awaits::Review => ChangePages::Review,
        Awaits::Approval { environment } => ChangePages::Approval { environment },
        Awaits::Item { environment, item } => {
            let item = named(lang, title, item.as_str());
            match environment {
                Some(environment) => ChangePages::ItemIn { item, environment },
                None => ChangePages::Item { item },
            }
        }
        Awaits::Schedule { environment } => ChangePages::Schedule { environment },
        Awaits::Execution { environment } => ChangePages::Execution { environment },
        Awaits::End => ChangePages::End,
        Awaits::Decision => ChangePages::Decision,
        Awaits::FeedBack => ChangePages::FeedBack,
        Awaits::Close => ChangePages::Close,
    };
    (what.say(lang), who(lang, turn))
}

fn who(lang: Lang, turn: &TurnLine) -> String {
    let names = list(lang, turn.by.iter().take(NAMED).map(|who| who.name.get(lang)));
    let more = u32::try_from(turn.by.len().saturating_sub(NAMED)).unwrap_or(u32::MAX);
    let names = match (names.is_empty(), more) {
        (true, _) if turn.roles.is_empty() => return String::new(),
        (true, _) => ChangePages::Nobody.say(lang),
        (false, 0) => names,
        (false, more) => ChangePages::AndOthers { names: &names, more }.say(lang),
    };
    if turn.roles.is_empty() {
        return names;
    }
    let roles = &list(lang, turn.roles.iter().map(Role::as_str));
    aside(lang, &names, &ChangePages::AsRoles { roles, count: turn.people }.say(lang))
}

fn named<'t>(lang: Lang, title: Option<&'t Text>, item: &'t str) -> &'t str {
    title.map(|title| title.get(lang)).filter(|title| !title.is_empty()).unwrap_or(item)
}

/// What a step is called that somebody may take; `title`: of an item. `None`: no page has it.
pub(super) fn step(lang: Lang, wish: &Wish, title: Option<&Text>) -> Option<String> {
    let words = match wish {
        Wish::Create { .. } => return None,
        Wish::Assign { .. } => ChangePages::DoAssign,
        Wish::Submit { environment: Some(environment), .. } => {
            ChangePages::DoSubmitFor { environment }
        }
        Wish::Submit { environment: None, .. } => ChangePages::DoSubmit,
        Wish::Review { .. } => ChangePages::DoReview,
        Wish::Approve { environment, .. } => {
            ChangePages::DoApprove { environment: environment.as_deref().unwrap_or_default() }
        }
        Wish::Confirm { environment, item } => {
            let item = named(lang, title, item.as_str());
            match environment {
                Some(environment) => ChangePages::DoConfirmIn { item, environment },
                None => ChangePages::DoConfirm { item },
            }
        }
        Wish::Schedule { environment, .. } => {
            ChangePages::DoSchedule { environment: environment.as_deref().unwrap_or_default() }
        }
        Wish::Decide { how: Some(HalfDone::Continue), .. } => ChangePages::DoContinue,
        Wish::Decide { how: Some(HalfDone::RollBack), .. } => ChangePages::DoRollBack,
        Wish::Decide { how: Some(HalfDone::Accept), .. } => ChangePages::DoAccept,
        Wish::Decide { applied: Some(true), .. } => ChangePages::DoApplied,
        Wish::Decide { .. } => ChangePages::DoNotApplied,
        Wish::Lost { .. } => ChangePages::DoLost,
        Wish::FeedBack => ChangePages::DoFeedBack,
        Wish::Close => ChangePages::DoClose,
        Wish::Archive => ChangePages::DoArchive,
        Wish::Return => ChangePages::DoReturn,
        Wish::Withdraw => ChangePages::DoWithdraw,
    };
    Some(words.say(lang))
}

/// The last part of a step's address, with what stands behind its `?`; `None`: no page has it.
pub fn address(wish: &Wish) -> Option<(&'static str, Vec<(&'static str, String)>)> {
    let of = |environment: &Option<String>| {
        let named = environment.iter().map(|of| ("environment", of.clone()));
        named.collect::<Vec<_>>()
    };
    Some(match wish {
        Wish::Create { .. } => return None,
        Wish::Assign { .. } => ("assign", Vec::new()),
        Wish::Submit { environment, .. } => ("submit", of(environment)),
        Wish::Review { .. } => ("review", Vec::new()),
        Wish::Approve { environment, .. } => ("approve", of(environment)),
        Wish::Confirm { environment, item } => {
            let mut of = of(environment);
            of.push(("item", item.to_string()));
            ("confirm", of)
        }
        Wish::Schedule { environment, .. } => ("schedule", of(environment)),
        Wish::Decide { applied, how } => {
            let how = how.map(|how| match how {
                HalfDone::Continue => "continue",
                HalfDone::RollBack => "roll-back",
                HalfDone::Accept => "accept",
            });
            let how = how.map(|how| ("how", how.to_owned()));
            (
                "decide",
                applied.map(|yes| ("applied", yes.to_string())).or(how).into_iter().collect(),
            )
        }
        Wish::Lost { environment } => ("lost", of(environment)),
        Wish::FeedBack => ("feed-back", Vec::new()),
        Wish::Close => ("close", Vec::new()),
        Wish::Archive => ("archive", Vec::new()),
        Wish::Return => ("return", Vec::new()),
        Wish::Withdraw => ("withdraw", Vec::new()),
    })
}

/// Whether somebody signs the scripts, who has read these and no others.
pub(super) fn signs(wish: &Wish) -> bool {
    matches!(wish, Wish::Review { .. } | Wish::Approve { .. })
}

/// The address of a step, from the page of its change. `content`: the digest of the scripts that the page shows.
pub(super) fn place(change: &str, wish: &Wish, content: Option<&str>) -> Option<String> {
    let (word, mut query) = address(wish)?;
    query.extend(content.filter(|_| signs(wish)).map(|content| (SEEN, content.to_owned())));
    let query: Vec<String> =
        query.into_iter().map(|(name, value)| format!("{name}={}", in_query(&value))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    Some(format!("{change}/{word}{query}"))
}

pub(super) fn part(lang: Lang, part: Part) -> String {
    match part {
        Part::Requester => ChangePages::PartRequester,
        Part::Author => ChangePages::PartAuthor,
        Part::Reviewer => ChangePages::PartReviewer,
        Part::Approver => ChangePages::PartApprover,
        Part::Executor => ChangePages::PartExecutor,
        Part::Watcher => ChangePages::PartWatcher,
    }
    .say(lang)
}

/// The first few of what is lacking, with how many more there are.
pub(super) fn few(lang: Lang, mut lines: Vec<String>, most: usize) -> Vec<String> {
    let more = u32::try_from(lines.len().saturating_sub(most)).unwrap_or(u32::MAX);
    lines.truncate(most);
    lines.extend((more > 0).then(|| Fault::AndMore { more }.say(lang)));
    lines
}
