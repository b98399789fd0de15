// The frame around all pages: no connection is said, folded mailboxes are remembered, the first steps are fetched, and
// the bell is heard; what is told comes with its own script.
const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"];

function tellOffline() {
  const told = document.getElementById("offline");
  if (!told) return;
  const show = () => (told.textContent = navigator.onLine ? "" : told.dataset.text);
  addEventListener("online", () => { show(); document.dispatchEvent(new CustomEvent("letterdesk:resync")); });
  addEventListener("offline", show);
  show();
}

// By the click, not by `toggle`, which also tells of mailboxes that come open from the server.
function rememberFolds() {
  document.addEventListener("click", (event) => {
    const shelf = event.target.closest?.(".shelf > summary")?.parentElement;
    const address = document.getElementById("folders")?.dataset.folds;
    if (!shelf || !address) return;
    const body = new URLSearchParams({ mailbox: shelf.dataset.mailbox, folded: shelf.open ? "yes" : "no" });
    fetch(address, { method: "POST", headers: { "X-CSRFToken": token(), "HX-Request": "true" }, body, keepalive: true }).catch(() => null);
  });
}

async function fetchSteps() {
  const place = document.querySelector("[data-first-steps]");
  if (!place || !place.checkVisibility()) return;
  const answer = await fetch(place.dataset.firstSteps).catch(() => null);
  if (!answer || answer.status !== 200 || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  place.replaceChildren(...fresh.body.childNodes);
}

function hearBell() {
  const notices = () => import("./notices.js");
  document.addEventListener("letterdesk:employee", () => notices().then(({ showNotices }) => showNotices()));
  if (document.querySelector("[data-unseen]:not([hidden])")) notices().then(({ countInTitle }) => countInTitle());
}

export function keepShell() {
  tellOffline();
  rememberFolds();
  hearBell();
  fetchSteps();
}
