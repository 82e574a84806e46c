//! What figures of service levels are made of (S1).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::incident::word;

word! {
    /// How much a figure of the service levels weighs.
    FigureClass {
        /// 关键
        Key = "key",
        /// 一般
        Ordinary = "ordinary",
    }
}

word! {
    /// What a figure is counted in.
    FigureUnit {
        /// Whole ones.
        Number = "number",
        /// Of a hundred.
        Percent = "percent",
        Hours = "hours",
    }
}

word! {
    /// How often a figure that breaks its limit is missed.
    Misses {
        /// Once, by however much.
        Once = "once",
        /// Each one above the limit is a miss.
        Each = "each",
    }
}

/// A figure: never negative, in thousandths, so that 99.9 is 99.9 and nothing beside it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Amount(u64);

/// Why a text or a number is no [`Amount`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a figure: write it as 3 or 99.95, with three decimals and a billion at most")]
pub struct InvalidAmount(pub String);

impl Amount {
    const MOST: u64 = 1_000_000_000;

    /// Whole ones; more than a billion are a billion.
    pub fn whole(number: u64) -> Self {
        Self(number.min(Self::MOST) * 1_000)
    }

    /// `part` of `of` in percent, rounded down: what is not quite reached is not reached. All of nothing is all.
    pub fn percent(part: u128, of: u128) -> Self {
        let thousandths = (part * 100_000).checked_div(of).unwrap_or(100_000);
        Self(u64::try_from(thousandths).unwrap_or(100_000).min(100_000))
    }

    pub fn is_whole(self) -> bool {
        self.0.is_multiple_of(1_000)
    }

    /// Without what is behind the point.
    pub fn whole_part(self) -> u64 {
        self.0 / 1_000
    }

    /// To reckon with.
    pub fn number(self) -> f64 {
        self.0 as f64 / 1_000.0
    }
}

impl FromStr for Amount {
    type Err = InvalidAmount;

    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let read = || {
            let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let form = digits(whole) && digits(decimals) && decimals.len() <= 3;
            let whole: u64 = whole.parse().ok().filter(|n| form && *n <= Self::MOST)?;
            let thousandths: u64 = format!("{decimals:0<3}").parse().ok()?;
            Some(Self(whole * 1_000 + thousandths))
        };
        read().ok_or_else(|| InvalidAmount(text.to_owned()))
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:03}", self.0 % 1_000);
        match decimals.trim_end_matches('0') {
            "" => f.pad(&self.whole_part().to_string()),
            decimals => f.pad(&format!("{}.{decimals}", self.whole_part())),
        }
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// As a number.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self.is_whole() {
            true => s.serialize_u64(self.whole_part()),
            false => s.serialize_f64(self.number()),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        // Rust writes a number with the fewest digits that are read as the same one.
        f64::deserialize(d)?.to_string().parse().map_err(serde::de::Error::custom)
    }
}

impl schemars::JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "number",
            "minimum": 0,
            "maximum": Self::MOST,
            "description": "three decimals at most",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_what_was_written_and_comes_back_as_it() {
        for (text, json) in [("0", "0"), ("40", "40"), ("99.9", "99.9"), ("41.125", "41.125")] {
            let amount: Amount = text.parse().unwrap();
            assert_eq!(amount.to_string(), text);
            assert_eq!(serde_json::to_string(&amount).unwrap(), json);
            assert_eq!(serde_json::from_str::<Amount>(json).unwrap(), amount);
        }
        assert_eq!("99.900".parse::<Amount>(), "99.9".parse());
        for bad in ["", ".5", "5.", "1.2345", "-1", "+1", "1e3", "1,5", "1000000001", "一"] {
            assert!(bad.parse::<Amount>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Amount>("-1").is_err());
        assert!(serde_json::from_str::<Amount>("0.0001").is_err());
    }

    #[test]
    fn a_percentage_is_never_rounded_up() {
        assert_eq!(Amount::percent(99_899_999, 100_000_000).to_string(), "99.899");
        assert_eq!(Amount::percent(999, 1_000).to_string(), "99.9");
        assert_eq!(Amount::percent(5, 5).to_string(), "100");
        assert_eq!(Amount::percent(0, 0).to_string(), "100");
    }
}
