//! The definitions that runs go by, each made ready once, for as long as a run goes by it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::calendar::Calendars;
use super::incident::OnCall;
use super::night::Core;
use super::state::Unfit;
use super::window::Windows;
use crate::definition::site::{Site, TwoPeople};
use crate::types::RunId;

/// Calendars and windows of one definition, made ready once.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) calendars: Arc<Calendars>,
    pub(super) windows: Windows,
    /// A window override takes two people.
    pub(super) two_override: bool,
}

impl Core {
    /// Makes a definition known; before the run that goes by it is opened or replayed.
    pub fn define(&mut self, digest: &str, site: Arc<Site>) {
        let calendars = Arc::new(Calendars::new(&site.calendars));
        self.define_by(digest, site, calendars);
    }

    /// As [`define`](Self::define), with the site's calendars as they were laid out already.
    pub fn define_by(&mut self, digest: &str, site: Arc<Site>, calendars: Arc<Calendars>) {
        let windows = Windows::over(&site, &calendars);
        let two_override = site.takes_two(TwoPeople::WindowOverride);
        self.on_call.get_or_insert_with(|| {
            Arc::new(OnCall::new(Arc::clone(&site), Arc::clone(&calendars)))
        });
        let rules = Rules { calendars, windows, two_override };
        self.rules.insert(digest.to_owned(), Arc::new(rules));
        self.state.define(digest, site);
    }

    /// Sets a run aside that is over and holds nothing, with what only it needed. Nothing that is still under way may
    /// need to look at it: how its jobs came out for others is known by now.
    pub fn let_go(&mut self, run: &RunId) {
        let Some(gone) = self.state.runs.remove(run) else { return };
        self.agenda.drop_run(run);
        self.agenda.forget(&gone);
        self.state.let_go(&gone);
        if !self.state.defined(&gone.opened.definition) {
            self.rules.remove(&gone.opened.definition);
        }
    }

    /// Digests of the definitions that its runs go by.
    pub fn definitions(&self) -> BTreeSet<&String> {
        self.rules.keys().collect()
    }

    pub(super) fn rules(&self, run: &RunId) -> Result<Arc<Rules>, Unfit> {
        self.rules_of(self.state.run(run)?).cloned()
    }
}
