//! Logins: how often a password may be tried.
//!
//! Counted for each person and for each address that tries, by the time since boot, so that no step of the clock ends or
//! lengthens a wait. A try counts as failed from its beginning until it has succeeded, so that many at once gain nothing.
//!
//! | counted | free tries | then a wait of | at most |
//! | --- | --- | --- | --- |
//! | for a person | 5 | 1 s, 2 s, 4 s, … after each | 1 minute |
//! | from an address | 20 | 1 s, 2 s, 4 s, … after each | 15 minutes |
//!
//! A person's count is forgotten with a login; either is an hour after its last try. The wait for a person is short: who
//! tries in somebody else's name must not keep that person out of the night. A login does not clear its address: who has
//! one password could try others for ever.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::types::PersonId;

/// How somebody proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginHow {
    Password,
    Token,
}

/// Why somebody was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoginTrouble {
    UnknownPerson,
    /// The person has none.
    NoPassword,
    WrongPassword,
    /// There is no such token, or it is over.
    WrongToken,
    /// It was tried too often; what was given was not looked at.
    TooOften,
}

/// Addresses that are remembered; beyond that the one with the fewest tries is forgotten.
const MOST_ADDRESSES: usize = 4_096;
/// A count is forgotten so long after its last try.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// How one kind is counted.
struct Measure {
    free: u32,
    longest: Duration,
}

const OF_PERSON: Measure = Measure { free: 5, longest: Duration::from_secs(60) };
const OF_ADDRESS: Measure = Measure { free: 20, longest: Duration::from_secs(900) };

/// What has been tried lately. One for each process that takes logins.
#[derive(Debug, Default)]
pub struct Tries {
    people: BTreeMap<PersonId, Count>,
    addresses: BTreeMap<IpAddr, Count>,
}

#[derive(Debug, Clone, Copy)]
struct Count {
    failed: u32,
    /// Since boot.
    last: Duration,
}

impl Count {
    fn wait(&self, measure: &Measure, now: Duration) -> Duration {
        let beyond = self.failed.saturating_sub(measure.free);
        if beyond == 0 {
            return Duration::ZERO;
        }
        let wait = Duration::from_secs(1 << (beyond - 1).min(20)).min(measure.longest);
        (self.last + wait).saturating_sub(now)
    }

    fn forgotten(&self, now: Duration) -> bool {
        now >= self.last + FORGOTTEN_AFTER
    }
}

impl Tries {
    /// Lets a try begin, or says how long to wait. `person`: somebody of the site; a name of nobody counts for its address
    /// alone. `now`: since boot.
    pub fn begin(
        &mut self,
        person: Option<&PersonId>,
        from: IpAddr,
        now: Duration,
    ) -> Result<(), Duration> {
        let from = network(from);
        self.people.retain(|_, count| !count.forgotten(now));
        self.addresses.retain(|_, count| !count.forgotten(now));
        let of_person = person.and_then(|person| self.people.get(person));
        let of_person = of_person.map_or(Duration::ZERO, |count| count.wait(&OF_PERSON, now));
        let of_address = self.addresses.get(&from);
        let of_address = of_address.map_or(Duration::ZERO, |count| count.wait(&OF_ADDRESS, now));
        let wait = of_person.max(of_address);
        if !wait.is_zero() {
            return Err(wait);
        }
        if let Some(person) = person {
            more(self.people.entry(person.clone()).or_insert(Count { failed: 0, last: now }), now);
        }
        self.make_room(&from);
        more(self.addresses.entry(from).or_insert(Count { failed: 0, last: now }), now);
        Ok(())
    }

    /// The try has come out well: the person begins anew, and the address has this one less.
    pub fn succeeded(&mut self, person: &PersonId, from: IpAddr) {
        self.people.remove(person);
        if let Some(count) = self.addresses.get_mut(&network(from)) {
            count.failed = count.failed.saturating_sub(1);
        }
    }

    fn make_room(&mut self, for_one: &IpAddr) {
        if self.addresses.len() < MOST_ADDRESSES || self.addresses.contains_key(for_one) {
            return;
        }
        let least = self.addresses.iter().min_by_key(|(_, count)| (count.failed, count.last));
        if let Some(least) = least.map(|(address, _)| *address) {
            self.addresses.remove(&least);
        }
    }
}

fn more(count: &mut Count, now: Duration) {
    *count = Count { failed: count.failed.saturating_add(1), last: now };
}

