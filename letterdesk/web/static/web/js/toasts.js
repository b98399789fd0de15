// Notes at the bottom: closed by a button, never by a clock while they hold the undo (WCAG 2.2.1).
const MOST = 3;
const stack = () => document.getElementById("toasts");

export function dismissToasts() {
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-dismiss]")?.closest(".toast")?.remove();
  });
}

function trim() {
  for (const old of [...stack().querySelectorAll(".toast")].slice(0, -MOST)) old.remove();
}

export function say(text) {
  if (!text) return;
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  stack()?.append(toast);
  trim();
  setTimeout(() => toast.remove(), 10_000);
}

// What the server answered to an action: its own notes, undo included.
export function addToasts(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  stack()?.append(...page.querySelectorAll(".toast"));
  trim();
}
