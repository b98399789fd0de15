// A reminder is due: it is shown on whatever page is open, and the counts follow.
import { addToasts } from "./toasts.js";

export async function showNotices() {
  const here = new URLSearchParams({ next: location.pathname + location.search });
  const answer = await fetch(`/reminders/news?${here}`, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) return;
  const html = await answer.text();
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const { id } of fresh.querySelectorAll(".toast")) document.getElementById(id)?.remove(); // told again
  addToasts(html);
  const count = fresh.querySelector("[data-unseen-now]").dataset.unseenNow;
  for (const badge of document.querySelectorAll("[data-unseen]")) {
    badge.hidden = count === "0";
    badge.querySelector("[data-count]").textContent = count;
  }
}
