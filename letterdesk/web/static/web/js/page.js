// Everything that a page of Letterdesk does by itself. Without it, links and forms still work.
import { dismissToasts } from "./toasts.js";
import { fitFrames } from "./frame.js";
import { listenKeys } from "./keys.js";
import { listenMenus } from "./menus.js";
import { goLive } from "./live.js";
import { keepShell } from "./shell.js";
import { listenActs } from "./acts.js";
import { lookAhead } from "./ahead.js";
import { listenPicks } from "./pick.js";
import { listenQuick } from "./quick.js";
import { followReading } from "./reading.js";
import { keepList } from "./list.js";
import { showPresence } from "./presence.js";

dismissToasts();
fitFrames();
followReading();
listenKeys();
listenMenus();
keepList();
listenActs();
lookAhead();
listenPicks();
listenQuick();
keepShell();
goLive();
showPresence();

// What a list seldom needs comes when it is needed: settings and other forms, and what the search field proposes.
if (!document.getElementById("rows")) import("./forms.js").then(({ helpForms }) => helpForms());

if (document.querySelector("[data-looks]")) import("./theme.js").then(({ followLooks }) => followLooks());
if (document.querySelector("push-here")) import("./push.js");

addEventListener("focusin", async function proposeOnce({ target }) {
  if (!target.closest("form[data-suggest]")) return;
  removeEventListener("focusin", proposeOnce);
  const { offerSuggestions } = await import("./suggest.js");
  offerSuggestions();
  target.dispatchEvent(new Event("focus"));
});
