"""Remote images of letters: blocked until the reader wants them, then fetched here and handed on (hard rule 11, C10).

The sender's server sees Letterdesk alone: no address of the reader, no cookie, no referrer. Each address is signed for
one reader, one letter and a quarter of an hour; whether they still may read it is asked anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from letterdesk.accounts.models import Employee
from letterdesk.mail.errors import MailError
from letterdesk.mail.guard import Guard
from letterdesk.mail.pictures import Picture, fetch_picture
from letterdesk.mailboxes.images import NoSender, domain_of, is_spam, sender_of, show_always, shows_images
from letterdesk.mailboxes.models import ImageConsent, Message, Placement
from letterdesk.outbound.tracked_address import is_ours
from letterdesk.web.backend import EmployeeBackend
from letterdesk.web.mail.acts import next_of
from letterdesk.web.mail.letters import letter_of, letter_or_404
from letterdesk.web.request import Request
from letterdesk.web.security import PICTURE_HEADERS, set_headers
from letterdesk.web.writing.tracked import dot

LINK_LIFE = 900  # seconds
AT_ONCE = 12  # pictures that one process fetches at the same time
WAIT = 20.0  # seconds in which its turn must come
KEPT = 600.0  # seconds
KEPT_BYTES = 32 << 20

Address = Callable[[str], str | None]
_turns = threading.BoundedSemaphore(AT_ONCE)


def wanted_images(request: Request, letter: Message) -> Address | None:
    """How remote images of this letter are addressed for this reader now; None: they stay blocked."""
    if not _said_once(request, letter) and not shows_images(letter, request.employee):
        return None

    def address(url: str) -> str:
        key = signing.dumps([letter.pk, request.employee.pk, url], salt="remote", compress=True)
        return f"{reverse('remote_image', args=[letter.public_id])}?key={key}"

    return address


def once(letter: Message, employee: Employee) -> str:
    """What the address of a letter's text carries when its images are shown this time."""
    return signing.dumps([letter.pk, employee.pk], salt="images once")


def _said_once(request: Request, letter: Message) -> bool:
    try:
        said = signing.loads(request.GET.get("images", ""), salt="images once", max_age=LINK_LIFE)
    except signing.BadSignature:
        return False
    return bool(said == [letter.pk, request.employee.pk])


@require_POST
def shown_images(request: Request, message_id: str) -> HttpResponse:
    """POST /messages/<id>/images: `show` "once", "sender" or "domain"; the letter's text comes again with images."""
    letter = letter_or_404(request, message_id)
    show = request.POST.get("show", "")
    if show not in {"once", "sender", "domain"}:
        raise Http404
    if show != "once":
        try:
            show_always(letter, whole_domain=show == "domain", by=request.employee, now=timezone.now())
        except NoSender:
            raise Http404 from None
    key = once(letter, request.employee)
    if request.htmx:
        return render(request, "web/conversation/frame.html", {"letter": {"message": letter}, "images": key})
    address, _hash, _rest = next_of(request).partition("#")
    joint = "&" if "?" in address else "?"
    return redirect(f"{address}{joint}images={letter.public_id}.{key}#m-{letter.public_id}")


def choices(letter: Message, places: Sequence[Placement]) -> list[tuple[str, str]]:
    """What the gate offers: (value, words)."""
    offered = [("once", _("Show"))]
    if not is_spam(places) and sender_of(letter):
        offered += [
            ("sender", _("Always from %(sender)s") % {"sender": sender_of(letter)}),
            ("domain", _("Always from all of %(domain)s") % {"domain": domain_of(letter)[1:]}),
        ]
    return offered


@login_not_required  # the signature says who reads
def remote_image(request: HttpRequest, message_id: str) -> HttpResponse:
    """GET /messages/<id>/image?key=…: a picture from elsewhere, fetched here; 404 for whatever is none."""
    try:
        pk, employee_pk, url = signing.loads(request.GET.get("key", ""), salt="remote", max_age=LINK_LIFE)
    except (signing.BadSignature, ValueError):
        raise Http404 from None
    employee = EmployeeBackend().get_user(employee_pk)
    if employee is None:
        raise Http404
    letter = letter_of(employee, pk=pk, public_id=message_id)
    return picture_from(letter.account_id, url)


def picture_from(account_id: int, url: str) -> HttpResponse:
    """A picture from elsewhere for a letter's frame, fetched here. Raises Http404 for whatever is none.

    The one that counts opens of letters of ours is not asked for: who reads here is one of us, or wants privacy.
    """
    if is_ours(url):
        return dot()
    picture = _picture(account_id, url)
    if picture is None:
        raise Http404
    response = HttpResponse(picture.content, content_type=picture.content_type)
    set_headers(response, PICTURE_HEADERS)
    return response


def _picture(account_id: int, url: str) -> Picture | None:
    kept = _kept.get((account_id, url))
    if kept is not None:
        return kept
    if not _turns.acquire(timeout=WAIT):
        return None
    try:
        picture = fetch_picture(Guard(allowed=tuple(settings.IMAGE_NETWORKS)), url)
    except MailError:  # unknown, private or silent hosts: the reader sees a missing picture
        return None
    finally:
        _turns.release()
    if picture is not None:
        _kept.put((account_id, url), picture)
    return picture


class Kept:
    """Pictures kept in memory for some minutes: a letter that is opened again asks its sender nothing."""

    def __init__(self, seconds: float = KEPT, most: int = KEPT_BYTES) -> None:
        self._seconds, self._most, self._size = seconds, most, 0
        self._pictures: OrderedDict[tuple[int, str], tuple[float, Picture]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[int, str]) -> Picture | None:
        """The picture, unless its time is over."""
        with self._lock:
            until, picture = self._pictures.get(key, (0.0, None))
            return picture if monotonic() < until else None

    def put(self, key: tuple[int, str], picture: Picture) -> None:
        """Keep a picture; the oldest ones make room."""
        with self._lock:
            self._drop(key)
            self._pictures[key] = (monotonic() + self._seconds, picture)
            self._size += len(picture.content)
            while self._size > self._most:
                self._drop(next(iter(self._pictures)))

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._pictures.clear()
            self._size = 0

    def _drop(self, key: tuple[int, str]) -> None:
        if key in self._pictures:
            self._size -= len(self._pictures.pop(key)[1].content)


_kept = Kept()


def trusted(request: Request) -> HttpResponse:
    """GET /settings/images: whose images are always shown. POST `forget`: no longer."""
    consents = ImageConsent.objects.visible_to(request.employee).order_by("sender")
    if request.method == "POST":
        consent = get_object_or_404(consents, sender=request.POST.get("forget", ""))
        consent.delete()
        messages.success(request, _("Images of %(sender)s are blocked again.") % {"sender": consent.sender.lstrip("@")})
        return redirect("trusted_images")
    return render(request, "web/trusted_images.html", {"area": "images", "consents": consents})
