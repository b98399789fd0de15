"""`python -m bench`: all figures beside their peers, in a table and bench/results.json. `--quick`: within a minute."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from . import peers
from .corpus import Corpus
from .server import Served, quiet_user, serve

RESULTS = Path(__file__).with_name("results.json")
POSTGRES = os.environ.get("BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    letters: int
    many: int  # letters for list and search
    rounds: int
    watched: int
    growth: int  # letters of the second initial sync, for memory; 0: none


QUICK = Size(letters=1000, many=3000, rounds=5, watched=60, growth=0)
FULL = Size(letters=10_000, many=100_000, rounds=30, watched=500, growth=50_000)


@dataclass
class Figures:
    """The rows of the table: what, ours, peers, and the ratio to what is to be reached."""

    rows: list[dict[str, str]] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def add(self, what: str, ours: str, beside: str = "–", ratio: str = "–") -> None:
        """One figure; printed at once, since a round takes long."""
        self.rows.append({"what": what, "ours": ours, "beside": beside, "ratio": ratio})
        Console(stderr=True).print(f"{what}: {ours}  [{beside}] {ratio}", markup=False, highlight=False)

    def show(self) -> None:
        """The whole table."""
        drawn = Table(title="Letterdesk beside its peers, same machine, same run", title_justify="left")
        for name in ("what", "ours", "beside", "ratio"):
            drawn.add_column(name)
        for row in self.rows:
            drawn.add_row(*row.values())
        Console().print(drawn)


def main() -> None:
    """Measure, print, write."""
    size = QUICK if "--quick" in sys.argv else FULL
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, serve(Corpus(size.letters)) as served:
        work = Path(folder)
        measure_initial(figures, served, work)
        measure_watching(figures, served, size, work)
        if size.growth:
            measure_growth(figures, size, work)
        measure_pages(figures, size, work)
    figures.show()
    facts = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "size": asdict(size),
        "rows": figures.rows,
        "raw": figures.raw,
    }
    RESULTS.write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def measure_initial(figures: Figures, served: Served, work: Path) -> None:
    """The first sync beside mbsync, interimap and imaplib, then the pass in which nothing changed."""
    limit = served.letters / peers.raw_fetch(served)
    beside = {"imaplib, fetching only": limit}
    noop_peer = None
    if peers.has("mbsync"):
        beside["mbsync"] = served.letters / peers.mbsync(served, work / "mbsync")
        noop_peer = min(peers.mbsync(served, work / "mbsync") for _ in range(3))
    if peers.has("interimap"):
        beside["interimap"] = served.letters / peers.interimap(served, work / "interimap")
    for name, url in _databases().items():
        ours = _ours("bench.engine", "initial", *_at(served), data=work / name, database=url)
        rate = ours["letters"] / ours["seconds"]
        figures.raw[f"initial {name}"] = ours
        told = ", ".join(f"{peer} {each:,.0f}/s" for peer, each in beside.items())
        ratio = f"{rate / beside['mbsync']:.2f} × mbsync" if "mbsync" in beside else "–"
        figures.add(f"initial sync of {ours['letters']:,} letters, {name}", f"{rate:,.0f} letters/s", told, ratio)
        figures.add(f"newest 50 conversations readable, {name}", f"{ours['readable_seconds']:.2f} s", "to reach: 1 s")
        figures.add(f"memory of it, {name}", f"{ours['peak_mb']:.0f} MB", "to reach: 200 MB")
        noop = _ours("bench.engine", "noop", *_at(served), data=work / name, database=url)
        figures.raw[f"noop {name}"] = noop
        told = f"mbsync {noop_peer * 1000:,.0f} ms" if noop_peer else "mbsync is not installed"
        ratio = f"{noop['seconds'] / noop_peer:.2f}, {noop['with_sign_in_seconds'] / noop_peer:.2f} with sign-in"
        figures.add(f"no-op pass, {name}", f"{noop['seconds'] * 1000:.1f} ms", told, ratio if noop_peer else "–")


def measure_watching(figures: Figures, served: Served, size: Size, work: Path) -> None:
    """How soon a letter is on the page and a flag in the store; what an idle mailbox costs."""
    user = quiet_user(served.dovecot)
    address = (served.dovecot.host, str(served.dovecot.port))
    for name, url in _databases("live").items():
        ours = _ours(
            "bench.watched", "live", *address, user.name, str(size.rounds), data=work / f"live-{name}", database=url
        )
        figures.raw[f"live {name}"] = ours
        for what, key in (
            ("letter on the server → on the page", "letter"),
            ("flag on the server → in our store", "flag"),
        ):
            taken = ours[f"{key}_seconds"]
            p95 = taken[min(len(taken) - 1, round(0.95 * len(taken)))]
            text = f"p95 {p95 * 1000:,.0f} ms, p50 {statistics.median(taken) * 1000:,.0f} ms"
            figures.add(f"{what}, {name}", text, "to reach: p95 1 s")
        user = quiet_user(served.dovecot)
    users = [quiet_user(served.dovecot).name for _ in range(size.watched)]
    ours = _ours("bench.watched", "idle", *address, *users, data=work / "idle", database="")
    figures.raw["idle"] = ours
    figures.add(
        f"memory per idle mailbox, of {size.watched} in one process", f"{ours['kb_each']:.0f} KB", "to reach: 150 KB"
    )


def measure_growth(figures: Figures, size: Size, work: Path) -> None:
    """Whether memory grows with the mailbox."""
    with serve(Corpus(size.growth, plain=True)) as served:
        ours = _ours("bench.engine", "initial", *_at(served), data=work / "growth", database="")
    figures.raw["growth"] = ours
    figures.add(
        f"memory of {size.growth:,} letters (plain), sqlite", f"{ours['peak_mb']:.0f} MB", "to reach: as before"
    )


def measure_pages(figures: Figures, size: Size, work: Path) -> None:
    """List page and search in bodies, beside notmuch on the same letters."""
    maildir = work / "archive"
    for name in ("cur", "new", "tmp"):
        (maildir / name).mkdir(parents=True)
    for number, (at, raw) in enumerate(Corpus(size.many, plain=True)):
        (maildir / "cur" / f"{int(at.timestamp())}.{number}.bench:2,S").write_bytes(raw)
    words = ("zanzibar1", "offer invoice")
    beside = "notmuch is not installed"
    if peers.has("notmuch"):
        notmuch = peers.Notmuch(work / "notmuch", maildir)
        taken = {word: statistics.median(notmuch.search(word) for _ in range(10)) for word in words}
        beside = ", ".join(f"notmuch “{word}” {each * 1000:.0f} ms" for word, each in taken.items())
    for name, url in _databases("pages").items():
        ours = _ours("bench.engine", "pages", str(maildir), *words, data=work / f"pages-{name}", database=url)
        figures.raw[f"pages {name}"] = ours
        text = f"p50 {ours['list_seconds'] * 1000:.1f} ms, {ours['list_queries']} queries"
        figures.add(f"list of 50 out of {ours['letters']:,}, {name}", text, "to reach: 15 ms, 8 queries")
        text = ", ".join(f"“{word}” p50 {each * 1000:.1f} ms" for word, each in ours["search_seconds"].items())
        figures.add(f"search in bodies, {name}", text, beside)


def _at(served: Served) -> tuple[str, str, str]:
    return served.dovecot.host, str(served.dovecot.port), served.user.name


def _databases(purpose: str = "engine") -> dict[str, str]:
    """SQLite always; PostgreSQL where it answers, in a database of its own."""
    found = {"sqlite": ""}
    name = f"letterdesk_bench_{purpose}"
    admin = ["psql", f"{POSTGRES}/postgres", "-q", "-c"]
    try:
        for order in (f"DROP DATABASE IF EXISTS {name}", f"CREATE DATABASE {name}"):
            subprocess.run([*admin, order], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return found
    return {**found, "postgresql": f"{POSTGRES}/{name}"}


def _ours(module: str, *words: str, data: Path, database: str) -> dict[str, Any]:
    more = {"DATABASE_URL": database} if database else {}
    more |= {"LETTERDESK_DATA": str(data), "LETTERDESK_ALLOWED_NETWORKS": "127.0.0.0/8"}
    done = subprocess.run(
        [sys.executable, "-m", module, *words], env={**os.environ, **more}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


if __name__ == "__main__":
    main()
