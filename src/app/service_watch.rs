//! Tells the service manager how the supervisor stands, and that its loop turns.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::fact::Fact;
use crate::core::night::Core;
use crate::driver::service_manager::ServiceManager;
use crate::supervisor::Observer;
use crate::types::Now;

/// The service manager, or nobody.
#[derive(Debug, Clone, Default)]
pub struct ServiceWatch {
    manager: Option<Arc<ServiceManager>>,
    observes: bool,
    /// When it wants to hear again that the loop turns, by the time since boot.
    due: Duration,
    told: String,
    ready: bool,
}

impl ServiceWatch {
    pub fn of_environment(observes: bool) -> io::Result<Self> {
        let manager = ServiceManager::of_environment()?.map(Arc::new);
        Ok(Self { manager, observes, ..Self::default() })
    }

    /// Another supervisor leads, or the store cannot be asked; said once. This process does all that it is for now.
    pub fn stands_by(&mut self, why: &str) {
        if let Some(manager) = &self.manager {
            if !std::mem::replace(&mut self.ready, true) {
                manager.ready(&format!("standing by: {why}"));
            }
            manager.alive();
        }
    }

    /// It has taken the lead, and looks through what is under way.
    pub fn takes_the_lead(&self) {
        if let Some(manager) = &self.manager {
            manager.status("taking up what is under way");
            manager.alive();
        }
    }

    /// Everything that is under way was taken up.
    pub fn leads(&mut self, core: &Core) {
        self.told = self.words(core);
        if let Some(manager) = &self.manager {
            manager.ready(&self.told);
        }
    }

    pub fn stops(&self) {
        if let Some(manager) = &self.manager {
            manager.stopping();
        }
    }

    fn words(&self, core: &Core) -> String {
        let role = if self.observes { "observing" } else { "leading" };
        let under_way = core.state().runs.values().filter(|run| run.result.is_none()).count();
        match under_way {
            1 => format!("{role}; 1 run is under way"),
            many => format!("{role}; {many} runs are under way"),
        }
    }

    /// Several times within its time, so that one that comes late is not too late.
    fn every(&self) -> Option<Duration> {
        Some(self.manager.as_ref()?.watchdog()? / 3)
    }
}

impl Observer for ServiceWatch {
    fn turn(&mut self, core: &Core, _now: Now, _facts: &[(Timestamp, Fact)]) {
        if let Some(manager) = &self.manager {
            let words = self.words(core);
            if words != self.told {
                manager.status(&words);
                self.told = words;
            }
        }
    }

    fn notice(&mut self, _at: Timestamp, _text: &str) {}

    fn looks_at(&self) -> Option<Duration> {
        self.every().map(|_| self.due)
    }

    fn lives(&mut self, now: Now) {
        if let (Some(manager), Some(every)) = (&self.manager, self.every())
            && self.due <= now.since_boot
        {
            manager.alive();
            self.due = now.since_boot + every;
        }
    }

    fn reads_anew(&mut self, _now: Now, done: bool) {
        match &self.manager {
            Some(manager) if done => manager.ready(&self.told),
            Some(manager) => manager.reloading(),
            None => {}
        }
    }
}
