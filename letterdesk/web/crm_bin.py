"""CRM's bin: records and letters lie there for 30 days, are restored or deleted for good (R8)."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from letterdesk.crm.lists import activities_in_bin, records_in_bin
from letterdesk.web.records import crm_facts
from letterdesk.web.request import Request

MOST = 500  # rows of each kind


def crm_bin(request: Request) -> HttpResponse:
    """GET /crm/bin: what was deleted and can still be restored."""
    now, me = timezone.now(), request.employee
    facts = {
        **crm_facts("bin"),
        "records": records_in_bin(me, now=now)[:MOST],
        "activities": activities_in_bin(me, now=now)[:MOST],
    }
    return render(request, "web/crm/bin.html", facts)
