// The console's script. Every page is complete without it; it adds copying, local times, and parts that stay current.
"use strict";

// What each part said before anything below touched it.
const was = new Map();
for (const part of document.querySelectorAll("[data-part]")) was.set(part.dataset.part, part.innerHTML);

// Copying and printing: a button stays hidden where it could do nothing.
function unhide(root) {
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
  for (const button of root.querySelectorAll("button[data-print]")) button.hidden = false;
}
unhide(document);
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (button) {
    const label = button.dataset.label ??= button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Could not copy";
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  }
  if (event.target.closest("button[data-print]")) window.print();
});

// Times are written in UTC; whoever points at one reads it as the clock on the wall says.
function tellLocalTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.getAttribute("datetime"));
    if (!Number.isNaN(at.getTime())) time.title = at.toLocaleString() + " here, " + time.title;
  }
}
tellLocalTimes(document);

// What is chosen is sent at once where a form says so; its button stays for those without script.
for (const form of document.querySelectorAll("form[data-at-once]")) {
  form.addEventListener("change", () => form.requestSubmit());
}

// One box that checks all others of its form.
document.addEventListener("change", (event) => {
  const all = event.target.closest("input[data-all]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) box.checked = all.checked;
});

// Parts with `data-part` are fetched again when the server says that something the page shows has changed. A part that
// somebody is busy with (an open list, a field with the keyboard) waits until they have left it. A page that is not
// looked at has no stream: browsers keep few connections to one server.
const live = document.querySelector("main[data-live]");
if (live && window.EventSource) {
  let source = null;
  let isOver = false;
  let wanted = false;
  let fetching = false;
  let again = false;

  const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open], :popover-open");

  async function renew() {
    again = fetching;
    wanted = document.hidden;
    if (fetching || document.hidden) return;
    fetching = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      // The address of a form that came back with a fault: it is no page.
      if (answer.status === 405) {
        isOver = true;
        stop();
      }
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
        if (!other || other.innerHTML === was.get(part.dataset.part)) continue;
        if (busy(part)) {
          wanted = true;
          continue;
        }
        was.set(part.dataset.part, other.innerHTML);
        part.replaceChildren(...document.importNode(other, true).childNodes);
        unhide(part);
        tellLocalTimes(part);
      }
    } catch {
      // The server is away or the session is over; the stream says when to try again.
    } finally {
      fetching = false;
      if (again) renew();
    }
  }

  function listen() {
    if (source || isOver || document.hidden) return;
    source = new EventSource(live.dataset.live);
    source.addEventListener("changed", renew);
    // Something may have happened between the page and its stream, or while the stream was broken.
    source.addEventListener("open", renew);
    source.addEventListener("over", () => {
      isOver = true;
      source.close();
    });
  }
  function stop() {
    source?.close();
    source = null;
  }
  listen();
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : listen()));
  document.addEventListener("focusout", () => setTimeout(() => { if (wanted) renew(); }, 300));
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", listen);
}

// A form with a preview shows it anew while one types: it is sent into its frame, as its button does. The frame is a
// fresh one each time, so that the way back does not lead through every preview.
for (const form of document.querySelectorAll("form[data-preview]")) {
  const button = form.querySelector("button[data-preview-button]");
  let wait = 0;
  const show = () => {
    const frame = document.querySelector(`iframe[name="${button.formTarget}"]`);
    if (!frame) return;
    frame.replaceWith(frame.cloneNode());
    form.requestSubmit(button);
  };
  form.addEventListener("input", (event) => {
    // With a reason each preview is written down, so there are only those one asks for.
    if (form.elements.reason?.value || event.target.name === "reason") return;
    clearTimeout(wait);
    wait = setTimeout(show, 700);
  });
  show();
}
