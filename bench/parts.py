"""The parts of a run. Each adds rows to the table; what a part builds before it measures is timed apart."""

import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from . import peers
from .clients import finding, linking
from .corpus import Corpus
from .figures import Figures
from .ground import Ground, Ours
from .leaving import outbound
from .roundcube import Roundcube
from .server import Served, quiet_user, serve

WORDS = ("zanzibar0", "offer invoice")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    letters: int
    many: int  # letters for list, conversation and search
    rounds: int
    watched: int
    growth: int  # letters of the second initial sync, for memory; 0: none
    swept: int
    purged: int  # letters of the account that loses Webmail
    purge_seconds: int  # how long that is watched
    arriving: int  # letters by SMTP
    sent: int  # letters that leave while workers are killed
    kills: int  # of the processes that take and send letters
    quota_rounds: int
    answered: int  # letters
    contacts: int  # at CRM, for linking
    activities: int  # of one client


QUICK = Size(
    letters=300, many=1000, rounds=3, watched=40, growth=0, swept=3000, purged=5000, purge_seconds=5, arriving=160,
    sent=60, kills=5, quota_rounds=2, answered=5, contacts=2_000, activities=300,
)  # fmt: skip
FULL = Size(
    letters=10_000, many=100_000, rounds=30, watched=500, growth=50_000, swept=100_000, purged=1_000_000,
    purge_seconds=60, arriving=4_000, sent=10_000, kills=200, quota_rounds=100, answered=100, contacts=100_000,
    activities=5_000,
)  # fmt: skip


@dataclass
class Round:
    """One run: what several parts use is built once, when the first of them asks."""

    size: Size
    work: Path
    ground: Ground
    figures: Figures
    ending: ExitStack

    @cached_property
    def served(self) -> Served:
        """A server with the corpus: business mail in size and shape."""
        return self.serve(Corpus(self.size.letters), "letters of 35 KB")

    @cached_property
    def archive(self) -> Served:
        """A server with many short letters."""
        return self.serve(Corpus(self.size.many, plain=True), "short letters")

    @cached_property
    def sqlite_store(self) -> Ours:
        """The archive in our store, on SQLite."""
        return self._filled("sqlite", self.ground.sqlite("pages"))

    @cached_property
    def stores(self) -> dict[str, Ours]:
        """The archive in our store, on each database."""
        fresh = self.ground.fresh("filled")
        more = {name: self._filled(name, ours) for name, ours in fresh.items() if name != "sqlite"}
        return {"sqlite": self.sqlite_store, **more}

    def _filled(self, name: str, ours: Ours) -> Ours:
        with self.figures.step(f"import, {name}"):
            self.figures.raw[f"import {name}"] = ours.measure("bench.engine", "fill", str(self.archive.maildir))
        return ours

    def serve(self, corpus: Corpus, what: str) -> Served:
        """Start a server and fill it; the time is told apart from all figures."""
        begin = time.perf_counter()
        served = self.ending.enter_context(serve(corpus))
        self.figures.raw.setdefault("built_seconds", {})[f"{corpus.count} {what}"] = time.perf_counter() - begin
        return served


def initial(this: Round) -> None:
    """The first sync beside mbsync, interimap and imaplib, then the pass in which nothing changed."""
    served = this.served
    beside = {"imaplib, fetching only": served.letters / peers.raw_fetch(served)}
    noop_peer = None
    if peers.has("mbsync"):
        beside["mbsync"] = served.letters / peers.mbsync(served, this.work / "mbsync")
        noop_peer = min(peers.mbsync(served, this.work / "mbsync") for _ in range(3))
    if peers.has("interimap"):
        with this.figures.step("interimap"):
            beside["interimap"] = served.letters / peers.interimap(served, this.work / "interimap")
    for name, ours in this.ground.fresh("initial").items():
        with this.figures.step(f"initial sync, {name}"):
            _first_sync(this, name, ours, beside)
        with this.figures.step(f"no-op pass, {name}"):
            _noop(this, name, ours, noop_peer)


