//! What people ask of a running supervisor over its API.

use std::sync::atomic::Ordering;

use super::operators::Wish;
use super::orders::NotOrdered;
use super::turn::Turn;
use super::{Fatal, Supervisor, World, answer};
use crate::core::forecast::{self, Forecast};
use crate::core::refused::{Refused, Rule};
use crate::core::state::Run;
use crate::port::control::{Asked, Caller, Order, Reply, Request, RunOf};
use crate::port::{Clock, RunFilter, Store, StoreError, StoreReader};
use crate::types::{BusinessDate, JobName, JobRef, Right, RunId, Zone};
use crate::view::status::{NextStart, StatusPage};
use crate::view::{self, of_job::Around};

/// Starts that the status tells ahead.
const NEXT_STARTS: usize = 5;

impl<W: World> Supervisor<W> {
    pub(super) async fn asked(&mut self, turn: &mut Turn, asked: Asked) -> Result<(), Fatal> {
        let Asked { caller, request, reply, taken } = asked;
        taken.store(true, Ordering::Relaxed);
        if request.looks()
            && let Err(refused) = self.may(&caller, Right::Read)
        {
            answer(reply, refused.into());
            return Ok(());
        }
        match request {
            Request::Act { .. }
            | Request::House { .. }
            | Request::Change { .. }
            | Request::Order(_)
            | Request::Event(_)
                if reply.is_closed() =>
            {
                let at = self.parts.clock.now().wall;
                let who = &caller;
                let text = format!(
                    "what {who} asked for was not carried out: nobody waits for the answer any more"
                );
                self.notice(at, &text);
            }
            Request::Order(order) => {
                // An order is a turn of its own; what was decided before it goes first into the journal.
                self.finish(std::mem::take(turn)).await?;
                answer(reply, self.ordered(&caller, &order).await?);
            }
            Request::Act { on, which, deed, reason, dry_run } => {
                let wish = Wish { reason, dry_run };
                // The answer follows when what was decided is durable.
                self.bring_in(turn, &on).await?;
                let with = self.act_in(turn, &caller, &on, (which, deed), wish).await?;
                turn.replies.push((reply, with));
            }
            Request::House { order, reason, dry_run } => {
                let wish = Wish { reason, dry_run };
                let with = self.house_in(turn, &caller, order, wish).await?;
                turn.replies.push((reply, with));
            }
            Request::Change { asked, reason, dry_run } => {
                let wish = Wish { reason, dry_run };
                let with = self.change_in(turn, &caller, *asked, wish).await?;
                turn.replies.push((reply, with));
            }
            Request::Event(told) => {
                // What it orders is committed with it, and with nothing that was decided before.
                self.finish(std::mem::take(turn)).await?;
                let with = self.event_in(turn, &caller, *told).await?;
                turn.replies.push((reply, with));
            }
            Request::Why { job, date } => {
                let on = RunOf::Batch { batch: job.batch.clone(), date };
                self.bring_in(turn, &on).await?;
                answer(reply, self.why(&job, date)?);
            }
            Request::Job { run, job } => {
                answer(reply, self.job(&run, &job)?);
            }
            Request::Scripts { changes } => answer(reply, self.scripts(&changes)),
            Request::Status => answer(reply, self.status()),
            Request::Hosts => answer(reply, self.hosts()),
            Request::Alive => answer(reply, Reply::Alive),
        }
        Ok(())
    }

    async fn ordered(&mut self, caller: &Caller, order: &Order) -> Result<Reply, Fatal> {
        if order.dry_run {
            return Ok(match cannot_now(self.would_order(caller, order).await)? {
                Ok(Ok(tried)) => Reply::Tried(Box::new(tried)),
                Ok(Err(not)) => not_ordered(not),
                Err(what) => Reply::Failed { what, defects: false },
            });
        }
        let after = self.chain.head().seq;
        let ordered = self.order(caller, order).await;
        Ok(match cannot_now(ordered)? {
            Ok(Ok(run)) => Reply::Ordered { run, after },
            Err(what) => Reply::Failed { what, defects: false },
            Ok(Err(not)) => not_ordered(not),
        })
    }

    /// Takes a run in that is over and was let go, because somebody speaks of it.
    pub(super) async fn bring_in(&mut self, turn: &mut Turn, on: &RunOf) -> Result<(), Fatal> {
        if self.service.is_none() || self.find(on).is_ok() {
            return Ok(());
        }
        // What the store has must not be put over what this turn has decided.
        self.finish(std::mem::take(turn)).await?;
        let reader = self.parts.store.reader();
        let found = match on {
            RunOf::Run(run) => {
                let filter = RunFilter { batch: Some(run.batch.clone()), ..RunFilter::default() };
                let runs = reader.runs(&filter).await;
                runs.map(|runs| runs.into_iter().find(|row| row.run == *run))
            }
            RunOf::Batch { batch, date } => {
                let filter = RunFilter {
                    batch: Some(batch.clone()),
                    business_date: *date,
                    trial: Some(false),
                    limit: Some(1),
                    ..RunFilter::default()
                };
                reader.runs(&filter).await.map(|runs| runs.into_iter().next())
            }
        };
        match cannot_now(found.map_err(Fatal::from))? {
            Ok(Some(row)) if !row.trial && row.not_at_hand().is_none() => {
                // Trouble with the store: it is then as if there were no such run, and asked for again.
                let _ = cannot_now(self.load(&row.run).await)?;
            }
            Ok(_) | Err(_) => {}
        }
        Ok(())
    }

