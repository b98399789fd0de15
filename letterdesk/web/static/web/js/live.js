// Hears what changed and passes it to the page as events: letterdesk:change of a mailbox, letterdesk:tasks,
// letterdesk:employee, letterdesk:resync.
function announce(message) {
  const about = message.change?.topic.split(":")[0];
  if (about) document.dispatchEvent(new CustomEvent(`letterdesk:${about === "mailbox" ? "change" : about}`, { detail: message.change }));
  if (message.resync) document.dispatchEvent(new CustomEvent("letterdesk:resync"));
  if (message.state) document.documentElement.dataset.live = message.state;
}

function byWorker(worker, address) {
  const { port } = new SharedWorker(worker, { name: "letterdesk-live" });
  port.onmessage = ({ data }) => announce(data);
  const join = () => port.postMessage({ listen: address });
  join();
  addEventListener("pageshow", join);
  addEventListener("pagehide", () => port.postMessage({ leave: true }));
}

function byPage(address) {
  const source = new EventSource(address);
  source.addEventListener("change", (event) => announce({ change: JSON.parse(event.data) }));
  source.addEventListener("resync", () => announce({ resync: true }));
  source.addEventListener("open", () => announce({ state: "open" }));
  source.addEventListener("error", () => announce({ state: "lost" }));
  addEventListener("pagehide", () => source.close());
}

export function goLive() {
  const { live, liveWorker } = document.body.dataset;
  if (!live) return;
  if ("SharedWorker" in window) byWorker(liveWorker, live);
  else byPage(live);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) document.dispatchEvent(new CustomEvent("letterdesk:resync"));
  });
}
