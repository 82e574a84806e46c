"use strict";
// What the pages do beyond plain HTML: they follow the night, and a log; everything else works without this.
(() => {
  const main = document.getElementById("main");
  const live = document.getElementById("live");

  // --- One tree made like another, keeping what the reader has opened, typed, scrolled and put the focus on.
  const key = (node) => node.nodeType === 1 ? (node.dataset.key || node.id || node.getAttribute("aria-labelledby")) : null;

  const fits = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

  const isBlank = (node) => node.nodeType === 3 && !node.nodeValue.trim();

  function attributes(from, to) {
    for (const { name } of [...from.attributes]) {
      // Whether something is folded is the reader's choice.
      if (!to.hasAttribute(name) && !(name === "open" && from.nodeName === "DETAILS")) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (name === "open" && from.nodeName === "DETAILS") continue;
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
  }

  function morph(from, to) {
    if (from.nodeType !== 1) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    if (from.isEqualNode(to)) return;
    if (from.hasAttribute("data-keep")) {
      if (from.nodeName === "SELECT") options(from, to);
      return;
    }
    attributes(from, to);
    children(from, to);
  }

  // What can be chosen is as it is now; what was chosen stays, where it can be.
  function options(from, to) {
    const chosen = from.value;
    children(from, to);
    from.value = chosen;
    if (from.selectedIndex < 0) from.selectedIndex = 0;
  }

  // A node that is moved loses its scroll and focus: what stands in the way of one that stays goes instead.
  function children(from, to) {
    const keyed = new Map();
    const stays = new Set([...to.childNodes].map(key).filter(Boolean));
    for (const child of [...from.childNodes]) {
      if (key(child) && stays.has(key(child))) keyed.set(key(child), child); else if (key(child)) child.remove();
    }
    let at = from.firstChild;
    const drop = () => { const next = at.nextSibling; at.remove(); at = next; };
    for (const wanted of [...to.childNodes]) {
      const known = key(wanted) ? keyed.get(key(wanted)) : null;
      if (known) {
        while (at && at !== known && !key(at)) drop();
      } else if (wanted.nodeType === 1) {
        while (at && isBlank(at)) drop();
      }
      const found = known || at;
      if (found && fits(found, wanted)) {
        if (found === at) at = at.nextSibling; else from.insertBefore(found, at);
        morph(found, wanted);
      } else {
        if (wanted.nodeName === "TR") wanted.classList.add("new");
        from.insertBefore(wanted, at);
      }
    }
    while (at) drop();
  }

  // --- The page as it is now, asked for at most once a second, and not while nobody looks.
  let asking = false, again = false, last = 0, timer = 0, shown = new Date();

  async function refresh() {
    if (asking) { again = true; return; }
    asking = true; again = false; last = Date.now();
    try {
      const headers = { accept: "text/html", "x-part": "main", "if-none-match": main.dataset.tag };
      const answer = await fetch(location.pathname + location.search, { headers, cache: "no-store" });
      if (answer.status === 401) { location.reload(); return; }
      if (answer.status === 200) {
        const made = document.createElement("template");
        made.innerHTML = await answer.text();
        const had = document.activeElement;
        children(main, made.content);
        if (had !== document.activeElement && had.isConnected) had.focus({ preventScroll: true });
        main.dataset.tag = answer.headers.get("etag") || "";
      }
      if (answer.ok || answer.status === 304) { shown = new Date(); state(true); } else state(false);
    } catch { state(false); } finally { asking = false; if (again) soon(); }
  }

  function soon() {
    clearTimeout(timer);
    if (document.hidden) { again = true; return; }
    timer = setTimeout(refresh, Math.max(0, last + 1000 - Date.now()));
  }

  const zone = document.getElementById("clock")?.dataset.zone;
  let write = null;
  try { write = new Intl.DateTimeFormat("sv", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }); } catch { /* no such zone here */ }

  let lost = 0;
  function state(good) {
    if (!live) return;
    clearTimeout(lost);
    lost = 0;
    const text = good ? live.dataset.live : `${live.dataset.lost} ${write ? write.format(shown) : ""}`;
    if (live.textContent !== text) live.textContent = text;
    live.classList.toggle("lost", !good);
  }

  if (live && "live" in main.dataset) {
    let stream = null;
    const listen = () => {
      if (stream) return;
      stream = new EventSource(live.dataset.url);
      stream.addEventListener("head", () => { state(true); soon(); });
      stream.onerror = () => {
        // The service ends a stream now and then, and the browser asks for another at once: only what lasts is told.
        if (!lost) lost = setTimeout(() => { lost = 0; state(false); }, 3000);
        // A stream that was refused is not asked for again by itself.
        if (stream && stream.readyState === EventSource.CLOSED) {
          stream = null;
          setTimeout(() => { refresh(); listen(); }, 3000);
        }
      };
    };
    // A browser has few connections to one host: a page that nobody looks at gives its own back.
    const seen = () => {
      if (!document.hidden) { listen(); soon(); } else if (stream) { stream.close(); stream = null; }
    };
    document.addEventListener("visibilitychange", seen);
    seen();
    // Times pass though nothing happens.
    setInterval(() => { if (!document.hidden && Date.now() - last > 15000) soon(); }, 5000);
  }

  // --- The clock of the site.
  const clock = document.getElementById("clock");
  if (clock && write) {
    const tick = () => { clock.textContent = write.format(new Date()); };
    tick();
    setInterval(tick, 1000);
  }

  // --- Filters answer while they are typed.
  let typed = 0;
  function filter(form) {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value && !(name === "show" && value === "all")) query.set(name, value);
    history.replaceState(null, "", `?${query}`);
    // Another language or theme shows the same.
    for (const to of document.querySelectorAll("form.own input[name=to]")) to.value = `${to.value.split("?")[0]}?${query}`;
    refresh();
  }
  main.addEventListener("input", (event) => {
    const form = event.target.closest("form[data-filter]");
    if (!form) return;
    clearTimeout(typed);
    typed = setTimeout(() => filter(form), 250);
  });
  main.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-filter]");
    if (!form) return;
    event.preventDefault();
    filter(form);
  });

  // --- A log that grows. What was read stays; only lines with a text are shown where somebody looks for one.
  function follow(box) {
    const pre = box.querySelector("pre");
    const find = box.querySelector("[data-find]"), go = box.querySelector("[data-follow]");
    for (const hidden of box.querySelectorAll("[data-live-only]")) hidden.hidden = false;
    let text = pre.textContent, next = Number(box.dataset.next), over = "ended" in box.dataset;
    const decoder = new TextDecoder();
    const atEnd = () => pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 4;
    const down = () => { if (go.checked) pre.scrollTop = pre.scrollHeight; };
    const show = () => {
      const wanted = find.value.toLowerCase();
      pre.textContent = wanted ? text.split("\n").filter((line) => line.toLowerCase().includes(wanted)).join("\n") : text;
      down();
    };
    // What is read, selected or scrolled to stays where it is.
    const add = (more) => {
      const follows = atEnd();
      text += more;
      if (find.value) show(); else { pre.append(more); if (follows) down(); }
      // A page that stays open for days does not fill the memory.
      if (text.length > 4000000) { text = text.slice(-2000000); show(); }
    };
    go.addEventListener("change", down);
    show();
    find.addEventListener("input", show);
    const read = async () => {
      if (!box.isConnected) return;
      try {
        if (!document.hidden) {
          const answer = await fetch(`${box.dataset.log}?attempt=${box.dataset.attempt}&from=${next}`, { cache: "no-store" });
          if (answer.ok) {
            const more = decoder.decode(await answer.arrayBuffer(), { stream: true });
            next = Number(answer.headers.get("log-next"));
            over = answer.headers.get("log-ended") === "true" && more === "";
            if (more) add(more);
          }
        }
      } catch { /* asked again */ }
      if (!over) setTimeout(read, 1000);
    };
    if (!over) setTimeout(read, 1000);
  }
  const followed = new WeakSet();
  const logs = () => main.querySelectorAll("[data-log]").forEach((box) => {
    if (!followed.has(box)) { followed.add(box); follow(box); }
  });
  logs();
  new MutationObserver(logs).observe(main, { childList: true, subtree: true });
})();
