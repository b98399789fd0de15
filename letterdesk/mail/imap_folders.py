"""Folders: LIST, STATUS, SELECT, CREATE."""

import re
from collections.abc import Iterable

from letterdesk.mail.encode import Argument, Atom
from letterdesk.mail.errors import NotSendable, ProtocolError, ServerSaysNo
from letterdesk.mail.imap_fetch import read_flags
from letterdesk.mail.imap_names import is_usable, new_wire_name, shown_name, wire_name, wire_octets
from letterdesk.mail.imap_response import Untagged, Value, modseq, number, values
from letterdesk.mail.imap_roles import give_roles
from letterdesk.mail.imap_types import Flags, RemoteFolder, Selected, Status
from letterdesk.mail.imap_wire import Wire
from letterdesk.mail.uidset import UidSet

UID_MAX = 2**32 - 1  # RFC 9051 2.3.1.1
PIPELINED = 20
FOLDERS_MAX = 100_000
KNOWN_MAX = 6000  # octets of known UIDs in SELECT (RFC 7162 4: lines up to 8,192)

_ATTRIBUTE = re.compile(r"\\[^\\\s]+")
_NOT_SELECTABLE = {"\\noselect", "\\nonexistent"}
_OBJECT_ID = re.compile(r"\(?([A-Za-z0-9_-]{1,255})\)?")


def list_folders(wire: Wire, capabilities: frozenset[str]) -> list[RemoteFolder]:
    """All folders, each once, with roles (A32, A33). Raises on NO: a failed LIST is not an empty mailbox."""
    arguments: list[Argument] = ["", "*"]
    if {"LIST-EXTENDED", "SPECIAL-USE"} <= capabilities:
        arguments += [Atom("RETURN"), [Atom("SPECIAL-USE")]]
    responses, _ = wire.run(*arguments, name="LIST")
    found: dict[str, tuple[RemoteFolder, frozenset[str]]] = {}
    for response in responses:
        if response.kind == "LIST" and (read := _read_folder(response)):
            found.setdefault(read[0].wire_name, read)
        if len(found) > FOLDERS_MAX:
            raise ProtocolError("a list of folders without end")
    return give_roles([each[0] for each in found.values()], [each[1] for each in found.values()])


def _read_folder(response: Untagged) -> tuple[RemoteFolder, frozenset[str]] | None:
    parts = response.values()
    if len(parts) < 3 or not isinstance(parts[0], list):
        return None
    attributes = frozenset(_attributes(parts[0]))
    delimiter = parts[1].decode("utf-8", "replace") if isinstance(parts[1], bytes) else ""
    wire = wire_name(_name_octets(parts[2:]))
    selectable = is_usable(wire) and not attributes & _NOT_SELECTABLE
    shown = "INBOX" if wire.upper() == "INBOX" else shown_name(wire)
    return RemoteFolder(shown, wire, delimiter[:1], selectable=selectable), attributes


def _attributes(words: list[Value]) -> Iterable[str]:
    r"""In lower case; glued ones such as `(\Sent\HasNoChildren)` come apart (A33)."""
    for word in words:
        if isinstance(word, bytes):
            yield from _ATTRIBUTE.findall(word.decode("ascii", "replace").lower())


def _name_octets(parts: list[Value]) -> bytes:
    """The name; one that was sent without quotes in spite of its spaces is put together again. NIL is a name."""
    words = []
    for part in parts:
        if isinstance(part, list):  # extended data of RFC 5258
            break
        words.append(b"NIL" if part is None else bytes(part) if isinstance(part, bytes) else b"")
    return b" ".join(words)


def folder_status(wire: Wire, name: str, capabilities: frozenset[str]) -> Status:
    """STATUS of one folder. Raises ServerSaysNo (NONEXISTENT …), ProtocolError when the answer is missing."""
    responses, _ = wire.run(wire_octets(name), _status_items(capabilities), name="STATUS")
    for response in responses:
        if response.kind == "STATUS" and (read := _read_status(response)):
            return read[1]
    raise ProtocolError("STATUS without an answer")


