"""Letters of shared mailboxes are looked at, each once, and change their conversations as `decide.py` says.

Keys of letters rise in the order of their commits, as `receive.store` holds the mailbox; so `TeamMailbox.considered` is
enough to know what was looked at. It moves in the transaction that wrote what came of it: an interrupted look begins
anew, a second one finds nothing to do.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef

from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.models import Conversation, FolderRole, Grant, Listing, Mailbox, Message, Placement, Status
from letterdesk.mailboxes.ours import is_ours

from .decide import Letter, after
from .models import TeamMailbox
from .standing import locked, standing_of, write

AT_ONCE = 200


@transaction.atomic
def look_at_piece(mailbox_id: int) -> bool:
    """Look at the next letters of a mailbox; returns whether there may be more. Nothing where nobody shares it."""
    mailbox = Mailbox.objects.select_for_update(no_key=True).filter(pk=mailbox_id, forgotten_at=None).first()
    if mailbox is None or not Grant.objects.filter(mailbox=mailbox).exists():
        return False
    team, is_new = TeamMailbox.objects.get_or_create(mailbox=mailbox, defaults={"account_id": mailbox.account_id})
    if is_new:
        _begin(mailbox)
    letters = [] if is_new else _not_considered(team)
    if letters:
        _look_at(letters)
    # Later letters of this mailbox have greater keys than all that are there now, whosever they are.
    newest = Message.objects.aggregate(newest=Max("pk"))["newest"] or 0
    more = len(letters) == AT_ONCE
    considered = letters[-1].pk if more else max(newest, team.considered)
    TeamMailbox.objects.filter(pk=team.pk).update(considered=considered)
    reach("team_follow.before_commit")
    return more


def mailboxes_to_look_at() -> list[int]:
    """Keys of shared mailboxes with letters that were not looked at yet."""
    newer = Message.objects.filter(mailbox=OuterRef("mailbox"), pk__gt=OuterRef("considered"))
    behind = TeamMailbox.objects.filter(Exists(newer), mailbox__forgotten_at=None)
    unknown = Mailbox.objects.filter(Exists(Grant.objects.filter(mailbox=OuterRef("pk"))), forgotten_at=None)
    unknown = unknown.exclude(pk__in=TeamMailbox.objects.values("mailbox"))
    return sorted({*behind.values_list("mailbox", flat=True), *unknown.values_list("pk", flat=True)})


def _begin(mailbox: Mailbox) -> None:
    """What lies in the inbox of a mailbox that is shared from now on is open; all else is history."""
    inbox = Listing.objects.filter(conversation=OuterRef("pk"), folder__role=FolderRole.INBOX, folder__gone_at=None)
    lying = Conversation.objects.filter(Exists(inbox), mailbox=mailbox, merged_into=None, status=Status.NONE)
    lying.update(status=Status.OPEN)


def _not_considered(team: TeamMailbox) -> list[Message]:
    letters = Message.objects.filter(pk__gt=team.considered).annotate(of=F("mailbox_id") + 0)  # by key: they are few
    return list(letters.filter(of=team.mailbox_id).order_by("pk")[:AT_ONCE])


def _look_at(letters: Sequence[Message]) -> None:
    roles: defaultdict[int, set[str]] = defaultdict(set)
    places = Placement.objects.filter(message__in=[letter.pk for letter in letters]).shown()
    for message, role in places.values_list("message", "folder__role"):
        roles[message].add(role)
    ours = set(Message.objects.filter(is_ours(), pk__in=[each.pk for each in letters]).values_list("pk", flat=True))
    conversations = locked({letter.conversation_id for letter in letters})
    standing = {each.pk: standing_of(each) for each in conversations}
    acting = {letter.conversation_id for letter in letters if not letter.is_history}
    for letter in letters:
        if letter.conversation_id in standing:
            seen = _seen(letter, roles[letter.pk], is_ours=letter.pk in ours)
            standing[letter.conversation_id] = after(standing[letter.conversation_id], seen)
    for status, why in ((Status.OPEN, "answer"), (Status.WAITING, "sent")):
        found = [each for each in conversations if each.pk in acting and standing[each.pk].status == status]
        write(found, standing, by=None, why=why)
    history = [each.pk for each in conversations if each.pk not in acting and standing[each.pk] != standing_of(each)]
    Conversation.objects.filter(pk__in=history).update(status=Status.OPEN)  # nobody is told of history


def _seen(letter: Message, roles: set[str], *, is_ours: bool) -> Letter:
    return Letter(
        letter.received_at,
        roles,
        is_ours=is_ours,
        is_automatic=letter.is_automatic,
        is_history=letter.is_history,
    )