def _first_sync(this: Round, name: str, ours: Ours, beside: dict[str, float]) -> None:
    got = ours.measure("bench.engine", "initial", *_at(this.served))
    rate = got["letters"] / got["seconds"]
    this.figures.raw[f"initial {name}"] = {**got, "beside": beside}
    told = ", ".join(f"{peer} {each:,.0f}/s" for peer, each in beside.items())
    if "mbsync" not in beside:
        told += ", mbsync is not installed"
    ratio = f"{rate / beside['mbsync']:.2f} × mbsync" if "mbsync" in beside else "–"
    this.figures.add(f"initial sync of {got['letters']:,} letters, {name}", f"{rate:,.0f} letters/s", told, ratio)
    soon = got["readable_seconds"]
    this.figures.add(f"newest 50 conversations readable, {name}", f"{soon:.2f} s", "to reach: 1 s")
    this.figures.add(f"memory of it, {name}", f"{got['peak_mb']:.0f} MB", "to reach: 200 MB")


def _noop(this: Round, name: str, ours: Ours, peer: float | None) -> None:
    got = ours.measure("bench.engine", "noop", *_at(this.served))
    this.figures.raw[f"noop {name}"] = {**got, "mbsync": peer}
    told = f"mbsync {peer * 1000:,.0f} ms; to reach: 0.3" if peer else "mbsync is not installed"
    ratio = f"{got['seconds'] / peer:.2f}, {got['with_sign_in_seconds'] / peer:.2f} with sign-in" if peer else "–"
    text = f"{got['seconds'] * 1000:.1f} ms, {got['with_sign_in_seconds'] * 1000:.0f} ms with sign-in"
    this.figures.add(f"no-op pass, {name}", text, told, ratio)


def growth(this: Round) -> None:
    """Whether memory grows with the mailbox: the same short letters, few and many."""
    few, many = this.size.letters, this.size.growth
    if not many:
        this.figures.add("memory growth", "not in a quick round")
        return
    taken = []
    for count in (few, many):
        served = this.serve(Corpus(count, plain=True), "short letters for growth")
        taken.append(this.ground.sqlite(f"growth{count}").measure("bench.engine", "initial", *_at(served)))
    this.figures.raw["growth"] = taken
    text = f"{taken[0]['peak_mb']:.0f} → {taken[1]['peak_mb']:.0f} MB"
    this.figures.add(f"memory from {few:,} to {many:,} short letters, sqlite", text, "to reach: no growth")


def live(this: Round) -> None:
    """How soon a letter is on the page and a flag in the store."""
    for name, ours in this.ground.fresh("live").items():
        with this.figures.step(f"live, {name}"):
            dovecot = this.served.dovecot
            user = quiet_user(dovecot).name
            address = (dovecot.host, str(dovecot.port), user, str(this.size.rounds))
            got = ours.measure("bench.watched", "live", *address)
            this.figures.raw[f"live {name}"] = got
            _tell_live(this, name, got)


def _tell_live(this: Round, name: str, got: dict[str, Any]) -> None:
    for what, key in (("letter on the server → on the page", "letter"), ("flag on the server → in our store", "flag")):
        taken = got[f"{key}_seconds"]
        text = f"p95 {_p95(taken) * 1000:,.0f} ms, p50 {statistics.median(taken) * 1000:,.0f} ms"
        this.figures.add(f"{what}, {name}", text, "to reach: p95 1 s; Dovecot waits 500 ms before it tells")
    this.figures.add(f"web process ends with a page open, {name}", f"{got['stop_seconds']:.1f} s", "to reach: 10 s")


def idle(this: Round) -> None:
    """What an idle mailbox costs."""
    dovecot = this.served.dovecot
    users = [quiet_user(dovecot).name for _ in range(this.size.watched)]
    got = this.ground.sqlite("idle").measure("bench.watched", "idle", dovecot.host, str(dovecot.port), *users)
    this.figures.raw["idle"] = got
    what = f"memory per idle mailbox, of {this.size.watched} in one process"
    this.figures.add(what, f"{got['kb_each']:.0f} KB", "to reach: 150 KB")


