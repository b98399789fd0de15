import { count as countPicks, leaving } from "./pick.js";

// Keeps the list of conversations, the sidebar's counts and the open conversation fresh, and never moves what the
// reader points at: while the list is in use, new rows wait behind a pill.
const PAUSE = 400; // ms between two refreshes of fifty rows; of more, more
const MOST_ROWS = 300; // in the page: more make every key slow (web/mail/place.py)
const TOLD = ".messages .message, .messages .turn, .messages .team-note"; // letters, what became of them, comments
const FOCUSED = "a, button, input, summary";
let asked = 0; // a page that was asked for earlier never replaces one that was asked for later
let shown = 0;
let focusAfter;
let waiting;
let running = false;

const byId = (id) => document.getElementById(id);

function isInUse(list) {
  const pane = list.closest(".list");
  return pane.scrollTop > 8 || list.matches(":hover") || list.contains(document.activeElement);
}

function update(row, fresh) {
  if (row.matches(":active")) return; // its link stays under the pressed button: a press on another would open nothing
  const quick = row.querySelector("#quick");
  const focused = row.contains(document.activeElement) && document.activeElement;
  const turn = [...row.querySelectorAll(FOCUSED)].indexOf(focused);
  quick?.remove();
  const isCurrent = row.getAttribute("aria-current");
  row.removeAttribute("aria-current");
  if (row.outerHTML !== fresh.outerHTML) {
    const ticked = new Set([...row.querySelectorAll(".pick input:checked")].map((box) => box.value));
    const isOpen = row.querySelector("details")?.open;
    row.className = fresh.className;
    row.innerHTML = fresh.innerHTML;
    for (const name of ["data-at", "data-folder"]) if (fresh.hasAttribute(name)) row.setAttribute(name, fresh.getAttribute(name));
    row.toggleAttribute("data-muted", fresh.hasAttribute("data-muted"));
    for (const box of row.querySelectorAll(".pick input")) box.checked = ticked.has(box.value);
    if (isOpen) row.querySelector("details").open = true;
    window.htmx?.process(row);
  }
  if (isCurrent) row.setAttribute("aria-current", isCurrent);
  if (quick) (row.matches(".row") ? row : row.closest(".list")).append(quick);
  if (focused) (focused.isConnected ? focused : row.querySelectorAll(FOCUSED)[turn])?.focus({ preventScroll: true });
}

const child = (list, id) => list.querySelector(`:scope > [id="${id}"]`);

function inPlace(list, fresh, isAll) {
  for (const row of fresh) {
    const known = child(list, row.id);
    if (known) update(known, row);
  }
  const stays = new Set(fresh.map((row) => row.id));
  const oldest = fresh.at(-1)?.dataset.at ?? "";
  const isGone = (row) => !stays.has(row.id) && (isAll || (!list.hasAttribute("data-still") && row.dataset.at > oldest));
  const gone = [...list.children].filter(isGone);
  gone.forEach((row) => row.toggleAttribute("data-leaving", true));
  return gone;
}

function place(list, fresh) {
  let at = list.firstElementChild;
  for (const row of fresh) {
    const known = child(list, row.id);
    if (known && known === at) at = at.nextElementSibling;
    else if (known) list.insertBefore(known, at);
    else {
      row.toggleAttribute("data-new", true);
      list.insertBefore(row, at);
      window.htmx?.process(row);
    }
  }
}

function newer(list, fresh) {
  const { cut = "" } = list.dataset;
  return fresh.filter((row) => {
    const known = byId(row.id);
    if (known) return row.dataset.at > known.dataset.at;
    return !list.hasAttribute("data-still") && row.matches(".row") && row.dataset.at > cut;
  });
}

// What follows the last row, while a first sync goes on or after a row above has left: it moves nothing.
function goOn(list, below) {
  for (const row of below) {
    if (child(list, row.id)) continue;
    list.append(row);
    window.htmx?.process(row);
  }
}

