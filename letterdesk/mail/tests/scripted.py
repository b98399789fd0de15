"""A server of few words: it says its lines, whatever it is asked, and remembers what it heard."""

import socket
import threading
from contextlib import suppress

from letterdesk.mail.guard import Guard
from letterdesk.mail.imap import Connection, Login, Trace

LOOPBACK = Guard(("127.0.0.0/8", "::1/128"))
OFFER = b"IMAP4rev1 SASL-IR LITERAL+ UIDPLUS MOVE IDLE"


class Scripted:
    """`answers` maps a command word to what is said; `%T` stands for the tag. Unknown commands get OK.

    An answer may be a list: one for each time the command comes, the last one for ever. None closes.
    Answers to APPEND and the like with `{n}` are asked for by `+ go on`, so any literal is heard whole.
    """

    def __init__(self, answers=None, *, greeting=b"* OK [CAPABILITY %C] ready\r\n", offer=OFFER, context=None):
        self.answers = {
            name: list(said) if isinstance(said, list) else [said] for name, said in (answers or {}).items()
        }
        self.greeting, self.offer, self.context = greeting, offer, context
        self.heard: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host, self.port = self._listener.getsockname()
        self._open: list[socket.socket] = []
        self._clients: list[Connection] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()
        for client in self._clients:
            client.close()

    def hang_up(self):
        """End every connection from this side."""
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def login(self, **changes):
        return Login(
            **{
                "host": self.host,
                "port": self.port,
                "security": "none",
                "user": "ines",
                "password": "secret",
                **changes,
            }
        )

    def connect(self, *, timeout=3, trace: Trace | None = None, guard=LOOPBACK, **changes):
        """A connection that is closed when this server ends."""
        connection = Connection.open(self.login(**changes), guard, timeout=timeout, trace=trace)
        self._clients.append(connection)
        return connection

    def commands(self):
        """The command lines heard, without tag and line end."""
        return [line.partition(b" ")[2].strip() for line in self.heard]

    def _accept(self):
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection):
        with suppress(OSError, ValueError), connection:
            self._say(connection, self.greeting, b"*")
            lines = connection.makefile("rb")
            while line := lines.readline():
                whole = line
                while line.rstrip().endswith(b"}"):
                    opening = line[line.rindex(b"{") + 1 :].rstrip(b"}\r\n")
                    if not opening.endswith(b"+"):
                        connection.sendall(b"+ go on\r\n")
                    whole += lines.read(int(opening.rstrip(b"+")))
                    line = lines.readline()
                    whole += line
                self.heard.append(whole)
                tag, _, rest = whole.partition(b" ")
                name = self._name(rest)
                said = self._next(name)
                if said is None:
                    return
                self._say(connection, said, tag.strip())
                if name == "STARTTLS" and self.context and b" OK" in said:
                    connection = self.context.wrap_socket(connection, server_side=True)
                    self._open.append(connection)
                    lines = connection.makefile("rb")

    @staticmethod
    def _name(rest):
        words = rest.upper().split()
        return b" ".join(words[: 2 if words[:1] == [b"UID"] else 1]).decode("latin-1")

    def _next(self, name):
        said = self.answers.get(name)
        if said is None:
            return {"CAPABILITY": b"* CAPABILITY %C\r\n%T OK\r\n", "IDLE": b"+ idling\r\n"}.get(name, b"%T OK done\r\n")
        return said.pop(0) if len(said) > 1 else said[0]

    def _say(self, connection, said, tag):
        connection.sendall(said.replace(b"%T", tag).replace(b"%C", self.offer))


SELECTED = b"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\n%T OK [READ-WRITE] done\r\n"
