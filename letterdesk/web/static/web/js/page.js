// Everything that a page of Letterdesk does by itself. Without it, links and forms still work.
import { dismissToasts } from "./toasts.js";
import { followLooks } from "./theme.js";
import { fitFrames } from "./frame.js";
import { listenKeys } from "./keys.js";
import { goLive } from "./live.js";
import { keepShell } from "./shell.js";
import { listenActs } from "./acts.js";
import { lookAhead } from "./ahead.js";
import { listenPicks } from "./pick.js";
import { listenQuick } from "./quick.js";
import { followReading } from "./reading.js";
import { keepList } from "./list.js";

dismissToasts();
followLooks();
fitFrames();
followReading();
listenKeys();
keepList();
listenActs();
lookAhead();
listenPicks();
listenQuick();
keepShell();
goLive();

// What a list seldom needs comes when it is needed: settings and other forms, and what the search field proposes.
if (!document.getElementById("rows")) import("./forms.js").then(({ helpForms }) => helpForms());

document.addEventListener("letterdesk:employee", () => import("./notices.js").then(({ showNotices }) => showNotices()));

addEventListener("focusin", async function proposeOnce({ target }) {
  if (!target.closest("form[data-suggest]")) return;
  removeEventListener("focusin", proposeOnce);
  const { offerSuggestions } = await import("./suggest.js");
  offerSuggestions();
  target.dispatchEvent(new Event("focus"));
});
