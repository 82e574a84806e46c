//! `site.yaml` → the settings of the site.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::civil::Time;

use super::known::Known;
use super::{rounds, targets, webhooks};
use crate::definition::defect::Finding;
use crate::definition::raw::site::{
    LifeSignRecord, MailRecord, ReportsRecord, SignMailRecord, SiteFile, SmtpRecord,
};
use crate::definition::raw::{At, Field, List, Names, Word};
use crate::definition::sheets::{Findings, Sheets};
use crate::definition::site::{
    ADMIN_ROLE, InspectionRules, LifeSignRule, Mail, ReportRules, SignMail, Smtp, Target, Tls,
    Transport, TwoPeople, Webhook,
};
use crate::types::{
    CalendarName, ChannelName, Lang, PoolName, Rights, Role, Span, TargetName, Text, Zone,
};

pub(super) struct Settings {
    pub title: Text,
    pub zone: Zone,
    pub language: Lang,
    pub calendar: Option<CalendarName>,
    pub url: Option<String>,
    pub mail: Mail,
    pub webhooks: BTreeMap<ChannelName, Webhook>,
    pub life_sign: Option<LifeSignRule>,
    pub reports: ReportRules,
    pub inspections: Option<InspectionRules>,
    pub pools: BTreeMap<PoolName, u32>,
    pub targets: BTreeMap<TargetName, Target>,
    pub second_person: Vec<TwoPeople>,
    pub rights: BTreeMap<Role, Rights>,
}

/// The least time for which messages are tried again: a server that is replaced comes back sooner.
const TRIED_AT_LEAST: Span = Span::seconds(3_600);

/// Between two life signs where the site says nothing, and at the least.
const SIGN_EVERY: Span = Span::seconds(5 * 60);
const SIGN_AT_LEAST: Span = Span::seconds(60);

