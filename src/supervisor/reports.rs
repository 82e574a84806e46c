//! The report of a run: what is read for it, its files, its mail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::civil::Time;
use jiff::{Timestamp, ToSpan};

use super::letters::{Ahead, rounds_beside};
use super::messages::Enclosed;
use super::orders::HISTORY;
use super::{Fatal, Supervisor, World};
use crate::core::fact::{Action, Fact, RunResult};
use crate::core::forecast;
use crate::core::incident::Audience;
use crate::core::state::Run;
use crate::definition::site::{ReportFormat, ReportRules, Site};
use crate::journal::{OutgoingMail, StartsMissed};
use crate::port::{Attachment, Clock, Folders, Picture, RunFilter, Store, StoreError, StoreReader};
use crate::render::report::{NoForm, PICTURE};
use crate::render::{self, mail::Reader};
use crate::types::{BusinessDate, JobName, Lang, PersonId, RunId, Span};
use crate::view::report::{Former, ReportView};
use crate::view::{self, of_job::Around, starts::Missed};

impl<W: World> Supervisor<W> {
    /// The report of a run that has ended, or goes on at the time of reports, and its mail; both are in one thread. A run
    /// that was stopped can go on, so nobody is mailed.
    pub(super) async fn report(
        &mut self,
        run: &RunId,
        ahead: &Ahead,
    ) -> Result<(ReportView, Vec<OutgoingMail>), Fatal> {
        let view = self.report_read(run, ahead).await?;
        let state = self.core.state().run(run)?;
        if state.result == Some(RunResult::Stopped) {
            return Ok((view, Vec::new()));
        }
        let site = Arc::clone(&state.site);
        let people: Vec<PersonId> =
            site.with_role(&site.mail.report_to).map(|(id, _)| id.clone()).collect();
        let read = |lang: &Lang| {
            let mut readers = people.iter().filter_map(|id| site.people.get(id));
            readers.any(|person| person.language.unwrap_or(site.language) == *lang)
        };
        let languages = Lang::ALL.into_iter().filter(read);
        let enclosed: Vec<Enclosed> =
            languages.map(|lang| self.enclosed(run, &view, &site, lang)).collect();
        let pictured = |lang| {
            enclosed.iter().any(|with: &Enclosed| with.lang == lang && !with.pictures.is_empty())
        };
        let thread = format!("report.{run}");
        let write = |lang, _: Reader<'_>| render::mail::report(lang, &view, pictured(lang));
        let mails = self.messages(&site, &Audience::of(people), &thread, write, &enclosed);
        Ok((view, mails))
    }

    /// The picture and the files that go with the mails of a language.
    fn enclosed(&mut self, run: &RunId, view: &ReportView, site: &Site, lang: Lang) -> Enclosed {
        let picture = render::report::picture(lang, view);
        let picture = self.made(run, view, picture).flatten();
        let pictures = picture.map(|bytes| Picture { id: PICTURE.to_owned(), bytes });
        let mut attachments = Vec::new();
        for format in &site.reports.attach {
            let bytes = self.made(run, view, render::report::file(lang, view, *format));
            attachments.extend(bytes.map(|bytes| Attachment {
                file_name: file_name(lang, *format),
                content_type: format.content_type().to_owned(),
                bytes,
            }));
        }
        Enclosed { lang, pictures: pictures.into_iter().collect(), attachments }
    }

    /// What cannot be made is told, and the rest of the report comes without it.
    fn made<T>(&mut self, run: &RunId, view: &ReportView, made: Result<T, NoForm>) -> Option<T> {
        match made {
            Ok(made) => Some(made),
            Err(why) => {
                self.notice(view.generated_at, &format!("the report of {run} is not whole: {why}"));
                None
            }
        }
    }

    /// Puts the files of a run beside it, in both languages, after its end is durable. The night is over all the same
    /// where they cannot be written, and `nightrun report` makes them anew. One after the other: that of a large night
    /// takes as much memory as the night.
    pub(super) fn write_report(&mut self, run: RunId, view: &ReportView) {
        let mut languages = Lang::ALL;
        let mut formats = ReportRules::default().files;
        if let Some(state) = self.core.state().runs.get(&run) {
            // The site's own language is named first when the run says where its report is.
            languages.sort_by_key(|lang| *lang != state.site.language);
            formats.clone_from(&state.site.reports.files);
        }
        let mut written = Vec::new();
        for lang in languages {
            for format in &formats {
                let bytes = self.made(&run, view, render::report::file(lang, view, *format));
                let name = file_name(lang, *format);
                written.extend(bytes.and_then(|bytes| self.write_file(&run, &name, &bytes)));
            }
        }
        self.reports.insert(run, written);
    }

    fn write_file(&mut self, run: &RunId, name: &str, content: &[u8]) -> Option<PathBuf> {
        match self.parts.folders.write_report(run, name, content) {
            Ok(path) => Some(path),
            Err(why) => {
                let at = self.parts.clock.now().wall;
                let text = format!("no report of {run} on disk: {why}; `nightrun report` shows it");
                self.notice(at, &text);
                None
            }
        }
    }

    /// Those of runs whose reports were signed: their files say so from now on.
    pub(super) async fn signed_reports(
        &mut self,
        facts: &[(Timestamp, Fact)],
        ahead: &Ahead,
    ) -> Result<Vec<(RunId, ReportView)>, Fatal> {
        let mut views = Vec::new();
        for (_, fact) in facts {
            if let Fact::Acted { run, action: Action::Sign { .. }, .. } = fact {
                views.push((run.clone(), self.report_read(run, ahead).await?));
            }
        }
        Ok(views)
    }

