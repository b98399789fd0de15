"""Letters of a domain are signed once its key stands in DNS (RFC 6376), and no longer than it stands there."""

from datetime import datetime, timedelta

import dns.resolver
from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from letterdesk.accounts.models import Account, Employee
from letterdesk.events.record import record
from letterdesk.lib.jobs import job
from letterdesk.mail import dkim
from letterdesk.mail.autoconfig import domain_of
from letterdesk.mail.dkim import Published

from .models import SigningKey

MOST = 50  # domains of an account
EVERY = timedelta(hours=20)  # how long a check is good for; a job asks once a day


class NotADomain(ValueError):
    """This cannot be a domain of the account; the text says why, in words for people."""


def of(account: Account) -> QuerySet[SigningKey]:
    """The domains of an account, by name: for its administrators."""
    return SigningKey.objects.filter(account=account).order_by("domain")


def add(account: Account, domain: str, *, by: Employee | None, now: datetime) -> SigningKey:
    """Make a key for a domain. It signs nothing until `check` has seen it in DNS. Raises NotADomain."""
    clean = domain_of(f"x@{domain.strip().removeprefix('@')}")
    if not clean:
        raise NotADomain(_("“%(typed)s” is no domain. Write what stands behind the @.") % {"typed": domain.strip()})
    if SigningKey.objects.filter(account=account).count() >= MOST:
        raise NotADomain(_("There are %(most)d domains, which is the most.") % {"most": MOST})
    made = SigningKey(account=account, domain=clean, selector=f"ld{now:%Y%m}", key=dkim.new_key(), made_at=now)
    try:
        with transaction.atomic():
            made.save(force_insert=True)
            _tell("signing.added", made, by=by)
    except IntegrityError:
        raise NotADomain(_("%(domain)s is here already.") % {"domain": clean}) from None
    return made


def check(
    key: SigningKey, *, now: datetime, by: Employee | None = None, resolver: dns.resolver.Resolver | None = None
) -> Published:
    """Ask DNS for the record; signing begins, or ends, with the answer. Where DNS is silent nothing changes.

    Outside any transaction.
    """
    answer = dkim.published(key.selector, key.domain, key.key, resolver=resolver)
    with transaction.atomic():
        row = SigningKey.objects.select_for_update().filter(pk=key.pk).first()
        if row is None or answer == Published.UNREACHABLE:
            return answer
        was, row.checked_at = row.published_at, now
        row.published_at = (was or now) if answer == Published.YES else None
        row.save(update_fields=["checked_at", "published_at"])
        if (was is None) != (row.published_at is None):
            _tell("signing.began" if row.published_at else "signing.ended", row, by=by)
    key.checked_at, key.published_at = row.checked_at, row.published_at
    return answer


@transaction.atomic
def remove(key: SigningKey, *, by: Employee | None) -> None:
    """Forget the key. Letters that have left keep their signature, and its record in DNS is theirs."""
    SigningKey.objects.filter(pk=key.pk).delete()
    _tell("signing.removed", key, by=by)


def signed(raw: bytes, account: Account, *, sender: str) -> bytes:
    """The letter signed by the sender's domain or one above it, if the account has a published key; else as it is.

    `sender`: the address in From, as it stands on the wire.
    """
    domain = domain_of(sender)
    above = [domain.split(".", level)[level] for level in range(domain.count("."))]
    found = SigningKey.objects.filter(account=account, domain__in=above).exclude(published_at=None)
    key = max(found, key=lambda each: len(each.domain), default=None)
    return dkim.sign(raw, domain=key.domain, selector=key.selector, key=key.key) if key else raw


def provable(raw: bytes, account: Account) -> bytes:
    """The letter as it may leave now: without its signature if the key is not in DNS any more since it was queued."""
    signer = dkim.signed_by(raw)
    if signer is None:
        return raw
    domain, selector = signer
    keys = SigningKey.objects.filter(account=account, domain=domain, selector=selector).exclude(published_at=None)
    return raw if keys.exists() else dkim.without_signature(raw)


@job(name="outbound.check_signing_keys", priority=-10)
def check_signing_keys() -> None:
    """Daily: look whether the keys still stand in DNS; a signature that nobody can prove is worse than none."""
    now = timezone.now()
    due = SigningKey.objects.filter(Q(checked_at=None) | Q(checked_at__lt=now - EVERY))
    for key in due.order_by(F("checked_at").asc(nulls_first=True), "pk"):
        check(key, now=now)


def _tell(kind: str, key: SigningKey, *, by: Employee | None) -> None:
    record(kind, account=key.account, by=by, subject=f"domain:{key.domain}", selector=key.selector)
