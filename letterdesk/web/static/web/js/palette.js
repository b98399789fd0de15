// The command palette (Ctrl+K, ⌘K) and the list of keys (?): dialogs that are fetched when they are first wanted.
// A combobox: the focus stays in the field, the arrows move the choice (ARIA authoring practices).
const dialogs = new Map();

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function dialogOf(address) {
  if (!dialogs.has(address)) {
    const dialog = (await fetched(address))?.querySelector("dialog");
    if (!dialog) return null;
    document.body.append(dialog);
    dialogs.set(address, dialog);
  }
  return dialogs.get(address);
}

// The field of a closed dialog keeps the focus until the next frame: a key pressed at once would be typed into it.
function shut(dialog) {
  dialog.close();
  if (dialog.contains(document.activeElement)) document.activeElement.blur();
}

export async function showKeys() {
  const dialog = await dialogOf(document.body.dataset.keysHelp);
  if (!dialog) return location.assign("/help#keys");
  const field = dialog.querySelector("[data-find-keys]");
  field.value = "";
  findKeys(field);
  if (!dialog.open) dialog.showModal();
  field.focus();
}

function findKeys(field) {
  const wanted = field.value.trim().toLocaleLowerCase();
  const dialog = field.closest("dialog");
  for (const row of dialog.querySelectorAll(".keys-row")) row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
  for (const group of dialog.querySelectorAll(".keys-group")) group.hidden = !group.querySelector(".keys-row:not([hidden])");
}

const options = (dialog) => [...dialog.querySelectorAll("[role=option]")];
const chosen = (dialog) => dialog.querySelector('[aria-selected="true"]');

function choose(dialog, option) {
  chosen(dialog)?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
  const field = dialog.querySelector("[role=combobox]");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function move(dialog, by) {
  const all = options(dialog);
  const at = all.indexOf(chosen(dialog));
  choose(dialog, all[(at + by + all.length) % all.length]);
}

let asked = 0;
async function ask(dialog, typed) {
  const mine = ++asked;
  const page = await fetched(`${document.body.dataset.palette}?${new URLSearchParams({ q: typed })}`).catch(() => null);
  if (!page || mine !== asked) return;
  dialog.querySelector("[role=listbox]").replaceChildren(...page.body.childNodes);
  choose(dialog, options(dialog)[0]);
}

export async function showPalette(run) {
  const dialog = await dialogOf(document.body.dataset.palette);
  if (!dialog || dialog.open) return;
  if (!dialog.dataset.ready) listen(dialog, run);
  const field = dialog.querySelector("[role=combobox]");
  if (field.value) ask(dialog, (field.value = ""));
  dialog.showModal();
  choose(dialog, options(dialog)[0]);
}

function go(dialog, option, run) {
  const typed = dialog.querySelector("[role=combobox]").value.trim();
  if (!option && !typed) return;
  shut(dialog);
  if (!option) location.assign(`/search?${new URLSearchParams({ q: typed })}`);
  else if (option.dataset.command) run(option.dataset.command);
  else location.assign(option.href);
}

function listen(dialog, run) {
  dialog.dataset.ready = "1";
  let timer;
  dialog.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => ask(dialog, event.target.value), 80);
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) move(dialog, by);
    else if (event.key === "Enter") go(dialog, chosen(dialog), run);
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (event.target === dialog) shut(dialog);
    if (!option?.dataset.command) return;
    event.preventDefault();
    go(dialog, option, run);
  });
}

// Escape closes at once: a search field would take the first one to empty itself.
document.addEventListener("keydown", (event) => {
  const dialog = event.key === "Escape" && !event.isComposing && event.target.closest?.("dialog[open]");
  if (!dialog) return;
  event.preventDefault();
  shut(dialog);
});
document.addEventListener("input", (event) => { if (event.target.matches("[data-find-keys]")) findKeys(event.target); });
document.addEventListener("click", (event) => { if (event.target.matches?.("#keys-dialog")) shut(event.target); });
