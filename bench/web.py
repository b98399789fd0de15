"""The pages as a browser and a quick HTTP client see them: `python -m bench.web word …`.

The processes are the real ones (granian); the browser is Debian's Chromium, headless, 1440 × 900, on loopback.
"""

import gzip
import http.client
import json
import shutil
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .engine import largest_folder, typical_conversation  # isort: skip  it sets Django up

from django.conf import settings
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.rig.ports import free_port, wait_for_port

from .watched import session_of_ada, started

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SLOWER = 4  # times: the CPU of a cheap laptop
STEPS = 20  # j and k each
OPENED = 8  # conversations
SEEN_FROM = 16  # ms: an interaction that took less is not told apart by the browser
MEDIANS = ("js_bytes", "all_bytes", "header_bytes", "requests", "lcp_ms", "cls")
OBSERVE = """
window.bench = {lcp: 0, cls: 0, events: {}};
new PerformanceObserver(list => { for (const e of list.getEntries()) bench.lcp = e.startTime; })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries()) if (!e.hadRecentInput) bench.cls += e.value; })
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => { for (const e of list.getEntries()) if (e.interactionId)
  bench.events[e.interactionId] = Math.max(bench.events[e.interactionId] || 0, e.duration); })
  .observe({type: 'event', durationThreshold: 16, buffered: true});
"""
OPEN = """async link => {
  const before = document.querySelector('#read article')?.dataset.id, begin = performance.now();
  link.click();
  const isOpen = () => (document.querySelector('#read article')?.dataset.id ?? before) !== before;
  while (!isOpen()) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""


def main(*words: str) -> dict[str, Any]:
    """What a browser and an HTTP client see of the largest folder."""
    inbox = largest_folder()
    list_path = f"/mail/{inbox.public_id}"
    conversation_path = f"{list_path}/{typical_conversation(inbox).public_id}"
    listen, session = f"127.0.0.1:{free_port()}", session_of_ada()
    with started("web", "--listen", listen) as process:
        wait_for_port(int(listen.rpartition(":")[2]), timeout=60, alive=lambda: process.poll() is None)
        client = HttpClient(listen, session)
        times = {
            "list": client.median(list_path, 30),
            "conversation": client.median(conversation_path, 30, htmx=True),
            "search": client.median(f"/search?q={quote(words[0])}", 20),
        }
        return {"http": times, "browser": in_browser(f"http://{listen}", list_path, session) if CHROMIUM else None}


class HttpClient:
    """A signed-in client that keeps its connection."""

    def __init__(self, listen: str, session: str) -> None:
        self._connection = http.client.HTTPConnection(listen, timeout=60)
        self._headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session}", "Accept-Encoding": "gzip"}

    def median(self, path: str, times: int, *, htmx: bool = False) -> float:
        """Seconds from the request to the last byte of the answer, after three turns to warm up."""
        return statistics.median([self.seconds(path, htmx=htmx) for _ in range(times + 3)][3:])

    def seconds(self, path: str, *, htmx: bool = False) -> float:
        """Seconds from the request to the last byte of the answer."""
        begin = time.perf_counter()
        self._get(path, {"HX-Request": "true"} if htmx else {})
        return time.perf_counter() - begin

    def _get(self, path: str, more: dict[str, str]) -> bytes:
        self._connection.request("GET", path, headers={**self._headers, **more})
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:500])
        return body


def in_browser(address: str, list_path: str, session: str) -> dict[str, Any]:
    """Bytes, paint, shift and interactions of the list page in Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            colds = [cold(context(browser, address, session), address + list_path) for _ in range(5)]
            used = context(browser, address, session)
            return {**cold_medians(colds), **warm(used, address + list_path)}
        finally:
            browser.close()


def context(browser: Any, address: str, session: str) -> BrowserContext:
    """A browser with empty caches, signed in."""
    made: BrowserContext = browser.new_context(viewport={"width": 1440, "height": 900})
    made.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    return made


def cold(fresh: BrowserContext, address: str) -> dict[str, Any]:
    """One visit with empty caches: bytes as they travelled, largest contentful paint, layout shift."""
    page = fresh.new_page()
    page.add_init_script(OBSERVE)
    seen_of: dict[str, Loaded] = {}
    wire = fresh.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.responseReceived", lambda told: _begin(seen_of, told))
    wire.on("Network.loadingFinished", lambda told: _end(seen_of, told))
    page.goto(address)
    page.wait_for_timeout(1500)
    seen = page.evaluate("({lcp: bench.lcp, cls: bench.cls})")
    loaded = [each for each in seen_of.values() if each.total]
    worker = _worker_bytes(page, loaded)
    fresh.close()
    return {
        "js_bytes": sum(each.content for each in loaded if each.kind == "Script") + worker,
        "all_bytes": sum(each.content for each in loaded) + worker,
        "header_bytes": sum(each.total - each.content for each in loaded),
        "requests": len(loaded) + (worker > 0),
        "lcp_ms": seen["lcp"],
        "cls": seen["cls"],
        "files": [(each.url, each.content) for each in loaded],
    }


@dataclass
class Loaded:
    """One answer as it travelled, compressed."""

    url: str
    kind: str
    headers: int
    total: int = 0

    @property
    def content(self) -> int:
        """Bytes without the headers."""
        return self.total - self.headers


def _begin(seen_of: dict[str, Loaded], told: dict[str, Any]) -> None:
    answer = told["response"]
    seen_of[told["requestId"]] = Loaded(answer["url"], told["type"], headers=int(answer["encodedDataLength"]))


def _end(seen_of: dict[str, Loaded], told: dict[str, Any]) -> None:
    if told["requestId"] in seen_of:
        seen_of[told["requestId"]].total = int(told["encodedDataLength"])


def _worker_bytes(page: Page, loaded: list[Loaded]) -> int:
    """The shared worker's script, which is loaded outside of the page and so not seen there."""
    if any("live-worker" in each.url for each in loaded):
        return 0
    answer = page.request.get(page.url.split("/mail/")[0] + "/static/web/js/live-worker.js")
    return len(gzip.compress(answer.body())) if answer.ok else 0


def cold_medians(colds: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each figure; the files of one visit."""
    medians = {key: statistics.median(each[key] for each in colds) for key in MEDIANS}
    return {**medians, "files": colds[0]["files"]}


def warm(used: BrowserContext, address: str) -> dict[str, Any]:
    """On a slower CPU: j and k through the list, then conversations opened one after the other."""
    page = used.new_page()
    page.add_init_script(OBSERVE)
    page.goto(address)
    page.wait_for_timeout(1000)
    used.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    for key in "j" * (STEPS + 1) + "k" * STEPS:
        page.keyboard.press(key)
        page.wait_for_timeout(120)
    page.wait_for_timeout(500)
    told = list(page.evaluate("Object.values(bench.events)"))
    quick = [SEEN_FROM] * max(0, 2 * STEPS + 1 - len(told))
    links = page.locator(".row-subj a")
    opened = [links.nth(number).evaluate(OPEN) for number in range(OPENED + 1)][1:]
    return {"interactions_ms": told + quick, "open_ms": opened}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
