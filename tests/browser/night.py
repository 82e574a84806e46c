"""Follows a night in a real browser, as an operator would, and holds the pages to what they promise.

Called by `browser::…` of tests/it with: the address, the folder for pictures, the file of axe-core. It says `kill`, and
later `serve`, and waits for a line while that is done to the supervisor. Whatever is not as it should be ends it with words.
"""

from pathlib import Path

from looks import BASE, ask, expect, looked_at, picture, press, sign_in, state_of, troubles, walk, watch

JOBS = BASE + "/runs/night@2026-10-30%231/jobs/"


def night(browser):
    desk = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-GB")
    page = watch(desk.new_page(), "desk")
    page.goto(JOBS + "slow")
    looked_at(page, "sign-in")
    # Led to the page that was asked for.
    sign_in(page, " Ann ")
    expect(page.locator("h1")).to_contain_text("slow")

    page.goto(BASE)
    state_of(page, "bad", "failed")
    state_of(page, "after", "blocked")
    state_of(page, "slow", "running")
    first = page.locator(".jobs tbody tr").first
    expect(first).to_contain_text("bad")
    expect(page.locator(".incident")).to_contain_text("INC-1")
    expect(page.locator("#live")).to_have_text("live")
    looked_at(page, "tonight")
    # Markup of titles is text.
    expect(page.locator(".jobs")).to_contain_text("<img src=x onerror=alert(1)>")

    # What is done elsewhere is seen here without loading the page again, and what the reader did stays.
    page.evaluate("window.same = true")
    page.fill("input[type=search]", "a")
    page.locator("details summary").first.click()
    other = watch(desk.new_page(), "other")
    press(other, JOBS + "bad", "skip", "not needed <img src=x onerror=alert(4)> tonight")
    looked_at(other, "job")
    page.bring_to_front()
    state_of(page, "bad", "skipped")
    state_of(page, "after", "ended well")
    assert page.evaluate("window.same"), "the page was loaded again"
    expect(page.locator("input[type=search]")).to_have_value("a")
    assert not page.locator("details").first.evaluate("details => details.open"), "what was folded has opened"
    page.fill("input[type=search]", "")

    press(other, JOBS + "later", "hold", "until the vendor has called")
    page.bring_to_front()
    state_of(page, "later", "held")
    press(other, JOBS + "later", "release", "the vendor has called")
    page.bring_to_front()
    state_of(page, "later", "waiting")

    # A log that grows, searched while it does.
    other.bring_to_front()
    other.goto(JOBS + "slow")
    log = other.locator(".log pre").first
    expect(log).to_contain_text("row 3 <script>alert(2)</script> 数据", timeout=15_000)
    # A page that was redrawn has the tools of the log still.
    press(page, JOBS + "later", "hold", "to see the other page redrawn")
    press(page, JOBS + "later", "release", "it was")
    page.goto(BASE)
    other.bring_to_front()
    other.wait_for_timeout(3_000)
    other.fill("[data-find]", "row 2 ")
    expect(log).not_to_contain_text("row 3")
    expect(log).to_contain_text("row 2")
    other.fill("[data-find]", "")
    # What was scrolled to stays, though the log grows.
    log.evaluate("log => { log.style.height = '60px'; log.scrollTop = 0; log.dispatchEvent(new Event('scroll')) }")
    other.wait_for_timeout(2_500)
    assert log.evaluate("log => log.scrollTop") == 0, "the log has jumped to its end"
    with other.expect_download() as download:
        other.click(".log a[download]")
    assert "row 1 <script>" in Path(download.value.path()).read_text(), "the log by download"
    other.goto(JOBS + "slow/kill")
    looked_at(other, "before-kill")
    press(other, JOBS + "slow", "kill", "it hangs")
    page.bring_to_front()
    state_of(page, "slow", "failed")
    press(other, JOBS + "slow", "retry", "once more")
    page.bring_to_front()
    state_of(page, "slow", "running")

    # An incident is answered on its page.
    page.click("a[href$='incidents/INC-2']")
    looked_at(page, "incident")
    page.fill("#ack-reason", "on <script>alert(5)</script> it")
    page.click("form[action$='/ack'] button")
    expect(page.locator("main")).to_contain_text("Ann Duty takes care of it")
    expect(page.locator("main")).to_contain_text("on <script>alert(5)</script> it")
    # From there to its job and its log.
    page.click("a[href$='/jobs/slow']")
    expect(page.locator("h1")).to_contain_text("slow")

    # The supervisor dies, and another takes over: the page says so, and goes on.
    page.goto(BASE)
    expect(page.locator("#live")).to_have_text("live")
    page.evaluate("window.same = true")
    before = len(troubles)
    ask("kill")
    expect(page.locator("#live")).to_contain_text("Not connected", timeout=15_000)
    picture(page, "not-connected")
    ask("serve")
    expect(page.locator("#live")).to_have_text("live", timeout=30_000)
    # That there was nobody to ask is what the browser itself says.
    troubles[before:] = [told for told in troubles[before:] if "ERR_" not in told]
    press(other, JOBS + "slow", "kill", "it hangs again")
    page.bring_to_front()
    state_of(page, "slow", "failed")
    assert page.evaluate("window.same"), "the page was loaded again"

    # What was filtered stays so in another language and theme.
    page.fill("input[type=search]", "later")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.click("button[name=lang]")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("input[type=search]")).to_have_value("later")
    page.click("button[name=lang]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.goto(BASE)

    # Light, and by keyboard alone.
    page.click("button[name=theme]")
    expect(page.locator("html")).to_have_class("light")
    looked_at(page, "light")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "q":
            break
    page.keyboard.type("slow")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "slow":
            break
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("slow")
    # Another page of this session would say in the console that it may look no more.
    other.close()
    page.get_by_role("button", name="Sign out").press("Enter")
    expect(page.locator("#password")).to_be_visible()
    desk.close()


def phone(browser):
    phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    page = watch(phone.new_page(), "phone")
    page.goto(BASE)
    sign_in(page, "wei")
    state_of(page, "slow", "失败")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    looked_at(page, "phone-tonight")
    page.click("tr[data-key$=' slow'] a")
    expect(page.locator("h1")).to_contain_text("失败")
    looked_at(page, "phone-job")
    page.click(".deeds a[href$='/skip']")
    looked_at(page, "phone-before-skip")
    page.goto(BASE + "/incidents/INC-2")
    looked_at(page, "phone-incident")
    page.click("button[name=lang]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    phone.close()


def viewer(browser):
    """Who may only look is shown nothing to press."""
    context = browser.new_context()
    page = watch(context.new_page(), "viewer")
    page.goto(JOBS + "slow")
    sign_in(page, "vera")
    expect(page.locator("h1")).to_contain_text("slow")
    assert page.locator(".deeds a, .log").count() == 0, "a viewer sees what is not for viewers"
    context.close()


walk(night, phone, viewer)