function showPill(list, count) {
  const pill = byId("pill");
  pill.hidden = count === 0;
  pill.querySelector("button").textContent = pill.dataset.text.replace("0", count);
}

function merge(list, fresh, { atOnce, isAll }) {
  const end = fresh.findIndex((row) => row.id === list.lastElementChild?.id);
  const count = newer(list, end < 0 ? fresh : fresh.slice(0, end + 1)).length;
  if (list.dataset.cut) return showPill(list, count); // its beginning is not in the page
  const gone = inPlace(list, fresh, isAll);
  if (end >= 0) goOn(list, fresh.slice(end + 1));
  if (isInUse(list) && !atOnce) return showPill(list, count);
  gone.forEach((row) => row.remove());
  place(list, fresh);
  byId("list-empty")?.toggleAttribute("hidden", list.children.length > 0);
  showPill(list, 0);
}

// Whether more follows is told anew where the last row is the same: a link that loads on from another would double rows.
function showMore(list, last, fresh) {
  const more = byId("more");
  if (!more || !fresh || list.lastElementChild?.id !== last?.id || more.querySelector(".htmx-request")) return;
  if (more.querySelector("a")?.getAttribute("href") === fresh.querySelector("a")?.getAttribute("href")) return;
  more.replaceChildren(...fresh.childNodes);
  window.htmx?.process(more);
}

const rowCount = (list) => list?.querySelectorAll("li.row").length ?? 0;

