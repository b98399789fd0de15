"""The patient parser: the stdlib's, in a child process that may use 5 s of computing and 1 GB of memory for a letter.

Children are kept and used again; one that dies takes one letter's chance with it, nothing else. They are started as
programs of their own and never forked, because the process that asks has threads.
"""

import atexit
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letterdesk.mail.headers import Head

MOST_CHILDREN = 2
LENGTH = struct.Struct(">Q")
OUT_OF_MEMORY = 3  # exit status of a child
_ROOT = str(Path(__file__).resolve().parents[2])
_STRUCTURE = ("content-type", "content-transfer-encoding", "content-disposition", "content-id")

_REASONS = {
    -signal.SIGXCPU: "It takes more than five seconds of computing to read.",
    -signal.SIGALRM: "It takes too long to read.",
    OUT_OF_MEMORY: "It takes too much memory to read.",
    -signal.SIGSEGV: "It makes the parser fail.",
}


class Unparsable(Exception):
    """No parser could read the letter within its limits; the text says why, in words for people."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as the child reads it: Content- fields, and children or decoded bytes. `is_letter`: a letter inside."""

    fields: dict[str, str]
    children: list["Piece"] | None
    content: bytes
    is_letter: bool


_idle: list[subprocess.Popen[bytes]] = []
_slots = threading.BoundedSemaphore(MOST_CHILDREN)


def read_limited(raw: bytes, head: Head) -> tuple[Piece, bool]:
    """The parts of `raw`, and whether some were left out. Raises `Unparsable`."""
    fields = b"".join(
        name.encode() + b": " + head.first(name)[:8192] + b"\n" for name in _STRUCTURE if head.first(name)
    )
    letter = (fields, b"\n", memoryview(raw)[head.body :])
    with _slots:
        answer, content = _ask(letter) or _ask(letter) or ({"error": "The parser stopped twice."}, b"")
    if "error" in answer:
        raise Unparsable(str(answer["error"]))
    return _piece(answer["root"], memoryview(content)), bool(answer["cut"])


def _ask(letter: tuple[bytes | memoryview, ...]) -> tuple[dict[str, Any], bytes] | None:
    """One letter to one child. None: the child had died for a reason of its own, before or while it read this."""
    try:
        process = _idle.pop()
    except IndexError:
        process = _start()
    try:
        answer = _exchange(process, letter)
    except (OSError, EOFError):
        process.kill()
        process.communicate()
        reason = _REASONS.get(process.returncode)
        return ({"error": reason}, b"") if reason else None
    _idle.append(process)
    return answer


def _exchange(process: subprocess.Popen[bytes], letter: tuple[bytes | memoryview, ...]) -> tuple[dict[str, Any], bytes]:
    send, receive = process.stdin, process.stdout
    if send is None or receive is None:
        raise EOFError
    send.write(LENGTH.pack(sum(map(len, letter))))
    for piece in letter:
        send.write(piece)
    send.flush()
    sizes = receive.read(2 * LENGTH.size)
    if len(sizes) < 2 * LENGTH.size:
        raise EOFError
    length, content_length = LENGTH.unpack(sizes[: LENGTH.size])[0], LENGTH.unpack(sizes[LENGTH.size :])[0]
    answer, content = receive.read(length), receive.read(content_length)
    if len(content) < content_length:
        raise EOFError
    return json.loads(answer), content


def _piece(answer: dict[str, Any], content: memoryview) -> Piece:
    children = answer["children"]
    start, size = answer["at"], answer["size"]
    return Piece(
        fields=answer["fields"],
        children=None if children is None else [_piece(child, content) for child in children],
        content=bytes(content[start : start + size]),
        is_letter=answer["letter"],
    )


def _start() -> subprocess.Popen[bytes]:
    """A child without our environment: nothing secret may be read from a parser that went wrong."""
    return subprocess.Popen(
        [sys.executable, "-s", "-m", "letterdesk.mail.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": _ROOT},
        cwd="/",
    )


def _forget() -> None:
    """A forked copy of us must not talk to our children."""
    global _slots  # noqa: PLW0603
    _idle.clear()
    _slots = threading.BoundedSemaphore(MOST_CHILDREN)


def _end() -> None:
    """The children end by themselves when their input does; this waits for it."""
    while _idle:
        process = _idle.pop()
        process.kill()
        process.communicate()


os.register_at_fork(after_in_child=_forget)
atexit.register(_end)
