//! The settings of a watcher: what it looks at, and how it raises the alarm.

use std::path::{Path, PathBuf};

use super::defect::{Defect, Finding, Severity};
use super::raw::watch::{AlarmMailRecord, WatchFile};
use super::raw::{self, Field, Word};
use super::resolve::{absolute, check_address, over_http, smtp_server, webhook};
use super::site::{Smtp, Webhook};
use super::source::{SourceFile, SourceTree};
use crate::types::{Lang, Span, Zone};

/// What a watcher goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchSettings {
    pub sign: Sign,
    pub memory: PathBuf,
    pub after: Span,
    pub repeat: Span,
    pub waiting: Span,
    pub ahead: Span,
    pub language: Lang,
    pub zone: Zone,
    /// One of the three at least.
    pub mail: Option<AlarmMail>,
    pub webhook: Option<Webhook>,
    pub command: Vec<String>,
}

/// Where the life sign is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    File(PathBuf),
    /// Of several addresses the newest counts. `ca`: whose certificates do, in place of those that the host trusts.
    Pages {
        urls: Vec<String>,
        ca: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmMail {
    pub from: String,
    pub to: Vec<String>,
    pub smtp: Smtp,
}

const AFTER: Span = Span::seconds(15 * 60);
const REPEAT: Span = Span::seconds(30 * 60);
const WAITING: Span = Span::seconds(30 * 60);
/// Looks are 15 s apart, and a sign is given each minute at the most: less would raise alarms of nothing.
const AFTER_AT_LEAST: Span = Span::seconds(2 * 60);
const REPEAT_AT_LEAST: Span = Span::seconds(60);
const AHEAD: Span = Span::seconds(2 * 60);

/// Reads the file of a watcher. Paths in it count from its own folder.
///
/// # Errors
/// All of its defects.
pub fn watch(file: &Path, text: &str) -> Result<WatchSettings, Vec<Defect>> {
    let mut tree = SourceTree::default();
    tree.insert(file, SourceFile::Content(text.as_bytes().to_vec()));
    let lines = tree.lines(file);
    let (raw, mut found) = raw::file::<WatchFile>(text);
    let folder = file.parent().unwrap_or(Path::new(""));
    let settings = raw.and_then(|raw| resolved(&raw, folder, &mut found));
    let mut defects: Vec<Defect> =
        found.into_iter().map(|finding| Defect::of(file, &lines, finding)).collect();
    defects.sort_by(|a, b| a.order().cmp(&b.order()));
    match settings {
        Some(settings) if defects.iter().all(|d| d.severity != Severity::Error) => Ok(settings),
        _ => Err(defects),
    }
}

fn resolved(raw: &WatchFile, folder: &Path, found: &mut Vec<Finding>) -> Option<WatchSettings> {
    let path = |field: &Field<Word>| field.get().map(|word| folder.join(&word.0));
    let words = raw.command.get().into_iter().flat_map(|words| &words.0);
    let command: Vec<String> = words.map(|word| word.value.0.clone()).collect();
    if raw.mail.is_absent() && raw.webhook.is_absent() && command.is_empty() {
        let finding = Finding::error(raw.version.at().unwrap_or_default(), "nobody hears an alarm");
        found.push(finding.hint("give `mail`, `webhook` or `command`"));
    }
    at_least(&raw.after, ("after", AFTER_AT_LEAST), found);
    at_least(&raw.repeat, ("repeat", REPEAT_AT_LEAST), found);
    let at = raw.webhook.at().unwrap_or_default();
    let given = raw.webhook.get().map(|record| webhook(record, at, found));
    let mail = raw.mail.get().map(|record| mail(record, found));
    Some(WatchSettings {
        sign: sign(raw, path(&raw.sign), found)?,
        memory: path(&raw.memory)?,
        after: raw.after.or(AFTER),
        repeat: raw.repeat.or(REPEAT),
        waiting: raw.waiting.or(WAITING),
        ahead: raw.ahead.or(AHEAD),
        language: raw.language.or(Lang::En),
        zone: raw.zone.get().cloned().unwrap_or_else(Zone::utc),
        mail: mail.flatten(),
        webhook: given.flatten(),
        command,
    })
}

fn sign(raw: &WatchFile, file: Option<PathBuf>, found: &mut Vec<Finding>) -> Option<Sign> {
    let at = raw.version.at().unwrap_or_default();
    match (&raw.sign, &raw.url) {
        (Field::Absent, Field::Absent) => {
            let finding = Finding::error(at, "nothing is looked at");
            found.push(finding.hint("give `sign`, a file, or `url`"));
            None
        }
        (_, Field::Absent) => {
            if let Some(at) = raw.ca.at() {
                let finding = Finding::error(at, "`ca` says nothing of a file");
                found.push(finding.hint("it is of a `url`: leave it out, or give that"));
            }
            file.map(Sign::File)
        }
        (Field::Absent, given) => {
            let urls = given.get().into_iter().flat_map(|urls| &urls.0);
            let such_as = "https://night.bank.example:8420/healthz";
            let good = urls.filter(|url| over_http(url, such_as, found));
            let urls = good.map(|url| url.value.0.clone()).collect();
            Some(Sign::Pages { urls, ca: absolute(&raw.ca, found) })
        }
        (_, given) => {
            let at = given.at().unwrap_or(at);
            found.push(Finding::error(at, "`sign` and `url` are both given"));
            None
        }
    }
}

fn at_least(span: &Field<Span>, (key, least): (&str, Span), found: &mut Vec<Finding>) {
    if let Some(given) = span.given().filter(|given| given.value < least) {
        found.push(Finding::error(given.at, format!("`{key}` is {least} at the least")));
    }
}

fn mail(raw: &AlarmMailRecord, found: &mut Vec<Finding>) -> Option<AlarmMail> {
    let to = raw.to.get().into_iter().flat_map(|list| &list.0);
    for address in raw.from.given().into_iter().chain(to.clone()) {
        check_address(address, found);
    }
    Some(AlarmMail {
        from: raw.from.get()?.0.clone(),
        to: to.map(|address| address.value.0.clone()).collect(),
        smtp: smtp_server(raw.smtp.get()?, found),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Styles;

    fn read(text: &str) -> Result<WatchSettings, String> {
        watch(Path::new("/etc/nightrun/watch.yaml"), text).map_err(|defects| {
            defects.iter().map(|d| d.text(Path::new(""), Styles::plain())).collect()
        })
    }

    #[test]
    fn a_watcher_has_its_defaults_and_somebody_who_hears_it() {
        let text = "version: 1\nsign: /srv/night/sign.json\nmemory: watch.json\n";
        let settings = read(&format!("{text}command: [logger, -t, night]\n")).unwrap();
        assert_eq!(settings.memory, Path::new("/etc/nightrun/watch.json"));
        assert_eq!((settings.after, settings.command.len()), (AFTER, 3));
        assert!(read(text).unwrap_err().contains("nobody hears an alarm"));
        let other = "version: 1\nmemory: m\ncommand: [logger]\n";
        let urls = "url: [https://a.example/healthz, http://b.example/healthz]\nca: ca.pem\n";
        let said = read(&format!("{other}{urls}")).unwrap_err();
        assert!(said.contains("`ca.pem` is no absolute path"), "{said}");
        let urls = urls.replace("ca.pem", "/etc/ca.pem");
        let Sign::Pages { urls, ca } = read(&format!("{other}{urls}")).unwrap().sign else {
            panic!()
        };
        assert_eq!((urls.len(), ca.as_deref()), (2, Some(Path::new("/etc/ca.pem"))));
        for (given, told) in [
            ("", "nothing is looked at"),
            ("url: https://a\nsign: s\n", "both given"),
            ("sign: s\nca: /etc/ca.pem\n", "`ca` says nothing of a file"),
            ("sign: s\nca: ca.pem\n", "`ca` says nothing of a file"),
            ("url: a.example\n", "is no address"),
        ] {
            let said = read(&format!("{other}{given}")).unwrap_err();
            assert!(said.contains(told), "{said}");
        }
        let mail = "mail: {from: a, to: [b@x], smtp: {host: h}}\nafer: 5m\n";
        let said = read(&format!("{text}{mail}after: 1m\nrepeat: 0s\n")).unwrap_err();
        let least = ["`after` is 2m at the least", "`repeat` is 1m at the least"];
        for part in ["`a` is not a mail address", "did you mean `after`?"].into_iter().chain(least)
        {
            assert!(said.contains(part), "{said}");
        }
    }
}
