// Gives each letter's frame the height that the letter measured, and says how many images are blocked.
// The frame is of no origin: it is known by its window.
const TALLEST = 30_000;

function frameOf(source) {
  return [...document.querySelectorAll("iframe.mail-frame")].find((frame) => frame.contentWindow === source);
}

function fit(frame, height) {
  const next = Math.ceil(Math.min(Math.max(height, 24), TALLEST));
  if (Math.abs(next - frame.offsetHeight) > 1) frame.style.blockSize = `${next}px`;
}

function tellBlocked(frame, count) {
  const gate = frame.closest(".message").querySelector(".gate");
  gate.hidden = !(count > 0);
  gate.querySelector("span").textContent = (count === 1 ? gate.dataset.one : gate.dataset.many).replace("{n}", count);
}

export function fitFrames() {
  addEventListener("message", (event) => {
    if (event.origin !== "null" || !Number.isFinite(event.data?.letterHeight)) return;
    const frame = frameOf(event.source);
    if (!frame) return;
    fit(frame, event.data.letterHeight);
    tellBlocked(frame, Number(event.data.blockedImages));
    frame.classList.toggle("plain", event.data.isPlain === true);
  });
}
