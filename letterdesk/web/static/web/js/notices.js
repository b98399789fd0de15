// Something is told: it is said on whatever page is open, and the count of the bell follows, in the title as well.
import { addToasts } from "./toasts.js";

export function countInTitle() {
  const badge = document.querySelector("[data-unseen]");
  const count = badge && !badge.hidden ? badge.querySelector("[data-count]").textContent : "0";
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = count === "0" ? title : `(${count}) ${title}`;
}

export async function showNotices() {
  const here = new URLSearchParams({ next: location.pathname + location.search, here: document.hidden ? "" : "yes" });
  const answer = await fetch(`/notifications/news?${here}`, { headers: { "HX-Request": "true" } }).catch(() => null);
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
  countInTitle();
}
