"use strict";
// Puts each state into the page. What did not change stays, so that a selection and
// the place of the reader do, too. All text was escaped by the server.
(function () {
  const state = document.getElementById("state"), link = document.getElementById("link");
  const say = (text) => { if (link.textContent !== text) link.textContent = text; };
  const events = new EventSource("events");
  events.addEventListener("open", () => say("Live."));
  events.addEventListener("state", (e) => {
    const next = document.createElement("template");
    next.innerHTML = e.data;
    const there = [...state.children].map((n) => n.id).join(), come = [...next.content.children].map((n) => n.id).join();
    if (there !== come) { state.replaceChildren(next.content); return; }
    for (const n of [...next.content.children]) {
      const old = document.getElementById(n.id);
      if (old.outerHTML !== n.outerHTML) old.replaceWith(n);
    }
  });
  events.addEventListener("end", () => { events.close(); location.reload(); });
  events.addEventListener("error", () => {
    say(events.readyState === EventSource.CLOSED ? "The run is over, or headway has ended."
      : "No connection to headway; what stands here is the last state.");
  });
})();