def folder_statuses(wire: Wire, names: Iterable[str], capabilities: frozenset[str]) -> dict[str, Status]:
    """STATUS of many: in one round trip where LIST-STATUS is offered, else pipelined. What fails is left out."""
    wanted = {_same(name): name for name in names if is_usable(name)}
    if len(wanted) > 2 and {"LIST-STATUS", "LIST-EXTENDED"} <= capabilities:
        options: list[Argument] = [Atom("STATUS"), _status_items(capabilities)]
        try:
            responses, _ = wire.run("", "*", Atom("RETURN"), options, name="LIST")
        except ServerSaysNo:
            responses = []
        found = _statuses_of(responses, wanted)
        wanted = {key: name for key, name in wanted.items() if name not in found}
    else:
        found = {}
    return found | _one_by_one(wire, wanted, capabilities)


def _one_by_one(wire: Wire, wanted: dict[str, str], capabilities: frozenset[str]) -> dict[str, Status]:
    found: dict[str, Status] = {}
    names = list(wanted.values())
    for start in range(0, len(names), PIPELINED):
        wire.settle()
        tags = []
        for name in names[start : start + PIPELINED]:
            tags.append(wire.send(wire_octets(name), _status_items(capabilities), name="STATUS", pipelined=True))
        for tag in tags:
            try:
                found |= _statuses_of(wire.collect(wire.until(tag)), wanted)
            except ServerSaysNo:
                continue
    return found


def _statuses_of(responses: Iterable[Untagged], wanted: dict[str, str]) -> dict[str, Status]:
    read = [_read_status(response) for response in responses if response.kind == "STATUS"]
    return {wanted[_same(each[0])]: each[1] for each in read if each and _same(each[0]) in wanted}


