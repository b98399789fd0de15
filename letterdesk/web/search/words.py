"""Queries for people: as chips to take away, made from a form, made wider where nothing was found."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from letterdesk.mailboxes.search.query import pieces

_OPERATOR = re.compile(r"(-?)([a-z_]+):(.*)", re.IGNORECASE | re.DOTALL)
MOST_WIDER = 5


@dataclass(frozen=True)
class Chip:
    """A part of a query, in words; `without` is the address of the search without it."""

    text: str
    without: str


@dataclass(frozen=True)
class Wider:
    """A search that leaves out one part, and what it finds."""

    text: str
    count: int
    more: bool
    address: str


def chips(query: str, address: Callable[[str], str]) -> list[Chip]:
    """One for each part of the query; none where there is nothing to choose between."""
    parts = pieces(query)
    if len(parts) < 2 and not _OPERATOR.fullmatch(query.strip()):
        return []
    return [Chip(in_words(part), address(" ".join(parts[:at] + parts[at + 1 :]))) for at, part in enumerate(parts)]


def wider(query: str, count: Callable[[str], tuple[int, bool, str]]) -> list[Wider]:
    """Searches that leave one part out and find something; `count` asks one: how many, whether more, its address."""
    parts = pieces(query)
    found = []
    for at, part in enumerate(parts[:MOST_WIDER] if len(parts) > 1 else []):
        hits, more, address = count(" ".join(parts[:at] + parts[at + 1 :]))
        if hits:
            found.append(Wider(in_words(part), hits, more, address))
    return sorted(found, key=lambda each: -each.count)


def for_server(query: str) -> tuple[str, str]:
    """What the mail server can be asked of a query: a text, and "subject" or "sender"; ("", "") where there is none.

    Servers are asked for headers alone (where.py): a sender that is named, else the words as a subject.
    """
    words = []
    for part in pieces(query):
        found = _OPERATOR.fullmatch(part)
        name = found[2].lower() if found else ""
        if found and not found[1] and name in {"from", "subject"}:
            return found[3].strip().strip('"'), "sender" if name == "from" else "subject"
        if not found and not part.startswith(("-", "(")) and " OR " not in part:
            words.append(part.strip('"'))
    return " ".join(words), "subject" if words else ""


def in_words(part: str) -> str:
    """An operator as a person says it; other words as they stand."""
    found = _OPERATOR.fullmatch(part)
    if not found:
        return part
    minus, name, value = found[1], found[2].lower(), found[3].strip().strip('"')
    said = _words().get(f"{name}:{value.lower()}") or _names().get(name, "{}").replace("{}", value)
    return _("not: %(what)s") % {"what": said} if minus else said if name in _names() else part


def _words() -> dict[str, str]:
    return {
        "has:attachment": _("with files"),
        "is:unread": _("unread"),
        "is:read": _("read"),
        "is:starred": _("starred"),
        "is:answered": _("answered"),
        "is:snoozed": _("snoozed"),
        "is:pinned": _("pinned"),
        **{f"{name}:open": _("open") for name in ("is", "status")},
        **{f"{name}:waiting": _("waiting for an answer") for name in ("is", "status")},
        **{f"{name}:closed": _("closed") for name in ("is", "status")},
        "assigned:me": _("assigned to me"),
        "assigned:none": _("unassigned"),
        "in:anywhere": _("Spam and Trash too"),
        "in:crm": _("in CRM"),
    }


def _names() -> dict[str, str]:
    return {
        "from": _("From: {}"),
        "to": _("To: {}"),
        "cc": _("Cc: {}"),
        "subject": _("Subject: {}"),
        "filename": _("File: {}"),
        "has": _("Has: {}"),
        "is": _("Is: {}"),
        "status": _("Is: {}"),
        "assigned": _("Assigned to: {}"),
        "in": _("In: {}"),
        "label": _("Label: {}"),
        "mailbox": _("Mailbox: {}"),
        "before": _("Before {}"),
        "after": _("Since {}"),
        "older_than": _("Older than {}"),
        "newer_than": _("Newer than {}"),
        "larger": _("Larger than {}"),
        "smaller": _("Smaller than {}"),
        "comment": _("Comment: {}"),
        "contact": _("Contact: {}"),
        "company": _("Company: {}"),
        "lead": _("Lead: {}"),
        "deal": _("Deal: {}"),
    }


def built(fields: Mapping[str, str]) -> str:
    """A query from the fields of the form."""
    parts = [" ".join(fields.get("words", "").split())]
    for name in ("from", "to", "subject", "filename", "in", "after", "before", "larger"):
        value = " ".join(fields.get(name, "").replace('"', " ").split())
        if value:
            parts.append(f'{name}:"{value}"' if " " in value else f"{name}:{value}")
    without = fields.get("without", "").replace('"', " ").split()
    parts += [f"-{word}" for word in without]
    parts += ["has:attachment"] if fields.get("has") else []
    parts += [f"is:{fields['is']}"] if fields.get("is") in {"unread", "read", "starred"} else []
    return " ".join(part for part in parts if part)
