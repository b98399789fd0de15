"""A mailbox that signs in by OAuth has a token whenever it needs one; one process renews it, and no crash loses it."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from letterdesk.lib.crashpoint import Crashed, disarm, interrupt
from letterdesk.mail.errors import NotRegistered, ProviderUnavailable, SignInAgain
from letterdesk.mail.guard import Guard
from letterdesk.mailboxes.connect import disconnect, mend
from letterdesk.mailboxes.login import imap_login, smtp_login
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.tokens import LEASE, Consent, access_token
from tests.rig.consent import SECRET, Consents

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("allow_loopback")]
LOOPBACK = Guard(("127.0.0.0/8",))
HERE = {"imap": "127.0.0.1:1 none", "smtp": "127.0.0.1:2 none"}


@pytest.fixture
def server(settings):
    with Consents() as running:
        settings.OAUTH_PROVIDERS = {"rigmail": running.provider(**HERE)}
        yield running


@pytest.fixture
def signed(mailbox, server):
    """A mailbox whose owner has consented, with a token whose time is over."""
    family = server.consent(mailbox.address)
    consent = Consent("rigmail", family.refresh, access="old-token", expires=1.0)
    Mailbox.objects.filter(pk=mailbox.pk).update(
        secret=consent.as_secret(), signs_in_by="rigmail", imap_host="127.0.0.1", smtp_host="127.0.0.1"
    )
    mailbox.refresh_from_db()
    return mailbox


def kept(mailbox) -> Consent:
    consent = Consent.of(Mailbox.objects.get(pk=mailbox.pk).secret)
    assert consent
    return consent


def test_a_token_is_renewed_when_its_time_is_over_and_used_until_then(signed, server):
    first = access_token(signed, LOOPBACK)
    assert server.address_of(first) == signed.address and len(server.asked) == 1
    assert access_token(signed, LOOPBACK) == first and len(server.asked) == 1
    almost = timezone.now() + timedelta(seconds=3600 - 60)  # a minute before its end it is renewed already
    second = access_token(signed, LOOPBACK, clock=lambda: almost)
    assert second != first and len(server.asked) == 2
    assert kept(signed).access == second


def test_another_refresh_token_takes_the_old_ones_place_before_its_token_is_used(signed, server):
    before = kept(signed).refresh
    access_token(signed, LOOPBACK)
    after = kept(signed).refresh
    assert after != before
    server.forget_access()
    access_token(signed, LOOPBACK, refused=kept(signed).access)  # with the old one, all would be revoked
    assert kept(signed).refresh not in {before, after}


def test_a_refresh_token_that_is_not_replaced_stays(signed, server):
    server.rotates = False
    before = kept(signed).refresh
    access_token(signed, LOOPBACK)
    assert kept(signed).refresh == before and kept(signed).access != "old-token"


def test_a_token_that_a_server_refused_is_renewed_once_by_whoever_comes_first(signed, server):
    first = access_token(signed, LOOPBACK)
    second = access_token(signed, LOOPBACK, refused=first)
    assert second != first
    assert access_token(signed, LOOPBACK, refused=first) == second and len(server.asked) == 2


@pytest.mark.parametrize("rotates", [True, False])
@pytest.mark.parametrize("point", ["token.claimed", "token.answered", "token.stored"])
def test_dying_anywhere_keeps_the_mailbox_or_asks_to_sign_in_again(signed, server, point, rotates):
    server.rotates = rotates
    interrupt(point)
    try:
        with pytest.raises(Crashed):
            access_token(signed, LOOPBACK)
    finally:
        disarm()
    Mailbox.objects.filter(renewing_until__isnull=False).update(renewing_until=timezone.now() - LEASE)
    is_lost = rotates and point == "token.answered"  # the provider has replaced what we did not store
    if is_lost:
        with pytest.raises(SignInAgain):
            access_token(signed, LOOPBACK)
        assert kept(signed).refresh == ""
    else:
        assert server.address_of(access_token(signed, LOOPBACK)) == signed.address


def test_of_many_at_once_one_asks_and_all_get_its_token(signed, server):
    got, start = [], threading.Barrier(6)

    def worker() -> None:
        start.wait()
        try:
            got.append(access_token(signed, LOOPBACK))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(got) == 6 and len(set(got)) == 1
    assert len(server.asked) == 1


def test_who_waits_for_another_process_gives_up_in_time_and_says_nothing_wrong(signed, server, monkeypatch):
    monkeypatch.setattr("letterdesk.mailboxes.tokens.WAIT", 0.0)
    Mailbox.objects.update(renewing_until=timezone.now() + LEASE)
    with pytest.raises(ProviderUnavailable, match="another process"):
        access_token(signed, LOOPBACK, pause=lambda _seconds: None)
    assert server.asked == []


def test_a_withdrawn_consent_is_told_and_never_asked_about_again(signed, server):
    server.revoke(signed.address)
    for _again in range(3):
        with pytest.raises(SignInAgain, match="Rigmail no longer lets us in"):
            access_token(signed, LOOPBACK)
    assert len(server.asked) == 1
    assert kept(signed).refresh == "" and kept(signed).access == ""


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("503", ProviderUnavailable),
        ("429", ProviderUnavailable),
        ("cut", ProviderUnavailable),
        ("html", ProviderUnavailable),
        ("no-token", ProviderUnavailable),
        ("temporarily_unavailable", ProviderUnavailable),
        ("invalid_client", NotRegistered),
        ("unauthorized_client", NotRegistered),
    ],
)
def test_a_provider_in_trouble_is_no_reason_to_sign_in_again(signed, server, mode, kind):
    before = kept(signed)
    server.modes = [f"{mode}#1"]
    with pytest.raises(kind) as caught:
        access_token(signed, LOOPBACK)
    assert caught.value.is_temporary and not caught.value.needs_person
    assert kept(signed) == before
    assert server.address_of(access_token(signed, LOOPBACK)) == signed.address  # at once: the lease was given back


def test_who_signs_in_again_while_a_process_asks_is_not_overwritten(signed, server):
    """The answer to the old consent comes late: the new one stays."""
    new = Consent("rigmail", server.consent(signed.address).refresh, access="new-token", expires=9e12)

    def sign_in_again() -> None:
        server.before_answer = lambda: None
        mailbox = Mailbox.objects.get(pk=signed.pk)
        mend(mailbox, secret=new.as_secret(), by=mailbox.owner, now=timezone.now())
        connections.close_all()

    server.before_answer = sign_in_again
    assert access_token(signed, LOOPBACK) == "new-token"
    assert kept(signed) == new


def test_a_withdrawal_that_comes_late_does_not_end_the_new_consent(signed, server):
    new = Consent("rigmail", "refresh-x", access="new-token", expires=9e12)

    def sign_in_again() -> None:
        mailbox = Mailbox.objects.get(pk=signed.pk)
        mend(mailbox, secret=new.as_secret(), by=mailbox.owner, now=timezone.now())
        connections.close_all()

    server.revoke(signed.address)
    server.before_answer = sign_in_again
    assert access_token(signed, LOOPBACK) == "new-token"


def test_disconnecting_while_a_process_asks_leaves_no_token_behind(signed, server):
    def leave() -> None:
        mailbox = Mailbox.objects.get(pk=signed.pk)
        disconnect(mailbox, by=mailbox.owner)
        connections.close_all()

    server.before_answer = leave
    with pytest.raises(ProviderUnavailable):
        access_token(signed, LOOPBACK)
    assert Mailbox.objects.get(pk=signed.pk).secret is None


def test_no_token_goes_to_a_server_that_it_was_not_given_for(signed, server):
    signed.imap_host = signed.smtp_host = "imap.thief.example"
    for login in (imap_login, smtp_login):
        with pytest.raises(NotRegistered, match=r"imap\.thief\.example is none of its servers"):
            login(signed, LOOPBACK)
    assert server.asked == []


def test_a_provider_that_is_not_set_up_any_more_is_named(signed, settings):
    settings.OAUTH_PROVIDERS = {}
    with pytest.raises(NotRegistered):
        imap_login(signed, LOOPBACK)


@pytest.mark.case("C22")
def test_nothing_that_was_said_in_confidence_is_repeated(signed, server):
    old = kept(signed).refresh
    server.revoke(signed.address)
    with pytest.raises(SignInAgain) as caught:
        access_token(signed, LOOPBACK)
    assert "invalid_grant" in caught.value.detail
    shown = f"{caught.value!r} {caught.value.detail} {kept(signed)!r} {Consent('a', old, 'b')!r}"
    assert old not in shown and SECRET not in shown