    async fn report_read(&mut self, run: &RunId, ahead: &Ahead) -> Result<ReportView, Fatal> {
        let mut told = false;
        let view = loop {
            match self.report_view(run, ahead).await {
                Ok(view) => break view,
                // What was decided is sealed and not stored: it waits, and the report with it.
                Err(Fatal::Store(why)) => self.store_in_trouble(why, &mut told).await?,
                Err(other) => return Err(other),
            }
        };
        self.store_is_well(told);
        Ok(view)
    }

    async fn report_view(&mut self, run: &RunId, ahead: &Ahead) -> Result<ReportView, Fatal> {
        let now = self.parts.clock.now();
        let reader = self.parts.store.reader();
        let usual = usual_p95(reader, run).await?;
        let unsent = reader.outbox_counted().await?.all;
        let state = self.core.state().run(run)?;
        let planned = planned(state);
        let ahead = match state.result {
            None => ahead.get_or_init(|| forecast::of_night(&self.core, now).ok()).as_ref(),
            Some(_) => None,
        };
        let around = Around {
            planned: planned.as_ref(),
            ahead: ahead.and_then(|ahead| ahead.runs.get(run)),
            usual_p95: &usual,
            unsent_mail: unsent,
        };
        let head = Some(self.chain.head().hash.clone());
        let real = self.parts.clock.real();
        let missed_starts = missed_starts(reader, &state.site, run).await?;
        let report = view::of_run::report(&self.core, run, now, around, head, real)?;
        let rounds = rounds_beside(reader, &self.core, run, now.wall).await;
        let former = week_before(reader, state).await;
        let inspections = self.of_others(run, now.wall, rounds)?;
        let week_before = self.of_others(run, now.wall, former)?;
        Ok(ReportView { missed_starts, week_before, inspections, ..report })
    }

    /// What a report tells of other runs than its own. Only trouble of the store is waited for: what cannot be read is told,
    /// and neither the report nor the turn fails for it.
    fn of_others<T>(
        &mut self,
        run: &RunId,
        at: Timestamp,
        read: Result<Option<T>, Fatal>,
    ) -> Result<Option<T>, Fatal> {
        match read {
            Ok(_) | Err(Fatal::Store(StoreError::Trouble(_))) => read,
            Err(why) => {
                self.notice(at, &format!("the report of {run} is not whole: {why}"));
                Ok(None)
            }
        }
    }
}

fn file_name(lang: Lang, format: ReportFormat) -> String {
    format!("report.{}.{}", lang.tag(), format.ending())
}

/// From history before the run: 95 of 100 good attempts of the batch's jobs took no longer.
pub async fn usual_p95<R: StoreReader>(
    reader: &R,
    run: &RunId,
) -> Result<BTreeMap<JobName, Span>, Fatal> {
    let history = reader.history(&run.batch, Some(run), HISTORY).await?;
    Ok(history.into_iter().map(|(job, durations)| (job, durations.p95)).collect())
}

/// The real run of its batch for the business date a week before: where both are starts of the schedule the one that was to
/// start at the same time of the day, else the last. Of a batch with several starts a day another one says nothing.
pub async fn week_before<R: StoreReader>(reader: &R, run: &Run) -> Result<Option<Former>, Fatal> {
    let date = run.opened.business_date.0.saturating_sub(7.days());
    let filter = RunFilter {
        batch: Some(run.batch.id.clone()),
        business_date: Some(BusinessDate(date)),
        trial: Some(false),
        ..RunFilter::default()
    };
    let time = |at: Timestamp| run.batch.zone.tz().to_datetime(at).time();
    // The newest is the first.
    let rows = reader.runs(&filter).await?;
    let starts: BTreeSet<Time> = rows.iter().filter_map(|row| row.scheduled.map(time)).collect();
    let row = match run.opened.scheduled.map(time) {
        Some(meant) if starts.contains(&meant) => {
            rows.into_iter().find(|row| row.scheduled.map(time) == Some(meant))
        }
        Some(_) if starts.len() > 1 => None,
        _ => rows.into_iter().next(),
    };
    let Some(row) = row else { return Ok(None) };
    let took = reader.took(&row.run).await?;
    Ok(Some(Former {
        run: row.run,
        business_date: row.business_date,
        result: row.result,
        opened: row.opened,
        ended: row.ended,
        took,
    }))
}

/// Starts of the run's batch that were told as missed after its real run before.
pub async fn missed_starts<R: StoreReader>(
    reader: &R,
    site: &Site,
    run: &RunId,
) -> Result<Vec<Missed>, Fatal> {
    let filter = RunFilter {
        batch: Some(run.batch.clone()),
        trial: Some(false),
        limit: Some(HISTORY),
        ..RunFilter::default()
    };
    let runs = reader.runs(&filter).await?;
    let Some(this) = runs.iter().position(|row| row.run == *run) else { return Ok(Vec::new()) };
    let before = runs.get(this + 1).map_or(Timestamp::MIN, |row| row.opened);
    let after = this.checked_sub(1).and_then(|next| runs.get(next));
    let until = after.map_or(Timestamp::MAX, |row| row.opened);
    let rows = reader.starts_missed(before).await?;
    let own = rows.iter().filter(|row| row.batch == run.batch && row.at < until);
    let missed = |row: &StartsMissed| {
        Missed::of(site, &row.batch, (row.first, row.last, row.count), &row.why)
    };
    Ok(own.map(missed).collect())
}

/// The run as it was forecast when it was opened.
pub fn planned(run: &Run) -> Option<forecast::RunForecast> {
    forecast::as_opened(run).ok()
}
