"""IDLE (RFC 2177) without a thread: begin, look without waiting, end. A selector watches hundreds of such wires."""

import ssl

from letterdesk.mail.errors import Disconnected
from letterdesk.mail.imap_response import Untagged, untagged
from letterdesk.mail.imap_wire import Wire


class Idle:
    """IDLE on one wire. Between `begin` and `end` nothing else may be sent."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self._tag = ""
        self._before: list[str] = []  # what came between our IDLE and the server's `+`

    def begin(self) -> None:
        """Ask for IDLE and wait until the server is in it. Raises ServerSaysNo when it will not."""
        tag = self.wire.send(name="IDLE")
        self.wire.await_continuation(tag)
        self._before = [_line(each) for each in self.wire.take_early()]
        self._tag = tag

    def has_pending(self) -> bool:
        """Whether something waits that a selector on the socket does not see: in our buffer or in TLS's."""
        inside = self.wire.socket.pending() if isinstance(self.wire.socket, ssl.SSLSocket) else 0
        return bool(self._before) or self.wire.has_buffered or inside > 0

    def events(self) -> list[str]:
        """What has come, without waiting: "4 EXISTS", "2 FETCH (FLAGS …)", "VANISHED 7". Raises Disconnected."""
        lines, self._before = self._before, []
        for line in self.wire.arrived():
            if line.startswith(b"* "):
                event = self.wire.note(untagged([line[2:]]))
                if event.kind == "BYE":
                    raise self.wire.broken(Disconnected("BYE"))
                if event.kind != "OK":  # "* OK Still here"
                    lines.append(_line(event))
            elif self._tag and line.startswith(self._tag.encode("ascii") + b" "):
                raise self.wire.broken(Disconnected("the server ended IDLE"))
        return lines

    def end(self) -> list[str]:
        """DONE; returns what came meanwhile. Without `begin` it does nothing."""
        if not self._tag:
            return []
        tag, self._tag = self._tag, ""
        lines, self._before = self._before, []
        self.wire.transmit(b"DONE\r\n")
        return lines + [_line(each) for each in self.wire.until(tag) if each.kind != "OK"]


def _line(response: Untagged) -> str:
    text = b"".join(piece for piece in response.pieces if isinstance(piece, bytes)).decode("utf-8", "replace")
    head = f"{response.number} {response.kind}" if response.number else response.kind
    return f"{head} {text}".strip()
