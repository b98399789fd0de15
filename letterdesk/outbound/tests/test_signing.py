"""Letters are signed from the moment the key stands in DNS, and no longer than it stands there (E15)."""

from datetime import timedelta

import dns.resolver
import pytest

from letterdesk.events.models import Event
from letterdesk.lib import blobs
from letterdesk.mail import dkim
from letterdesk.mail.dkim import Published
from letterdesk.mail.tests.test_autoconfig import zone
from letterdesk.mail.tests.test_dkim import proves, record
from letterdesk.outbound import signing
from letterdesk.outbound.models import SigningKey
from letterdesk.outbound.send import send
from letterdesk.outbound.tests.sending import after
from tests.rig.sink import Sink

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.case("E15"),
    pytest.mark.usefixtures("allow_loopback"),
]


@pytest.fixture
def key(account, now):
    return signing.add(account, " @ACME.example ", by=None, now=now)


def stands(key):
    return zone(record(key.key, f"{key.selector}._domainkey.{key.domain}."))


def kinds():
    return list(Event.objects.filter(kind__startswith="signing.").order_by("pk").values_list("kind", flat=True))


def test_a_letter_arrives_signed_and_its_proof_holds(key, queued, now):
    with stands(key) as (resolver, _):
        assert signing.check(key, now=now, resolver=resolver) == Published.YES
    with Sink() as sink:
        after(queued(sink), now)
        [taken] = sink.taken
    assert proves(taken.raw.replace(b"\r\n..", b"\r\n."), key.key)


def test_nothing_is_signed_before_the_record_is_seen(key, draft, ines, now):
    with zone() as (resolver, _):
        assert signing.check(key, now=now, resolver=resolver) == Published.MISSING
    raw = blobs.get(draft.account_id, send(draft, by=ines, seen=1, now=now).blob)
    assert b"DKIM-Signature" not in raw and kinds() == ["signing.added"]


def test_signing_ends_when_the_record_is_gone_and_not_when_dns_is_silent(key, now, monkeypatch):
    monkeypatch.setattr(dkim, "SECONDS", 0.3)
    with stands(key) as (resolver, _):
        signing.check(key, now=now, resolver=resolver)
    with zone(silent=True) as (resolver, _):
        assert signing.check(key, now=now, resolver=resolver) == Published.UNREACHABLE
        key.refresh_from_db()
        assert key.published_at == now
    with zone() as (resolver, _):
        signing.check(key, now=now, resolver=resolver)
    key.refresh_from_db()
    assert key.published_at is None
    assert kinds() == ["signing.added", "signing.began", "signing.ended"]


def test_the_nearest_domain_signs_and_a_stranger_s_never(key, account, stranger, now):
    SigningKey.objects.update(published_at=now)
    letter = b"From: a@x\r\n\r\nHello\r\n"
    assert b"d=acme.example" in signing.signed(letter, account, sender="a@mail.acme.example")
    near = signing.add(account, "mail.acme.example", by=None, now=now)
    SigningKey.objects.filter(pk=near.pk).update(published_at=now)
    assert b"d=mail.acme.example" in signing.signed(letter, account, sender="a@mail.acme.example")
    for sender in ("a@notacme.example", "a@example", "a@acme.example.org", "nobody"):
        assert signing.signed(letter, account, sender=sender) == letter
    assert signing.signed(letter, stranger.account, sender="a@acme.example") == letter


def test_what_is_no_domain_or_there_already_is_refused(key, account, now):
    for typed in ("", "nonsense", "a b.example", "acme.example", "x" * 300 + ".example"):
        with pytest.raises(signing.NotADomain):
            signing.add(account, typed, by=None, now=now)
    assert SigningKey.objects.count() == 1


def test_the_daily_job_asks_those_that_were_not_asked_today(key, account, now, monkeypatch):
    other = signing.add(account, "other.example", by=None, now=now)
    SigningKey.objects.filter(pk=other.pk).update(checked_at=now, published_at=now)
    with stands(key) as (resolver, names):
        monkeypatch.setattr(dns.resolver, "default_resolver", resolver)
        monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(hours=1))
        signing.check_signing_keys.run()
    assert names == [f"{key.selector}._domainkey.acme.example"]
    assert SigningKey.objects.exclude(published_at=None).count() == 2


def test_a_removed_domain_signs_no_more(key, account, now):
    SigningKey.objects.update(published_at=now)
    signing.remove(key, by=None)
    assert signing.signed(b"From: a@x\r\n\r\n", account, sender="a@acme.example") == b"From: a@x\r\n\r\n"
    assert kinds()[-1] == "signing.removed"


def test_a_letter_that_waited_leaves_unsigned_when_its_key_has_gone(key, queued, now):
    """A signature that nobody can prove is worse than none."""
    SigningKey.objects.update(published_at=now)
    with Sink() as sink:
        delivery = queued(sink)
        signing.remove(key, by=None)
        after(delivery, now)
        [taken] = sink.taken
    assert b"DKIM-Signature" not in taken.raw and taken.raw.startswith(b"Message-ID: ")
