"""The inbound SMTP server as a process: from its settings, until it is told to stop."""

import threading

from letterdesk.mail.inbound import Inbound
from letterdesk.mail.smtpd import Server

from .keep import Keeper


class NotSetUp(Exception):
    """The operator has named no domain for secret addresses."""


def server_of(inbound: Inbound) -> Server:
    """The server that these settings describe, not started yet. Raises NotSetUp, OSError for a certificate."""
    if not inbound.is_on:
        raise NotSetUp("Set LETTERDESK_INBOUND_DOMAIN to the domain of the secret addresses first.")
    return Server(
        Keeper(), host=inbound.host, port=inbound.port, name=inbound.domain, limits=inbound.limits, tls=inbound.tls()
    )


def serve(inbound: Inbound, stop: threading.Event) -> None:
    """Take letters until `stop`; what is being stored then is still answered. Raises NotSetUp, OSError."""
    server = server_of(inbound)
    server.start()
    stop.wait()
    server.stop()
