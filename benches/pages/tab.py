"""What a tab with the page of a large night costs, beside a tab with the same bytes that never change.

Called by `benches/pages.rs` with: the address of the service, that of the yardstick, the cookie of a session, and for how many
minutes the tab is watched. Prints a line for each thing that is measured.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

LIVE, STILL, COOKIE, MINUTES = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
LOADS = 7
# How long frames are looked at; seconds.
FRAMES = 30

WATCH = """() => {
  const seen = window.seen = { frames: [], tasks: [], shifts: 0, moved: {}, redrawn: 0 };
  let last = performance.now();
  const frame = (now) => { seen.frames.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => list.getEntries().forEach((task) => seen.tasks.push(task.duration))).observe({ type: "longtask" });
  new PerformanceObserver((list) => list.getEntries().forEach((shift) => {
    seen.shifts += shift.value;
    for (const { node } of shift.sources) {
      const at = node && (node.closest?.("[class],[data-key]") || node.parentElement);
      const name = at ? `${at.nodeName.toLowerCase()}.${at.getAttribute("class") || ""}` : "gone";
      seen.moved[name] = (seen.moved[name] || 0) + 1;
    }
  })).observe({ type: "layout-shift" });
  new MutationObserver(() => { seen.redrawn += 1; }).observe(document.getElementById("main"), { attributes: true, attributeFilter: ["data-tag"] });
}"""


COUNT = """window.redrawn = 0;
new MutationObserver(() => { window.redrawn += 1; }).observe(document.getElementById("main"), { attributes: true, attributeFilter: ["data-tag"] });"""


def context(browser):
    made = browser.new_context(viewport={"width": 1300, "height": 900}, locale="en-GB")
    name, value = COOKIE.split("=", 1)
    made.add_cookies([{"name": name, "value": value, "url": LIVE}])
    return made


def first_paint(browser, base):
    """Milliseconds from the beginning of the navigation, nothing kept of a former one."""
    made = context(browser)
    page = made.new_page()
    page.goto(base)
    paint = None
    # The pages let nothing be evaluated that waits in them.
    while paint is None:
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
    made.close()
    return paint


def frames(page):
    page.evaluate(WATCH)
    page.wait_for_timeout(FRAMES * 1_000)
    seen = page.evaluate("window.seen")
    times = sorted(seen["frames"])
    share = lambda part: times[int((len(times) - 1) * part)]
    return share(0.5), share(0.99), times[-1], seen


def pss(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024


class Tab:
    """A tab of a browser of its own, over Chromium's debugging pipe: Playwright listens to what is answered over the network, and the
    renderer then keeps up to 200 MiB of answers for it."""

    def __init__(self, folder):
        to_browser, ours = os.pipe()
        theirs, from_browser = os.pipe()
        program = ["/usr/bin/chromium", "--headless=new", "--no-sandbox", "--no-first-run", "--window-size=1300,900",
                   "--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
        # Chromium reads its descriptor 3 and writes its descriptor 4.
        shell = f'exec 3<&{to_browser} 4>&{from_browser}; exec "$@"'
        self.browser = subprocess.Popen(["bash", "-c", shell, "bash", *program], pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        self.orders, self.answers, self.asked = open(ours, "wb"), open(theirs, "rb"), 0
        self.rest, self.session = b"", None
        name, value = COOKIE.split("=", 1)
        self.ask("Storage.setCookies", cookies=[{"name": name, "value": value, "url": LIVE}])
        target = self.ask("Target.createTarget", url=LIVE)["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Performance.enable")

    def ask(self, method, **params):
        self.asked += 1
        of_tab = {"sessionId": self.session} if self.session and not method.startswith("SystemInfo") else {}
        self.orders.write(json.dumps({"id": self.asked, "method": method, "params": params, **of_tab}).encode() + b"\0")
        self.orders.flush()
        while True:
            while b"\0" not in self.rest:
                self.rest += os.read(self.answers.fileno(), 65_536)
            told, self.rest = self.rest.split(b"\0", 1)
            told = json.loads(told)
            if told.get("id") == self.asked:
                return told["result"]

    def evaluate(self, text):
        return self.ask("Runtime.evaluate", expression=text, returnByValue=True)["result"].get("value")

    def memory(self):
        """What the script holds and the nodes there are once what is not used is gone; and the greatest renderer, MiB."""
        self.ask("HeapProfiler.collectGarbage")
        metrics = {each["name"]: each["value"] for each in self.ask("Performance.getMetrics")["metrics"]}
        processes = self.ask("SystemInfo.getProcessInfo")["processInfo"]
        renderers = [pss(each["id"]) for each in processes if each["type"] == "renderer"]
        return metrics["JSHeapUsedSize"] / 2**20, metrics["Nodes"], max(renderers)


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    paints = {LIVE: [], STILL: []}
    for _ in range(LOADS):
        for base in paints:
            paints[base].append(first_paint(browser, base))
    ours, theirs = (statistics.median(paints[base]) for base in (LIVE, STILL))
    print(f"first paint {ours:.0f} ms, {ours / theirs:.2f} × static")

    still = context(browser).new_page()
    still.goto(STILL)
    middle_still, slow_still, worst_still, _ = frames(still)
    still.context.close()
    page = context(browser).new_page()
    page.goto(LIVE)
    middle, slow, worst, seen = frames(page)
    print(f"frames while {seen['redrawn']} redraws came in {FRAMES} s: middle {middle:.1f} ms ({middle / middle_still:.2f} × static),"
          f" one of a hundred over {slow:.1f} ms ({slow / slow_still:.2f} ×), longest {worst:.0f} ms (static {worst_still:.0f})")
    print(f"tasks over 50 ms: {len(seen['tasks'])}, longest {max(seen['tasks'], default=0):.0f} ms; layout shift {seen['shifts']:.4f} {seen['moved']}")

    browser.close()

with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
    tab = Tab(folder)
    time.sleep(20)
    tab.evaluate(COUNT)
    begun = time.monotonic()
    first = now = tab.memory()
    print(f"at first: script {now[0]:.1f} MiB, {now[1]:.0f} nodes, renderer {now[2]:.0f} MiB PSS", flush=True)
    for minute in range(1, MINUTES + 1):
        time.sleep(max(0, begun + minute * 60 - time.monotonic()))
        now = tab.memory()
        if minute in (1, 5, 10, 20, 30, 45) or minute == MINUTES:
            print(f"after {minute:3} min: script {now[0]:.1f} MiB, {now[1]:.0f} nodes, renderer {now[2]:.0f} MiB PSS", flush=True)
    redrawn = tab.evaluate("window.redrawn")
    ratios = ", ".join(f"{name} {a / b:.2f}" for name, a, b in zip(("script", "nodes", "renderer"), now, first))
    print(f"after {MINUTES} min and {redrawn} redraws, times the beginning: {ratios}")
    tab.browser.terminate()
    tab.browser.wait()
