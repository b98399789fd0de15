"""Which folder is Sent, Drafts, Trash …: the server's word first, the name only where it says nothing (A33)."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from letterdesk.mail.imap_types import RemoteFolder

# RFC 6154 2. \Flagged and \Important are views, not places.
SPECIAL_USE = {
    "\\sent": "sent",
    "\\drafts": "drafts",
    "\\trash": "trash",
    "\\junk": "spam",
    "\\spam": "spam",
    "\\archive": "archive",
    "\\all": "all",
    "\\allmail": "all",
}


def _names() -> dict[str, str]:
    with Path(__file__).with_name("roles.toml").open("rb") as table:
        return {name: role for role, names in tomllib.load(table).items() for name in names}


_BY_NAME = _names()


def give_roles(folders: Sequence[RemoteFolder], attributes: Sequence[frozenset[str]]) -> list[RemoteFolder]:
    r"""Give each role to at most one folder. `attributes`: of LIST, in lower case, one set per folder.

    INBOX is the inbox whatever it claims. Two folders with the same special use: the first has it, the other none,
    and no name is guessed for a role that the server gave (nobody's mail is deleted because of a guess, A33).
    """
    roles = {place: "inbox" for place, folder in enumerate(folders) if folder.wire_name.upper() == "INBOX"}
    given = set(roles.values())
    for place, flags in enumerate(attributes):
        role = next((SPECIAL_USE[flag] for flag in sorted(flags) if flag in SPECIAL_USE), "")
        if role and place not in roles:
            roles[place] = role if role not in given else ""
            given.add(role)
    for role, place in _guesses(folders):
        if role not in given and place not in roles:
            roles[place] = role
            given.add(role)
    return [replace(folder, role=roles.get(place, "")) for place, folder in enumerate(folders)]


def _guesses(folders: Sequence[RemoteFolder]) -> list[tuple[str, int]]:
    """Roles by name, for folders at the top or directly under INBOX; shallower ones first."""
    found = []
    for depth in (0, 1):
        for place, folder in enumerate(folders):
            if folder.selectable and (leaf := _leaf(folder, depth)) and (role := _BY_NAME.get(leaf)):
                found.append((role, place))
    return found


def _leaf(folder: RemoteFolder, depth: int) -> str:
    path = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    if len(path) == depth + 1 and (depth == 0 or path[0].upper() == "INBOX"):
        return " ".join(path[-1].casefold().split())
    return ""
