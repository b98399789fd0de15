"""A hostile IMAP server: correct until a script says otherwise. Folders and letters lie in memory.

    class JunkModseq(Liar):
        def alter(self, session, command, chunk):          # every response of the server passes here
            return chunk.replace(b"HIGHESTMODSEQ ", b"HIGHESTMODSEQ x")

    with JunkModseq() as server:
        server.inbox.add(letter(1))
        ... server.host, server.port, server.commands["UID FETCH"], server.sent ...

A script is a subclass: `capabilities`, `greeting`, `setup()`, `before()` (answer a command oneself, or close, reset,
stall, drip) and `alter()` (change, drop or double what is sent). Scripts of the catalogue lie in tests/rig/scripts.
"""

import socket
import ssl
import struct
import threading
from collections import Counter
from contextlib import suppress

from .boxes import Box, Boxes
from .certificates import Pair
from .commands import Commands
from .dovecot import User, count_commands
from .grammar import ClientWent, Command, read_command


class Liar:
    """The server. A context manager; `password` is what LOGIN accepts."""

    capabilities = "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS ENABLE IDLE CONDSTORE QRESYNC MOVE SPECIAL-USE ESEARCH UNSELECT"
    greeting = b"* OK [CAPABILITY %s] ready\r\n"
    password = "secret"
    starttls = False
    implicit_tls = False

    def __init__(self, *, pair: Pair | None = None) -> None:
        self.boxes = Boxes()
        self.context = None
        if pair:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pair.certificate, pair.key)
        self.user = User("liar@rig.example", self.password)
        self.lock = threading.RLock()
        self.sessions: list[Session] = []
        self.received: list[bytes] = []  # whole commands, in order, of all sessions
        self.sent = bytearray()
        self.visits: Counter[str] = Counter()  # names of commands so far
        self.stopping = threading.Event()
        self.setup()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.host, self.port = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    # For scripts ----------------------------------------------------------------------------------------------------

    def setup(self) -> None:
        """Fill `self.boxes`."""

    def before(self, session: "Session", command: Command) -> bool | None:
        """Return True when the script has dealt with the command itself."""

    def alter(self, session: "Session", command: Command | None, chunk: bytes) -> bytes | None:
        """What is sent instead of this response (a line, with its literals); None: nothing."""
        return chunk

    @property
    def inbox(self) -> Box:
        return self.boxes["INBOX"]

    @property
    def commands(self) -> Counter[str]:
        """How often each command came, as `Dovecot.commands`."""
        return count_commands(each.partition(b"\r\n")[0] for each in list(self.received))

    # Running --------------------------------------------------------------------------------------------------------

    def __enter__(self) -> "Liar":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close everything."""
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for session in list(self.sessions):
            session.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            session = Session(self, connection)
            self.sessions.append(session)
            thread = threading.Thread(target=session.run, daemon=True)
            self._threads.append(thread)
            thread.start()


class Session(Commands):
    """One connection of a client."""

    def __init__(self, server: Liar, connection: socket.socket) -> None:
        self.server = server
        self.number = len(server.sessions) + 1
        self.socket: socket.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self.command: Command | None = None
        self.box: Box | None = None
        self.readonly = False
        self.known: dict[int, int] = {}  # UID → MODSEQ as this client was told, in order
        self.enabled: set[bytes] = set()
        self.is_open = True

    def run(self) -> None:
        """Serve until the client goes or a script closes."""
        with suppress(ClientWent, OSError, ssl.SSLError):
            if self.server.implicit_tls:
                self.begin_tls()
            self.respond(self.server.greeting.replace(b"%s", self.server.capabilities.encode()))
            while self.is_open:
                self._serve(read_command(self._read_line, self._read, lambda: self.raw(b"+ go on\r\n")))
        self.close()

    def _serve(self, command: Command) -> None:
        with self.server.lock:
            self.server.received.append(command.raw)
            self.server.visits[command.name] += 1
        self.command = command
        if not self.server.before(self, command):
            self.answer(command)
        self.command = None

    # What scripts do to a client ------------------------------------------------------------------------------------

    def respond(self, chunk: bytes) -> None:
        """Send a response, after the script has altered it."""
        altered = self.server.alter(self, self.command, chunk)
        if altered:
            self.raw(altered)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.server.sent += data
        self.socket.sendall(data)

    def drip(self, data: bytes, *, pause: float = 0.005, size: int = 1) -> None:
        """Send bytes a few at a time."""
        for at in range(0, len(data), size):
            self.raw(data[at : at + size])
            self.stall(pause)

    def stall(self, seconds: float) -> None:
        """Say nothing for a while (shorter when the test ends). Other sessions go on meanwhile."""
        holds = self.server.lock._is_owned()
        if holds:
            self.server.lock.release()
        self.server.stopping.wait(seconds)
        if holds:
            self.server.lock.acquire()

    def reset(self) -> None:
        """Break the connection by RST."""
        with suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.is_open = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def begin_tls(self) -> None:
        """Secure the connection from here on."""
        assert self.server.context, "Liar(pair=…) is missing"
        self.socket = self.server.context.wrap_socket(self.socket, server_side=True)

    # Reading --------------------------------------------------------------------------------------------------------

    def _read_line(self) -> bytes:
        while b"\n" not in self._buffer:
            if not self._fill():
                return b""
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line + b"\n"

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._fill():
                raise ClientWent
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _fill(self) -> bool:
        data = self.socket.recv(65536)
        self._buffer += data
        return bool(data)

    def wait_for_input(self, seconds: float) -> bool:
        """Whether the client sent something within that time."""
        if self._buffer:
            return True
        self.socket.settimeout(seconds)
        try:
            return self._fill() or bool(self.close())
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        finally:
            with suppress(OSError):
                self.socket.settimeout(None)
