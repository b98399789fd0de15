import os
import pickle
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from letterdesk.lib.blobs import hash_of
from letterdesk.mail.letters import Letter
from letterdesk.mailboxes import preparing
from letterdesk.mailboxes.preparing import is_worth_it, load, parse, parse_and_write


def letter(number: int, body: str = "Good morning.") -> bytes:
    return (
        f"From: Ada <ada@a.example>\r\nSubject: Größe {number}\r\nMessage-ID: <{number}@a.example>\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{body} 見積 {number}\r\n"
    ).encode()


def named(raws: list[bytes]) -> dict[str, bytes]:
    return {f"1/{hash_of(raw)[:2]}/{hash_of(raw)}.zst": raw for raw in raws}


@contextmanager
def children_that_die(seconds: float) -> Iterator[None]:
    """Kill every child that begins, for so long."""
    until = time.monotonic() + seconds

    def kill() -> None:
        while time.monotonic() < until:
            ours = ["pgrep", "-P", str(os.getpid()), "-f", "letterdesk.mailboxes.preparing_child"]
            for child in subprocess.run(ours, capture_output=True, check=False).stdout.split():
                os.kill(int(child), 9)

    thread = threading.Thread(target=kill)
    thread.start()
    yield
    thread.join()


def test_a_child_reads_what_we_would_read_and_writes_it(tmp_path):
    raws = [letter(number) for number in range(30)] + [b"", b"\x00\xff broken", b"Subject: \xff\xfe\r\n\r\n\x00"]
    assert parse_and_write(tmp_path, named(raws)) == parse(raws)
    assert all((tmp_path / name).stat().st_size for name in named(raws))


def test_a_child_serves_again_and_again(tmp_path):
    parse_and_write(tmp_path, named([letter(1)]))
    (first,) = preparing._idle
    parse_and_write(tmp_path, named([letter(2)]))
    assert preparing._idle == [first]


@pytest.mark.case("G14")
def test_when_children_die_each_letter_is_written_and_read_or_set_aside(tmp_path):
    raws = [letter(number) for number in range(3)]
    with children_that_die(1.5):
        found = parse_and_write(tmp_path, named(raws))
    assert len(found) == 3
    assert all((tmp_path / name).exists() for name in named(raws))
    again = parse_and_write(tmp_path, named(raws))
    assert [parsed.letter.subject for parsed in again if isinstance(parsed.letter, Letter)] == [
        "Größe 0",
        "Größe 1",
        "Größe 2",
    ]


def test_what_the_disk_refuses_is_raised_here(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(NotADirectoryError):
        parse_and_write(tmp_path / "file", named([letter(1)]))


def test_an_answer_holds_nothing_that_runs():
    class Harm:
        def __reduce__(self):
            return os.system, ("true",)

    with pytest.raises(EOFError):
        load(pickle.dumps([Harm()]))
    with pytest.raises(EOFError):
        load(b"junk")


def test_few_small_letters_are_read_where_they_are():
    assert not is_worth_it([b"x"] * 20)
    if preparing.MOST_CHILDREN:
        assert is_worth_it([b"x"] * 200)
        assert is_worth_it([b"x" * (3 << 20)])
