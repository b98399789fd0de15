"""Opens and clicks of letters written in CRM, where the account allows it and the writer of the letter wants it.

A picture and other links are put into the HTML once, when the letter is composed: before it is signed, and before its
bytes are kept, so that each attempt sends the same (P6). The draft, the copy in Sent and the activity have the letter
as it was written. Of whoever reads nothing is kept but numbers (decision 0036).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Min, Q

from letterdesk.accounts.models import Employee
from letterdesk.accounts.pace import TooFast, is_spent, spend
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record
from letterdesk.lib import blobs
from letterdesk.lib.crashpoint import reach
from letterdesk.lib.ids import new_public_id
from letterdesk.lib.turns import in_turn
from letterdesk.mail.links import is_web_address, leaves_a_list, rewrite_links
from letterdesk.mailboxes import collect
from letterdesk.plans.models import Channel

from . import signing
from .judge import By, Judged, Seen, judge
from .models import Delivery, Draft, Fetch, State, TrackedLetter, TrackedLink, Tracking
from .tracked_address import is_ours, link_address, picture_address, untracked
from .words import clean

MOST_LINKS = 500  # of a letter; those behind them lead where they led
LONGEST_ADDRESS = 2000  # characters of an address of ours: programs on Windows open none of more than 2,083
MOST_PER_HOUR = 300  # fetches of a letter that are counted
WAIT = timedelta(seconds=15)  # after the last one, so that those beside it are known
AT_LAST = timedelta(minutes=5)  # judged by then although more are coming
PICTURE = 0  # where a Fetch names no link


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letter's HTML as it travels, the public id in its addresses, and where its links led, in their order."""

    public_id: str
    html: str
    links: tuple[str, ...]


def is_on(account_id: int) -> bool:
    """Whether opens and clicks may be counted in this account: not where an operator has switched its links off."""
    return Tracking.objects.filter(account=account_id, is_on=True, account__links_off_at=None).exists()


@transaction.atomic
def switch(*, by: Employee, on: bool) -> None:
    """Opens and clicks may be counted from now on, or are not any more, also of letters that have left.

    Raises NotAllowed.
    """
    must_administrate(by, by.account_id)
    Tracking.objects.update_or_create(account=by.account, defaults={"is_on": on})
    if not on:
        Fetch.objects.filter(account=by.account_id).delete()  # not counted any more
    record("tracking.changed", account=by.account, by=by, is_on=int(on))


def prepare(draft: Draft) -> Prepared | None:
    """What of a draft's HTML travels instead; None: nothing is counted of it, or it is plain text."""
    is_wanted = draft.is_tracked and draft.channel == Channel.CRM and draft.body_html
    if not is_wanted or not is_on(draft.account_id):
        return None
    public_id = new_public_id()
    name = public_id + draft.account.public_id
    links: list[str] = []

    def instead(url: str, words: str) -> str | None:
        if not is_web_address(url) or leaves_a_list(url, words) or is_ours(url) or len(links) >= MOST_LINKS:
            return None
        address = link_address(name, len(links) + 1, url)
        if len(address) > LONGEST_ADDRESS:
            return None
        links.append(url)
        return address

    html = rewrite_links(untracked(clean(draft.body_html), is_html=True), instead)
    picture = f'<img src="{picture_address(name)}" width="1" height="1" alt="">'
    return Prepared(public_id, html + picture, tuple(links))


def keep(delivery: Delivery, prepared: Prepared) -> None:
    """Remember where its links lead. Inside the transaction that queues it."""
    made = TrackedLetter.objects.create(
        public_id=prepared.public_id, account_id=delivery.account_id, delivery=delivery, about=delivery.about,
        by=delivery.by,
    )  # fmt: skip
    TrackedLink.objects.bulk_create(
        TrackedLink(account_id=made.account_id, letter=made, position=position, address=address)
        for position, address in enumerate(prepared.links, start=1)
    )


def take_out(row: Delivery, *, now: datetime) -> None:
    """What is about to be tried for the first time leaves as it was written, where it was switched off meanwhile.

    Outside any transaction, by the worker that has it. One that was tried keeps its bytes (P6).
    """
    if not row.plain_blob or row.attempts > 1 or is_on(row.account_id):
        return
    raw = signing.signed(blobs.get(row.account_id, row.plain_blob), row.account, sender=row.sender)
    blob = blobs.hash_of(raw)
    collect.announce(row.account_id, [blob], now=now)
    blobs.put(row.account_id, {blob: raw})
    reach("tracking.taken_out")
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=row.pk, fence=row.fence)
        if mine.update(blob=blob, plain_blob="", size=len(raw)) == 1:
            collect.hold(row.account_id, [blob], holder=row.holder, now=now)
            TrackedLetter.objects.filter(delivery=row).delete()
            row.blob, row.plain_blob, row.size = blob, "", len(raw)


# Whoever keeps the letter keeps its numbers


def hold(delivery: Delivery, holder: str) -> None:
    """Somebody keeps this letter for longer than its delivery: so long the numbers stay. Twice is once."""
    TrackedLetter.objects.filter(delivery=delivery).update(holder=holder, left_at=delivery.sent_at)


def let_go(account_id: int, holders: Collection[str]) -> None:
    """These keep their letters no more: the numbers go with them. Inside the caller's transaction."""
    TrackedLetter.objects.filter(account=account_id, holder__in=list(holders)).exclude(holder="").delete()


