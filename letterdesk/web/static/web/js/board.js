// <task-board>: cards are put into places by mouse, by their menus, or by Shift and the arrow keys. What the reader does
// is shown at once; the server is told what they saw, and what it answers holds. Without it, the menus still work.
import { addToasts, say } from "./toasts.js";

const PAUSE = 400;
const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"];
const placeOf = (node) => node?.closest?.("[data-put]");
const cardOf = (node) => node?.closest?.("[data-card]");

class TaskBoard extends HTMLElement {
  connectedCallback() {
    for (const name of ["dragstart", "dragover", "dragleave", "dragend", "drop", "keydown", "submit"]) this.addEventListener(name, this);
    document.addEventListener("letterdesk:tasks", () => this.soon());
    document.addEventListener("letterdesk:resync", () => this.soon());
    this.words = this.querySelector("[data-words]");
    this.arrange();
  }

  handleEvent(event) {
    this[event.type](event);
  }

  arrange() {
    for (const card of this.querySelectorAll("[data-card]")) card.draggable = true;
  }

  // With the mouse

  dragstart(event) {
    this.held = cardOf(event.target);
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", this.held.querySelector("a").href);
    this.held.classList.add("moving");
  }

  dragover(event) {
    const place = this.held && placeOf(event.target);
    if (!place) return;
    event.preventDefault();
    place.classList.add("over");
  }

  dragleave(event) {
    const place = placeOf(event.target);
    if (place && !place.contains(event.relatedTarget)) place.classList.remove("over");
  }

  dragend() {
    this.held?.classList.remove("moving");
    this.held = undefined;
    for (const place of this.querySelectorAll(".over")) place.classList.remove("over");
  }

  drop(event) {
    const place = placeOf(event.target);
    if (!this.held || !place) return;
    event.preventDefault();
    this.put(this.held, place);
    this.dragend();
  }

  // With the keys: arrows go from card to card, with Shift they take the card along

  keydown(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -(this.dataset.step ?? 0), ArrowDown: +(this.dataset.step ?? 0) }[event.key];
    const card = cardOf(event.target);
    if (by === undefined || !card || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.shiftKey) return by && this.put(card, this.beside(card, by), { focus: true });
    const all = [...this.querySelectorAll("[data-card]")];
    const on = ["ArrowUp", "ArrowLeft"].includes(event.key) ? -1 : 1;
    const next = by && !this.dataset.step ? this.acrossFrom(card, on) : all[all.indexOf(card) + on];
    next?.querySelector("a").focus();
  }

  beside(card, by) {
    const places = [...this.querySelectorAll("[data-put]")];
    const at = places.indexOf(placeOf(card));
    return places[at < 0 ? (by > 0 ? 0 : -1) : at + by];
  }

  acrossFrom(card, on) {
    const columns = [...this.querySelectorAll("[data-cards]")].filter((each) => each.contains(card) || each.querySelector("[data-card]"));
    return columns[columns.findIndex((each) => each.contains(card)) + on]?.querySelector("[data-card]");
  }

  // By the menu of a card

  submit(event) {
    const card = cardOf(event.target);
    if (!card) return;
    event.preventDefault();
    const asked = new FormData(event.target, event.submitter);
    const place = [...this.querySelectorAll("[data-put]")].find(({ dataset }) => asked.get(dataset.put) === dataset.value);
    card.querySelector("details").open = false;
    if (place) this.put(card, place, { focus: true });
    else this.tell(card, asked.get("day"), "day", true);
  }

  put(card, place, { focus = false } = {}) {
    if (!place || place === placeOf(card)) return;
    place.querySelector("[data-cards]").prepend(card);
    this.words.textContent = `${card.querySelector("bdi").textContent}: ${place.dataset.said}`;
    return this.tell(card, place.dataset.value, place.dataset.put, focus);
  }

  async tell(card, value, name, focus) {
    const body = new URLSearchParams({ [name]: value, seen: card.dataset.seen, next: location.pathname + location.search });
    const headers = { "X-CSRFToken": token(), "HX-Request": "true" };
    if (focus) card.querySelector("a").focus();
    const answer = await fetch(card.dataset.to, { method: "POST", headers, body }).catch(() => null);
    if (answer?.status === 409) addToasts(await answer.text());
    else if (!answer?.ok) say(this.words.dataset[answer ? "gone" : "lost"]);
    await this.refresh(focus && card.id);
  }

  // What colleagues do comes by itself, but never under a hand that holds a card or a menu that is open.
  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => {
      const focused = this.contains(document.activeElement) && document.activeElement;
      const card = focused && cardOf(focused);
      if (this.held || (focused && !card) || this.querySelector("details[open]")) this.soon();
      else this.refresh(card?.id);
    }, PAUSE);
  }

  async refresh(focused) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const answer = await fetch(location.href).catch(() => null);
    if (!answer?.ok || answer.redirected || turn !== this.turn) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-fresh]");
    if (!fresh || this.held) return;
    this.querySelector("[data-fresh]").replaceWith(fresh);
    this.arrange();
    if (focused) document.getElementById(focused)?.querySelector("a").focus();
  }
}

customElements.define("task-board", TaskBoard);
