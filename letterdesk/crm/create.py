"""A contact, company, lead or deal is made: by a person, or from a letter (R28 says when)."""

from datetime import datetime

from django.db import transaction

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record as tell

from .models import Kind, Record, Source
from .records import STAGED, Fields, checked, write_reach
from .stages import first_stage


@transaction.atomic
def create(
    kind: str,
    fields: Fields,
    *,
    by: Employee | None,
    now: datetime,
    source: str = Source.PERSON,
) -> Record:
    """Make a record; without a stage a lead or deal begins in the first. `by` None: Letterdesk itself.

    Letters of its addresses that are here already come along by a job. Raises BadRecord.
    """
    account: Account = (by or fields.responsible).account
    fields = checked(Kind(kind), fields, by=by or fields.responsible)
    made = Record.objects.create(
        account=account,
        kind=kind,
        name=fields.name,
        responsible=fields.responsible,
        source=source,
        note=fields.note,
        position=fields.position,
        company=fields.company,
        contact=fields.contact,
        stage=fields.stage or (first_stage(account, kind) if kind in STAGED else None),
        amount=fields.amount,
        currency=fields.currency,
        created_at=now,
        created_by=by,
        active_at=now,
    )
    write_reach(made, fields)
    tell("record.created", account=account, by=by, subject=made.reference, source=source)
    return made
