"""What is done for teams beside the requests, and what wakes it."""

from dataclasses import replace

from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.lib.jobs import job
from letterdesk.mailboxes.models import Conversation, Mailbox, Status

from .follow import look_at_piece, mailboxes_to_look_at
from .leave import let_go, let_go_unreadable
from .openings import forget_openings
from .sharing import end_all
from .standing import locked, standing_of, write

PIECES = 10  # of a mailbox in one job


@job(name="team.follow_letters")
def follow_letters_of(mailbox_id: int) -> None:
    """After letters came, or a mailbox was shared: what they do to the conversations of the team.

    Some at once; for the rest it lines up again, so that a first sync holds up no other mailbox.
    """
    for _ in range(PIECES):
        if not look_at_piece(mailbox_id):
            return
    follow_letters_of.later(mailbox_id)


@job(name="team.follow_missed", priority=-10)
def follow_missed() -> None:
    """Every ten minutes: letters whose wake-up was lost."""
    for mailbox_id in mailboxes_to_look_at():
        follow_letters_of.now(mailbox_id)


@job(name="team.forget_openings", priority=-10)
def forget_old_openings() -> None:
    """Each night: who opened a shared conversation more than 90 days ago."""
    forget_openings(now=timezone.now())


def after_letters(event: Event) -> None:
    """A reaction to `message.received` and `mailbox.shared`."""
    public_id = event.topic.removeprefix("mailbox:")
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id)
    for mailbox_id in mailboxes.values_list("pk", flat=True):
        follow_letters_of.later(mailbox_id)


def after_reminded(event: Event) -> None:
    """A reaction to `conversation.reminded`: what waits for an answer that has not come is to be done again."""
    public_id = event.subject.removeprefix("conversation:")
    found = Conversation.objects.filter(account=event.account_id, public_id=public_id)
    conversations = locked(list(found.values_list("pk", flat=True)))
    settled = [each for each in conversations if each.status in {Status.WAITING, Status.CLOSED}]
    write(
        settled, {each.pk: replace(standing_of(each), status=Status.OPEN) for each in settled}, by=None, why="reminded"
    )


def after_leaving(event: Event) -> None:
    """A reaction to `employee.dismissed`: what was theirs waits for somebody else; shares with them end."""
    public_id = event.subject.removeprefix("employee:")
    let_go(event.account_id, public_id)
    end_all(event.account_id, public_id, until=event.at)


def after_access_ended(event: Event) -> None:
    """A reaction to `mailbox.unshared`: what was given to who cannot read it any more is nobody's."""
    public_id = event.topic.removeprefix("mailbox:")
    mailboxes = Mailbox.objects.filter(account=event.account_id, public_id=public_id)
    for mailbox_id in mailboxes.values_list("pk", flat=True):
        let_go_unreadable(mailbox_id)
