// Files of a letter: by button, drop or paste, one request each, with what has gone up so far. Pictures that are pasted
// stand in the text; what is dropped asks by where it is dropped.
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;

export class Attaching {
  constructor(form, editor) {
    Object.assign(this, { form, editor, words: form.dataset, list: form.querySelector("[data-files]"), under: 0 });
    this.listen();
  }

  listen() {
    const field = this.form.querySelector("input[type=file]"); // not where one decides about a collision
    field?.addEventListener("change", () => { this.take([...field.files]); field.value = ""; });
    this.list.addEventListener("click", (event) => this.remove(event));
    this.editor.squire.addEventListener("pasteImage", (event) => this.take([...event.detail.clipboardData.files], true));
    this.editor.squire.addEventListener("willPaste", (event) => this.takeData(event.detail.fragment));
    this.dropping();
  }

  dropping() {
    const zone = this.form.querySelector("[data-drop]");
    const withFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    let leaving;
    const hide = () => (zone.hidden = true);
    addEventListener("dragover", (event) => {
      if (!withFiles(event)) return;
      event.preventDefault();
      clearTimeout(leaving);
      zone.hidden = false;
    });
    addEventListener("dragleave", () => { clearTimeout(leaving); leaving = setTimeout(hide, 120); });
    addEventListener("drop", (event) => {
      if (!withFiles(event)) return;
      event.preventDefault();
      hide();
      this.take([...event.dataTransfer.files], Boolean(event.target.closest?.("[data-drop-inline]")));
    });
  }

  // Pictures written into pasted HTML become files of the letter.
  takeData(fragment) {
    for (const picture of fragment?.querySelectorAll('img[src^="data:"]') ?? []) {
      const [, type, body] = /^data:(image\/[a-z]+);base64,(.*)$/i.exec(picture.src) ?? [];
      picture.remove();
      if (type) this.take([new File([Uint8Array.from(atob(body), (sign) => sign.charCodeAt(0))], `picture.${type.slice(6)}`, { type })], true);
    }
  }

  take(files, inline = false) {
    for (const file of files) this.send(file, inline && this.editor.isRich && PICTURE.test(file.type));
  }

  send(file, inline) {
    const line = this.line(file);
    if (file.size > Number(this.words.largest)) return this.fail(line, this.words.tooLarge.replace("{name}", file.name));
    const body = new FormData();
    body.append("file", file, file.name || "picture.png");
    if (inline) body.append("inline", "yes");
    const request = new XMLHttpRequest();
    request.open("POST", this.words.filesAddress);
    request.setRequestHeader("X-CSRFToken", this.form.elements.csrfmiddlewaretoken.value);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => (line.querySelector("progress").value = event.loaded / event.total));
    request.addEventListener("load", () => this.done(line, request, inline));
    request.addEventListener("error", () => this.fail(line, this.words.lost));
    request.addEventListener("loadend", () => this.under--);
    this.under++;
    request.send(body);
    return request;
  }

  line(file) {
    const line = document.createElement("li");
    line.className = "compose-file";
    const name = Object.assign(document.createElement("bdi"), { textContent: file.name });
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", file.name);
    line.append(name, bar);
    this.list.append(line);
    return line;
  }

  done(line, request, inline) {
    const fresh = new DOMParser().parseFromString(request.responseText, "text/html");
    const kept = fresh.querySelector("li.compose-file");
    if (request.status !== 200 || !kept) return this.fail(line, fresh.querySelector(".toast span")?.textContent ?? this.words.lost);
    line.replaceWith(kept);
    if (inline) this.editor.picture(kept.dataset.address, kept.querySelector("bdi").textContent);
    return this.form.dispatchEvent(new Event("input"));
  }

  // Lines of all files of the letter: those that are not here yet come below.
  show(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const here = new Set([...this.list.children].map((line) => line.dataset.address));
    this.list.append(...[...fresh.querySelectorAll("li.compose-file")].filter((line) => !here.has(line.dataset.address)));
  }

  fail(line, text) {
    line.className = "compose-file error";
    line.setAttribute("role", "alert");
    line.textContent = text;
    const off = Object.assign(document.createElement("button"), { type: "button", className: "icon-btn small", textContent: "×" });
    off.setAttribute("aria-label", this.words.dismiss);
    off.addEventListener("click", () => line.remove());
    line.append(off);
  }

  async remove(event) {
    const button = event.target.closest("[data-remove]");
    if (!button) return;
    event.preventDefault();
    const line = button.closest("li");
    const headers = { "X-CSRFToken": this.form.elements.csrfmiddlewaretoken.value, "HX-Request": "true" };
    const answer = await fetch(button.formAction, { method: "POST", headers }).catch(() => null);
    if (!answer?.ok) return;
    for (const picture of this.editor.root.querySelectorAll(`img[src="${line.dataset.address}"]`)) picture.remove();
    line.remove();
  }
}
