"""Whether letters reach guests: what came back marks the guest, until they write."""

from datetime import datetime

from letterdesk.events.models import Event
from letterdesk.events.record import record
from letterdesk.mail.addresses import address_key
from letterdesk.mail.reports import Fate, Report
from letterdesk.outbound.models import Bounce, Delivery, RecipientState

from .models import Guest

BACK = (Bounce.HARD, Bounce.SOFT)
OF_GUESTS = "guest:"


def after_letter(event: Event) -> None:
    """A reaction to `letter.bounced`, `letter.failed` and `letter.sent`: it came back, or no server took it."""
    public_id = event.subject.removeprefix("delivery:")
    letters = Delivery.objects.filter(account=event.account_id, public_id=public_id, about__startswith=OF_GUESTS)
    for letter in letters:
        for each in letter.recipients.all():
            if each.bounce in BACK or each.state == RecipientState.REFUSED:
                _mark(letter.about.removeprefix(OF_GUESTS), each.bounce_text or each.text, now=event.at)


def takes_part(about: str) -> bool:
    """Whether this guest ("guest:…") still gets letters: not once they are removed, or their task is in the bin."""
    here = Guest.objects.filter(removed_at=None, task__deleted_at=None)
    return here.filter(public_id=about.removeprefix(OF_GUESTS)).exists()


def came_back(public_id: str, report: Report, *, now: datetime) -> None:
    """A report came to the guest's reply address: believed of letters of ours to this guest, as elsewhere."""
    key, account = Guest.objects.values_list("key", "account_id").get(public_id=public_id)
    ours = Delivery.objects.filter(account=account, about=f"{OF_GUESTS}{public_id}")
    if not ours.filter(message_id__in=report.message_ids[:20]).exists():
        return
    for one in report.recipients:
        if one.fate in {Fate.HARD, Fate.SOFT} and address_key(one.original or one.address) == key:
            _mark(public_id, one.reason, now=now)


def _mark(public_id: str, why: str, *, now: datetime) -> None:
    marks = {"unreachable_at": now, "unreachable_why": why[:500]}
    if Guest.objects.filter(public_id=public_id, unreachable_at=None).update(**marks):
        guest = Guest.objects.select_related("account", "task").get(public_id=public_id)
        record("task.guest_unreachable", account=guest.account, topic=guest.task.topic, subject=guest.task.reference,
               guest=public_id)  # fmt: skip
