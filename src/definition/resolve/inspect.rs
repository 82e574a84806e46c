//! The checks of an `inspect` job.

use super::changes::by_rule;
use super::jobs::JobResolver;
use crate::definition::defect::{Finding, Place};
use crate::definition::raw::inspect::InspectRecord;
use crate::definition::raw::job::JobRecord;
use crate::definition::raw::{At, Field, Names, Word};
use crate::definition::site::{InspectCheck, Kind, Look};
use crate::sql::lint;
use crate::types::{CheckName, Reading, Thresholds, Worse};

impl JobResolver<'_, '_> {
    /// `None` where there is no good check, which has been reported.
    pub(super) fn inspect(
        &mut self,
        raw: &At<Names<CheckName, InspectRecord>>,
        job: &JobRecord,
    ) -> Option<Kind> {
        if raw.value.0.is_empty() {
            let finding = Finding::error(raw.at, "`inspect` looks at nothing");
            self.found.push(finding.hint("such as `inspect: {disk: {disk: /, fail: 90}}`"));
        }
        let asks = raw.value.good().find_map(|(_, check)| check.sql.at());
        let target = match (asks, &job.target) {
            (Some(at), field) => {
                self.target(field, at, "a check with `sql` needs `target:` of the job").map(Some)
            }
            (None, Field::Absent | Field::Bad(_)) => Some(None),
            (None, Field::Given(target)) => {
                let what = "no check of this job asks a database";
                self.found.push(Finding::error(target.at, what).hint("leave `target` out"));
                Some(None)
            }
        };
        let checks: Vec<Option<InspectCheck>> =
            raw.value.good().map(|(name, check)| self.inspect_check(name, check, job)).collect();
        Some(Kind::Inspect { target: target?, checks: checks.into_iter().collect::<Option<_>>()? })
    }

    fn inspect_check(
        &mut self,
        name: &At<CheckName>,
        raw: &InspectRecord,
        job: &JobRecord,
    ) -> Option<InspectCheck> {
        let looks = [
            ("command", raw.command.at()),
            ("http", raw.http.at()),
            ("tcp", raw.tcp.at()),
            ("sql", raw.sql.at()),
            ("disk", raw.disk.at()),
            ("cpu", raw.cpu.at()),
            ("memory", raw.memory.at()),
            ("log", raw.log.at()),
        ];
        let given: Vec<(&str, Place)> =
            looks.into_iter().filter_map(|(look, at)| Some((look, at?))).collect();
        let [(kind, at), more @ ..] = given.as_slice() else {
            let what = format!("`{}` looks at nothing", name.value);
            let hint = "give it one of command, http, tcp, sql, disk, cpu, memory, log";
            self.found.push(Finding::error(name.at, what).hint(hint));
            return None;
        };
        if let [(other, at), ..] = more {
            let what = format!("`{}` has both `{kind}` and `{other}`", name.value);
            self.found.push(Finding::error(*at, what).hint("keep one, or make two checks"));
            return None;
        }
        for (key, at, with) in [
            ("status", raw.status.at(), "http"),
            ("ca", raw.ca.at(), "http"),
            ("lines", raw.lines.at(), "log"),
        ] {
            if let Some(at) = at.filter(|_| *kind != with) {
                let what = format!("`{key}` has no meaning with `{kind}`");
                self.found.push(Finding::error(at, what));
            }
        }
        self.positive(&raw.limit, "limit");
        let limit = raw.limit.or(InspectCheck::LIMIT);
        if let Some(cpu) = raw.cpu.given() {
            self.positive(&raw.cpu, "cpu");
            if cpu.value >= limit {
                let what = format!("it is watched for longer than `limit` ({limit}) lets it be");
                self.found.push(Finding::error(cpu.at, what));
            }
        }
        let thresholds = self.thresholds(raw, (kind, *at));
        let look = self.look(raw, *at, job)?;
        Some(InspectCheck { name: name.value.clone(), look, thresholds, limit })
    }

