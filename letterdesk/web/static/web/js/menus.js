// Menus of the page: one is open at a time, and Escape closes it and gives the focus back.
function closeOthers({ target }) {
  for (const menu of document.querySelectorAll(".menu[open]")) if (menu !== target.closest?.(".menu")) menu.open = false;
}

function leave(event) {
  const menu = event.key === "Escape" && event.target.closest?.(".menu[open]");
  if (!menu) return;
  event.stopImmediatePropagation();
  menu.open = false;
  menu.querySelector("summary").focus();
}

export function listenMenus() {
  document.addEventListener("click", closeOthers);
  document.addEventListener("keydown", leave, true);
}
