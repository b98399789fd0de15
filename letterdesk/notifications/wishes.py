"""How somebody wants to be told: read with what is usual, and changed."""

from collections.abc import Collection, Mapping
from datetime import datetime, time

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.accounts.zones import zone_of
from letterdesk.mailboxes.models import Conversation, Mailbox
from letterdesk.mailboxes.muting import muted_among

from .decide import Happening, Wishes, is_told, next_digest
from .models import Digest, Level, MailboxTelling, Telling


class NotAWish(ValueError):
    """That cannot be wished for; the text says why."""


def telling_of(employee: Employee) -> Telling:
    """How this person is told; not stored as long as all is as usual."""
    found: Telling | None = Telling.objects.filter(employee=employee).first()
    return found or Telling(account_id=employee.account_id, employee=employee)


def stored_telling(employee: Employee) -> Telling:
    """The same, as a row."""
    made, _is_new = Telling.objects.get_or_create(employee=employee, defaults={"account_id": employee.account_id})
    return made


def wishes_of(telling: Telling, employee: Employee) -> Wishes:
    """What the decision needs of it."""
    begin, end = telling.quiet_from, telling.quiet_until
    return Wishes(
        zone=zone_of(employee),
        tells_bulk=telling.tells_bulk,
        quiet=(begin, end) if begin is not None and end is not None else None,
        paused_until=telling.paused_until,
        present_at=telling.present_at,
        pushed_at=telling.pushed_at,
    )


def usual_level(mailbox: Mailbox, person: int) -> str:
    """All of one's own mailbox; of one that others own, what is mine. `person`: their key."""
    return Level.ALL if mailbox.owner_id == person else Level.MINE


def wanting(people: Collection[int], kind: str, conversation: Conversation) -> set[int]:
    """Those of these people, by key, who want to be told of that kind in this conversation, by level and mute."""
    mailbox = conversation.mailbox
    chosen = dict(
        MailboxTelling.objects.filter(mailbox=mailbox, employee__in=people).values_list("employee_id", "level")
    )
    levels = {pk: chosen.get(pk) or usual_level(mailbox, pk) for pk in people}
    muted = {person for _key, person in muted_among([conversation.pk])}
    return {
        pk for pk, level in levels.items() if is_told(Happening(kind, is_muted=pk in muted), level, tells_bulk=False)
    }


def levels_of(employee: Employee, mailboxes: Collection[Mailbox]) -> dict[int, str]:
    """The level of each of these mailboxes, by key."""
    chosen = MailboxTelling.objects.visible_to(employee).filter(mailbox__in=[each.pk for each in mailboxes])
    own = dict(chosen.values_list("mailbox_id", "level"))
    return {each.pk: own.get(each.pk) or usual_level(each, employee.pk) for each in mailboxes}


@transaction.atomic
def choose_levels(employee: Employee, levels: Mapping[Mailbox, str]) -> None:
    """Keep the levels of mailboxes that the caller has found among those this person reads. Raises NotAWish."""
    if unknown := set(levels.values()) - set(Level.values):
        raise NotAWish(", ".join(sorted(unknown)))
    for mailbox, level in levels.items():
        mine = MailboxTelling.objects.filter(employee=employee, mailbox=mailbox)
        if level == usual_level(mailbox, employee.pk):
            mine.delete()
        elif not mine.update(level=level):
            MailboxTelling.objects.create(
                account_id=employee.account_id, employee=employee, mailbox=mailbox, level=level
            )


@transaction.atomic
def choose(
    employee: Employee,
    *,
    now: datetime,
    tells_bulk: bool,
    hides_content: bool,
    quiet: tuple[time | None, time | None],
    digest: str,
    digest_hour: int,
) -> Telling:
    """Keep how this person wants to be told beside the page. Raises NotAWish."""
    if (quiet[0] is None) != (quiet[1] is None):
        raise NotAWish(_("Quiet hours need a beginning and an end; leave both empty for none."))
    if digest not in Digest.values or not 0 <= digest_hour <= 23:
        raise NotAWish(_("There is no such time for a digest."))
    telling = stored_telling(employee)
    telling.tells_bulk, telling.hides_content = tells_bulk, hides_content
    telling.quiet_from, telling.quiet_until = quiet
    telling.digest, telling.digest_hour = digest, digest_hour
    telling.digest_due_at = next_digest(digest, digest_hour, zone=zone_of(employee), after=now)
    telling.save(
        update_fields=["tells_bulk", "hides_content", "quiet_from", "quiet_until", "digest", "digest_hour",
                       "digest_due_at"]
    )  # fmt: skip
    return telling


def pause(employee: Employee, until: datetime | None) -> None:
    """Hold pushes back until then; None: no longer."""
    stored_telling(employee)
    Telling.objects.filter(employee=employee).update(paused_until=until)


def stop_digest(employee: Employee) -> None:
    """No digest any more."""
    Telling.objects.filter(employee=employee).update(digest=Digest.NEVER, digest_due_at=None)
