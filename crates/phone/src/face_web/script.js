// The page's script: draws the face as it comes, and presses keys. No library.
"use strict";
const $ = (id) => document.getElementById(id);
const HOLD_AFTER = 700;   // milliseconds until keys that are down together are held
const HOLD_FOR = 4000;    // of the phone's time
const LOG_LINES = 300;
let powered = false;

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  }).catch(() => null);
  $("link").textContent = answer === null ? "no connection" : answer.ok ? "" : await answer.text();
}
// One after the other: two digits must not overtake each other on the way.
let queue = Promise.resolve();
const send = (path, body) => { queue = queue.then(() => post(path, body)); };

// ---- drawing: only what differs is touched, so nothing flickers and the focus stays ----
const say = (id, text) => { const at = $(id); if (at.textContent !== text) at.textContent = text; };
const show = (id, text) => { const at = $(id); at.hidden = text === null; say(id, text ?? ""); };

function list(parent, items, make, fill) {
  while (parent.children.length > items.length) parent.lastElementChild.remove();
  while (parent.children.length < items.length) parent.append(make());
  items.forEach((item, at) => fill(parent.children[at], item, at));
}
function element(name, ...inside) { const made = document.createElement(name); made.append(...inside); return made; }
function key() { const made = element("button"); made.type = "button"; return made; }

function draw(face) {
  powered = face.power;
  $("power").setAttribute("aria-pressed", String(face.power));
  say("power", face.power ? "Power: on" : "Power: off");
  $("display").classList.toggle("off", !face.power);
  $("lamp").classList.toggle("lit", face.lamp);
  $("lamp").setAttribute("aria-label", face.lamp ? "lamp lit" : "lamp off");
  say("clock", face.clock);
  say("title", face.title);
  say("page", face.page[1] > 1 ? `${face.page[0]}/${face.page[1]}` : "");
  show("pop-up", face["pop-up"]);
  show("call", face.call && `${face.call.state}: ${face.call.number}`);
  list($("rows"), face.rows, () => element("li", element("span"), element("span")), (row, item) => {
    row.setAttribute("aria-current", String(item.selected));
    row.children[0].textContent = item.text;
    row.children[1].textContent = item.value ?? "";
  });
  $("entry").hidden = face.entry === null;
  say("prompt", face.entry?.prompt ?? "");
  say("typed", face.entry?.text ?? "");
  say("mode", face.entry?.mode ? `(${face.entry.mode})` : "");
  list($("soft"), face.soft, key, (button, word, at) => {
    button.dataset.key = `soft ${at + 1}`;
    button.textContent = word;
    button.setAttribute("aria-label", word || `soft key ${at + 1}, no use now`);
  });
  list($("lines"), face.lines, () => { const made = key(); made.append(element("span"), element("small")); return made; },
    (button, line) => {
      button.dataset.key = `line ${line.key}`;
      button.children[0].textContent = line.label;
      button.children[1].textContent = line.label && line.state ? line.state : "";
      button.className = line.state === "registered" ? "registered" : line.state === "not registered" ? "trouble" : "";
      button.setAttribute("aria-label", line.label ? `line key ${line.key}: ${line.label} ${line.state ?? ""}` : `line key ${line.key}, no use now`);
    });
}
function log(text) {
  const at = $("log");
  const below = at.scrollHeight - at.scrollTop - at.clientHeight < 40;
  at.append(element("li", text));
  while (at.children.length > LOG_LINES) at.firstElementChild.remove();
  if (below) at.scrollTop = at.scrollHeight;
}

// ---- keys: several that are down together for long are held together; one alone is pressed, however long ----
const down = new Set();
let holding = null;
let held = false;
function press(name) {
  if (down.has(name)) return;
  down.add(name);
  mark(name, true);
  clearTimeout(holding);
  if (down.size > 1) {
    holding = setTimeout(() => { held = true; send("/hold", { keys: [...down], millis: HOLD_FOR }); }, HOLD_AFTER);
  }
}
/** Takes the finger off a key; whether it was on it. */
function lift(name) {
  if (!down.delete(name)) return false;
  mark(name, false);
  clearTimeout(holding);
  return true;
}
function release(name) {
  if (lift(name) && !held) send("/press", { key: name });
  if (down.size === 0) held = false;
}
/** The finger leaves a key without having pressed it. */
function abandon(name) {
  lift(name);
  if (down.size === 0) held = false;
}
function mark(name, on) {
  for (const button of document.querySelectorAll("button[data-key]")) {
    if (button.dataset.key === name) button.classList.toggle("down", on);
  }
}
const phone = $("phone");
const named = (event) => event.target.closest("button[data-key]")?.dataset.key;
const pointers = new Map();
phone.addEventListener("pointerdown", (event) => {
  const name = named(event);
  if (!name || event.button !== 0) return;
  pointers.set(event.pointerId, name);
  press(name);
});
for (const [kind, ends] of [["pointerup", release], ["pointercancel", abandon]]) {
  addEventListener(kind, (event) => {
    const name = pointers.get(event.pointerId);
    pointers.delete(event.pointerId);
    if (name) ends(name);
  });
}
phone.addEventListener("contextmenu", (event) => { if (named(event)) event.preventDefault(); });
// A click without a pointer comes from a keyboard or a screen reader.
phone.addEventListener("click", (event) => {
  const name = named(event);
  if (name && event.detail === 0) send("/press", { key: name });
});
$("power").addEventListener("click", () => send("/power", { on: !powered }));

const KEYS = {
  ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", Enter: "select", Escape: "back",
  Backspace: "delete", h: "home", o: "off hook", l: "on hook",
  a: "soft 1", s: "soft 2", d: "soft 3", f: "soft 4",
  q: "line 1", w: "line 2", e: "line 3", r: "line 4", t: "line 5", y: "line 6", u: "line 7", i: "line 8",
};
function keyOf(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  if (/^[0-9*#]$/.test(event.key)) return event.key;
  // Enter and blank on a button press that button.
  if (event.key === "Enter" && event.target !== phone) return null;
  return KEYS[event.key] ?? KEYS[event.key.toLowerCase()] ?? null;
}
// Which key of the phone each key of the keyboard is on: with Shift it tells another sign when it comes up than it told
// when it went down. Keyboards on a screen have no codes.
const typed = new Map();
const place = (event) => event.code || event.key;
phone.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "p" && !event.repeat && !event.ctrlKey && !event.metaKey) { $("power").click(); return; }
  const name = keyOf(event);
  if (!name) return;
  event.preventDefault();
  if (event.repeat) return;
  typed.set(place(event), name);
  press(name);
});
phone.addEventListener("keyup", (event) => {
  const name = typed.get(place(event));
  typed.delete(place(event));
  if (name) release(name);
});
// Keys of the keyboard come up elsewhere once the focus is. A pointer is followed wherever it goes, and where it
// presses the focus only moves within the phone.
phone.addEventListener("focusout", (event) => {
  if (phone.contains(event.relatedTarget)) return;
  for (const name of typed.values()) abandon(name);
  typed.clear();
});
$("together").addEventListener("submit", (event) => {
  event.preventDefault();
  const keys = $("held").value.split(/[\s,+]+/).filter(Boolean);
  if (keys.length > 0) send("/hold", { keys, millis: Number($("seconds").value) * 1000 });
});

const told = new EventSource("/events");
told.addEventListener("face", (event) => draw(JSON.parse(event.data)));
told.addEventListener("line", (event) => log(event.data));
told.addEventListener("open", () => say("link", ""));
told.addEventListener("error", () => say("link", "no connection"));
phone.focus();
