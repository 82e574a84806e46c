//! The date that work is for, and the zone that a civil time is read in.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The date the work is for, not the date it runs on (业务日期).
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(transparent)]
pub struct BusinessDate(pub Date);

impl fmt::Display for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.to_string())
    }
}

impl fmt::Debug for BusinessDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for BusinessDate {
    type Err = jiff::Error;
    fn from_str(s: &str) -> Result<Self, jiff::Error> {
        s.parse().map(Self)
    }
}

/// A time zone by its IANA name, such as `Asia/Shanghai`.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Looked up among the bundled zones and the system's; an unknown name is an error.
    pub fn named(name: &str) -> Result<Self, jiff::Error> {
        TimeZone::get(name).map(Self)
    }

    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    pub fn tz(&self) -> &TimeZone {
        &self.0
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// `2026-10-30T21:30` of this zone, or an instant with its offset.
    ///
    /// # Errors
    /// In words that say how to write it.
    pub fn instant(&self, text: &str) -> Result<Timestamp, String> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(instant);
        }
        let civil: DateTime = text.parse().map_err(|_| {
            format!("`{text}` is not a time: write 2026-10-30T21:30 (of the site's zone)")
        })?;
        self.of_civil(civil)
    }

    /// The first instant of a date, or as [`instant`](Self::instant).
    ///
    /// # Errors
    /// The same.
    pub fn begin(&self, text: &str) -> Result<Timestamp, String> {
        match date_alone(text) {
            Some(date) => self.of_civil(date.into()),
            None => self.instant(text),
        }
    }

    /// The end of a date, not included, or as [`instant`](Self::instant).
    ///
    /// # Errors
    /// The same.
    pub fn end(&self, text: &str) -> Result<Timestamp, String> {
        match date_alone(text) {
            Some(date) => self.end_of(date),
            None => self.instant(text),
        }
    }

    /// The first instant after a date.
    ///
    /// # Errors
    /// No day follows it.
    pub fn end_of(&self, date: Date) -> Result<Timestamp, String> {
        let next = date.tomorrow().map_err(|why| why.to_string())?;
        self.of_civil(next.into())
    }

    fn of_civil(&self, civil: DateTime) -> Result<Timestamp, String> {
        let zoned = civil.to_zoned(self.0.clone()).map_err(|why| why.to_string())?;
        Ok(zoned.timestamp())
    }
}

fn date_alone(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| !text.contains('T'))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name())
    }
}

string_schema!(Zone, ".", "a time zone by its IANA name");

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}
