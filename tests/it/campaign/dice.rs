//! The one source of chance in a campaign: splitmix64 from a seed.

/// Deterministic numbers, the same on every machine.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `from..to`, which must not be empty.
    pub(super) fn of(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from)
    }

    /// True this many times in a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.of(0, 100) < percent
    }

    /// One of several.
    pub(super) fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        &among[self.of(0, among.len() as u64) as usize]
    }

    pub(super) fn shuffle<T>(&mut self, all: &mut [T]) {
        for last in (1..all.len()).rev() {
            all.swap(last, self.of(0, last as u64 + 1) as usize);
        }
    }
}
