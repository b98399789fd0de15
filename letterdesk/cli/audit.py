"""`letterdesk audit`: what happened, from the table of events."""

from datetime import datetime
from itertools import chain
from typing import Annotated

import typer
from django.utils import timezone

from letterdesk.events.audit import Wanted, all_of, as_row, find
from letterdesk.events.kinds import KINDS
from letterdesk.events.models import Event

from .output import AsJson, fail, table
from .plan import account_of

LATEST = 200


def audit(
    *,
    account: Annotated[str, typer.Option(help="The account's public id, or its name; without: all accounts.")] = "",
    kind: Annotated[str, typer.Option(help="A kind of event, such as mailbox.connected.")] = "",
    since: Annotated[datetime | None, typer.Option(help="From this moment on (UTC).")] = None,
    as_json: AsJson = False,
) -> None:
    """What happened, the newest first: the latest 200; with --since, all of it."""
    if kind and kind not in KINDS:
        raise fail("no_such_kind", f"There is no kind of event {kind}: docs/events.md lists them.")
    events = Event.objects.filter(account=account_of(account)) if account else Event.objects.all()
    moment = timezone.make_aware(since, timezone.get_default_timezone()) if since else None
    found = find(events, Wanted(kind=kind, since=moment))
    pieces = all_of(found) if since else [list(found.order_by("-at", "-pk")[:LATEST])]
    table([as_row(event) for event in chain.from_iterable(pieces)], as_json=as_json, empty="Nothing happened.")
