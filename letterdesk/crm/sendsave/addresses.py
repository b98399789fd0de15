"""Secret addresses of Send & Save: made, rotated, found (R30). They are exempt from every limit of the plan."""

import base64
import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.intake.doors import Place
from letterdesk.mailboxes.retention.receipts import lock

from ..models import Pipeline, SendSaveAddress, Unknown
from ..models.sendsave import PREFIX
from ..saving import must_fit

DOOR = "sendsave"
SETTINGS = ("unknown_incoming", "unknown_outgoing", "responsible", "came_from", "pipeline", "reads_cards")
BYTES = 15  # 120 random bits, 24 characters
GRACES = {  # how long a rotated address still works
    "now": (timedelta(0), _("Refuse the old one at once")),
    "day": (timedelta(days=1), _("Take letters at the old one for one more day")),
    "week": (timedelta(days=7), _("Take letters at the old one for 7 more days")),
    "month": (timedelta(days=30), _("Take letters at the old one for 30 more days")),
}


def find(local: str, now: datetime) -> Place | None:
    """Whose address this local part is, if letters are taken there: not after its end, not of people who left."""
    token = local.removeprefix(PREFIX)
    if token == local:
        return None
    ours = SendSaveAddress.objects.filter(token_hash=_hash(token), account__closed_at=None)
    works = ours.filter(Q(employee=None) | Q(employee__is_active=True), Q(ends_at=None) | Q(ends_at__gt=now))
    found = works.first()
    return Place(found.account_id, DOOR, found.public_id) if found else None


def current(account: Account, employee: Employee | None) -> SendSaveAddress | None:
    """The address of the employee, or of the account, as it is now; None: none was made yet."""
    return SendSaveAddress.objects.filter(account=account, employee=employee, ends_at=None).first()


@transaction.atomic
def make(*, by: Employee, of_account: bool, now: datetime, grace: timedelta = timedelta(0)) -> SendSaveAddress:
    """A new address for `by`, or for the account; the one before is refused when `grace` is over.

    What the one before does with unknown addresses holds on. Raises NotAllowed where only administrators may.
    """
    employee = _whose(by, of_account=of_account)
    lock(by.account_id)
    before = current(by.account, employee)
    if before is not None:
        _end(before, now + grace)
    token = base64.b32encode(secrets.token_bytes(BYTES)).decode().lower()
    made = SendSaveAddress.objects.create(
        account=by.account,
        employee=employee,
        token=token,
        token_hash=_hash(token),
        made_at=now,
        made_by=by,
        **{name: getattr(before, name) for name in SETTINGS if before},
    )
    tell("sendsave.rotated" if before else "sendsave.made", account=by.account, by=by, of_account=int(of_account))
    return made


@transaction.atomic
def end_at_once(address: SendSaveAddress, *, by: Employee, now: datetime) -> None:
    """A rotated address, or the one in use, takes no more letters. The caller found it among the editable ones."""
    _end(address, now)
    tell("sendsave.ended", account=by.account, by=by, of_account=int(address.employee_id is None))


@transaction.atomic
def change(
    address: SendSaveAddress,
    *,
    by: Employee,
    unknown_incoming: str,
    unknown_outgoing: str,
    responsible: Employee | None = None,
    came_from: str = "",
    pipeline: Pipeline | None = None,
    reads_cards: bool = False,
) -> None:
    """What becomes of unknown people's letters from now on, and whose they are. The caller found it as editable."""
    must_fit(address.account_id, [responsible] if responsible else [], pipeline)
    address.unknown_incoming = Unknown(unknown_incoming).value
    address.unknown_outgoing = Unknown(unknown_outgoing).value
    address.responsible = responsible
    address.came_from, address.pipeline, address.reads_cards = came_from, pipeline, reads_cards
    address.save(update_fields=SETTINGS)
    tell("sendsave.changed", account=by.account, by=by, of_account=int(address.employee_id is None))


def _whose(by: Employee, *, of_account: bool) -> Employee | None:
    if not of_account:
        return by
    must_administrate(by, by.account_id)
    return None


def _end(address: SendSaveAddress, at: datetime) -> None:
    SendSaveAddress.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), pk=address.pk).update(ends_at=at)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
