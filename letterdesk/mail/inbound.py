"""How letters come in by SMTP at this installation: what the operator said, as one thing."""

import ssl
from dataclasses import dataclass, field

from .smtpd_limits import Limits


@dataclass(frozen=True, slots=True)
class Inbound:
    """`domain` of the secret addresses; empty: there are none. `believed`: the name under which a mail server of ours
    writes down what it found out about senders (RFC 8601).
    """

    domain: str = ""
    host: str = ""
    port: int = 0
    believed: str = ""
    certificate: str = ""
    key: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def is_on(self) -> bool:
        """Whether there are secret addresses."""
        return bool(self.domain)

    def local_part(self, address: str) -> str:
        """What stands before the @, folded; empty: the address is of another domain."""
        local, _at, domain = address.strip().rpartition("@")
        return local.lower() if self.domain and domain.lower().rstrip(".") == self.domain else ""

    def tls(self) -> ssl.SSLContext | None:
        """For STARTTLS; None: no certificate was given. Raises OSError where it cannot be read."""
        if not self.certificate:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key or None)
        return context
