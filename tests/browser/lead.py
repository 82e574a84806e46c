"""Follows a night while its supervisor dies and another one takes over: what is open in the browser goes on by itself.

Called by `browser::…` of tests/it as night.py is, and with the address of the supervisor that stands by. The first address
leads to whoever leads, as that of a pair does. It says `kill`.
"""

import sys

from looks import BASE, ask, expect, looked_at, press, sign_in, state_of, troubles, walk, watch

SECOND = sys.argv[4]
SLOW = "/runs/night@2026-10-30%231/jobs/slow"


def taken_over(browser):
    desk = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-GB")
    page = watch(desk.new_page(), "desk")
    page.goto(BASE)
    sign_in(page, "ann")
    state_of(page, "slow", "running")
    page.evaluate("window.same = true")

    # One that stands by shows the night too, and says who leads where it could do nothing.
    second = watch(desk.new_page(), "second", (BASE, SECOND))
    second.goto(SECOND + SLOW)
    expect(second.locator("#may ~ p").first).to_contain_text("this supervisor stands by (another supervisor leads")
    expect(second.locator(".deeds a")).to_have_count(0)
    looked_at(second, "stands-by")
    second.evaluate("window.same = true")
    incident = watch(desk.new_page(), "incident", (BASE, SECOND))
    incident.goto(SECOND + "/incidents/INC-1")
    expect(incident.locator("main")).to_contain_text("this supervisor stands by")
    expect(incident.locator("form.boxed")).to_have_count(0)
    incident.close()

    before = len(troubles)
    page.bring_to_front()
    ask("kill")
    # Nobody loads anything again: both pages go on when the other one leads.
    expect(page.locator("#live")).to_have_text("live", timeout=30_000)
    second.bring_to_front()
    expect(second.locator(".deeds a[href$='/kill']")).to_have_count(1, timeout=30_000)
    expect(second.locator("main")).not_to_contain_text("stands by")
    assert second.evaluate("window.same"), "the page was loaded again"
    # That there was nobody to ask for a moment is what the browser itself says.
    troubles[before:] = [told for told in troubles[before:] if "ERR_" not in told]

    other = watch(desk.new_page(), "other")
    press(other, BASE + SLOW, "kill", "it hangs")
    page.bring_to_front()
    state_of(page, "slow", "failed")
    expect(page.locator("#live")).to_have_text("live")
    assert page.evaluate("window.same"), "the page was loaded again"
    desk.close()


walk(taken_over)
