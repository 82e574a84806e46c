//! What a job does: exactly one kind, with what that kind needs.

use std::path::PathBuf;

use super::changes::by_rule;
use super::jobs::JobResolver;
use super::settings::text;
use crate::definition::braced_words::{self, Piece};
use crate::definition::defect::{Finding, Place};
use crate::definition::nearest;
use crate::definition::raw::job::{ConfirmRecord, JobRecord, WaitRecord};
use crate::definition::raw::{At, Field, List, Word};
use crate::definition::sheets::text_of;
use crate::definition::site::{Kind, Transaction};
use crate::definition::source::within;
use crate::sql::Dialect;
use crate::sql::lint::{self, Mode};
use crate::types::{ChangeId, JobName, Span, TargetName};

/// Programs whose first argument is a script.
const INTERPRETERS: [&str; 10] =
    ["sh", "bash", "dash", "ksh", "zsh", "python", "python3", "perl", "ruby", "node"];

impl JobResolver<'_, '_> {
    /// `None` where the job has no good kind, which has been reported.
    pub(super) fn kind(&mut self, name: &At<JobName>, raw: &JobRecord) -> Option<Kind> {
        let kinds = [
            ("run", raw.run.at()),
            ("shell", raw.shell.at()),
            ("sql", raw.sql.at()),
            ("change", raw.change.at()),
            ("wait", raw.wait.at()),
            ("confirm", raw.confirm.at()),
            ("inspect", raw.inspect.at()),
        ];
        let given: Vec<(&str, Place)> =
            kinds.into_iter().filter_map(|(kind, at)| Some((kind, at?))).collect();
        match given.as_slice() {
            [] => {
                let what = format!("`{}` does nothing: it has no kind", name.value);
                let hint = "give it one of run, shell, sql, change, wait, confirm, inspect";
                self.found.push(Finding::error(name.at, what).hint(hint));
                return None;
            }
            [_] => {}
            [(first, _), (second, at), ..] => {
                let what = format!("`{}` has two kinds: `{first}` and `{second}`", name.value);
                self.found.push(Finding::error(*at, what).hint("keep one, or make two jobs"));
            }
        }
        self.check_company(raw);
        let run = raw.run.given().map(|run| self.run(run, raw));
        let shell = raw.shell.given().map(|shell| self.shell(shell));
        let sql = raw.sql.given().map(|script| self.sql(script, raw));
        let change = raw.change.given().map(|change| Some(self.change(change, raw)));
        let wait = raw.wait.given().map(|wait| self.wait(wait));
        let confirm = raw.confirm.get().map(|confirm| Some(self.confirm(confirm)));
        let inspect = raw.inspect.given().map(|inspect| self.inspect(inspect, raw));
        run.or(shell).or(sql).or(change).or(wait).or(confirm).or(inspect)?
    }

    /// A change that goes to several environments is executed in one of them.
    fn change(&mut self, change: &At<ChangeId>, raw: &JobRecord) -> Kind {
        self.known.check(&self.known.changes, change, self.found);
        let declared = self.known.change_files.get(&change.value);
        let targets = declared.and_then(|file| file.targets.get());
        match (targets, raw.environment.given()) {
            (Some(targets), environment) => {
                let names: Vec<&str> =
                    targets.0.iter().map(|named| named.key.value.as_str()).collect();
                let known = environment.is_some_and(|named| names.contains(&named.value.as_str()));
                if !known {
                    let at = environment.map_or(change.at, |named| named.at);
                    let what = match environment {
                        Some(named) => {
                            format!("`{}` has no target in `{}`", change.value, named.value)
                        }
                        None => format!("`{}` goes to several environments", change.value),
                    };
                    let hint = format!("`environment:` is one of: {}", names.join(", "));
                    self.found.push(Finding::error(at, what).hint(hint));
                }
            }
            (None, Some(named)) if declared.is_some() => {
                let what = format!("`{}` goes to one target only", change.value);
                self.found.push(Finding::error(named.at, what).hint("leave `environment` out"));
            }
            (None, _) => {}
        }
        let environment = targets.and_then(|_| raw.environment.get().cloned());
        Kind::Change { change: change.value.clone(), environment }
    }

    /// Keys that mean something only beside another.
    fn check_company(&mut self, raw: &JobRecord) {
        let sql = !raw.sql.is_absent();
        let program = !raw.run.is_absent() || !raw.shell.is_absent();
        let asks = sql || !raw.inspect.is_absent();
        let pairs = [
            ("target", raw.target.at(), "`sql` or `inspect`", asks),
            ("transaction", raw.transaction.at(), "`sql`", sql),
            ("environment", raw.environment.at(), "`change`", !raw.change.is_absent()),
            ("engine", raw.engine.at(), "`run` or `shell`", program),
            ("success", raw.success.at(), "`run` or `shell`", program),
            ("calendar", raw.calendar.at(), "`days`", !raw.days.is_absent()),
            ("runbook_zh", raw.runbook_zh.at(), "`runbook`", !raw.runbook.is_absent()),
            ("runbook_reviewed", raw.runbook_reviewed.at(), "`runbook`", !raw.runbook.is_absent()),
        ];
        for (key, at, with, there) in pairs {
            if let Some(at) = at.filter(|_| !there) {
                self.found.push(Finding::error(
                    at,
                    format!("`{key}` goes with {with}, which is not here"),
                ));
            }
        }
    }

