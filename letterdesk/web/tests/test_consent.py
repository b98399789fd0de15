"""Sign in by OAuth without a script and without a browser: to a real authorization server and back."""

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.utils import timezone

from letterdesk.events.models import Event
from letterdesk.lib.crypto import cipher
from letterdesk.mailboxes.models import Grant, Mailbox, MailboxState
from letterdesk.mailboxes.tokens import Consent
from letterdesk.web.mailboxes.consenting import KEPT_FOR
from tests.rig.consent import SECRET
from tests.rig.sink import Sink

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.dovecot,
    pytest.mark.usefixtures("trust_rig", "allow_loopback"),
]


@pytest.fixture
def user(token_dovecot):
    return token_dovecot.add_user()


@pytest.fixture
def sink(consents):
    with Sink(address_of=consents.address_of) as running:
        yield running


@pytest.fixture
def register(token_dovecot, consents, sink, settings):
    """Register at the rig's provider, with these changes."""

    def do(**more):
        place = {"imap": f"localhost:{token_dovecot.tls_port} tls", "smtp": f"127.0.0.1:{sink.port} none"}
        settings.OAUTH_PROVIDERS = {"rigmail": consents.provider(**place, domains=["rig.example"], **more)}

    do()
    return do


@pytest.fixture
def at_provider(browser, user, register):
    """A browser that has pressed Continue for the user's address; gives the address at the provider."""

    def go(client=browser):
        client.post("/mailboxes/connect", {"address": user.name})
        assert "Continue with Rigmail" in client.get("/mailboxes/connect/sign-in").content.decode()
        return led_to(client.post("/mailboxes/connect/consent"))

    return go


def led_to(answer):
    assert answer.status_code == 200
    return unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.content.decode())[1])


def said(client, answer):
    """What the page says to which one is led."""
    page = client.get(answer["Location"], follow=True)
    return unescape(page.content.decode())


@pytest.fixture
def connected(browser, at_provider, consents):
    """A mailbox that was connected by consent."""
    browser.get("/oauth/rigmail", consents.allow(at_provider()))
    browser.post("/mailboxes/connect/choices", {"on": ["0"], "name": "Mine"})
    return Mailbox.objects.get(name="Mine")


def test_an_address_and_a_consent_make_a_mailbox(browser, ines, at_provider, consents, user, caplog):
    url = at_provider()
    assert "code_challenge_method=S256" in url and SECRET not in url
    answer = browser.get("/oauth/rigmail", consents.allow(url))
    assert answer["Location"] == "/mailboxes/connect/choices"
    kept = cache.get(f"connecting:{ines.public_id}")
    told = cipher().decrypt(kept.encode()).decode()
    access = re.search(r'"access": "([^"]+)"', told)[1]
    assert access not in kept and consents.address_of(access) == user.name
    page = browser.get("/mailboxes/connect/choices").content.decode()
    assert user.name in page and access not in page and "Sign in for sending" in page
    browser.post("/mailboxes/connect/choices", {"on": ["0"], "name": "Mine"})
    mailbox = Mailbox.objects.get(address=user.name)
    assert mailbox.signs_in_by == "rigmail" and Consent.of(mailbox.secret).access == access
    assert (mailbox.imap_host, mailbox.smtp_host, mailbox.smtp_user) == ("localhost", "127.0.0.1", user.name)
    events = "".join(f"{event.facts} {event.subject}" for event in Event.objects.all())
    assert access not in events + caplog.text and Consent.of(mailbox.secret).refresh not in events + caplog.text


@pytest.mark.case("C16")
def test_an_answer_is_taken_once_by_who_asked_in_the_browser_that_asked(
    browser, sign_in, ines, jonas, at_provider, consents
):
    answer = consents.allow(at_provider())
    asked = len(consents.asked)
    for client in (sign_in(jonas), sign_in(ines)):  # a colleague, and another browser of Ines
        refused = client.get("/oauth/rigmail", answer)
        assert refused["Location"] == "/mailboxes" and "was not begun here" in said(client, refused)
    for wrong in ({**answer, "state": "x"}, {"code": answer["code"]}, {**answer, "iss": "https://evil.example"}):
        assert browser.get("/oauth/rigmail", wrong)["Location"] == "/mailboxes"
    assert len(consents.asked) == asked
    assert browser.get("/oauth/rigmail", answer)["Location"] == "/mailboxes/connect/choices"
    again = browser.get("/oauth/rigmail", answer)
    assert again["Location"] == "/mailboxes" and len(consents.asked) == asked + 1


