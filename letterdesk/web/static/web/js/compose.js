// Writing a letter: saved while one types, by the version that was seen; nothing is overwritten, nothing is lost.
// Without it the form saves and sends all the same. The page loads this alone: of what other pages do (page.js) only
// what is of use where one writes.
import { Attaching } from "./attaching.js";
import { Editor } from "./editor.js";
import { fetchKeysWhenWanted } from "./keys-late.js";
import { goLive } from "./live.js";
import { listenMenus } from "./menus.js";
import { showPresence } from "./presence.js";
import { Recipients } from "./recipients.js";
import { keepShell } from "./shell.js";
import { dismissToasts } from "./toasts.js";

const PAUSE = 1500; // ms without a key, then it is saved
const LONGEST = 10_000; // ms of typing without a pause
const OUTLIVES = 10_000; // characters of a letter: a browser takes 64 KiB in all from a page that is gone
const form = document.querySelector("form[data-compose]");

class Letter {
  constructor() {
    this.form = form;
    this.editor = new Editor(form);
    this.attaching = new Attaching(form, this.editor);
    this.told = form.querySelector("[data-saved]") ?? document.createElement("span");
    this.saving = Promise.resolve();
    for (const row of form.querySelectorAll("[data-recipients]")) new Recipients(row);
    this.listen();
    this.hear();
    this.copies();
    this.focus();
    this.findTemplates();
  }

  // The list of templates comes with the first "/".
  findTemplates() {
    const body = form.querySelector("[data-finder]").parentElement;
    body.addEventListener("input", async (event) => {
      if (this.finder || event.data !== "/") return;
      this.finder = true;
      const { Finder } = await import("./finder.js");
      this.finder = new Finder(this);
      this.finder.look();
    });
  }

  listen() {
    form.addEventListener("input", () => this.changed());
    form.addEventListener("submit", (event) => this.submit(event));
    form.addEventListener("change", (event) => event.target.name === "sender" && this.sign(event.target));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      form.requestSubmit((event.shiftKey && form.querySelector("[data-send-close]")) || form.querySelector("[data-send]"));
    });
    form.querySelector("[data-overwrite]")?.addEventListener("click", () => this.overwrite());
    addEventListener("visibilitychange", () => document.hidden && this.save());
    addEventListener("beforeunload", (event) => (this.dirty || this.attaching.under) && !this.leaving && event.preventDefault());
  }

  // What happens in the conversation meanwhile is said at once, not only when the letter is sent.
  hear() {
    const news = document.querySelector("[data-news]");
    const look = async () => {
      this.looking = undefined;
      if (this.leaving) return; // it is being sent: there is no draft any more
      const answer = await fetch(news.dataset.news, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (answer?.ok && !form.querySelector(".compose-collision")) news.innerHTML = await answer.text();
    };
    document.addEventListener("letterdesk:change", ({ detail }) => {
      if (/^(message\.received|letter\.|conversation\.merged)/.test(detail.kind)) this.looking ??= setTimeout(look, 1000);
    });
  }

  copies() {
    for (const button of form.querySelectorAll("[data-show]")) {
      const row = document.getElementById(button.dataset.show);
      row.hidden = !row.querySelector("input").value;
      button.hidden = !row.hidden;
      button.addEventListener("click", () => { row.hidden = false; button.hidden = true; row.querySelector("input:not([type=hidden])").focus(); });
    }
  }

  focus() {
    const first = document.getElementById(form.elements.to.value ? "letter" : "draft-to");
    const told = document.querySelector("[data-focus]");
    if (told) return told.focus();
    return form.elements.to.value ? this.editor.start() : first?.focus();
  }

  changed() {
    this.dirty = true;
    this.since ??= Date.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), Date.now() - this.since > LONGEST ? 0 : PAUSE);
  }

  fill() {
    form.elements.format.value = this.editor.isRich ? "html" : "plain"; // only with the text itself: else the form says "text", and nothing was touched
    if (this.editor.isRich) form.elements.html.value = this.editor.html();
  }

  save() {
    if (!this.dirty || this.stopped) return this.saving;
    this.saving = this.saving.then(() => this.send());
    return this.saving;
  }

  async send() {
    this.dirty = false;
    this.since = undefined;
    this.fill();
    const body = new FormData(form);
    body.delete("file");
    const keepalive = document.hidden && form.elements.html.value.length < OUTLIVES; // the page may be going
    const answer = await fetch(form.action, { method: "POST", body, keepalive, headers: { "HX-Request": "true" } }).catch(() => null);
    const said = answer && (answer.headers.get("Content-Type") ?? "").includes("json") ? await answer.json() : null;
    if (answer?.ok && said) return this.saved(said);
    this.dirty = true;
    if (said?.newer) return this.refused(said);
    this.told.textContent = said?.told ?? form.dataset.unsaved;
    this.timer = setTimeout(() => this.save(), 5000); // no connection: again until it is there
  }

  // A template filled in for what is written so far; its files are taken along by the server.
  fetchTemplate(name) {
    const asked = this.saving.then(async () => {
      clearTimeout(this.timer);
      this.fill();
      const body = new FormData(form);
      body.delete("file");
      body.set("template", name);
      const answer = await fetch(form.dataset.templateUse, { method: "POST", body, headers: { "HX-Request": "true" } }).catch(() => null);
      const said = answer && (answer.headers.get("Content-Type") ?? "").includes("json") ? await answer.json() : null;
      if (said?.version) form.elements.seen.value = said.version; // refused, too: what is written was saved before
      if (!answer?.ok || !said) { this.told.textContent = said?.told ?? form.dataset.unsaved; this.told.classList.add("error"); return null; }
      this.saved(said);
      this.attaching.show(said.files);
      if (!form.elements.subject.value.trim()) form.elements.subject.value = said.subject;
      return said;
    });
    this.saving = asked.catch(() => null);
    return asked;
  }

  saved(said) {
    form.elements.seen.value = said.version;
    this.told.textContent = said.told;
    this.told.classList.remove("error");
  }

  refused(said) {
    this.stopped = true;
    this.newer = said.newer;
    const note = form.querySelector("[data-conflict]");
    note.hidden = false;
    note.querySelector("p").textContent = said.told;
    this.told.textContent = form.dataset.unsaved;
  }

  overwrite() {
    form.elements.seen.value = this.newer;
    this.stopped = false;
    form.querySelector("[data-conflict]").hidden = true;
    this.save();
  }

  sign(select) {
    const signature = (option) => ({ html: option.dataset.html, text: option.dataset.text });
    const before = [...select.options].find((option) => option.value === this.sender) ?? select.querySelector("[selected]") ?? select.options[0];
    this.editor.sign(signature(before), signature(select.selectedOptions[0]));
    this.sender = select.value;
  }

  async submit(event) {
    if (this.leaving) return;
    event.preventDefault();
    const button = event.submitter;
    if (this.attaching.under) { this.told.textContent = form.dataset.wait; return; }
    clearTimeout(this.timer);
    await this.saving;
    this.fill();
    this.leaving = true;
    setTimeout(() => form.requestSubmit(button)); // a form that is submitting takes no second order
  }
}

dismissToasts();
listenMenus();
fetchKeysWhenWanted();
new Letter();
keepShell();
goLive();
showPresence();
addEventListener("pageshow", (event) => event.persisted && location.reload()); // back: as it stands on the server
