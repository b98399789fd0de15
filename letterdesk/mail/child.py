"""The program of the limited child: letters come in by stdin, their parts go out by stdout (`limited.py` asks).

Only the tree of parts is left to the stdlib; letters inside of letters stay bytes: a person opens them one by one.
"""

import binascii
import json
import resource
import signal
import sys
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, BinaryIO

from letterdesk.mail.charsets import clean_line, decode
from letterdesk.mail.headers import decode_base64
from letterdesk.mail.limited import LENGTH, OUT_OF_MEMORY

CPU_SECONDS = 5
WALL_SECONDS = 60
MEMORY = 1024 * 1024 * 1024  # bytes of address space
MOST_DELIMITERS = 5_000  # lines that begin with `--`; the letter is cut behind them
MOST_DEPTH = 50
MOST_PARTS = 1_000
MOST_FRAMES = 500  # of the interpreter: the stdlib takes one or two for each level of parts
_FIELDS = ("content-type", "content-disposition", "content-id")


class Part(Message):
    """A part in which a letter is no container, but a file (message/rfc822, also by multipart/digest's default)."""

    def get_content_maintype(self) -> str:
        kind = super().get_content_maintype()
        return "application" if kind == "message" else kind

    def get_content_type(self) -> str:
        kind = super().get_content_type()
        return "application/octet-stream" if kind.startswith("message/") else kind

    @property
    def is_letter(self) -> bool:
        """Whether the type says so, or nothing but the default of the digest around it (RFC 2046 5.1.5)."""
        return super().get_content_type() == "message/rfc822"


def main() -> None:
    """Answers letters until stdin ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setrecursionlimit(MOST_FRAMES)
    while size := sys.stdin.buffer.read(LENGTH.size):
        _renew_limits()
        try:
            _answer(sys.stdin.buffer.read(LENGTH.unpack(size)[0]), sys.stdout.buffer)
        except MemoryError:
            sys.exit(OUT_OF_MEMORY)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _renew_limits() -> None:
    """Both signals end the process, whatever it is busy with."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(usage.ru_utime + usage.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + CPU_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)


def _answer(raw: bytes, out: BinaryIO) -> None:
    contents: list[bytes] = []
    try:
        answer = _read(raw, contents)
    except RecursionError:
        answer, contents = {"error": "Its parts are nested too deeply."}, []
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        AssertionError,
    ) as error:  # all that the stdlib was seen to raise
        answer, contents = {"error": f"It makes the parser fail ({type(error).__name__})."}, []
    text = json.dumps(answer).encode()
    out.write(LENGTH.pack(len(text)) + LENGTH.pack(sum(map(len, contents))) + text)
    for content in contents:
        out.write(content)
    out.flush()


def _read(raw: bytes, contents: list[bytes]) -> dict[str, Any]:
    end, is_cut = _end(raw)
    message = BytesParser(Part, policy=compat32).parsebytes(raw[:end])
    reader = _Reader(contents)
    root = reader.read(message, depth=0)
    return {"root": root, "cut": is_cut or reader.is_cut}


def _end(raw: bytes) -> tuple[int, bool]:
    at = -1
    for _ in range(MOST_DELIMITERS):
        at = raw.find(b"\n--", at + 1)
        if at < 0:
            return len(raw), False
    return at, True


class _Reader:
    """Takes the stdlib's parts over, at most `MOST_PARTS` and `MOST_DEPTH` levels; their bytes go in one row."""

    def __init__(self, contents: list[bytes]) -> None:
        self.contents = contents
        self.at = self.parts = 0
        self.is_cut = False

    def read(self, part: Any, depth: int) -> dict[str, Any]:
        self.parts += 1
        children: list[dict[str, Any]] | None = None
        content = b""
        if part.is_multipart():
            children = []
            for child in part.get_payload():
                if depth >= MOST_DEPTH or self.parts >= MOST_PARTS:
                    self.is_cut = True
                    break
                children.append(self.read(child, depth + 1))
        else:
            content = _transfer_decoded(part)
            self.contents.append(content)
        start, self.at = self.at, self.at + len(content)
        letter = isinstance(part, Part) and part.is_letter
        return {"fields": _fields(part), "children": children, "at": start, "size": len(content), "letter": letter}


def _fields(part: Message) -> dict[str, str]:
    """The fields that tell what the part is."""
    found: dict[str, str] = {}
    for name, value in part.raw_items():
        if name.lower() in _FIELDS:
            raw = str(value).encode("utf-8", "surrogateescape").replace(b"\r", b"").replace(b"\n", b"")
            found.setdefault(name.lower(), clean_line(decode(raw)))
    return found


def _transfer_decoded(part: Any) -> bytes:
    """The bytes of a leaf, as well as they can be had (RFC 2045 6); an unknown encoding is left as it is (B06)."""
    encoding = str(part.get("content-transfer-encoding", "")).partition("(")[0].strip().lower()
    del part["content-transfer-encoding"]
    raw: bytes = part.get_payload(decode=True) or b""  # without the field: as it came; without `decode` it loses 8-bit
    if encoding == "base64":
        return decode_base64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    if encoding in {"x-uuencode", "uuencode", "x-uue", "uue"}:
        return _uudecoded(raw)
    return raw


def _uudecoded(raw: bytes) -> bytes:
    lines = raw.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(b"begin ")]
    decoded = []
    for line in lines[starts[0] + 1 :] if starts else []:
        if line.strip() in {b"end", b"`", b""}:
            break
        try:
            decoded.append(binascii.a2b_uu(line))
        except binascii.Error:  # a wrong length byte or lost spaces: as long as the letters say
            decoded.append(binascii.a2b_uu(line[: 1 + (((line[0] - 32) & 63) * 4 + 5) // 3] + b" " * 3))
    return b"".join(decoded) or raw


if __name__ == "__main__":
    main()
