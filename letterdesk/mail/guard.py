"""The one opener of outgoing connections to hosts that people or mails name (hard rule 10)."""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """`allowed`: networks that may be connected to although they are private, such as "127.0.0.0/8".

    `trusted`: path of a PEM file with certificate authorities trusted besides the system's, or empty.
    """

    allowed: tuple[str, ...] = ()
    trusted: str = ""

    def connect(self, host: str, port: int, *, timeout: float) -> socket.socket:
        """Open a TCP connection. Raises DnsNotFound, TcpTimeout, TcpRefused or BlockedAddress."""
        raise NotImplementedError
