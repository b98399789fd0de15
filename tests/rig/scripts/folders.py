"""Folder names, roles and delimiters as no RFC wants them; Gmail."""

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class OddNames(Liar):
    """A32: names that are not what they should be; letters in each."""

    names = (
        "../../etc/passwd",
        "&bad-utf7",
        "Entw&APw-rfe",
        "Büro",  # raw UTF-8
        "4711",
        "inbox/Sub",
        "/leading",
        "a//b",
        'with "quotes"',
        "back\\slash",
        "per%cent*star",
        "trailing ",
        "<script>alert(1)</script>",
        "/".join(["deep"] * 200),
        "NIL",
    )

    def setup(self):
        for number, name in enumerate(self.names):
            self.boxes.make(name, uidvalidity=5000 + number).add(letter(number))

    def alter(self, session, command, chunk):
        if chunk.startswith(b"* LIST") and b'"4711"' in chunk:
            return chunk.replace(b'"4711"', b"4711")  # an atom that looks like a number
        return chunk


class LiteralNames(Liar):
    """A43: names of folders as literals, also in STATUS."""

    def setup(self):
        self.boxes.make("Ordinary").add(letter(1))

    def alter(self, session, command, chunk):
        if b'"Ordinary"' in chunk:
            return chunk.replace(b'"Ordinary"', b"{8}\r\nOrdinary")
        return chunk


class NilDelimiter(Liar):
    """A32: flat names, and "." in them means nothing."""

    def setup(self):
        self.boxes.make("a.b.c").add(letter(1))

    def alter(self, session, command, chunk):
        return chunk.replace(b') "/" ', b") NIL ") if chunk.startswith(b"* LIST") else chunk


class EmptyName(Liar):
    """A32: LIST has a folder without a name, and a name with NUL."""

    def alter(self, session, command, chunk):
        if chunk.startswith(b"* LIST") and b'"Sent"' in chunk:
            return chunk + b'* LIST () "/" ""\r\n* LIST () "/" "nul\x00nul"\r\n'
        return chunk


class NoSpecialUse(Liar):
    """A33: no roles are told; only names."""

    capabilities = Liar.capabilities.replace(" SPECIAL-USE", "")

    def setup(self):
        for box in self.boxes.by_name.values():
            box.attributes = ()
        self.boxes.make("Papierkorb")


class TwoSent(Liar):
    """A33: two folders claim to be Sent."""

    def setup(self):
        self.boxes.make("Sent Items", "\\Sent").add(letter(1))


class GluedFlags(Liar):
    """A33: attributes without a space between them."""

    def alter(self, session, command, chunk):
        return chunk.replace(b"(\\Sent)", b"(\\Sent\\HasNoChildren)")


class Gmail(Liar):
    """A34: every letter in All Mail, and once more in each of its labels."""

    capabilities = (
        "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS ENABLE MOVE CONDSTORE ESEARCH "
        "SPECIAL-USE LITERAL-"
    )

    def setup(self):
        self.boxes.by_name.clear()
        self.boxes.make("INBOX")
        self.boxes.make("[Gmail]/All Mail", "\\All", "\\HasNoChildren")
        self.boxes.make("[Gmail]/Trash", "\\Trash", "\\HasNoChildren")
        self.boxes.make("Customers")
        for number in range(1, 7):
            self.boxes["[Gmail]/All Mail"].add(letter(number))
            if number <= 4:
                self.inbox.add(letter(number))
            if number % 2:
                self.boxes["Customers"].add(letter(number))


class Swapped(Liar):
    """A31: folders with MAILBOXID (RFC 8474), so that renames can be seen."""

    capabilities = Liar.capabilities + " OBJECTID"

    def setup(self):
        for name, first in (("Alpha", 1), ("Beta", 20)):
            box = self.boxes.make(name)
            for number in range(first, first + 5):
                box.add(letter(number))

    def rename(self, name: str, to: str) -> None:
        """Give a folder another name; it stays the same folder."""
        box = self.boxes.by_name.pop(name)
        box.name = to
        self.boxes.by_name[to] = box


class Unselectable(Liar):
    """A folder that LIST names and nobody may open."""

    def setup(self):
        self.boxes.make("Forbidden").add(letter(1))
        self.inbox.add(letter(2))

    def before(self, session, command):
        if command.name in {"SELECT", "EXAMINE", "STATUS"} and b"Forbidden" in command.raw:
            session.tagged(command, b"NO [NOPERM] not yours")
            return True
        return None
