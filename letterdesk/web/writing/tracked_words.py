"""What is told of a tracked letter: how often people and machines opened it, and followed which link."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from letterdesk.crm.models import Activity, Direction
from letterdesk.outbound.judge import ALL_LINKS, AT_DELIVERY
from letterdesk.outbound.models import TrackedLetter, TrackedLink
from letterdesk.outbound.tracking import tracked_of
from letterdesk.web.templatetags.letterdesk import long_time, short_moment

SHOWN_LINKS = 20
MACHINES = {
    "apple": gettext_lazy("Apple Mail’s privacy protection"),
    "gmail": gettext_lazy("Gmail’s picture proxy"),
    "yahoo": gettext_lazy("Yahoo Mail’s picture proxy"),
    "yandex": gettext_lazy("Yandex Mail’s picture proxy"),
    "mailru": gettext_lazy("Mail.ru’s picture proxy"),
    "scanner": gettext_lazy("a security scanner"),
    "preview": gettext_lazy("a preview of a link"),
    "crawler": gettext_lazy("a crawler"),
    "program": gettext_lazy("a program"),
    "nameless": gettext_lazy("a program without a name"),
    "ahead": gettext_lazy("a program that looks ahead"),
    AT_DELIVERY: gettext_lazy("at the moment of delivery"),
    ALL_LINKS: gettext_lazy("together with all links"),
}
OF_MACHINES = {  # why what looks like a reader is none
    "gmail": gettext_lazy(
        "Gmail fetches the pictures of a letter itself: mostly when somebody opens it, sometimes before. "
        "So it counts as a machine here; a link that was followed is the better sign."
    ),
    "apple": gettext_lazy("Apple Mail fetches the pictures of every letter, also where nobody reads it."),
}


@dataclass(frozen=True)
class Told:
    """`short`: for a line of a list, empty: not opened; `links`: address and words; `doubts`: what cannot be told."""

    activity_id: str
    short: str
    lines: list[str]
    links: list[tuple[str, str]]
    doubts: list[str]


def told_of(activities: Iterable[Activity]) -> dict[int, Told]:
    """By activity, for those that are tracked; the caller found them by right. No query without a letter of ours."""
    sent = {each.holder: each for each in activities if each.direction == Direction.OUTGOING}
    if not sent:
        return {}
    account_id = next(iter(sent.values())).account_id
    return {sent[holder].pk: _told(each, sent[holder]) for holder, each in tracked_of(account_id, sent).items()}


def _told(letter: TrackedLetter, activity: Activity) -> Told:
    links = sorted(letter.links.all(), key=lambda each: each.position)
    followed = [(each.address, _followed(each)) for each in links if each.clicks or each.by_machines]
    return Told(
        activity.public_id,
        _short(letter, links),
        _lines(letter, is_followed=bool(followed)),
        followed[:SHOWN_LINKS],
        _doubts(letter, activity),
    )


def _when(moment: datetime) -> str:
    """With its year, where that is another one."""
    return short_moment(moment) if moment.year == timezone.localtime().year else long_time(moment)


def _short(letter: TrackedLetter, links: list[TrackedLink]) -> str:
    if any(each.clicks for each in links):
        return _("link followed")
    return _("opened") if letter.opens else ""


def _lines(letter: TrackedLetter, *, is_followed: bool) -> list[str]:
    lines = []
    if letter.opens and letter.opened_at:
        said = {"n": letter.opens, "when": _when(letter.opened_at)}
        lines.append(
            ngettext(
                "Opened by a person once, %(when)s.", "Opened by a person %(n)d times, last %(when)s.",
                letter.opens,
            )
            % said
        )  # fmt: skip
    if machines := sum(letter.machines.values()):
        ordered = sorted(letter.machines.items(), key=lambda each: (-each[1], each[0]))
        names = ", ".join(f"{MACHINES.get(name, name)} ({times})" for name, times in ordered)
        said = {"n": machines, "names": names}
        text = ngettext("Opened by a machine once: %(names)s.", "Opened by machines %(n)d times: %(names)s.", machines)
        lines.append(text % said)
    return lines or ([] if is_followed else [_("Nobody has opened it yet, as far as anybody can tell.")])


def _followed(link: TrackedLink) -> str:
    parts = []
    if link.clicks and link.clicked_at:
        said = {"n": link.clicks, "when": _when(link.clicked_at)}
        text = ngettext("by a person once, %(when)s", "by a person %(n)d times, last %(when)s", link.clicks)
        parts.append(text % said)
    if link.by_machines:
        text = ngettext("by a machine once", "by machines %(n)d times", link.by_machines)
        parts.append(text % {"n": link.by_machines})
    return "; ".join(parts)


def _doubts(letter: TrackedLetter, activity: Activity) -> list[str]:
    doubts = []
    people = {address for field in ("to", "cc", "bcc") for _name, address in activity.recipients.get(field, ())}
    if len(people) > 1:
        text = ngettext(
            "It went to %(n)d person.", "It went to %(n)d people: nobody can tell which of them it was.", len(people)
        )
        doubts.append(text % {"n": len(people)})
    doubts += [str(words) for machine, words in OF_MACHINES.items() if machine in letter.machines]
    return doubts
