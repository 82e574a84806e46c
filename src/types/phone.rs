//! Telephone numbers as people write them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A telephone number: of the world (`+86 21 5555 0100`), or of the house (`5512`). Kept as it is written, because it is
/// there to be read and dialled by people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Phone(String);

/// Digits of the shortest number of a house, and of the longest of the world with its prefixes (E.164 allows 15).
const DIGITS: std::ops::RangeInclusive<usize> = 3..=20;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a telephone number: write 3 to 20 digits, with `+` before them, blanks, `-`, `(`, `)` between them, and \
     an extension behind `x`"
)]
pub struct InvalidPhone(String);

impl Phone {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(text: &str) -> Result<Self, InvalidPhone> {
        let bad = || InvalidPhone(text.to_owned());
        let number = text.strip_prefix('+').unwrap_or(text);
        let (number, extension) = number.split_once('x').unwrap_or((number, "0"));
        let digits = number.chars().filter(char::is_ascii_digit).count();
        let between = number.chars().all(|c| c.is_ascii_digit() || " -()".contains(c));
        let ends = number.starts_with(|c: char| c.is_ascii_digit() || c == '(')
            && number.trim_end().ends_with(|c: char| c.is_ascii_digit());
        let extension = extension.trim();
        let extended = !extension.is_empty() && extension.bytes().all(|b| b.is_ascii_digit());
        match DIGITS.contains(&digits) && between && ends && extended {
            true => Ok(Self(text.to_owned())),
            false => Err(bad()),
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Phone {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Phone {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

string_schema!(Phone, r"^\+?[0-9(][0-9 ()-]*(x ?[0-9]+)?$", "a telephone number");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_can_be_dialled() {
        for good in ["+86 21 5555 0100", "5512", "(021) 5555-0100", "+49 69 1234 x12", "110"] {
            assert_eq!(good.parse::<Phone>().unwrap().as_str(), good);
        }
        let long = "1".repeat(21);
        for bad in ["", "12", "+", "++4969", "ask Li", "4969;rm", "+49 69 1234 x", "12-", &long] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
    }
}