    fn look(&mut self, raw: &InspectRecord, at: Place, job: &JobRecord) -> Option<Look> {
        if let Some(command) = raw.command.given() {
            if command.value.0.first().is_none_or(|first| first.value.trim().is_empty()) {
                self.found.push(Finding::error(command.at, "`command` names no program"));
                return None;
            }
            for word in &command.value.0 {
                self.check_words(&word.value, word);
            }
            let argv = command.value.0.iter().map(|word| word.value.clone()).collect();
            return Some(Look::Command { argv });
        }
        for field in [&raw.http, &raw.ca, &raw.tcp, &raw.sql, &raw.disk, &raw.log] {
            if let Some(text) = field.given() {
                self.check_words(&text.value.0, text);
            }
        }
        if let Some(url) = raw.http.given() {
            let text = url.value.0.clone();
            if !text.starts_with("http://") && !text.starts_with("https://") {
                let what = "an address begins with `http://` or `https://`";
                self.found.push(Finding::error(url.at, what));
            }
            let status = raw.status.get().map(|status| status.to_u32());
            let status = status.and_then(|status| u16::try_from(status).ok());
            let ca = raw.ca.get().map(|file| file.0.clone());
            if let Some(at) = raw.ca.at().filter(|_| text.starts_with("http://")) {
                self.found.push(Finding::error(at, "`ca` needs an address with `https://`"));
            }
            return Some(Look::Http { url: text, status, ca });
        }
        if let Some(address) = raw.tcp.given() {
            let text = address.value.0.clone();
            let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            if port.is_none_or(|(_, port)| port.parse::<u16>().is_err() && !port.contains('{')) {
                let finding = Finding::error(address.at, "`tcp` is `host:port`");
                self.found.push(finding.hint("such as `tcp: db.bank.example:5432`"));
            }
            return Some(Look::Tcp { address: text });
        }
        if let Some(sql) = raw.sql.given() {
            return Some(self.query(sql, job));
        }
        if let Some(path) = raw.disk.get() {
            return Some(Look::Disk { path: path.0.clone() });
        }
        if let Some(during) = raw.cpu.get() {
            return Some(Look::Cpu { during: *during });
        }
        if let Some(of) = raw.memory.get() {
            return Some(Look::Memory { of: *of });
        }
        let path = raw.log.get()?.0.clone();
        let lines: Vec<String> = raw
            .lines
            .get()
            .map(|lines| lines.0.iter().map(|line| line.value.0.clone()).collect())
            .unwrap_or_default();
        if lines.is_empty() {
            let finding = Finding::error(at, "a check of `log` needs `lines:`");
            self.found.push(
                finding.hint("say what a line contains that counts: `lines: [ERROR, FATAL]`"),
            );
        }
        Some(Look::Log { path, lines })
    }

    fn query(&mut self, sql: &At<Word>, job: &JobRecord) -> Look {
        if self.known.is_client(job.target.get()) {
            let what = "a check with `sql` asks a database itself, not a client program";
            self.found.push(Finding::error(sql.at, what).hint("use `command:`"));
        }
        let found = lint::condition(self.known.dialect(job.target.get()), &sql.value.0);
        self.found.extend(found.iter().map(|found| by_rule(sql.at, found)));
        Look::Sql { query: sql.value.0.clone() }
    }

    /// What is measured needs something to measure it by; lines of a log do by themselves: one is a failure.
    fn thresholds(&mut self, raw: &InspectRecord, (look, at): (&str, Place)) -> Thresholds {
        let (warn, fail) = (raw.warn.get().copied(), raw.fail.get().copied());
        let worse = raw.worse.or(Worse::More);
        let mut thresholds = Thresholds { warn, fail, worse };
        let said = !raw.warn.is_absent() || !raw.fail.is_absent();
        if matches!(look, "disk" | "cpu" | "memory") && !said {
            let finding = Finding::error(at, format!("`{look}` needs `warn` or `fail`"));
            self.found.push(finding.hint("say from which percentage on: `warn: 80`, `fail: 95`"));
        }
        if let (Some(at), false) = (raw.worse.at(), said) {
            self.found.push(Finding::error(at, "`worse` goes with `warn` or `fail`"));
        }
        if let (Some(warn), Some(fail)) = (raw.warn.given(), raw.fail.given()) {
            let (nearer, further) = match worse {
                Worse::More => (warn.value, fail.value),
                Worse::Less => (fail.value, warn.value),
            };
            if nearer > further {
                let what = "it would have failed before it warns";
                let hint = "exchange `warn` and `fail`, or say `worse: less`";
                self.found.push(Finding::error(warn.at, what).hint(hint));
            }
        }
        if look == "log" && !said {
            thresholds.fail = Some(Reading::count(1));
        }
        thresholds
    }
}
