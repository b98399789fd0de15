// j/k move, o or Enter opens, u or Escape goes back, / searches, ? helps. Off: Settings (WCAG 2.1.4).
const TYPING = "input, select, textarea, [contenteditable], dialog";

const rows = () => [...document.querySelectorAll("#rows .row")];
const linkOf = (row) => row?.querySelector(".row-subj a");

function step(by) {
  const all = rows();
  const here = document.activeElement?.closest(".row") ?? document.querySelector('#rows .row[aria-current="true"]');
  const at = all.indexOf(here);
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

const ACTIONS = { j: () => step(1), k: () => step(-1), o: open, u: back, Escape: back, "/": search, "?": () => location.assign("/help") };

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
