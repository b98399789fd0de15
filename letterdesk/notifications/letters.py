"""New letters: who is told of them, and of which. Never of history, of what we sent, of spam, of what is read already.

How far a mailbox has been told is a row of its own, moved in the transaction of the reaction: no letter is told twice,
and what was stored before anybody listened is never told.
"""

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.mailboxes.models import Conversation, FolderRole, Mailbox, Message, Placement
from letterdesk.mailboxes.muting import muted_among
from letterdesk.mailboxes.ours import is_ours
from letterdesk.outbound.models import Delivery
from letterdesk.team.following import caretakers_of, followers_in

from .decide import Happening, is_told
from .hearing import choosers, levels_in
from .models import Kind, LettersTold, Level, Telling
from .tell import About, tell

LATELY = timedelta(minutes=5)  # where nothing was told of a mailbox yet, what came before is as if it had been
ALWAYS = datetime(1970, 1, 1, tzinfo=UTC)
Mine = dict[int, dict[int, datetime]]  # conversation, person: since when it is theirs
NEWS = (FolderRole.INBOX, FolderRole.NONE)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A new letter: in which conversation, whether a machine wrote it, and since when it is here."""

    conversation: int
    is_bulk: bool
    at: datetime  # when it was first seen here


def after_letters(event: Event) -> None:
    """A reaction to `message.received`."""
    public_id = event.topic.removeprefix("mailbox:")
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id, forgotten_at=None)
    for mailbox in mailboxes.select_related("account"):
        fresh = _take_fresh(mailbox, event.at)
        if fresh:
            _tell_all(mailbox, fresh, now=timezone.now())


def _take_fresh(mailbox: Mailbox, at: datetime) -> list[Fresh]:
    """Letters since the last time, and from now on they were told."""
    told = LettersTold.objects.select_for_update().filter(mailbox=mailbox).first()
    letters = Message.objects.filter(mailbox=mailbox)
    if told is None:
        before = letters.filter(first_seen_at__lt=at - LATELY).aggregate(last=Max("pk"))["last"] or 0
        told = LettersTold(account_id=mailbox.account_id, mailbox=mailbox, last=before)
    since = letters.filter(pk__gt=told.last)
    told.last = since.aggregate(last=Max("pk"))["last"] or told.last
    told.save()
    rows = _news_of(since).values_list("conversation_id", "list_id", "is_automatic", "first_seen_at")
    return [Fresh(conversation, bool(list_id) or machine, seen_at) for conversation, list_id, machine, seen_at in rows]


def _news_of(letters: QuerySet[Message]) -> QuerySet[Message]:
    """Those that lie unread in the inbox or a folder of a person's own, and that the mailbox itself did not send."""
    places = Placement.objects.shown().filter(message=OuterRef("pk"), is_seen=False, folder__role__in=NEWS)
    return letters.filter(~is_ours(), Exists(places), is_history=False, binned_at=None)  # R13, R29


def _tell_all(mailbox: Mailbox, fresh: list[Fresh], *, now: datetime) -> None:
    mine, followed = people_of({each.conversation for each in fresh}), _followed(mailbox, fresh)
    for conversation, followers in followed.items():
        mine[conversation] = {**mine.get(conversation, {}), **followers}
    concerned = {pk for theirs in mine.values() for pk in theirs}
    levels = levels_in(mailbox, {*concerned, *choosers(mailbox), mailbox.owner_id})
    bulk = set(Telling.objects.filter(employee__in=levels, tells_bulk=True).values_list("employee_id", flat=True))
    muted = _muted(fresh)
    answers: defaultdict[int, set[int]] = defaultdict(set)
    letters: defaultdict[tuple[int, int | None], set[int]] = defaultdict(set)  # people told of the same together
    for person, level in levels.items():
        own, news = sort(fresh, person, level, mine, tells_bulk=person in bulk, muted=muted[person])
        for conversation in own:
            answers[conversation].add(person)
        if news:
            alone = news[0].conversation if len({each.conversation for each in news}) == 1 else None
            letters[len(news), alone].add(person)
    for guest in {pk for people in followed.values() for pk in people} - set(levels):  # reads these alone
        for conversation in sort(fresh, guest, Level.MINE, followed, tells_bulk=False, muted=muted[guest])[0]:
            answers[conversation].add(guest)
    found = Conversation.objects.in_bulk({each.conversation for each in fresh})
    for (count, alone), people in letters.items():
        about = About(mailbox.topic, mailbox, conversation=found[alone] if alone else None)
        tell(people, Kind.LETTERS, about, account=mailbox.account, now=now, count=count)
    for key, people in answers.items():
        about = About(f"conversation:{found[key].public_id}", mailbox, conversation=found[key])
        tell(people, Kind.ANSWER, about, account=mailbox.account, now=now)


def sort(
    fresh: Iterable[Fresh], person: int, level: str, mine: Mine, *, tells_bulk: bool, muted: Container[int] = ()
) -> tuple[set[int], list[Fresh]]:
    """Conversations in which this person was answered, and the other letters that they are told of.

    `muted`: conversations of which they want to hear nothing.
    """
    own: set[int] = set()
    news = []
    for each in fresh:
        since = mine.get(each.conversation, {}).get(person)
        is_muted = each.conversation in muted
        answer = Happening(Kind.ANSWER, is_bulk=each.is_bulk, is_muted=is_muted)
        if since is not None and since < each.at and is_told(answer, level, tells_bulk=tells_bulk):
            own.add(each.conversation)
        elif is_told(Happening(Kind.LETTERS, is_bulk=each.is_bulk, is_muted=is_muted), level, tells_bulk=tells_bulk):
            news.append(each)
    return own, news


def people_of(conversations: set[int]) -> Mine:
    """Whose conversations these are, and since when: those who wrote in them from here, and whom they are given to."""
    found: defaultdict[int, dict[int, datetime]] = defaultdict(dict)
    for conversation, person in caretakers_of(conversations):
        found[conversation][person] = ALWAYS
    written = Delivery.objects.filter(by__isnull=False, state="sent").order_by("-created_at")
    for way in ("answers__conversation", "filed__conversation"):
        rows = written.filter(**{f"{way}__in": conversations}).values_list(way, "by", "created_at")
        for conversation, person, at in rows:
            found[conversation][person] = min(at, found[conversation].get(person, at))
    return found


def _muted(fresh: Iterable[Fresh]) -> dict[int, set[int]]:
    """By person, which of these conversations they have muted."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for conversation, person in muted_among({each.conversation for each in fresh}):
        found[person].add(conversation)
    return found


def _followed(mailbox: Mailbox, fresh: Iterable[Fresh]) -> Mine:
    """Who follows these conversations and may read them."""
    found: defaultdict[int, dict[int, datetime]] = defaultdict(dict)
    for conversation, person in followers_in(mailbox, {each.conversation for each in fresh}):
        found[conversation][person] = ALWAYS
    return found
