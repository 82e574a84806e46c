//! A set of days within a range, which counts and finds its members in constant and logarithmic time.

use jiff::civil::Date;

use super::calendar::{days_between, plus};

/// Some of the days from a first to a last one; about the others it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DaySet {
    first: Date,
    last: Date,
    /// Bit i of word w is the day `first + 64 w + i`.
    bits: Vec<u64>,
    /// Members before each word.
    counts: Vec<u32>,
}

impl DaySet {
    /// The days from `first` to `last` that `member` says yes to. Nothing is known when `first` is after `last`.
    pub(super) fn new(first: Date, last: Date, member: impl Fn(Date) -> bool) -> Self {
        let days = usize::try_from(days_between(first, last) + 1).unwrap_or(0);
        let mut bits = vec![0_u64; days.div_ceil(64)];
        let mut date = first;
        for at in 0..days {
            if member(date) {
                bits[at / 64] |= 1 << (at % 64);
            }
            date = date.tomorrow().unwrap_or(Date::MAX);
        }
        let mut total = 0;
        let counts = bits
            .iter()
            .map(|word| {
                let before = total;
                total += word.count_ones();
                before
            })
            .collect();
        Self { first, last, bits, counts }
    }

    pub(super) fn first(&self) -> Date {
        self.first
    }

    pub(super) fn last(&self) -> Date {
        self.last
    }

    /// Every day that it knows about.
    pub(super) fn dates(&self) -> impl Iterator<Item = Date> + '_ {
        (0..=days_between(self.first, self.last)).map(|at| plus(self.first, at))
    }

    /// Whether the day is a member; `None` outside of the range.
    pub(super) fn has(&self, date: Date) -> Option<bool> {
        if date < self.first || date > self.last {
            return None;
        }
        let at = self.place(date);
        Some(self.bits[at / 64] >> (at % 64) & 1 == 1)
    }

    /// Members before the day.
    pub(super) fn before(&self, date: Date) -> usize {
        if self.bits.is_empty() || date <= self.first {
            return 0;
        }
        let at = self.place(date.min(self.last));
        let upto = if date > self.last { at + 1 } else { at };
        let Some(word) = self.bits.get(upto / 64) else { return self.len() };
        let below = word & ((1_u64 << (upto % 64)) - 1);
        self.counts[upto / 64] as usize + below.count_ones() as usize
    }

    pub(super) fn len(&self) -> usize {
        match (self.bits.last(), self.counts.last()) {
            (Some(word), Some(count)) => *count as usize + word.count_ones() as usize,
            _ => 0,
        }
    }

    /// The member with so many members before it.
    pub(super) fn nth(&self, n: usize) -> Option<Date> {
        if n >= self.len() {
            return None;
        }
        let word = self.counts.partition_point(|count| *count as usize <= n) - 1;
        let mut rest = self.bits[word];
        for _ in 0..n - self.counts[word] as usize {
            rest &= rest - 1;
        }
        let at = word * 64 + rest.trailing_zeros() as usize;
        Some(plus(self.first, i32::try_from(at).ok()?))
    }

    /// The place of a day of the range.
    fn place(&self, date: Date) -> usize {
        usize::try_from(days_between(self.first, date)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn counts_and_places_agree_with_a_plain_list(pattern in prop::collection::vec(any::<bool>(), 0..400)) {
            let first = date(2026, 1, 1);
            let last = plus(first, pattern.len() as i32 - 1);
            let set = DaySet::new(first, last, |d| pattern[days_between(first, d) as usize]);
            let members: Vec<Date> = (0..pattern.len())
                .filter(|at| pattern[*at])
                .map(|at| plus(first, at as i32))
                .collect();
            prop_assert_eq!(set.len(), members.len());
            for (n, member) in members.iter().enumerate() {
                prop_assert_eq!(set.nth(n), Some(*member));
            }
            prop_assert_eq!(set.nth(members.len()), None);
            for at in -2..pattern.len() as i32 + 2 {
                let day = plus(first, at);
                prop_assert_eq!(set.before(day), members.iter().filter(|m| **m < day).count());
                let within = day >= first && day <= last;
                prop_assert_eq!(set.has(day), within.then(|| members.contains(&day)));
            }
        }
    }
}
