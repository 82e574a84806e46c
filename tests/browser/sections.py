"""Walks through the sections of the pages beside the night itself: graph, calendar, history, comparison, incidents, and the
hand-over of a shift by one person to the next.

Called by `browser::…` of tests/it as night.py is. It says `incident` for an incident that somebody opens by hand, and
`second` and `third` for batches that somebody orders.
"""

from looks import BASE, ask, expect, looked_at, sign_in, walk, watch

RUN = BASE + "/runs/night@2026-10-30%231"


def boxes(page, count):
    expect(page.locator("svg.graph .box")).to_have_count(count)


def graph(page):
    page.goto(BASE)
    page.click("a[href$='/graph']")
    expect(page.locator("h1")).to_have_text("Graph")
    boxes(page, 10)
    looked_at(page, "graph")
    # Folded to one box, which says how many it stands for; the address has it.
    page.click("summary + ul a:has-text('load: 3 jobs')")
    boxes(page, 8)
    expect(page.locator("svg.graph")).to_contain_text("load ×3")
    assert "but=load" in page.url, page.url
    looked_at(page, "graph-folded")
    page.reload()
    boxes(page, 8)
    page.click("a:has-text('Fold all')")
    expect(page.locator("svg.graph")).to_contain_text("slow")
    # A folded box opens when it is pressed; by keyboard too.
    page.locator("svg.graph a:has-text('load ×3')").focus()
    page.keyboard.press("Enter")
    expect(page.locator("svg.graph")).to_contain_text("load-eu")
    page.click("a:has-text('Unfold all')")
    boxes(page, 10)
    # What is before and after one job, from the list and from the page of the job.
    page.click("details:last-of-type summary")
    page.click("details:last-of-type a:has-text('post')")
    boxes(page, 4)
    page.click("svg.graph a:has-text('post')")
    expect(page.locator("h1")).to_contain_text("post")
    page.click("a.button[href$='graph?job=post']")
    boxes(page, 4)
    looked_at(page, "graph-path")
    page.click("a:has-text('The whole batch')")
    boxes(page, 10)


def calendar(page):
    page.goto(BASE)
    page.click("nav a[href$='calendar']")
    expect(page.locator(".day.today")).to_have_count(1)
    looked_at(page, "calendar")
    page.click("a[rel=next]")
    expect(page.locator(".day.today")).to_have_count(0)
    page.click("a:has-text('This month')")
    expect(page.locator(".day.today")).to_have_count(1)
    page.locator(".day.today details summary").click()
    expect(page.locator(".day.today details")).to_contain_text("Ann Duty")


def history(page):
    page.click("nav a[href$='history']")
    looked_at(page, "history")
    page.select_option("select[name=batch]", "small")
    rows = page.locator("table.runs tbody tr")
    expect(rows).to_have_count(2)
    # A former night as it was.
    page.click("a:has-text('small@2026-10-28#1')")
    expect(page.locator("h1")).to_contain_text("2026-10-28")
    expect(page.locator(".jobs tbody tr")).to_have_count(3)
    looked_at(page, "former-night")
    page.click(".groups a:has-text('Trouble')")
    expect(page.locator(".jobs tbody tr")).to_have_count(0)
    page.go_back()
    page.go_back()
    page.goto(BASE + "/history?batch=small")
    for box in rows.locator("input").all():
        box.check()
    page.click("button:has-text('Compare two')")
    expect(page.locator("h1")).to_contain_text("against")
    expect(page.locator("tbody tr")).to_have_count(3)
    looked_at(page, "compare")


def incidents(page):
    page.goto(BASE)
    page.click("nav a[href$='incidents']")
    before = page.locator(".incident").count()
    page.evaluate("window.same = true")
    ask("incident")
    # It comes by itself, and its markup is text.
    expect(page.locator(".incident")).to_have_count(before + 1, timeout=15_000)
    expect(page.locator("main")).to_contain_text("Feed <script>alert(6)</script> is late")
    assert page.evaluate("window.same"), "the page was loaded again"
    looked_at(page, "incidents")
    page.click(".groups a:has-text('All')")
    expect(page.locator(".groups a[aria-current]")).to_have_text("All")


