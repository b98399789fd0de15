// Fetches the conversation below the open one beforehand, so that it is there when it is opened. Nothing is read by that:
// only what stays in sight is. What changed meanwhile, or is older than some seconds, is fetched anew.
const GOOD_FOR = 20_000;
const WAIT = 500; // the open one comes first
let kept;

function below() {
  const open = document.querySelector(".conversation[data-id]")?.dataset.id;
  const row = open && document.getElementById(`c-${open}`);
  return row?.nextElementSibling?.querySelector(":scope > .row-subj a")?.getAttribute("href");
}

async function fetchAhead() {
  const address = below();
  if (!address || kept?.address === address || document.hidden || navigator.connection?.saveData) return;
  const response = await fetch(address, { headers: { "HX-Request": "true", "HX-Request-Type": "partial" }, priority: "low" }).catch(() => null);
  kept = response?.ok && !response.redirected ? { address, response, at: Date.now() } : undefined;
}

export function lookAhead() {
  document.addEventListener("htmx:after:swap", () => setTimeout(fetchAhead, WAIT));
  document.addEventListener("letterdesk:change", ({ detail }) => {
    if (!detail?.conversations?.length || detail.conversations.some((id) => kept?.address.includes(id))) kept = undefined;
  });
  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const { response, address, at } = kept ?? {};
    if (!response || ctx.request.method !== "GET" || ctx.request.action !== address || Date.now() - at > GOOD_FOR) return;
    kept = undefined;
    ctx.fetch = async () => response;
  });
}
