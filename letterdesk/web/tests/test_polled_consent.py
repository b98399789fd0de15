"""A mailbox polled for CRM alone is connected by consent, and mended by it: Microsoft 365 and Gmail allow nothing else
(R30)."""

import pytest
from django.db import connection
from django.utils import timezone

from letterdesk.crm.models import Activity, PolledMailbox, PolledState, Record
from letterdesk.crm.polled.claim import next_due
from letterdesk.crm.polled.turn import take_turn
from letterdesk.events.models import Event
from letterdesk.mailboxes.tokens import Consent
from letterdesk.plans.models import Subscription
from letterdesk.web.tests.test_consent import led_to
from letterdesk.web.tests.test_records import text_of
from tests.rig.boxes import letter

pytestmark = [
    pytest.mark.dovecot,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("allow_loopback", "blobs_folder"),
]
PAGE = "/settings/sendsave/mailboxes"


@pytest.fixture
def administrator(people, sign_in, account, settings, token_dovecot, consents):
    """On a plan without Webmail; registered at the rig's provider."""
    settings.JOBS_URL = "memory://"
    place = {"imap": f"127.0.0.1:{token_dovecot.port} none", "smtp": "127.0.0.1:1 none"}
    settings.OAUTH_PROVIDERS = {"rigmail": consents.provider(**place, domains=["rig.example"])}
    Subscription.objects.filter(account=account).update(plan="free")
    return sign_in(people["administrator"])


@pytest.fixture
def user(token_dovecot):
    return token_dovecot.add_user()


@pytest.fixture
def form(user):
    return {"address": user.name, "unknown_incoming": "lead", "came_from": "Fair", "provider": "rigmail"}


def look():
    """As the sync process does."""
    PolledMailbox.objects.update(due_at=timezone.now(), leased_until=None)
    busy: list[int] = []
    while found := next_due(timezone.now(), busy=busy):
        busy.append(found.mailbox)
        take_turn(found.mailbox, now=timezone.now())
    return PolledMailbox.objects.get()


def test_a_consent_makes_a_mailbox_with_all_that_was_chosen(administrator, form, user, consents, token_dovecot):
    assert "Continue with Rigmail" in text_of(administrator.get(PAGE))
    back = administrator.get("/oauth/rigmail", consents.allow(led_to(administrator.post(PAGE, form))))
    made = PolledMailbox.objects.get()
    assert back["Location"] == f"{PAGE}/{made.public_id}"
    assert "is connected" in text_of(administrator.get(back["Location"]))
    assert (made.signs_in_by, made.imap_user, made.unknown_incoming) == ("rigmail", user.name, "lead")
    with connection.cursor() as cursor:
        [[kept]] = cursor.execute("SELECT secret FROM crm_polledmailbox").fetchall()
    access = Consent.of(made.secret).access
    assert access not in str(kept) and consents.address_of(access) == user.name
    token_dovecot.deliver(user, letter(1, From="Amara <amara@okafor.example>"))
    assert look().error_code == ""
    assert Activity.objects.get().subject == "Letter 1"
    assert Record.objects.get(kind="lead").came_from == "Fair"


def test_tokens_are_renewed_and_a_withdrawal_is_told_and_mended(administrator, form, user, consents, token_dovecot):
    administrator.get("/oauth/rigmail", consents.allow(led_to(administrator.post(PAGE, form))))
    first = Consent.of(PolledMailbox.objects.get().secret)
    consents.forget_access()  # before its time: the sign-in is refused once, and another token gets in
    token_dovecot.deliver(user, letter(1))
    made = look()
    second = Consent.of(made.secret)
    assert (made.error_code, Activity.objects.count(), Record.objects.count()) == ("", 1, 1)
    assert second.access != first.access and second.refresh != first.refresh  # as the provider rotates
    consents.revoke(user.name)
    consents.forget_access()
    made = look()
    assert (made.state, made.error_code) == (PolledState.FAILING, "oauth_again")
    assert Consent.of(made.secret).refresh == ""  # what is dead is asked for by nobody
    assert Event.objects.get(kind="polled.failing").facts["code"] == "oauth_again"
    here = f"{PAGE}/{made.public_id}"
    page = text_of(administrator.get(here))
    assert "Rigmail no longer lets us in" in page and "Sign in again at Rigmail" in page
    token_dovecot.deliver(user, letter(2))
    back = administrator.get("/oauth/rigmail", consents.allow(led_to(administrator.post(f"{here}/consent"))))
    assert back["Location"] == here and "Rigmail let us in" in text_of(administrator.get(here))
    made = look()
    assert (made.state, made.error_code, Activity.objects.count()) == ("connected", "", 2)


def test_a_no_and_the_wrong_person_lead_back_to_the_form_as_it_was(administrator, form, consents):
    question = led_to(administrator.post(PAGE, form))
    answer = consents.allow(question, account="somebody@rig.example")
    back = administrator.get("/oauth/rigmail", answer)
    assert back["Location"] == PAGE
    page = administrator.get(PAGE)
    assert "You signed in as somebody@rig.example" in text_of(page)
    assert 'value="Fair"' in page.content.decode() and form["address"] in page.content.decode()
    assert not PolledMailbox.objects.exists()
    assert "is no e-mail address" in text_of(administrator.post(PAGE, {**form, "address": "nobody"}))


def test_a_password_gives_way_to_a_consent_and_the_reverse(administrator, form, user, consents, token_dovecot):
    server = {"host": token_dovecot.host, "port": token_dovecot.port, "security": "none", "user": user.name}
    administrator.post(PAGE, {**form, **server, "password": user.password, "provider": ""})
    made = PolledMailbox.objects.get()
    here = f"{PAGE}/{made.public_id}"
    assert made.signs_in_by == "" and "Continue with Rigmail" in text_of(administrator.get(here))
    administrator.get("/oauth/rigmail", consents.allow(led_to(administrator.post(f"{here}/consent"))))
    assert (look().signs_in_by, look().error_code) == ("rigmail", "")
    administrator.post(f"{here}/server", {**server, "password": user.password})
    made = look()
    assert (made.signs_in_by, made.secret, made.error_code) == ("", {"password": user.password}, "")
    administrator.post(here, {"change": "disconnect"})
    made.refresh_from_db()
    assert (made.secret, made.signs_in_by, made.renewing_until) == (None, "", None)