    fn run(&mut self, run: &At<List<String>>, raw: &JobRecord) -> Option<Kind> {
        let argv = &run.value.0;
        let Some(program) = argv.first().filter(|first| !first.value.trim().is_empty()) else {
            let finding = Finding::error(run.at, "`run` names no program");
            self.found
                .push(finding.hint("write the program and its arguments: `[sh, scripts/load.sh]`"));
            return None;
        };
        for argument in argv {
            self.check_words(&argument.value, argument);
        }
        if raw.dir.is_absent() {
            self.check_script(program, program.value.contains('/'));
            if let Some(script) = argv.get(1) {
                let program = program.value.rsplit('/').next().unwrap_or("");
                self.check_script(script, INTERPRETERS.contains(&program));
            }
        }
        Some(Kind::Run { argv: argv.iter().map(|argument| argument.value.clone()).collect() })
    }

    /// A script that is named by a path of the site must be there.
    fn check_script(&mut self, argument: &At<String>, is_script: bool) {
        let text = &argument.value;
        let elsewhere = text.starts_with(['/', '-', '~']) || text.contains('{') || text.is_empty();
        if !is_script || elsewhere {
            return;
        }
        let there = within(self.folder, text).is_some_and(|path| self.tree.get(&path).is_some());
        if !there {
            self.found.push(self.no_file(text, argument.at));
        }
    }

    /// The nearest file of this file's folder and beneath, as the hint.
    fn no_file(&self, text: &str, at: Place) -> Finding {
        let files =
            self.tree.iter().filter_map(|(path, _)| path.strip_prefix(self.folder).ok()?.to_str());
        let hint =
            self.known.may_compare(self.tree.len()).then(|| nearest::hint(text, files)).flatten();
        let folder = match self.folder.to_str() {
            None | Some("") => "the site's folder".to_owned(),
            Some(folder) => format!("the folder `{folder}`"),
        };
        Finding::error(at, format!("there is no file `{text}` in {folder}")).maybe_hint(hint)
    }

    fn shell(&mut self, shell: &At<Word>) -> Option<Kind> {
        self.check_words(&shell.value.0, shell);
        Some(Kind::Shell { script: shell.value.0.clone() })
    }

    fn sql(&mut self, script: &At<Word>, raw: &JobRecord) -> Option<Kind> {
        let transaction = raw.transaction.or(Transaction::One);
        let mode = match transaction {
            Transaction::One => Mode::OneTransaction,
            Transaction::None => Mode::EachAlone,
        };
        let client = self.known.is_client(raw.target.get());
        if client && transaction == Transaction::One {
            let what = "a client program makes its own transactions";
            let hint = "write `transaction: none`, and in the script what the program needs";
            self.found.push(Finding::error(script.at, what).hint(hint));
        }
        let dialect = (!client).then(|| self.known.dialect(raw.target.get()));
        self.check_sql(script, dialect, mode);
        let target = self.target(
            &raw.target,
            script.at,
            "`sql` needs `target:`, the database that it runs on",
        )?;
        Some(Kind::Sql { target, script: PathBuf::from(&script.value.0), transaction })
    }

    /// A script of the site must be there and hold a statement. One that begins with `{work}` is written by an earlier
    /// job, and only such a path may hold words.
    /// Without a dialect it is only looked for.
    fn check_sql(&mut self, script: &At<Word>, dialect: Option<Dialect>, mode: Mode) {
        let name = &script.value.0;
        if name.starts_with("{work}") {
            return self.check_words(name, script);
        }
        if name.contains('{') {
            let what = "words in a path of `sql` must begin with `{work}`";
            let hint = "a script of the site has a fixed name, because the run keeps a copy of it";
            self.found.push(Finding::error(script.at, what).hint(hint));
            return;
        }
        let path = within(self.folder, name).and_then(|path| self.tree.get(&path));
        match path.map(text_of) {
            None => self.found.push(self.no_file(name, script.at)),
            Some(Err(wrong)) => {
                let what = format!("`{name}`: {}", wrong.what);
                self.found.push(Finding::error(script.at, what).maybe_hint(wrong.hint));
            }
            Some(Ok(text)) => {
                let read = dialect.map(|dialect| lint::script(dialect, text, mode));
                for found in read.into_iter().flatten() {
                    let finding = by_rule(script.at, &found);
                    let what = format!("`{name}` line {}: {}", found.line, finding.what);
                    self.found.push(Finding { what, ..finding });
                }
            }
        }
    }

