"""One conversation of a mailbox is shown to a person who does not read the mailbox: that one, and nothing beside it.

They read its letters with their files, and comment; of the team's comments they read those since then, and those that
call them. They do not answer, and meet the conversation in no list, count, search, live event or suggestion. No draft
is shown, nor what lies in Spam or Trash alone, nor anything of the mailbox itself. A share ends when it is taken back,
when the person leaves, and when the conversation is joined with another one: it was given without those letters, and a
stranger's letter may join what nobody meant to share.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record
from letterdesk.mailboxes.aside import not_aside
from letterdesk.mailboxes.models import Conversation, Mailbox, Message

from .lock import lock
from .models import Follower, Share, shared_with
from .people import people_of


class CannotShare(ValueError):
    """The conversation cannot be shared with this person; the text says why."""


@transaction.atomic
def share(conversation: Conversation, *, to: Employee, by: Employee, now: datetime) -> None:
    """Show the conversation to a colleague; again changes nothing. Raises CannotShare."""
    if to.account_id != conversation.account_id or not to.is_active or to.dismissed_at is not None:
        raise CannotShare(_("This person does not work here."))
    if Mailbox.objects.visible_to(to).filter(pk=conversation.mailbox_id).exists():
        raise CannotShare(_("%(name)s reads this mailbox already.") % {"name": to.name})
    now_there = lock(conversation)
    if now_there is None:
        raise CannotShare(_("This conversation is no longer here."))
    if now_there.pk != conversation.pk:
        raise CannotShare(
            _("This conversation was joined with another one meanwhile. Look at it again before you share it.")
        )
    made = Share(account_id=conversation.account_id, conversation=conversation, employee=to, by=by, at=now)
    before = Share.objects.filter(conversation=conversation, employee=to).exists()
    Share.objects.bulk_create([made], ignore_conflicts=True)
    if not before:
        _tell("conversation.shared", conversation, to, by)


@transaction.atomic
def take_back(conversation: Conversation, *, of: Employee, by: Employee) -> bool:
    """Show it to them no more, from this moment; returns whether it was shared."""
    gone, _rows = Share.objects.filter(conversation=conversation, employee=of).delete()
    Follower.objects.filter(conversation=conversation, employee=of).delete()
    if gone:
        _tell("conversation.unshared", conversation, of, by)
    return bool(gone)


def shared_conversations(employee: Employee) -> QuerySet[Conversation]:
    """The conversations that are shared with this employee."""
    found: QuerySet[Conversation] = Conversation.objects.filter(
        pk__in=shared_with(employee).values("conversation"), account=employee.account_id
    )
    return found


def shared_letters(employee: Employee) -> QuerySet[Message]:
    """Their letters, by access alone: the caller asks for the period (R20)."""
    found: QuerySet[Message] = Message.objects.filter(
        not_aside(), conversation__in=shared_conversations(employee).values("pk"), account=employee.account_id
    )
    return found


def can_read(conversation: Conversation, employee: Employee) -> bool:
    """Whether this employee may read the conversation, by a right on its mailbox or because it is shared."""
    return bool(who_can_read(conversation, [employee]))


def who_can_read(conversation: Conversation, people: Collection[Employee]) -> set[int]:
    """Keys of those of these people who may read the conversation, in one query."""
    mailboxes = Mailbox.objects.filter(pk=conversation.mailbox_id, forgotten_at=None)
    shares = Share.objects.filter(conversation=conversation, conversation__mailbox__forgotten_at=None)
    readers = Q(pk__in=people_of(mailboxes.values("pk")).order_by().values("pk")) | Q(pk__in=shares.values("employee"))
    working = Employee.objects.filter(account=conversation.account_id, is_active=True, dismissed_at=None)
    return set(working.filter(readers, pk__in=[each.pk for each in people]).values_list("pk", flat=True))


@transaction.atomic
def end_all(account_id: int, public_id: str, *, until: datetime) -> None:
    """Somebody left then: what had been shared with them is not theirs when they are taken back. No event each."""
    theirs = Share.objects.filter(account=account_id, employee__public_id=public_id, at__lte=until)
    Follower.objects.filter(employee__public_id=public_id, conversation__in=theirs.values("conversation")).delete()
    theirs.delete()


def _tell(kind: str, conversation: Conversation, to: Employee, by: Employee) -> None:
    mailbox, named = conversation.mailbox, conversation.public_id
    record(kind, account=mailbox.account, by=by, topic=mailbox.topic, subject=f"conversation:{named}",
           conversations=[named], to=f"employee:{to.public_id}")  # fmt: skip
