//! What made-up people do with changes after they were executed: they tell the requester, try to close each of them, and say
//! one after the other what its closing waits for.

use std::sync::Arc;

use super::clearing::{having, wished};
use super::made_site;
use crate::core::calendar::Calendars;
use crate::core::change::{Desk, Missing, Stage, Wish};
use crate::core::night::Event;
use crate::core::state::State;
use crate::core::window::Windows;
use crate::definition::site::{Before, Site};
use crate::types::{ChangeId, PersonId};

/// Where the site says what is confirmed before a closing; nothing elsewhere, where closing a change is up to anybody.
pub(super) fn finish(state: &State, site: &Arc<Site>, calendars: &Arc<Calendars>) -> Vec<Event> {
    let items = site.change_rules.iter().flat_map(|rules| rules.checklist.values());
    if !items.into_iter().any(|rule| rule.before == Before::Close) {
        return Vec::new();
    }
    let (windows, mut events) = (Windows::over(site, calendars), Vec::new());
    let under_way = state.changes_under_way();
    let lives = &state.standing.changes;
    for (change, life) in lives {
        let wish = match life.stage() {
            Stage::Executed | Stage::RolledBack => Wish::FeedBack,
            Stage::FedBack => Wish::Close,
            _ => continue,
        };
        let free = !under_way.keys().any(|(of, _)| of == change);
        let somebody = made_site::author().filter(|_| free);
        events.extend(somebody.map(|by| asked(site, change, &by, wish)));
        let Ok(desk) = Desk::new(site, &windows, change, lives) else { continue };
        for environment in life.left_somewhere() {
            for missing in desk.unclosed(environment) {
                events.extend(says(site, change, environment, &missing));
            }
        }
    }
    events
}

fn says(site: &Arc<Site>, change: &ChangeId, environment: &str, missing: &Missing) -> Vec<Event> {
    let (item, people) = match missing {
        Missing::Confirmation { item, role: Some(role), .. } => {
            (item, having(site, role).collect())
        }
        Missing::Permission { item, by } => (item, vec![by]),
        _ => return Vec::new(),
    };
    let wish = Wish::Confirm { environment: Some(environment.to_owned()), item: item.clone() };
    people.into_iter().map(|by| asked(site, change, by, wish.clone())).collect()
}

fn asked(site: &Arc<Site>, change: &ChangeId, by: &PersonId, wish: Wish) -> Event {
    wished((site, Vec::new()), change.clone(), by, wish)
}
