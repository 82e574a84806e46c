//! Sizes as people write them: `64MiB`.

use std::str::FromStr;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a size: write a whole number with KiB, MiB or GiB, such as `64MiB`, from 1KiB to 1024GiB"
)]
pub struct InvalidByteSize(pub String);

const UNITS: [(&str, u64); 3] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const MOST: u64 = 1024 << 30;

impl FromStr for ByteSize {
    type Err = InvalidByteSize;

    fn from_str(text: &str) -> Result<Self, InvalidByteSize> {
        let bad = || InvalidByteSize(text.to_owned());
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))
            .ok_or_else(bad)?;
        let number = number.strip_suffix(' ').unwrap_or(number);
        if !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let number: u64 = number.parse().map_err(|_| bad())?;
        let bytes = number.checked_mul(*unit).filter(|bytes| (1..=MOST).contains(bytes));
        bytes.map(Self).ok_or_else(bad)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let bytes = |text: &str| text.parse().map(|ByteSize(bytes)| bytes);
        assert_eq!(bytes("64MiB"), Ok(64 << 20));
        assert_eq!(bytes("1 KiB"), Ok(1024));
        assert_eq!(bytes("1024GiB"), Ok(1 << 40));
        for bad in [
            "",
            "64",
            "64MB",
            "64mib",
            "-1MiB",
            "+1MiB",
            "1.5MiB",
            "0KiB",
            "1025GiB",
            "MiB",
            "99999999999999999999GiB",
            "1  KiB",
        ] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
