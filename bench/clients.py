"""The parts `linking` and `finding` of a run: how quick letters find their clients among many, a client's page is, and
people find clients and their letters."""

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ground import Ours
    from .parts import Round

WHO = (("nobody", "no client among them"), ("tenth", "every tenth of a client"))
ROUNDS = 3  # of a sync without linking, and both with


def linking(this: "Round") -> None:
    """How quick letters find their clients among many, and the timeline of one with many letters is."""
    with this.figures.step("linking"):
        for name, ours in this.ground.fresh("linking").items():
            _letters(this, name, ours)
    with this.figures.step("linking a first sync"):
        for name, ours in this.ground.fresh("synced").items():
            _after_sync(this, name, ours)
    with this.figures.step("linking along with a first sync"):
        for name, ours in this.ground.fresh("along").items():
            _along(this, name, ours)
    with this.figures.step("timeline"):
        for name, ours in this.ground.fresh("timeline").items():
            _timeline(this, name, ours)


def _letters(this: "Round", name: str, ours: "Ours") -> None:
    got = ours.measure("bench.linking", "link", str(this.size.contacts), str(this.size.letters))
    this.figures.raw[f"linking-{name}"] = got
    each, cpu = (got[key] / got["letters"] * 1000 for key in ("seconds", "cpu_seconds"))
    what = f"linking {got['letters']:,} letters, {got['contacts']:,} contacts, {name}"
    this.figures.add(what, f"{each:.2f} ms a letter, {cpu:.2f} ms of CPU", "to reach: 1 ms", f"{each:.2f}")


def _after_sync(this: "Round", name: str, ours: "Ours") -> None:
    got = ours.measure("bench.linking", "synced", *_at(this), str(this.size.contacts))
    this.figures.raw[f"linking-synced-{name}"] = got
    for who, words in WHO:
        by_clock = got[who]["seconds"] / got["sync"]["seconds"]
        each, cpu = (got[who][key] / got["letters"] * 1000 for key in ("seconds", "cpu_seconds"))
        text = f"{each:.2f} ms a letter, {cpu:.2f} ms of CPU, {by_clock:.0%} of the sync, {got[who]['saved']:,} saved"
        what = f"linking after a first sync of {got['letters']:,} letters, {words}, {name}"
        this.figures.add(what, text, ratio=f"{by_clock:.2f}")


def _along(this: "Round", name: str, laid: "Ours") -> None:
    """The same sync without linking, with nobody known, and with every tenth, in turn."""
    laid.measure("bench.along", "lay", *_at(this), str(this.size.contacts))
    got: dict[str, list[dict[str, Any]]] = {"without": [], "nobody": [], "tenth": []}
    for number in range(ROUNDS):
        for who, taken in got.items():
            ours = this.ground.copy(laid, f"along_{who}{number}")
            taken.append(ours.measure("bench.along", "sync", who))
    this.figures.raw[f"linking-along-{name}"] = got
    for who, words in WHO:
        _tell_along(this, f"{words}, {name}", got["without"], got[who])


def _tell_along(this: "Round", what: str, without: list[dict[str, Any]], linked: list[dict[str, Any]]) -> None:
    pairs = list(zip(without, linked, strict=True))
    later = statistics.median(one["linked_seconds"] / none["linked_seconds"] for none, one in pairs) - 1
    readable = statistics.median(one["stored_seconds"] / none["stored_seconds"] for none, one in pairs) - 1
    cpu = statistics.median(_cpu(one) / _cpu(none) for none, one in pairs) - 1
    seconds = [statistics.median(each["linked_seconds"] for each in taken) for taken in (without, linked)]
    text = f"{seconds[0]:.1f} → {seconds[1]:.1f} s until all is stored and linked, {later:+.0%}"
    text += f"; all readable {readable:+.0%}; CPU of sync and worker {cpu:+.0%}; {linked[0]['saved']:,} saved"
    title = f"a first sync of {linked[0]['letters']:,} letters with linking, {what}"
    this.figures.add(title, text, "to reach: 15 %", f"{1 + later:.2f}")


def _cpu(got: dict[str, Any]) -> float:
    return float(got["cpu_seconds"] + got["worker_cpu_seconds"])


def _timeline(this: "Round", name: str, ours: "Ours") -> None:
    got = ours.measure("bench.linking", "timeline", str(this.size.activities))
    this.figures.raw[f"timeline-{name}"] = got
    for part, told in ((part, got[part]) for part in ("store", "page", "company")):
        text = f"{told['seconds'] * 1000:.1f} ms, {told['cpu_seconds'] * 1000:.1f} ms of CPU"
        what = f"timeline of {got['activities']:,} letters, {part}, {name}"
        this.figures.add(what, f"{text}, {told['queries']} queries", "to reach: 30 ms")


def finding(this: "Round") -> None:
    """How quick the search finds records and letters in CRM, by rare and by common words."""
    for name, ours in this.ground.fresh("finding").items():
        with this.figures.step(f"finding, {name}"):
            filled = ours.measure("bench.finding", "fill", str(this.size.contacts))
            got = ours.measure("bench.finding", "ask")
            this.figures.raw[f"finding-{name}"] = {**got, "filled_seconds": filled["seconds"]}
            for what, asked in ((what, asked) for what, asked in got.items() if isinstance(asked, dict)):
                text = ", ".join(f"{query} {seconds * 1000:.0f} ms" for query, seconds in asked.items())
                this.figures.add(f"{what} of {got['records']:,} records in CRM, {name}", text, "to reach: 100 ms")


def _at(this: "Round") -> tuple[str, str, str]:
    served = this.served
    return served.dovecot.host, str(served.dovecot.port), served.user.name
