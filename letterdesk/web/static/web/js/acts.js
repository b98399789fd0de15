// What a button or key does with conversations: shown at once, told to the server, taken back where it refuses.
// A button with [data-act] means the row or the conversation it stands in, else what is ticked, else the current one.
import { clearPicks, count, leaving, pick, picked, wholeList } from "./pick.js";
import { addToasts, say } from "./toasts.js";
import { closeConversation, refreshList } from "./list.js";

const GOES = ["archive", "close", "done", "spam", "inbox", "delete", "move", "snooze"];
const TEAM = [...GOES, "reopen", "waiting"];
const LEAVES = { "": GOES, all: GOES, snoozed: ["wake"], awaited: ["unremind"], mine: [...TEAM, "unassign"], team: TEAM };
const form = () => document.getElementById("rows-form");
let remembered;

const inRow = (element) => element?.closest?.("#rows li.row");
const inTable = (element) => element?.closest?.("tbody[data-rows] > tr"); // records of CRM
const rowOf = (id) => document.getElementById(`c-${id}`);

function opened() {
  const open = document.querySelector(".conversation[data-id]");
  if (!open) return null;
  const folder = open.querySelector('[name="folder"]')?.value ?? form()?.querySelector('[name="folder"]')?.value ?? "";
  return { id: open.dataset.id, folder: rowOf(open.dataset.id)?.dataset.folder ?? folder };
}

const asTarget = (row) => ({ id: row.id.slice(2), folder: row.dataset.folder, row });

export function targets(from) {
  const own = inRow(from);
  if (own) return [asTarget(own)];
  if (from?.closest?.(".conversation") && opened()) return [opened()];
  const ticked = picked();
  if (ticked.length) return ticked.map(asTarget);
  if (inRow(document.activeElement)) return [asTarget(inRow(document.activeElement))];
  if (remembered?.isConnected && document.querySelector(".panel:popover-open")) return [asTarget(remembered)];
  return opened() ? [opened()] : [];
}

function takeOut(found) {
  const gone = found.map(({ id }) => rowOf(id)).filter(Boolean);
  const taken = gone.map((row) => ({ row, parent: row.parentElement, next: row.nextElementSibling }));
  const after = gone.at(-1)?.nextElementSibling ?? gone[0]?.previousElementSibling;
  const hadFocus = gone.some((row) => row.contains(document.activeElement)) || document.activeElement === document.body;
  gone.forEach((row) => { leaving.add(row.id); row.remove(); });
  if (hadFocus) after?.querySelector(".row-subj a")?.focus({ preventScroll: true });
  return taken;
}

function putBack(taken) {
  for (const { row, parent, next } of taken.reverse()) parent.insertBefore(row, next?.isConnected ? next : null);
}

function show(kind, found) {
  for (const { id } of found) {
    const row = rowOf(id);
    if (kind === "read") row?.classList.remove("unread");
    if (kind === "unread") row?.classList.add("unread");
    if (kind === "mute" || kind === "unmute") row?.toggleAttribute("data-muted", kind === "mute");
    if (kind === "star" || kind === "unstar") row?.querySelector(".star")?.setAttribute("aria-pressed", kind === "star");
  }
}

function body(change, found, whole) {
  const said = new FormData(form());
  said.set("change", change);
  said.delete("c");
  if (!whole) {
    said.delete("all");
    for (const { id, folder } of found) said.append("c", `${id}.${folder}`);
  }
  return new URLSearchParams(said);
}

// The page that asks "for good?" is a page of its own: the form itself goes there.
function ask(change, found) {
  clearPicks();
  found.forEach(({ id }) => pick(rowOf(id), true));
  const button = Object.assign(document.createElement("button"), { name: "change", value: change });
  form().append(button);
  form().requestSubmit(button);
}

async function send(address, parameters) {
  const headers = { "X-CSRFToken": form()?.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "", "HX-Request": "true" };
  return fetch(address, { method: "POST", headers, body: parameters });
}

let underWay = Promise.resolve(); // the last action; the next one and undo are told after its answer, in their order

export function act(change, from) {
  underWay = carryOut(change, from, underWay);
}

