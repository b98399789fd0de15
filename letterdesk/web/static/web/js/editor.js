// The field of a letter: Squire with our toolbar. Without script the textarea beside it is the field, in plain text.
import Squire from "../vendor/squire-2.4.8.min.js";
import { cleaned } from "./cleaning.js";

const FORMATS = {
  bold: ["B", (on, editor) => (on ? editor.removeBold() : editor.bold())],
  italic: ["I", (on, editor) => (on ? editor.removeItalic() : editor.italic())],
  underline: ["U", (on, editor) => (on ? editor.removeUnderline() : editor.underline())],
  bullets: ["UL", (on, editor) => (on ? editor.removeList() : editor.makeUnorderedList())],
  numbers: ["OL", (on, editor) => (on ? editor.removeList() : editor.makeOrderedList())],
  quote: ["BLOCKQUOTE", (on, editor) => (on ? editor.decreaseQuoteLevel() : editor.increaseQuoteLevel())],
  clear: ["", (on, editor) => editor.removeAllFormatting()],
};

export class Editor {
  constructor(form) {
    this.form = form;
    this.box = form.querySelector("[data-editor]");
    this.plain = form.elements.text;
    this.root = this.box.querySelector("[data-letter]");
    this.squire = new Squire(this.root, { sanitizeToDOMFragment: (html) => cleaned(html), blockTag: "DIV" });
    this.squire.setHTML(form.querySelector("[data-letter-html]").innerHTML);
    this.bar = this.box.querySelector("[role=toolbar]");
    this.listen();
    this.show("rich" in form.dataset);
  }

  get isRich() {
    return !this.box.hidden;
  }

  html() {
    return this.squire.getHTML();
  }

  show(rich) {
    this.box.hidden = !rich;
    this.plain.closest("[data-plain]").hidden = rich;
    for (const button of this.form.querySelectorAll("[data-mode]")) button.hidden = (button.dataset.mode === "rich") === rich;
  }

  toPlain() {
    this.plain.value = this.root.innerText.replace(/\u00a0/g, " ").trimEnd();
    this.show(false);
    this.plain.focus();
  }

  toRich() {
    const lines = this.plain.value.split("\n").map((line) => {
      const block = document.createElement("div");
      block.append(line || document.createElement("br"));
      return block.outerHTML;
    });
    this.squire.setHTML(lines.join(""));
    this.show(true);
    this.squire.focus();
  }

  listen() {
    this.box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-format]");
      if (button) this.format(button);
    });
    this.bar.addEventListener("keydown", (event) => this.step(event));
    this.bar.addEventListener("mousedown", (event) => event.target.closest("button") && event.preventDefault());
    this.form.addEventListener("click", (event) => {
      const mode = event.target.closest("[data-mode]")?.dataset.mode;
      if (mode) mode === "rich" ? this.toRich() : this.toPlain();
      if (mode) this.form.dispatchEvent(new Event("input"));
    });
    for (const name of ["pathChange", "select", "input"]) this.squire.addEventListener(name, () => this.state());
    this.squire.addEventListener("input", () => this.form.dispatchEvent(new Event("input")));
  }

  state() {
    for (const button of this.bar.querySelectorAll("[data-format]")) {
      const [tag] = FORMATS[button.dataset.format] ?? ["A"];
      if (tag) button.setAttribute("aria-pressed", this.squire.hasFormat(tag));
    }
  }

  format(button) {
    if (button.dataset.format === "link") return this.link(button);
    const [tag, act] = FORMATS[button.dataset.format];
    act(Boolean(tag) && this.squire.hasFormat(tag), this.squire);
    this.squire.focus();
    this.state();
  }

  link(button) {
    if (this.squire.hasFormat("A")) return this.squire.removeLink();
    const typed = prompt(button.dataset.ask, "https://")?.trim();
    if (!typed || typed === "https://") return this.squire.focus();
    const address = /^(?:https?:|mailto:|tel:)/i.test(typed) ? typed : /^\S+@\S+$/.test(typed) ? `mailto:${typed}` : `https://${typed}`;
    this.squire.makeLink(address);
    return this.squire.focus();
  }

  // One Tab stop, arrows inside (ARIA authoring practices, toolbar).
  step(event) {
    const all = [...this.bar.querySelectorAll("button:not([hidden])")];
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = all[(all.indexOf(document.activeElement) + by + all.length) % all.length];
    for (const each of all) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  }

  picture(address, name) {
    this.squire.focus();
    this.squire.insertImage(address, { alt: name });
  }

  // The signature of another sender takes the place of the one before, wherever it still stands as it was.
  sign(before, after) {
    if (!this.isRich) {
      if (before.text && this.plain.value.includes(before.text)) this.plain.value = this.plain.value.replace(before.text, () => after.text);
      return;
    }
    const html = this.html();
    const probe = document.createElement("div");
    probe.append(cleaned(before.html));
    if (before.html && html.includes(probe.innerHTML)) this.squire.setHTML(html.replace(probe.innerHTML, () => after.html));
  }

  start() {
    if (!this.isRich) return this.plain.focus();
    this.squire.moveCursorToStart();
    return this.squire.focus();
  }
}
