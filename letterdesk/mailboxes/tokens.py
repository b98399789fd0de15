"""Access tokens of mailboxes that sign in by OAuth, of Webmail or polled for CRM: encrypted, renewed by one process.

A provider may put another refresh token into the old one's place with every renewal (RFC 6749 6, RFC 9700 4.14.2). So
one process asks at a time, under a lease with a fence, and what it gets is stored before it is used. Dying before that
leaves the old refresh token: the provider takes it once more, or says that the person has to sign in again. No
transaction is open while a provider is asked.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from letterdesk.lib.crashpoint import reach
from letterdesk.mail import oauth
from letterdesk.mail.errors import MailError, NotRegistered, ProviderUnavailable, SignInAgain
from letterdesk.mail.guard import Guard

from .models import SignsIn

EARLY = timedelta(minutes=2)  # a token is renewed so long before its end: clocks differ, and a sign-in takes its time
LEASE = timedelta(seconds=60)  # longer than the provider is waited for
WAIT, STEP = 10.0, 0.1  # seconds for another process to bring a token, and between two looks
Secret = Mapping[str, Any]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a mailbox keeps of a sign-in: `expires` in seconds of the epoch. Without `refresh` it is over."""

    provider: str
    refresh: str = field(repr=False)
    access: str = field(default="", repr=False)
    expires: float = 0.0
    who: str = ""

    @classmethod
    def given(cls, provider: str, tokens: oauth.Tokens, *, now: datetime, who: str = "") -> "Consent":
        """As a person has just given it."""
        return cls(provider, tokens.refresh, tokens.access, now.timestamp() + tokens.lasts, who)

    @classmethod
    def of(cls, secret: Secret | None) -> "Consent | None":
        """What lies in a mailbox's secret; None: it signs in by password, or not at all."""
        kept = (secret or {}).get("oauth")
        return cls(**kept) if kept else None

    def as_secret(self) -> dict[str, Any]:
        """As a mailbox's secret."""
        return {"oauth": asdict(self)}

    def lasts(self, now: datetime, *, refused: str = "") -> bool:
        """Whether the access token can be used. `refused`: one that a server did not take."""
        return bool(self.access) and self.access != refused and self.expires > (now + EARLY).timestamp()

    def renewed(self, tokens: oauth.Tokens, now: datetime) -> "Consent":
        """With what the provider gave for it; the refresh token stays where it gave none."""
        refresh = tokens.refresh or self.refresh
        return Consent(self.provider, refresh, tokens.access, now.timestamp() + tokens.lasts, self.who)

    def ended(self) -> "Consent":
        """Nothing of it can be used any more."""
        return Consent(self.provider, refresh="", who=self.who)


def provider_of(secret: Secret | None) -> str:
    """The key of the OAuth provider of this secret, "" for a password."""
    consent = Consent.of(secret)
    return consent.provider if consent else ""


def columns_of(secret: Secret | None) -> dict[str, Any]:
    """What a mailbox's row keeps of a new secret, or of none any more, for an update: whoever is renewing a token of
    before is overtaken."""
    forgotten = {"renewing_until": None, "renewing_fence": F("renewing_fence") + 1}
    return {"secret": secret, "signs_in_by": provider_of(secret), **forgotten}


def redirect_address(key: str) -> str:
    """Where this provider sends people back to: one address each, so that no answer is mixed up (RFC 9700 4.4)."""
    return f"{settings.BASE_URL}/oauth/{key}"


def access_token(
    mailbox: SignsIn,
    guard: Guard,
    *,
    refused: str = "",
    clock: Clock = timezone.now,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """A token that lets us in, renewed where it is about to end, or where it is the one that a server `refused`.

    Must not be called inside a transaction. Raises SignInAgain, and what passes by itself: NotRegistered,
    ProviderUnavailable.
    """
    until = time.monotonic() + WAIT
    while True:
        consent, name = _read(mailbox), _name(mailbox.signs_in_by)
        if consent is None:  # a person has just chosen a password, or has disconnected it
            raise ProviderUnavailable("the mailbox signs in another way now", provider=name)
        if not consent.refresh:
            raise SignInAgain(provider=name)
        if consent.lasts(clock(), refused=refused):
            return consent.access
        if fence := _claim(mailbox):
            reach("token.claimed")
            if token := _renew(mailbox, fence, guard, refused=refused, clock=clock):
                return token
        elif time.monotonic() > until:
            raise ProviderUnavailable("another process is asking", provider=name)
        else:
            pause(STEP)


def _rows(mailbox: SignsIn) -> QuerySet[Any]:
    """The mailbox's row in the table of its kind."""
    found: QuerySet[Any] = type(mailbox)._default_manager.filter(pk=mailbox.pk)
    return found


def _read(mailbox: SignsIn) -> Consent | None:
    """As it is now: another process may have renewed it."""
    found = _rows(mailbox).values_list("secret", flat=True).first()
    return Consent.of(found)


def _name(key: str) -> str:
    provider = settings.OAUTH_PROVIDERS.get(key)
    return provider.name if provider else key or "The provider"


def _claim(mailbox: SignsIn) -> int:
    """The fence of whoever may ask the provider now; 0: another does."""
    free = _rows(mailbox).filter(Q(renewing_until=None) | Q(renewing_until__lte=Now()))
    if free.update(renewing_until=Now() + LEASE, renewing_fence=F("renewing_fence") + 1) != 1:
        return 0
    return int(_rows(mailbox).values_list("renewing_fence", flat=True).get())


def _renew(mailbox: SignsIn, fence: int, guard: Guard, *, refused: str, clock: Clock) -> str:
    """Ask the provider, store the answer, and only then hand the token out; "": we were overtaken, look again."""
    consent = _read(mailbox)
    if consent is None or consent.lasts(clock(), refused=refused):  # renewed, or forgotten, between look and claim
        _release(mailbox, fence)
        return ""
    try:
        tokens = oauth.renew(_registered(consent.provider), consent.refresh, guard=guard)
    except SignInAgain:
        if _store(mailbox, fence, consent.ended()):
            raise
        return ""  # the person has signed in again meanwhile
    except MailError:
        _release(mailbox, fence)
        raise
    reach("token.answered")
    if not _store(mailbox, fence, renewed := consent.renewed(tokens, clock())):
        return ""
    reach("token.stored")
    return renewed.access


def _registered(key: str) -> oauth.Provider:
    provider: oauth.Provider | None = settings.OAUTH_PROVIDERS.get(key)
    if provider is None:
        raise NotRegistered("its id is not set", provider=key)
    return provider


def _store(mailbox: SignsIn, fence: int, consent: Consent) -> bool:
    """Keep it and give the lease back, unless somebody else has taken over."""
    ours = _rows(mailbox).filter(renewing_fence=fence)
    return ours.update(secret=consent.as_secret(), renewing_until=None) == 1


def _release(mailbox: SignsIn, fence: int) -> None:
    _rows(mailbox).filter(renewing_fence=fence).update(renewing_until=None)
