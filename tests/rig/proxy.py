"""A TCP proxy that records, cuts at byte N, stalls, resets, drips, and changes lines.

with CutProxy(server.host, server.port) as proxy:
    proxy.faults = [Fault(after=700)]              # the first connection ends when the server has sent 700 bytes
    proxy.rewrite = lambda line: line.replace(b"CONDSTORE", b"")      # of every line that the server sends
    ... proxy.port, proxy.recorded, proxy.commands
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from .dovecot import count_commands


@dataclass(frozen=True)
class Fault:
    """What happens to one connection after `after` bytes of one side ("server": what the client receives)."""

    after: int
    side: str = "server"
    kind: str = "cut"  # cut, reset, stall, drip
    pause: float = 0.001  # of drip, seconds per byte


@dataclass
class Recorded:
    """All bytes of one connection."""

    client: bytearray = field(default_factory=bytearray)
    server: bytearray = field(default_factory=bytearray)


class CutProxy:
    """Stands before another server on loopback. `faults` are used up, one per connection; None lets one pass."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.faults: list[Fault | None] = []
        self.rewrite: Callable[[bytes], bytes] | None = None
        self.refusing = False
        self.recorded: list[Recorded] = []
        self.stopping = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.host, self.port = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> "CutProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def commands(self) -> Counter[str]:
        """How often clients sent each command, over all connections."""
        return count_commands(line for each in self.recorded for line in bytes(each.client).splitlines())

    def break_all(self, *, reset: bool = True) -> None:
        """End every connection that is open now."""
        for each in list(self._open):
            _end(each, reset=reset)

    def stop(self) -> None:
        """Close everything."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.break_all()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _end(client, reset=True)
                continue
            try:
                server = socket.create_connection(self.target)
            except OSError:
                client.close()
                continue
            self._join(client, server)

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open += [client, server]
        recorded = Recorded()
        self.recorded.append(recorded)
        fault = self.faults.pop(0) if self.faults else None
        up_fault = fault if fault and fault.side == "client" else None
        up = _Pipe(self, client, server, recorded=recorded.client, fault=up_fault)
        down = _Pipe(self, server, client, recorded=recorded.server, fault=None if up_fault else fault)
        down.rewrite = self.rewrite
        for pipe in (up, down):
            thread = threading.Thread(target=pipe.run, daemon=True)
            self._threads.append(thread)
            thread.start()


class _Pipe:
    """One direction of one connection."""

    def __init__(self, proxy: CutProxy, source, target, *, recorded: bytearray, fault: Fault | None) -> None:
        self.proxy, self.source, self.target = proxy, source, target
        self.recorded, self.fault = recorded, fault
        self.rewrite: Callable[[bytes], bytes] | None = None
        self._rest = b""

    def run(self) -> None:
        with suppress(OSError):
            while data := self.source.recv(65536):
                if not self._pass_on(self._rewritten(data)):
                    break
        reset = self.fault is not None and self.fault.kind == "reset"
        for each in (self.source, self.target):
            _end(each, reset=reset)

    def _rewritten(self, data: bytes) -> bytes:
        if self.rewrite is None:
            return data
        *lines, self._rest = (self._rest + data).split(b"\n")
        return b"".join(self.rewrite(line + b"\n") for line in lines)

    def _pass_on(self, data: bytes) -> bool:
        room = len(data) if self.fault is None else max(self.fault.after - len(self.recorded), 0)
        self.recorded += data[:room]
        self.target.sendall(data[:room])
        return room >= len(data) or self._strike(data[room:])

    def _strike(self, rest: bytes) -> bool:
        assert self.fault
        if self.fault.kind == "stall":
            self.proxy.stopping.wait()
        if self.fault.kind != "drip":
            return False
        for at in range(len(rest)):
            self.recorded += rest[at : at + 1]
            self.target.sendall(rest[at : at + 1])
            self.proxy.stopping.wait(self.fault.pause)
        return True


def _end(each: socket.socket, *, reset: bool) -> None:
    with suppress(OSError):
        if reset:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            each.shutdown(socket.SHUT_RDWR)
    if reset:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
