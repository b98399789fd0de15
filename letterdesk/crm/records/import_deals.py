"""What a line of a file says of a stage, and of a deal: its contact, and whether it is there already."""

from datetime import datetime

from django.utils.translation import gettext as _

from letterdesk.accounts.models import Employee
from letterdesk.mail.addresses import address_key

from ..models import EmailAddress, Kind, Record, Stage
from .create import create
from .fields import BadRecord, Fields
from .import_rows import Line, Refused
from .naming import named_or_new
from .stages import stages_for

PIPELINE, STAGE = "pipeline", "stage"


class NotTaken(Exception):
    """A line is refused, for what stands in one of its columns."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.why)
        self.refused = refused


def stage_of(line: Line, kind: str, *, by: Employee) -> Stage | None:
    """The stage that a line names, of the pipeline that it names, else of the first that has it; None: it names none.

    Raises NotTaken.
    """
    if not line.stage and not line.pipeline:
        return None
    stages = stages_for(by, kind, to_change=True)
    if line.pipeline:
        stages = [each for each in stages if each.pipeline.name.casefold() == line.pipeline.casefold()]
        if not stages:
            told = _("There is no pipeline “%(typed)s” that you may change.") % {"typed": line.pipeline[:100]}
            raise NotTaken(Refused(PIPELINE, told))
    found = next((each for each in stages if each.name.casefold() == line.stage.casefold()), None)
    if found is None and line.stage:
        raise NotTaken(Refused(STAGE, _("There is no stage “%(typed)s” there.") % {"typed": line.stage[:100]}))
    return found or stages[0]


def contact_of(
    line: Line, *, by: Employee, responsible: Employee, company: Record | None, now: datetime
) -> Record | None:
    """The contact of a deal: who has the address, else who has the name, else a new one. Raises BadRecord."""
    if not line.emails:
        return named_or_new(by, Kind.CONTACT, line.contact, responsible=responsible, company=company, now=now)
    keys = [address_key(email) for email in line.emails]
    contacts = EmailAddress.objects.filter(
        account=by.account_id, key__in=keys, record__deleted_at=None, record__kind=Kind.CONTACT
    )
    holders = list(contacts.values_list("record", flat=True))
    if holders:
        seen: Record | None = Record.objects.visible_to(by).filter(pk__in=holders).order_by("pk").first()
        if seen is None:
            raise BadRecord(_("A record that you cannot view has this address."))
        return seen
    name = line.contact or line.emails[0]
    fields = Fields(name=name, responsible=responsible, company=company, addresses=line.emails)
    return create(Kind.CONTACT, fields, by=by, now=now)


def is_there(deal: Fields, by: Employee) -> bool:
    """Whether a deal of this name, contact, company and amount is there that one may see, in whatever stage."""
    seen = Record.objects.visible_to(by).present().filter(kind=Kind.DEAL, name=" ".join(deal.name.split()))
    same = seen.filter(contact=deal.contact, company=deal.company, amount=deal.amount, currency=deal.currency)
    return bool(same.exists())
