//! Points at which a test lets the worker die, as a lost host would: at once, with nothing flushed or rolled back.

/// Dies here when `NIGHTRUN_FAULT` is `after:<name>`. Does nothing without the feature `faults`.
#[cfg(feature = "faults")]
pub(super) fn point(name: &str) {
    let wanted = std::env::var_os("NIGHTRUN_FAULT").unwrap_or_default();
    if wanted.to_str() == Some(format!("after:{name}").as_str()) {
        std::process::abort();
    }
}

#[cfg(not(feature = "faults"))]
pub(super) fn point(_name: &str) {}
