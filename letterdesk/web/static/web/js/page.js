// Everything that a page of Letterdesk does by itself. Without it, links and forms still work.
import { dismissToasts } from "./toasts.js";
import { followLooks } from "./theme.js";
import { fitFrames } from "./frame.js";
import { listenKeys } from "./keys.js";
import { goLive } from "./live.js";
import { offerSuggestions } from "./suggest.js";
import { keepShell } from "./shell.js";
import { listenActs } from "./acts.js";
import { listenPicks } from "./pick.js";
import { listenQuick } from "./quick.js";
import { followReading } from "./reading.js";
import { keepList } from "./list.js";
import { helpForms } from "./forms.js";

dismissToasts();
followLooks();
fitFrames();
followReading();
listenKeys();
keepList();
helpForms();
listenActs();
listenPicks();
listenQuick();
keepShell();
offerSuggestions();
goLive();
