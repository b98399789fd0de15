// One stream for the whole browser, however many pages are open (a seventh stream would hang on HTTP/1.1).
const ports = new Set();
let source;

function tell(message) {
  for (const port of ports) port.postMessage(message);
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
      ports.add(port);
      listen(data.listen);
    }
    if (ports.size === 0 && data.leave) source?.close();
  };
  port.start();
});
