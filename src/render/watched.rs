//! What a watcher of another host says: an alarm, and its end.

use serde_json::json;

use super::clock::{Clock, took};
use super::mail::MailText;
use super::notice::Notice;
use super::words::Watched;
use crate::core::watcher::{Said, Trouble};
use crate::types::{Lang, LifeSign, Zone};

/// The message. `sign`: the last one that is there.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn message(
    lang: Lang,
    zone: &Zone,
    said: &Said,
    sign: Option<&LifeSign>,
) -> Result<MailText, askama::Error> {
    let at = match (said, sign) {
        (_, Some(sign)) => sign.at,
        (Said::Over { since }, None) => *since,
        (Said::Alarm { troubles, .. }, None) => match troubles.first() {
            Some(Trouble::Away { since, .. } | Trouble::Waiting { since, .. }) => *since,
            Some(Trouble::Clock { .. }) | None => jiff::Timestamp::UNIX_EPOCH,
        },
    };
    let clock = Clock::new(zone, at);
    let site = sign.map(|sign| sign.site.as_str()).unwrap_or("nightrun");
    let troubles = match said {
        Said::Over { since } => {
            let title = Watched::Over { since: &clock.full(*since) }.say(lang);
            return notice(lang, "[OK] ", title, sign_lines(lang, &clock, sign), site).mail();
        }
        Said::Alarm { troubles, .. } => troubles,
    };
    let mut lines = Vec::new();
    for trouble in troubles {
        lines.extend(meaning(lang, trouble));
    }
    lines.extend(sign_lines(lang, &clock, sign));
    let titles = troubles.iter().map(|trouble| headline(lang, &clock, site, trouble));
    let titles: Vec<String> = titles.collect();
    let mut notice = notice(lang, "[P1] ", super::words::remarks(lang, &titles), lines, site);
    notice.advice = vec![Watched::Do.say(lang)];
    notice.mail()
}

/// What a service says of itself at set times, and to a webhook.
///
/// # Errors
/// Only where the template itself fails to write, which its own text does not.
pub fn lives(lang: Lang, zone: &Zone, sign: &LifeSign) -> Result<MailText, askama::Error> {
    let clock = Clock::new(zone, sign.at);
    let title = Watched::Lives { site: &sign.site, at: &clock.full(sign.at) }.say(lang);
    let head: String = sign.head.chars().take(16).collect();
    let mut lines = vec![Watched::Journal { entries: sign.entries, head: &head }.say(lang)];
    lines.extend(sign.next.as_ref().map(|next| {
        Watched::NextIs { batch: next.batch.as_str(), at: &clock.full(next.at) }.say(lang)
    }));
    if let Some(since) = sign.waiting_since {
        let (site, since) = (sign.site.as_str(), &clock.full(since));
        lines.push(Watched::Waiting { site, messages: sign.waiting, since }.say(lang));
    }
    let mut mail = notice(lang, "[OK] ", title, lines, &sign.site).mail()?;
    mail.brief.about = json!({ "life_sign": sign });
    Ok(mail)
}

fn notice(
    lang: Lang,
    mark: &'static str,
    title: String,
    mut lines: Vec<String>,
    site: &str,
) -> Notice {
    // What it means comes first; the title stands above it.
    let lead = if lines.is_empty() { title.clone() } else { lines.remove(0) };
    Notice {
        lang,
        mark,
        lead,
        title,
        lines,
        said: String::new(),
        advice: Vec::new(),
        site: site.to_owned(),
    }
}

fn headline(lang: Lang, clock: &Clock<'_>, site: &str, trouble: &Trouble) -> String {
    match trouble {
        Trouble::Away { since, never: true, .. } => {
            Watched::Never { since: &clock.full(*since) }.say(lang)
        }
        Trouble::Away { since, .. } => Watched::Away { site, since: &clock.full(*since) }.say(lang),
        Trouble::Waiting { messages, since } => {
            let since = &clock.full(*since);
            Watched::Waiting { site, messages: *messages, since }.say(lang)
        }
        Trouble::Clock { ahead_s } => {
            let ahead = std::time::Duration::from_secs(ahead_s.unsigned_abs());
            Watched::Clock { site, ahead: &took(lang, ahead) }.say(lang)
        }
    }
}

fn meaning(lang: Lang, trouble: &Trouble) -> Vec<String> {
    match trouble {
        Trouble::Away { why, .. } => {
            let found = why.as_ref().map(|why| Watched::Found { why }.say(lang));
            std::iter::once(Watched::MeansAway.say(lang)).chain(found).collect()
        }
        Trouble::Waiting { .. } => vec![Watched::MeansWaiting.say(lang)],
        Trouble::Clock { .. } => vec![Watched::MeansClock.say(lang)],
    }
}

fn sign_lines(lang: Lang, clock: &Clock<'_>, sign: Option<&LifeSign>) -> Vec<String> {
    let Some(sign) = sign else { return Vec::new() };
    let head: String = sign.head.chars().take(16).collect();
    let last = Watched::LastSign { at: &clock.full(sign.at), entries: sign.entries, head: &head };
    let next = sign.next.as_ref().map(|next| {
        Watched::NextStart { batch: next.batch.as_str(), at: &clock.full(next.at) }.say(lang)
    });
    std::iter::once(last.say(lang)).chain(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::in_both;
    use crate::types::NextStart;

    #[test]
    fn alarms_and_their_end_in_both_languages() {
        let at = |text: &str| text.parse().unwrap();
        let sign = LifeSign {
            version: LifeSign::VERSION,
            at: at("2026-10-30T22:00:00Z"),
            site: "Test Bank".into(),
            epoch: 3,
            entries: 4711,
            head: "ab".repeat(32),
            next: Some(NextStart { batch: "eod".parse().unwrap(), at: at("2026-10-31T20:30:00Z") }),
            waiting: 3,
            waiting_since: Some(at("2026-10-30T21:15:00Z")),
        };
        let since = at("2026-10-30T22:00:00Z");
        let alarm = |troubles| Said::Alarm { troubles, again: false };
        let waiting = Trouble::Waiting { messages: 3, since: at("2026-10-30T21:15:00Z") };
        let why = Some("sign.json: Permission denied".to_owned());
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let said = [
            (alarm(vec![Trouble::Away { since, never: false, why: None }]), Some(&sign)),
            (alarm(vec![Trouble::Away { since, never: true, why }]), None),
            (alarm(vec![Trouble::Clock { ahead_s: 301 }, waiting]), Some(&sign)),
            (Said::Over { since }, Some(&sign)),
        ];
        let all = in_both(|lang| {
            let mails = said.iter().map(|(said, sign)| message(lang, &zone, said, *sign).unwrap());
            let texts = mails.map(|mail| format!("Subject: {}\n\n{}", mail.subject, mail.text));
            let lives = lives(lang, &zone, &sign).unwrap();
            let lives = format!("Subject: {}\n\n{}", lives.subject, lives.text);
            texts.chain([lives]).collect::<Vec<_>>().join("\n---\n")
        });
        insta::assert_snapshot!(all);
    }
}
