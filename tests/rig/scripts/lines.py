"""A43: lines that are almost IMAP. All of these servers hold the same five letters, and mean well."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Sloppy(Liar):
    def setup(self):
        for number in range(1, 6):
            self.inbox.add(letter(number), flags={"\\Seen"} if number % 2 else set())


class NoText(_Sloppy):
    """Tagged answers without any text."""

    def alter(self, session, command, chunk):
        if command and chunk.startswith(command.tag + b" OK") and b"[" not in chunk:
            return command.tag + b" OK\r\n"
        return chunk


class TrailingSpaces(_Sloppy):
    """Spaces before the end of lines: STATUS, SEARCH, EXISTS."""

    def alter(self, session, command, chunk):
        if chunk.startswith((b"* STATUS", b"* SEARCH", b"* ESEARCH")) or chunk.endswith(b"EXISTS\r\n"):
            return chunk[:-2] + b" \r\n"
        return chunk


class SpaceInParentheses(_Sloppy):
    """Spaces inside the parentheses of FLAGS and FETCH."""

    def alter(self, session, command, chunk):
        return re.sub(rb"FLAGS \(([^)]*)\)", rb"FLAGS ( \1 )", chunk) if b" FETCH (" in chunk else chunk


class LowerCase(_Sloppy):
    """Everything in lower case."""

    def alter(self, session, command, chunk):
        for word in (b"FETCH", b"FLAGS", b"UID", b"EXISTS", b"SEARCH", b"INTERNALDATE", b"BODY[]", b"UIDVALIDITY"):
            head, _, rest = chunk.partition(b"\r\n")
            chunk = head.replace(word, word.lower()) + b"\r\n" + rest
        return chunk


class NulPadding(_Sloppy):
    """NUL bytes in human text."""

    def alter(self, session, command, chunk):
        return chunk[:-2] + b"\x00\x00\r\n" if command and chunk.startswith(command.tag) else chunk


class EightBitText(_Sloppy):
    """Human text that is neither ASCII nor UTF-8."""

    def alter(self, session, command, chunk):
        return chunk[:-2] + b" gr\xfc\xdfe\r\n" if command and chunk.startswith(command.tag) else chunk


class Chatty(_Sloppy):
    """Unasked-for lines between the answers: OK, ALERT, FETCH without UID, FLAGS, RECENT."""

    def alter(self, session, command, chunk):
        if command and command.name.startswith("UID") and chunk.startswith(b"* "):
            return b"* OK [ALERT] Maintenance on Sunday\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 0 RECENT\r\n" + chunk
        return chunk


class ExtraItems(_Sloppy):
    """FETCH answers with items that nobody asked for, in another order."""

    def alter(self, session, command, chunk):
        return re.sub(rb"FETCH \(", b'FETCH (X-LABELS ("a b" c (d)) BODY[HEADER] NIL RFC822.SIZE 1 ', chunk, count=1)


class SplitAnswers(_Sloppy):
    """One letter in two FETCH answers: flags in one, the body in another."""

    def alter(self, session, command, chunk):
        found = re.match(rb"\* (\d+) FETCH \(UID (\d+).*?(FLAGS \([^)]*\)).*BODY\[\]", chunk, re.DOTALL)
        if not found:
            return chunk
        rest = chunk.replace(found[3] + b" ", b"", 1).replace(b" " + found[3], b"", 1)
        return b"* %s FETCH (UID %s %s)\r\n" % (found[1], found[2], found[3]) + rest


class EmptyLines(_Sloppy):
    """Empty lines between answers."""

    def alter(self, session, command, chunk):
        return b"\r\n" + chunk if command and command.name == "UID SEARCH" else chunk


class BareLineFeeds(_Sloppy):
    """Lines that end with LF alone."""

    def alter(self, session, command, chunk):
        return chunk[:-2] + b"\n" if b"{" not in chunk else chunk


class SearchInPieces(_Sloppy):
    """SEARCH answered by several lines."""

    capabilities = "IMAP4rev1 UIDPLUS"

    def alter(self, session, command, chunk):
        if chunk.startswith(b"* SEARCH"):
            return b"".join(b"* SEARCH %s\r\n" % uid for uid in chunk.split()[2:])
        return chunk


class MinusOneLines(_Sloppy):
    """-1 where a number of lines or RECENT belongs."""

    def alter(self, session, command, chunk):
        return chunk.replace(b"* 0 RECENT", b"* -1 RECENT").replace(b"RECENT 0", b"RECENT -1")


class LateCapabilities(_Sloppy):
    """Capabilities only when asked, never in greeting or sign-in."""

    greeting = b"* OK hello\r\n"

    def alter(self, session, command, chunk):
        return re.sub(rb"\[CAPABILITY [^\]]*\] ", b"", chunk)


class NoFlagsInFetch(_Sloppy):
    """FLAGS of a letter without flags are NIL."""

    def alter(self, session, command, chunk):
        return chunk.replace(b"FLAGS ()", b"FLAGS NIL") if b" FETCH (" in chunk else chunk
