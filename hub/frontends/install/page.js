// Writes the code that stands behind # in the address into the lines. It never left this browser:
// what follows # is not sent to a server.
"use strict";

function fillIn() {
  const match = /^#([BCDFGHJKLMNPQRSTVWXZ]{4})-?([BCDFGHJKLMNPQRSTVWXZ]{4})$/i.exec(location.hash);
  if (match === null) {
    return;
  }
  const code = `${match[1]}-${match[2]}`.toUpperCase();
  for (const place of document.querySelectorAll(".code")) {
    place.textContent = code;
  }
  const told = document.getElementById("code-told");
  told.textContent = `Your code: ${code}. It works once, for 10 minutes.`;
  told.hidden = false;
  document.getElementById("code-missing").hidden = true;
  for (const section of document.querySelectorAll(".link")) {
    const link = section.querySelector("a");
    link.href = link.getAttribute("href").replace(/code=[A-Z-]+$/, `code=${code}`);
    section.hidden = false;
  }
  // "CODE" in the address of this page, for the phone's "open this page there".
  for (const place of document.querySelectorAll("pre[aria-label=address] code")) {
    place.textContent = `${place.textContent.split("#")[0]}#${code}`;
  }
}

addEventListener("hashchange", fillIn);
fillIn();