def forget_unheld(*, limit: int = 500) -> int:
    """Numbers of letters that were stopped, or whose delivery is forgotten and that nobody keeps; returns how many."""
    stopped = Q(delivery__state=State.CANCELLED)
    nobodys = TrackedLetter.objects.filter(stopped | Q(delivery=None), holder="")
    keys = list(nobodys.order_by("pk").values_list("pk", flat=True)[:limit])
    TrackedLetter.objects.filter(pk__in=keys).delete()
    return len(keys)


def is_any_tracked(account_id: int) -> bool:
    """Whether there are numbers of any letter of this account."""
    return TrackedLetter.objects.filter(account=account_id).exists()


def tracked_of(account_id: int, holders: Iterable[str]) -> dict[str, TrackedLetter]:
    """The tracked ones among the letters that these keep, by holder, with their links; the caller has the right."""
    wanted = [each for each in holders if each]
    if not wanted:
        return {}
    found = TrackedLetter.objects.filter(account=account_id, holder__in=wanted).prefetch_related("links")
    return {each.holder: each for each in found}


# Somebody or something opened it


def fetched(letter: TrackedLetter, *, link: int, machine: str, now: datetime) -> bool:
    """Write down that the picture or a link was fetched, for `judge_due`; returns whether it is counted.

    Outside any transaction. Nothing where the account does not count, and not beyond a pace that no readers have.
    """
    if not is_on(letter.account_id) or letter.account.closed_at is not None:
        return False
    pace: dict[str, Any] = {"who": letter.public_id, "most": MOST_PER_HOUR, "within": timedelta(hours=1), "now": now}
    if is_spent(letter.account, "tracked", **pace):
        return False  # a flood writes nothing
    try:
        spend(letter.account, "tracked", **pace)
    except TooFast:
        return False
    Fetch.objects.create(account_id=letter.account_id, letter=letter, link=link, machine=machine, at=now)
    return True


def judge_due(*, now: datetime) -> int:
    """Count what was fetched and has nothing more beside it; returns of how many letters. Outside any transaction."""
    spans = Fetch.objects.values("letter").annotate(first=Min("at"), last=Max("at"))
    due = spans.filter(Q(last__lte=now - WAIT) | Q(first__lte=now - AT_LAST)).order_by("letter")
    letters = list(due.values_list("letter", flat=True)[:1000])
    return in_turn(letters, _count, failure="Opens and clicks of letter %s cannot be counted")


@transaction.atomic
def _count(pk: int) -> bool:
    rows = TrackedLetter.objects.select_related("account", "delivery", "by")
    letter = rows.select_for_update(no_key=True, of=("self",)).filter(pk=pk).first()
    fetches = list(Fetch.objects.filter(letter=pk))
    if letter is None or not fetches:
        return False
    links = {each.position: each for each in letter.links.all()}
    last: dict[int | None, datetime] = {each.position: each.clicked_at for each in links.values() if each.clicked_at}
    if letter.opened_at:
        last[None] = letter.opened_at
    seen = [Seen(each.at, each.link or None, each.machine) for each in fetches if not each.link or each.link in links]
    judged = judge(seen, left_at=_left_at(letter), links=len(links), last=last)
    _count_opens(letter, [each for each in judged if each.seen.link is None])
    for position, link in links.items():
        _count_clicks(letter, link, [each for each in judged if each.seen.link == position])
    Fetch.objects.filter(pk__in=[each.pk for each in fetches]).delete()
    reach("tracking.before_commit")
    return True


def _left_at(letter: TrackedLetter) -> datetime | None:
    row = letter.delivery
    if letter.left_at is not None or row is None:
        return letter.left_at
    return row.tried_since if row.state == State.UNKNOWN else row.sent_at


def _count_opens(letter: TrackedLetter, judged: Collection[Judged]) -> None:
    people = [each.seen.at for each in judged if each.by != By.MACHINE]
    opens = sum(each.by == By.PERSON for each in judged)
    for each in judged:
        if each.by == By.MACHINE:
            letter.machines[each.machine] = letter.machines.get(each.machine, 0) + 1
    letter.opens += opens
    letter.opened_at = max([*people, *([letter.opened_at] if letter.opened_at else [])], default=None)
    if judged:
        letter.save(update_fields=["opens", "opened_at", "machines"])
    if opens:
        _tell("letter.opened", letter, times=opens)


def _count_clicks(letter: TrackedLetter, link: TrackedLink, judged: Collection[Judged]) -> None:
    if not judged:
        return
    clicks = sum(each.by == By.PERSON for each in judged)
    machines = sum(each.by == By.MACHINE for each in judged)
    people = [each.seen.at for each in judged if each.by != By.MACHINE]
    link.clicked_at = max([*people, *([link.clicked_at] if link.clicked_at else [])], default=None)
    TrackedLink.objects.filter(pk=link.pk).update(
        clicks=F("clicks") + clicks, by_machines=F("by_machines") + machines, clicked_at=link.clicked_at
    )
    if clicks:
        _tell("letter.clicked", letter, times=clicks, link=link.position)


def _tell(kind: str, letter: TrackedLetter, *, times: int, link: int = PICTURE) -> None:
    """Of people alone: what follows from it must not follow from a scanner. Live for who wrote the letter."""
    topic = letter.by.topic if letter.by else ""
    record(
        kind, account=letter.account, topic=topic, subject=letter.about, letter=letter.public_id, times=times, link=link
    )
