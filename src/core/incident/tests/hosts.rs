//! Hosts that are away for longer than they may.

use super::*;

#[test]
fn a_host_that_is_away_for_a_minute_is_an_incident_until_it_is_back() {
    let mut night = Night::with(house(), |_| {});
    night.commands.clear();
    let fault = night.now.wall;
    let host = crate::core::test_night::local();
    night.must(Event::HostAway { host: host.clone() });
    assert_eq!(
        night.core.next_wake().since_boot,
        Some(night.now.since_boot + std::time::Duration::from_secs(60))
    );
    night.pass(59);
    assert_eq!(told(&mut night, fault), [""; 0]);
    night.pass(1);
    assert_eq!(told(&mut night, fault), ["1 opened: li"]);
    night.must(Event::HostUp { host, boot: crate::core::test_night::boot() });
    assert_eq!(told(&mut night, fault), ["1 closed: li"]);
}

#[test]
fn a_host_may_be_away_for_as_long_as_its_site_says_and_is_told_of_by_its_title() {
    let mut site = house();
    let host = crate::core::test_night::local();
    let declared = site.hosts.get_mut(&host).unwrap();
    declared.away_after = Span::seconds(300);
    declared.title = Some(Text::en("Batch server"));
    let mut night = Night::with(site, |_| {});
    night.must(Event::HostAway { host: host.clone() });
    night.pass(299);
    assert!(night.core.state().incidents.is_empty());
    night.pass(1);
    let fault = &night.core.state().incidents[&IncidentId(1)].what.fault;
    let title = Some(Text::en("Batch server"));
    assert_eq!(*fault, Fault::HostAway { host: host.clone(), title });
    night.must(Event::HostUp { host, boot: crate::core::test_night::boot() });
    assert!(!night.core.state().incidents[&IncidentId(1)].is_open());
}