def pages(this: Round) -> None:
    """List, conversation and search as whole answers of the server, beside notmuch on the same letters."""
    beside = "notmuch is not installed"
    stores = this.stores
    if peers.has("notmuch"):
        notmuch = peers.Notmuch(this.work / "notmuch", this.archive.maildir)
        taken = {word: statistics.median(notmuch.search(word) for _ in range(10)) for word in WORDS}
        beside = ", ".join(f"notmuch “{word}” {each * 1000:.0f} ms" for word, each in taken.items())
        this.figures.raw["notmuch"] = taken
    for name, ours in stores.items():
        with this.figures.step(f"pages, {name}"):
            got = ours.measure("bench.engine", "pages", *WORDS)
            this.figures.raw[f"pages {name}"] = got
            _tell_pages(this, name, got, beside)


def _tell_pages(this: Round, name: str, got: dict[str, Any], beside: str) -> None:
    for what, key, most in (("list of 50", "list", "15 ms, 8"), ("conversation", "conversation", "25 ms, 10")):
        text = f"p50 {got[f'{key}_seconds'] * 1000:.1f} ms, {got[f'{key}_queries']} queries"
        page = f"; its page p50 {got[f'{key}_page_seconds'] * 1000:.1f} ms, {got[f'{key}_page_queries']} queries"
        this.figures.add(f"{what} out of {got['letters']:,}, {name}", text + page, f"to reach: {most} queries")
    for key, what in (("search", "search in bodies"), ("search_page", "search in bodies, its page")):
        text = ", ".join(f"“{word}” p50 {each * 1000:.1f} ms" for word, each in got[f"{key}_seconds"].items())
        this.figures.add(f"{what}, {name}", text, f"to reach: 30 ms; {beside}")


def web(this: Round) -> None:
    """What a browser downloads and how it answers; server times over HTTP beside Roundcube on the same letters."""
    ours = this.sqlite_store
    with this.figures.step("web"):
        got = ours.measure("bench.web", *WORDS)
        this.figures.raw["web"] = got
        _tell_browser(this, got)
        with this.figures.step("roundcube"):
            _tell_beside_roundcube(this, got["http"])


def _tell_browser(this: Round, got: dict[str, Any]) -> None:
    browser = got["browser"]
    if browser is None:
        this.figures.add("in the browser", "Chromium is not installed")
        return
    add = this.figures.add
    add("inbox, cold, gzip: JavaScript", f"{browser['js_bytes'] / 1000:.1f} kB", "to reach: 30 kB")
    heads = f"and {browser['header_bytes'] / 1000:.1f} kB of headers in {browser['requests']:.0f} answers"
    add("inbox, cold, gzip: everything", f"{browser['all_bytes'] / 1000:.1f} kB {heads}", "to reach: 60 kB")
    add("inbox: largest contentful paint", f"{browser['lcp_ms']:.0f} ms", "to reach: 600 ms")
    add("inbox: layout shift", f"{browser['cls']:.3f}", "to reach: 0.02")
    j_k = browser["interactions_ms"]
    add("j/k at 4 × slower CPU", f"p50 {statistics.median(j_k):.0f} ms, most {max(j_k):.0f} ms", "to reach: p50 50 ms")
    opened = browser["open_ms"]
    add("open a conversation at 4 × slower CPU", f"p50 {statistics.median(opened):.0f} ms", "to reach: 150 ms")


def _tell_beside_roundcube(this: Round, ours: dict[str, float]) -> None:
    theirs: dict[str, float] = {}
    if Roundcube.is_installed():
        with Roundcube(this.work / "roundcube", this.archive) as roundcube:
            theirs = roundcube.times(WORDS[0])
    this.figures.raw["roundcube"] = theirs
    for key, what in (("list", "list"), ("conversation", "conversation"), ("search", "search in bodies")):
        told = f"Roundcube {theirs[key] * 1000:,.0f} ms" if theirs else "Roundcube is not installed"
        ratio = f"{ours[key] / theirs[key]:.2f} × Roundcube" if theirs else "–"
        this.figures.add(f"{what}, over HTTP, sqlite", f"p50 {ours[key] * 1000:.1f} ms", told, ratio)


def law(this: Round) -> None:
    """What the rules cost at size: the sweep beside people, a plan that loses Webmail, the page of plan and usage."""
    with this.figures.step("sweep"):
        got = this.ground.sqlite("sweep").measure("bench.law", "sweep", str(this.size.swept), "100")
        this.figures.raw["sweep"] = got
        _tell_sweep(this, got)
    with this.figures.step("plan"):
        wanted = (str(this.size.purged), str(this.size.purge_seconds))
        got = this.ground.sqlite("plan").measure("bench.law", "plan", *wanted)
        this.figures.raw["plan"] = got
        _tell_plan(this, got)


