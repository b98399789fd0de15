"""A contact, company, lead or deal is made: by a person, or from a letter (R28 says when)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record as tell
from letterdesk.lib.alphabet import sort_key

from ..models import Kind, Record, Source, Stage
from ..own.values import write_own
from .fields import STAGED, BadRecord, Fields, checked, write_reach
from .stages import first_stage, hold, stages_for


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
    stage = fields.stage or (_begins(account, kind, by) if kind in STAGED else None)
    if by is not None and stage is not None and not hold(stage):  # Letterdesk itself holds the account
        raise BadRecord(_("The stage was deleted meanwhile. Choose another one."))
    made = Record.objects.create(
        account=account,
        kind=kind,
        name=fields.name,
        name_key=sort_key(fields.name),
        responsible=fields.responsible,
        source=source,
        came_from=fields.came_from,
        note=fields.note,
        position=fields.position,
        company=fields.company,
        contact=fields.contact,
        stage=stage,
        amount=fields.amount,
        currency=fields.currency,
        created_at=now,
        created_by=by,
        active_at=now,
    )
    write_reach(made, fields)
    write_own(made, fields.own)
    tell("record.created", account=account, by=by, subject=made.reference, source=source)
    return made


def _begins(account: Account, kind: str, by: Employee | None) -> Stage:
    """Where it begins: in the first pipeline; of what a person makes, in the first that is open to them."""
    if by is None:
        return first_stage(account, kind)
    mine = stages_for(by, kind, to_change=True)
    if not mine:
        raise BadRecord(_("No pipeline is open to you. Ask an administrator to choose you for one."))
    return mine[0]
