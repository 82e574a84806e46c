//! Points at which a test kills the process that passes them: at once, as `kill -9` does it, with nothing flushed,
//! told or rolled back. Without the feature `faults` they are nothing.
//!
//! `NIGHTRUN_FAULT=<point>` kills at the first pass of a process, `<point>:<n>` at its n-th. Where
//! `NIGHTRUN_FAULT_ONCE` names a file, only one process of all that inherit the two dies: the one that makes the file.
//! A point is named `<process>.<what has just been done>`, such as `supervisor.committed` or `agent.claimed`.

/// Dies here when the environment says so.
#[cfg(feature = "faults")]
pub fn point(name: &str) {
    if armed::is_here(name) {
        armed::die();
    }
}

/// Nothing: this build has no faults.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Seconds by which a test has stepped the wall clock of this host: what the file says that `NIGHTRUN_CLOCK_STEP` names.
#[cfg(feature = "faults")]
pub fn clock_step() -> jiff::SignedDuration {
    armed::clock_step()
}

/// Nothing: this build has no faults.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn clock_step() -> jiff::SignedDuration {
    jiff::SignedDuration::ZERO
}

/// Comes when a test has stepped the wall clock since this came last.
#[cfg(feature = "faults")]
pub async fn clock_stepped() {
    armed::clock_stepped().await;
}

/// Never: this build has no faults.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub async fn clock_stepped() {
    std::future::pending().await
}

/// Stands still here for as long as the file is there that `NIGHTRUN_HANG` names: a loop that hangs, and no process that
/// is gone.
#[cfg(feature = "faults")]
pub fn hang() {
    armed::hang();
}

/// Nothing: this build has no faults.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn hang() {}

/// What a process hands on to one that it starts with an environment of its own, so that it can die as well.
#[cfg(feature = "faults")]
pub fn handed_on() -> Vec<(String, String)> {
    armed::environment()
}

/// Nothing: this build has no faults.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn handed_on() -> Vec<(String, String)> {
    Vec::new()
}

#[cfg(feature = "faults")]
mod armed {
    #![expect(
        clippy::disallowed_methods,
        reason = "what a test asks for stands in the environment"
    )]

    use std::fs::OpenOptions;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The point, and passes still to come before it kills.
    struct Wanted {
        point: String,
        left: AtomicU32,
    }

    fn wanted() -> Option<&'static Wanted> {
        static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();
        let read = || {
            let text = std::env::var("NIGHTRUN_FAULT").ok()?;
            let (point, pass) = text.split_once(':').unwrap_or((&text, "1"));
            let left = AtomicU32::new(pass.parse().ok()?);
            Some(Wanted { point: point.to_owned(), left })
        };
        WANTED.get_or_init(read).as_ref()
    }

    pub(super) fn is_here(name: &str) -> bool {
        let Some(wanted) = wanted().filter(|wanted| wanted.point == name) else { return false };
        wanted.left.fetch_sub(1, Ordering::Relaxed) == 1 && is_the_one()
    }

    fn is_the_one() -> bool {
        let Some(file) = std::env::var_os("NIGHTRUN_FAULT_ONCE") else { return true };
        OpenOptions::new().write(true).create_new(true).open(file).is_ok()
    }

    pub(super) fn clock_step() -> jiff::SignedDuration {
        static FILE: OnceLock<Option<std::ffi::OsString>> = OnceLock::new();
        let file = FILE.get_or_init(|| std::env::var_os("NIGHTRUN_CLOCK_STEP")).as_ref();
        let text = file.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        jiff::SignedDuration::from_secs(text.trim().parse().unwrap_or(0))
    }

    pub(super) fn hang() {
        static FILE: OnceLock<Option<std::ffi::OsString>> = OnceLock::new();
        let file = FILE.get_or_init(|| std::env::var_os("NIGHTRUN_HANG")).as_ref();
        while file.is_some_and(|file| std::path::Path::new(file).exists()) {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Looked for by a thread of its own, so that the process sleeps as it does where the kernel tells of a step.
    pub(super) async fn clock_stepped() {
        static STEPPED: tokio::sync::Notify = tokio::sync::Notify::const_new();
        static LOOKED_FOR: OnceLock<()> = OnceLock::new();
        if std::env::var_os("NIGHTRUN_CLOCK_STEP").is_some() {
            LOOKED_FOR.get_or_init(|| drop(std::thread::spawn(|| look_for_steps(&STEPPED))));
        }
        STEPPED.notified().await;
    }

    fn look_for_steps(stepped: &tokio::sync::Notify) {
        let mut last = clock_step();
        loop {
            std::thread::sleep(std::time::Duration::from_millis(10));
            if std::mem::replace(&mut last, clock_step()) != last {
                stepped.notify_one();
            }
        }
    }

    pub(super) fn environment() -> Vec<(String, String)> {
        let names = ["NIGHTRUN_FAULT", "NIGHTRUN_FAULT_ONCE"].map(str::to_owned);
        names
            .into_iter()
            .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
            .collect()
    }

    pub(super) fn die() -> ! {
        // Cannot fail: the process may always signal itself.
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        std::process::abort()
    }
}
