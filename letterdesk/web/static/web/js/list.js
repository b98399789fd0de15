// Keeps the list of conversations, the sidebar's counts and the open conversation fresh, and never moves what the
// reader points at: while the list is in use, new rows wait behind a pill.
const PAUSE = 400;
let waiting;
let running = false;

const byId = (id) => document.getElementById(id);

function isInUse(list) {
  const pane = list.closest(".list");
  return pane.scrollTop > 8 || list.matches(":hover") || list.contains(document.activeElement);
}

function update(row, fresh) {
  const isCurrent = row.getAttribute("aria-current");
  if (row.outerHTML === fresh.outerHTML || row.contains(document.activeElement)) return;
  row.className = fresh.className;
  row.innerHTML = fresh.innerHTML;
  if (isCurrent) row.setAttribute("aria-current", isCurrent);
  window.htmx?.process(row);
}

function inPlace(list, fresh) {
  for (const row of fresh) {
    const known = byId(row.id);
    if (known) update(known, row);
  }
  const stays = new Set(fresh.map((row) => row.id));
  const oldest = fresh.at(-1)?.dataset.at ?? "";
  const gone = [...list.children].filter((row) => row.matches(".row") && !stays.has(row.id) && (!list.dataset.more || row.dataset.at >= oldest));
  gone.forEach((row) => row.toggleAttribute("data-leaving", true));
  return gone;
}

function place(list, fresh) {
  let at = list.firstElementChild;
  for (const row of fresh) {
    const known = byId(row.id);
    if (known && known === at) at = at.nextElementSibling;
    else if (known) list.insertBefore(known, at);
    else {
      row.toggleAttribute("data-new", true);
      list.insertBefore(row, at);
      window.htmx?.process(row);
    }
  }
}

const newer = (list, fresh) => fresh.filter((row) => !byId(row.id) || row.dataset.at > byId(row.id).dataset.at);

function showPill(list, count) {
  const pill = byId("pill");
  pill.hidden = count === 0;
  pill.querySelector("button").textContent = pill.dataset.text.replace("0", count);
}

function merge(list, fresh, { atOnce }) {
  const count = newer(list, fresh).length;
  const gone = inPlace(list, fresh);
  if (isInUse(list) && !atOnce) return showPill(list, count);
  gone.forEach((row) => row.remove());
  place(list, fresh);
  fresh.forEach((row) => byId(row.id)?.setAttribute("data-at", row.dataset.at));
  byId("list-empty")?.toggleAttribute("hidden", list.children.length > 0);
  showPill(list, 0);
}

async function fetchPage(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true", "X-Live": "1" } });
  if (response.status === 404 && address === byId("rows")?.dataset.href) location.assign("/"); // no longer ours to see
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refreshList(atOnce) {
  const list = byId("rows");
  const page = list?.dataset.href && (await fetchPage(list.dataset.href)); // results of a search stay as they are
  if (!page) return;
  merge(list, [...page.querySelectorAll("#rows > .row")], { atOnce });
  const [sidebar, fresh] = [byId("folders"), page.getElementById("folders")];
  if (sidebar && fresh && !sidebar.contains(document.activeElement)) sidebar.replaceChildren(...fresh.childNodes);
  markCurrent();
}

async function refreshConversation(conversations) {
  const open = document.querySelector(".conversation[data-id]");
  if (!open || (conversations && !conversations.includes(open.dataset.id))) return;
  const page = await fetchPage(open.dataset.href);
  if (!page || open !== document.querySelector(".conversation")) return;
  for (const letter of page.querySelectorAll(".messages > .message")) {
    if (!byId(letter.id)) open.querySelector(".messages").append(letter);
  }
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
  }, PAUSE));
}

export function markCurrent() {
  const open = document.querySelector(".conversation[data-id]")?.dataset.id;
  for (const row of document.querySelectorAll("#rows .row")) {
    if (row.id === `c-${open}`) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

// A letter is read when it was in sight for a second; forms do it where there is no script.
function readWhenSeen() {
  const open = document.querySelector(".conversation[data-unread]");
  if (!open) return;
  setTimeout(() => {
    if (document.hidden || open !== document.querySelector(".conversation")) return;
    open.removeAttribute("data-unread");
    const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
    fetch(open.dataset.changes, { method: "POST", headers: { "X-CSRFToken": token, "HX-Request": "true" }, body: new URLSearchParams({ change: "read" }) });
  }, 1000);
}

export function keepList() {
  document.addEventListener("letterdesk:change", (event) => soon(event.detail));
  document.addEventListener("letterdesk:resync", () => soon());
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#pill button")) return;
    byId("rows").closest(".list").scrollTop = 0;
    refreshList(true);
  });
  document.addEventListener("htmx:after:swap", () => {
    markCurrent();
    readWhenSeen();
    if (document.activeElement?.closest(".row")) document.querySelector(".conversation h1")?.focus({ preventScroll: true });
  });
  markCurrent();
  readWhenSeen();
}
