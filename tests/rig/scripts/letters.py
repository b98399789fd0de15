"""FETCH that hands out wrong, broken or missing letters."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar

LITERAL = re.compile(rb"BODY\[\] \{(\d+)\}\r\n", re.IGNORECASE)


class _Five(Liar):
    """Five letters in the inbox, one in Sent."""

    striking = True

    def setup(self):
        for number in range(1, 6):
            self.inbox.add(letter(number))
        self.boxes["Sent"].add(letter(100))

    def alter(self, session, command, chunk):
        if self.striking and b"UID 3 " in chunk and session.box is self.inbox and LITERAL.search(chunk):
            return self.strike(session, chunk)
        return chunk

    def strike(self, session, chunk: bytes) -> bytes | None:
        """What becomes of the answer with letter 3."""
        return chunk

    @staticmethod
    def instead(chunk: bytes, body: bytes) -> bytes:
        """The answer with another BODY[]."""
        head, _, _ = chunk.partition(b"BODY[]")
        return head + b"BODY[] " + body + b")\r\n"


class NilBody(_Five):
    """A10: BODY[] NIL: the letter was expunged meanwhile, or the server cannot read it."""

    def strike(self, session, chunk):
        return self.instead(chunk, b"NIL")


class EmptyBody(_Five):
    """A10: BODY[] is the empty string."""

    def strike(self, session, chunk):
        return self.instead(chunk, b'""')


class EmptyLiteral(_Five):
    """A10: BODY[] is a literal of no bytes."""

    def strike(self, session, chunk):
        return self.instead(chunk, b"{0}\r\n")


class MissingBody(_Five):
    """A10: the answer has no BODY[] at all."""

    def strike(self, session, chunk):
        head, _, _ = chunk.partition(b" BODY[]")
        return head + b")\r\n"


class RefusedLetter(_Five):
    """A10: the whole FETCH ends in NO when letter 3 is among those asked for."""

    def before(self, session, command):
        wants_bodies = command.name == "UID FETCH" and b"BODY" in command.raw.upper() and session.box is self.inbox
        if wants_bodies and any(each.uid == 3 for each in session.chosen(command.words[0])):
            session.tagged(command, b"NO [SERVERBUG] cannot read that")
            return True
        return None


class QuotedBody(_Five):
    """A43: a quoted string instead of a literal."""

    def strike(self, session, chunk):
        return self.instead(chunk, b'"Subject: quoted\\r\\n"').replace(b"\\r\\n", b"")


class _Literal(_Five):
    def resized(self, chunk: bytes, size: bytes) -> bytes:
        """The answer with another announced length."""
        return LITERAL.sub(b"BODY[] {" + size + b"}\r\n", chunk)


class LiteralTooShort(_Literal):
    """A12: fewer bytes are announced than come."""

    def strike(self, session, chunk):
        return self.resized(chunk, b"40")


class LiteralTooLong(_Literal):
    """A12: more bytes are announced than ever come."""

    def strike(self, session, chunk):
        session.raw(self.resized(chunk, b"100000"))
        session.stall(20)
        session.close()


class LiteralNegative(_Literal):
    """A12: a negative length."""

    def strike(self, session, chunk):
        return self.resized(chunk, b"-5")


class LiteralTwoGigabytes(_Literal):
    """A12: 2 GiB are announced."""

    def strike(self, session, chunk):
        session.raw(self.resized(chunk, b"2147483648"))
        session.stall(20)
        session.close()


class LiteralNoNumber(_Literal):
    """A12: the length is a word."""

    def strike(self, session, chunk):
        return self.resized(chunk, b"many")


class EndlessLine(_Five):
    """A12: a line that does not end."""

    def strike(self, session, chunk):
        for _ in range(400):
            session.raw(b"x" * 65536)
        session.close()


class ClosesMidLiteral(_Five):
    """A11: the connection ends in the middle of a letter."""

    def strike(self, session, chunk):
        session.raw(chunk[: len(chunk) // 2])
        session.close()


class ResetsMidLiteral(_Five):
    """A11: the connection is reset in the middle of a letter."""

    def strike(self, session, chunk):
        session.raw(chunk[: len(chunk) // 2])
        session.reset()


class DripsLetter(_Five):
    """A letter comes byte by byte, and is whole in the end."""

    def strike(self, session, chunk):
        session.drip(chunk, pause=0.0005)


class SilentServer(_Five):
    """The server falls silent in the middle of a letter."""

    def strike(self, session, chunk):
        session.raw(chunk[:50])
        session.stall(20)
        session.close()


class WrongSize(_Five):
    """RFC822.SIZE is wrong; the letter is whole."""

    def alter(self, session, command, chunk):
        return re.sub(rb"RFC822\.SIZE \d+", b"RFC822.SIZE 7", chunk)


class SaysTooLarge(_Five):
    """A37: a letter of 3 GiB by RFC822.SIZE; who asks for it gets it without end."""

    def alter(self, session, command, chunk):
        if b"UID 3 " in chunk and session.box is self.inbox:
            chunk = re.sub(rb"RFC822\.SIZE \d+", b"RFC822.SIZE 3221225472", chunk)
            return LITERAL.sub(b"BODY[] {3221225472}\r\n", chunk)
        return chunk


class AbsurdDates(_Five):
    """A35: INTERNALDATE that no calendar has, or far away."""

    dates = (b"99-Foo-2024 12:00:00 +0000", b"01-Jan-1601 00:00:00 +0000", b"01-Jan-9999 00:00:00 +2400")

    def alter(self, session, command, chunk):
        uid = re.search(rb"UID (\d)\b", chunk)
        if uid and int(uid[1]) <= len(self.dates):
            return re.sub(rb'INTERNALDATE "[^"]*"', b'INTERNALDATE "%s"' % self.dates[int(uid[1]) - 1], chunk)
        return chunk