def test_who_signs_in_as_somebody_else_in_the_same_browser_begins_again(browser, jonas, at_provider, consents):
    answer = consents.allow(at_provider())
    session = browser.session
    kept = session["consent"]
    browser.force_login(jonas)
    session = browser.session
    session["consent"] = kept
    session.save()
    assert browser.get("/oauth/rigmail", answer)["Location"] == "/mailboxes"


def test_an_answer_to_another_provider_is_refused(browser, at_provider, consents, settings, register):
    answer = consents.allow(at_provider())
    rigmail = settings.OAUTH_PROVIDERS["rigmail"]
    settings.OAUTH_PROVIDERS = {"other": replace(rigmail, key="other"), "rigmail": rigmail}
    for key in ("nobody", "other"):
        assert browser.get(f"/oauth/{key}", answer)["Location"] == "/mailboxes"


def test_an_answer_that_comes_too_late_is_refused(browser, at_provider, consents):
    answer = consents.allow(at_provider())
    session = browser.session
    session["consent"] = {**session["consent"], "at": (timezone.now() - timedelta(seconds=KEPT_FOR + 1)).timestamp()}
    session.save()
    assert "too long ago" in said(browser, browser.get("/oauth/rigmail", answer))


def test_a_no_is_told_with_a_way_on(browser, at_provider, consents):
    state = consents.allow(at_provider())["state"]
    answer = browser.get("/oauth/rigmail", {"state": state, "error": "access_denied"})
    assert answer["Location"] == "/mailboxes/connect/sign-in"
    assert "Sign in again and allow access to mail." in said(browser, answer)


def test_who_signed_in_as_another_is_told_so(browser, at_provider, consents, user):
    answer = browser.get("/oauth/rigmail", consents.allow(at_provider(), account="bo@rig.example"))
    page = said(browser, answer)
    assert f"You signed in as bo@rig.example, but this mailbox is {user.name}." in page
    assert browser.get("/mailboxes/connect/choices").status_code == 302
    assert "You signed in as" not in browser.get("/mailboxes/connect/sign-in").content.decode()  # told once


def test_a_shared_mailbox_takes_who_may_open_it_and_names_who_may_not(browser, register, at_provider, consents, user):
    register(opens_shared=True)
    page = said(browser, browser.get("/oauth/rigmail", consents.allow(at_provider(), account="bo@rig.example")))
    assert "did not accept the sign-in" in page and "bo@rig.example needs full access to it" in page
    consents.opens = {"bo@rig.example": user.name}
    answer = browser.get("/oauth/rigmail", consents.allow(at_provider(), account="bo@rig.example"))
    assert answer["Location"] == "/mailboxes/connect/choices"
    browser.post("/mailboxes/connect/choices", {"on": ["0"]})
    mailbox = Mailbox.objects.get(address=user.name)
    assert Consent.of(mailbox.secret).who == "bo@rig.example" and mailbox.imap_user == user.name


def test_a_provider_in_trouble_is_named(browser, at_provider, consents):
    consents.modes = ["503#1", "invalid_client#1"]
    for words in ("Rigmail cannot be asked for access at the moment", "Rigmail does not accept this Letterdesk"):
        answer = browser.get("/oauth/rigmail", consents.allow(at_provider()))
        assert words in said(browser, answer)
    assert browser.get("/mailboxes/connect/choices").status_code == 302


@pytest.mark.case("D03")
def test_answers_are_counted_as_tests_are(browser, at_provider, consents):
    for _attempt in range(10):
        assert browser.get("/oauth/rigmail", consents.allow(at_provider()))["Location"].endswith("choices")
    assert "Too many attempts" in said(browser, browser.get("/oauth/rigmail", consents.allow(at_provider())))


