"""UIDVALIDITY, UIDNEXT and UIDs that lie."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Ten(Liar):
    """Ten letters in the inbox."""

    def setup(self):
        for number in range(1, 11):
            self.inbox.add(letter(number))


class FlippingValidity(_Ten):
    """A04: another UIDVALIDITY at every SELECT and STATUS."""

    flipping = True

    def before(self, session, command):
        if self.flipping and command.name in {"SELECT", "EXAMINE"}:
            self.inbox.uidvalidity += 1


class ReusedUid(_Ten):
    """A05: the same UID holds another letter, and nothing announces it."""

    def reuse(self, uid: int) -> None:
        """Put another letter under this UID."""
        kept = next(each for each in self.inbox.letters if each.uid == uid)
        kept.raw = letter(uid + 900, "Something else altogether, and longer than before.")


class NoUidnext(_Ten):
    """A06: UIDNEXT is never told."""

    def alter(self, session, command, chunk):
        if b"[UIDNEXT" in chunk:
            return None
        return re.sub(rb" ?UIDNEXT \d+", b"", chunk) if chunk.startswith(b"* STATUS") else chunk


class WrongUidnext(_Ten):
    """A06: UIDNEXT is always 1."""

    told = 1

    def alter(self, session, command, chunk):
        return re.sub(rb"UIDNEXT \d+", b"UIDNEXT %d" % self.told, chunk)


class UidnextTooHigh(WrongUidnext):
    """A06: UIDNEXT is far above the truth; letters to come have lower UIDs."""

    told = 5000


class FallingUidnext(_Ten):
    """A06: UIDNEXT goes down by one each time."""

    fallen = 0

    def alter(self, session, command, chunk):
        if b"UIDNEXT" in chunk:
            self.fallen += 1
        return re.sub(rb"UIDNEXT (\d+)", lambda m: b"UIDNEXT %d" % max(1, int(m[1]) - self.fallen), chunk)


class HugeNumbers(Liar):
    """A08: UIDVALIDITY beyond 2^31, UIDs near 2^32, MODSEQ near 2^63."""

    def setup(self):
        self.inbox.uidvalidity = 4294967295
        self.inbox.modseq = 2**63 - 100
        for number in range(3):
            self.inbox.add(letter(number), uid=4294967290 + number)


class ForeignUids(_Ten):
    """UIDs that nobody asked for are handed out among those that were."""

    def alter(self, session, command, chunk):
        if command and command.name == "UID FETCH" and b"(UID 3" in chunk and b"BODY" in chunk:
            return chunk + b"* 77 FETCH (UID 4000 FLAGS ())\r\n"
        return chunk
