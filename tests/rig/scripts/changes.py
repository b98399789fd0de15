"""STORE, MOVE, COPY and APPEND that answer oddly, or may not be done."""

import re

from tests.rig.boxes import letter
from tests.rig.liar import Liar


class _Three(Liar):
    """Three letters in the inbox."""

    def setup(self):
        for number in range(1, 4):
            self.inbox.add(letter(number))


class JunkAppendUid(_Three):
    """A16: APPENDUID with words for numbers."""

    def alter(self, session, command, chunk):
        return re.sub(rb"APPENDUID \d+ \d+", b"APPENDUID none what", chunk)


class NoAppendUid(_Three):
    """A16: UIDPLUS is announced, APPENDUID not told."""

    def alter(self, session, command, chunk):
        return re.sub(rb"\[APPENDUID [^\]]*\] ", b"", chunk)


class JunkCopyUid(_Three):
    """A16: COPYUID that does not add up."""

    def alter(self, session, command, chunk):
        return re.sub(rb"COPYUID (\d+) [\d:,]+ [\d:,]+", rb"COPYUID \1 1:900 7", chunk)


class CopyUidEarly(_Three):
    """A17: COPYUID in an untagged OK before the expunge, as RFC 6851 has it."""


class CopyUidLate(_Three):
    """A17: the expunge comes first, COPYUID with the tagged OK."""

    held = b""

    def alter(self, session, command, chunk):
        if b"[COPYUID" in chunk and chunk.startswith(b"* OK"):
            self.held = chunk[chunk.index(b"[") : chunk.index(b"]") + 1]
            return None
        if self.held and command and chunk.startswith(command.tag + b" OK"):
            chunk, self.held = command.tag + b" OK " + self.held + b" moved\r\n", b""
        return chunk


class NoMove(_Three):
    """A18: no MOVE, but UIDPLUS."""

    capabilities = Liar.capabilities.replace(" MOVE", "")


class NoMoveNoUidplus(_Three):
    """A18: neither MOVE nor UIDPLUS: a plain EXPUNGE would take what others marked."""

    capabilities = Liar.capabilities.replace(" MOVE", "").replace(" UIDPLUS", "")


class NoKeywords(_Three):
    """A30: PERMANENTFLAGS without `\\*`: keywords cannot be kept."""

    refused = 0

    def before(self, session, command):
        if command.name == "UID STORE" and re.search(rb"[( ](?!\\)[A-Za-z$]+\)", command.raw):
            self.refused += 1
            session.tagged(command, b"NO no keywords here")
            return True
        return None

    def alter(self, session, command, chunk):
        return chunk.replace(b" \\*)]", b")]")


class ReadOnly(_Three):
    """A30: SELECT gives the folder for reading only, and STORE fails."""

    refused = 0

    def before(self, session, command):
        if command.name in {"UID STORE", "UID MOVE", "UID EXPUNGE"}:
            self.refused += 1
            session.tagged(command, b"NO [READ-ONLY] look, do not touch")
            return True
        return None

    def alter(self, session, command, chunk):
        chunk = re.sub(rb"PERMANENTFLAGS \([^)]*\)", b"PERMANENTFLAGS ()", chunk)
        return chunk.replace(b"[READ-WRITE]", b"[READ-ONLY]")


class ConflictingStore(_Three):
    """A29: between our reading and our STORE another program has changed the flags."""

    struck = False

    def before(self, session, command):
        if command.name == "UID STORE" and not self.struck:
            self.struck = True
            kept = self.inbox.letters[0]
            self.inbox.flag(kept, kept.flags | {"theirs"})


class NoTrash(_Three):
    """R27: there is no Trash folder."""

    def setup(self):
        super().setup()
        del self.boxes.by_name["Trash"]


class ClosesAfterAppend(_Three):
    """A15: the letter is stored, the answer never comes (once)."""

    struck = False

    def alter(self, session, command, chunk):
        if command and command.name == "APPEND" and chunk.startswith(command.tag) and not self.struck:
            self.struck = True
            session.close()
            return None
        return chunk
