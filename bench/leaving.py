"""The part `outbound` of a run: letters that leave, a quota that many want, and what an answer costs."""

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .parts import Round


def outbound(this: "Round") -> None:
    """Whether letters leave once and the quota is exact, whoever dies, however many want it; what an answer costs."""
    for name, ours in this.ground.fresh("outbound").items():
        with this.figures.step(f"letters, {name}"):
            got = ours.measure("bench.outbound", "letters", str(this.size.sent), str(this.size.kills))
            this.figures.raw[f"letters {name}"] = got
            _tell_letters(this, name, got)
    for name, ours in this.ground.fresh("quota").items():
        with this.figures.step(f"quota, {name}"):
            got = ours.measure("bench.outbound", "quota", str(this.size.quota_rounds), "50")
            this.figures.raw[f"quota {name}"] = got
            what = f"quota: {got['rounds']} rounds of {got['writers']} writers at the limit, {name}"
            text = f"{got['rounds'] - got['wrong']} exact, p50 {got['seconds'] * 1000:,.0f} ms a round"
            this.figures.add(what, text, f"to reach: {got['rounds']} exact")
    for name, ours in this.ground.fresh("answering").items():
        with this.figures.step(f"answering, {name}"):
            got = ours.measure("bench.outbound", "answering", str(this.size.answered))
            this.figures.raw[f"answering {name}"] = got
            _tell_answering(this, name, got)


def _tell_letters(this: "Round", name: str, got: dict[str, Any]) -> None:
    """The measuring process has asked the server letter by letter, and fails where one was sent twice or is lost."""
    what = f"{got['letters']:,} letters through 4 workers, killed {got['kills']} times, {name}"
    text = f"{got['sent']:,} sent, {got['unknown']} unknown (of which the server has {got['unknown_taken']}), 0 twice"
    text += f", {got['letters'] / got['seconds']:,.1f} letters/s, {got['errors']} errors"
    this.figures.add(what, text, "to reach: all, once")
    end = got["in_the_end"]
    this.figures.add(
        "… after the unknown were decided about", f"{end['sent']:,} sent, {end['unknown']} unknown, 0 twice"
    )


def _tell_answering(this: "Round", name: str, got: dict[str, Any]) -> None:
    taken = got["seconds"]
    text = f"p50 {statistics.median(taken) * 1000:.0f} ms, p95 {_p95(taken) * 1000:.0f} ms"
    text += f"; of a processor {statistics.median(got['cpu_seconds']) * 1000:.0f} ms"
    this.figures.add(f"answer a letter of 35 KB, until its page is there, {name}", text, "to reach: 100 ms")
    if (browser := got["browser"]) is None:
        this.figures.add("page of a letter, in the browser", "Chromium is not installed")
    elif name == "sqlite":
        this.figures.add(
            "page of a letter, cold, gzip: JavaScript", f"{browser['js_bytes'] / 1000:.1f} kB", "to reach: 60 kB"
        )
        this.figures.add("page of a letter, cold, gzip: everything", f"{browser['all_bytes'] / 1000:.1f} kB")


def _p95(taken: list[float]) -> float:
    """Of sorted seconds."""
    return taken[min(len(taken) - 1, round(0.95 * len(taken)))]