// A list is asked for as many rows as it shows.
async function fetchPage(address, rows = 0) {
  const response = await fetch(address, { headers: { "HX-Request": "true", "X-Live": String(rows) } });
  if (response.status === 404 && address === byId("rows")?.dataset.href) location.assign("/"); // no longer ours to see
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

export async function refreshList(atOnce) {
  const list = byId("rows");
  const turn = ++asked;
  const known = rowCount(list);
  const page = list?.dataset.href && (await fetchPage(list.dataset.href, known)); // results of a search stay as they are
  if (!page || turn < shown) return;
  shown = turn;
  const more = page.getElementById("more");
  const fresh = [...page.querySelectorAll("#rows > li")].filter((row) => !leaving.has(row.id));
  merge(list, fresh, { atOnce, isAll: !more?.querySelector("a") && rowCount(list) <= known }); // unless it grew meanwhile
  showMore(list, fresh.at(-1), more);
  countPicks();
  const [sidebar, folders] = [byId("folders"), page.getElementById("folders")];
  if (sidebar && folders && !sidebar.contains(document.activeElement)) sidebar.replaceChildren(...folders.childNodes);
  const [tabs, counted] = [byId("list-tabs"), page.getElementById("list-tabs")];
  if (tabs && counted && !tabs.contains(document.activeElement)) tabs.replaceChildren(...counted.childNodes);
  markCurrent();
}

// Whose the conversation is; while it is pointed at or has the focus, buttons stay where they are until it is left.
function refreshBar(bar, fresh) {
  if (!bar || !fresh || bar.textContent === fresh.textContent) return;
  if (!bar.matches(":hover, :focus-within")) bar.replaceChildren(...fresh.childNodes);
  else for (const left of ["pointerleave", "focusout"]) bar.addEventListener(left, () => refreshConversation(), { once: true });
}

async function refreshConversation(conversations) {
  const open = document.querySelector(".conversation[data-id]");
  if (!open || (conversations && !conversations.includes(open.dataset.id))) return;
  const page = await fetchPage(open.dataset.href);
  if (!page || open !== document.querySelector(".conversation")) return;
  refreshBar(open.querySelector(".team-bar"), page.querySelector(".conversation .team-bar"));
  const fresh = [...page.querySelectorAll(TOLD)].filter((told) => !byId(told.id));
  open.querySelector(".messages").append(...fresh);
  for (const told of fresh) window.htmx?.process(told);
  if (fresh.length) document.dispatchEvent(new CustomEvent("letterdesk:letters"));
}

function soon(change) {
  if (change?.conversations) refreshConversation(change.conversations);
  if (waiting || running) {
    waiting = true;
    return;
  }
  running = true;
  refreshList(false).finally(() => setTimeout(() => {
    running = false;
    if (waiting) { waiting = false; soon(); }
  }, PAUSE * Math.max(1, rowCount(byId("rows")) / 50)));
}

export function markCurrent() {
  const open = document.querySelector(".conversation[data-id]")?.dataset.id;
  for (const row of document.querySelectorAll("#rows .row")) {
    if (row.id === `c-${open}`) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    if (row.id === `c-${open}`) document.querySelector(".conversation").toggleAttribute("data-muted", row.hasAttribute("data-muted"));
  }
}

// The top rows leave when there are too many; what the reader sees stays where it is.
function trim() {
  const list = byId("rows");
  const over = (list?.children.length ?? 0) - MOST_ROWS;
  if (over <= 0) return;
  const pane = list.closest(".list");
  const kept = list.children[over];
  const before = kept.getBoundingClientRect().top;
  const cut = [...list.children].slice(0, over);
  list.dataset.cut ||= cut.map((row) => row.dataset.at).sort().at(-1); // what is newer than that is new
  cut.forEach((row) => row.remove());
  byId("to-newest").hidden = false;
  pane.scrollTop += kept.getBoundingClientRect().top - before;
}

// j at the end of the list: the next rows, then on to the first of them.
export function loadMore() {
  const link = document.querySelector("#more a");
  if (!link) return;
  focusAfter = byId("rows").lastElementChild;
  link.click();
}

// The reading pane says that nothing is open; the list stays as it is, where it is, on the row that was open.
export function closeConversation({ push = true } = {}) {
  const open = document.querySelector(".conversation[data-id]");
  const empty = byId("nothing-open");
  if (!open || !empty) return false;
  byId("read").replaceChildren(empty.content.cloneNode(true));
  if (push) history.pushState({ htmx: true }, "", byId("rows").dataset.href);
  markCurrent();
  const link = byId(`a-${open.dataset.id}`);
  link?.focus({ preventScroll: true });
  link?.scrollIntoView({ block: "nearest" });
  return true;
}

// Back and forward within a list change the reading pane alone: rows, place and focus stay.
function restore(event) {
  const { path } = event.detail;
  const list = byId("rows");
  if (!list?.dataset.href) return;
  const link = [...list.querySelectorAll(".row-subj a")].find((one) => one.getAttribute("href") === path);
  if (path === list.dataset.href && closeConversation({ push: false })) event.preventDefault();
  else if (link) {
    event.preventDefault();
    window.htmx.ajax("GET", path, { target: "#read", swap: "innerHTML" });
  }
}

export function keepList() {
  document.addEventListener("htmx:before:history:restore", restore);
  document.addEventListener("click", (event) => {
    const back = event.target.closest?.("a[data-back]");
    if (!back || event.ctrlKey || event.metaKey || back.getAttribute("href") !== byId("rows")?.dataset.href) return;
    if (closeConversation()) event.preventDefault();
  });
  document.addEventListener("letterdesk:change", (event) => soon(event.detail));
  document.addEventListener("letterdesk:resync", () => soon());
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#pill button")) return;
    if (byId("rows").dataset.cut) return location.assign(byId("rows").dataset.href);
    byId("rows").closest(".list").scrollTop = 0;
    refreshList(true);
  });
  document.addEventListener("htmx:after:swap", () => {
    const next = focusAfter?.nextElementSibling; // another swap may come before the one that j waits for
    next?.querySelector("a, summary")?.focus();
    if (next) focusAfter = undefined;
    trim();
    markCurrent();
    if (document.activeElement?.closest(".row")) document.querySelector(".conversation h1")?.focus({ preventScroll: true });
  });
  markCurrent();
}
