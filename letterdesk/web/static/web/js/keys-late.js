// Where one mostly types, the script of the keys comes with the first that is pressed outside of a field, with Ctrl+K,
// or when somebody asks which keys there are.
const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable], dialog";

function isWanted(event) {
  if (event.type === "click") return Boolean(event.target.closest?.("[data-open-keys]"));
  if (event.isComposing) return false;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return true;
  const { keys } = document.body.dataset;
  const held = keys === "modifier" ? event.altKey && event.shiftKey : !event.altKey;
  return keys !== "off" && held && !event.ctrlKey && !event.metaKey && event.key.length === 1 && event.key !== " " && !event.target.closest?.(TYPING);
}

export function fetchKeysWhenWanted() {
  async function hear(event) {
    if (!isWanted(event)) return;
    for (const kind of ["keydown", "click"]) removeEventListener(kind, hear, true);
    event.preventDefault();
    const { listenKeys } = await import("./keys.js");
    listenKeys();
    event.target.dispatchEvent(new event.constructor(event.type, event)); // to whom it was meant
  }
  for (const kind of ["keydown", "click"]) addEventListener(kind, hear, true);
}
