"""Another server or password for a mailbox polled for CRM alone (R30)."""

import pytest

from letterdesk.crm.models import PolledMailbox
from letterdesk.crm.polled import connect as polled
from letterdesk.mail.errors import MailError
from letterdesk.mail.imap_types import Login

FACTS = {"imap_port": 1, "imap_security": "none", "imap_user": "sales", "secret": {"password": "old"}}


@pytest.fixture
def mailbox(account, administrator, settings):
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    return PolledMailbox.objects.create(
        account=account, address="sales@acme.example", imap_host="127.0.0.1", made_by=administrator, **FACTS
    )


def at(user, host="127.0.0.1"):
    return Login(host, 1, "none", user, "new")


@pytest.mark.parametrize("user", ["bo", "bo@acme.example", "sales@other.example"])
def test_another_user_is_another_mailbox_whose_letters_were_never_asked_for(mailbox, administrator, now, user):
    with pytest.raises(polled.BadPolled, match="another mailbox"):
        polled.mend(mailbox, at(user), by=administrator, now=now)
    mailbox.refresh_from_db()
    assert (mailbox.imap_user, mailbox.secret) == ("sales", {"password": "old"})


@pytest.mark.parametrize("user", ["sales", "Sales", "sales@acme.example"])
def test_the_same_user_may_be_written_as_another_server_wants_it(mailbox, administrator, now, user):
    with pytest.raises(MailError):  # it is tried: nobody listens there
        polled.mend(mailbox, at(user), by=administrator, now=now)


def test_who_connects_the_same_mailbox_meanwhile_is_named(mailbox, account, administrator, now, monkeypatch):
    monkeypatch.setattr(polled, "_look_round", lambda *_: ([], {}))
    monkeypatch.setattr(polled, "_check_alone", lambda _mailbox: None)  # the other one came right after this
    PolledMailbox.objects.create(account=account, address="sales@acme.example", imap_host="new.acme.example", **FACTS)
    with pytest.raises(polled.BadPolled, match="connected here already"):
        polled.mend(mailbox, at("sales", "new.acme.example"), by=administrator, now=now)
    assert set(PolledMailbox.objects.values_list("imap_host", flat=True)) == {"127.0.0.1", "new.acme.example"}
