// One stream for the whole browser, however many pages are open (a seventh stream would hang on HTTP/1.1).
// A page that joins hears the last seconds again: they passed while it was on the way.
const LATELY = 5000;
const ports = new Set();
let lately = [];
let source;

function tell(message) {
  lately = [...lately.filter(({ at }) => at > Date.now() - LATELY), { at: Date.now(), message }].slice(-50);
  for (const port of ports) port.postMessage(message);
}

function join(port) {
  if (ports.has(port)) return;
  ports.add(port);
  for (const { at, message } of lately) if (at > Date.now() - LATELY) port.postMessage(message);
}

function listen(address) {
  if (source && source.readyState !== EventSource.CLOSED) return;
  source = new EventSource(address);
  source.addEventListener("change", (event) => tell({ change: JSON.parse(event.data) }));
  source.addEventListener("resync", () => tell({ resync: true }));
  source.addEventListener("open", () => tell({ state: "open" }));
  source.addEventListener("error", () => tell({ state: "lost" }));
}

addEventListener("connect", (event) => {
  const port = event.ports[0];
  port.onmessage = ({ data }) => {
    if (data.leave) ports.delete(port);
    if (data.listen) {
      join(port);
      listen(data.listen);
    }
    if (ports.size === 0 && data.leave) source?.close();
  };
  port.start();
});