def test_signing_in_again_mends_the_mailbox_and_keeps_everything(browser, connected, consents, user):
    consents.revoke(user.name)
    since = timezone.now()
    Mailbox.objects.filter(pk=connected.pk).update(
        state=MailboxState.FAILING, error_code="oauth_again", error_text="Sign in again.", error_since=since
    )
    page = browser.get(f"/mailboxes/{connected.public_id}").content.decode()
    assert "Sign in again at Rigmail" in page and "Everything that is here stays." in page
    url = led_to(browser.post(f"/mailboxes/{connected.public_id}/consent"))
    answer = browser.get("/oauth/rigmail", consents.allow(url))
    assert "let us in" in said(browser, answer)
    now = Mailbox.objects.get(pk=connected.pk)
    assert (now.state, now.error_code) == (MailboxState.CONNECTED, "")
    assert consents.address_of(Consent.of(now.secret).access) == user.name
    assert (now.name, now.times_resumed) == ("Mine", connected.times_resumed + 1)


def test_a_sign_in_that_fails_shows_its_steps_and_changes_nothing(browser, register, connected, consents):
    register(opens_shared=True)
    before = Mailbox.objects.get(pk=connected.pk).secret
    url = led_to(browser.post(f"/mailboxes/{connected.public_id}/consent"))
    answer = browser.get("/oauth/rigmail", consents.allow(url, account="bo@rig.example"))
    page = said(browser, answer)
    assert "The test did not pass" in page and "did not accept the sign-in" in page
    assert "Bearer" not in page and before["oauth"]["access"] not in page
    assert Mailbox.objects.get(pk=connected.pk).secret == before
    assert "The test did not pass" not in browser.get(answer["Location"]).content.decode()


def test_a_password_gives_way_to_a_consent(browser, ines, account, token_dovecot, user, register, consents):
    mailbox = Mailbox.objects.create(
        account=account, owner=ines, address=user.name, name="Old", imap_host="localhost", smtp_host="old.example",
        imap_port=token_dovecot.tls_port, imap_user=user.name, secret={"password": "secret"},
    )  # fmt: skip
    page = browser.get(f"/mailboxes/{mailbox.public_id}/sign-in").content.decode()
    assert "Continue with Rigmail" in page and "With a password instead" in page
    url = led_to(browser.post(f"/mailboxes/{mailbox.public_id}/consent"))
    browser.get("/oauth/rigmail", consents.allow(url))
    mailbox.refresh_from_db()
    assert (mailbox.signs_in_by, mailbox.name, mailbox.smtp_host) == ("rigmail", "Old", "127.0.0.1")
    assert "password" not in mailbox.secret


@pytest.mark.case("C18")
def test_only_who_manages_a_mailbox_signs_in_to_it_anew(
    browser, sign_in, people, connected, consents, account, register
):
    Grant.objects.create(account=account, mailbox=connected, employee=people["reader"], may_reply=True)
    for name in ("reader", "mate", "administrator", "stranger"):
        assert sign_in(people[name]).post(f"/mailboxes/{connected.public_id}/consent").status_code == 404
    before = Mailbox.objects.get(pk=connected.pk).secret
    client = sign_in(people["mate"])
    grant = Grant.objects.create(account=account, mailbox=connected, employee=people["mate"], may_manage=True)
    url = led_to(client.post(f"/mailboxes/{connected.public_id}/consent"))
    grant.delete()  # while they are at the provider
    assert client.get("/oauth/rigmail", consents.allow(url)).status_code == 404
    assert Mailbox.objects.get(pk=connected.pk).secret == before


def test_where_no_provider_is_set_up_there_is_a_password(browser, settings):
    settings.OAUTH_PROVIDERS = {}
    browser.post("/mailboxes/connect", {"address": "ines@outlook.com"})
    page = browser.get("/mailboxes/connect/sign-in").content.decode()
    assert "Continue with Microsoft&quot; is missing" in page and "connect/consent" not in page
    assert browser.post("/mailboxes/connect/consent")["Location"] == "/mailboxes/connect"
