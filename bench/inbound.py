"""Letters that come in by SMTP in a second, and what a SIGKILL costs: `python -m bench.inbound rate …`, `… kills …`.

The parent sets DATABASE_URL and LETTERDESK_DATA. Letters go to a secret address of Ada, and are not looked at: what
counts is the way to the 250, bytes on disk and row committed.
"""

import json
import os
import random
import signal
import smtplib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

os.environ["LETTERDESK_INBOUND_DOMAIN"] = "in.bench.example"
os.environ["LETTERDESK_INBOUND_PACE"] = "1000000"
os.environ["LETTERDESK_INBOUND_SENDERS"] = "127.0.0.1"

from .engine import prepare  # isort: skip  it sets Django up

from django.db import connections
from django.utils import timezone

from letterdesk.crm.models import SendSaveAddress
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.intake.keep import Keeper
from letterdesk.intake.models import Arrived
from letterdesk.lib import blobs
from letterdesk.mail.smtpd import Server
from letterdesk.mail.smtpd_limits import Limits
from tests.rig.ports import free_port, wait_for_port

from .watched import started

DOMAIN = os.environ["LETTERDESK_INBOUND_DOMAIN"]
SENDERS = 16  # connections that send at the same time
AT_ONCE = 4  # letters on their way when the process is killed
LONGEST = 0.6  # seconds from the last dot to the kill, at the most
SIZE = 9_000  # bytes of a letter


def rate(letters: str) -> dict[str, Any]:
    """So many letters by the real process, over some connections; seconds until the last 250."""
    address, port = _address().address, free_port()
    os.environ["LETTERDESK_INBOUND_LISTEN"] = f"127.0.0.1:{port}"
    with started("intake") as process:
        wait_for_port(port, timeout=60, alive=lambda: process.poll() is None)
        each = int(letters) // SENDERS
        threads = [threading.Thread(target=_send, args=(port, address, name, each)) for name in range(SENDERS)]
        begin, used = time.perf_counter(), _cpu(process.pid)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        taken, used = time.perf_counter() - begin, _cpu(process.pid) - used
    kept = Arrived.objects.count()
    return {"letters": each * SENDERS, "kept": kept, "seconds": taken, "cpu_seconds": used}


def _cpu(process: int) -> float:
    """Seconds of processor that it has used: utime and stime (proc(5))."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _send(port: int, address: str, sender: int, count: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        for number in range(count):
            smtp.sendmail("ada@bench.example", [address], _letter(f"{sender}.{number}"))


def kills(times: str) -> dict[str, Any]:
    """The server is killed while letters are stored, so many times; which of those that it acknowledged are missing."""
    ours = _address()
    address, account = ours.address, ours.account_id
    chance = random.Random(1)
    acknowledged: list[bytes] = []
    sent = 0
    for number in range(int(times)):
        connections.close_all()
        with _killed(chance.uniform(0.0, LONGEST)) as port:
            talks = [_Talk(port, address) for _ in range(AT_ONCE)]
            letters = [_letter(f"{number}.{each}") for each in range(AT_ONCE)]
            for talk, letter in zip(talks, letters, strict=True):
                talk.finish(letter)
            sent += len(letters)
        acknowledged += [letter for talk, letter in zip(talks, letters, strict=True) if talk.is_acknowledged()]
    there = dict(Arrived.objects.values_list("blob", "pk"))
    lost = sum(not _is_there(account, letter, there) for letter in acknowledged)
    return {"kills": int(times), "sent": sent, "acknowledged": len(acknowledged), "rows": len(there), "lost": lost}


def _is_there(account: int, letter: bytes, there: dict[str, int]) -> bool:
    blob = blobs.hash_of(letter)
    with suppress(blobs.BlobMissing, blobs.BlobDamaged):
        return blob in there and blobs.get(account, blob) == letter
    return False


@contextmanager
def _killed(after: float) -> Iterator[int]:
    """The server as a process of its own, which is killed so many seconds after the block."""
    port = free_port()
    child = os.fork()
    if not child:
        limits = Limits(per_address=1_000_000, connections_of_one=100)
        Server(Keeper(), host="127.0.0.1", port=port, name=DOMAIN, limits=limits).start()
        signal.pause()
    try:
        wait_for_port(port, timeout=20)
        yield port
        time.sleep(after)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class _Talk:
    """A letter that was sent up to its last dot; whether that was answered is asked later."""

    def __init__(self, port: int, address: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 20)
        self._file = self._socket.makefile("rb")
        self._file.readline()
        for command in ("HELO bench", "MAIL FROM:<ada@bench.example>", f"RCPT TO:<{address}>", "DATA"):
            self._socket.sendall(f"{command}\r\n".encode())
            self._file.readline()

    def finish(self, letter: bytes) -> None:
        self._socket.sendall(letter + b".\r\n")

    def is_acknowledged(self) -> bool:
        with suppress(OSError), self._socket, self._file:
            return self._file.readline().startswith(b"250")
        return False


def _letter(name: str) -> bytes:
    text = f"Please send the offer for {name}.\r\n" * (SIZE // 34)
    head = f"From: Ada <ada@bench.example>\r\nTo: bo@client.example\r\nSubject: {name}\r\nMessage-ID: <{name}@bench>"
    return f"{head}\r\n\r\n{text}".encode()


def _address() -> SendSaveAddress:
    ada = prepare("imap.bench.example", "993", "ada")[0].owner
    return sendsave.make(by=ada, of_account=False, now=timezone.now())


if __name__ == "__main__":
    print(json.dumps({"rate": rate, "kills": kills}[sys.argv[1]](*sys.argv[2:])))
