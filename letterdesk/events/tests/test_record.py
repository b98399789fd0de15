import pytest
from django.db import connection, transaction

from letterdesk.accounts.models import Account
from letterdesk.events.kinds import KINDS
from letterdesk.events.models import Event
from letterdesk.events.record import UnknownKind, record


@pytest.fixture
def account(db) -> Account:
    return Account.objects.create(name="Acme")


def test_an_event_keeps_who_what_and_when(account):
    event = record("message.received", account=account, topic="mailbox:m1", subject="folder:f1", count=3, initial=True)
    kept = Event.objects.get(pk=event.pk)
    assert (kept.kind, kept.topic, kept.subject) == ("message.received", "mailbox:m1", "folder:f1")
    assert kept.facts == {"count": 3, "initial": True}
    assert kept.account == account


def test_an_undeclared_kind_is_refused(account):
    with pytest.raises(UnknownKind):
        record("message.recieved", account=account)
    assert not Event.objects.exists()


@pytest.mark.parametrize("fact", [object(), {"subject": "Hello"}, [["nested"]], "x" * 1001, b"raw"])
def test_facts_that_could_hold_content_are_refused(account, fact):
    with pytest.raises(TypeError):
        record("message.changed", account=account, fact=fact)


def test_what_nobody_reacts_to_costs_one_statement(account, django_assert_num_queries):
    with django_assert_num_queries(1):
        record("message.changed", account=account)
    assert not Event.objects.filter(dispatched_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_rolled_back_never_happened():
    account = Account.objects.create(name="Acme")
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record("message.changed", account=account)
        _ = 1 / 0
    assert not Event.objects.exists()


def test_one_transaction_wakes_the_dispatcher_once(account, settings):
    settings.REACTIONS = "letterdesk.events.tests.pages.NOTING"
    for _ in range(5):
        record("message.received", account=account)
    assert len(connection.run_on_commit) == 1


def test_every_kind_says_what_happened_in_a_sentence():
    assert all(sentence.endswith(".") and "." in kind for kind, sentence in KINDS.items())
