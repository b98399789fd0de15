// Small helps for forms; each form works without them. Copy a text, show a password, recount what a depth would fetch,
// and lead the focus to the step that failed.
const all = (selector) => document.querySelectorAll(selector);

function copyTexts() {
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(text.value);
        button.textContent = button.dataset.done;
      } catch {
        text.select(); // not allowed here: the text is marked, Ctrl+C does the rest
      }
    });
  }
}

function showPasswords() {
  for (const label of all("[data-show-password]")) {
    label.hidden = false;
    const field = document.getElementById(label.dataset.showPassword);
    label.querySelector("input").addEventListener("change", (event) => (field.type = event.target.checked ? "text" : "password"));
  }
}

function recount(select, boxes) {
  const language = document.documentElement.lang;
  const [count, size] = [new Intl.NumberFormat(language), new Intl.NumberFormat(language, { maximumFractionDigits: 0 })];
  for (const option of select.options) {
    const sums = [...boxes].filter((box) => box.checked).map((box) => JSON.parse(box.dataset.amounts)[option.value]).filter(Boolean);
    const [letters, bytes] = sums.reduce(([one, two], [more, size]) => [one + more, two + size], [0, 0]);
    if (sums.length) option.textContent = select.dataset.text.replace("{label}", option.dataset.label).replace("{letters}", count.format(letters)).replace("{size}", size.format(bytes / 1e6));
  }
}

function countDepths() {
  const select = document.querySelector("[data-depths]");
  const boxes = all("[data-amounts]");
  if (!select || boxes.length === 0) return;
  for (const box of boxes) box.addEventListener("change", () => recount(select, boxes));
}

// What takes seconds says so; coming back by the back button finds the form as it was.
function sayBusy() {
  for (const said of all("[data-busy]")) {
    said.closest("form").addEventListener("submit", () => (said.hidden = false));
    addEventListener("pageshow", () => (said.hidden = true));
  }
}

export function helpForms() {
  copyTexts();
  showPasswords();
  countDepths();
  sayBusy();
  document.querySelector("[data-focus]")?.focus();
}
