// A sign of life from the page of a conversation or of an answer, every 10 seconds while it is in sight; and who else
// is there, as soon as the stream says that this changed. Who only passes by, by j and k, is not announced.
const EVERY = 10_000;
const PASSING = 2000;
const SETTLED = 1500; // ms: several changes are read at once, and nobody flickers
let here;
let timer;
let looking;

const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"];
const place = () => document.querySelector("[data-presence]");

async function ask(how) {
  const shown = here;
  const sign = how && { method: "POST", headers: { "X-CSRFToken": token() }, body: new URLSearchParams({ as: how }) };
  const answer = await fetch(shown.dataset.presence, sign || {}).catch(() => null);
  const text = answer?.ok && !answer.redirected ? await answer.text() : null;
  if (text !== null && shown.isConnected && shown.innerHTML.trim() !== text.trim()) shown.innerHTML = text;
}

function beat() {
  if (!here?.isConnected) return;
  if (!document.hidden) ask(here.dataset.as);
  timer = setTimeout(beat, EVERY);
}

function leave() {
  clearTimeout(timer);
  if (!here) return;
  const gone = new FormData();
  gone.append("as", "gone");
  gone.append("csrfmiddlewaretoken", token());
  navigator.sendBeacon(here.dataset.presence, gone);
  here = undefined;
}

function arrive() {
  const now = place();
  if (now === here) return;
  if (here && here.dataset.presence !== now?.dataset.presence) leave();
  clearTimeout(timer);
  here = now;
  if (here) timer = setTimeout(beat, PASSING);
}

function changed({ detail }) {
  if (detail.kind !== "presence.changed" || !here || !detail.conversations.includes(here.dataset.of)) return;
  clearTimeout(looking);
  looking = setTimeout(() => here && ask(""), SETTLED);
}

export function showPresence() {
  for (const swapped of ["htmx:after:swap", "letterdesk:letters"]) document.addEventListener(swapped, arrive);
  document.addEventListener("letterdesk:change", changed);
  addEventListener("pagehide", leave);
  addEventListener("pageshow", arrive);
  arrive();
}
