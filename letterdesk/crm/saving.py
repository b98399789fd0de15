"""What of a mailbox is saved to CRM by itself, and who sees how much of CRM: settings, and how they are changed."""

from collections.abc import Sequence

from django.db import transaction

from letterdesk.accounts.models import Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.mailboxes.models import Mailbox

from .linking.turns import put_in_turn
from .models import Kind, MailboxSaving, Pipeline, Returning, Scope, Sight, Unknown


def saving_of(mailbox: Mailbox) -> MailboxSaving:
    """The mailbox's settings, as they were set or as they are without; not stored where they were not."""
    found = MailboxSaving.objects.filter(mailbox=mailbox).first()
    return found or MailboxSaving(account_id=mailbox.account_id, mailbox=mailbox)


@transaction.atomic
def change_saving(  # noqa: PLR0913  each is a choice of the form
    mailbox: Mailbox,
    *,
    by: Employee,
    known: bool,
    unknown_incoming: str,
    unknown_outgoing: str,
    returning: str = Returning.NOTHING,
    responsible: Sequence[Employee] = (),
    came_from: str = "",
    pipeline: Pipeline | None = None,
    reads_cards: bool = False,
) -> bool:
    """Set what is saved from now on; letters that were looked at stay as they are. Returns whether that is new.

    `responsible`: for what is made, in turn; nobody: the owner. `pipeline`: of the deals that are made; None: the
    first. The caller has found the mailbox among those that `by` manages.
    """
    must_fit(mailbox.account_id, responsible, pipeline)
    wanted = {
        "known": known,
        "unknown_incoming": Unknown(unknown_incoming).value,
        "unknown_outgoing": Unknown(unknown_outgoing).value,
        "returning": Returning(returning).value,
        "came_from": " ".join(came_from.split())[:200],
        "pipeline": pipeline,
        "reads_cards": reads_cards,
    }
    saving, _ = MailboxSaving.objects.select_for_update().get_or_create(
        mailbox=mailbox, defaults={"account_id": mailbox.account_id}
    )
    changed = [name for name, value in wanted.items() if getattr(saving, name) != value]
    for name in changed:
        setattr(saving, name, wanted[name])
    saving.save(update_fields=changed)
    if put_in_turn(saving, list(dict.fromkeys(responsible))):
        changed.append("responsible")
    if changed:
        tell("saving.changed", account=mailbox.account, by=by, topic=mailbox.topic, changed=changed)
    return bool(changed)


def must_fit(account_id: int, responsible: Sequence[Employee], pipeline: Pipeline | None) -> None:
    """Raises ValueError for people and pipelines of another account, and for a pipeline of leads."""
    if any(each.account_id != account_id for each in (*responsible, pipeline) if each):  # F10
        raise ValueError(f"what is chosen is of another account than {account_id}")
    if pipeline is not None and pipeline.kind != Kind.DEAL:
        raise ValueError(f"pipeline {pipeline.pk} is none of deals")


@transaction.atomic
def change_sight(role: str, scope: str, *, by: Employee) -> None:
    """People of this role see so much of CRM from now on. Raises NotAllowed for who is no administrator."""
    must_administrate(by, by.account_id)
    Sight.objects.update_or_create(account=by.account, role=role, defaults={"scope": Scope(scope).value})
    tell("sight.changed", account=by.account, by=by, role=role, scope=scope)
