// Single keys do what the table of the page says (body[data-keymap]: {"e": "archive", "g i": "go_inbox"}), Ctrl+K opens
// the palette. Never while somebody types. Off, with Alt+Shift, other keys: Settings (WCAG 2.1.4).
import { ACT_KEYS } from "./acts.js";
import { loadMore } from "./list.js";
import { stepLetter } from "./reading.js";

const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable], dialog";
const SECOND_KEY = 1500; // ms to press it in

const rows = () => [...document.querySelectorAll("#rows .row, [data-rows] > *")].filter((row) => row.checkVisibility());
const linkOf = (row) => row?.querySelector(".row-subj a, .crm-row-name > a") ?? row;

function step(by) {
  const all = rows();
  const here = document.activeElement?.closest(".row, [data-rows] > *") ?? document.querySelector('#rows .row[aria-current="true"]');
  const at = all.indexOf(here);
  if (by > 0 && at === all.length - 1) return loadMore();
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  linkOf(next)?.focus();
}

function open() {
  (linkOf(document.activeElement?.closest(".row, [data-rows] > *")) ?? linkOf(rows()[0]))?.click();
}

function back() {
  document.querySelector("[data-back]")?.click();
}

function search() {
  const field = document.querySelector("#search-field");
  if (field?.checkVisibility()) field.select();
  else location.assign("/search");
}

// The folder of that kind in the mailbox where the reader is, else in the first one.
function go(...kinds) {
  const near = document.querySelector("#folders [aria-current]")?.closest(".nav-group") ?? document;
  const found = kinds.flatMap((kind) => [near.querySelector(`[data-role="${kind}"]`), document.querySelector(`[data-role="${kind}"]`)]);
  const link = found.find(Boolean);
  location.assign(link ? link.href : "/");
}

// What nobody has taken, of the shared mailbox where the reader is, else of the first one.
function goTeam() {
  const near = document.querySelector("#folders [aria-current]")?.closest(".nav-group") ?? document;
  const link = near.querySelector("[data-team]") ?? document.querySelector("[data-team]");
  if (link) location.assign(link.href);
}

// The dialogs' script comes when one of them is first wanted: the inbox stays small.
const dialogs = () => import("./palette.js");
const showKeys = () => dialogs().then((script) => script.showKeys());
const showPalette = () => dialogs().then((script) => script.showPalette(run));

const makeTask = () => import("./task.js").then((script) => script.openTask());

// From a button of the page, whose form knows the letter; a new letter from anywhere.
function write(kind) {
  const fresh = document.querySelector("[data-new-letter]");
  if (kind === "new") return fresh ? fresh.click() : location.assign("/drafts");
  const near = document.activeElement?.closest(".message");
  const buttons = [...document.querySelectorAll(`.letter-reply [value="${kind}"], .reply-bar [value="${kind}"]`)];
  (buttons.find((each) => near?.contains(each)) ?? buttons.at(-1))?.click();
}

function comment() {
  const form = document.getElementById("comment");
  if (!form) return;
  form.open = true;
  form.querySelector("textarea").focus();
}

const COMMANDS = {
  next: () => step(1), previous: () => step(-1), open, back, search,
  next_letter: () => stepLetter(1), previous_letter: () => stepLetter(-1),
  select: ACT_KEYS.x, archive: ACT_KEYS.e, delete: ACT_KEYS["#"], spam: ACT_KEYS["!"], star: ACT_KEYS.s,
  snooze: ACT_KEYS.b, mute: ACT_KEYS.m, label: ACT_KEYS.l, move: ACT_KEYS.v, assign: ACT_KEYS.w, assign_me: ACT_KEYS.W, task: makeTask, read: ACT_KEYS.I, unread: ACT_KEYS.U, undo: ACT_KEYS.z,
  reply: () => write("reply"), reply_all: () => write("reply_all"), forward: () => write("forward"), comment, compose: () => write("new"),
  go_inbox: () => go("inbox"), go_sent: () => go("sent"), go_drafts: () => go("drafts"), go_all: () => go("all", "archive"),
  go_starred: () => location.assign("/search?q=is%3Astarred"), go_mine: () => location.assign("/mail/mine"), go_unassigned: goTeam, go_tasks: () => location.assign("/tasks"), go_notifications: () => location.assign("/notifications"), go_crm: () => location.assign("/crm"), go_settings: () => location.assign("/settings"),
  keys: showKeys, palette: showPalette,
};

function run(name) {
  COMMANDS[name]?.();
}

let first = "";
let waiting;
const hint = () => document.getElementById("keys-hint");

function forget() {
  clearTimeout(waiting);
  first = "";
  hint()?.remove();
}

function remember(key) {
  first = key;
  const told = Object.assign(document.createElement("div"), { id: "keys-hint", className: "keys-hint", role: "status" });
  told.textContent = `${key} ${document.body.dataset.then}`;
  document.body.append(told);
  waiting = setTimeout(forget, SECOND_KEY);
}

// Where the keyboard writes another script, the key's place on the board counts (ux.md 1.15).
function keyOf(event) {
  if (/^[ -~]$/.test(event.key) || event.key.length > 1) return event.key;
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1] ?? "";
  return event.shiftKey ? letter : letter.toLowerCase();
}

function press(event, keymap) {
  const key = keyOf(event);
  const own = first ? null : document.querySelector(`[data-key="${CSS.escape(key)}"]`); // triage has keys of its own
  if (own) {
    event.preventDefault();
    return own.click();
  }
  const name = keymap[first ? `${first} ${key}` : key];
  const begins = !first && Object.keys(keymap).some((keys) => keys.startsWith(`${key} `));
  const known = name ?? { Escape: first ? "" : "back", Delete: "delete" }[key];
  if (known === undefined && !begins && !first) return;
  forget();
  event.preventDefault();
  if (known) run(known);
  else if (begins) remember(key);
}

const wantsModifier = () => document.body.dataset.keys === "modifier";

function isForUs(event) {
  if (event.isComposing || event.repeat && first) return false;
  if (event.target.closest?.(TYPING) || document.querySelector("[popover]:popover-open, dialog[open]")) return false;
  if (event.key === "Shift" || event.key === "Alt") return false;
  if (wantsModifier() && event.key !== "Escape") return event.altKey && event.shiftKey && !event.ctrlKey && !event.metaKey;
  return !event.ctrlKey && !event.metaKey && !event.altKey;
}

// With Alt+Shift every letter arrives as a capital, and some boards write other signs: the place of the key counts.
const plain = (event) => ({ key: /^Key/.test(event.code) ? event.code[3].toLowerCase() : event.key, code: event.code, shiftKey: false, preventDefault: () => event.preventDefault() });

export function listenKeys() {
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-open-keys]")) return;
    event.preventDefault();
    showKeys();
  });
  const { keys, keymap } = document.body.dataset;
  if (!keymap) return;
  const table = JSON.parse(keymap);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      return showPalette();
    }
    if (keys !== "off" && isForUs(event)) press(wantsModifier() && event.key !== "Escape" ? plain(event) : event, table);
  });
}
