"""Servers that say that mail is gone which is not (P5, A20), and others that lose it while one looks."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Hundred(Liar):
    """A hundred letters, and a switch: while `lying`, the server denies them."""

    lying = False

    def setup(self):
        for number in range(1, 101):
            self.inbox.add(letter(number))


class AllVanished(_Hundred):
    """A20: QRESYNC says that everything vanished; SELECT and SEARCH agree."""

    def before(self, session, command):
        if self.lying and command.name == "UID SEARCH":
            session.search_line(command, [], returning=b"RETURN" in command.raw)
            session.tagged(command, b"OK done")
            return True
        return None

    def alter(self, session, command, chunk):
        if not self.lying:
            return chunk
        if chunk.endswith(b" EXISTS\r\n"):
            return b"* 0 EXISTS\r\n"
        if command and b"QRESYNC" in command.raw and chunk.startswith(command.tag):
            return b"* VANISHED (EARLIER) 1:100\r\n" + chunk
        return re.sub(rb"MESSAGES \d+", b"MESSAGES 0", chunk)


class EmptyFolder(AllVanished):
    """A20: SELECT OK on a folder that seems empty; no QRESYNC."""

    capabilities = "IMAP4rev1 LITERAL+ UIDPLUS"


class EmptySearch(_Hundred):
    """A20: EXISTS is right, UID SEARCH finds nothing."""

    capabilities = "IMAP4rev1 LITERAL+ UIDPLUS"

    def before(self, session, command):
        if self.lying and command.name == "UID SEARCH":
            session.search_line(command, [], returning=False)
            session.tagged(command, b"OK done")
            return True
        return None


class RefusedSearch(_Hundred):
    """Hard rule 4: UID SEARCH and SELECT fail; nothing follows from that."""

    capabilities = "IMAP4rev1 LITERAL+ UIDPLUS"

    def before(self, session, command):
        if self.lying and command.name in {"UID SEARCH", "UID FETCH"}:
            session.tagged(command, b"NO [SERVERBUG] not now")
            return True
        return None


class LosesListing(_Hundred):
    """LIST names no folder at all for a while."""

    def alter(self, session, command, chunk):
        return None if self.lying and chunk.startswith(b"* LIST") else chunk


class ExpungedMeanwhile(_Hundred):
    """A09: another session expunges while our FETCH runs: the rest of the answers do not come."""

    struck = False

    def before(self, session, command):
        if command.name == "UID FETCH" and b"BODY" in command.raw.upper() and not self.struck:
            self.struck = True
            self.inbox.drop([3, 50, 99])


class DropsOneAnswer(_Hundred):
    """A28: one FETCH answer is lost silently, once."""

    dropped = False

    def alter(self, session, command, chunk):
        if not self.dropped and b"UID 42 " in chunk and b"BODY[]" in chunk:
            self.dropped = True
            return None
        return chunk
