// Templates by their names: "/" at the beginning of a line of the letter opens a list, filtered by what is typed after it.
// The focus stays in the letter (ARIA authoring practices, listbox by aria-activedescendant); Escape leaves what is typed.
const NAMED = /^\/([^\s/][^/\n]{0,39})?$/;
const PAUSE = 120; // ms

export class Finder {
  constructor(letter) {
    Object.assign(this, { letter, editor: letter.editor, form: letter.form, asked: 0 });
    this.box = this.form.querySelector("[data-finder]");
    const body = this.box.parentElement;
    body.addEventListener("input", () => this.look());
    body.addEventListener("keydown", (event) => this.press(event), true);
    body.addEventListener("focusout", () => this.close());
    this.box.addEventListener("mousedown", (event) => { event.preventDefault(); this.choose(event.target.closest("[role=option]")); });
  }

  get field() {
    return this.editor.isRich ? this.editor.root : this.editor.plain;
  }

  // The line before the cursor, as a range of the letter or two places of the plain text.
  line() {
    if (!this.editor.isRich) {
      const { value, selectionStart: end, selectionEnd } = this.field;
      const start = value.lastIndexOf("\n", end - 1) + 1;
      return end === selectionEnd ? { start, end, text: value.slice(start, end) } : null;
    }
    const { isCollapsed, anchorNode: node, anchorOffset } = getSelection();
    if (!isCollapsed || !this.field.contains(node)) return null;
    let block = node.nodeType === Node.TEXT_NODE ? node.parentElement : node;
    while (block !== this.field && getComputedStyle(block).display === "inline") block = block.parentElement;
    const range = document.createRange();
    range.setStart(block, 0);
    range.setEnd(node, anchorOffset);
    for (const each of block.querySelectorAll("br")) if (range.intersectsNode(each)) range.setStartAfter(each);
    return { range, text: range.toString().replace(/\u200b/g, "") };
  }

  look() {
    const typed = NAMED.exec(this.line()?.text ?? "");
    if (!typed) this.left = false;
    clearTimeout(this.timer);
    if (!typed || this.left) return this.close();
    this.timer = setTimeout(() => this.ask(typed[1] ?? ""), PAUSE);
  }

  async ask(typed) {
    const mine = ++this.asked;
    const answer = await fetch(`${this.form.dataset.templates}?${new URLSearchParams({ q: typed })}`).catch(() => null);
    if (!answer?.ok || answer.redirected || mine !== this.asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== this.asked) return;
    this.box.replaceChildren(...fresh.querySelectorAll("[role=option]"));
    if (!this.box.children.length) return this.close();
    this.place();
    for (const [name, value] of Object.entries({ "aria-controls": this.box.id, "aria-haspopup": "listbox", "aria-autocomplete": "list" })) this.field.setAttribute(name, value);
    this.mark(this.box.firstElementChild);
  }

  place() {
    this.box.hidden = false;
    const at = this.line()?.range?.getBoundingClientRect();
    const [body, field] = [this.box.parentElement, this.field].map((each) => each.getBoundingClientRect());
    const left = Math.min(at?.left || field.left, body.right - this.box.offsetWidth);
    this.box.style.insetBlockStart = `${(at?.bottom || field.top + 32) - body.top}px`;
    this.box.style.left = `${Math.max(left - body.left, 0)}px`;
  }

  mark(option) {
    this.box.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", option.id);
  }

  close() {
    this.asked++;
    clearTimeout(this.timer);
    this.box.hidden = true;
    for (const field of [this.editor.root, this.editor.plain]) field.removeAttribute("aria-activedescendant");
  }

  press(event) {
    if (this.box.hidden || event.isComposing || event.ctrlKey || event.metaKey) return;
    const chosen = this.box.querySelector('[aria-selected="true"]');
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...this.box.children];
    if (by) this.mark(all[(all.indexOf(chosen) + by + all.length) % all.length]);
    else if (["Enter", "Tab"].includes(event.key)) this.choose(chosen);
    else if (event.key === "Escape") { this.left = true; this.close(); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async choose(option) {
    if (!option) return;
    const line = this.line();
    this.close();
    const typed = line && this.cut(line);
    const filled = await this.letter.fetchTemplate(option.dataset.template);
    const { html, text } = filled ?? {};
    if (filled) this.put({ html: `${html}<div><br></div>`, text: text.replace(/\n*$/, "\n") }); // one goes on below, on a line of its own
    else if (typed) this.put({ html: new Option(typed).innerHTML, text: typed }); // refused: what was typed is there again
  }

  cut({ range, start, end, text }) {
    if (range) {
      this.editor.squire.saveUndoState(range);
      range.deleteContents();
      this.editor.squire.setSelection(range);
    } else this.field.setRangeText("", start, end, "end");
    return text;
  }

  put({ html, text }) {
    this.field.focus();
    if (this.editor.isRich) this.editor.squire.insertHTML(html);
    else this.field.setRangeText(text, this.field.selectionStart, this.field.selectionEnd, "end");
    this.form.dispatchEvent(new Event("input"));
  }
}
