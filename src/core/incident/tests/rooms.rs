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
