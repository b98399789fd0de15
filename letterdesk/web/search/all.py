"""All that a search finds, for an action on "all that match"."""

from datetime import datetime
from itertools import islice

from django.shortcuts import get_object_or_404

from letterdesk.mailboxes.models import Mailbox, Placement
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.search.letters import Search
from letterdesk.web.crm.search import told_to
from letterdesk.web.mail.place import MOST_AT_ONCE
from letterdesk.web.request import Request


def all_found(request: Request, query: str, now: datetime) -> list[tuple[int, int]]:
    """The conversations that a search finds, at most MOST_AT_ONCE, each with a folder of its newest hit: their keys.

    `in` in the form confines it to one mailbox. Raises BadQuery.
    """
    me = request.employee
    visible = Mailbox.objects.visible_to(me)
    mailbox = get_object_or_404(visible, public_id=request.POST["in"]) if request.POST.get("in") else None
    asked = Search(me, query, now=now, mailbox=mailbox, period=periods_of(me.account, now), told=told_to(me))
    letters = list(islice(asked.newest(), MOST_AT_ONCE))
    places = Placement.objects.visible_to(me).filter(message__in=letters).shown().order_by("-pk")
    return list(dict(places.values_list("conversation_id", "folder_id")).items())
