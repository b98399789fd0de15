// To, Cc, Bcc: addresses as tokens before the field they are typed in. The form's own field keeps the whole line.
const ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+\.[^\s@<>,;"]+$/;
const QUOTED = /"(?:[^"\\]|\\.)*"|[^,;\n]/g;

// Commas and semicolons part addresses, but not inside quotation marks.
export function parted(text) {
  const found = [""];
  let end = 0;
  for (const { 0: piece, index } of text.matchAll(QUOTED)) {
    if (index > end) found.push("");
    found[found.length - 1] += piece;
    end = index + piece.length;
  }
  return found.map((each) => each.trim()).filter(Boolean);
}

export const addressOf = (text) => (/<([^<>]*)>\s*$/.exec(text)?.[1] ?? text).trim();
const nameOf = (text) => text.replace(/<[^<>]*>\s*$/, "").trim().replace(/^"(.*)"$/, "$1") || addressOf(text);

export class Recipients {
  constructor(row) {
    this.row = row;
    this.kept = row.querySelector("input");
    this.words = row.closest("form").dataset;
    this.asked = 0;
    this.build();
    for (const each of parted(this.kept.value)) this.add(each, false);
  }

  build() {
    this.list = document.createElement("ul");
    this.list.className = "tokens";
    this.list.setAttribute("role", "list");
    this.field = this.kept.cloneNode();
    this.field.removeAttribute("name");
    this.field.removeAttribute("required");
    this.field.value = "";
    this.kept.type = "hidden";
    this.kept.removeAttribute("id");
    const options = `${this.field.id}-options`;
    this.box = Object.assign(document.createElement("ul"), { id: options, className: "suggestions", hidden: true });
    this.box.setAttribute("role", "listbox");
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-controls": options, "aria-autocomplete": "list", autocomplete: "off" })) this.field.setAttribute(name, value);
    this.row.querySelector("[data-tokens]").append(this.list, this.field, this.box);
    this.listen();
  }

  listen() {
    this.field.addEventListener("input", () => { clearTimeout(this.timer); this.timer = setTimeout(() => this.ask(), 120); });
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("paste", (event) => {
      const text = event.clipboardData.getData("text/plain");
      if (!/[,;\n@]/.test(text)) return;
      event.preventDefault();
      for (const each of parted(text)) this.add(each);
    });
    this.field.addEventListener("blur", () => setTimeout(() => { this.take(); this.close(); }, 150));
    this.box.addEventListener("mousedown", (event) => { event.preventDefault(); this.choose(event.target.closest("[role=option]")); });
    this.row.addEventListener("click", (event) => event.target === this.row && this.field.focus());
  }

  all() {
    return [...this.list.children].map((token) => token.dataset.value);
  }

  add(text, tell = true) {
    const address = addressOf(text);
    if (!address || this.all().some((each) => addressOf(each).toLowerCase() === address.toLowerCase())) return;
    const token = document.createElement("li");
    token.className = ADDRESS.test(address) ? "token" : "token wrong";
    token.dataset.value = text;
    token.title = ADDRESS.test(address) ? address : this.words.wrong;
    const name = Object.assign(document.createElement("bdi"), { textContent: nameOf(text) });
    const off = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    off.setAttribute("aria-label", this.words.remove.replace("{who}", nameOf(text)));
    off.addEventListener("click", () => { token.remove(); this.keep(); this.field.focus(); });
    token.append(name, off);
    if (!ADDRESS.test(address)) token.append(Object.assign(document.createElement("span"), { className: "sr", textContent: this.words.wrong }));
    this.list.append(token);
    this.keep(tell);
  }

  keep(tell = true) {
    this.kept.value = this.all().join(", ");
    if (tell) this.kept.form.dispatchEvent(new Event("input"));
  }

  take() {
    for (const each of parted(this.field.value)) this.add(each);
    this.field.value = "";
  }

  async ask() {
    const typed = this.field.value.trim();
    const mine = ++this.asked;
    if (!typed) return this.close();
    const answer = await fetch(`${this.words.people}?${new URLSearchParams({ q: typed })}`).catch(() => null);
    if (!answer?.ok || answer.redirected || mine !== this.asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    this.box.replaceChildren(...fresh.querySelectorAll("[role=option]"));
    [...this.box.children].forEach((option, number) => (option.id = `${this.box.id}-${number}`));
    this.box.hidden = !this.box.children.length;
    this.field.setAttribute("aria-expanded", String(!this.box.hidden));
    this.mark(this.box.firstElementChild);
  }

  mark(option) {
    this.box.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.field.setAttribute("aria-activedescendant", option.id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.asked++;
    this.box.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  choose(option) {
    if (!option) return;
    this.field.value = "";
    this.add(option.dataset.value);
    this.close();
  }

  press(event) {
    if (event.isComposing) return;
    const open = !this.box.hidden;
    const chosen = this.box.querySelector('[aria-selected="true"]');
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && open) {
      const all = [...this.box.children];
      this.mark(all[(all.indexOf(chosen) + by + all.length) % all.length]);
    } else if (["Enter", "Tab"].includes(event.key) && open && chosen) this.choose(chosen);
    else if (["Enter", ",", ";"].includes(event.key) && !event.ctrlKey && !event.metaKey) this.take();
    else if (event.key === "Escape" && open) this.close();
    else if (event.key === "Backspace" && !this.field.value && this.list.lastElementChild) { this.list.lastElementChild.remove(); this.keep(); }
    else return;
    if (event.key !== "Backspace") event.preventDefault();
  }
}
