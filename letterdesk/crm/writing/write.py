"""A person writes at a record: to its addresses, from a mailbox or a verified sender of the account (R23, R24).

The letter is a draft like any other, begun at CRM's door: that makes its channel CRM, and `about` says at which record
it is written. What an answer quotes is the activity's own copy, so it can be answered after Webmail let it go (R8).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.preferences import prefer
from letterdesk.accounts.roles import must_administrate
from letterdesk.events.record import record as tell
from letterdesk.mail.addresses import address_key
from letterdesk.outbound import answering, drafts
from letterdesk.outbound.composing import CannotSend, Problem
from letterdesk.outbound.identities import Identity, identities_for
from letterdesk.outbound.models import Draft, Kind
from letterdesk.outbound.placeholders import left_over
from letterdesk.plans.models import Channel

from ..activities import reading
from ..linking.ground import ours_of, records_named
from ..linking.identity import people_of
from ..models import Activity, EmailAddress, Record, Writing
from ..models import Kind as RecordKind
from ..records.stages import may_change


class NobodyToWriteAs(Exception):
    """There is no mailbox and no verified sender from which this employee may write."""

    def __init__(self) -> None:
        super().__init__(
            _("There is no address from which you may write. An administrator adds one under Settings, Senders.")
        )


@dataclass(frozen=True, slots=True)
class Reachable:
    """An address of a record, or of somebody who belongs to it, as the reader may see it."""

    name: str
    email: str


def reachable_at(record: Record, employee: Employee) -> list[Reachable]:
    """All to whom one writes at this record: its own addresses first, then its contact's, its company's and the
    company's people's; in two queries, each address once."""
    belonging = {record.pk, record.contact_id, record.company_id} - {None}
    seen = Record.objects.visible_to(employee).present()
    records = {each.pk: each for each in seen.filter(pk__in=belonging)}
    if record.kind == RecordKind.COMPANY:
        records |= {each.pk: each for each in seen.filter(company=record.pk, kind=RecordKind.CONTACT)}
    first = [record.pk, record.contact_id, record.company_id]
    addresses = EmailAddress.objects.filter(record__in=records).order_by("position", "pk")
    found: dict[str, Reachable] = {}
    for each in sorted(addresses, key=lambda one: _place(one.record_id, first)):
        found.setdefault(each.key, Reachable(records[each.record_id].name, each.email))
    return list(found.values())


def _place(record: int, first: list[int | None]) -> int:
    return first.index(record) if record in first else len(first)


def begin(record: Record, *, by: Employee, now: datetime) -> Draft:
    """A letter to the record's first address; the caller has found the record by right. Raises NobodyToWriteAs."""
    draft = _from_first(Draft(kind=Kind.NEW, **_at(record, by)), by)
    draft.to = [[each.name, each.email] for each in reachable_at(record, by)[:1]]
    return _keep(draft, by, now)


def answer(activity: Activity, record: Record, *, by: Employee, now: datetime) -> Draft:
    """An answer to a letter at CRM, written at one of its records, to all whom it asks to answer: whoever wrote it,
    or to whom we wrote. The caller has found both by right. Raises NobodyToWriteAs, Unparsable, BlobMissing, Damaged.
    """
    draft = _from_first(Draft(**_at(record, by)), by, rather=_received_by(activity))
    at = activity.sent_at or activity.received_at
    return answering.begin_reply(draft, reading.raw(activity), by=by, now=now, at=at)


def record_of(draft: Draft, employee: Employee) -> Record | None:
    """The record at which it is written, as this employee may see it; None: there is none any more for them."""
    seen = Record.objects.visible_to(employee).present().select_related("account", "stage__pipeline")
    found: Record | None = seen.filter(pk=_written_at(draft)).first()
    return found


def is_hidden(draft: Draft, employee: Employee) -> bool:
    """Whether it is written at a record that is there, and that this employee may not see (any more)."""
    here = Record.objects.filter(account=draft.account_id, pk=_written_at(draft))
    return here.exists() and not here.visible_to(employee).exists()


def _written_at(draft: Draft) -> int:
    """The key of its record, or of the one into which that was merged meanwhile; 0: it is gone for good."""
    return records_named(draft.account_id, [draft.about]).get(draft.about, 0)


