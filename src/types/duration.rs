//! Durations as people write them: with units.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A length of time written with its units: `90s`, `1h30m`, `250ms`, `2d`. Whole milliseconds, at most 400 days.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span(Duration);

/// Why a text is not a [`Span`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration: write whole numbers with units, such as `90s`, `15m`, `1h30m`, `2d`"
)]
pub struct InvalidSpan(pub String);

const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];
const LONGEST_MS: u64 = 400 * 86_400_000;

impl Span {
    pub const fn of(duration: Duration) -> Self {
        Self(duration)
    }

    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = InvalidSpan;

    fn from_str(text: &str) -> Result<Self, InvalidSpan> {
        let bad = || InvalidSpan(text.to_owned());
        let mut rest = text;
        let mut total: u64 = 0;
        let mut last_unit = u64::MAX;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
            rest = &rest[digits..];
            let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
            let (_, unit) =
                UNITS.iter().find(|(name, _)| *name == &rest[..letters]).ok_or_else(bad)?;
            // Largest unit first, each once: `5m1h` is more likely a slip than a wish.
            if *unit >= last_unit {
                return Err(bad());
            }
            last_unit = *unit;
            rest = &rest[letters..];
            total = number
                .checked_mul(*unit)
                .and_then(|ms| ms.checked_add(total))
                .filter(|ms| *ms <= LONGEST_MS)
                .ok_or_else(bad)?;
        }
        if last_unit == u64::MAX {
            return Err(bad());
        }
        Ok(Self(Duration::from_millis(total)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ms = self.0.as_millis() as u64;
        if ms == 0 {
            return f.pad("0s");
        }
        let mut text = String::new();
        for (name, unit) in UNITS {
            if ms >= unit {
                text.push_str(&format!("{}{name}", ms / unit));
                ms %= unit;
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

string_schema!(
    Span,
    "^([0-9]+(d|h|m|s|ms))+$",
    "a length of time with units, the largest first, such as `1h30m` or `90ms`"
);

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_as_written() {
        for text in ["0s", "90ms", "1m30s", "1h", "1h30m", "2d", "1d1h1m1s1ms"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("90s".parse::<Span>().unwrap().to_string(), "1m30s");
        for bad in ["", "5", "5 m", "-5m", "1.5h", "5m1h", "5m5m", "5x", "401d", "h"] {
            assert!(bad.parse::<Span>().is_err(), "{bad}");
        }
    }
}
