// The form of a new task in a popover over the list: fetched when it is opened, sent without leaving the page.
import { targets } from "./acts.js";
import { refreshList } from "./list.js";
import { addToasts, say } from "./toasts.js";

const panel = () => document.getElementById("panel-task");
const words = () => document.getElementById("rows-form").dataset;
const ask = (address, more = {}) => fetch(address, { ...more, headers: { "HX-Request": "true" } });

function fill(html) {
  panel().replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.children);
  panel().querySelector("form").addEventListener("submit", send);
  panel().querySelector("[data-close-panel]")?.addEventListener("click", close);
}

function close(event) {
  event?.preventDefault();
  panel().hidePopover();
}

export async function openTask(address) {
  if (!panel()) return;
  const found = targets();
  if (!address && !found.length) return say(words().none);
  const asked = new URLSearchParams([...found.map(({ id }) => ["conversation", id]), ["next", location.pathname + location.search]]);
  const answer = await ask(address ?? `${panel().dataset.address}?${asked}`).catch(() => null);
  if (!answer?.ok) return say(answer ? words().gone : words().lost);
  fill(await answer.text());
  panel().showPopover();
  panel().querySelector("[name=title]").select();
}

async function send(event) {
  event.preventDefault();
  const said = new URLSearchParams(new FormData(event.target, event.submitter));
  const answer = await ask(event.target.action, { method: "POST", body: said }).catch(() => null);
  if (!answer) return say(words().lost);
  if (!answer.ok && answer.status !== 409) return say(words().gone);
  const told = await answer.text();
  if (told.includes("data-new-task")) return fill(told); // something is wrong with it
  addToasts(told);
  if (!answer.ok) return;
  close();
  refreshList(true);
}
