//! Rooms of chats, and by which ways people are told.

use super::*;
use crate::definition::site::Way;

#[test]
fn rooms_are_told_at_their_step_and_with_everybody_afterwards_and_each_step_says_by_which_ways() {
    let mut site = house();
    let escalation = Arc::make_mut(site.escalation.as_mut().unwrap());
    let room = |name: &str| vec![name.parse().unwrap()];
    let policy = escalation.policies.values_mut().next().unwrap();
    policy.rungs[0].by = vec![Way::Webhook, Way::Mail];
    let rooms = Tell { webhooks: room("ops"), ..Tell::default() };
    policy.rungs[1].tell = rooms.clone();
    policy.rungs.insert(2, Rung { tell: rooms, ..policy.rungs[1].clone() });
    // Whom mail does not reach a webhook does.
    let li = site.people.get_mut(&person("li")).unwrap();
    (li.mail, li.webhook) = (None, Some("li-phone".parse().unwrap()));
    let (mut night, fault) = failed(site);
    assert_eq!(
        sleep(&mut night, fault, 26),
        [
            "0 opened: li by Webhook+Mail",
            "10 step: #ops",
            // The room was told: that step is skipped.
            "20 step: chen zhao",
            "25 near response: li chen zhao #ops by Mail+Webhook",
        ]
    );
    wanted(&mut night, "chen", Wanted::Acknowledge).unwrap();
    assert_eq!(told(&mut night, fault), ["26 acknowledged: li zhao #ops by Mail+Webhook"]);
    night.act(Action::Retry { job: name("a") }).unwrap();
    night.good("a");
    assert_eq!(told(&mut night, fault), ["26 closed: li chen zhao #ops by Mail+Webhook"]);
}

/// A server says of what was sent to them, and told of that incident, that it will never take it.
fn refused(night: &mut Night, about: Option<u64>, to: &str) {
    let about = about.map(IncidentId);
    let event = Event::MessageRefused { about, to: to.into(), why: "no such user".into() };
    night.step(event).unwrap();
}

#[test]
fn whoever_refuses_a_message_is_told_of_by_others_and_by_nobody_where_all_refuse() {
    let mut site = house();
    let escalation = Arc::make_mut(site.escalation.as_mut().unwrap());
    let policy = escalation.policies.values_mut().next().unwrap();
    let rooms = Tell { webhooks: vec!["ops".parse().unwrap()], ..Tell::default() };
    policy.rungs.insert(0, rung(0, rooms));
    policy.rungs[1].after = minutes(5);
    // Zhao has another way than the address that refuses.
    let zhao = site.people.get_mut(&person("zhao")).unwrap();
    zhao.webhook = Some("zhao-phone".parse().unwrap());
    let (mut night, fault) = failed(site);
    assert_eq!(told(&mut night, fault), ["0 opened: #ops"]);
    // The room is the first step, and has no part in what is said of itself.
    refused(&mut night, Some(1), "webhook:ops");
    assert_eq!(told(&mut night, fault), ["0 opened: li"]);
    for who in ["li@bank.example", "wang@bank.example", "zhao@bank.example"] {
        refused(&mut night, Some(2), who);
    }
    assert_eq!(night.core.state().incidents.len(), 2, "what tells of refusals opens none");
    night.pass(20 * 60);
    let words = told(&mut night, fault);
    let of_second = |line: &&String| line.ends_with("chen zhao");
    assert_eq!(words.iter().filter(of_second).count(), 1, "{words:?}");
    // Everybody refuses: nobody is told, and nothing begins again, however it ends.
    for who in ["chen@bank.example", "webhook:zhao-phone"] {
        refused(&mut night, Some(2), who);
    }
    told(&mut night, fault);
    let resolve = Wanted::Resolve { cause: "typed wrongly".into(), measure: "mended".into() };
    let order = Box::new(IncidentOrder::Step { incident: IncidentId(2), wanted: resolve });
    let event = Event::Incident { by: person("li"), reason: String::new(), order };
    night.step(event).unwrap();
    assert_eq!(told(&mut night, fault), [""; 0]);
    refused(&mut night, Some(2), "webhook:ops");
    assert_eq!(night.core.state().incidents.len(), 2);
    // What tells of a job is another matter.
    refused(&mut night, Some(1), "webhook:ops");
    assert_eq!(night.core.state().incidents.len(), 3);
}
