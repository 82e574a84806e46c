"""Takes a change through its pages in a real browser, as its author, a reviewer and two who approve would.

Called by `browser::…` of tests/it as `looks.py` says. It says `alter`, and waits while the script of the change is; it says
`execute`, and waits while the change is executed in its first environment.
"""

from looks import BASE, ask, expect, looked_at, sign_in, troubles, walk, watch

CHANGE = BASE + "/changes/rate"
people = {}


def enter(browser, person, **how):
    """A person in a browser of his own, on the page of the change."""
    context = browser.new_context(**{"viewport": {"width": 1300, "height": 900}, "locale": "en-GB", **how})
    page = context.new_page()
    watch(page, person)
    page.goto(CHANGE)
    sign_in(page, person)
    expect(page.locator("h1")).to_contain_text("rate")
    people.setdefault(person, page)
    return page


def take(page, step, reason, name=None):
    """Presses, reads what would come of it, says why, and does it."""
    page.click(f".deeds a[href*='/{step}']")
    expect(page.locator("form.boxed")).to_be_visible()
    if name:
        looked_at(page, name)
    page.fill("#reason", reason)
    page.click("form.boxed button.first")
    expect(page.locator("#stands")).to_be_visible()


def signed(browser):
    author = enter(browser, "wei")
    expect(author.locator("pre.script .k").first).to_have_text("create")
    # Markup of scripts is text.
    expect(author.locator("pre.script").nth(1)).to_contain_text("<script>alert(1)</script>")
    looked_at(author, "change-draft")
    author.goto(BASE + "/changes")
    expect(author.locator("h2").first).to_have_text("Waiting for you")
    looked_at(author, "changes")
    author.fill("input[type=search]", "nothing is called so")
    expect(author.locator("main")).to_contain_text("No change is as asked for.")
    author.fill("input[type=search]", "RATE")
    author.click(".changes a[href$='changes/rate']")
    take(author, "submit", "as agreed", "change-before-submit")
    expect(author.locator(".turns")).to_contain_text("review of its scripts")

    # What others do is seen without loading the page again, and what was folded stays.
    author.evaluate("window.same = true")
    author.locator("details").nth(2).locator("summary").click()
    reviewer = enter(browser, "dba")
    take(reviewer, "review", "read line by line")
    author.bring_to_front()
    expect(author.locator("h1 .state")).to_contain_text("reviewed")
    expect(author.locator(".life")).to_contain_text("read line by line")
    assert author.evaluate("window.same"), "the page was loaded again"
    assert author.locator("details").nth(2).evaluate("details => details.open"), "what was opened has folded"

    # Its author has the role that approves it, and is kept from it in words.
    expect(author.locator("aside")).to_contain_text("You have a part in it: author.")
    assert author.locator(".deeds a[href*='approve']").count() == 0, "the author is offered to approve"
    lead = enter(browser, "dev")
    place = lead.locator(".deeds a[href*='approve?environment=uat']").get_attribute("href")
    before = len(troubles)
    author.goto(BASE + "/changes/" + place)
    expect(author.locator("main")).to_contain_text("wei has a part in rate as author already")
    # That a rule says no is what the browser itself tells of.
    troubles[before:] = [told for told in troubles[before:] if "409" not in told]
    looked_at(author, "change-refused")
    author.goto(CHANGE)

    lead.bring_to_front()
    take(lead, "approve?environment=uat", "tested in uat", "change-before-approve")
    expect(lead.locator("[data-key=place-uat] .signs")).to_contain_text("Dev Lead")
    looked_at(lead, "change-approved")


def altered(browser):
    lead = people["dev"]
    lead.bring_to_front()
    ask("alter")
    expect(lead.locator("main")).to_contain_text("reviews and approvals are void", timeout=20_000)
    expect(lead.locator("pre.diff .del").last).to_have_text("-update fee set rate = 30 where id = 1;\n")
    expect(lead.locator("pre.diff .add")).to_have_text("+update fee set rate = 30 where id in (1);\n")
    assert lead.locator(".deeds a[href*='approve']").count() == 0, "what is void is offered to be approved"
    looked_at(lead, "change-void")
    lead.click("button[name=theme]")
    expect(lead.locator("html")).to_have_class("light")
    looked_at(lead, "change-void-light")


def returned(browser):
    """By keyboard alone."""
    page = enter(browser, "ops")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "rate/return":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#reason")).to_be_focused()
    page.keyboard.type("it is another rate now")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("h1 .state")).to_contain_text("sent back")
    page.goto(BASE + "/changes/lists")
    looked_at(page, "change-lists")


def executed(browser):
    author, reviewer, lead = (people[person] for person in ("wei", "dba", "dev"))
    author.bring_to_front()
    author.goto(CHANGE)
    take(author, "submit", "once more")
    reviewer.bring_to_front()
    take(reviewer, "review", "read again")
    lead.bring_to_front()
    take(lead, "approve?environment=uat", "tested again")
    ask("execute")
    expect(lead.locator("h1 .state")).to_contain_text("executed", timeout=20_000)
    expect(lead.locator(".execution")).to_contain_text("1 of 1 good")
    expect(lead.locator("[data-key=place-uat]")).not_to_contain_text("may start")
    expect(lead.locator(".turns")).to_contain_text("approval for production")
    looked_at(lead, "change-executed")
    lead.click(".execution a")
    expect(lead.locator("h1")).to_contain_text("rate")


def phone(browser):
    page = enter(browser, "dba", viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    expect(page.locator("h1 .state")).to_contain_text("已退回")
    looked_at(page, "phone-change")
    page.goto(BASE + "/changes")
    expect(page.locator("h1")).to_have_text("变更")
    looked_at(page, "phone-changes")
    page.goto(BASE + "/changes/lists")
    looked_at(page, "phone-change-lists")


def reader(browser):
    page = enter(browser, "asker")
    expect(page.locator("main")).to_contain_text("The scripts of changes are not for you.")
    assert page.locator(".deeds a, pre.script").count() == 0, "who may only look sees what is not for him"


walk(signed, altered, returned, phone, executed, reader)
