"""Letters of the tests: to whom they go, and how they have fared."""

from datetime import timedelta

from letterdesk.outbound.deliver import deliver

SOON = timedelta(seconds=12)
TO = [("Bo", "bo@client.example"), ("", "cy@client.example"), ("", "di@client.example")]


def after(delivery, now, *, times=1):
    """The letter after so many tries, each as late as it wants."""
    for _ in range(times):
        delivery.refresh_from_db()
        deliver(now=max(now + SOON, delivery.next_at), patience=1)
    delivery.refresh_from_db()
    return delivery


def states(delivery):
    return [each.state for each in delivery.recipients.order_by("pk")]
