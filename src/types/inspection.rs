//! What an inspection (巡检) measures, and how it judges.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A measured value, or a threshold for one: finite, in the unit that stands beside it.
#[derive(
    Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct Reading(f64);

/// JSON has no number that is not finite, and [`Reading::new`] takes none.
impl Eq for Reading {}

impl Reading {
    /// `None`: not finite.
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// Counts above 2^53 lose their last digits.
    pub fn count(number: u64) -> Self {
        Self(number as f64)
    }

    pub fn get(self) -> f64 {
        self.0
    }

    /// To a tenth, as percentages and milliseconds are told.
    pub fn rounded(self) -> Self {
        let tenths = (self.0 * 10.0).round() / 10.0;
        Self(if tenths.is_finite() { tenths } else { self.0 })
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a [`Reading`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    Percent,
    Milliseconds,
    Lines,
    /// The exit code of a program.
    ExitCode,
    /// What the question itself counts.
    Number,
}

impl Unit {
    /// What stands behind the number.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Percent => " %",
            Self::Milliseconds => " ms",
            Self::Lines | Self::ExitCode | Self::Number => "",
        }
    }
}

/// Which way a value becomes worse.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Worse {
    #[default]
    More,
    Less,
}

/// From which value on a check is not well. The value itself counts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Thresholds {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn: Option<Reading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail: Option<Reading>,
    #[serde(default, skip_serializing_if = "is_more")]
    pub worse: Worse,
}

fn is_more(worse: &Worse) -> bool {
    *worse == Worse::More
}

impl Thresholds {
    pub fn is_empty(&self) -> bool {
        self.warn.is_none() && self.fail.is_none()
    }

    pub fn verdict(&self, value: Reading) -> CheckVerdict {
        let reached = |limit: Option<Reading>| {
            limit.is_some_and(|limit| match self.worse {
                Worse::More => value >= limit,
                Worse::Less => value <= limit,
            })
        };
        if reached(self.fail) {
            CheckVerdict::Fail
        } else if reached(self.warn) {
            CheckVerdict::Warn
        } else {
            CheckVerdict::Ok
        }
    }
}

/// How a check came out: the last is the worst.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CheckVerdict {
    Ok,
    Warn,
    Fail,
}

impl CheckVerdict {
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_counts_itself_and_the_worse_side_of_it() {
        use CheckVerdict::{Fail, Ok, Warn};
        let number = |value: f64| Reading::new(value).unwrap();
        for (warn, fail, worse, value, verdict) in [
            (Some(80.0), Some(95.0), Worse::More, 79.9, Ok),
            (Some(80.0), Some(95.0), Worse::More, 80.0, Warn),
            (Some(80.0), Some(95.0), Worse::More, 95.0, Fail),
            (Some(80.0), None, Worse::More, 1e9, Warn),
            (None, Some(1.0), Worse::More, 1.0, Fail),
            (Some(10.0), Some(2.0), Worse::Less, 11.0, Ok),
            (Some(10.0), Some(2.0), Worse::Less, 10.0, Warn),
            (Some(10.0), Some(2.0), Worse::Less, 2.0, Fail),
            (None, None, Worse::More, 1e9, Ok),
        ] {
            let limits = Thresholds { warn: warn.map(number), fail: fail.map(number), worse };
            assert_eq!(limits.verdict(number(value)), verdict, "{limits:?} {value}");
        }
        assert_eq!(Reading::new(f64::NAN), None);
        assert_eq!(Reading::new(12.345).unwrap().rounded().to_string(), "12.3");
        assert_eq!(Reading::count(40).to_string(), "40");
    }
}
