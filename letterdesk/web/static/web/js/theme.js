// Looks are shown at once; the form's own request remembers them.
const LOOKS = ["theme", "density", "text", "paper"];

export function followLooks() {
  document.addEventListener("change", ({ target }) => {
    if (!LOOKS.includes(target.name) || !target.closest("[data-looks]")) return;
    if (target.value) document.documentElement.dataset[target.name] = target.value;
    else delete document.documentElement.dataset[target.name];
  });
}
