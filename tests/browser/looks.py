"""What every walk through the pages uses: nothing odd in the console, nothing asked of elsewhere, pictures, accessibility."""

import json
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

BASE, PICTURES, AXE = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]).read_text()
PASSWORD = "a long night"
troubles = []


def watch(page, name, hosts=(BASE,)):
    """No message of the console, no error of the script, no dialog, nothing asked of another host."""
    ours = lambda url: url.startswith((*hosts, "data:"))
    said = lambda message: troubles.append(f"{name}: console: {message.text}")
    page.on("console", lambda message: said(message) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(f"{name}: {error}"))
    page.on("dialog", lambda dialog: (troubles.append(f"{name}: dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda asked: None if ours(asked.url) else troubles.append(f"{name}: asks {asked.url}"))
    return page


def picture(page, name):
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


def accessible(page, name):
    """By WCAG 2.2 AA, as far as a program can tell."""
    page.evaluate(AXE)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
    for violation in found["violations"]:
        where = [node["target"] for node in violation["nodes"]][:5]
        troubles.append(f"{name}: axe: {violation['id']}: {violation['help']} {json.dumps(where)}")
    if not found["passes"]:
        troubles.append(f"{name}: axe looked at nothing")


def fits(page, name):
    """Nothing makes the page itself wider than the window."""
    over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    if over > 0:
        troubles.append(f"{name}: {over} px wider than the window")


def looked_at(page, name):
    picture(page, name)
    accessible(page, name)
    fits(page, name)


def sign_in(page, person, password=PASSWORD):
    page.fill("#person", person)
    page.fill("#password", password)
    page.click("form[action$='login'] button")


def state_of(page, job, text):
    row = page.locator(f"tr[data-key$=' {job}'] .state")
    expect(row).to_contain_text(text, timeout=15_000)


def press(page, job, deed, reason):
    """Goes to the job, presses, reads what would come of it, says why, and does it."""
    page.goto(job)
    page.click(f".deeds a[href$='/{deed}']")
    expect(page.locator("form.boxed")).to_be_visible()
    page.fill("#reason", reason)
    page.click("form.boxed button.first")
    expect(page.locator("#stands")).to_be_visible()


def ask(wish):
    """Has something done to the supervisor, and waits until it was."""
    print(wish, flush=True)
    sys.stdin.readline()


def walk(*parts):
    """Each part in a browser of its own kind; whatever is not as it should be ends it with words."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            for part in parts:
                part(browser)
        except BaseException:
            # What was on the screens, for whoever looks for the cause.
            for number, page in enumerate(page for context in browser.contexts for page in context.pages):
                print(f"failed-{number}.png: {page.url}", file=sys.stderr)
                picture(page, f"failed-{number}")
            print(*troubles, sep="\n", file=sys.stderr)
            raise
        browser.close()
    for trouble in troubles:
        print(trouble, file=sys.stderr)
    sys.exit(1 if troubles else 0)
