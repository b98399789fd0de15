"""Hostile letters in the real page: what runs, what is fetched, what moves, counted from outside of it (hard rule 7).

    def test_it(leakpage):                        # a canary on loopback and a browser that logs every host it asks for
        letters = leakpage.letters()              # the corpus of hostile.txt, one letter a line: [Hostile(...)]
        watch = leakpage.watch(page)              # before the page opens anything
        ...
        assert watch.harm() == []                 # nothing ran, nothing was fetched, nothing left its frame
        leakpage.canary.asked                     # requests that reached the canary, with their headers
        leakpage.names_asked()                    # after the browser is closed: hosts of the corpus that it looked up

The canary answers everything with a picture, so that what is fetched works. `bare(...)` is the counter-check: the same
letters in a page without any protection do leak, or they prove nothing.
"""

import base64
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CORPUS = Path(__file__).with_name("hostile.txt")
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAP///wAAACH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
NAMES = "leak.test"  # a host of this domain is known to nobody; asking for it is the leak
WALK = Path(__file__).with_name("walk.js").read_text("utf-8").partition("\n")[2]


@dataclass(frozen=True)
class Hostile:
    """One letter of the corpus: its cases, its line, and its HTML with the canary's addresses in it."""

    number: int
    cases: tuple[str, ...]
    line: str
    html: str

    @property
    def marker(self) -> str:
        """A word that is shown in the letter, and in no other."""
        return f"marker{self.number:03}end"

    def raw(self, *, first: str = "", **headers: str) -> bytes:
        """The letter as a server hands it out; `first`: the Message-ID that it answers."""
        message = EmailMessage()
        message["From"], message["To"] = "Mallory <mallory@mail.example>", "ines@acme.example"
        message["Subject"] = f"Letter {self.number}"
        message["Message-ID"] = f"<hostile-{self.number}@mail.example>"
        if first:
            message["In-Reply-To"] = message["References"] = first
        for name, value in headers.items():
            message[name.replace("_", "-")] = value
        message.set_content(self.marker)
        message.add_alternative(f"<p>{self.marker}</p>{self.html}", subtype="html")
        return message.as_bytes()


@dataclass
class Asked:
    """A request that reached the canary."""

    method: str
    path: str
    headers: dict[str, str]


class Canary:
    """An HTTP server on loopback that nobody has a reason to ask. `answers` gives paths another answer."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, Any] = {}
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                canary.asked.append(Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
                answer = canary.answers.get(urlsplit(self.path).path)
                if answer:
                    answer(self)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "image/gif")
                self.send_header("Content-Length", str(len(PIXEL)))
                self.end_headers()
                self.wfile.write(PIXEL)

            do_POST = do_HEAD = do_OPTIONS = do_PUT = do_GET

            def log_message(self, *words: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, path: str, html: str) -> str:
        """Serve this HTML at `path`; returns its address. For counter-checks."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Type", "text/html; charset=utf-8")
            handler.end_headers()
            handler.wfile.write(html.encode())

        self.answers[path] = answer
        return self.address + path

    def stop(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Watch:
    """What a page does that it should not: requests to others, dialogs, pages, downloads, a changed address."""

    page: Any
    origin: str
    strange: list[str] = field(default_factory=list)
    popups: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        context = self.page.context
        context.on("request", self._requested)
        context.on("page", self._opened)
        self.page.on("dialog", self._dialog)
        self.page.on("download", lambda download: self.strange.append(f"download of {download.url}"))
        self.page.on("framenavigated", self._navigated)

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self.origin + "/", "data:", "blob:", "about:")):
            self.strange.append(f"{request.method} {request.url}")

    def _opened(self, popup: Any) -> None:
        self.popups.append(popup)

    def _dialog(self, dialog: Any) -> None:
        self.strange.append(f"dialog {dialog.message!r}")
        dialog.dismiss()

    def _navigated(self, frame: Any) -> None:
        url = frame.url
        is_ours = url.startswith(self.origin + "/") if frame == self.page.main_frame else _is_letter(url, self.origin)
        if not is_ours and url not in ("about:blank", ""):
            self.strange.append(f"a frame went to {url}")

    def harm(self) -> list[str]:
        """All that was noticed until now, and what is wrong with our own page; empty: nothing happened."""
        return [*self.strange, *(f"popup {popup.url}" for popup in self.popups), *self.page.evaluate(WALK)]


def _is_letter(url: str, origin: str) -> bool:
    return re.match(re.escape(origin) + r"/messages/[a-z2-7]{16}/body", url) is not None


class Leakpage:
    """Canary, corpus and the browser's own log of what it looked up."""

    def __init__(self, chromium: Any, executable: str, folder: Path) -> None:
        self.canary = Canary("127.0.0.1")  # another host than the page (localhost): cookies know no ports
        self.log = folder / "net-log.json"
        self.browser = chromium.browser_type.launch(
            executable_path=executable, args=[f"--log-net-log={self.log}", "--no-sandbox"]
        )

    def letters(self) -> list[Hostile]:
        """The corpus, its placeholders filled in."""
        return [self._letter(number, cases, line) for number, (cases, line) in enumerate(corpus())]

    def _letter(self, number: int, cases: tuple[str, ...], line: str) -> Hostile:
        places = {
            "leak": f"{self.canary.address}/leak/{number}",
            "dns": f"d{number}.{NAMES}",
            "pwn": f"top.PWNED={number + 1}",
        }
        html = line
        for name, value in places.items():
            html = html.replace(f"{{{name}}}", value)
        return Hostile(number, cases, line, html)

    def watch(self, page: Any, origin: str) -> Watch:
        """Look at a page from now on."""
        return Watch(page, origin)

    def bare(self, letters: list[Hostile]) -> str:
        """The address of a page that shows letters without any protection, each in a frame; `ran` says which ran."""
        frames = ""
        for letter in letters:
            self.canary.page(f"/bare/{letter.number}", f"<!doctype html><body>{letter.html}")
            frames += f"<iframe src=/bare/{letter.number}></iframe>"
        script = "ran=[];Object.defineProperty(window,'PWNED',{set(v){ran.push(v)}})"
        return self.canary.page("/bare", f"<!doctype html><script>{script}</script>{frames}")

    def names_asked(self) -> set[str]:
        """Hosts of the corpus that the browser looked up or connected to, from its log. Closes the browser."""
        self.browser.close()
        return set(re.findall(rf"[a-z0-9-]+\.{re.escape(NAMES)}", self.log.read_text("utf-8")))

    def stop(self) -> None:
        """End browser and canary."""
        self.browser.close()
        self.canary.stop()


def corpus() -> Iterator[tuple[tuple[str, ...], str]]:
    """(cases, line) of each letter of hostile.txt."""
    cases: tuple[str, ...] = ()
    for line in CORPUS.read_text("utf-8").splitlines():
        if line.startswith("## "):
            cases = tuple(re.findall(r"C\d\d", line))
        elif line and not line.startswith("#"):
            yield cases, line


def maildir(folder: Path, letters: list[bytes], *, name: str = "", seen: bool = False, age: int = 3600) -> Path:
    """A Maildir, or with `name` a folder of it, that holds these letters, the first `age` seconds old; to import."""
    place = folder / f".{name}" if name else folder
    for part in ("cur", "new", "tmp"):
        (place / part).mkdir(parents=True, exist_ok=True)
    for number, raw in enumerate(letters):
        where = place / "cur" / f"{int(time.time()) - age + number}.{number}.rig:2,{'S' if seen else ''}"
        where.write_bytes(raw)
    return folder
