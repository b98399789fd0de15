"""What the page says about each letter of a conversation, and which of them it folds away."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from letterdesk.accounts.models import Employee
from letterdesk.mailboxes.models import Attachment, FolderRole, Message
from letterdesk.mailboxes.reading import ReadLetter
from letterdesk.web.mail.body import SHOWN_INLINE, inline_address
from letterdesk.web.mail.images import choices
from letterdesk.web.sidebar import shown_name

FOLDED_AT_LEAST = 3  # letters; two lines more are no burden
LARGEST_THUMBNAIL = 5_000_000  # bytes
MOST_THUMBNAILS = 12


def letter_facts(letter: ReadLetter, employee: Employee, *, is_newest: bool) -> dict[str, Any]:
    """What the template of a letter shows; unread letters and the newest are open."""
    message = letter.message
    files = [file for file in letter.attachments if not file.is_inline]
    return {
        "message": message,
        "from_shown": message.from_name or message.from_address,
        "to_shown": ", ".join(name or address for name, address in message.recipients.get("to", [])[:8]),
        "recipients": _recipients(message),
        "files": files,
        "thumbnails": _thumbnails(message, files, employee),
        "folders": sorted({shown_name(place.folder) for place in letter.places}),
        "is_draft": any(place.folder.role == FolderRole.DRAFTS for place in letter.places),
        "storage": letter.storage,
        "choices": choices(message, letter.places),
        "is_unread": letter.is_unread,
        "is_open": is_newest or letter.is_unread,
    }


def _recipients(message: Message) -> list[tuple[str, list[tuple[str, str]]]]:
    names = {"to": _("To"), "cc": _("Cc"), "bcc": _("Bcc"), "reply_to": _("Answers to")}
    return [(label, message.recipients[key]) for key, label in names.items() if message.recipients.get(key)]


def _thumbnails(message: Message, files: list[Attachment], employee: Employee) -> list[tuple[Attachment, str]]:
    """The pictures among the files, rasters alone (hard rule 9), with the addresses that show them."""
    pictures = [
        file for file in files if file.content_type.lower() in SHOWN_INLINE and 0 < file.size <= LARGEST_THUMBNAIL
    ]
    return [(file, inline_address(message, file.index, employee)) for file in pictures[:MOST_THUMBNAILS]]


def in_blocks(letters: list[dict[str, Any]], *, since: datetime | None) -> list[dict[str, Any]]:
    """Letters in the order of the page: several closed ones in the middle are one block that says how many it holds.

    `since`: when the reader last looked; the block that begins with the first letter that came later says so.
    """
    blocks: list[dict[str, Any]] = []
    first_new = _first_new(letters, since)
    run: list[dict[str, Any]] = []
    for number, letter in enumerate(letters):
        is_middle = number > 0 and not letter["is_open"] and number + 1 < len(letters)
        next_matters = number + 1 < len(letters) and (letters[number + 1]["is_open"] or number + 1 == first_new)
        if is_middle and not next_matters and number != first_new:
            run.append(letter)
            continue
        blocks += _folded(run)
        run = []
        blocks.append({"letters": [letter], "is_new": number == first_new})
    return blocks + _folded(run)


def _folded(run: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(run) < FOLDED_AT_LEAST:
        return [{"letters": [letter]} for letter in run]
    words = ngettext("%(count)d earlier letter", "%(count)d earlier letters", len(run)) % {"count": len(run)}
    return [{"letters": run, "folded": words}]


def _first_new(letters: list[dict[str, Any]], since: datetime | None) -> int | None:
    if since is None:
        return None
    new = (number for number, letter in enumerate(letters) if letter["message"].first_seen_at > since)
    return next(new, None) or None  # all of it being new is nothing to say