async function carryOut(change, from, before) {
  if (!form()) return;
  const whole = wholeList() && !inRow(from);
  const found = targets(from);
  if (!found.length && !whole) return say(form().dataset.none);
  const [kind] = change.split(":");
  const view = document.getElementById("rows").dataset.view ?? "";
  const parameters = body(change, found, whole);
  const goes = LEAVES[view]?.includes(kind);
  const taken = goes ? takeOut(found) : [];
  show(kind, found);
  if (picked().length) clearPicks();
  document.querySelector(".panel:popover-open")?.hidePopover();
  const address = form().action;
  try {
    await before;
    const answer = await send(address, parameters);
    if (answer.status === 428) { putBack(taken); return ask(change, found); }
    if (!answer.ok) putBack(taken);
    if (answer.ok || answer.status === 409) addToasts(await answer.text());
    else say(form().dataset.gone);
    if (answer.ok && goes && found.some(({ id }) => id === opened()?.id)) closeConversation();
  } catch {
    putBack(taken);
    say(form().dataset.lost);
  } finally {
    taken.forEach(({ row }) => leaving.delete(row.id));
    count();
    refreshList(whole);
  }
}

export async function undo(name = "") {
  const answer = await send("/undo", new URLSearchParams({ action: name })).catch(() => null);
  if (!answer) return say(form()?.dataset.lost ?? "");
  for (const told of document.querySelectorAll(`.toast-undo-form [value="${name}"]`)) told.closest(".toast").remove();
  addToasts(await answer.text());
  refreshList(true);
}

export async function undoLast() {
  await underWay;
  const last = [...document.querySelectorAll(".toast form")].at(-1);
  if (last?.matches("[data-stop]")) return last.requestSubmit(); // a letter that has not left yet
  undo([...document.querySelectorAll('.toast-undo-form [name="action"]')].at(-1)?.value);
}

export function openPanel(name) {
  const panel = document.getElementById(`panel-${name}`);
  if (!panel || !targets().length) return form() && say(form().dataset.none);
  remembered = inRow(document.activeElement) ?? rowOf(opened()?.id);
  panel.showPopover();
  panel.querySelector("input[type=search], button")?.focus();
}

const isOn = (selector) => () => targets().some(({ id }) => rowOf(id)?.matches(selector));
const muted = isOn("li.row[data-muted]");
const mutedHere = () => targets().some(({ id }) => id === opened()?.id && document.querySelector(".conversation[data-muted]"));
const starred = isOn('li.row:has(.star[aria-pressed="true"])');

export const ACT_KEYS = {
  e: () => act(document.querySelector('.bulk [data-done], .bulk [value="inbox"]')?.value ?? "archive"),
  "#": () => act("delete"),
  Delete: () => act("delete"),
  "!": () => act(document.querySelector('.bulk [value="spam"]') ? "spam" : "inbox"),
  s: () => act(starred() ? "unstar" : "star"),
  m: () => act(muted() || mutedHere() ? "unmute" : "mute"),
  I: () => act("read"),
  U: () => act("unread"),
  x: () => pick(inRow(document.activeElement) ?? inTable(document.activeElement) ?? rowOf(opened()?.id)),
  w: () => openPanel("assign"),
  W: () => act("assign:me"),
  b: () => openPanel("snooze"),
  l: () => openPanel("label"),
  v: () => openPanel("move"),
  z: undoLast,
};

// A panel whose choices come when it is first opened.
async function fill(panel) {
  const answer = await fetch(panel.dataset.fill, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return panel.hidePopover();
  panel.removeAttribute("data-fill");
  panel.innerHTML = await answer.text();
  panel.querySelector("input[type=search], button")?.focus();
}

function filterFolders(field) {
  const wanted = field.value.trim().toLocaleLowerCase();
  const lines = [...field.closest(".panel").querySelectorAll(".panel-line")];
  for (const line of lines) line.hidden = !line.textContent.toLocaleLowerCase().includes(wanted);
}

export function listenActs() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-act]");
    if (!button || !form()) return;
    event.preventDefault();
    act(button.value, button);
  });
  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-task]");
    if (!link || !document.getElementById("panel-task") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    (await import("./task.js")).openTask(link.href);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-assign]");
    if (!link || !document.getElementById("panel-assign") || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openPanel("assign");
  });
  document.addEventListener("toggle", (event) => { if (event.newState === "open" && event.target.dataset?.fill) fill(event.target); }, true);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".toast-undo-form")) return;
    event.preventDefault();
    undo(event.target.elements.action.value);
  });
  document.addEventListener("input", (event) => { if (event.target.matches(".panel-find")) filterFolders(event.target); });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(".panel-find")) return;
    event.preventDefault();
    event.target.closest(".panel").querySelector(".panel-line:not([hidden])")?.click();
  });
}
