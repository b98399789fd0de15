"""What the inbound door allows at most, and the counters that say when it is too much (D08, D13)."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

MEGABYTE = 1 << 20
MINUTE = 60.0  # seconds

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds. `senders`: networks from which letters come, empty: from anywhere.

    `per_address`: letters to one address in a minute. Who comes from `senders` is a mail server of ours, and may open
    as many connections as there are.
    """

    largest: int = 25 * MEGABYTE
    memory: int = 256 * MEGABYTE  # of all letters that are being received
    connections: int = 100
    connections_of_one: int = 10
    recipients: int = 50
    unknown: int = 5  # addresses that nobody has, in one connection
    per_address: int = 120
    line: int = 64 * 1024  # RFC 5321 4.5.3.1.6 asks for 1,000 at least
    received: int = 50  # Received fields: more is a loop (RFC 5321 6.3)
    silence: float = 300.0  # RFC 5321 4.5.3.2.7
    letter: float = 600.0  # for a whole letter
    senders: Sequence[Network] = ()

    def admits(self, peer: str) -> bool:
        """Whether a letter may come from this IP address."""
        return not self.senders or self.is_ours(peer)

    def is_ours(self, peer: str) -> bool:
        """Whether it is the address of a mail server that was named."""
        try:
            address = ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self.senders)


@dataclass(slots=True)
class Pace:
    """How often each key came in this minute; it forgets all of them when the minute ends."""

    most: int
    clock: Callable[[], float] = time.monotonic
    _times: Counter[str] = field(default_factory=Counter)
    _minute: int = -1

    def allows(self, key: str) -> bool:
        """Count one more; whether that is within the limit."""
        minute = int(self.clock() // MINUTE)
        if minute != self._minute:
            self._minute = minute
            self._times.clear()
        self._times[key] += 1
        return self._times[key] <= self.most


@dataclass(slots=True)
class Open:
    """The connections that are open, by whom, and the bytes that they hold."""

    limits: Limits
    peers: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def refusal(self, peer: str) -> str:
        """Why this peer may not connect now, as a reply; empty: it may."""
        if not self.limits.admits(peer):
            return "554 5.7.1 This server takes letters from its own mail servers alone."
        if self.peers.total() >= self.limits.connections:
            return "421 4.3.2 Too many connections. Try again later."
        if self.peers[place_of(peer)] >= self.limits.connections_of_one and not self.limits.is_ours(peer):
            return "421 4.7.0 Too many connections from your address. Try again later."
        return ""

    def enter(self, peer: str) -> None:
        """One more connection."""
        self.peers[place_of(peer)] += 1

    def leave(self, peer: str) -> None:
        """One less."""
        place = place_of(peer)
        self.peers[place] -= 1
        if not self.peers[place]:
            del self.peers[place]


def place_of(peer: str) -> str:
    """Where an IP address counts: of IPv6 it is the /64, which is what one customer has (RFC 6177)."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, IPv4Address) or address.ipv4_mapped:
        return str(getattr(address, "ipv4_mapped", None) or address)
    return str(IPv6Network((int(address), 64), strict=False))
