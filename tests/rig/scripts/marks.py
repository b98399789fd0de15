"""HIGHESTMODSEQ, CONDSTORE and QRESYNC that lie."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Marked(Liar):
    """Five letters; the mark is replaced by `mark(true value)`."""

    def setup(self):
        for number in range(1, 6):
            self.inbox.add(letter(number))

    def mark(self, value: int) -> bytes:
        """What is told instead."""
        return b"%d" % value

    def alter(self, session, command, chunk):
        return re.sub(rb"HIGHESTMODSEQ (\d+)", lambda m: b"HIGHESTMODSEQ " + self.mark(int(m[1])), chunk)


class ZeroMark(_Marked):
    """A21: HIGHESTMODSEQ 0."""

    def mark(self, value):
        return b"0"


class JunkMark(_Marked):
    """A21: HIGHESTMODSEQ is not a number."""

    def mark(self, value):
        return b"junk"


class NullMark(_Marked):
    """A21: HIGHESTMODSEQ without a number, as NIL."""

    def mark(self, value):
        return b"NIL"


class HugeMark(_Marked):
    """A21: HIGHESTMODSEQ beyond 2^64."""

    def mark(self, value):
        return b"36893488147419103232"


class NoMark(_Marked):
    """A21: NOMODSEQ (RFC 7162 3.1.2.2), though CONDSTORE is announced."""

    def alter(self, session, command, chunk):
        return re.sub(rb"\[HIGHESTMODSEQ \d+\]", b"[NOMODSEQ]", chunk)


class FallingMark(_Marked):
    """A21: HIGHESTMODSEQ goes down at every SELECT."""

    told = 0

    def mark(self, value):
        self.told += 1
        return b"%d" % max(1, value - self.told)


class FlatMark(_Marked):
    """A22: HIGHESTMODSEQ stays while letters come, and CHANGEDSINCE shows nothing."""

    def mark(self, value):
        return b"6"

    def alter(self, session, command, chunk):
        if command and b"CHANGEDSINCE" in command.raw and chunk.startswith(b"* ") and b"FETCH" in chunk:
            return None
        return super().alter(session, command, chunk)


class MarkAhead(_Marked):
    """A24: HIGHESTMODSEQ rises before the changes can be seen, in FETCH and in SELECT."""

    capabilities = Liar.capabilities.replace(" QRESYNC", "")
    hiding = 0  # so many more answers hide what changed

    def alter(self, session, command, chunk):
        if self.hiding and command and b"CHANGEDSINCE" in command.raw:
            if b"FETCH (" in chunk:
                return None
            if chunk.startswith(command.tag):
                self.hiding -= 1
        return super().alter(session, command, chunk)


class LateExpunge(_Marked):
    """A25: a FETCH tells a MODSEQ above an expunge that is told only later (RFC 7162 erratum 1810)."""

    hiding = False

    def alter(self, session, command, chunk):
        if self.hiding and b"VANISHED" in chunk:
            return None
        return super().alter(session, command, chunk)


class EmptyEnabled(_Marked):
    """A26: ENABLED lists nothing; CONDSTORE works all the same."""

    def alter(self, session, command, chunk):
        return b"* ENABLED\r\n" if chunk.startswith(b"* ENABLED") else chunk


class NoEnable(_Marked):
    """A26: ENABLE is announced and refused."""

    def before(self, session, command):
        if command.name == "ENABLE":
            session.tagged(command, b"BAD not now")
            return True
        return None


class QuietChanges(_Marked):
    """A23: CONDSTORE without QRESYNC."""

    capabilities = Liar.capabilities.replace(" QRESYNC", "")


class NothingSpecial(_Marked):
    """A27: IMAP4rev1 and nothing else."""

    capabilities = "IMAP4rev1"
