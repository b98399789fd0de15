"""Prepares large batches of letters in processes of their own: parsing and writing on one core, storing on another.

Python runs one thread at a time, and a first sync has work for two cores. The children know no Django and no
database (`preparing_child.py`), end by themselves when nothing comes for a minute, and take nothing with them when
they die: their letters are tried one by one, and the one over which a child dies is unreadable, no more (G14).
"""

import atexit
import contextlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any, ClassVar

from letterdesk.lib import blob_folder
from letterdesk.mail.letters import Address, Letter, Part, Unreadable
from letterdesk.mail.parse import parse_many

from .search.text import prepare as prepare_text

LENGTH = struct.Struct(">Q")
MANY = 100  # letters, from which on a batch goes to a child …
MUCH = 2 << 20  # … or bytes
MOST_CHILDREN = min(3, (os.cpu_count() or 1) - 1)  # a core is for storing
IDLE_SECONDS = 60
PIPE_BYTES = 1 << 20
_ROOT = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, slots=True)
class Parsed:
    """A letter as it was read, and its text as the index keeps it."""

    letter: Letter | Unreadable
    words: str


class ChildDied(Exception):
    """The child ended before it answered."""


def parse(raws: Collection[bytes]) -> list[Parsed]:
    """Read letters here, in their order. Never raises."""
    return [
        Parsed(letter, prepare_text(letter.text) if isinstance(letter, Letter) else "")
        for letter in parse_many(list(raws))
    ]


def is_worth_it(raws: Collection[bytes]) -> bool:
    """Whether these letters are enough work for another process, and there is another core."""
    return MOST_CHILDREN > 0 and (len(raws) >= MANY or sum(map(len, raws)) >= MUCH)


def parse_and_write(root: Path, raws: Mapping[str, bytes]) -> list[Parsed]:
    """Have letters read, and written durably under these names below `root`; in their order. Raises OSError."""
    try:
        return _ask(root, raws)
    except ChildDied:
        return [_alone(root, name, raw) for name, raw in raws.items()]


def _alone(root: Path, name: str, raw: bytes) -> Parsed:
    try:
        return _ask(root, {name: raw})[0]
    except ChildDied:
        blob_folder.put(root, {name: raw})
        return Parsed(Unreadable("Reading it ended the program."), "")


def warm() -> None:
    """Have a child ready soon: it takes a moment to start."""
    if MOST_CHILDREN > 0 and not _idle:
        _idle.append(_start())


# The children --------------------------------------------------------------------------------------------------------

_Child = subprocess.Popen[bytes]
_idle: list[_Child] = []
_slots = threading.BoundedSemaphore(MOST_CHILDREN)


def _ask(root: Path, raws: Mapping[str, bytes]) -> list[Parsed]:
    """One batch to one child. Raises ChildDied; OSError as the child met it."""
    order = {"root": str(root), "sizes": {name: len(raw) for name, raw in raws.items()}}
    with _slots:
        child = _take()
        try:
            answer = _exchange(child, json.dumps(order).encode(), raws.values())
        except (OSError, EOFError) as error:
            child.kill()
            child.communicate()
            raise ChildDied from error
        _idle.append(child)
    if isinstance(answer, tuple):
        raise OSError(*answer)
    parsed: list[Parsed] = answer
    return parsed


def _exchange(child: _Child, order: bytes, raws: Collection[bytes]) -> Any:
    send, receive = child.stdin, child.stdout
    if send is None or receive is None:
        raise EOFError
    send.write(LENGTH.pack(len(order)) + order)
    for raw in raws:
        send.write(raw)
    send.flush()
    return load(read_exactly(receive, LENGTH.unpack(read_exactly(receive, LENGTH.size))[0]))


def _take() -> _Child:
    """A child that is alive; one that has been idle for long may end at any moment, so it is not used again."""
    while _idle:
        with contextlib.suppress(IndexError):
            child = _idle.pop()
            if child.poll() is None:
                return child
            child.communicate()
    return _start()


def _start() -> _Child:
    """Without our environment: nothing secret is where letters are read."""
    return subprocess.Popen(
        [sys.executable, "-s", "-m", "letterdesk.mailboxes.preparing_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": _ROOT},
        cwd="/",
        pipesize=PIPE_BYTES,
    )


def read_exactly(stream: IO[bytes], size: int) -> bytes:
    """So many bytes. Raises EOFError."""
    found = stream.read(size)
    if len(found) < size:
        raise EOFError
    return found


class _Unpickler(pickle.Unpickler):
    """What a child may answer with: our own frozen classes and dates, nothing that runs (the letters are foreign)."""

    allowed: ClassVar = {
        (kind.__module__, kind.__qualname__): kind
        for kind in (Parsed, Letter, Unreadable, Address, Part, datetime, timedelta, timezone)
    }

    def find_class(self, module: str, name: str) -> Any:
        return self.allowed[module, name]


def load(answer: bytes) -> Any:
    """A child's answer: Parsed letters, or (errno, text) of the disk. Raises EOFError for anything else."""
    try:
        return _Unpickler(io.BytesIO(answer)).load()
    except (pickle.UnpicklingError, KeyError) as error:
        raise EOFError from error


def _forget() -> None:
    """A forked copy of us must not talk to our children."""
    global _slots  # noqa: PLW0603
    _idle.clear()
    _slots = threading.BoundedSemaphore(MOST_CHILDREN)


def _end() -> None:
    while _idle:
        child = _idle.pop()
        child.kill()
        child.communicate()


os.register_at_fork(after_in_child=_forget)
atexit.register(_end)
