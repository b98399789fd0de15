import { ACT_KEYS } from "./acts.js";
import { loadMore } from "./list.js";
import { stepLetter } from "./reading.js";

// j/k move, n/p go from letter to letter, o or Enter opens, u or Escape goes back, / searches, ? helps. Off: Settings (WCAG 2.1.4).
const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable], dialog";

const rows = () => [...document.querySelectorAll("#rows .row")].filter((row) => row.checkVisibility());
const linkOf = (row) => row?.querySelector(".row-subj a") ?? row;

function step(by) {
  const all = rows();
  const here = document.activeElement?.closest(".row") ?? document.querySelector('#rows .row[aria-current="true"]');
  const at = all.indexOf(here);
  if (by > 0 && at === all.length - 1) return loadMore();
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  linkOf(next)?.focus();
}

function open() {
  (linkOf(document.activeElement?.closest(".row")) ?? linkOf(rows()[0]))?.click();
}

function back() {
  document.querySelector("[data-back]")?.click();
}

function search() {
  const field = document.querySelector("#search-field");
  if (field) field.focus();
  else location.assign("/search");
}

const ACTIONS = { ...ACT_KEYS, j: () => step(1), k: () => step(-1), n: () => stepLetter(1), p: () => stepLetter(-1), o: open, u: back, Escape: back, "/": search, "?": () => location.assign("/help") };

export function listenKeys() {
  if (document.body.dataset.keys === "off") return;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(TYPING) || document.querySelector("#sidebar:popover-open")) return;
    const action = ACTIONS[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
