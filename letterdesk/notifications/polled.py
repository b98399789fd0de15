"""What administrators are told of mailboxes polled for CRM alone: which one, what happened, what to do (R30).

Each of what may happen is a line of its own, so that what is mended takes no other with it: `about` is
"polled:<mailbox>" where the mailbox cannot be read, "polled:<mailbox>:<what>" for the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.crm.models import PolledFolder, PolledMailbox, PolledState

from .models import CRM_UNREADABLE, Kind, Notification

FOLDER_GONE, FOLDER_REFUSED, RENUMBERED, NOT_HANDED = "folder_gone", "folder_refused", "renumbered", "not_handed"
OF_FOLDERS = (FOLDER_GONE, FOLDER_REFUSED, RENUMBERED)  # over as soon as somebody chooses folders


def about_polled(reference: str, code: str = "") -> str:
    """What the line is about: of this mailbox (`reference`, as events call it), because of this code."""
    return f"{reference}:{code}" if code in {*OF_FOLDERS, NOT_HANDED} else reference


def mailbox_named(row: Notification) -> str:
    """The public id of the polled mailbox that a line is about; empty: of none."""
    if row.kind == Kind.POLLED:
        return row.about.split(":")[1]
    return row.about.removeprefix(CRM_UNREADABLE).lstrip(":") if row.about.startswith(CRM_UNREADABLE) else ""


def polled_of(employee: Employee, rows: Iterable[Notification]) -> dict[str, PolledMailbox]:
    """The mailboxes that these lines are about, by public id, as far as their letters are this person's business."""
    named = {name for each in rows if (name := mailbox_named(each))}
    if not named:
        return {}
    troubled = PolledFolder.objects.filter(Q(is_there=False) | Q(refused__gt=0), is_on=True).order_by("name")
    found = PolledMailbox.objects.asking(employee).filter(public_id__in=named)
    found = found.prefetch_related(Prefetch("folders", troubled, to_attr="troubled"))
    return {each.public_id: each for each in found}


def polled_words(row: Notification, mailbox: PolledMailbox) -> tuple[str, str]:
    """Title and detail: what happened to which mailbox of `polled_of`, and what to do."""
    code = row.about.partition(mailbox.public_id)[2].removeprefix(":")
    title, detail = _WORDS.get(code, _cannot_be_read)(row, mailbox)
    return title % {"mailbox": mailbox.address}, detail


# With the folders of a mailbox that are in trouble, as `polled_of` brings them: `mailbox.troubled`.


def _cannot_be_read(_row: Notification, mailbox: Any) -> tuple[str, str]:
    if mailbox.state == PolledState.FAILING:
        return (
            _("%(mailbox)s cannot be read for CRM until somebody mends its sign-in"),
            _("The mailbox's page says what its server answered. Mend the password, consent or server there."),
        )
    if mailbox.error_code:
        return (
            _("%(mailbox)s cannot be read for CRM at the moment"),
            _("It is tried again by itself. If that lasts, look at what its server answers on the mailbox's page."),
        )
    return _("%(mailbox)s could not be read for CRM"), _("That is over: nothing is left to do.")


def _folder_gone(_row: Notification, mailbox: Any) -> tuple[str, str]:
    gone = [each.name for each in mailbox.troubled if not each.is_there]
    return (
        _("A folder of %(mailbox)s that is read for CRM is not on its server any more"),
        _("If it has another name now, choose that on the mailbox's page; no letter comes twice.") + _named(gone),
    )


def _folder_refused(_row: Notification, mailbox: Any) -> tuple[str, str]:
    refused = [each.name for each in mailbox.troubled if each.refused]
    return (
        _("The server of %(mailbox)s does not let a folder be read for CRM"),
        _("Let its user read the folder there, or choose it no more on the mailbox's page. Others are read.")
        + _named(refused),
    )


def _renumbered(_row: Notification, _mailbox: Any) -> tuple[str, str]:
    return (
        _("A folder of %(mailbox)s is not read for CRM any more: its server numbers the letters anew again and again"),
        _("Tell whoever runs the server, then choose the folder again on the mailbox's page."),
    )


def _not_handed(row: Notification, _mailbox: Any) -> tuple[str, str]:
    told = ngettext(
        "%(count)d letter of %(mailbox)s did not come to CRM: the server does not hand it out",
        "%(count)d letters of %(mailbox)s did not come to CRM: the server does not hand them out",
        row.count,
    )
    return told.replace("%(count)d", str(row.count)), _(
        "They lie untouched on the server. Try again on the mailbox's page, or look at them there."
    )


def _named(names: Sequence[str]) -> str:
    """The first of these folders, in brackets."""
    return f" ({', '.join(names[:3])}{' …' if len(names) > 3 else ''})" if names else ""


_WORDS: dict[str, Callable[[Notification, Any], tuple[str, str]]] = {
    FOLDER_GONE: _folder_gone,
    FOLDER_REFUSED: _folder_refused,
    RENUMBERED: _renumbered,
    NOT_HANDED: _not_handed,
}