def choices(page):
    """What begins while somebody looks can be chosen without loading the page again, and what was chosen stays."""
    page.goto(BASE)
    page.evaluate("window.same = true")
    ask("second")
    batches = page.locator("select[name=batch]")
    expect(batches.locator("option")).to_have_count(3, timeout=15_000)
    batches.select_option("second")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    ask("third")
    expect(batches.locator("option")).to_have_count(4, timeout=15_000)
    expect(batches).to_have_value("second")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    assert page.evaluate("window.same"), "the page was loaded again"


def hand_over(browser, page):
    """Ann gives her shift, and Wei accepts it on his phone."""
    page.goto(BASE + "/incidents")
    page.click("#shift ~ p a[href$='hand-overs']")
    expect(page.locator("h1")).to_contain_text("Hand-over of shift")
    expect(page.locator("main")).to_contain_text("night@2026-10-30#1")
    looked_at(page, "hand-over")
    page.fill("#note-words", "rates <img src=x onerror=alert(7)> by hand")
    page.click("form[action$='/note'] button")
    expect(page.locator("main")).to_contain_text("rates <img src=x onerror=alert(7)> by hand")
    page.fill("#give-words", "all else is quiet")
    page.click("form[action$='/give'] button")
    expect(page.locator("h1")).to_contain_text("handed over, not accepted")
    expect(page.locator("form[action$='/give'], form[action$='/accept']")).to_have_count(0)
    looked_at(page, "hand-over-given")
    phone = browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN", has_touch=True)
    next_one = watch(phone.new_page(), "phone")
    next_one.goto(BASE + "/hand-overs")
    sign_in(next_one, "wei")
    expect(next_one.locator("h1")).to_contain_text("已交班，未接班")
    looked_at(next_one, "phone-hand-over")
    # By keyboard alone.
    next_one.focus("#accept-words")
    next_one.keyboard.type("收到")
    next_one.keyboard.press("Tab")
    next_one.keyboard.press("Enter")
    expect(next_one.locator("h1")).to_contain_text("已接班")
    expect(next_one.locator("form.boxed")).to_have_count(0)
    looked_at(next_one, "phone-hand-over-accepted")
    for section in ["incidents", "calendar", "history"]:
        next_one.goto(f"{BASE}/{section}")
        looked_at(next_one, f"phone-{section}")
    next_one.goto(RUN + "/graph?fold=all")
    looked_at(next_one, "phone-graph")
    phone.close()
    page.goto(BASE + "/hand-overs")
    expect(page.locator("main")).to_contain_text("No hand-over is open.")
    page.click("table a")
    expect(page.locator("h1")).to_contain_text("accepted by")
    looked_at(page, "hand-over-accepted")


def all_sections(browser):
    desk = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-GB")
    page = watch(desk.new_page(), "desk")
    # What was asked for is shown after the sign-in, with its filter.
    page.goto(RUN + "?show=trouble")
    sign_in(page, "ann")
    expect(page.locator(".groups a[aria-current]")).to_contain_text("Trouble")
    assert page.url == RUN + "?show=trouble", page.url
    graph(page)
    calendar(page)
    history(page)
    incidents(page)
    choices(page)
    hand_over(browser, page)
    # The same in the other theme.
    page.click("button[name=theme]")
    expect(page.locator("html")).to_have_class("light")
    looked_at(page, "light-hand-over")
    for place in ["incidents", "calendar", "history", "runs/night@2026-10-30%231/graph?fold=all"]:
        page.goto(f"{BASE}/{place}")
        looked_at(page, "light-" + place.split("/")[-1].split("?")[0])
    desk.close()


walk(all_sections)
