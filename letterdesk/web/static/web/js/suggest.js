// What the search field offers while somebody types: people, subjects, searches of before. The field works without it.
let asked = 0;

async function ask(form, typed) {
  const mine = ++asked;
  const answer = await fetch(`${form.dataset.suggest}?${new URLSearchParams({ q: typed })}`).catch(() => null);
  if (!answer?.ok || answer.redirected || mine !== asked) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("suggestions");
  close(form);
  if (!fresh?.firstElementChild || !form.contains(document.activeElement)) return;
  form.append(fresh);
  form.q.setAttribute("aria-expanded", "true");
}

function close(form) {
  form.querySelector("#suggestions")?.remove();
  form.q.setAttribute("aria-expanded", "false");
  form.q.removeAttribute("aria-activedescendant");
}

function move(form, by) {
  const all = [...form.querySelectorAll("[role=option]")];
  if (!all.length) return false;
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  all[at]?.setAttribute("aria-selected", "false");
  const next = all[at < 0 && by < 0 ? all.length - 1 : (at + by + all.length) % all.length];
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
  form.q.setAttribute("aria-activedescendant", next.id);
  return true;
}

function press(form, event) {
  if (event.isComposing) return;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const chosen = form.querySelector('[aria-selected="true"]');
  if (by && move(form, by)) event.preventDefault();
  else if (event.key === "Enter" && chosen) { event.preventDefault(); location.assign(chosen.href); }
  else if (event.key === "Escape" && form.querySelector("#suggestions")) { event.preventDefault(); close(form); }
  else if (event.key === "Escape") form.q.blur();
}

export function offerSuggestions() {
  let timer;
  for (const form of document.querySelectorAll("form[data-suggest]")) {
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": "suggestions", "aria-autocomplete": "list" })) form.q.setAttribute(name, value);
    form.q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => ask(form, form.q.value), 120); });
    form.q.addEventListener("focus", () => ask(form, form.q.value));
    form.q.addEventListener("keydown", (event) => press(form, event));
    form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) setTimeout(() => close(form), 150); });
  }
}
