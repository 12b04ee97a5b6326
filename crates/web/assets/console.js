// The console's script. Every page is complete without it; it adds copying, local times, and parts that stay current.
"use strict";

// Copying: a button stays hidden where it could do nothing.
function showCopying(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) button.hidden = false;
}
showCopying(document);
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
for (const button of document.querySelectorAll("button[data-print]")) button.hidden = false;

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

// Parts with `data-live` are fetched again when the server says that something they show has changed. A part that
// somebody is busy with (an open list, a field with the keyboard) waits until they have left it.
const live = document.querySelector("main[data-live]");
if (live && window.EventSource) {
  const source = new EventSource(live.dataset.live);
  let wanted = false;
  let fetching = false;

  const busy = (part) => part.contains(document.activeElement) || part.querySelector("details[open], :popover-open");

  async function renew() {
    if (fetching || document.hidden) {
      wanted = true;
      return;
    }
    fetching = true;
    wanted = false;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-part]")) {
        const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
        if (!other || other.innerHTML === part.dataset.was) continue;
        if (busy(part)) {
          wanted = true;
          continue;
        }
        const was = other.innerHTML;
        part.replaceChildren(...document.importNode(other, true).childNodes);
        part.dataset.was = was;
        tellLocalTimes(part);
        showCopying(part);
      }
    } catch {
      // The server is away or the session is over; the stream says when to try again.
    } finally {
      fetching = false;
    }
  }

  source.addEventListener("changed", renew);
  // After a break something may have been missed.
  let opened = false;
  source.addEventListener("open", () => {
    if (opened) renew();
    opened = true;
  });
  source.addEventListener("over", () => source.close());
  document.addEventListener("visibilitychange", () => { if (wanted) renew(); });
  document.addEventListener("focusout", () => setTimeout(() => { if (wanted) renew(); }, 300));
  window.addEventListener("pagehide", () => source.close());
}
