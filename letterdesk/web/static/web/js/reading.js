// Reading a conversation: letters in sight are read, links are copied, paper turns dark, n and p step.
import { say } from "./toasts.js";

const DWELL = 1000;
const TOP = 200; // pixels of a letter that must be in sight
const timers = new WeakMap();
const read = new Set();
let observer;

const conversation = () => document.querySelector(".conversation");

function isInSight({ isIntersecting, intersectionRect, boundingClientRect }) {
  const needed = Math.min(TOP, boundingClientRect.height) - 1;
  return isIntersecting && intersectionRect.height >= needed && intersectionRect.top <= boundingClientRect.top + 1;
}

function watchSight() {
  observer?.disconnect();
  if (!conversation()) return;
  setTimeout(sendRead, DWELL);
  if (!conversation().hasAttribute("data-may-act")) return;
  observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        clearTimeout(timers.get(entry.target));
        if (isInSight(entry)) timers.set(entry.target, setTimeout(() => markRead(entry.target), DWELL));
      }
    },
    { threshold: Array.from({ length: 21 }, (_, step) => step / 20) },
  );
  for (const letter of document.querySelectorAll(".message.unread")) observer.observe(letter);
}

function markRead(letter) {
  if (document.hidden || !letter.open || !letter.isConnected) return;
  letter.classList.remove("unread");
  letter.querySelector(".message-when .sr")?.remove();
  observer.unobserve(letter);
  if (read.size === 0) setTimeout(sendRead, 300);
  read.add(letter.dataset.letter);
}

function sendRead() {
  const open = conversation();
  const letters = [...read].join(",");
  read.clear();
  if (!open || document.hidden) return;
  const { "X-CSRFToken": token } = JSON.parse(document.body.getAttribute("hx-headers:inherited"));
  const told = fetch(open.dataset.seen, { method: "POST", keepalive: true, headers: { "X-CSRFToken": token }, body: new URLSearchParams({ letters }) });
  told.catch(() => {}); // unread as before; the next opening tells again
}

const letters = () => [...document.querySelectorAll(".conversation .message")].filter((letter) => letter.checkVisibility());

export function stepLetter(by) {
  const all = letters();
  const at = all.indexOf(document.activeElement?.closest(".message"));
  const here = at >= 0 ? at : all.findIndex((letter) => letter.open);
  const next = all[Math.min(Math.max(here + by, 0), all.length - 1)];
  if (!next) return;
  next.open = true;
  next.querySelector("summary").focus({ preventScroll: true });
  next.scrollIntoView({ block: "start", behavior: "auto" });
}

function openTarget() {
  if (location.hash === "#comment") document.getElementById("comment")?.setAttribute("open", "");
  const letter = location.hash.startsWith("#m-") && document.getElementById(location.hash.slice(1));
  if (!letter) return;
  letter.closest(".earlier")?.setAttribute("open", "");
  letter.open = true;
  letter.scrollIntoView({ block: "start" });
}

function offerSteps() {
  const rows = [...document.querySelectorAll("#rows .row .row-subj a")];
  const at = rows.findIndex((link) => link.closest(".row").id === `c-${conversation()?.dataset.id}`);
  for (const step of document.querySelectorAll(".conversation [data-step]")) {
    const to = at >= 0 && rows[at + Number(step.dataset.step)];
    if (to) step.href = to.getAttribute("href");
    step.hidden = !step.hasAttribute("href");
  }
  for (const hidden of document.querySelectorAll("[data-open-all]")) hidden.hidden = false;
}

function turnPaper(button) {
  const frame = button.closest(".message").querySelector(".mail-frame");
  const address = new URL(frame.src);
  address.searchParams.set("paper", button.getAttribute("aria-pressed") === "true" ? "white" : "dark");
  frame.src = address.pathname + address.search;
}

async function copy(link) {
  await navigator.clipboard.writeText(link.href);
  say(link.dataset.copy);
}

function clicked(event) {
  const target = event.target.closest?.("[data-step], [data-copy], button[data-paper], [data-open-all]");
  if (!target) return;
  if (target.matches("[data-step]")) {
    const row = [...document.querySelectorAll("#rows .row-subj a")].find((link) => link.getAttribute("href") === target.getAttribute("href"));
    if (row) {
      event.preventDefault();
      row.click();
    }
  } else if (target.matches("[data-copy]") && navigator.clipboard) {
    event.preventDefault();
    copy(target).catch(() => location.assign(target.href));
  } else if (target.matches("[data-paper]")) turnPaper(target);
  else if (target.matches("[data-open-all]")) {
    for (const fold of document.querySelectorAll(".conversation .earlier, .conversation .message")) fold.open = true;
  }
  target.closest(".menu")?.removeAttribute("open");
}

function start() {
  watchSight();
  offerSteps();
}

export function followReading() {
  document.addEventListener("click", clicked);
  document.addEventListener("htmx:after:swap", start);
  document.addEventListener("letterdesk:letters", start);
  document.addEventListener("toggle", ({ target }) => target.matches(".message-details[open]") && target.querySelector("[data-way]")?.click(), true);
  addEventListener("hashchange", openTarget);
  openTarget();
  start();
}
