//! What the supervisor writes to people: the one mail of a fault, and the report of a run as files and mail.

mod inspected;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

pub use inspected::{inspections_of, rounds_beside};

use super::orders::HISTORY;
use super::recall::recall;
use super::{Fatal, Supervisor, World};
use crate::core::fact::{Fact, RunResult};
use crate::core::forecast::{self, Forecast};
use crate::core::incident::Audience;
use crate::core::night::{Core, Notice};
use crate::core::state::Run;
use crate::definition::site::Site;
use crate::journal::{OutgoingMail, StartsMissed};
use crate::port::{Clock, Folders, RunFilter, Store, StoreReader};
use crate::render::{self, mail::Reader};
use crate::types::{IncidentId, JobName, Lang, PersonId, RunId, Span};
use crate::view::{self, of_job::Around, report::ReportView, starts::Missed};

/// The night as it is expected to go on, for all mails of a turn: it costs as much as the night has jobs, and a thousand
/// of them may fail at once.
pub(super) type Ahead = std::cell::OnceCell<Option<Forecast>>;

impl<W: World> Supervisor<W> {
    /// One message about an incident to each of these people, in that person's language, and to each room. What its job has
    /// written, and what can be done, is in it whether or not its run is at hand.
    pub(super) async fn incident_mail(
        &mut self,
        incident: IncidentId,
        to: &Audience,
        notice: &Notice,
        ahead: &Ahead,
    ) -> Vec<OutgoingMail> {
        let beside = self.run_beside(incident).await;
        let now = self.parts.clock.now();
        let Ok(known) = self.core.state().incident(incident) else { return Vec::new() };
        let run = known.what.run.as_ref().and_then(|run| self.core.state().runs.get(run));
        // Who is on call may be nobody that the run knew of.
        let on_call = self.core.on_call().map(|on_call| &on_call.site);
        let Some(site) = on_call.or(run.map(|run| &run.site)).map(Arc::clone) else {
            return Vec::new();
        };
        // The same whether its run is at hand or not.
        let thread = match &known.what.run {
            Some(run) => format!("{incident}.{run}"),
            None => format!("{incident}.{}", known.opened.as_second()),
        };
        let ahead = run.and_then(|run| {
            let ahead = ahead.get_or_init(|| forecast::of_night(&self.core, now).ok());
            ahead.as_ref()?.runs.get(run.id())
        });
        let nothing = BTreeMap::new();
        let around = Around { planned: None, ahead, usual_p95: &nothing, unsent_mail: 0 };
        let page =
            match view::of_incident::mail((&self.core, beside.as_ref()), incident, now, around) {
                Ok(page) => page,
                Err(why) => {
                    self.notice(now.wall, &format!("no mail about {incident}: {why}"));
                    return Vec::new();
                }
            };
        let write = |lang, to: Reader<'_>| render::incident_mail::mail(lang, &page, notice, to);
        self.messages(&site, to, &thread, write, &[])
    }

    /// The run of an incident that was let go, or was over before this supervisor began, as the store has it: this turn has
    /// decided nothing about it.
    async fn run_beside(&mut self, incident: IncidentId) -> Option<Core> {
        let state = self.core.state();
        let run = state.incident(incident).ok()?.what.run.clone()?;
        if state.runs.contains_key(&run) {
            return None;
        }
        let mut beside = Core::new(1);
        match recall(self.parts.store.reader(), &mut beside, &run).await {
            Ok(_) => Some(beside),
            // The mail goes out all the same.
            Err(why) => {
                let at = self.parts.clock.now().wall;
                self.notice(
                    at,
                    &format!("the mail about {incident} tells nothing of {run}: {why}"),
                );
                None
            }
        }
    }

