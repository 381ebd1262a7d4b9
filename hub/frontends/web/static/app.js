// What pages do beyond links and forms: the bell, keys, toasts. Each page works without it.
//
//   data-live="/live?after=SEQ"  on body: the stream of news          data-topics="jobs job:ID"  a part
//   data-progress-job=ID   holds a <progress> and a [data-stage]      that follows the news (hx-trigger)
//   data-row   a row for j and k     data-key=r   what that key presses in the row, else on the page
//   data-go=t  where g t leads       data-sure="Stop it?"   a form that asks first
//   data-copy  a button that copies  data-follow   a box that stays at its end when it grows
"use strict";
(() => {
  const body = document.body;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // The bell. Parts fetch themselves anew when one of their topics rang, at most four times a second.
  const RING_MS = 250, AWAY_MS = 10000, STALE_MS = 60000, RETRY_MS = [1000, 2000, 4000, 8000, 15000];
  const rung = new Set(), known = new Map();
  let ringing = 0, rangAt = 0;
  const ring = (topics) => {
    topics.forEach((topic) => {
      rung.add(topic);
      // How far a job was says nothing once something has happened to it.
      if (topic.startsWith("job:")) known.delete(topic.slice(4));
    });
    ringing ||= setTimeout(tell, Math.max(0, rangAt + RING_MS - Date.now()));
  };
  const tell = () => {
    ringing = 0;
    rangAt = Date.now();
    const heard = new Set(rung);
    rung.clear();
    const parts = all("[data-topics]").filter(
      (part) => heard.has("*") || part.dataset.topics.split(/\s+/).some((topic) => heard.has(topic)));
    // A part inside of another comes with it.
    parts.filter((part) => !parts.some((other) => other !== part && other.contains(part)))
      .forEach((part) => part.dispatchEvent(new CustomEvent("news")));
  };

  // The stream. A page that nobody looks at lets go of it: a browser has few lines to one server.
  const live = body.dataset.live && new URL(body.dataset.live, location.href);
  let place = live ? live.searchParams.get("after") : "0";
  let stream = null, tries = 0, leaving = 0, retrying = 0;
  const say = (words) => {
    const line = document.getElementById("paused");
    if (line && line.textContent !== words) line.textContent = words;
  };
  const keep = (message) => { if (message.lastEventId) place = message.lastEventId; };
  const connect = () => {
    clearTimeout(retrying);
    if (!live || stream || document.hidden) return;
    live.searchParams.set("after", place);
    if (document.querySelector('[data-topics*="log:"]')) live.searchParams.set("logs", "1");
    stream = new EventSource(live);
    stream.addEventListener("open", () => { if (tries) ring(["*"]); tries = 0; say(""); });
    stream.addEventListener("news", (message) => { keep(message); ring(JSON.parse(message.data).topics); });
    stream.addEventListener("progress", (message) => progress(JSON.parse(message.data)));
    stream.addEventListener("reset", (message) => { keep(message); ring(["*"]); });
    stream.addEventListener("error", again);
  };
  const again = async () => {
    const isRefused = stream && stream.readyState === EventSource.CLOSED;
    leave();
    if (isRefused && (await isSignedOut())) { say(SIGNED_OUT); return; }
    const wait = RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)];
    if (tries > 1) say("Live updates are paused, trying again …");
    retrying = setTimeout(connect, wait);
  };
  const SIGNED_OUT = "You are not signed in any more. Load the page again to sign in.";
  const isSignedOut = () => fetch("/badges/questions", { headers: { "Deskhand-Bell": "1" } })
    .then((answer) => answer.status === 401, () => false);
  const leave = () => { if (stream) stream.close(); stream = null; };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) leaving = setTimeout(leave, AWAY_MS);
    else connect();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => { if (event.persisted) { ring(["*"]); connect(); } });
  addEventListener("online", connect);
  connect();
  // "3 min ago" grows old by itself.
  setInterval(() => {
    if (!document.hidden && document.querySelector("[data-topics] time") && Date.now() - rangAt >= STALE_MS) ring(["*"]);
  }, STALE_MS);

  // Progress is told and kept nowhere else, so it is written again after a part was fetched.
  const progress = (told) => { known.set(told.job, told); show(told); };
  const show = (told) => all(`[data-progress-job="${CSS.escape(told.job)}"]`).forEach((box) => {
    const bar = box.querySelector("progress"), stage = box.querySelector("[data-stage]");
    if (bar && told.total > 0) { bar.max = told.total; bar.value = told.done; }
    else if (bar) bar.removeAttribute("value");
    if (stage) stage.textContent = told.says;
    box.hidden = false;
  });

  // htmx: what it sends, and what it must leave as it is.
  const atEnd = new Map();
  document.addEventListener("htmx:config:request", (event) => {
    const { request, sourceElement } = event.detail.ctx;
    if (sourceElement.dataset.topics) request.headers["Deskhand-Bell"] = "1";
    if (request.method !== "GET") request.headers["Deskhand-CSRF"] = body.dataset.csrf || "";
  });
  document.addEventListener("htmx:before:morph:attr", (event) => {
    const { attrName } = event.detail, element = event.target;
    const isOurs = (attrName === "open" && element.matches("details, dialog"))
      || (attrName === "hidden" && element.matches("[data-copy], [data-progress-job]"));
    if (isOurs) event.preventDefault();
  });
  document.addEventListener("htmx:before:morph:node", (event) => {
    if (event.target.matches?.("[data-progress-job] *")) event.preventDefault();
  });
  document.addEventListener("htmx:response:error", (event) => {
    const { response, text } = event.detail.ctx;
    if (response.status === 401) say(SIGNED_OUT);
    else if (event.detail.ctx.request.method !== "GET") {
      const page = new DOMParser().parseFromString(text, "text/html");
      toast(page.querySelector("main h1")?.textContent || "That did not work.", true);
    }
  });
  const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 48;
  const toEnd = (box) => { box.scrollTop = box.scrollHeight; };
  document.addEventListener("htmx:before:swap", () => all("[data-follow]").forEach((box) => atEnd.set(box.id, isAtEnd(box))));
  document.addEventListener("htmx:after:swap", () => {
    all("[data-follow]").forEach((box) => { if (atEnd.get(box.id) !== false) toEnd(box); });
    known.forEach(show);
    dress();
  });

  // Toasts go by themselves, but not while somebody is at them.
  const TOAST_MS = 8000;
  const fade = (box) => setTimeout(() => {
    if (box.matches(":hover, :focus-within")) fade(box);
    else box.remove();
  }, TOAST_MS);
  const toast = (words, failed = false) => {
    const box = document.createElement("div"), line = document.createElement("p");
    box.className = failed ? "toast failed" : "toast";
    line.textContent = words;
    box.append(line);
    document.getElementById("toasts").append(box);
    fade(box);
  };
  all(".toast").forEach(fade);

  // Asking first. The same box for every question.
  const ask = (words, label, then) => {
    const box = document.createElement("dialog"), line = document.createElement("p"), row = document.createElement("menu");
    const no = document.createElement("button"), yes = document.createElement("button");
    line.id = "sure";
    line.textContent = words;
    box.setAttribute("aria-labelledby", "sure");
    row.className = "row";
    no.textContent = "No";
    yes.textContent = label;
    yes.className = "primary";
    no.onclick = () => box.close();
    yes.onclick = () => { box.close(); then(); };
    box.onclose = () => box.remove();
    row.append(no, yes);
    box.append(line, row);
    body.append(box);
    box.showModal();
    yes.focus();
  };
  const sure = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const words = button?.dataset.sure || form.dataset.sure;
    if (words && !sure.has(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      ask(words, button?.textContent.trim() || "Yes", () => { sure.add(form); form.requestSubmit(button); sure.delete(form); });
    }
  }, true);
  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 3000);
  });

  // Keys.
  const GO_MS = 1500;
  let goingAt = 0;
  const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
  const here = () => document.activeElement.closest("[data-row]");
  const step = (by) => {
    const rows = all("[data-row]").filter((row) => row.getClientRects().length);
    if (!rows.length) return;
    const now = rows.indexOf(here());
    const row = rows[now < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + by, 0), rows.length - 1)];
    (row.querySelector("a[href], button, input:not([type=checkbox]), textarea") || row).focus();
    row.scrollIntoView({ block: "nearest" });
  };
  const press = (key) => {
    const selector = `[data-key="${CSS.escape(key)}"]`, row = here();
    const inRow = row && row.querySelector(selector);
    const onPage = all(`main ${selector}`).filter((button) => !button.closest("[data-row]") && button.getClientRects().length);
    const button = inRow || (onPage.length === 1 && onPage[0]);
    if (!button) return false;
    const form = button.form;
    if (key === "c" && form && !form.dataset.sure && !button.dataset.sure) {
      ask(`${button.textContent.trim()}?`, button.textContent.trim(), () => form.requestSubmit(button));
    } else button.click();
    return true;
  };
  const go = (key) => {
    const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (link) location.href = link.href;
    return Boolean(link);
  };
  const onKey = (key) => {
    if (Date.now() - goingAt < GO_MS) { goingAt = 0; return go(key); }
    switch (key) {
      case "j": step(1); return true;
      case "k": step(-1); return true;
      case "g": goingAt = Date.now(); return true;
      case "/": { const box = document.querySelector("main input[type=search]"); box?.focus(); box?.select(); return Boolean(box); }
      case "?": document.getElementById("keys")?.showModal(); return true;
      default: return press(key);
    }
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape" && isTyping(event.target)) { event.target.blur(); return; }
    if (isTyping(event.target) || document.querySelector("dialog[open]") || event.key.length !== 1) return;
    if (onKey(event.key)) event.preventDefault();
  });

  // A form leads back to where it was sent from: to the same height, and to the same row.
  const KEEP = "deskhand-place";
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method !== "post") return;
    sessionStorage.setItem(KEEP, JSON.stringify({ path: location.pathname, y: scrollY, row: here()?.id }));
  });
  const kept = JSON.parse(sessionStorage.getItem(KEEP));
  sessionStorage.removeItem(KEEP);
  if (kept?.path === location.pathname && !location.hash) {
    scrollTo(0, kept.y);
    if (kept.row) document.getElementById(kept.row)?.querySelector("a[href], button")?.focus({ preventScroll: true });
  }

  // Copying.
  const dress = () => all("[data-copy][hidden]").forEach((button) => { button.hidden = !navigator.clipboard; });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = button.dataset.copy || button.parentElement.querySelector("pre, code, input")?.textContent || "";
    try { await navigator.clipboard.writeText(text.trim()); toast("Copied."); }
    catch { toast("The browser did not let it be copied. Mark it and copy it yourself.", true); }
  });
  dress();
  all("[data-follow]").forEach(toEnd);
})();
