"""How to sign in where a mailbox lies, and where its letters leave: by password, or by a token that is good now."""

from dataclasses import replace

from django.conf import settings

from letterdesk.mail.errors import NotRegistered
from letterdesk.mail.guard import Guard
from letterdesk.mail.imap_types import Login

from .models import Mailbox, SignsIn
from .tokens import access_token


def imap_login(mailbox: SignsIn, guard: Guard, *, refused: str = "") -> Login:
    """For receiving. Where the mailbox signs in by OAuth its provider may be asked for another token, so never inside a
    transaction. `refused`: a token that the server did not take. Raises as `access_token`."""
    user = mailbox.imap_user or mailbox.address
    place = Login(mailbox.imap_host, mailbox.imap_port, mailbox.imap_security, user)
    return _with_secret(mailbox, place, guard, refused=refused)


def smtp_login(mailbox: Mailbox, guard: Guard, *, refused: str = "") -> Login:
    """For sending; as `imap_login`."""
    user = mailbox.smtp_user or mailbox.imap_user or mailbox.address
    place = Login(mailbox.smtp_host, mailbox.smtp_port, mailbox.smtp_security, user)
    return _with_secret(mailbox, place, guard, refused=refused)


def _with_secret(mailbox: SignsIn, place: Login, guard: Guard, *, refused: str) -> Login:
    key = mailbox.signs_in_by
    if not key:
        return replace(place, password=(mailbox.secret or {}).get("password", ""))
    provider = settings.OAUTH_PROVIDERS.get(key)
    if provider is None:
        raise NotRegistered("its id is not set here", provider=key)
    if not provider.serves(place.host):  # no token goes to a server that it was not given for
        raise NotRegistered(f"{place.host} is none of its servers", provider=provider.name)
    return replace(place, oauth_token=access_token(mailbox, guard, refused=refused))