def _same(name: str) -> str:
    """INBOX is the only name whose case does not matter (RFC 9051 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


def _status_items(capabilities: frozenset[str]) -> list[Argument]:
    items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"]
    items += ["HIGHESTMODSEQ"] if capabilities & {"CONDSTORE", "QRESYNC"} else []
    items += ["MAILBOXID"] if "OBJECTID" in capabilities else []
    return [Atom(item) for item in items]


def _read_status(response: Untagged) -> tuple[str, Status] | None:
    parts = response.values()
    if len(parts) < 2 or not isinstance(parts[-1], list):
        return None
    items = parts[-1]
    told: dict[str, Value] = {}
    for key, value in zip(items[::2], items[1::2], strict=False):
        told[key.decode("ascii", "replace").upper() if isinstance(key, bytes) else ""] = value
    messages = number(told.get("MESSAGES"))
    if messages is None:
        return None
    return wire_name(_name_octets(parts[:-1])), Status(
        messages=messages,
        uidnext=number(told.get("UIDNEXT"), most=UID_MAX + 1) or None,
        uidvalidity=number(told.get("UIDVALIDITY"), most=UID_MAX) or None,
        highestmodseq=modseq(told.get("HIGHESTMODSEQ")),
        object_id=_object_id(told.get("MAILBOXID")),
    )


def _object_id(value: Value) -> str:
    if isinstance(value, list):
        value = value[0] if value else None
    match = _OBJECT_ID.fullmatch(value.decode("ascii", "replace")) if isinstance(value, bytes) else None
    return match[1] if match else ""


def create_folder(wire: Wire, name: str, *, utf8: bool) -> str:
    """CREATE by the shown name; returns the wire name. Raises ServerSaysNo (ALREADYEXISTS …), NotSendable."""
    made = new_wire_name(name, utf8=utf8)
    if not (is_usable(made) and name.isprintable()):
        raise NotSendable("a folder name is not empty and has no control characters")
    wire.run(wire_octets(made), name="CREATE")
    return made


def select_folder(
    wire: Wire,
    name: str,
    *,
    readonly: bool,
    capabilities: frozenset[str],
    resync: tuple[int, int, UidSet | None] | None,
) -> Selected:
    """SELECT or EXAMINE; with `resync` only when QRESYNC is enabled (RFC 7162 3.2.5)."""
    arguments: list[Argument] = [wire_octets(name)]
    if resync:
        uidvalidity, known_modseq, known = resync
        parameters: list[Argument] = [uidvalidity, known_modseq]
        parameters += [known] if known and len(str(known)) <= KNOWN_MAX else []
        arguments.append([Atom("QRESYNC"), parameters])
    elif "CONDSTORE" in capabilities:
        arguments.append([Atom("CONDSTORE")])
    wire.exists = 0
    answer = _Answer(resync)
    tag = wire.send(*arguments, name="EXAMINE" if readonly else "SELECT")
    for response in wire.until(tag):
        answer.take(response)
    return answer.selected(readonly=readonly or wire.last.code == "READ-ONLY", exists=wire.exists)


class _Answer:
    """Collects what SELECT tells, response by response."""

    def __init__(self, resync: tuple[int, int, UidSet | None] | None) -> None:
        self.resync = resync
        self.codes: dict[str, str] = {}
        self.vanished = UidSet()
        self.changed: list[Flags] = []
        self.flags: frozenset[str] = frozenset()
        self.is_counted = False

    def take(self, response: Untagged) -> None:
        if response.status and response.status.code:
            self.codes[response.status.code] = response.status.rest
            if response.status.code == "CLOSED":  # RFC 7162 3.2.11: what came before belongs to the former folder
                self.vanished, self.changed = UidSet(), []
        elif response.kind == "EXISTS":
            self.is_counted = True
        elif response.kind == "FLAGS":
            self.flags = frozenset(_flag_words(response.values()))
        elif response.kind == "VANISHED":
            self.vanished |= read_vanished(response)
        elif response.kind == "FETCH" and (flags := read_flags(response)):
            self.changed.append(flags)

    def selected(self, *, readonly: bool, exists: int) -> Selected:
        uidvalidity = self._number("UIDVALIDITY", most=UID_MAX)
        if not uidvalidity or not self.is_counted:  # never "empty" because of half an answer (hard rule 4)
            raise ProtocolError("SELECT without UIDVALIDITY or EXISTS")
        told = self.codes.get("PERMANENTFLAGS")  # missing: all flags are permanent (RFC 9051 7.1)
        flags = self.flags if told is None else frozenset(_flag_words(values([told.encode()])))
        highest = None if "NOMODSEQ" in self.codes else modseq(self.codes.get("HIGHESTMODSEQ", "").encode())
        resynced = bool(self.resync and self.resync[0] == uidvalidity and highest)
        return Selected(
            exists=exists,
            uidvalidity=uidvalidity,
            uidnext=self._number("UIDNEXT", most=UID_MAX + 1),
            highestmodseq=highest,
            permanent_flags=flags - {"\\*"},
            accepts_keywords="\\*" in flags,
            readonly=readonly,
            object_id=_object_id(self.codes.get("MAILBOXID", "").encode()),
            resynced=resynced,
            vanished=self.vanished if resynced else UidSet(),
            changed=tuple(self.changed) if resynced else (),
        )

    def _number(self, code: str, *, most: int) -> int | None:
        return number(self.codes.get(code, "").strip().encode(), most=most) or None


def _flag_words(parts: list[Value]) -> Iterable[str]:
    for value in parts:
        if isinstance(value, list):
            yield from (each.decode("utf-8", "replace") for each in value if isinstance(each, bytes))


def read_vanished(response: Untagged) -> UidSet:
    """The UIDs of VANISHED or VANISHED (EARLIER) (RFC 7162 3.2.10); what cannot be read is nothing."""
    text = next((each for each in reversed(response.values()) if isinstance(each, bytes)), b"")
    try:
        return UidSet.parse(text.decode("ascii", "replace"))
    except ValueError:
        return UidSet()
