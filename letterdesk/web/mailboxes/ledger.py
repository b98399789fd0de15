"""The ledger of a mailbox, for people: is every letter here, and if not, which, and why."""

import json
from dataclasses import dataclass
from datetime import datetime

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from letterdesk.lib.sheets import as_csv
from letterdesk.mailboxes.attachments import raw
from letterdesk.mailboxes.models import Folder, Mailbox, Quarantined
from letterdesk.mailboxes.sidebar import folder_order
from letterdesk.sync.ledger import Ledger, ledgers, total
from letterdesk.web.mail.downloads import as_file
from letterdesk.web.mailboxes.state import state_of
from letterdesk.web.request import Request
from letterdesk.web.sidebar import shown_name

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
        "sum": _verdict(everything, all_read=all_read),
        "quarantine": _quarantine(request).filter(folder__mailbox=mailbox)[:SHOWN_QUARANTINE],
        "now": now,
    }
    return render(request, "web/mailboxes/ledger.html", facts)


def _verdict(everything: Ledger, *, all_read: bool) -> tuple[str, str]:
    """The answer to the page's question, before any number: how it looks, and what it says."""
    left_out = sum(everything.left_out.values())
    if everything.drift or not everything.adds_up:
        return "warn", _("Not quite: server and copy differ. The next audit looks again and repairs it.")
    if everything.pending or not all_read:
        facts = {"held": intcomma(everything.held), "expected": intcomma(everything.expected - left_out)}
        return "info", _("Not yet: %(held)s of %(expected)s letters are here, the others are on their way.") % facts
    facts = {"held": intcomma(everything.held), "left_out": intcomma(left_out + everything.quarantined)}
    if left_out or everything.quarantined:
        text = _("Yes: %(held)s letters are here. %(left_out)s more are on the server and left out for a reason below.")
        return "ok", text % facts
    return "ok", _("Yes: all %(held)s letters that the server has are here.") % facts


def export(request: Request, mailbox_id: str) -> HttpResponse:
    """GET /mailboxes/<id>/ledger/export?as=csv|json: every folder's sum, as a file."""
    mailbox = get_object_or_404(Mailbox.objects.visible_to(request.employee), public_id=mailbox_id)
    counted = sorted(ledgers(mailbox), key=lambda pair: folder_order(pair[0]))
    if request.GET.get("as") == "json":
        folders = [{"folder": folder.name, "role": folder.role, **sums.as_json()} for folder, sums in counted]
        facts = {"mailbox": mailbox.address, "counted_at": timezone.now().isoformat(), "folders": folders}
        content = json.dumps(facts | {"total": total(counted).as_json()}, indent=2, ensure_ascii=False)
        return as_file(content.encode(), name="ledger.json", content_type="application/json")
    head = ["folder", "expected", "held", "quarantined", *REASONS, "pending", "drift", "balanced", "note"]
    rows = [_cells(folder.name, sums) for folder, sums in counted] + [_cells("", total(counted))]
    return as_file(as_csv(head, rows).encode("utf-8-sig"), name="ledger.csv", content_type="text/csv")


def _cells(name: str, sums: Ledger) -> list[object]:
    left_out = [sums.left_out.get(reason, 0) for reason in REASONS]
    balanced = "yes" if sums.balanced else "no"
    return [name, sums.expected, sums.held, sums.quarantined, *left_out, sums.pending, sums.drift, balanced, sums.note]


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