    pub(super) fn find(&self, on: &RunOf) -> Result<RunId, Refused> {
        let found = match on {
            RunOf::Run(id) => self.core.state().runs.get(id),
            RunOf::Batch { batch, date } => self
                .core
                .state()
                .runs
                .values()
                .filter(|run| run.opened.batch == *batch)
                .filter(|run| date.is_none_or(|date| run.opened.business_date == date))
                .max_by_key(|run| (run.result.is_none(), run.opened_at)),
        };
        found.map(|run| run.id().clone()).ok_or_else(|| {
            Refused::by(Rule::NoSuchRun, "this supervisor has no such run")
                .hint("`nightrun runs` lists them")
        })
    }

    fn why(&self, job: &JobRef, date: Option<BusinessDate>) -> Result<Reply, Fatal> {
        let now = self.parts.clock.now();
        let run = match self.find(&RunOf::Batch { batch: job.batch.clone(), date }) {
            Ok(run) => run,
            Err(refused) => return Ok(refused.into()),
        };
        let ahead = forecast::of_night(&self.core, now).unwrap_or_default();
        let page = view::of_why::why(&self.core, &run, &job.job, now, around(&ahead, &run))?;
        Ok(match page {
            Some(page) => Reply::Why(Box::new(page)),
            None => no_such_job(&run, &job.job),
        })
    }

    fn job(&self, run: &RunId, job: &JobName) -> Result<Reply, Fatal> {
        let now = self.parts.clock.now();
        let run = match self.find(&RunOf::Run(run.clone())) {
            Ok(run) => run,
            Err(refused) => return Ok(refused.into()),
        };
        let ahead = forecast::of_night(&self.core, now).unwrap_or_default();
        let page = view::of_one_job::job(&self.core, &run, job, now, around(&ahead, &run))?;
        Ok(match page {
            Some(page) => Reply::Job(Box::new(page)),
            None => no_such_job(&run, job),
        })
    }

    fn status(&self) -> Reply {
        let now = self.parts.clock.now();
        let ahead = forecast::of_night(&self.core, now).unwrap_or_default();
        let shown = self.shown();
        let runs = shown
            .iter()
            .filter_map(|run| view::of_run::status(&self.core, run, now, around(&ahead, run)).ok());
        let next = self.served_site().map(|_| {
            let next = self.core.next_starts().take(NEXT_STARTS);
            next.map(|(at, batch)| NextStart { at, batch: batch.clone() }).collect()
        });
        let of_run = shown.first().and_then(|run| self.core.state().runs.get(run));
        let site = self.served_site().or(of_run.map(|run| run.site.as_ref()));
        Reply::Status(Box::new(StatusPage {
            runs: runs.collect(),
            incidents: view::of_incident::besides(&self.core, &shown),
            next,
            now: now.wall,
            zone: site.map_or_else(Zone::utc, |site| site.zone.clone()),
            trouble: None,
        }))
    }

    /// As they are served, or as the latest run has them.
    fn hosts(&self) -> Reply {
        let of_run = self.core.state().runs.values().max_by_key(|run| run.opened_at);
        let site = self.served_site().or(of_run.map(|run| run.site.as_ref()));
        let Some(site) = site else {
            let what = "no job files were taken over yet".to_owned();
            return Reply::Failed { what, defects: false };
        };
        let known = (&self.core.state().standing, Some(&self.core));
        let mut page = view::hosts::page(site, known, self.parts.clock.now().wall);
        for line in &mut page.items {
            line.clock = self.hosts.clock(&line.host);
        }
        Reply::Hosts(Box::new(page))
    }

    /// Runs that the status shows: of those that a service keeps at hand the ones under way, or the last one.
    fn shown(&self) -> Vec<RunId> {
        let runs = &self.core.state().runs;
        let open = |run: &&Run| self.service.is_none() || run.result.is_none();
        let shown: Vec<RunId> = runs.values().filter(open).map(|run| run.id().clone()).collect();
        if !shown.is_empty() {
            return shown;
        }
        let last = runs.values().max_by_key(|run| run.opened_at);
        last.map(|run| run.id().clone()).into_iter().collect()
    }
}

fn no_such_job(run: &RunId, job: &JobName) -> Reply {
    Refused::by(Rule::NoSuchJob, format!("{run} has no job {job}")).into()
}

pub(super) fn not_ordered(not: NotOrdered) -> Reply {
    match not {
        NotOrdered::Refused(refused) => refused.into(),
        NotOrdered::NoCopy(_) => Reply::Refused { what: not.to_string(), rule: None },
        NotOrdered::Defects(what) => Reply::Failed { what, defects: true },
    }
}

/// An order reads before it decides: trouble in that is the answer to it, and no end of the night that is under way.
/// Once something is decided the store is waited for.
pub(super) fn cannot_now<T>(ordered: Result<T, Fatal>) -> Result<Result<T, String>, Fatal> {
    match ordered {
        Ok(ordered) => Ok(Ok(ordered)),
        Err(trouble @ (Fatal::Store(StoreError::Trouble(_)) | Fatal::Folder(_))) => {
            Ok(Err(trouble.to_string()))
        }
        Err(fatal) => Err(fatal),
    }
}

fn around<'a>(ahead: &'a Forecast, run: &RunId) -> Around<'a> {
    Around { ahead: ahead.runs.get(run), ..Around::nothing() }
}
