"""What a client says that signs in with a token: XOAUTH2, or OAUTHBEARER (RFC 7628) where that alone is offered."""

from collections.abc import Collection
from dataclasses import dataclass, field

from letterdesk.mail.errors import NotSendable, NotSupported
from letterdesk.mail.imap_types import Login


@dataclass(frozen=True, slots=True)
class Saying:
    """`response` comes first; where the server then reports an error, `after_report` lets it end the exchange."""

    mechanism: str
    response: bytes = field(repr=False)
    after_report: bytes


def saying(login: Login, offered: Collection[str]) -> Saying:
    """The response for the mechanisms `offered`, in upper case. Raises NotSupported where a token is of no use."""
    if "\1" in login.user + login.oauth_token or "\0" in login.user:
        raise NotSendable("user name or token contains a control character")
    if "XOAUTH2" in offered:
        return Saying("XOAUTH2", f"user={login.user}\1auth=Bearer {login.oauth_token}\1\1".encode(), b"")
    if "OAUTHBEARER" in offered:
        name = login.user.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 4
        text = f"n,a={name},\1host={login.host}\1port={login.port}\1auth=Bearer {login.oauth_token}\1\1"
        return Saying("OAUTHBEARER", text.encode(), b"\1")  # RFC 7628 3.2.3
    raise NotSupported(capability="signing in by OAuth")
