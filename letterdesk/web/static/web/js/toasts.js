// Notes at the bottom: closed by a button, never by a clock while they hold the undo (WCAG 2.2.1).
export function dismissToasts() {
  document.addEventListener("click", (event) => {
    event.target.closest?.("[data-dismiss]")?.closest(".toast")?.remove();
  });
}

export function say(text) {
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.textContent = text;
  document.getElementById("toasts")?.append(toast);
  setTimeout(() => toast.remove(), 10_000);
}
