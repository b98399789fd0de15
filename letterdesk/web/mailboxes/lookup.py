"""The search for a server's settings, shown as it goes: source by source, remembered for ten minutes (ux.md 1.8)."""

import hashlib
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from letterdesk.accounts.pace import TooFast, spend
from letterdesk.mail.autoconfig import SOURCES, Found, Server, domain_of, find_by, find_settings
from letterdesk.plans import limits
from letterdesk.sync.connections import guard
from letterdesk.web.mailboxes.consenting import provider_for
from letterdesk.web.request import Request

SEARCHES_PER_HOUR = 60
REMEMBERED_FOR = 600  # seconds
SOURCE_NAMES = {
    "provider": gettext_lazy("Built-in list of providers"),
    "mx": gettext_lazy("Mail exchanger (MX record)"),
    "autoconfig": gettext_lazy("Settings published by %(domain)s"),
    "srv": gettext_lazy("Service records (SRV)"),
    "guess": gettext_lazy("The usual server names"),
}


@require_GET
def lookup(request: Request) -> HttpResponse:
    """GET /mailboxes/connect/lookup?address=…[&source=…]: all sources as lines that fill themselves, or one line."""
    limits.require(request.employee.account, integration=True)  # R2
    address, source = request.GET.get("address", "").strip(), request.GET.get("source", "")
    if not domain_of(address):
        return HttpResponse("")
    if source in SOURCES:
        return render(request, "web/connect/lookup_line.html", {"line": _line(request, source, address)})
    table = _line(request, "provider", address)
    others = [] if table["found"] else [_waiting(each, address) for each in SOURCES[1:]]
    return render(request, "web/connect/lookup.html", {"lines": [table, *others], "address": address})


def find(request: Request, address: str) -> Found | None:
    """The most trusted settings of this address; what was asked within ten minutes is not asked again.

    None: nothing was found, or too many searches were made.
    """
    if table := find_by("provider", address, guard=guard()):
        return table
    known = [cache.get(_key(source, address)) for source in SOURCES[1:]]
    if None not in known:
        return next((_again(each) for each in known if each), None)
    try:
        _spend(request)
    except TooFast:
        return None
    return next(iter(find_settings(address, guard=guard())), None)


def _ask(request: Request, source: str, address: str) -> Found | None:
    """What one source says. Raises TooFast."""
    known = cache.get(_key(source, address))
    if known is not None:
        return _again(known) if known else None
    if source != "provider":  # the table asks nobody
        _spend(request)
    found = find_by(source, address, guard=guard())
    cache.set(_key(source, address), asdict(found) if found else {}, REMEMBERED_FOR)
    return found


def _spend(request: Request) -> None:
    now, me = timezone.now(), request.employee
    most = SEARCHES_PER_HOUR * (len(SOURCES) - 1)
    spend(me.account, "connect.find", who=me.public_id, most=most, within=timedelta(hours=1), now=now)


def _key(source: str, address: str) -> str:
    return f"settings-of:{source}:{hashlib.sha256(address.lower().encode()).hexdigest()}"


def _again(kept: dict[str, Any]) -> Found:
    servers = {part: Server(**kept[part]) if kept[part] else None for part in ("imap", "smtp")}
    return Found(**{**kept, **servers})


def _line(request: Request, source: str, address: str) -> dict[str, Any]:
    line = _waiting(source, address) | {"waits": False}
    try:
        found = _ask(request, source, address)
    except TooFast as error:
        return line | {"result": str(error)}
    if found is None:
        return line | {"result": _("no match")}
    server = f"{found.imap.host}:{found.imap.port}"
    result = f"{found.provider} · {server}" if found.provider else server
    note = "" if provider_for(address, found.imap.host) else found.note  # one signs in there, without a password
    return line | {"found": found, "result": result, "note": note}


def _waiting(source: str, address: str) -> dict[str, Any]:
    name = str(SOURCE_NAMES[source]) % {"domain": domain_of(address)}
    return {"source": source, "name": name, "address": address, "waits": True, "found": None}
