"""What is made of letters that come past Webmail begins and says what is set, as in a mailbox of Webmail (R30)."""

# ruff: noqa: F811

import pytest

from letterdesk.crm.models import CardsToRead, Kind, Record
from letterdesk.crm.polled import connect as polled_mailboxes
from letterdesk.crm.records.pipelines import make_pipeline
from letterdesk.crm.sendsave import addresses as sendsave
from letterdesk.crm.tests.test_make import with_cards
from letterdesk.crm.tests.test_polled_take import come, mailbox_of, polled  # noqa: F401
from letterdesk.crm.tests.test_sendsave import address, arrive, forwarded, house  # noqa: F401
from letterdesk.events.dispatch import dispatch
from letterdesk.mail.authentic import Proof


@pytest.fixture
def react(django_capture_on_commit_callbacks, now):
    """What happened is told, and the jobs run that it wakes."""

    def reacted():
        with django_capture_on_commit_callbacks(execute=True):
            dispatch(now)

    return reacted


@pytest.fixture
def service(administrator):
    """A pipeline of deals that is not the first."""
    return make_pipeline("Service", by=administrator)


def test_deals_of_a_polled_mailbox_begin_in_its_pipeline(polled, service, administrator, now):
    becomes = polled_mailboxes.Becomes(incoming="deal", pipeline=service)
    polled_mailboxes.change(polled, becomes, by=administrator)
    polled.refresh_from_db()
    come(polled, now)
    assert Record.objects.get(kind=Kind.DEAL).stage.pipeline == service


def test_deals_of_a_secret_address_begin_in_its_pipeline_also_after_it_was_replaced(
    ines,
    address,
    arrive,
    service,
    now,
):
    wanted = {"unknown_incoming": "deal", "unknown_outgoing": "nothing"}
    sendsave.change(address, by=ines, pipeline=service, reads_cards=True, **wanted)
    second = sendsave.make(by=ines, of_account=False, now=now)
    arrive(forwarded(ines, second), to=second)
    assert Record.objects.get(kind=Kind.DEAL).stage.pipeline == service
    assert second.reads_cards


def test_visiting_cards_in_a_polled_mailbox_become_contacts_once(polled, amara, administrator, now, react):
    raw = with_cards(("Bo", "bo@new.example"), ("Amara", "amara@okafor.example"))
    come(polled, now, raw=raw)
    react()
    assert not Record.objects.filter(addresses__key="bo@new.example").exists()  # it is not set so
    polled_mailboxes.change(polled, polled_mailboxes.Becomes(reads_cards=True, came_from="Fair"), by=administrator)
    come(polled, now, raw=with_cards(("Old", "old@new.example"), subject="Old"), older=True)
    come(polled, now, raw=with_cards(("Bo", "bo@new.example"), subject="Two"))
    react()
    made = Record.objects.get(addresses__key="bo@new.example")
    assert (made.kind, made.came_from, made.responsible) == ("contact", "Fair", administrator)
    assert not Record.objects.filter(addresses__key="old@new.example").exists()
    assert not CardsToRead.objects.exists()


def test_visiting_cards_at_a_secret_address_become_contacts_where_the_sender_is_proved(
    ines,
    amara,
    address,
    arrive,
    house,
    react,
):
    wanted = {"unknown_incoming": "nothing", "unknown_outgoing": "nothing"}
    sendsave.change(address, by=ines, reads_cards=True, **wanted)
    house["proof"] = Proof.NONE
    arrive(with_cards(("Fake", "fake@new.example")), sender="amara@okafor.example")
    house["proof"] = Proof.GIVEN
    arrive(with_cards(("Bo", "bo@new.example"), subject="Two"), sender="amara@okafor.example")
    react()
    made = Record.objects.filter(addresses__key__endswith="@new.example")
    assert [(each.name, each.responsible, each.came_from) for each in made] == [("Bo", ines, "Send & Save")]
