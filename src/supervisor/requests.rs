//! What people ask of a running supervisor over its socket.

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::operators::Wish;
use super::orders::NotOrdered;
use super::turn::Turn;
use super::{Fatal, Follower, Supervisor, World, answer, is_known, stranger};
use crate::core::fact::{Fact, RunResult};
use crate::core::forecast::{self, Forecast};
use crate::core::refused::{Refused, Rule};
use crate::core::state::Run;
use crate::port::control::{Account, Asked, Order, Reply, Request, RunOf};
use crate::port::{Clock, RunFilter, Store, StoreError, StoreReader};
use crate::render;
use crate::types::{BatchId, BusinessDate, JobRef, Lang, RunId};
use crate::view::{self, of_job::Around};

/// Starts that the status tells ahead.
const NEXT_STARTS: usize = 5;

impl<W: World> Supervisor<W> {
    pub(super) async fn asked(&mut self, turn: &mut Turn, asked: Asked) -> Result<(), Fatal> {
        let Asked { account, request, reply } = asked;
        let looks = matches!(request, Request::Status { .. } | Request::Why { .. });
        let sites = self.core.state().runs.values().map(|run| run.site.as_ref());
        let mut sites = sites.chain(self.served_site());
        if looks && !sites.any(|site| is_known(site, &self.parts.own, &account)) {
            answer(&reply, stranger(&account).into());
            return Ok(());
        }
        match request {
            Request::Act { .. } if reply.is_closed() => {
                let at = self.parts.clock.now().wall;
                let who = &account.name;
                let text = format!(
                    "what {who} asked for was not carried out: nobody waits for the answer any more"
                );
                self.notice(at, &text);
            }
            Request::Order(order) => {
                // An order is a turn of its own; what was decided before it goes first into the journal.
                self.finish(std::mem::take(turn)).await?;
                self.order_and_follow(&account, &order, reply).await?;
            }
            Request::Act { on, which, deed, reason, dry_run } => {
                let wish = Wish { reason, dry_run };
                // The answer follows when what was decided is durable.
                self.bring_in(turn, &on).await?;
                let with = self.act_in(turn, &account, &on, (which, deed), wish).await?;
                turn.replies.push((reply, with));
            }
            Request::House { order, reason, dry_run } => {
                let wish = Wish { reason, dry_run };
                let with = self.house_in(turn, &account, order, wish).await?;
                turn.replies.push((reply, with));
            }
            Request::Why { job, date, language } => {
                let on = RunOf::Batch { batch: job.batch.clone(), date };
                self.bring_in(turn, &on).await?;
                answer(&reply, self.why(&job, date, language)?);
            }
            Request::Status { language } => answer(&reply, self.status(language)),
            Request::Alive => answer(&reply, Reply::Done { text: String::new(), run: None }),
        }
        Ok(())
    }

    /// Whoever orders hears of the run to its end, its first turn included.
    async fn order_and_follow(
        &mut self,
        account: &Account,
        order: &Order,
        reply: UnboundedSender<Reply>,
    ) -> Result<(), Fatal> {
        self.first_turn = Some(Vec::new());
        let ordered = self.order(account, order).await;
        let told = self.first_turn.take().unwrap_or_default();
        let run = match cannot_now(ordered)? {
            Ok(Ok(run)) => run,
            Err(what) => {
                answer(&reply, Reply::Failed { what, defects: false });
                return Ok(());
            }
            Ok(Err(NotOrdered::Refused(refused))) => {
                answer(&reply, refused.into());
                return Ok(());
            }
            Ok(Err(NotOrdered::NoCopy(why))) => {
                let what = NotOrdered::NoCopy(why).to_string();
                answer(&reply, Reply::Refused { what, rule: None });
                return Ok(());
            }
            Ok(Err(NotOrdered::Defects(what))) => {
                answer(&reply, Reply::Failed { what, defects: true });
                return Ok(());
            }
        };
        let text = format!("{run} is under way");
        answer(&reply, Reply::Done { text, run: Some(run.clone()) });
        for (_, event) in told.into_iter().filter(|(of, _)| *of == run) {
            answer(&reply, event);
        }
        match self.result(&run) {
            Some(result) => answer(&reply, over(result)),
            None => self.followers.push(Follower { run, to: reply }),
        }
        Ok(())
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

    fn why(
        &self,
        job: &JobRef,
        date: Option<BusinessDate>,
        language: Lang,
    ) -> Result<Reply, Fatal> {
        let now = self.parts.clock.now();
        let run = match self.find(&RunOf::Batch { batch: job.batch.clone(), date }) {
            Ok(run) => run,
            Err(refused) => return Ok(refused.into()),
        };
        let ahead = forecast::of_night(&self.core, now).unwrap_or_default();
        let page = view::of_why::why(&self.core, &run, &job.job, now, around(&ahead, &run))?;
        Ok(match page {
            Some(page) => Reply::Page {
                text: render::why::text(language, &page),
                data: serde_json::to_value(&page).unwrap_or(serde_json::Value::Null),
            },
            None => Refused::by(Rule::NoSuchJob, format!("{run} has no job {}", job.job)).into(),
        })
    }

    fn status(&self, language: Lang) -> Reply {
        let now = self.parts.clock.now();
        let ahead = forecast::of_night(&self.core, now).unwrap_or_default();
        let pages: Vec<view::status::StatusView> = self
            .shown()
            .iter()
            .filter_map(|run| view::of_run::status(&self.core, run, now, around(&ahead, run)).ok())
            .collect();
        let mut text: Vec<String> =
            pages.iter().map(|page| render::status::text(language, page)).collect();
        if let Some(site) = self.served_site() {
            let next = self.core.next_starts().take(NEXT_STARTS);
            let next: Vec<(Timestamp, &BatchId)> = next.collect();
            text.push(render::starts::next(language, &site.zone, now.wall, &next));
        }
        Reply::Page {
            text: text.join("\n"),
            data: serde_json::to_value(&pages).unwrap_or(serde_json::Value::Null),
        }
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

    /// Passes what has happened on to those who follow a run.
    pub(super) fn tell_followers(&mut self, facts: &[(Timestamp, Fact)]) {
        if self.followers.is_empty() && self.first_turn.is_none() {
            return;
        }
        let now = self.parts.clock.now();
        for (at, fact) in facts {
            let Some(run) = fact.run() else { continue };
            let followed = self.followers.iter().any(|follower| follower.run == *run);
            if !followed && self.first_turn.is_none() {
                continue;
            }
            let Some(state) = self.core.state().runs.get(run) else { continue };
            let head = view::of_run::head(state, now, Around::nothing());
            if let Some(event) = view::of_fact::event(self.core.state(), *at, fact) {
                let text = render::event::line(Lang::En, &head, &event);
                let data = serde_json::to_value(&event).unwrap_or(serde_json::Value::Null);
                let told = Reply::Event { text, data };
                for follower in self.followers.iter().filter(|follower| follower.run == *run) {
                    answer(&follower.to, told.clone());
                }
                if let Some(first) = &mut self.first_turn {
                    first.push((run.clone(), told));
                }
            }
            if let Fact::RunEnded { run, result } = fact {
                self.followers.retain(|follower| {
                    let over_now = follower.run == *run;
                    if over_now {
                        answer(&follower.to, over(*result));
                    }
                    !over_now
                });
            }
        }
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

fn over(result: RunResult) -> Reply {
    Reply::Over { exit_code: result.exit_code() }
}
