"""A lead becomes a contact, with a company and a deal as wished; what was written to and fro comes along."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.crashpoint import reach
from letterdesk.mailboxes.retention.receipts import lock as lock_account

from ..models import Binding, Kind, OwnField, Record, Stage
from ..own.said import Said
from ..own.values import all_said_at, carried, own_fields_of, write_own
from .change import lock
from .create import create
from .fields import BadRecord, Fields, fields_of, write_reach
from .stages import ending_stage


@dataclass(frozen=True, slots=True)
class Qualified:
    """What a lead became."""

    contact: Record
    company: Record | None
    deal: Record | None


@transaction.atomic
def qualify(
    lead: Record,
    *,
    by: Employee,
    now: datetime,
    contact: Record | None = None,
    company: Record | None = None,
    company_name: str = "",
    deal_name: str = "",
) -> Qualified:
    """End a lead as won: a contact with its addresses, or the one that is given, which gets them too.

    `company` or a new one of `company_name` (without both the lead's own); a deal where `deal_name` says something.
    The lead stays as history, and its activities stand at all of them. Raises BadRecord, InBin.
    """
    lock_account(lead.account_id)
    lock(lead)
    lead.refresh_from_db()
    if lead.kind != Kind.LEAD or lead.stage is None or lead.stage.outcome == Stage.Outcome.WON or lead.contact_id:
        raise BadRecord(_("Only a lead that is not qualified yet can be."))
    own = fields_of(lead)
    company = company or _new_company(company_name, own, by=by, now=now) or lead.company
    person = replace(own, company=company, stage=None, own=_carried(lead, Kind.CONTACT))
    contact = _join(contact, person) if contact else create(Kind.CONTACT, person, by=by, now=now)
    deal = None
    if deal_name.strip():
        fields = Fields(
            name=deal_name, responsible=lead.responsible, company=company, contact=contact,
            own=_carried(lead, Kind.DEAL),
        )  # fmt: skip
        deal = create(Kind.DEAL, fields, by=by, now=now)
    _take_along(lead, [each for each in (contact, company, deal) if each])
    Record.objects.filter(pk=lead.pk).update(
        stage=ending_stage(lead.stage, Stage.Outcome.WON), contact=contact, company=company
    )
    lead.refresh_from_db()
    tell("record.qualified", account=lead.account, by=by, subject=lead.reference, contact=contact.public_id)
    reach("qualify.before_commit")
    return Qualified(contact, company, deal)


def _carried(lead: Record, kind: str) -> dict[OwnField, Said]:
    """What the lead says in own fields that the other kind has by the same name."""
    said = all_said_at(lead)
    if not said:
        return {}
    account = lead.account
    return carried(said, own_fields_of(account, Kind.LEAD, with_retired=True), own_fields_of(account, kind))


def _new_company(name: str, own: Fields, *, by: Employee, now: datetime) -> Record | None:
    if not name.strip():
        return None
    return create(Kind.COMPANY, Fields(name=name, responsible=own.responsible), by=by, now=now)


def _join(contact: Record, person: Fields) -> Record:
    """A contact that is there gets what the lead knows and it does not."""
    lock(contact)
    contact.refresh_from_db()
    known = fields_of(contact)
    both = replace(
        known,
        addresses=tuple(dict.fromkeys((*known.addresses, *person.addresses))),
        phones=tuple(dict.fromkeys((*known.phones, *person.phones))),
    )
    write_reach(contact, both)
    said = all_said_at(contact)
    write_own(contact, {field: own for field, own in person.own.items() if not said.get(field.pk)})
    if contact.company_id is None and person.company is not None:
        contact.company = person.company
        contact.save(update_fields=["company"])
    return contact


def _take_along(lead: Record, records: list[Record]) -> None:
    """Reason and date stay: it says the same of the letter as before."""
    bindings = list(Binding.objects.filter(record=lead))
    Binding.objects.bulk_create(
        [
            Binding(
                account_id=lead.account_id,
                activity_id=each.activity_id,
                record=record,
                reason=each.reason,
                matched=each.matched,
                by_id=each.by_id,
                at=each.at,
                received_at=each.received_at,
            )
            for record in records
            for each in bindings
        ],
        batch_size=500,
        ignore_conflicts=True,
    )
    newest = max((each.received_at for each in bindings), default=None)
    if newest is not None:
        Record.objects.filter(pk__in=[each.pk for each in records], active_at__lt=newest).update(active_at=newest)
