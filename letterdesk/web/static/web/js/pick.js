// Ticks: one, a range with Shift, all on the page. What is ticked goes with the list's form; no script needed for that.
const boxes = () => [...document.querySelectorAll(":is(#rows, [data-rows]) .pick input")];
const wholeBox = () => document.querySelector('[name="all"]');
let last; // the value of the box that was ticked last: the box itself may have been drawn anew

export const picked = () => [...document.querySelectorAll("#rows li.row:has(> .pick input:checked)")];
export const wholeList = () => wholeBox()?.checked === true;
export const leaving = new Set(); // ids of rows that are on their way out: a refresh must not bring them back

export function pick(row, on) {
  const box = row?.querySelector(":scope > .pick input, :scope > td > .pick input");
  if (!box) return;
  box.checked = on ?? !box.checked;
  last = box.value;
  notAll(box);
  count();
}

// Who takes one out does not mean all any more.
function notAll(box) {
  if (!box.checked && wholeBox()) wholeBox().checked = false;
}

export function clearPicks() {
  for (const box of boxes()) box.checked = false;
  if (wholeBox()) wholeBox().checked = false;
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
  const number = boxes().filter((box) => box.checked).length;
  const all = wholeList() && told.dataset.all;
  told.textContent = number ? all || told.dataset.one.replace("0", number) : "";
  const page = document.getElementById("pick-page");
  page.checked = number > 0 && number === boxes().length;
  page.indeterminate = number > 0 && !page.checked;
}

export function listenPicks() {
  for (const each of document.querySelectorAll("[data-only-script]")) each.hidden = false;
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-clear]")) return clearPicks();
    const box = event.target.closest?.(".pick input");
    if (!box || box.id === "pick-page") return;
    if (event.shiftKey && last && last !== box.value) range(box);
    last = box.value;
    notAll(box);
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