def _tell_sweep(this: Round, got: dict[str, Any]) -> None:
    rate, gone = got["letters"] / got["seconds"], got["removed"] / got["seconds"]
    text = f"{rate:,.0f} letters/s, of which removed {gone:,.0f}/s; {got['cpu_seconds']:.0f} s of CPU; {_memory(got)}"
    this.figures.add(f"sweep of {got['letters']:,} letters, sqlite", text, "to reach: 5,000 letters/s")
    before, beside = (_p95(got[f"{key}_seconds"]) for key in ("undisturbed", "disturbed"))
    text = f"p95 {before * 1000:.0f} → {beside * 1000:.0f} ms, {len(got['disturbed_seconds'])} times asked"
    this.figures.add("list of the inbox meanwhile, over HTTP, sqlite", text, "to reach: 1.5", f"{beside / before:.2f}")


def _tell_plan(this: Round, got: dict[str, Any]) -> None:
    account = f"an account of {got['letters']:,} letters, sqlite"
    for name, taken in got["page_seconds"].items():
        this.figures.add(
            f"page “{name}” of {account}",
            f"p50 {taken['clock'] * 1000:.0f} ms, {taken['cpu'] * 1000:.0f} ms of CPU",
            "to reach: 50 ms",
        )
    text = f"the inbox is refused after {got['entrance_seconds'] * 1000:.0f} ms"
    text += f", the first letters are gone {got['first_piece_seconds'] * 1000:.0f} ms after the wake-up"
    this.figures.add(f"plan without Webmail, {account}", text, "to reach: at once")
    text = f"{got['purged'] / got['seconds']:,.0f} letters/s in {got['seconds']:.0f} s; {_memory(got)}"
    if got["cpu_seconds"]:
        text += f"; {got['purged'] / got['cpu_seconds']:,.0f} letters for each second of CPU"
    this.figures.add("… its purge", text, "to reach: no growth")


def inbound(this: Round) -> None:
    """Letters by SMTP in a second, durable before the 250; and what is lost when the process is killed."""
    quick, killed = this.ground.fresh("inbound_rate"), this.ground.fresh("inbound_kills")
    for name in quick:
        with this.figures.step(f"inbound, {name}"):
            _tell_inbound(this, name, quick[name], killed[name])


def _tell_inbound(this: Round, name: str, quick: Ours, ended: Ours) -> None:
    got = quick.measure("bench.inbound", "rate", str(this.size.arriving))
    killed = ended.measure("bench.inbound", "kills", str(this.size.kills))
    this.figures.raw[f"inbound {name}"] = {"rate": got, "kills": killed}
    text = f"{got['letters'] / got['seconds']:,.0f} letters/s, {got['kept']:,} of {got['letters']:,} kept"
    text += f", {1000 * got['cpu_seconds'] / got['letters']:.1f} ms of CPU for each"
    this.figures.add(f"letters by SMTP, durable before the 250, {name}", text, "to reach: 100 letters/s")
    text = f"{killed['lost']} lost of {killed['acknowledged']:,} acknowledged, {killed['sent']:,} sent"
    this.figures.add(f"… killed {killed['kills']} times, {name}", text, "to reach: 0 lost")


def _memory(got: dict[str, Any]) -> str:
    return f"{got['memory_mb'][0]:.0f} → {got['memory_mb'][-1]:.0f} MB"


def _p95(taken: list[float]) -> float:
    """Of sorted seconds."""
    return taken[min(len(taken) - 1, round(0.95 * len(taken)))]


def _at(served: Served) -> tuple[str, str, str]:
    return served.dovecot.host, str(served.dovecot.port), served.user.name


PARTS: dict[str, Callable[[Round], None]] = {
    "initial": initial,
    "live": live,
    "idle": idle,
    "growth": growth,
    "pages": pages,
    "web": web,
    "law": law,
    "inbound": inbound,
    "linking": linking,
    "finding": finding,
    "outbound": outbound,
}
