"""The search page: what was found, as conversations, people, files, comments or in CRM, and how to search wider.

Where the plan has no Webmail, it is another page, of CRM alone (`crm_alone.py`).
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from letterdesk.mailboxes.models import Mailbox, Message, Placement
from letterdesk.mailboxes.retention.own_times import periods_of
from letterdesk.mailboxes.retention.periods import Periods
from letterdesk.mailboxes.search.letters import BadQuery, Found, Hit, Search
from letterdesk.mailboxes.search.saved import remember
from letterdesk.plans import limits
from letterdesk.team.search import Said, find_comments
from letterdesk.web.crm.search import crm_beside, crm_count, crm_page, told_to
from letterdesk.web.mail.snoozing import presets
from letterdesk.web.request import Request
from letterdesk.web.search.crm_alone import crm_alone
from letterdesk.web.search.paging import PAGE, next_page, offset_of
from letterdesk.web.search.saved import view_facts
from letterdesk.web.search.words import built, chips, for_server, wider
from letterdesk.web.sidebar import shelves, shown_name

OF_WEBMAIL = ("people", "files", "comments")
KINDS = ("", *OF_WEBMAIL, "crm")
FOUND = ("hits", "people", "files", "comments", "crm_records", "crm_letters")
COMMENTS_BESIDE = 3  # above the conversations


def search(request: Request) -> HttpResponse:
    """GET /search?q=…&mailbox=…&show=…: in the reader's mailboxes and in CRM; a query that cannot be read says why.

    `build=1`: the fields of the form for those who do not type operators become a query.
    """
    if request.GET.get("build"):
        return redirect(f"{reverse('search')}?{urlencode({'q': built(request.GET), **_kept(request)})}")
    now, query = timezone.now(), request.GET.get("q", "").strip()
    if not limits.terms(request.employee.account, now=now).has_integration:
        if request.GET.get("mailbox") or request.GET.get("show") in OF_WEBMAIL:
            limits.require(request.employee.account, integration=True, now=now)  # R2: refuses in words
        return crm_alone(request, query, now)  # R8
    period = periods_of(request.employee.account, now)
    facts: dict[str, Any] = {"area": "search", "query": query, "hits": [], "status": 200}
    try:
        facts |= _found(request, query, now, period) if query else {}
    except BadQuery as error:
        facts |= {"bad_query": str(error), "status": 422}
    facts |= _beside(request, query, now, period)
    return render(request, "web/search/page.html", facts, status=facts["status"])


def _beside(request: Request, query: str, now: datetime, period: Periods) -> dict[str, Any]:
    """The sidebar, the scope, the searches of before."""
    return {
        "place": {"shelves": shelves(request.employee, now, period=period), "period": period, "view": "search"},
        "presets": presets(timezone.localtime(now)),
        "mailbox": _mailbox(request),
        "chips": chips(query, lambda q: _address(request, q=q)),
        **view_facts(request, query),
    }


def _found(request: Request, query: str, now: datetime, period: Periods) -> dict[str, Any]:
    mailbox, offset, show = _mailbox(request), offset_of(request), request.GET.get("show", "")
    asked = Search(request.employee, query, now=now, mailbox=mailbox, period=period, told=told_to(request.employee))
    if show == "crm":
        facts = crm_page(request.employee, asked.tree, now=now, most=PAGE, offset=offset)
        facts |= _next(request, offset, goes_on=facts["crm_goes_on"])
    elif show in OF_WEBMAIL:
        facts = _aspect(request, asked, now, period)
    else:
        facts = _conversations(request, asked, offset)
        facts |= _above(request, asked, now, period) if offset == 0 else {}
    if offset == 0 and not request.htmx:
        remember(request.employee, query[:1000], now=now)
    nothing = not any(facts.get(name) for name in FOUND) and offset == 0
    return {
        **facts,
        "show": show if show in KINDS else "",
        "kinds": [(kind, _address(request, show=kind)) for kind in KINDS if kind != "crm" or mailbox is None],
        "everywhere": _address(request, mailbox=""),
        "is_further": offset > 0,
        "ledger": asked.searched() if show != "crm" else None,
        "server_question": for_server(query),
        "wider": wider(query, lambda less: _count(request, less, now, period)) if nothing else [],
    }


def _aspect(request: Request, asked: Search, now: datetime, period: Periods) -> dict[str, Any]:
    """The people, files or comments that a search finds, one page of them; `looked_at`: of so many letters alone."""
    found: list[Any]
    show = request.GET["show"]
    if show == "people":
        found = [(*each, _letters_of(request, each[1])) for each in asked.senders(most=PAGE + 1)]
    elif show == "files":
        found = [_file(each) for each in _placed(asked.files(most=PAGE + 1), of=lambda file: file.message)]
    else:
        found = _comments(request, asked, now, period, most=PAGE + 1)
    return {show: found[:PAGE], "looked_at": asked.looked_at, "shown_first": PAGE if len(found) > PAGE else 0}


def _letters_of(request: Request, address: str) -> str:
    return _address(request, q=f"{request.GET.get('q', '').strip()} from:{address}", show="")


def _conversations(request: Request, asked: Search, offset: int) -> dict[str, Any]:
    found: Found = asked.page(limit=PAGE, offset=offset)
    return {
        "hits": [_entry(hit) for hit in _placed(found.hits, of=lambda hit: hit.message)],
        **_next(request, offset, goes_on=found.more),
        "exact": len(found.hits) if offset == 0 and not found.more else None,
        "about": asked.count() if found.more and offset == 0 else None,
    }


def _above(request: Request, asked: Search, now: datetime, period: Periods) -> dict[str, Any]:
    """What stands above the conversations: comments, and what CRM has, which lies in no mailbox."""
    facts: dict[str, Any] = {"comments": _comments(request, asked, now, period, most=COMMENTS_BESIDE)}
    if _mailbox(request) is None:
        facts |= crm_beside(request.employee, asked.tree, now=now, period=period)
        facts["all_in_crm"] = _address(request, show="crm")
    return facts


def _next(request: Request, offset: int, *, goes_on: bool) -> dict[str, Any]:
    """The address of the page after this one, or how many are shown at most, where more of them fit."""
    return next_page(offset, lambda start: _address(request, **{"from": str(start)}), most=PAGE, goes_on=goes_on)


def _comments(request: Request, asked: Search, now: datetime, period: Periods, *, most: int) -> list[dict[str, Any]]:
    """What colleagues said with these words, each with the address at which it stands."""
    mailbox = _mailbox(request)
    found = find_comments(request.employee, asked.tree, now=now, mailbox=mailbox, period=period, most=most)
    return [{"said": each, "address": _said_at(each)} for each in found]


def _said_at(said: Said) -> str:
    of = said.comment.conversation.public_id
    page = reverse("conversation", args=[said.folder, of]) if said.folder else reverse("shared_conversation", args=[of])
    return f"{page}#n-{said.comment.public_id}"


def _count(request: Request, query: str, now: datetime, period: Periods) -> tuple[int, bool, str]:
    """How much another query finds, conversations or in CRM, whether more, and its address."""
    asked = Search(
        request.employee, query, now=now, mailbox=_mailbox(request), period=period, told=told_to(request.employee)
    )
    if request.GET.get("show") == "crm":
        return *crm_count(request.employee, asked.tree, now=now, most=PAGE), _address(request, q=query)
    found = asked.page(limit=PAGE)
    return len(found.hits), found.more, _address(request, q=query)


def _mailbox(request: Request) -> Mailbox | None:
    wanted = request.GET.get("mailbox", "")
    visible = Mailbox.objects.visible_to(request.employee)
    return get_object_or_404(visible, public_id=wanted) if wanted else None


def _placed(found: list[Any], *, of: Any) -> list[Any]:
    """The same, with the places of their letters at hand."""
    places = Placement.objects.shown().select_related("folder").order_by("pk")
    prefetch_related_objects([of(each) for each in found], Prefetch("placements", places))
    return found


def _where(message: Message, conversation_id: str) -> tuple[str, str, str]:
    """What its folder is called, the address of the conversation in it, and the folder's id."""
    places = list(message.placements.all())
    if not places:
        return "", "", ""
    folder = places[0].folder
    return shown_name(folder), reverse("conversation", args=[folder.public_id, conversation_id]), folder.public_id


def _entry(hit: Hit) -> dict[str, Any]:
    folder, address, folder_id = _where(hit.message, hit.conversation.public_id)
    return {"hit": hit, "folder": folder, "address": address, "folder_id": folder_id}


def _file(file: Any) -> dict[str, Any]:
    folder, address, _folder_id = _where(file.message, file.message.conversation.public_id)
    return {"file": file, "folder": folder, "address": address}


def _kept(request: Request) -> dict[str, str]:
    return {key: request.GET[key] for key in ("mailbox",) if request.GET.get(key)}


def _address(request: Request, **changes: str) -> str:
    """This search with something changed; it begins at its first page."""
    asked = {key: request.GET.get(key, "") for key in ("q", "mailbox", "show")} | changes
    return f"{reverse('search')}?{urlencode({key: value for key, value in asked.items() if value})}"
