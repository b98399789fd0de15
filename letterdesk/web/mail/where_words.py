"""Where a letter is, in plain words and with a way out."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from letterdesk.mailboxes.models import Mailbox
from letterdesk.sync.where import Fate, Finding
from letterdesk.web.mail.words import translated
from letterdesk.web.sidebar import shown_name
from letterdesk.web.templatetags.letterdesk import long_time


@dataclass(frozen=True)
class Said:
    """A match in words. `action` is the text of a link to `address`, the way out."""

    finding: Finding
    tone: str
    text: str
    advice: str
    action: str = ""
    address: str = ""


def said(finding: Finding, mailbox: Mailbox) -> Said:
    """What is said about one match."""
    facts = {
        "folder": shown_name(finding.folder) if finding.folder else "",
        "date": long_time(finding.deleted_at),
        "reason": translated(finding.quarantined.reason) if finding.quarantined else "",
    }
    tone, text, advice = _words(finding)
    action, address = _way_out(finding, mailbox)
    return Said(finding, tone, text % facts, advice, action, address)


def _words(finding: Finding) -> tuple[str, str, str]:
    """How it looks, what is so, and what that means."""
    words = {
        Fate.HERE: ("ok", _("Here, in %(folder)s."), ""),
        Fate.ON_ITS_WAY: (
            "info",
            _("Here, and on the move (%(folder)s): the mail server does not know it yet."),
            _("The move is carried out with the next pass."),
        ),
        Fate.PUT_AWAY: (
            "warn",
            _("Here, in %(folder)s, and put away by you: you deleted it without the right to delete on the server."),
            _("The others still see it. You can have it back."),
        ),
        Fate.HIDDEN: (
            "warn",
            _("Kept, and not shown: the server says that it is gone from %(folder)s."),
            _("Letterdesk waits until that is certain before it lets go."),
        ),
        Fate.HELD: ("info", _("In no folder any more; a task holds it."), _("It is read in its task.")),
        Fate.BINNED: (
            "warn",
            _("In the bin since %(date)s, with a task that somebody deleted."),
            _("Who may delete the task can restore both within 30 days. The original on the mail server stays."),
        ),
        Fate.QUARANTINED: (
            "warn",
            _("In %(folder)s, but it could not be read: %(reason)s"),
            _("It is kept as it came; the ledger hands it out as a file."),
        ),
    }
    return words.get(finding.fate) or _left_out(finding)


def _left_out(finding: Finding) -> tuple[str, str, str]:
    """What is said of a letter that is only on the server."""
    words = {
        Fate.OVER: (
            "warn",
            _("On the server in %(folder)s. Here its time was over on %(date)s."),
            _("The original stays on the mail server: read it there."),
        ),
        Fate.TOO_OLD: (
            "warn",
            _("On the server in %(folder)s. Left out by rule: older than what is fetched or kept."),
            _("Fetch further back, if your plan has it; else read it on the mail server."),
        ),
        Fate.REFUSED: _refused(finding),
        Fate.FOLDER_OFF: (
            "warn",
            _("On the server in %(folder)s, which is switched off here."),
            _("Switch the folder on to have it fetched."),
        ),
        Fate.TO_COME: (
            "info",
            _("On the server in %(folder)s, and still to come."),
            _("The newest come first. Sync now, or wait for the next pass."),
        ),
    }
    return words[finding.fate]


def _refused(finding: Finding) -> tuple[str, str, str]:
    if finding.deleted_at is None:
        text = _("On the server in %(folder)s. Left out by rule: it was deleted here for good.")
    else:
        text = _("On the server in %(folder)s. Left out by rule: it was deleted here on %(date)s.")
    if finding.rule in {"R9", "own", "R12"}:
        return "warn", text, _("Its time was over. The original stays on the mail server: read it there.")
    return "warn", text, _("The original stays on the mail server: read it there.")


def _way_out(finding: Finding, mailbox: Mailbox) -> tuple[str, str]:
    """The text of a link, and its address; both empty where nothing is to be done."""
    settings = reverse("mailbox", args=[mailbox.public_id])
    if finding.fate is Fate.HERE and finding.folder and finding.message:
        conversation = finding.message.conversation.public_id
        return _("Open it"), reverse("conversation", args=[finding.folder.public_id, conversation])
    if finding.fate is Fate.PUT_AWAY:
        return _("Hidden by me"), reverse("hidden")
    if finding.fate is Fate.BINNED:
        return _("Open the bin"), f"{reverse('tasks')}?view=bin"
    if finding.fate in {Fate.HIDDEN, Fate.QUARANTINED}:
        return _("Open the ledger"), reverse("ledger", args=[mailbox.public_id])
    return {
        Fate.TOO_OLD: (_("Change the depth"), f"{settings}#settings"),
        Fate.FOLDER_OFF: (_("Choose the folders"), f"{settings}#folders"),
        Fate.TO_COME: (_("Mailbox settings"), settings),
    }.get(finding.fate, ("", ""))
