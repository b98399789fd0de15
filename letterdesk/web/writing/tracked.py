"""What a tracked letter fetches and leads to: for whoever has it, without a sign-in, a cookie or a session.

A link leads nowhere but where it led in the letter, and always there, counted or not (decision 0036), until an operator
switches off where the account's links lead. People of the account, who read a copy of theirs, are not counted.
"""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.views.decorators.http import require_safe

from letterdesk.lib.impatient import impatient
from letterdesk.mail.machines import machine_of
from letterdesk.outbound.jobs import count_opens
from letterdesk.outbound.links_off import is_off
from letterdesk.outbound.models import TrackedLetter
from letterdesk.outbound.tracked_address import is_picture, named, target_of
from letterdesk.outbound.tracking import PICTURE, WAIT, fetched
from letterdesk.web.security import FILE_POLICY, set_headers

DOT = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # a picture of one clear point
HEADERS = {
    "Cache-Control": "private, no-store, max-age=0",
    "Content-Security-Policy": FILE_POLICY,
    "Cross-Origin-Resource-Policy": "cross-origin",  # letters are of no origin of ours
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
log = logging.getLogger(__name__)
AT_MOST = 0.3  # seconds that a busy database is waited for
AFTER = WAIT.total_seconds() + 1


@login_not_required  # the signature says that we made the address
@require_safe
def tracked_picture(request: HttpRequest, name: str, signature: str) -> HttpResponse:
    """GET /t/<letter>/<signature>.gif: a clear point; a letter that is forgotten here has it, too."""
    if not is_picture(name, signature):
        raise Http404
    with _whatever_happens(name):
        if letter := _letter(name):
            _note(request, letter, PICTURE)
    return dot()


@login_not_required  # the signature says that we made the address
@require_safe
def tracked_link(request: HttpRequest, name: str, token: str, target: str) -> HttpResponse:
    """GET /t/<letter>/<position>-<signature>/<target>: on to where the link led when the letter was written.

    410 and a page that says so where an operator has switched the account's links off.
    """
    ours = target_of(name, token, target)
    if ours is None:
        raise Http404
    position, url = ours
    with _whatever_happens(name):
        letter = _letter(name)
        if is_off(letter, named(name)[1]):
            return _switched_off(request)
        if letter and not letter.links.filter(position=position, address=url).exists():
            raise Http404
        if letter:
            _note(request, letter, position)
    response = HttpResponse(status=302, headers={"Location": iri_to_uri(url)})
    set_headers(response, HEADERS)
    return response


def dot() -> HttpResponse:
    """The picture."""
    response = HttpResponse(DOT, content_type="image/gif")
    set_headers(response, HEADERS)
    return response


def _switched_off(request: HttpRequest) -> HttpResponse:
    response = render(request, "web/tracked_off.html", status=410)
    policy = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}
    set_headers(response, policy)
    return response


@contextmanager
def _whatever_happens(name: str) -> Iterator[None]:
    """Whoever has the letter comes where its link leads: a database that is busy or away is neither waited for nor
    told of. What is looked up or counted in the block is left undone then."""
    try:
        with impatient(AT_MOST):
            yield
    except Http404:
        raise
    except Exception as error:  # also of what brings the wake-up: a full disk, a queue that is away
        log.error("tracked letter %s cannot be looked up or counted: %s", name, type(error).__name__)


def _letter(name: str) -> TrackedLetter | None:
    public_id, _account = named(name)
    return TrackedLetter.objects.select_related("account").filter(public_id=public_id).first()


def _note(request: HttpRequest, letter: TrackedLetter, link: int) -> None:
    is_one_of_us = request.user.is_authenticated and request.user.account_id == letter.account_id
    if request.method != "GET" or is_one_of_us:
        return
    machine = machine_of(request.method, {name.lower(): value for name, value in request.headers.items()})
    if fetched(letter, link=link, machine=machine, now=timezone.now()):
        count_opens.after(AFTER)
