//! Checks of the host itself, by what its kernel tells.

use std::path::Path;
use std::time::Duration;

use super::Seen;
use crate::definition::site::MemoryOf;
use crate::types::Reading;

/// How much of a file system is in use, as `df` counts: what only root may still use counts as neither.
pub(super) fn disk(path: &Path) -> Seen {
    let told = match rustix::fs::statvfs(path) {
        Ok(told) => told,
        Err(why) => return Seen::nothing(format!("{}: {why}", path.display())),
    };
    let used = told.f_blocks.saturating_sub(told.f_bfree);
    let free = told.f_bavail.saturating_mul(told.f_frsize) >> 20;
    Seen::measured(percent(used, used.saturating_add(told.f_bavail)), format!("{free} MiB free"))
}

/// How busy the processors are, all of them together.
#[expect(clippy::disallowed_methods, reason = "the processors are watched for a while")]
pub(super) async fn cpu(during: Duration) -> Seen {
    let before = match times() {
        Ok(before) => before,
        Err(why) => return Seen::nothing(why),
    };
    tokio::time::sleep(during).await;
    match times() {
        Ok((busy, all)) => {
            let passed = all.saturating_sub(before.1);
            Seen::measured(percent(busy.saturating_sub(before.0), passed), "")
        }
        Err(why) => Seen::nothing(why),
    }
}

/// Ticks that the processors were busy, and all of them, since the host was started.
fn times() -> Result<(u64, u64), String> {
    busy(&kernel_says("/proc/stat")?).ok_or_else(|| "/proc/stat cannot be read".to_owned())
}

fn busy(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user nice system idle iowait irq softirq steal; what guests take is part of user and nice.
    let ticks: Vec<u64> =
        line.split_whitespace().take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let idle = ticks.get(3)? + ticks.get(4)?;
    let all: u64 = ticks.iter().sum();
    Some((all - idle, all))
}

pub(super) fn memory(of: MemoryOf) -> Seen {
    let text = match kernel_says("/proc/meminfo") {
        Ok(text) => text,
        Err(why) => return Seen::nothing(why),
    };
    let used = match of {
        MemoryOf::Ram => in_use(&text, "MemTotal:", "MemAvailable:"),
        MemoryOf::Swap => in_use(&text, "SwapTotal:", "SwapFree:"),
    };
    match used {
        Some((used, free)) => Seen::measured(Some(used), format!("{free} MiB free")),
        None => Seen::nothing("/proc/meminfo cannot be read"),
    }
}

/// The share that is in use, and MiB that are free. Of a host without swap nothing is in use.
fn in_use(meminfo: &str, all: &str, free: &str) -> Option<(Reading, u64)> {
    let kib = |key: &str| -> Option<u64> {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let (all, free) = (kib(all)?, kib(free)?);
    let used = if all == 0 { Reading::new(0.0) } else { percent(all.saturating_sub(free), all) };
    Some((used?, free >> 10))
}

fn percent(part: u64, of: u64) -> Option<Reading> {
    if of == 0 {
        return None;
    }
    Reading::new(part as f64 * 100.0 / of as f64).map(Reading::rounded)
}

#[expect(clippy::disallowed_methods, reason = "what the kernel tells of its host is a file")]
fn kernel_says(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|why| format!("{path}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_read() {
        let stat = "cpu  100 5 45 800 40 4 6 0 70 0\ncpu0 1 2 3\n";
        assert_eq!(busy(stat), Some((160, 1_000)));
        assert_eq!(busy("cpu 1 2"), None);
        let info = "MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable: 2000 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n";
        let ram = in_use(info, "MemTotal:", "MemAvailable:");
        assert_eq!(ram, Some((Reading::new(75.0).unwrap(), 1)));
        let swap = in_use(info, "SwapTotal:", "SwapFree:");
        assert_eq!(swap, Some((Reading::new(0.0).unwrap(), 0)));
        assert_eq!(in_use(info, "Other:", "SwapFree:"), None);
    }
}
