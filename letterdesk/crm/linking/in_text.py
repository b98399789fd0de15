"""A letter that CRM has only as the text of a forward, and the letter itself: one, whichever comes first (R30).

Two are the same if the same person wrote them and the forwarding program names the letter's Message-ID; or else if
subject and minute agree, and all that the letter says stands at the beginning of the text. Nothing is guessed: what
agrees in less is two. Who the whole letter comes from is at least as sure as the forward, or nothing is replaced.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from letterdesk.lib import blobs
from letterdesk.mail.addresses import address_key
from letterdesk.mail.charsets import decode
from letterdesk.mail.dates import zone_of
from letterdesk.mail.forwards import forwarded_in
from letterdesk.mail.headers import read_head
from letterdesk.mail.letters import Letter
from letterdesk.mail.limited import Unparsable
from letterdesk.mail.parse import parse_many, read_body
from letterdesk.mail.subjects import normal_subject
from letterdesk.mailboxes import collect

from ..models import Activity, Binding, FoundText, InText, Unlinked
from ..search.index import index_letters, texts_of
from ..sendsave.meant import Written
from ..sendsave.secret import shown
from .identity import COPIED
from .identity import Written as Identified
from .threads import merge

if TYPE_CHECKING:  # it calls us
    from .keep import ToKeep

MOST = 50  # letters that are compared with one
ENOUGH = 20  # letters and digits that tell a text from others
QUARTER = timedelta(minutes=15)  # zones differ by quarters of an hour, and programs name none
FARTHEST = timedelta(hours=26)  # between two zones
MINUTE = timedelta(minutes=1)
UNREADABLE = (Unparsable, blobs.BlobMissing, blobs.BlobDamaged)  # then it says nothing that others could say, too


@dataclass(frozen=True, slots=True)
class Said:
    """What is known of a letter: by itself, or by the text of a forward. `name`: its Message-ID, empty: unknown."""

    sender: str
    subject: str
    sent_at: datetime | None
    name: str
    words: Callable[[], str]  # letters and digits alone; costs a reading
    is_whole: bool = False


def is_same(one: Said, other: Said) -> bool:
    """Whether both are the same letter."""
    if not one.sender or one.sender != other.sender:
        return False
    if one.name and one.name == other.name:
        return True
    if one.subject != other.subject or not _is_same_minute(one.sent_at, other.sent_at):
        return False
    within, whole = sorted((one, other), key=lambda each: each.is_whole)
    text, said = within.words(), whole.words()
    if not whole.is_whole:  # two forwards, one with more below it
        said, text = sorted((said, text), key=len)
    return len(said) >= ENOUGH and text.startswith(said)


def _is_same_minute(one: datetime | None, other: datetime | None) -> bool:
    """Programs write minutes, in a zone of their own that they seldom name."""
    if one is None or other is None:
        return False
    apart = abs(one - other)
    return apart <= FARTHEST and min(apart % QUARTER, QUARTER - apart % QUARTER) < MINUTE


def words_of(text: str) -> str:
    """What a text says, whatever wraps, quotes or marks it."""
    return "".join(filter(str.isalnum, text)).casefold()


def there(account_id: int, letter: Written, *, threads: Sequence[int]) -> Activity | None:
    """The activity of the letter that a forward's text holds, by itself or by another forward; None: it is new."""
    told = Said(
        address_key(letter.from_address), normal_subject(letter.subject), letter.sent_at, _named_by(letter),
        lambda: words_of(_text_in(account_id, letter.blob)),
    )  # fmt: skip
    for activity, known in _known(account_id, told, threads):
        if is_same(told, known):
            InText.objects.filter(activity=activity, refers_to="").update(refers_to=told.name)
            return activity
    return None


def note(activity: Activity, letter: Written) -> None:
    """This activity was made of a forward's text, as `letter` has it."""
    said = {
        "account_id": activity.account_id,
        "sender": address_key(letter.from_address)[:320],
        "subject": normal_subject(letter.subject),
        "sent_at": letter.sent_at,
        "refers_to": _named_by(letter),
    }
    InText.objects.get_or_create(activity=activity, defaults=said)


def told_of(account_id: int, letters: Mapping[str, Identified], *, is_sure: bool = True) -> dict[str, InText]:
    """Which of these letters, by identity, CRM has as the text of a forward, and no other way; or had, until a person
    deleted that or took it away from its last record: it lies in the bin.

    `is_sure`: who sent them is as sure as in Webmail; else only what is unverified counts.
    """
    senders = {address_key(each.from_address) for each in letters.values() if each.from_address}
    if not senders or not InText.objects.filter(account=account_id).exists():
        return {}
    rows = InText.objects.filter(
        Q(activity__deleted_at=None) | Q(activity__went_along=False), account=account_id, sender__in=senders
    )
    waiting = [row for row in rows.select_related("activity") if is_sure or row.activity.is_unverified]
    found: dict[str, InText] = {}
    for identity, letter in letters.items() if waiting else ():
        whole = _said_whole(account_id, letter)
        row = next((row for row in waiting if is_same(whole, _said_by(row))), None)
        if row is not None:
            waiting.remove(row)
            found[identity] = row
    return found


