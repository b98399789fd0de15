"""Letters of the tests: to whom they go, and how they have fared."""

from datetime import timedelta

from letterdesk.outbound import drafts
from letterdesk.outbound.deliver import deliver
from letterdesk.outbound.models import VerifiedSender

SOON = timedelta(seconds=12)
TO = [("Bo", "bo@client.example"), ("", "cy@client.example"), ("", "di@client.example")]


def after(delivery, now, *, times=1):
    """The letter after so many tries, each as late as it wants."""
    for _ in range(times):
        delivery.refresh_from_db()
        deliver(now=max(now + SOON, delivery.next_at), patience=1)
    delivery.refresh_from_db()
    return delivery


def throw_away(draft, *, by, now):
    """A draft was discarded so long ago that it cannot be restored any more."""
    drafts.discard(draft, by=by, now=now - drafts.RESTORABLE)
    drafts.remove_discarded(now=now)


def states(delivery):
    return [each.state for each in delivery.recipients.order_by("pk")]


def verified(sink, account, now, *, address="sales@acme.example", **fields):
    """A verified sender of the account whose letters leave through this sink; everyone may write from it."""
    said = {"name": "Acme", "smtp_user": "acme", "secret": {"password": "secret"}, "verified_at": now}
    return VerifiedSender.objects.create(
        account=account, address=address, key=address, smtp_host=sink.host, smtp_port=sink.port, smtp_security="none",
        **{"is_everyones": True, **said, **fields},
    )  # fmt: skip