    pub(super) fn target(
        &mut self,
        field: &Field<TargetName>,
        at: Place,
        lack: &str,
    ) -> Option<TargetName> {
        match field {
            Field::Given(target) => {
                self.known.check(&self.known.targets, target, self.found);
                Some(target.value.clone())
            }
            Field::Absent => {
                self.found.push(Finding::error(at, lack));
                None
            }
            Field::Bad(_) => None,
        }
    }

    fn wait(&mut self, wait: &At<WaitRecord>) -> Option<Kind> {
        let raw = &wait.value;
        let ways = [
            ("file", raw.file.at()),
            ("until", raw.until.at()),
            ("sql", raw.sql.at()),
            ("event", raw.event.at()),
        ];
        let given: Vec<(&str, Place)> =
            ways.into_iter().filter_map(|(way, at)| Some((way, at?))).collect();
        let [(way, at), more @ ..] = given.as_slice() else {
            let what = "`wait` needs one of `file`, `until`, `sql`, `event`";
            self.found.push(Finding::error(wait.at, what));
            return None;
        };
        if let [(other, at), ..] = more {
            let what = format!("`wait` has both `{way}` and `{other}`");
            self.found.push(Finding::error(*at, what).hint("keep one, or make two jobs"));
            return None;
        }
        let keys = [
            ("stable", raw.stable.at(), *way == "file"),
            ("target", raw.target.at(), *way == "sql"),
            ("every", raw.every.at(), matches!(*way, "file" | "sql")),
            ("limit", raw.limit.at(), *way != "until"),
        ];
        for (key, at, fits) in keys {
            if let Some(at) = at.filter(|_| !fits) {
                self.found.push(Finding::error(at, format!("`{key}` has no meaning with `{way}`")));
            }
        }
        if *way == "until" {
            return raw.until.get().map(|time| Kind::WaitUntil { time: *time });
        }
        self.positive(&raw.limit, "limit");
        if *way == "event" {
            let limit = raw.limit.get().copied();
            return raw.event.get().map(|event| Kind::WaitEvent { event: event.clone(), limit });
        }
        self.positive(&raw.every, "every");
        if raw.limit.is_absent() {
            let finding = Finding::error(*at, format!("a wait for `{way}` needs `limit:`"));
            self.found.push(finding.hint("say how long to wait at the most, such as `limit: 2h`"));
        }
        let every = raw.every.or(Span::seconds(5));
        let limit = raw.limit.or(Span::default());
        if let Some(file) = raw.file.given() {
            self.check_words(&file.value.0, file);
            let stable = raw.stable.or(Span::seconds(2));
            return Some(Kind::WaitFile { path: file.value.0.clone(), stable, every, limit });
        }
        let sql = raw.sql.given()?;
        self.check_words(&sql.value.0, sql);
        if self.known.is_client(raw.target.get()) {
            let what = "a wait for `sql` asks a database itself, not a client program";
            let hint = "use a `run:` job that asks, with `retry:`";
            self.found.push(Finding::error(sql.at, what).hint(hint));
        }
        let found = lint::condition(self.known.dialect(raw.target.get()), &sql.value.0);
        self.found.extend(found.iter().map(|found| by_rule(sql.at, found)));
        let target =
            self.target(&raw.target, sql.at, "a wait for `sql` needs `target:` beside it")?;
        Some(Kind::WaitSql { target, query: sql.value.0.clone(), every, limit })
    }

    fn confirm(&mut self, raw: &ConfirmRecord) -> Kind {
        if let Some(role) = raw.role.given()
            && self.known.roles.is_complete()
            && !self.known.roles.contains(&role.value)
        {
            let what = format!(
                "nobody in people.yaml has the role `{}`, so nobody can say yes",
                role.value
            );
            let hint = self.known.hint(&self.known.roles, role.value.as_str());
            self.found.push(Finding::warning(role.at, what).maybe_hint(hint));
        }
        Kind::Confirm {
            question: text(&raw.question, &raw.question_zh),
            role: raw.role.get().cloned(),
        }
    }

    /// Checks the words in braces of a text.
    pub(super) fn check_words<T>(&mut self, text: &str, at: &At<T>) {
        let pieces = match braced_words::pieces(text) {
            Ok(pieces) => pieces,
            Err(error) => {
                let place = at.part(text, error.at..error.at + 1);
                self.found.push(Finding::error(place, error.to_string()));
                return;
            }
        };
        for piece in pieces {
            if let Piece::Word(word, range) = piece {
                self.check_word(word, at.part(text, range));
            }
        }
    }

    fn check_word(&mut self, word: &str, at: Place) {
        if braced_words::OF_CALENDAR.contains(&word) {
            self.calendar.need(at, &format!("`{{{word}}}`"), self.found);
        } else if !braced_words::BUILT_IN.contains(&word) && !self.parameters.contains(&word) {
            let known = braced_words::BUILT_IN.into_iter().chain(self.parameters.iter().copied());
            let hint = nearest::hint(word, known).unwrap_or_else(|| {
                "declare it under `parameters:`; write `{{` where a brace is meant".to_owned()
            });
            self.found.push(Finding::error(at, format!("unknown word `{{{word}}}`")).hint(hint));
        }
    }
}
