// Conversations: Enter sends, and who reads above is told of what is new instead of being torn away.
//
//   data-sends  a textarea in which Enter sends and Shift+Enter begins a line
//   #talk-box   the box of messages; it is laid out from its end, so it stays there by itself
"use strict";
(() => {
  document.addEventListener("keydown", (event) => {
    const box = event.target;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || !box.matches?.("[data-sends]")) return;
    event.preventDefault();
    if (box.value.trim()) box.form.requestSubmit();
  });

  const box = document.getElementById("talk-box");
  if (!box) return;
  const NEAR_PX = 48;
  // Laid out from its end: there it stands at 0, above that below zero.
  const isAtEnd = () => box.scrollTop > -NEAR_PX;
  let button = null, count = 0;
  const drop = () => { button?.remove(); button = null; };
  const toEnd = () => { box.scrollTop = 0; drop(); };
  const tell = () => {
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = "small to-end";
      button.textContent = "New messages ↓";
      button.addEventListener("click", () => { toEnd(); document.getElementById("words")?.focus(); });
      box.after(button);
    }
  };
  const messages = () => box.querySelectorAll(".bubble:not(.now)").length;
  box.addEventListener("scroll", () => { if (isAtEnd()) drop(); }, { passive: true });
  // What is read above stays where it is, whatever comes below.
  let wasAtEnd = true, above = 0;
  document.addEventListener("htmx:before:swap", () => {
    wasAtEnd = isAtEnd();
    above = box.scrollHeight + box.scrollTop;
    count = messages();
  });
  document.addEventListener("htmx:after:swap", () => {
    if (wasAtEnd) { toEnd(); return; }
    box.scrollTop = above - box.scrollHeight;
    if (messages() > count) tell();
  });
})();
