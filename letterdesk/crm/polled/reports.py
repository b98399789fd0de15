"""Reports of mail servers among the letters of a polled mailbox reach the letters of ours of which they speak (R30).

Which those are is told by the address to which a report came, where that is a letter's own, else by the Message-ID
that it names; of whom it says so is believed as everywhere (`outbound/bounces.py`).
"""

from datetime import datetime

from django.conf import settings

from letterdesk.intake.doors import Arrival
from letterdesk.mail.addresses import read_addresses
from letterdesk.mail.headers import read_head
from letterdesk.mail.reports import Report
from letterdesk.outbound.bounces import believe_about, letters_named
from letterdesk.outbound.models import Delivery
from letterdesk.outbound.return_path import delivery_at

from ..models import PolledMailbox

WHITHER = ("delivered-to", "x-original-to", "envelope-to", "to")  # where a server says to whom a letter came


def is_believed(arrival: Arrival, report: Report, *, now: datetime) -> bool:
    """Write down what it says of letters of ours; whether it is about any. Outside any transaction."""
    account_id = arrival.row.account_id
    mailbox = PolledMailbox.objects.filter(account=account_id, public_id=arrival.row.address).first()
    about = _by_address(arrival, account_id)
    if not about and mailbox is not None:
        about = letters_named(account_id, mailbox.address, report)
    for letter in about:
        believe_about(letter, report, now=now)
    return bool(about)


def _by_address(arrival: Arrival, account_id: int) -> list[Delivery]:
    """The letter at whose own address it came, as the envelope of that letter named it."""
    head = read_head(arrival.raw)
    named = [each.address for name in WHITHER for each in read_addresses(head.fields.get(name, [])[:5])]
    found = [delivery_at(local) for address in named[:20] if (local := settings.INBOUND.local_part(address))]
    return [each for each in found if each is not None and each.account_id == account_id][:1]