def check(draft: Draft, *, by: Employee) -> None:
    """Raise CannotSend, with all that is wrong, unless this draft may leave from its record: that is there, the writer
    may change it, the recipients are its own (or anybody, where the account allows that), no placeholder is left."""
    record = record_of(draft, by)
    if record is None:
        text = _("The record at which this letter was written is not there any more. Write it at another one.")
        raise CannotSend([Problem("record_gone", text)])
    if not may_change(record, by):
        text = _("You may look at “%(name)s”, but write no letter there.") % {"name": record.name}
        raise CannotSend([Problem("record_closed", text)])
    found = [Problem("placeholder", _not_filled(each), "text") for each in left_over(draft)]
    if not may_write_to_anybody(record.account):
        found += [Problem("not_of_record", _not_of(record, each), "to") for each in _strangers(draft, record, by)]
    if found:
        raise CannotSend(found)


def may_write_to_anybody(account: Account) -> bool:
    """Whether letters written at a record may go to other addresses than its own; by itself they may not."""
    return Writing.objects.filter(account=account, to_anybody=True).exists()


@transaction.atomic
def allow_anybody(*, by: Employee, allowed: bool) -> None:
    """Letters written in CRM go to any address from now on, or to those of their record alone. Raises NotAllowed."""
    must_administrate(by, by.account_id)
    Writing.objects.update_or_create(account=by.account, defaults={"to_anybody": allowed})
    tell("writing.changed", account=by.account, by=by, to_anybody=allowed)


def remember_tracking(by: Employee, *, wanted: bool) -> None:
    """Whether the next letter that this person begins at a record is one whose opens and clicks are counted."""
    if wanted != (by.preferences.get("track") == "yes"):
        prefer(by, track="yes" if wanted else "")


def _at(record: Record, by: Employee) -> dict[str, Any]:
    is_tracked = by.preferences.get("track") == "yes"  # where the account counts nothing it has no effect
    where = {"account_id": record.account_id, "channel": Channel.CRM, "about": record.reference}  # R23
    return {**where, "is_tracked": is_tracked}


def _from_first(draft: Draft, by: Employee, *, rather: set[str] | frozenset[str] = frozenset()) -> Draft:
    """From the address that the letter had reached, else the writer's first mailbox, else the first sender."""
    found = identities_for(draft, by)
    if not found:
        raise NobodyToWriteAs
    first: Identity = next((each for each in found if address_key(each.email) in rather), found[0])
    draft.mailbox, draft.verified_sender = first.mailbox, first.verified_sender
    if first.signature_html:
        drafts.write(draft, f"<div><br></div>{first.signature_html}", "")
    return draft


def _received_by(activity: Activity) -> set[str]:
    return {*people_of(activity).all, address_key(activity.through)}


@transaction.atomic
def _keep(draft: Draft, by: Employee, now: datetime) -> Draft:
    return drafts.begin(draft, by=by, now=now)


def _strangers(draft: Draft, record: Record, by: Employee) -> list[str]:
    """Recipients who are none of the record's, none of the letter's that is answered, and none of our own people."""
    known = {address_key(each.email) for each in reachable_at(record, by)} | ours_of(record.account_id)
    if draft.in_reply_to:
        answered = Activity.objects.visible_to(by).present().filter(bindings__record=record.pk)
        for each in answered.filter(message_id=draft.in_reply_to):
            known |= {*people_of(each).all, *_reply_to(each)}
    everybody = [address for field in ("to", "cc", "bcc") for _name, address in getattr(draft, field)]
    return [each for each in dict.fromkeys(everybody) if address_key(each) not in known]


def _reply_to(activity: Activity) -> list[str]:
    return [address_key(address) for _name, address in activity.recipients.get("reply_to", ()) if "@" in address]


def _not_of(record: Record, address: str) -> str:
    said = {"address": address, "record": record.name}
    return _("%(address)s is no address of “%(record)s”. Add it there first, or take it out here.") % said


def _not_filled(placeholder: str) -> str:
    return _("Nobody has filled in %(what)s.") % {"what": placeholder}
