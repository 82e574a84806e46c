//! What people see before they decide what became of a change in doubt.

use jiff::Timestamp;

use super::change::head;
use super::table::{Table, harmless};
use super::words::{Evident, Label, aside};
use crate::core::change::Stage;
use crate::types::{Lang, Zone};
use crate::view::change_evidence::{Against, ChangeEvidence};
use crate::wire::{ChangeState, Evidence, Found};

/// The evidence, and what each choice does.
pub fn text(lang: Lang, zone: &Zone, evidence: &ChangeEvidence) -> String {
    let of = &evidence.of;
    let (change, environment) = (of.change.as_str(), of.environment.as_str());
    let mut text = Evident::Title { change, environment }.say(lang) + "\n";
    let mut table = Table::new(&["", ""], &[], 2);
    let state = Label::of_change(of.state).say(lang);
    let state = match &of.why {
        Some(why) => aside(lang, state, why),
        None => state.to_owned(),
    };
    for (label, value) in [
        (Evident::Attempt, format!("{} · {}", of.attempt, of.target)),
        (Evident::State, state),
        (Evident::Script, head(&of.content).to_owned()),
    ] {
        table.row(vec![label.say(lang), value]);
    }
    table.write(&mut text);
    if !evidence.earlier.is_empty() {
        text.push_str(&format!("\n{}\n", Evident::Earlier.say(lang)));
        lines(zone, &mut text, &evidence.earlier);
    }
    text.push_str(&format!("\n{}\n", Evident::Asked.say(lang)));
    lines(zone, &mut text, &evidence.looked.evidence);
    let says = found(lang, &evidence.looked.found);
    text.push_str(&format!("\n{}\n  {says}\n", Evident::Says.say(lang)));
    if of.stage != Stage::InDoubt {
        text.push_str(&format!("\n{}\n", Evident::NoDoubt.say(lang)));
        return harmless(&text);
    }
    text.push_str(&format!("\n{}\n", Evident::Choices.say(lang)));
    let job = of.attempt.job.as_str();
    let choices =
        [Evident::ChooseApplied { job, change }, Evident::ChooseNotApplied { job, change }];
    // What is left of one that stopped half way people may also have go on.
    let half_done = match of.state {
        Some(ChangeState::Partial) => vec![
            Evident::ChooseContinue { job, change },
            Evident::ChooseRollBack { job, change },
            Evident::ChooseAccept { job, change },
        ],
        // Nobody would know where to go on.
        Some(ChangeState::RollbackFailed) => match evidence.looked.found {
            Found::CutBack { stuck: true, .. } => Vec::new(),
            Found::CutBack { .. } => vec![Evident::ChooseRestOfRollBack { job, change }],
            _ => vec![Evident::ChooseRollBack { job, change }],
        },
        _ => Vec::new(),
    };
    for choice in choices.into_iter().chain(half_done) {
        text.push_str(&format!("  {}\n", choice.say(lang)));
    }
    text.push_str(&format!("  {}\n", Evident::Then.say(lang)));
    let against = evidence.against.map(|against| match against {
        Against::Applied => Evident::AgainstApplied,
        Against::NotApplied => Evident::AgainstNotApplied,
        Against::Both => Evident::AgainstBoth,
    });
    if let Some(against) = against {
        text.push_str(&format!("  ! {}\n", against.say(lang)));
    }
    harmless(&text)
}

fn lines(zone: &Zone, text: &mut String, all: &[Evidence]) {
    let at = |at: Timestamp| at.to_zoned(zone.tz().clone()).strftime("%H:%M:%S").to_string();
    for one in all {
        text.push_str(&format!("  {}  {}\n            {}\n", at(one.at), one.query, one.answer));
    }
}

fn found(lang: Lang, found: &Found) -> String {
    match found {
        Found::NotApplied => Evident::NotApplied.say(lang),
        Found::Applied { attempt, rows } => Evident::Applied { attempt, rows: *rows }.say(lang),
        Found::RolledBack { attempt } => Evident::RolledBack { attempt }.say(lang),
        Found::Cut { done, of, open } => {
            let of = &of.map_or("?".to_owned(), |of| of.to_string());
            let mut text = Evident::Cut { done: *done, of }.say(lang);
            if let Some(number) = open {
                text.push_str(&Evident::Open { number: *number }.say(lang));
            }
            text
        }
        Found::CutBack { done, of, open, stuck: _ } => {
            let of = &of.map_or("?".to_owned(), |of| of.to_string());
            let mut text = Evident::CutBack { done: *done, of }.say(lang);
            if let Some(number) = open {
                text.push_str(&Evident::Open { number: *number }.say(lang));
            }
            text
        }
        Found::Conflict { why } => Evident::Conflict { why }.say(lang),
        Found::Unread { why } => Evident::Unread { why }.say(lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ChangeId, TargetName};
    use crate::view::change_evidence::{Doubted, against};
    use crate::wire::Looked;

    fn choices(state: ChangeState, found: Found) -> Vec<&'static str> {
        let of = Doubted {
            change: ChangeId::new("fee").unwrap(),
            environment: "production".to_owned(),
            target: TargetName::new("prod").unwrap(),
            attempt: "eod@2026-10-30#1/fee/2".parse().unwrap(),
            content: "abc".to_owned(),
            scripts: Vec::new(),
            stage: Stage::InDoubt,
            state: Some(state),
            why: None,
            ended: None,
        };
        let against = against(&found);
        let looked = Looked { found, evidence: Vec::new() };
        let evidence = ChangeEvidence { of, earlier: Vec::new(), looked, against };
        let text = text(Lang::En, &Zone::utc(), &evidence);
        let all = ["applied", "not-applied", "continue", "roll-back", "accept"];
        let offered = |choice: &&str| text.contains(&format!("decide fee {choice} --reason"));
        all.into_iter().filter(offered).collect()
    }

    #[test]
    fn what_cannot_go_on_is_not_offered() {
        let (done, of) = (1, Some(3));
        let cut = Found::Cut { done, of, open: None };
        let back = |open, stuck| Found::CutBack { done, of, open, stuck };
        let unread = || Found::Unread { why: "away".to_owned() };
        let said = ["applied", "not-applied"];
        let or_back = ["applied", "not-applied", "roll-back"];
        let all = ["applied", "not-applied", "continue", "roll-back", "accept"];
        assert_eq!(choices(ChangeState::Partial, cut), all);
        assert_eq!(choices(ChangeState::RollbackFailed, unread()), or_back);
        assert_eq!(choices(ChangeState::RollbackFailed, back(None, false)), or_back);
        assert_eq!(choices(ChangeState::RollbackFailed, back(Some(2), false)), or_back);
        assert_eq!(choices(ChangeState::RollbackFailed, back(Some(2), true)), said);
        assert_eq!(choices(ChangeState::InDoubt, back(Some(2), true)), said);
    }
}
