"""No password of a mailbox gets out: not of the database, not by a log, not by what programmers print (C22)."""

import logging

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.views.debug import ExceptionReporter

from letterdesk.accounts.models import Account, Employee
from letterdesk.accounts.tests.dump import everything_stored
from letterdesk.lib import crypto, jobs
from letterdesk.mail.imap_types import Login
from letterdesk.mail.oauth import Tokens
from letterdesk.mailboxes.models import Mailbox
from letterdesk.mailboxes.tokens import Consent

pytestmark = pytest.mark.case("C22")
MARKER = "marker-Tr0ub4dor"


@pytest.fixture
def mailbox(db) -> Mailbox:
    account = Account.objects.create(name="Acme")
    owner = Employee.objects.create_user("ines@acme.example", account=account, name="Ines")
    return Mailbox.objects.create(
        account=account, owner=owner, address="ines@acme.example", imap_host="imap.example", secret={"password": MARKER}
    )


def test_a_dump_of_the_database_does_not_have_it(mailbox):
    assert MARKER not in everything_stored()
    assert Mailbox.objects.get(pk=mailbox.pk).secret == {"password": MARKER}


def test_an_export_of_the_rows_does_not_have_it(mailbox):
    exported = serializers.serialize("json", Mailbox.objects.all())
    assert MARKER not in exported
    (back,) = serializers.deserialize("json", exported)
    assert back.object.secret == {"password": MARKER}


def test_a_token_is_kept_as_a_password_is(mailbox):
    consent = Consent("google", MARKER, MARKER, expires=1.0)
    login = Login(host="imap.example", port=993, security="tls", user="ines", oauth_token=MARKER)
    tokens = Tokens(MARKER, 60, MARKER)
    mailbox.secret = consent.as_secret()
    mailbox.save(update_fields=["secret"])
    assert MARKER not in everything_stored() + serializers.serialize("json", Mailbox.objects.all())
    assert MARKER not in f"{consent!r} {login!r} {tokens!r} {mailbox!r}"
    assert Consent.of(Mailbox.objects.get(pk=mailbox.pk).secret) == consent


def test_what_programmers_print_does_not_have_it(mailbox):
    login = Login(host="imap.example", port=993, security="tls", user="ines", password=MARKER)
    for shown in (repr(mailbox), str(mailbox), repr(login), str(login), f"{login!r}", f"{[mailbox, login]}"):
        assert MARKER not in shown


def test_a_job_that_fails_with_it_in_its_error_does_not_log_it(mailbox, caplog):
    def fail(text: str) -> None:
        raise ValueError(text)

    jobs.JOBS["test.secret"] = jobs.job(name="test.secret")(fail)
    with caplog.at_level(logging.DEBUG), pytest.raises(jobs.CancelExecution) as error:
        jobs._run(fail.__module__, "test.secret", (MARKER,), {})
    assert "test.secret failed: ValueError" in caplog.text
    assert MARKER not in caplog.text
    assert MARKER not in str(error.value)
    assert error.value.__suppress_context__


def test_a_traceback_page_with_the_mailbox_in_it_does_not_have_it(mailbox):
    login = Login(host="imap.example", port=993, security="tls", user="ines", password=MARKER)
    try:
        raise ValueError(login, mailbox)
    except ValueError as error:
        reporter = ExceptionReporter(None, type(error), error, error.__traceback__)
    assert MARKER not in "".join(frame_text(reporter))


def frame_text(reporter: ExceptionReporter):
    for frame in reporter.get_traceback_frames():
        yield from (f"{name} {value!r}" for name, value in frame["vars"])


def test_rotating_the_key_keeps_every_mailbox_readable(mailbox, settings):
    old = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *old]
    assert crypto.rotate() == 1
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    assert Mailbox.objects.get(pk=mailbox.pk).secret == {"password": MARKER}