/// Who has one address of IPv6 has the /64 around it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> PersonId {
        PersonId::new("ann").unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn at(ms: u64) -> Duration {
        Duration::from_secs(1_000) + Duration::from_millis(ms)
    }

    #[test]
    fn five_tries_for_a_person_are_free_and_then_each_waits_twice_as_long() {
        let mut tries = Tries::default();
        let (ann, mut now) = (ann(), 0);
        // From another address each time: it is the person who is counted.
        for n in 0..5 {
            assert_eq!(tries.begin(Some(&ann), address(&format!("10.0.0.{n}")), at(now)), Ok(()));
        }
        tries.begin(Some(&ann), address("10.0.1.1"), at(now)).unwrap();
        for (n, wait) in [1, 2, 4, 8, 16, 32, 60, 60, 60].into_iter().enumerate() {
            let from = address(&format!("10.0.2.{n}"));
            let wait = Duration::from_secs(wait);
            assert_eq!(tries.begin(Some(&ann), from, at(now)), Err(wait));
            // A refused try lengthens nothing.
            assert_eq!(tries.begin(Some(&ann), from, at(now)), Err(wait));
            now += u64::try_from(wait.as_millis()).unwrap();
            assert_eq!(tries.begin(Some(&ann), from, at(now - 1)), Err(Duration::from_millis(1)));
            assert_eq!(tries.begin(Some(&ann), from, at(now)), Ok(()));
        }
        // Others are let in meanwhile, and so is Ann once she has waited.
        let bo = PersonId::new("bo").unwrap();
        assert_eq!(tries.begin(Some(&bo), address("10.0.3.1"), at(now)), Ok(()));
        tries.succeeded(&ann, address("10.0.2.8"));
        assert_eq!(tries.begin(Some(&ann), address("10.0.3.2"), at(now)), Ok(()));
    }

    #[test]
    fn an_address_is_counted_whoever_it_tries_and_waits_at_most_a_quarter_of_an_hour() {
        let mut tries = Tries::default();
        let from = address("192.0.2.7");
        for _ in 0..21 {
            assert_eq!(tries.begin(None, from, at(0)), Ok(()));
        }
        assert_eq!(tries.begin(Some(&ann()), from, at(0)), Err(Duration::from_secs(1)));
        let mut now = 1_000;
        let mut longest = Duration::ZERO;
        for _ in 0..20 {
            tries.begin(None, from, at(now)).unwrap();
            let wait = tries.begin(None, from, at(now)).unwrap_err();
            longest = longest.max(wait);
            now += u64::try_from(wait.as_millis()).unwrap();
        }
        assert_eq!(longest, Duration::from_secs(900));
        // A login from there takes one away, and no more.
        tries.begin(Some(&ann()), from, at(now)).unwrap();
        tries.succeeded(&ann(), from);
        assert_eq!(tries.begin(Some(&ann()), from, at(now)), Err(Duration::from_secs(900)));
        assert_eq!(tries.begin(Some(&ann()), address("192.0.2.8"), at(now)), Ok(()));
        // Forgotten an hour after the last one.
        assert_eq!(tries.begin(None, from, at(now + 3_600_000)), Ok(()));
        for _ in 0..20 {
            assert_eq!(tries.begin(None, from, at(now + 3_600_000)), Ok(()));
        }
    }

    #[test]
    fn a_neighbour_in_the_same_network_of_ipv6_is_the_same_and_a_mapped_ipv4_is_itself() {
        assert_eq!(network(address("2001:db8::1")), network(address("2001:db8::ffff:1")));
        assert_ne!(network(address("2001:db8::1")), network(address("2001:db8:0:1::1")));
        assert_eq!(network(address("::ffff:192.0.2.7")), address("192.0.2.7"));
    }

    #[test]
    fn many_addresses_take_a_bounded_place_and_do_not_free_the_one_that_tried_most() {
        let mut tries = Tries::default();
        let from = address("192.0.2.7");
        for _ in 0..25 {
            let _ = tries.begin(None, from, at(0));
        }
        for n in 0..5_000_u32 {
            let other = IpAddr::V4((0x0A00_0000 + n).into());
            assert_eq!(tries.begin(None, other, at(0)), Ok(()));
        }
        assert_eq!(tries.addresses.len(), MOST_ADDRESSES);
        assert!(tries.begin(None, from, at(0)).is_err());
    }
}
