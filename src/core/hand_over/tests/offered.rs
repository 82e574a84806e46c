//! Which steps are offered to whom.

use super::HandOverWish::{Accept, Give, Note};
use super::*;

#[test]
fn who_looks_is_offered_the_steps_that_he_may_take_now() {
    let id = "afternoon@2026-06-10";
    let mut desk = Desk::new(usual(), "2026-06-10T20:00");
    desk.sleep("2026-06-10T21:10");
    let offered = |desk: &Desk, who: &str, at: &str| {
        let on_call = desk.core.on_call().unwrap();
        desk.hand_over(id).steps_for(on_call, &person(who), local(at))
    };
    assert_eq!(offered(&desk, "chen", "2026-06-10T21:10"), [Give, Note]);
    // The shift goes on, and was not given.
    assert_eq!(offered(&desk, "li", "2026-06-10T21:10"), []);
    assert_eq!(offered(&desk, "li", "2026-06-10T21:30"), [Accept]);
    desk.does("chen", Give, id).unwrap();
    assert_eq!(offered(&desk, "chen", "2026-06-10T21:10"), [Note]);
    assert_eq!(offered(&desk, "li", "2026-06-10T21:10"), [Accept]);
    assert_eq!(offered(&desk, "anna", "2026-06-10T21:10"), []);
    desk.does("li", Accept, id).unwrap();
    assert_eq!(offered(&desk, "li", "2026-06-10T21:30"), []);
}