/// `None` only where there is no readable site.yaml, or no mail in it.
pub(super) fn resolve(
    sheets: &Sheets,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<Settings> {
    let sheet = sheets.site.as_ref()?;
    let raw = sheet.raw.as_ref()?;
    let mut found = Vec::new();
    if let Some(calendar) = raw.calendar.given() {
        known.check(&known.calendars, calendar, &mut found);
    }
    let url = raw.url.given().and_then(|given| page_address(given, &mut found));
    let mail = raw.mail.get().and_then(|raw| mail(raw, known, &mut found));
    let targets = targets::resolve(raw, &mut found);
    let webhooks = webhooks::resolve(raw, &mut found);
    let life_sign = raw.life_sign.given().map(|given| life_sign(given, known, &mut found));
    let inspections = raw.inspections.get().map(|raw| rounds::resolve(raw, known, &mut found));
    warn_of_one_person(sheets, &raw.second_person, &mut found);
    let rights = rights(raw, known, &mut found);
    findings.add(&sheet.file, found);
    let pools = raw.pools.get().into_iter().flat_map(Names::good);
    Some(Settings {
        title: text(&raw.title, &raw.title_zh),
        zone: known.zone.clone(),
        language: raw.language.or(Lang::En),
        calendar: raw.calendar.get().cloned(),
        url,
        pools: pools.map(|(name, size)| (name.value.clone(), size.to_u32())).collect(),
        targets,
        webhooks,
        life_sign,
        reports: raw.reports.get().map(reports).unwrap_or_default(),
        inspections,
        second_person: raw.second_person.get().map(each_once).unwrap_or_default(),
        rights,
        mail: mail?,
    })
}

/// Two people are told apart by their accounts.
fn warn_of_one_person(
    sheets: &Sheets,
    second_person: &Field<List<TwoPeople>>,
    found: &mut Vec<Finding>,
) {
    let Some(actions) = second_person.given() else { return };
    let people = sheets.people.as_ref().and_then(|sheet| sheet.raw.as_ref());
    let Some(people) = people.and_then(|file| file.people.get()) else { return };
    let accounts: BTreeSet<&str> =
        people.good().filter_map(|(_, person)| Some(person.unix_user.get()?.0.as_str())).collect();
    if !actions.value.0.is_empty() && accounts.len() < 2 {
        let what = "fewer than two people in people.yaml have a `unix_user`, so nobody can say yes \
                    to what another one asks for";
        found.push(Finding::warning(actions.at, what));
    }
}

/// What each role may do. A role that nobody has is most often a slip of the pen.
fn rights(raw: &SiteFile, known: &Known<'_>, found: &mut Vec<Finding>) -> BTreeMap<Role, Rights> {
    let mut rights = BTreeMap::new();
    for (role, of_role) in raw.rights.get().into_iter().flat_map(Names::good) {
        if role.value.as_str() == ADMIN_ROLE {
            let what = "who has the role `admin` has every right";
            found.push(Finding::error(role.at, what).hint("leave it out, or name another role"));
        } else {
            known.somebody_has(role, found);
        }
        rights.insert(role.value.clone(), of_role.0.iter().map(|right| right.value).collect());
    }
    rights
}

/// Each once, in the order of the file.
fn each_once<T: Copy + PartialEq>(raw: &List<T>) -> Vec<T> {
    let mut found = Vec::new();
    for named in &raw.0 {
        if !found.contains(&named.value) {
            found.push(named.value);
        }
    }
    found
}

fn reports(raw: &ReportsRecord) -> ReportRules {
    let usual = ReportRules::default();
    ReportRules {
        files: raw.files.get().map_or(usual.files, each_once),
        attach: raw.attach.get().map_or(usual.attach, each_once),
        at: raw.at.get().copied(),
    }
}

/// A text in one language or two.
pub(super) fn text(en: &Field<Word>, zh: &Field<Word>) -> Text {
    Text {
        en: en.get().map(|word| word.0.clone()).unwrap_or_default(),
        zh: zh.get().map(|word| word.0.clone()),
    }
}

/// Whether it can stand in a header of a mail.
pub(in crate::definition) fn check_address(address: &At<Word>, found: &mut Vec<Finding>) {
    let text = &address.value.0;
    let good =
        text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !good || text.chars().any(char::is_control) {
        let what = format!("`{}` is not a mail address", text.escape_debug());
        found.push(Finding::error(address.at, what));
    }
}

fn mail(raw: &MailRecord, known: &Known<'_>, found: &mut Vec<Finding>) -> Option<Mail> {
    if let Some(from) = raw.from.given() {
        check_address(from, found);
    }
    if let Some(given) = raw.give_up_after.given().filter(|given| given.value < TRIED_AT_LEAST) {
        let what = "messages are tried again for an hour at the least";
        found.push(Finding::error(given.at, what).hint("such as `give_up_after: 3d`"));
    }
    for role in [&raw.failures_to, &raw.report_to] {
        warn_of_empty_role(role, known, found);
    }
    let transport = match (&raw.folder, &raw.smtp) {
        (Field::Absent, Field::Absent) => {
            let at = raw.from.at().or(raw.failures_to.at()).unwrap_or_default();
            let finding = Finding::error(at, "mail has neither `folder` nor `smtp`");
            found.push(finding.hint("`folder: mail` writes .eml files beneath the state folder"));
            return None;
        }
        (folder, Field::Absent) => Transport::Folder(PathBuf::from(&folder.get()?.0)),
        (Field::Absent, smtp) => Transport::Smtp(smtp_server(smtp.get()?, found)),
        (_, smtp) => {
            let at = smtp.at().unwrap_or_default();
            let finding = Finding::error(at, "mail has both `folder` and `smtp`");
            found.push(finding.hint("keep one of them"));
            return None;
        }
    };
    Some(Mail {
        from: raw.from.get()?.0.clone(),
        transport,
        failures_to: raw.failures_to.get()?.clone(),
        report_to: raw.report_to.get()?.clone(),
        give_up_after: raw.give_up_after.or(Mail::GIVE_UP_AFTER),
    })
}

fn warn_of_empty_role(role: &Field<Role>, known: &Known<'_>, found: &mut Vec<Finding>) {
    let Some(role) = role.given() else { return };
    if known.roles.is_complete() && !known.roles.contains(&role.value) {
        let what = format!(
            "nobody in people.yaml has the role `{}`, so these mails reach nobody",
            role.value
        );
        let hint = known.hint(&known.roles, role.value.as_str());
        found.push(Finding::warning(role.at, what).maybe_hint(hint));
    }
}

pub(in crate::definition) fn smtp_server(raw: &SmtpRecord, found: &mut Vec<Finding>) -> Smtp {
    let tls = raw.tls.or(Tls::StartTls);
    let usual = match tls {
        Tls::StartTls => 587,
        Tls::Implicit => 465,
        Tls::None => 25,
    };
    match (&raw.user, &raw.password_file) {
        (Field::Given(user), Field::Absent) => {
            found.push(Finding::error(user.at, "`user` needs `password_file`"));
        }
        (Field::Absent, Field::Given(file)) => {
            found.push(Finding::error(file.at, "`password_file` needs `user`"));
        }
        _ => {}
    }
    if let (Field::Given(ca), Tls::None) = (&raw.ca, tls) {
        found.push(Finding::error(ca.at, "`ca` needs `tls: start-tls` or `tls: implicit`"));
    }
    if let (Field::Given(user), Tls::None) = (&raw.user, tls) {
        let what = "the password goes over the network in the clear";
        found.push(Finding::warning(user.at, what).hint("use `tls: start-tls` or `tls: implicit`"));
    }
    Smtp {
        host: raw.host.get().map(|host| host.0.clone()).unwrap_or_default(),
        port: raw.port.get().and_then(|port| u16::try_from(port.0).ok()).unwrap_or(usual),
        tls,
        ca: raw.ca.get().map(|file| PathBuf::from(&file.0)),
        user: raw.user.get().map(|user| user.0.clone()),
        password_file: raw.password_file.get().map(|file| PathBuf::from(&file.0)),
    }
}

/// Where pages are: a path is put behind it.
fn page_address(given: &At<Word>, found: &mut Vec<Finding>) -> Option<String> {
    let such_as = "https://night.bank.example:8420";
    if !webhooks::over_http(given, such_as, found) {
        return None;
    }
    let text = &given.value.0;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]%@".contains(c);
    if let Some(odd) = text.chars().find(|c| !plain(*c)) {
        let what = format!("an address of pages has no `{}` in it", odd.escape_debug());
        found.push(Finding::error(given.at, what).hint(format!("such as {such_as}")));
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

fn life_sign(
    given: &At<LifeSignRecord>,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> LifeSignRule {
    let raw = &given.value;
    let every = raw.every.or(SIGN_EVERY);
    if let Some(given) = raw.every.given().filter(|given| given.value < SIGN_AT_LEAST) {
        let what = "a life sign is given once a minute at the most";
        found.push(Finding::error(given.at, what).hint("such as `every: 5m`"));
    }
    if raw.file.is_absent() && raw.webhook.is_absent() && raw.mail.is_absent() {
        let finding = Finding::error(given.at, "nobody is told that the service lives");
        found.push(finding.hint("give `file`, `webhook` or `mail`"));
    }
    if let Some(webhook) = raw.webhook.given() {
        known.check(&known.webhooks, webhook, found);
    }
    LifeSignRule {
        every,
        file: targets::file(&raw.file, found),
        webhook: raw.webhook.get().cloned(),
        mail: raw.mail.get().and_then(|raw| sign_mail(raw, known, found)),
    }
}

fn sign_mail(
    raw: &SignMailRecord,
    known: &Known<'_>,
    found: &mut Vec<Finding>,
) -> Option<SignMail> {
    let times = raw.at.given()?;
    if times.value.0.is_empty() {
        found.push(Finding::error(times.at, "a mail without a time is never sent"));
    }
    let to = raw.to.given()?;
    known.somebody_has(to, found);
    let mut at: Vec<Time> = times.value.0.iter().map(|time| time.value).collect();
    at.sort();
    at.dedup();
    Some(SignMail { at, to: to.value.clone() })
}
