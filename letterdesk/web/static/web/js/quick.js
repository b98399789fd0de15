// The quick actions of the row under the pointer or with the focus: one bar that moves, not fifty.
const bar = () => document.getElementById("quick");

function moveTo(row) {
  const quick = bar();
  if (!quick || !row || quick.parentElement === row || !row.querySelector(":scope > .pick")) return;
  quick.hidden = false;
  row.append(quick);
}

function away() {
  const quick = bar();
  if (!quick || quick.contains(document.activeElement)) return;
  quick.hidden = true;
  document.querySelector(".list")?.append(quick);
}

export function listenQuick() {
  if (matchMedia("(hover: none)").matches) return;
  document.addEventListener("pointerover", (event) => {
    const row = event.target.closest?.("#rows li.row");
    if (row) moveTo(row);
    else if (!event.target.closest?.("#quick")) away();
  });
  document.addEventListener("focusin", (event) => moveTo(event.target.closest?.("#rows li.row")));
}
