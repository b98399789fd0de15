"""The ledger of a mailbox, for people: is every letter here, and if not, which, and why."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letterdesk.mailboxes.attachments import raw
from letterdesk.mailboxes.models import Folder, Mailbox, Quarantined
from letterdesk.mailboxes.sidebar import folder_order
from letterdesk.sync.ledger import Ledger, ledgers, total
from letterdesk.web.downloads import as_file
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shown_name
from letterdesk.web.state import state_of

REASONS = {
    "too_old": gettext_lazy("older than what is fetched or kept"),
    "refused": gettext_lazy("deleted here for good"),
    "folder_off": gettext_lazy("folder switched off"),
}
SHOWN_QUARANTINE = 200


@dataclass(frozen=True)
class Line:
    """A folder's line: its sums, why letters are left out, when it was audited."""

    name: str
    ledger: Ledger
    reasons: list[tuple[str, int]]
    audited_at: datetime | None = None
    drift: str = ""
    is_read: bool = True

    @property
    def tone(self) -> str:
        """How its chip looks."""
        if not self.is_read:
            return ""
        if self.ledger.balanced:
            return "ok"
        return "info" if self.ledger.adds_up and not self.ledger.drift else "warn"

    @property
    def verdict(self) -> str:
        """The sum in a word or two."""
        if not self.is_read:
            return _("not read yet")
        if self.ledger.balanced:
            return _("complete")
        return _("on its way") if self.tone == "info" else _("does not add up")


def ledger(request: Request, mailbox_id: str) -> HttpResponse:
    """Each folder: expected = held + in quarantine + left out by rule + on its way."""
    now = timezone.now()
    mailbox = get_object_or_404(Mailbox.objects.visible_to(request.employee), public_id=mailbox_id)
    counted = sorted(ledgers(mailbox), key=lambda pair: folder_order(pair[0]))
    lines = [_line(folder, sums) for folder, sums in counted]
    all_read = all(line.is_read for line in lines)
    everything = total(counted)
    facts = {
        "area": "mailboxes",
        "mailbox": mailbox,
        "state": state_of(mailbox, now, may_manage=may_manage(request, mailbox)),
        "lines": lines,
        "total": Line(_("All folders"), everything, _reasons(everything), is_read=all_read),
        "quarantine": _quarantine(request).filter(folder__mailbox=mailbox)[:SHOWN_QUARANTINE],
        "now": now,
    }
    return render(request, "web/mailboxes/ledger.html", facts)


def may_manage(request: Request, mailbox: Mailbox) -> bool:
    """Whether this employee may change the mailbox's settings."""
    return Mailbox.objects.manageable_by(request.employee).filter(pk=mailbox.pk).exists()


def quarantined(request: Request, letter_id: str) -> HttpResponse:
    """The raw bytes of a letter that could not be read, as a file."""
    letter = get_object_or_404(_quarantine(request), public_id=letter_id)
    if not letter.blob:
        raise Http404
    return as_file(raw(letter), name=f"{letter.uid}.eml", content_type="message/rfc822")


def _quarantine(request: Request) -> QuerySet[Quarantined]:
    found: QuerySet[Quarantined] = Quarantined.objects.visible_to(request.employee)
    return found.select_related("folder").order_by("-first_seen_at")


def _line(folder: Folder, sums: Ledger) -> Line:
    cursor = getattr(folder, "cursor", None)
    drift = ", ".join(f"{key}: {value}" for key, value in sorted(cursor.drift.items())) if cursor else ""
    is_read = cursor is not None and cursor.uidvalidity is not None
    audited_at = cursor.audited_at if cursor else None
    return Line(shown_name(folder), sums, _reasons(sums), audited_at, drift, is_read=is_read)


def _reasons(sums: Ledger) -> list[tuple[str, int]]:
    return [(str(REASONS.get(reason, reason)), count) for reason, count in sorted(sums.left_out.items())]
