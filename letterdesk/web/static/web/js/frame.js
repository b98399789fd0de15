// Gives each letter's frame the height that the letter measured, and says how many images are blocked.
// The frame is of no origin: it is known by its window. Heights are remembered by letter and width, so that a letter
// that is opened again has its place before it has loaded, and nothing moves.
const TALLEST = 30_000;
const BUCKET = 80; // pixels of width
const MOST = 400; // letters
const KEY = "letterdesk-heights";

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

const nameOf = (frame) => `${frame.dataset.letter} ${Math.round(frame.offsetWidth / BUCKET)}`;

function remember(frame, height, blocked) {
  const { [nameOf(frame)]: before, ...others } = remembered();
  if (before?.[0] === height && before[1] === blocked) return;
  const entries = Object.entries(others).slice(1 - MOST);
  localStorage.setItem(KEY, JSON.stringify({ ...Object.fromEntries(entries), [nameOf(frame)]: [height, blocked] }));
}

export function placeFrames(within = document) {
  const heights = remembered();
  for (const frame of within.querySelectorAll("iframe.mail-frame:not([data-placed])")) {
    const known = frame.offsetWidth && heights[nameOf(frame)];
    if (!Array.isArray(known)) continue;
    frame.dataset.placed = "";
    frame.style.blockSize = `${Number(known[0])}px`;
    tellBlocked(frame, Number(known[1]));
  }
}

function frameOf(source) {
  return [...document.querySelectorAll("iframe.mail-frame")].find((frame) => frame.contentWindow === source);
}

function fit(frame, height, blocked) {
  const next = Math.ceil(Math.min(Math.max(height, 24), TALLEST));
  if (Math.abs(next - frame.offsetHeight) > 1) frame.style.blockSize = `${next}px`;
  frame.dataset.placed = "";
  remember(frame, next, blocked);
}

function tellBlocked(frame, count) {
  const gate = frame.parentElement.querySelector(".gate");
  if (!gate) return;
  gate.classList.toggle("waiting", !(count > 0));
  gate.querySelector(".gate-text").textContent = (count === 1 ? gate.dataset.one : gate.dataset.many).replace("{n}", count);
}

export function fitFrames() {
  addEventListener("message", (event) => {
    if (event.origin !== "null" || !Number.isFinite(event.data?.letterHeight)) return;
    const frame = frameOf(event.source);
    if (!frame) return;
    const blocked = Number(event.data.blockedImages);
    requestAnimationFrame(() => fit(frame, event.data.letterHeight, blocked));
    tellBlocked(frame, blocked);
    frame.classList.toggle("plain", event.data.isPlain === true);
    const paper = frame.closest(".message")?.querySelector("[data-paper]");
    paper?.toggleAttribute("hidden", event.data.isPlain === true); // plain text follows the theme by itself
    paper?.setAttribute("aria-pressed", String(event.data.isDark === true));
  });
  placeFrames();
  document.addEventListener("htmx:after:swap", () => placeFrames());
  document.addEventListener("toggle", (event) => event.target.open && placeFrames(event.target), true);
}