def taken_from(told: Mapping[str, InText]) -> dict[str, set[int | None]]:
    """By identity of letters that CRM was `told_of`: the records from which a person took what told of them, or its
    conversation; None: it lies in the bin."""
    found: dict[str, set[int | None]] = {}
    for identity, row in told.items():
        activity = row.activity
        is_it = Q(identity=activity.identity, thread=None) | Q(thread=activity.thread_id)
        taken = Unlinked.objects.filter(is_it, account=row.account_id).values_list("record_id", flat=True)
        found[identity] = {*taken, *([None] if activity.deleted_at else [])}
    return found


def adopt(
    wanted: Mapping[str, "ToKeep"], told: Mapping[str, InText], *, used: Collection[int], through: str, now: datetime
) -> dict[str, Activity]:
    """Those of these letters that CRM was `told_of` become whole; returns their activities.

    `used`: the threads in which the caller keeps letters; they stay. Inside the caller's transaction, which holds the
    account.
    """
    found = {}
    for identity, row in told.items():
        if identity not in wanted:
            continue
        whole = wanted[identity]
        before = Activity.objects.values_list("thread_id", flat=True).get(pk=row.activity_id)  # it may be joined by now
        found[identity] = _become(row.activity, identity, whole, through=through, now=now)
        if before not in used:
            merge(whole.thread, [before])
    return found


def _become(activity: Activity, identity: str, whole: "ToKeep", *, through: str, now: datetime) -> Activity:
    """The activity has the letter's own bytes and columns from now on; where it stands, and from where it was taken
    away, stays."""
    letter = whole.letter
    _take_along(activity, identity)
    for name in COPIED:
        setattr(activity, name, getattr(letter, name))
    activity.identity, activity.direction, activity.through = identity, whole.direction, through
    activity.recipients, activity.thread_id = shown(letter.recipients), whole.thread
    activity.is_unverified, activity.forwarded_by = False, None
    more = ("identity", "direction", "through", "thread", "is_unverified", "forwarded_by")
    activity.save(update_fields=[*COPIED, *more])
    collect.let_go_of_holders(activity.account_id, [activity.holder], now=now)
    collect.share(activity.account_id, [(activity.blob, activity.holder)], now=now)
    Binding.objects.filter(activity=activity.pk).update(received_at=activity.received_at)
    InText.objects.filter(activity=activity.pk).delete()
    FoundText.objects.filter(activity=activity.pk).delete()
    index_letters([activity], texts_of({activity.pk: letter}))
    return activity


def _take_along(activity: Activity, identity: str) -> None:
    """What a person took away is remembered of the letter from now on, which has another identity."""
    taken = Unlinked.objects.filter(account=activity.account_id, identity=activity.identity, thread=None)
    again = [
        Unlinked(account_id=each.account_id, identity=identity, record_id=each.record_id, by_id=each.by_id, at=each.at)
        for each in taken
    ]
    taken.delete()
    Unlinked.objects.bulk_create(again, ignore_conflicts=True)


def _known(account_id: int, told: Said, threads: Sequence[int]) -> Iterator[tuple[Activity, Said]]:
    """Letters that it may be: what other forwards told of this sender, its conversation, what came at that time."""
    rows = InText.objects.filter(account=account_id, sender=told.sender, activity__deleted_at=None)
    for row in rows.select_related("activity").order_by("-activity_id")[:MOST]:
        yield row.activity, _said_by(row)
    near = Q(thread__in=threads)
    if told.sent_at is not None:
        span = (told.sent_at - FARTHEST, told.sent_at + FARTHEST)
        near |= Q(received_at__range=span, from_address__iexact=told.sender)
    whole = Activity.objects.filter(near, account=account_id, deleted_at=None, in_text=None)
    for activity in whole.order_by("-received_at")[:MOST]:
        yield activity, _said_whole(account_id, activity)


def _said_whole(account_id: int, letter: Identified) -> Said:
    return Said(
        address_key(letter.from_address) if letter.from_address else "", normal_subject(letter.subject),
        letter.sent_at, letter.message_id, lambda: words_of(_text_of(account_id, letter.blob)), is_whole=True,
    )  # fmt: skip


def _said_by(row: InText) -> Said:
    activity = row.activity
    return Said(
        row.sender, row.subject, row.sent_at, row.refers_to,
        lambda: words_of(_text_in(activity.account_id, activity.blob)),
    )  # fmt: skip


def _named_by(letter: Written) -> str:
    """The letter to which a forward refers as the nearest: the one that it passes on."""
    return next((each for each in letter.ids if each != letter.message_id), "")


def _text_of(account_id: int, blob: str) -> str:
    try:
        [letter] = parse_many([blobs.get(account_id, blob)])
    except UNREADABLE:
        return ""
    return letter.text if isinstance(letter, Letter) else ""


def _text_in(account_id: int, blob: str) -> str:
    try:
        raw = blobs.get(account_id, blob)
        inner = forwarded_in(read_body(raw), zone_of(decode(read_head(raw).first("date"))))
    except UNREADABLE:
        return ""
    return inner.text if inner else ""
