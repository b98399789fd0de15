// Ticks: one, a range with Shift, all on the page. What is ticked goes with the list's form; no script needed for that.
const boxes = () => [...document.querySelectorAll("#rows .pick input")];
let last; // the value of the box that was ticked last: the box itself may have been drawn anew

export const picked = () => [...document.querySelectorAll("#rows li.row:has(> .pick input:checked)")];
export const wholeList = () => document.querySelector('[name="all"]')?.checked === true;
export const leaving = new Set(); // ids of rows that are on their way out: a refresh must not bring them back

export function pick(row, on) {
  const box = row?.querySelector(":scope > .pick input");
  if (!box) return;
  box.checked = on ?? !box.checked;
  last = box.value;
  count();
}

export function clearPicks() {
  for (const box of boxes()) box.checked = false;
  const all = document.querySelector('[name="all"]');
  if (all) all.checked = false;
  count();
}

function range(box) {
  const all = boxes().filter((each) => each.checkVisibility());
  const [from, to] = [all.findIndex(({ value }) => value === last), all.indexOf(box)].sort((a, b) => a - b);
  if (from < 0) return;
  for (const each of all.slice(from, to + 1)) each.checked = box.checked;
}

export function count() {
  const told = document.getElementById("bulk-count");
  if (!told) return;
  const number = document.querySelectorAll("#rows .pick input:checked").length;
  told.textContent = number ? told.dataset.one.replace("0", number) : "";
  const page = document.getElementById("pick-page");
  page.checked = number > 0 && number === boxes().length;
  page.indeterminate = number > 0 && !page.checked;
}

export function listenPicks() {
  for (const each of document.querySelectorAll("[data-only-script]")) each.hidden = false;
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-clear]")) return clearPicks();
    const box = event.target.closest?.(".pick input");
    if (!box) return;
    if (event.shiftKey && last && last !== box.value) range(box);
    last = box.value;
    count();
  });
  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-page" || event.target.name === "all") {
      for (const box of boxes()) box.checked = event.target.checked;
      count();
    }
  });
  count();
}
