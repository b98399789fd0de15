// <push-here data-key data-worker>: lets this browser be pushed to. Asks for leave when its button is pressed, never before.
const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

class PushHere extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form");
    if (!("serviceWorker" in navigator && "PushManager" in window)) return;
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      if (form.elements.endpoint.value) return;
      event.preventDefault();
      this.subscribe(form).catch(() => this.say(this.dataset.failed));
    });
  }

  say(text) {
    this.querySelector("[role=status]").textContent = text;
  }

  async subscribe(form) {
    if (await Notification.requestPermission() !== "granted") return this.say(this.dataset.denied);
    const registration = await navigator.serviceWorker.register(this.dataset.worker);
    const wanted = { userVisibleOnly: true, applicationServerKey: bytesOf(this.dataset.key) };
    await (await registration.pushManager.getSubscription())?.unsubscribe(); // of an older key, or another person
    const active = await this.activeOf(registration);
    const given = await active.pushManager.subscribe(wanted);
    form.elements.endpoint.value = given.endpoint;
    form.elements.p256dh.value = textOf(given.getKey("p256dh"));
    form.elements.auth.value = textOf(given.getKey("auth"));
    form.requestSubmit();
  }

  // A worker of a narrower scope than this page never becomes `ready` for it: wait for it by hand.
  activeOf(registration) {
    const worker = registration.installing ?? registration.waiting;
    if (!worker || registration.active) return registration;
    return new Promise((done) => worker.addEventListener("statechange", () => worker.state === "activated" && done(registration)));
  }
}

customElements.define("push-here", PushHere);