    /// One mail to each person who is told of failures, about all starts of a turn that were not made and should have
    /// been.
    pub(super) fn starts_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let Some(site) = self.core.served().cloned() else { return Vec::new() };
        self.starts_mail_of(&site, facts)
    }

    /// The same, of a site that nobody serves yet.
    pub(super) fn starts_mail_of(
        &mut self,
        site: &Site,
        facts: &[(Timestamp, Fact)],
    ) -> Vec<OutgoingMail> {
        let missed = facts.iter().filter_map(|(_, fact)| Missed::of_fact(site, fact));
        let missed: Vec<Missed> = missed.filter(|missed| missed.alarming).collect();
        let Some(first) = missed.first() else { return Vec::new() };
        let thread = format!("starts.{}.{}", first.batch, first.first.as_second());
        let people: Vec<PersonId> =
            site.with_role(&site.mail.failures_to).map(|(id, _)| id.clone()).collect();
        let write = |lang, _: Reader<'_>| render::starts::mail(lang, site.title.get(lang), &missed);
        self.messages(site, &Audience::of(people), &thread, write, &[])
    }

    /// One mail to each person who is told of failures: job files that cannot be used.
    pub(super) fn refusal_mail(&mut self, facts: &[(Timestamp, Fact)]) -> Vec<OutgoingMail> {
        let refused = facts.iter().rev().find_map(|(_, fact)| match fact {
            Fact::DefinitionsRefused { why } => Some(why),
            _ => None,
        });
        let Some(defects) = refused else { return Vec::new() };
        let Some(site) = self.core.served().cloned() else { return Vec::new() };
        let thread = format!("definitions.{}", self.parts.clock.real().as_second());
        let people: Vec<PersonId> =
            site.with_role(&site.mail.failures_to).map(|(id, _)| id.clone()).collect();
        let write = |lang, _: Reader<'_>| {
            render::notice::refused_files(lang, site.title.get(lang), defects)
        };
        self.messages(&site, &Audience::of(people), &thread, write, &[])
    }

    /// The report of a run that has ended, and its mail. A run that was stopped can go on, so nobody is mailed.
    pub(super) async fn report(
        &mut self,
        run: &RunId,
    ) -> Result<(ReportView, Vec<OutgoingMail>), Fatal> {
        let mut told = false;
        let view = loop {
            match self.report_view(run).await {
                Ok(view) => break view,
                // What was decided is sealed and not stored: it waits, and the report with it.
                Err(Fatal::Store(why)) => self.store_in_trouble(why, &mut told).await?,
                Err(other) => return Err(other),
            }
        };
        self.store_is_well(told);
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
        let mut pages = Vec::new();
        for lang in Lang::ALL.into_iter().filter(read) {
            match render::report_html::page(lang, &view) {
                Ok(html) => pages.push((lang, html)),
                Err(why) => {
                    self.notice(view.generated_at, &format!("no page in the mail of {run}: {why}"));
                }
            }
        }
        let thread = format!("report.{run}");
        let write = |lang, _: Reader<'_>| render::mail::report(lang, &view);
        let mails = self.messages(&site, &Audience::of(people), &thread, write, &pages);
        Ok((view, mails))
    }

    /// Puts the pages of a run beside it, in both languages, after its end is durable. The night is over all the same
    /// where they cannot be written, and `nightrun report` makes them anew. One after the other: that of a large night
    /// takes as much memory as the night.
    pub(super) fn write_report(&mut self, run: RunId, view: &ReportView) {
        let mut languages = Lang::ALL;
        if let Some(state) = self.core.state().runs.get(&run) {
            // The site's own language is named first when the run says where its report is.
            languages.sort_by_key(|lang| *lang != state.site.language);
        }
        let mut written = Vec::new();
        for lang in languages {
            let tag = lang.tag();
            match render::report_html::page(lang, view) {
                Ok(page) => {
                    let name = format!("report.{tag}.html");
                    written.extend(self.write_page(&run, &name, &page));
                }
                Err(why) => {
                    let at = self.parts.clock.now().wall;
                    self.notice(at, &format!("no report of {run}: {why}"));
                }
            }
            let text = render::report_text::text(lang, view);
            written.extend(self.write_page(&run, &format!("report.{tag}.txt"), &text));
        }
        self.reports.insert(run, written);
    }

    fn write_page(&mut self, run: &RunId, name: &str, content: &str) -> Option<PathBuf> {
        match self.parts.folders.write_report(run, name, content.as_bytes()) {
            Ok(path) => Some(path),
            Err(why) => {
                let at = self.parts.clock.now().wall;
                let text = format!("no report of {run} on disk: {why}; `nightrun report` shows it");
                self.notice(at, &text);
                None
            }
        }
    }

    async fn report_view(&self, run: &RunId) -> Result<ReportView, Fatal> {
        let reader = self.parts.store.reader();
        let usual = usual_p95(reader, run).await?;
        let unsent = reader.outbox_counted().await?.all;
        let now = self.parts.clock.now();
        let state = self.core.state().run(run)?;
        let planned = planned(state);
        let around = Around {
            planned: planned.as_ref(),
            ahead: None,
            usual_p95: &usual,
            unsent_mail: unsent,
        };
        let head = Some(self.chain.head().hash.clone());
        let real = self.parts.clock.real();
        let missed_starts = missed_starts(reader, &state.site, run).await?;
        let inspections = rounds_beside(reader, &self.core, run, now.wall).await?;
        let report = view::of_run::report(&self.core, run, now, around, head, real)?;
        Ok(ReportView { missed_starts, inspections, ..report })
    }
}

/// From history before the run: 95 of 100 good attempts of the batch's jobs took no longer.
pub async fn usual_p95<R: StoreReader>(
    reader: &R,
    run: &RunId,
) -> Result<BTreeMap<JobName, Span>, Fatal> {
    let history = reader.history(&run.batch, Some(run), HISTORY).await?;
    Ok(history.into_iter().map(|(job, durations)| (job, durations.p95)).collect())
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
